//! Where one is. Drawn by the page, which knows the names, and placed in the top bar by its style.

use crate::part::dynamic::dynamic;
use crate::prelude::*;

/// One step of the way: its name and, unless it is the page itself, its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    pub name: String,
    pub href: Option<String>,
}

// === impl Crumb ===

impl Crumb {
    pub fn link(name: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            href: Some(href.into()),
        }
    }

    pub fn here(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            href: None,
        }
    }
}

#[component]
pub fn Crumbs(#[prop(into)] way: Signal<Vec<Crumb>>) -> impl IntoView {
    let step = |crumb: Crumb| {
        let name = view! { <bdi>{crumb.name.clone()}</bdi> };
        match crumb.href {
            Some(href) => view! { <li><a href=href title=crumb.name>{name}</a></li> }.into_any(),
            None => view! { <li><span aria-current="page" title=crumb.name>{name}</span></li> }.into_any(),
        }
    };
    view! { <nav class="crumbs" aria-label="Where you are"><ol>{dynamic(move || way.get().into_iter().map(step).collect_view())}</ol></nav> }
}
