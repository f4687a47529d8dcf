//! How something that runs is doing: an icon and a word.

use crate::prelude::*;
use icondata_core::IconData;

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

// === impl Phase ===

impl Phase {
    /// Icon, class and word.
    pub fn look(self) -> (&'static IconData, &'static str, &'static str) {
        match self {
            Self::Waiting => (icon::Clock, "status", "Scheduled"),
            Self::Running => (icon::Loader, "status accent", "Running"),
            Self::Finished => (icon::Check, "status positive", "Finished"),
            Self::Failed => (icon::CircleX, "status danger", "Failed"),
            Self::Stopped => (icon::Ban, "status warning", "Killed"),
            Self::Unknown => (icon::Circle, "status", "Unknown"),
        }
    }
}

#[component]
pub fn Status(phase: Phase) -> impl IntoView {
    let (icon, class, word) = phase.look();
    view! { <span class=class><Icon icon=icon/>{word}</span> }
}
