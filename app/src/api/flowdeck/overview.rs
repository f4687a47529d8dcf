//! How all of it is doing, on one page, for owners.

use serde::{Deserialize, Serialize};

use super::grant::{Level, Target};
use crate::api::{Client, Result};

/// Figures of now, and of the last 24 hours where they count calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Overview {
    pub mlflow_up: bool,
    /// When it was first seen not to answer, while it does not.
    pub mlflow_down_since: Option<i64>,
    pub mlflow_version: Option<String>,
    /// `null` where MLflow has not told it yet.
    pub people: Option<People>,
    pub sessions: i64,
    pub keys: usize,
    /// Calls of the last hour, and of these the failed (5xx) and refused (4xx) ones.
    pub calls: u64,
    pub failed: u64,
    pub refused: u64,
    pub busiest_users: Vec<Busy>,
    pub slowest_routes: Vec<Busy>,
    /// By calls.
    pub busiest_experiments: Vec<BusyExperiment>,
    /// MLflow remembers passwords that it has checked; `null`: unknown.
    pub remembers_passwords: Option<bool>,
    /// How long MLflow has hashed passwords in the last hour if it does not, at the least, in seconds.
    pub password_seconds: Option<f64>,
    /// The files in the data folder.
    pub disk: Vec<Disk>,
    /// Changes that were interrupted.
    pub interrupted: Vec<String>,
}

/// What MLflow tells of people and things.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct People {
    pub default: Option<Level>,
    pub default_known: bool,
    pub users: usize,
    pub admins: usize,
    pub inactive: usize,
    pub roles: usize,
    pub grants: usize,
    pub experiments: usize,
    pub models: usize,
    /// Made in each of the last 30 days, the oldest first.
    pub experiments_by_day: Vec<usize>,
    /// What rules do not agree with.
    pub drifted: usize,
    pub read_at: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Busy {
    pub name: String,
    pub calls: u64,
    /// 95 of 100 took at most so long.
    pub p95_ms: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BusyExperiment {
    pub on: Target,
    pub name: String,
    pub calls: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Disk {
    /// The file or folder.
    pub name: String,
    pub bytes: u64,
}

/// # Errors
/// 403 where one is no administrator.
pub async fn get(client: &Client) -> Result<Overview> {
    client.get("/api/flowdeck/v1/overview").await
}
