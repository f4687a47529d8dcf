//! A day of health, minute by minute, for the pictures that owners see. Kept in memory: it begins anew with each start.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{Extension, Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::milliseconds;
use crate::{caller, clock, error::Result, principal::Principal, session::Store, state};

const STEP: Duration = Duration::from_secs(60);
/// A day.
const MOST: usize = 1440;

#[derive(Default)]
pub struct History(Mutex<VecDeque<Point>>);

/// One minute, which ended at `at` (ms since 1970).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Point {
    at: i64,
    requests: u64,
    errors: u64,
    refused: u64,
    p50_ms: f64,
    p95_ms: f64,
    /// How long MLflow's `/health` took at the end of the minute.
    mlflow_ms: Option<f64>,
    mlflow_up: bool,
    sessions: i64,
    calls_open: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HealthHistory)]
pub struct Answer {
    step_ms: u64,
    points: Vec<Point>,
}

/// `GET /api/flowdeck/v1/health/history` (owners) → `{"step_ms":60000,"points":[…]}`, oldest first.
///
/// # Errors
/// As [`caller::reader_without_mlflow`].
#[utoipa::path(get, path = "/health/history", tag = "Health", responses((status = 200, body = Answer)))]
pub async fn show(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Json<Answer>> {
    caller::reader_without_mlflow(&state, &principal).await?;
    Ok(Json(Answer {
        step_ms: STEP.as_millis() as u64,
        points: state.health.history.points(),
    }))
}

/// Adds a point each minute, for ever.
pub async fn keep(state: state::State) {
    let mut every = tokio::time::interval(STEP);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // The first tick comes at once.
    every.tick().await;
    loop {
        every.tick().await;
        point(&state).await;
    }
}

/// Closes a minute.
pub async fn point(state: &state::State) {
    let seen = state.metrics.window.take();
    let latency = state.health.look(state).await.latency;
    if latency.is_none() {
        state.health.cache.look_again();
    }
    let sessions = Store::new(state.db.clone(), state.config.session.clone()).count().await;
    state.health.history.push(Point {
        at: clock::now(),
        requests: seen.requests,
        errors: seen.errors,
        refused: seen.refused,
        p50_ms: seen.p50_ms,
        p95_ms: seen.p95_ms,
        mlflow_ms: latency.map(milliseconds),
        mlflow_up: latency.is_some(),
        sessions: sessions.unwrap_or_default(),
        calls_open: state.metrics.calls_open(),
    });
}

// === impl History ===

impl History {
    /// Calls since `from` (ms since 1970), and of these the failed and the refused ones.
    pub fn calls(&self, from: i64) -> (u64, u64, u64) {
        let points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = points.iter().filter(|point| point.at >= from);
        since.fold((0, 0, 0), |sum, point| {
            (sum.0 + point.requests, sum.1 + point.errors, sum.2 + point.refused)
        })
    }

    fn points(&self) -> Vec<Point> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, point: Point) {
        let mut points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if points.len() >= MOST {
            points.pop_front();
        }
        points.push_back(point);
    }
}

#[cfg(test)]
mod tests {
    use super::{History, MOST, Point};

    #[test]
    fn a_day_is_kept_and_no_more() {
        let history = History::default();
        for at in 0..MOST as i64 + 10 {
            history.push(Point {
                at,
                requests: 0,
                errors: 0,
                refused: 0,
                p50_ms: 0.0,
                p95_ms: 0.0,
                mlflow_ms: None,
                mlflow_up: false,
                sessions: 0,
                calls_open: 0,
            });
        }
        let points = history.points();
        assert_eq!((points.len(), points[0].at, points[MOST - 1].at), (MOST, 10, MOST as i64 + 9));
    }
}
