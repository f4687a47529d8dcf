//! What time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970. It may jump, in either direction; what only counts time uses `Instant`.
pub fn now() -> i64 {
    #[cfg(test)]
    if let Ok(now) = tests::SET.try_with(|now| *now) {
        return now;
    }
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
pub mod tests {
    tokio::task_local! {
        pub(super) static SET: i64;
    }

    /// What `call` does when the clock says `now`.
    pub async fn at<T>(now: i64, call: impl Future<Output = T>) -> T {
        SET.scope(now, call).await
    }
}
