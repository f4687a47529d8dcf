//! Whether what a view belongs to is still there.
//!
//! Between the end of a page, or of a part that is drawn anew, and the moment when its view is taken out of the document, what the view
//! reads is gone already. It stays as it is then.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use leptos::prelude::{Owner, on_cleanup};

#[derive(Clone)]
pub struct Life(Arc<AtomicBool>);

// === impl Life ===

impl Life {
    /// Of what is being drawn now.
    pub fn here() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        if Owner::current().is_some() {
            let over = over.clone();
            on_cleanup(move || over.store(true, Ordering::Relaxed));
        }
        Self(over)
    }

    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
