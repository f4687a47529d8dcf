//! What is done again whenever what it reads has changed, in the browser alone.

pub struct Effect;

// === impl Effect ===

impl Effect {
    /// `run` gets what it gave the last time.
    pub fn new<T: 'static>(mut run: impl FnMut(Option<T>) -> T + 'static) -> Self {
        let mut before = None;
        boxed(Box::new(move || before = Some(run(before.take()))));
        Self
    }
}

fn boxed(run: Box<dyn FnMut()>) {
    leptos::prelude::Effect::new(run);
}
