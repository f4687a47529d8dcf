//! All runs of an experiment as Flowdeck has seen them last, and page by page as they are.

use serde::Serialize;

use crate::{
    api::{ApiError, Client, Method, Result, mlflow::run::Stage},
    route::escape,
};

/// Which page of runs, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    pub run_view_type: Stage,
    /// Runs that began no later, ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
    pub max_results: u32,
    /// The mark of the copy that is here: what has not changed since is told by numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// What [`crate::table::copy::Copy`] reads; nothing where nothing is known.
///
/// # Errors
/// That MLflow does not answer, or no longer knows the caller.
pub async fn copy(client: &Client, experiment: &str, stage: Stage) -> Result<Vec<u8>> {
    let stage = match stage {
        Stage::ActiveOnly => "ACTIVE_ONLY",
        Stage::DeletedOnly => "DELETED_ONLY",
        Stage::All => "ALL",
    };
    let path = format!(
        "/api/flowdeck/v1/experiments/{}/runs/copy?run_view_type={stage}",
        escape(experiment)
    );
    client.bytes(Method::Get, &path, None).await
}

/// What [`crate::table::load::Reading`] reads.
///
/// # Errors
/// MLflow's.
pub async fn page(client: &Client, experiment: &str, page: &Page) -> Result<Vec<u8>> {
    let body = serde_json::to_string(page).map_err(|error| ApiError::unreadable(&error))?;
    let path = format!("/api/flowdeck/v1/experiments/{}/runs/page", escape(experiment));
    client.bytes(Method::Post, &path, Some(body)).await
}
