//! Is it alive, is it ready, and how is the MLflow behind it.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use crate::state;

const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /health`: the process answers.
pub async fn live() -> &'static str {
    "OK"
}

/// `GET /health/ready`: 200 when the state database and MLflow answer, else 503 and which of them does not.
pub async fn ready(State(state): State<state::State>) -> Response {
    let database = state.db.ping().await.is_ok();
    let mlflow = latency(&state).await.is_some();
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

/// `GET /health/mlflow`: 200 with the latency of MLflow's own `/health`, else 503.
pub async fn mlflow(State(state): State<state::State>) -> Response {
    match latency(&state).await {
        Some(latency) => Json(json!({ "reachable": true, "latency_ms": latency.as_secs_f64() * 1000.0 })).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "reachable": false }))).into_response(),
    }
}

async fn latency(state: &state::State) -> Option<Duration> {
    let url = state.upstream.url("/health").ok()?;
    let start = Instant::now();
    let response = state.upstream.http.get(url).timeout(PATIENCE).send().await.ok()?;
    response.status().is_success().then(|| start.elapsed())
}
