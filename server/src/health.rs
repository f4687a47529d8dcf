//! Is it alive, is it ready, and how is the MLflow behind it.

pub mod cache;
pub mod history;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use tokio::sync::Mutex;

use self::{cache::CredentialCache, history::History};
use crate::{clock, mlflow::asks_for_password, state};

const PATIENCE: Duration = Duration::from_secs(2);
/// Anybody may ask; MLflow is asked no more often than this.
const FRESH: Duration = Duration::from_millis(500);

const ADVICE: &str = "MLflow hashes the password two to four times for every call, about 100 ms each: put the line \
    `auth_cache_ttl_seconds = 60` below `[mlflow]` in its auth.ini (the file that MLFLOW_AUTH_CONFIG_PATH names; without that variable, \
    MLflow's own mlflow/server/auth/basic_auth.ini) and restart MLflow";

/// What is known of the MLflow behind.
pub struct Health {
    pub cache: Arc<CredentialCache>,
    pub history: History,
    look: Mutex<Option<Look>>,
    /// Ms since 1970; 0 while it answers.
    down_since: AtomicI64,
}

/// One look at MLflow, without credentials.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    at: Instant,
    /// How long its `/health` took; `None` where it did not answer well.
    pub latency: Option<Duration>,
    auth: Option<&'static str>,
}

/// `GET /health`: the process answers.
pub async fn live() -> &'static str {
    "OK"
}

/// `GET /health/ready`: 200 when the state database and MLflow answer, else 503 and which of them does not.
pub async fn ready(State(state): State<state::State>) -> Response {
    let database = state.db.ping().await.is_ok();
    let mlflow = state.health.look(&state).await.latency.is_some();
    let status = if database && mlflow {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(json!({ "ready": status == StatusCode::OK, "database": database, "mlflow": mlflow })),
    )
        .into_response()
}

/// `GET /health/mlflow` → `{"reachable":true,"latency_ms","version","auth","credential_cache","advice"}`, else 503 `{"reachable":false}`.
///
/// The version is known once somebody has signed in, and so is whether MLflow remembers whom it has checked.
pub async fn mlflow(State(state): State<state::State>) -> Response {
    let look = state.health.look(&state).await;
    let Some(latency) = look.latency else {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "reachable": false }))).into_response();
    };
    let cache = state.health.cache.is_on();
    Json(json!({
        "reachable": true,
        "latency_ms": milliseconds(latency),
        "version": state.upstream.vetted.get().map(ToString::to_string),
        "auth": look.auth,
        "credential_cache": cache,
        "advice": (cache == Some(false)).then_some(ADVICE),
    }))
    .into_response()
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}

// === impl Health ===

impl Health {
    /// The MLflow that Flowdeck runs itself remembers whom it has checked; of others it has to be found out.
    pub fn new(is_managed: bool) -> Self {
        Self {
            cache: Arc::new(CredentialCache::new(is_managed.then_some(true))),
            history: History::default(),
            look: Mutex::default(),
            down_since: AtomicI64::new(0),
        }
    }

    /// Those who ask at the same time get the same answer.
    pub async fn look(&self, state: &state::State) -> Look {
        let mut last = self.look.lock().await;
        match *last {
            Some(look) if look.at.elapsed() < FRESH => look,
            _ => {
                let look = *last.insert(Look::new(state).await);
                match look.latency {
                    Some(_) => self.down_since.store(0, Ordering::Relaxed),
                    None if self.down_since().is_none() => self.down_since.store(clock::now(), Ordering::Relaxed),
                    None => {}
                }
                look
            }
        }
    }

    /// When it was seen first that MLflow does not answer, where it does not; ms since 1970.
    pub fn down_since(&self) -> Option<i64> {
        Some(self.down_since.load(Ordering::Relaxed)).filter(|since| *since != 0)
    }
}

// === impl Look ===

impl Look {
    async fn new(state: &state::State) -> Self {
        let ask = |path: &'static str| async move {
            let url = state.upstream.url(path).ok()?;
            let start = Instant::now();
            let answer = state.upstream.http.get(url).timeout(PATIENCE).send().await.ok()?;
            Some((answer, start.elapsed()))
        };
        let latency = match ask("/health").await {
            Some((answer, took)) if answer.status().is_success() => Some(took),
            _ => None,
        };
        let auth = match latency {
            Some(_) => ask("/version").await.and_then(|(answer, _)| match answer.status() {
                StatusCode::UNAUTHORIZED if asks_for_password(&answer) => Some("basic-auth"),
                StatusCode::OK => Some("none"),
                _ => None,
            }),
            None => None,
        };
        Self {
            at: Instant::now(),
            latency,
            auth,
        }
    }
}
