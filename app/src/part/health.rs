//! Whether MLflow answers, as far as this page has noticed. Failed faces and notices report; the frame shows the banner and asks again.

use crate::prelude::*;

use crate::api::ApiError;

#[derive(Clone, Copy)]
pub struct Health {
    down: RwSignal<bool>,
    recovered: RwSignal<u32>,
}

// === impl Health ===

impl Health {
    /// Makes it available to everything below.
    pub fn provide() {
        provide_context(Self {
            down: RwSignal::new(false),
            recovered: RwSignal::new(0),
        });
    }

    /// The health that this page knows of.
    ///
    /// # Panics
    /// Outside of [`crate::App`].
    pub fn expect() -> Self {
        expect_context::<Self>()
    }

    /// Notices what an error says about MLflow. For handlers and effects.
    pub fn report(&self, error: &ApiError) {
        if matches!(error.status, 502..=504) || error.code == "UNREACHABLE" {
            self.down.set(true);
        }
    }

    /// MLflow answers again: those who failed may try again.
    pub fn recover(&self) {
        if self.down.get_untracked() {
            self.down.set(false);
            self.recovered.update(|times| *times += 1);
        }
    }

    /// Followed.
    pub fn is_down(&self) -> bool {
        self.down.get()
    }

    /// How many times MLflow came back, followed.
    pub fn recoveries(&self) -> u32 {
        self.recovered.get()
    }
}
