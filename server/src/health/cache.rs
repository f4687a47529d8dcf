//! What is known of MLflow's credential cache, and when it is looked at again.
//!
//! Only somebody with credentials can find out, so the first call in a while that MLflow has taken lends its own: in the background,
//! a few cheap calls more. Everybody else's call costs one look at a clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use axum::http::HeaderValue;

use crate::{mlflow, upstream::Upstream};

/// A cache that is on is not switched off every day.
const WHEN_ON: Duration = Duration::from_secs(3600);
/// Somebody may be just adding the line. The look itself costs MLflow a second or two then.
const WHEN_OFF: Duration = Duration::from_secs(300);
const WHEN_UNKNOWN: Duration = Duration::from_secs(30);

const UNKNOWN: u8 = 0;
const OFF: u8 = 1;
const ON: u8 = 2;
const NEVER: u64 = u64::MAX;

pub struct CredentialCache {
    start: Instant,
    found: AtomicU8,
    /// Milliseconds after the start at which the next look is due; [`NEVER`] while one is under way.
    due: AtomicU64,
    /// It is known, and not looked for.
    is_fixed: bool,
}

// === impl CredentialCache ===

impl CredentialCache {
    /// `known`, where Flowdeck has configured MLflow itself.
    pub fn new(known: Option<bool>) -> Self {
        Self {
            start: Instant::now(),
            found: AtomicU8::new(code(known)),
            due: AtomicU64::new(if known.is_some() { NEVER } else { 0 }),
            is_fixed: known.is_some(),
        }
    }

    /// `None` where nobody knows yet.
    pub fn is_on(&self) -> Option<bool> {
        match self.found.load(Relaxed) {
            OFF => Some(false),
            ON => Some(true),
            _ => None,
        }
    }

    /// MLflow has just taken these credentials.
    pub fn taken(self: &Arc<Self>, upstream: &Upstream, authorization: &HeaderValue) {
        let due = self.due.load(Relaxed);
        if due == NEVER || self.start.elapsed() < Duration::from_millis(due) {
            return;
        }
        if self.due.compare_exchange(due, NEVER, Relaxed, Relaxed).is_err() {
            return;
        }
        let (cache, upstream, authorization) = (self.clone(), upstream.clone(), authorization.clone());
        tokio::spawn(async move {
            let found = mlflow::remembers_credentials(&upstream, &authorization).await;
            cache.found(found);
        });
    }

    /// MLflow was away: it may have come back with other settings.
    pub fn look_again(&self) {
        if !self.is_fixed {
            // Not while a look is under way: it fails of itself, and then the next one is due soon.
            self.due.fetch_update(Relaxed, Relaxed, |due| (due != NEVER).then_some(0)).ok();
        }
    }

    fn found(&self, found: Option<bool>) {
        if let Some(is_on) = found
            && self.found.swap(code(found), Relaxed) != code(found)
        {
            tracing::info!(is_on, "MLflow's credential cache");
        }
        let pause = match found {
            Some(true) => WHEN_ON,
            Some(false) => WHEN_OFF,
            None => WHEN_UNKNOWN,
        };
        let due = (self.start.elapsed() + pause).as_millis();
        self.due.store(u64::try_from(due).unwrap_or(NEVER), Relaxed);
    }
}

fn code(found: Option<bool>) -> u8 {
    match found {
        None => UNKNOWN,
        Some(false) => OFF,
        Some(true) => ON,
    }
}
