//! A link to a page of the console. The router follows any `<a>` below the base path, so this is one, with the base in its address.

use crate::prelude::*;

use crate::route::Route;

/// `query` is what stands after the path, `?` included. Other attributes and handlers go on it as on an `<a>` (`attr:title=…`, `on:click=…`).
#[component]
pub fn Link(
    to: Route,
    #[prop(optional, into)] query: String,
    #[prop(optional, into)] class: &'static str,
    children: Children,
) -> impl IntoView {
    let class = (!class.is_empty()).then_some(class);
    view! { <a href=to.href() + &query class=class>{children()}</a> }
}
