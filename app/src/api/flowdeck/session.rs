//! Who one is here, and from where one is signed in.

use serde::{Deserialize, Serialize};

use crate::api::{Client, Result};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub user: String,
    /// `None` while MLflow does not answer.
    #[serde(default)]
    pub is_admin: Option<bool>,
    pub mlflow: Mlflow,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mlflow {
    pub state: MlflowState,
    #[serde(default)]
    pub version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MlflowState {
    Up,
    Starting,
    #[serde(other)]
    Down,
}

/// A place where one is signed in. Times are ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: String,
    pub created_at: i64,
    pub last_used_at: i64,
    pub expires_at: i64,
    #[serde(default)]
    pub user_agent: String,
    #[serde(default)]
    pub address: String,
    /// The one that asks.
    #[serde(default)]
    pub current: bool,
}

/// # Errors
/// 401 without a session.
pub async fn me(client: &Client) -> Result<Me> {
    client.get("/api/flowdeck/v1/session").await
}

/// All sessions of the one who asks.
///
/// # Errors
/// 401 without a session.
pub async fn list(client: &Client) -> Result<Vec<Session>> {
    #[derive(Deserialize)]
    struct Answer {
        sessions: Vec<Session>,
    }
    Ok(client.get::<Answer>("/api/flowdeck/v1/sessions").await?.sessions)
}
