//! What everybody may do where nothing is granted, and what that means.

use crate::{api::flowdeck::grant::Level, part::face::Notice, prelude::*};

pub fn notice(default: Option<Level>, known: bool) -> AnyView {
    match (default, known) {
        (_, false) => {
            view! { <Notice>"What everybody may do where nothing is granted could not be learned from this MLflow: it is “default_permission” in its auth.ini."</Notice> }
        }
        (None | Some(Level::Deny), true) => ().into_any(),
        (Some(level), true) => {
            let says = format!(
                "Everybody may {} here without any grant: MLflow's default_permission is {}. A grant of {} or less changes nothing, and only DENY hides a thing. NO_PERMISSIONS in MLflow's auth.ini keeps things private until somebody is let in.",
                match level {
                    Level::Read => "read everything",
                    Level::Use => "read and call everything",
                    Level::Edit => "change everything",
                    Level::Manage | Level::Deny => "do everything",
                },
                level.name(),
                level.name(),
            );
            view! { <Notice class="careful">{says}</Notice> }
        }
    }
}
