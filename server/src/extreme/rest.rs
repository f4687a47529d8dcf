//! `POST /api/flowdeck/v1/metrics/extremes`: the least, greatest, first and last of all that runs have logged of some metrics.

use std::{collections::HashSet, convert::Infallible};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::find::{Find, Line};
use crate::{
    audit::{Note, Resource},
    caller,
    error::{Error, Result},
    extract,
    key::body::WhileValid,
    limit::Party,
    mlflow::run,
    principal::Principal,
    proxy::Verbatim,
    state,
};

const MOST_RUNS: usize = 200;
const MOST_METRICS: usize = 50;
const MOST_EXPERIMENTS: usize = 100;
/// MLflow takes no longer one.
const LONGEST_METRIC: usize = 250;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExtremesWanted)]
pub struct Wanted {
    /// Ids; the answer has them in this order.
    #[schema(max_items = 200)]
    runs: Vec<String>,
    #[schema(max_items = 50)]
    metrics: Vec<String>,
    /// The ids of the experiments that the runs are in. Where nothing is said, MLflow is asked for each run.
    #[serde(default)]
    #[schema(max_items = 100)]
    experiments: Vec<String>,
}

/// `POST /api/flowdeck/v1/metrics/extremes` → JSON Lines, one a run. Where MLflow fails on the way, the last line is `{"error":…}`
#[utoipa::path(
    post,
    path = "/metrics/extremes",
    tag = "Metrics",
    request_body = Wanted,
    responses((status = 200, description = "One line a run", body = Line, content_type = "application/jsonl"))
)]
pub async fn extremes(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Json(wanted): extract::Json<Wanted>,
) -> Result<Response> {
    note.changes(false);
    let Wanted {
        runs,
        metrics,
        experiments,
    } = wanted.checked()?;
    runs.iter().for_each(|run| note.about(Resource::Run, run));
    let authorization = caller::authorization(&state, &principal).await?;
    let party = Party::of(&principal);
    let find = Find::new(state, authorization, party, runs, metrics, experiments);
    let mut find = find.await.map_err(|error| caller::not_told(&principal, &error))?;
    // Whoever is refused is told so by the status.
    let first = find.next().await.map_err(|error| caller::not_told(&principal, &error))?;
    let Some(first) = first else { return Ok(answer(Body::empty())) };
    let told = principal.clone();
    let pieces = stream::unfold((Some(first), Some(find)), move |(first, find)| {
        let told = told.clone();
        async move {
            if let Some(first) = first {
                return Some((Ok::<_, Infallible>(text(&first)), (None, find)));
            }
            let mut find = find?;
            match find.next().await {
                Ok(lines) => Some((Ok(text(&lines?)), (None, Some(find)))),
                Err(error) => Some((Ok(broken_off(&caller::not_told(&told, &error))), (None, None))),
            }
        }
    });
    let body = Body::from_stream(pieces);
    Ok(answer(match &principal {
        Principal::Key(key) => Body::new(WhileValid::new(body, key.ended.clone())),
        _ => body,
    }))
}

fn answer(body: Body) -> Response {
    let mut response = ([(header::CONTENT_TYPE, "application/jsonl; charset=utf-8")], body).into_response();
    response.extensions_mut().insert(Verbatim);
    response
}

fn text(lines: &[Line]) -> Bytes {
    lines.iter().map(|line| json!(line).to_string() + "\n").collect::<String>().into()
}

fn broken_off(error: &Error) -> Bytes {
    let (_, code) = error.kind();
    let line = json!({ "error": { "error_code": code, "message": error.to_string() } });
    Bytes::from(line.to_string() + "\n")
}

// === impl Wanted ===

impl Wanted {
    /// Without doubles.
    fn checked(mut self) -> Result<Self> {
        let bad = |field: &str, sentence: &str| Err(Error::BadRequest(format!("`{field}`: {sentence}")));
        if self.runs.len() > MOST_RUNS || !self.runs.iter().all(|id| run::is_id(id)) {
            return bad("runs", "at most 200 ids of runs");
        }
        let is_metric = |key: &String| (1..=LONGEST_METRIC).contains(&key.chars().count()) && !key.chars().any(char::is_control);
        if self.metrics.len() > MOST_METRICS || !self.metrics.iter().all(is_metric) {
            return bad("metrics", "at most 50 names of metrics");
        }
        let is_experiment = |id: &String| (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        if self.experiments.len() > MOST_EXPERIMENTS || !self.experiments.iter().all(is_experiment) {
            return bad("experiments", "at most 100 ids of experiments");
        }
        let mut seen = HashSet::new();
        self.runs.retain(|run| seen.insert(run.clone()));
        self.metrics.sort_unstable();
        self.metrics.dedup();
        Ok(self)
    }
}
