//! Credentials that MLflow has taken a short while ago.
//!
//! No word about what they may: MLflow checks each call. They are only told apart from those that may be a guess.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::HeaderValue;

/// Credentials that were not used for so long are unknown again.
const FORGET: Duration = Duration::from_secs(600);
/// More than this, and we begin anew.
const MOST: usize = 20_000;

/// Kept by a hash under a key that only this process has.
#[derive(Default)]
pub struct Known {
    hash: RandomState,
    taken: Mutex<HashMap<u64, Instant>>,
}

// === impl Known ===

impl Known {
    pub fn holds(&self, authorization: &HeaderValue, now: Instant) -> bool {
        let taken = self.lock().get(&self.hash.hash_one(authorization)).copied();
        taken.is_some_and(|taken| now.duration_since(taken) < FORGET)
    }

    /// MLflow has taken them; true where they were not known before.
    pub fn learn(&self, authorization: &HeaderValue, now: Instant) -> bool {
        let hash = self.hash.hash_one(authorization);
        let mut taken = self.lock();
        if taken.len() >= MOST && !taken.contains_key(&hash) {
            taken.retain(|_, taken| now.duration_since(*taken) < FORGET);
            if taken.len() >= MOST {
                taken.clear();
            }
        }
        taken.insert(hash, now).is_none_or(|before| now.duration_since(before) >= FORGET)
    }

    /// MLflow no longer takes them.
    pub fn forget(&self, authorization: &HeaderValue) {
        self.lock().remove(&self.hash.hash_one(authorization));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use axum::http::HeaderValue;

    use super::{Known, MOST};

    #[test]
    fn what_was_taken_is_known_for_a_while() {
        let (known, start) = (Known::default(), Instant::now());
        let (right, other) = (HeaderValue::from_static("Basic YTpi"), HeaderValue::from_static("Basic YTpj"));
        assert!(!known.holds(&right, start));
        assert!(known.learn(&right, start));
        assert!(!known.learn(&right, start));
        assert!(known.holds(&right, start) && !known.holds(&other, start));
        assert!(!known.holds(&right, start + Duration::from_secs(600)));
        assert!(known.learn(&right, start + Duration::from_secs(600)));
        known.forget(&right);
        assert!(!known.holds(&right, start));
    }

    #[test]
    fn memory_is_bounded() {
        let (known, start) = (Known::default(), Instant::now());
        for number in 0..=MOST {
            known.learn(&HeaderValue::from(number), start);
        }
        assert!(known.lock().len() <= MOST);
    }
}
