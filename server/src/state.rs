//! What every handler shares.

use std::sync::Arc;

use crate::{
    admin::{index::Index, setting::Live as Settings},
    asset::Assets,
    audit::Audit,
    config::Config,
    db::Db,
    extreme,
    health::Health,
    kept::Kept,
    key::Keys,
    limit::Limits,
    live::Live,
    metrics::Metrics,
    owners::Owners,
    proxy::{narrow::Homes, together::Together},
    upstream::Upstream,
    vault::Vault,
};

/// Cheap to clone: one pointer.
#[derive(Clone)]
pub struct State(Arc<Inner>);

pub struct Inner {
    pub config: Config,
    pub upstream: Upstream,
    pub db: Db,
    pub audit: Audit,
    pub vault: Vault,
    pub keys: Keys,
    pub homes: Homes,
    pub together: Together,
    pub live: Live,
    pub kept: Kept,
    pub limits: Limits,
    pub extremes: extreme::Service,
    pub health: Health,
    pub metrics: Metrics,
    pub index: Index,
    pub owners: Owners,
    pub settings: Settings,
    pub assets: Assets,
}

// === impl State ===

impl State {
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// This user's sessions, password or rights are others now.
    pub fn doubt(&self, user: &str) {
        self.owners.forget(user);
        self.live.doubt(user);
    }
}

impl std::ops::Deref for State {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
