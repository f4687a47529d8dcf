//! Moments: "3 min ago", the exact time on hover and in the markup.

use crate::part::dynamic::dynamic;
use crate::prelude::*;

use super::clock::Clock;

/// `at`: ms since 1970.
#[component]
pub fn Time(at: i64) -> impl IntoView {
    let clock = Clock::expect();
    view! { <time datetime=iso(at) title=move || clock.exact(at)>{dynamic(move || relative(at, clock.minute.get()))}</time> }
}

/// `2026-11-20T13:03:21.500Z`
pub fn iso(at: i64) -> String {
    format!("{}.{:03}Z", utc(at).replace(' ', "T"), at.rem_euclid(1000))
}

/// `2026-11-20 13:03:21`
pub fn utc(at: i64) -> String {
    let seconds = at.div_euclid(1000);
    let (year, month, day) = date(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day, `days` after 1970-01-01 (the civil calendar, by Howard Hinnant's method).
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The end of a day that is written as `2026-11-20`, in ms since 1970 (UTC); `None` where it is no date.
pub fn end_of_day(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1970..10_000).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    // No year is longer than 366 days, so the day lies after so many days, and not much later.
    let first = (year - 1970) * 365;
    let found = (first..first + (year - 1970) / 4 + 367).find(|days| date(*days) == (year, month, day))?;
    Some((found + 1) * 86_400_000 - 1)
}

/// How long before `now` (or after it) `at` is.
pub fn relative(at: i64, now: i64) -> String {
    let past = now - at;
    let seconds = past.abs() / 1000;
    let (count, unit) = match seconds {
        0..60 => return "just now".into(),
        60..3600 => (seconds / 60, "min"),
        3600..86_400 => (seconds / 3600, "h"),
        86_400..172_800 => (1, "day"),
        172_800..2_592_000 => (seconds / 86_400, "days"),
        2_592_000..5_184_000 => (1, "month"),
        5_184_000..31_536_000 => (seconds / 2_592_000, "months"),
        31_536_000..63_072_000 => (1, "year"),
        _ => (seconds / 31_536_000, "years"),
    };
    if past < 0 {
        format!("in {count} {unit}")
    } else {
        format!("{count} {unit} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::{end_of_day, iso, relative, utc};

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(utc(1_709_210_096_000), "2024-02-29 12:34:56");
        assert_eq!(utc(-1000), "1969-12-31 23:59:59");
        assert_eq!(utc(4_102_444_800_000), "2100-01-01 00:00:00");
    }

    #[test]
    fn days_end_at_midnight() {
        for text in ["1970-01-01", "2024-02-29", "2026-12-31", "9999-12-31"] {
            assert_eq!(end_of_day(text).map(utc), Some(format!("{text} 23:59:59")));
        }
        for text in ["", "2026-02-29", "2026-13-01", "2026-1-1-1", "26-01-01", "tomorrow"] {
            assert_eq!(end_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn distances_are_rounded_down() {
        let day = 86_400_000;
        assert_eq!(relative(0, 59_999), "just now");
        assert_eq!(relative(0, 3_599_999), "59 min ago");
        assert_eq!(relative(0, day), "1 day ago");
        assert_eq!(relative(0, 64 * day), "2 months ago");
        assert_eq!(relative(800 * day, 0), "in 2 years");
    }
}
