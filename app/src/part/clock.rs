//! The time that all relative times on a page are counted from: the moment the server drew it, then the present.

use std::time::Duration;

use crate::prelude::*;

use crate::browser;

#[derive(Clone, Copy)]
pub struct Clock {
    /// Ms since 1970, moves every second.
    pub second: ReadSignal<i64>,
    /// Ms since 1970, moves every half minute.
    pub minute: ReadSignal<i64>,
    /// Whether this is a browser past its first drawing.
    live: ReadSignal<bool>,
}

// === impl Clock ===

impl Clock {
    /// Makes the clock available to everything below, standing at `drawn_at` until the page is awake.
    pub fn provide(drawn_at: i64) {
        let (second, set_second) = signal(drawn_at);
        let (minute, set_minute) = signal(drawn_at);
        let (live, set_live) = signal(false);
        provide_context(Self { second, minute, live });
        Effect::new(move |_| {
            let tick = move || {
                let now = browser::now();
                if browser::visible() {
                    set_second.set(now);
                    if (now - minute.get_untracked()).abs() > 29_000 || !live.get_untracked() {
                        set_minute.set(now);
                    }
                }
            };
            tick();
            set_live.set(true);
            if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(1)) {
                on_cleanup(move || handle.clear());
            }
        });
    }

    /// The clock of this page.
    ///
    /// # Panics
    /// Outside of [`crate::App`].
    pub fn expect() -> Self {
        expect_context::<Self>()
    }

    /// The present, not followed: in a browser past its first drawing as it tells it, else the moment the page was drawn.
    pub fn now(&self) -> i64 {
        if self.live.get_untracked() {
            browser::now()
        } else {
            self.minute.get_untracked()
        }
    }

    /// The time at `at` in full: on the visitor's clock once the page is awake, in UTC before. Followed.
    pub fn exact(&self, at: i64) -> String {
        if self.live.get() {
            browser::local_time(at)
        } else {
            format!("{} UTC", super::time::utc(at))
        }
    }
}
