//! Notices of what happened, with undo.

use std::time::Duration;

use crate::prelude::*;

use super::{
    button::Button,
    health::Health,
    icon::{self, Icon},
};
use crate::api::ApiError;

/// Where pages say what happened. `Toasts::expect()` while a component is set up, the rest in handlers.
#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    last: StoredValue<u32>,
    health: Health,
}

#[derive(Clone)]
struct Toast {
    id: u32,
    text: String,
    failed: bool,
    undo: Option<Callback<()>>,
}

/// Makes the notices of this page available to everything below.
pub fn provide() {
    provide_context(Toasts {
        shown: RwSignal::new(Vec::new()),
        last: StoredValue::new(0),
        health: Health::expect(),
    });
}

// === impl Toasts ===

impl Toasts {
    /// The notices of this page.
    ///
    /// # Panics
    /// Outside of [`crate::App`].
    pub fn expect() -> Self {
        expect_context::<Self>()
    }

    /// Says `text` for six seconds.
    pub fn say(&self, text: impl Into<String>) {
        self.show(text.into(), false, None, Some(6));
    }

    /// Says `text` for ten seconds with a button that runs `undo`.
    pub fn undo(&self, text: impl Into<String>, undo: impl Fn() + Send + Sync + 'static) {
        self.show(text.into(), false, Some(Callback::new(move |()| undo())), Some(10));
    }

    /// Says what was refused and why, until it is closed. `what`: "The tag was not saved".
    pub fn failed(&self, what: &str, error: &ApiError) {
        self.health.report(error);
        let request = error.request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
        self.show(format!("{what}: {}{request}", error.message), true, None, None);
    }

    fn show(self, text: String, failed: bool, undo: Option<Callback<()>>, seconds: Option<u64>) {
        self.last.update_value(|last| *last += 1);
        let id = self.last.get_value();
        self.shown.update(|shown| {
            shown.push(Toast { id, text, failed, undo });
            if shown.len() > 4 {
                shown.remove(0);
            }
        });
        if let Some(seconds) = seconds {
            set_timeout(move || self.close(id), Duration::from_secs(seconds));
        }
    }

    fn close(self, id: u32) {
        self.shown.try_update(|shown| shown.retain(|toast| toast.id != id));
    }
}

/// Where the notices appear.
#[component]
pub fn Region() -> impl IntoView {
    let toasts = Toasts::expect();
    view! {
        <div class="toasts" role="status" aria-live="polite" aria-relevant="additions">
            {each(move || toasts.shown.get(), |toast| toast.id, move |toast| one(toasts, toast))}
        </div>
    }
}

fn one(toasts: Toasts, toast: Toast) -> AnyView {
    let id = toast.id;
    let undo = toast.undo.map(|undo| {
        let act = move |_| {
            toasts.close(id);
            undo.run(());
        };
        view! { <Button icon=icon::Undo press=act>"Undo"</Button> }
    });
    view! {
        <div class="toast" class:failed=toast.failed>
            <Icon icon=if toast.failed { icon::CircleAlert } else { icon::Check }/>
            <span class="text" dir="auto">{toast.text}</span>
            {undo}
            <Button class="quiet" icon=icon::Close label="Close the notice" press=move |_| toasts.close(id)/>
        </div>
    }
}
