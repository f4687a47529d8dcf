//! The audit: which calls were made, by whom, from where, and what came of them.

use serde::{Deserialize, Serialize};

use crate::{
    api::{Client, Result},
    state::query::Query,
};

/// One call. Who may not see everything about it gets fewer facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Grows with time.
    pub id: i64,
    /// Ms since 1970.
    pub at: i64,
    #[serde(default)]
    pub user: Option<String>,
    /// `session`, `key`, `basic`, or `none`.
    #[serde(default)]
    pub way: String,
    /// The id of the key.
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub address: Option<String>,
    pub method: String,
    /// As the table of routes has it: `/2.0/mlflow/runs/log-batch`.
    pub route: String,
    #[serde(default)]
    pub experiments: Vec<String>,
    #[serde(default)]
    pub runs: Vec<String>,
    #[serde(default)]
    pub models: Vec<String>,
    pub status: u16,
    /// How long it took, in ms.
    #[serde(default)]
    pub ms: f64,
    #[serde(default)]
    pub bytes_in: u64,
    #[serde(default)]
    pub bytes_out: u64,
    #[serde(default)]
    pub request_id: Option<String>,
    /// Why a key in shadow mode would have been refused.
    #[serde(default)]
    pub shadow: Option<String>,
}

/// Rows, the newest first; asked for with `after` the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub rows: Vec<Row>,
    /// To go on with, as `cursor`.
    #[serde(default)]
    pub next: Option<String>,
    /// Where a search that found too little in its time stopped, ms since 1970; `next` goes on from there.
    #[serde(default)]
    pub searched_to: Option<i64>,
}

/// What can be asked for; beside these: `from`, `to` (ms since 1970), `limit`, `cursor`, `after`.
pub const FILTERS: [&str; 11] = [
    "q",
    "user",
    "key",
    "route",
    "method",
    "status",
    "way",
    "experiment",
    "run",
    "model",
    "shadow",
];

/// # Errors
/// 403 for what one may not see, 400 for a filter that is none.
pub async fn list(client: &Client, query: &Query) -> Result<Found> {
    client.get(&format!("/api/flowdeck/v1/audit{}", query.href())).await
}

/// The path of the rows as a file; `format` is `csv` or `jsonl`.
pub fn export(query: &Query, format: &str) -> String {
    let query = query.clone().with("format", format);
    format!("/api/flowdeck/v1/audit/export{}", query.href())
}
