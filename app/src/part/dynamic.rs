//! What changes on its own in a page.

use crate::prelude::*;

/// A part of a view that is drawn anew whenever what `draw` reads has changed.
pub fn dynamic<V: IntoAny>(draw: impl Fn() -> V + Send + 'static) -> AnyView {
    draw.into_any()
}
