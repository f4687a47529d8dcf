//! All runs of an experiment as Flowdeck has seen them last, and page by page as they are.

use serde::Serialize;

use crate::{
    api::{Question, mlflow::run::Stage},
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

/// For what [`crate::table::copy::Copy`] reads; nothing where nothing is known.
pub fn copy(experiment: &str, stage: Stage) -> Question {
    let stage = match stage {
        Stage::ActiveOnly => "ACTIVE_ONLY",
        Stage::DeletedOnly => "DELETED_ONLY",
        Stage::All => "ALL",
    };
    Question::get(format!("{}copy?run_view_type={stage}", path(experiment)))
}

/// For what [`crate::table::load::Reading`] reads.
pub fn page(experiment: &str, page: &Page) -> Question {
    Question::post(format!("{}page", path(experiment)), page)
}

fn path(experiment: &str) -> String {
    format!("/api/flowdeck/v1/experiments/{}/runs/", escape(experiment))
}
