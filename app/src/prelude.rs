//! What every page uses: Leptos's prelude, with views of our own (`crate::view`).

pub use leptos::prelude::*;
pub use view::view;

pub use crate::{
    reactive::{Effect, Memo, Resource},
    view::{AnyView, IntoAny, each},
};
