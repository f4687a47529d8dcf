//! Dialogs: the native element, which keeps the focus inside, gives it back, and closes on Escape.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::{ev, html};

use super::{button::Button, icon};

/// `children` are drawn anew each time it opens. Set `open` to false to close it.
#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] class: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let element = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let wanted = open.get();
        if let Some(dialog) = element.get() {
            if wanted && !dialog.open() {
                dialog.show_modal().ok();
            } else if !wanted && dialog.open() {
                dialog.close();
            }
        }
    });
    // A click on the dialog itself, not on what it holds, is one on the backdrop: its padding is none.
    let backdrop = move |event: ev::MouseEvent| {
        if event.target() == event.current_target() {
            open.set(false);
        }
    };
    view! {
        <dialog node_ref=element class=format!("dialog {class}") aria-label=title on:close=move |_| open.set(false) on:mousedown=backdrop>
            {dynamic(move || open.get().then(|| view! {
                <header><h2>{title}</h2><Button class="quiet" icon=icon::Close label="Close" press=move |_| open.set(false)/></header>
                <div class="body">{children()}</div>
            }))}
        </dialog>
    }
}
