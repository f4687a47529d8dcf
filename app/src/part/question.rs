//! What a dialog asks before something is done that cannot be undone.

use std::{future::Future, pin::Pin};

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{
    button::Button,
    dynamic::dynamic,
    face::{Notice, sentence},
};
use crate::api;

/// What is done, when it is agreed to.
pub type Act = Box<dyn Fn() -> Pin<Box<dyn Future<Output = api::Result<()>>>>>;

/// The body of the dialog that is shown while `open`. `act` closes it where it succeeds; where it does not, the dialog says why.
/// `ready`: whether it can be agreed to.
pub fn question(open: RwSignal<bool>, about: AnyView, label: String, class: &'static str, ready: Signal<bool>, act: Act) -> AnyView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || !ready.get_untracked() {
            return;
        }
        busy.set(true);
        let doing = act();
        spawn_local(async move {
            let done = doing.await;
            busy.try_set(false);
            match done {
                Ok(()) => drop(open.try_set(false)),
                Err(refused) => drop(error.try_set(Some(sentence(&refused.message)))),
            }
        });
    };
    view! {
        <form class="stack" on:submit=submit>
            {about}
            {dynamic(move || error.get().map(|text| view! { <Notice class="failed">{text}</Notice> }))}
            <div class="buttons">
                <Button press=move |_| open.set(false)>"Cancel"</Button>
                <button type="submit" class=format!("button {class}") disabled=move || busy.get() || !ready.get()>{label}</button>
            </div>
        </form>
    }
}
