//! Who may do what, and why: of one thing, of all, by rules over names, and one's own; and what was changed of it.

use crate::prelude::*;

use crate::api::flowdeck::grant::Target;

/// What this module draws.
#[derive(Clone, Debug)]
pub enum Part {
    /// Who has access to one thing, as the address says.
    Page,
    /// The same within the page of that thing, which has this name.
    Panel(Target, String),
    Why,
    Permissions,
    Rules,
    Changes,
    /// One's own.
    Own,
}

pub fn draw(part: Part) -> AnyView {
    match part {
        _ => ().into_any(),
    }
}
