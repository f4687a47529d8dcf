//! The requests since somebody last looked: how many, and how fast.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// From 10 µs on, each bound is 1.25 times the one before; the last is beyond ten minutes.
const BUCKETS: usize = 82;
const FIRST: f64 = 0.01;
const STEP: f64 = 1.25;

/// Cheap to add to, from many threads at once.
pub struct Window {
    errors: AtomicU64,
    refused: AtomicU64,
    /// How many requests took so long.
    took: [AtomicU64; BUCKETS],
}

/// What was in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    pub requests: u64,
    /// Answers 5xx.
    pub errors: u64,
    /// Calls that a limit refused, or would have.
    pub refused: u64,
    /// Half of the requests were as fast as this, to within a quarter. Zero where there were none.
    pub p50_ms: f64,
    /// As fast as this were 95 of 100.
    pub p95_ms: f64,
}

// === impl Window ===

impl Window {
    pub fn add(&self, took: Duration, is_error: bool) {
        self.took[bucket(took)].fetch_add(1, Relaxed);
        if is_error {
            self.errors.fetch_add(1, Relaxed);
        }
    }

    pub fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// What has come since the last time.
    pub fn take(&self) -> Seen {
        let took: Vec<u64> = self.took.iter().map(|count| count.swap(0, Relaxed)).collect();
        let requests = took.iter().sum();
        Seen {
            requests,
            errors: self.errors.swap(0, Relaxed),
            refused: self.refused.swap(0, Relaxed),
            p50_ms: quantile(&took, requests, 0.5),
            p95_ms: quantile(&took, requests, 0.95),
        }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self {
            errors: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            took: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

fn bucket(took: Duration) -> usize {
    let steps = (took.as_secs_f64() * 1000.0 / FIRST).ln() / STEP.ln();
    // Casts of floats saturate, so what is faster than the first bound is in the first.
    (steps.ceil() as usize).min(BUCKETS - 1)
}

fn quantile(took: &[u64], requests: u64, share: f64) -> f64 {
    if requests == 0 {
        return 0.0;
    }
    let rank = (requests as f64 * share).ceil() as u64;
    let mut passed = 0;
    let place = took.iter().position(|count| {
        passed += count;
        passed >= rank
    });
    FIRST * STEP.powi(place.unwrap_or(BUCKETS - 1) as i32)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Seen, Window};

    #[test]
    fn quantiles_are_right_to_within_a_quarter() {
        let window = Window::default();
        for ms in 1..=1000 {
            window.add(Duration::from_millis(ms), ms > 990);
        }
        window.refused();
        let seen = window.take();
        assert_eq!((seen.requests, seen.errors, seen.refused), (1000, 10, 1));
        assert!((500.0..=625.0).contains(&seen.p50_ms), "{seen:?}");
        assert!((950.0..=1188.0).contains(&seen.p95_ms), "{seen:?}");
        assert_eq!(window.take(), Seen::default());
    }

    #[test]
    fn very_fast_and_very_slow_ones_have_a_place() {
        let window = Window::default();
        window.add(Duration::ZERO, false);
        assert!(window.take().p50_ms <= 0.01);
        window.add(Duration::from_secs(1 << 40), false);
        assert!(window.take().p50_ms > 500_000.0);
    }
}
