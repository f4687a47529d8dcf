//! What changes on its own in a page.

use leptos::prelude::*;

/// A part of a view that is drawn anew whenever what `draw` reads has changed: `{dynamic(move || …)}` instead of `{move || …}`.
///
/// Leptos compiles its whole machinery anew for each closure in a view. Behind one boxed type it is compiled once, which
/// keeps the browser's module small.
pub fn dynamic<V: IntoView + 'static>(draw: impl Fn() -> V + Send + 'static) -> AnyView {
    boxed(Box::new(move || draw().into_any()))
}

fn boxed(draw: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    (move || draw()).into_any()
}
