//! How long something took, or has been taking.

use crate::part::dynamic::dynamic;
use crate::prelude::*;

use super::clock::Clock;

/// From `start` to `end`, ms since 1970; without `end` it counts on.
#[component]
pub fn Duration(start: i64, end: Option<i64>) -> impl IntoView {
    match end {
        Some(end) => {
            let exact = format!("{:.3} s", (end - start).max(0) as f64 / 1000.0);
            view! { <span class="duration" title=exact>{words(end - start)}</span> }.into_any()
        }
        None => {
            let clock = Clock::expect();
            view! { <span class="duration" title="still running">{dynamic(move || words(clock.second.get() - start))}</span> }.into_any()
        }
    }
}

/// `840 ms`, `12.4 s`, `36:45`, `3:07:12`, `2 d 5 h`.
pub fn words(ms: i64) -> String {
    let ms = ms.max(0);
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn each_size_has_its_form() {
        let all = [-5, 840, 12_480, 2_205_000, 11_232_000, 190_800_000].map(words);
        assert_eq!(all, ["0 ms", "840 ms", "12.4 s", "36:45", "3:07:12", "2 d 5 h"]);
    }
}
