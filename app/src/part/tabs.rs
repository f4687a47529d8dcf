//! Tabs: links, so each has an address and works without a script.

use crate::prelude::*;

#[component]
pub fn Tabs(label: &'static str, children: Children) -> impl IntoView {
    view! { <nav class="tabs" aria-label=label>{children()}</nav> }
}

#[component]
pub fn Tab(#[prop(into)] href: Signal<String>, #[prop(into)] current: Signal<bool>, children: Children) -> impl IntoView {
    view! { <a href=href aria-current=move || current.get().then_some("page") data-noscroll="">{children()}</a> }
}
