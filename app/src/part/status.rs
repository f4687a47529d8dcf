//! How something that runs is doing: an icon and a word.

use leptos::prelude::*;

use super::icon::{self, Icon};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Waiting,
    Running,
    Finished,
    Failed,
    Stopped,
    Unknown,
}

#[component]
pub fn Status(phase: Phase) -> impl IntoView {
    let (icon, class, word) = match phase {
        Phase::Waiting => (icon::Clock, "status", "Scheduled"),
        Phase::Running => (icon::Loader, "status accent", "Running"),
        Phase::Finished => (icon::Check, "status positive", "Finished"),
        Phase::Failed => (icon::CircleX, "status danger", "Failed"),
        Phase::Stopped => (icon::Ban, "status warning", "Killed"),
        Phase::Unknown => (icon::Circle, "status", "Unknown"),
    };
    view! { <span class=class><Icon icon=icon/>{word}</span> }
}
