//! How MLflow and Flowdeck are doing, now and over the last day.

use serde::{Deserialize, Serialize};

use crate::api::{ApiError, Client, Result};

/// MLflow, asked just now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mlflow {
    pub reachable: bool,
    #[serde(default)]
    pub latency_ms: Option<f64>,
    #[serde(default)]
    pub version: Option<String>,
    /// `basic-auth`, or `none`.
    #[serde(default)]
    pub auth: Option<String>,
    /// Without it MLflow checks the password anew with each call.
    #[serde(default)]
    pub credential_cache: Option<bool>,
    /// What to do about it, with the line to add.
    #[serde(default)]
    pub advice: Option<String>,
}

/// What happened from time to time, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// How far points are apart, in ms.
    pub step_ms: i64,
    pub points: Vec<Point>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Ms since 1970.
    pub at: i64,
    pub requests: f64,
    /// Answers of 500 and above.
    pub errors: f64,
    /// Answers of 400 to 499.
    pub refused: f64,
    #[serde(default)]
    pub p50_ms: Option<f64>,
    #[serde(default)]
    pub p95_ms: Option<f64>,
    /// `None` while it did not answer.
    #[serde(default)]
    pub mlflow_ms: Option<f64>,
    pub mlflow_up: bool,
    #[serde(default)]
    pub sessions: f64,
    #[serde(default)]
    pub calls_open: f64,
}

// === impl History ===

impl History {
    /// The last `span` ms in at most `most` points, each with the highest of what it stands for.
    #[must_use]
    pub fn last(mut self, span: i64, most: usize) -> Self {
        let end = self.points.last().map_or(0, |point| point.at);
        self.points.retain(|point| point.at > end - span);
        let each = self.points.len().div_ceil(most.max(1)).max(1);
        self.step_ms *= each as i64;
        self.points = self.points.chunks(each).map(highest).collect();
        self
    }
}

fn highest(points: &[Point]) -> Point {
    let most = |of: fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let known = |of: fn(&Point) -> Option<f64>| points.iter().filter_map(of).reduce(f64::max);
    Point {
        at: points.first().map_or(0, |point| point.at),
        requests: most(|point| point.requests),
        errors: most(|point| point.errors),
        refused: most(|point| point.refused),
        p50_ms: known(|point| point.p50_ms),
        p95_ms: known(|point| point.p95_ms),
        mlflow_ms: known(|point| point.mlflow_ms),
        mlflow_up: points.iter().all(|point| point.mlflow_up),
        sessions: most(|point| point.sessions),
        calls_open: most(|point| point.calls_open),
    }
}

/// # Errors
/// That no answer came; an MLflow that is down is an answer.
pub async fn mlflow(client: &Client) -> Result<Mlflow> {
    match client.get("/health/mlflow").await {
        Err(ApiError { status: 503, .. }) => Ok(Mlflow::default()),
        answer => answer,
    }
}

/// # Errors
/// 403 where one is no administrator.
pub async fn history(client: &Client) -> Result<History> {
    client.get("/api/flowdeck/v1/health/history").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_for_the_highest_of_their_time() {
        let point = |at: i64, requests: f64, up: bool| Point {
            at: at * 60_000,
            requests,
            mlflow_up: up,
            mlflow_ms: up.then_some(requests),
            ..Point::default()
        };
        let history = History {
            step_ms: 60_000,
            points: (0..10).map(|at| point(at, at as f64, at != 9)).collect(),
        };
        let last = history.last(4 * 60_000, 2);
        assert_eq!((last.step_ms, last.points.len()), (120_000, 2));
        let of = |point: &Point| (point.at / 60_000, point.requests as i64, point.mlflow_up, point.mlflow_ms);
        assert_eq!(of(&last.points[0]), (6, 7, true, Some(7.0)));
        assert_eq!(of(&last.points[1]), (8, 9, false, Some(8.0)));
        assert_eq!(History::default().last(1, 0).points, []);
    }
}
