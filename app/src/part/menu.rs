//! Menus: native popovers, opened by any `<button popovertarget=id>`, placed below it, closed by Escape, a click elsewhere or a choice.

use crate::prelude::*;
use leptos::{ev, html, wasm_bindgen::JsCast, web_sys};

use crate::browser;

/// Items are `<button class="item">` and `<a class="item">`; a click on one closes the menu. `class="start"` lines it up with the button's left edge.
#[component]
pub fn Menu(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(optional)] class: &'static str,
    children: Children,
) -> impl IntoView {
    let element = NodeRef::<html::Div>::new();
    let choose = move |event: ev::MouseEvent| {
        let item = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if item.is_some_and(|item| item.closest(".item").is_ok_and(|item| item.is_some())) {
            close(element);
        }
    };
    let selector = format!("#{id} .item:not(:disabled)");
    let step = move |event: ev::KeyboardEvent| {
        let forward = match event.key().as_str() {
            "ArrowDown" => true,
            "ArrowUp" => false,
            _ => return,
        };
        event.prevent_default();
        browser::step_focus(&selector, forward);
    };
    view! { <div node_ref=element id=id class=format!("menu {class}") popover="auto" role="group" aria-label=label on:click=choose on:keydown=step>{children()}</div> }
}

#[cfg(feature = "hydrate")]
fn close(element: NodeRef<html::Div>) {
    if let Some(element) = element.get_untracked() {
        element.hide_popover().ok();
    }
}

#[cfg(not(feature = "hydrate"))]
fn close(_element: NodeRef<html::Div>) {}
