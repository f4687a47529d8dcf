//! `/api/flowdeck/v1/experiments/{id}/runs/…`: all runs at once as they were last seen, and page by page as they are.

use std::{future::ready, sync::Arc};

use anyhow::Context as _;
use app::table::walk::{ORDER, Walk};
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{Kept, Learned, Mark, Place, Question};
use crate::{
    audit::{Note, Resource},
    caller, clock,
    error::{Error, Result},
    extract,
    mlflow::run::{self, Search, View},
    principal::Principal,
    state,
};

/// MLflow's own bound of a page of runs is far higher, and takes it minutes.
const MOST: usize = 1000;
/// Bytes of an answer of MLflow's that is held here: pages ask for fewer. What is larger goes on as it comes, and nothing is learned from it.
const LARGEST: usize = 32 << 20;
/// MLflow's marks of pages are a few letters.
const LONGEST_TOKEN: usize = 1024;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Those that were not deleted, where nothing is said.
    #[serde(default)]
    run_view_type: View,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RunsAsked)]
pub struct Asked {
    #[serde(default)]
    run_view_type: View,
    /// Runs that began no later, ms since 1970; from the newest, where nothing is said.
    until: Option<i64>,
    /// The `next_page_token` of an answer about the same time.
    #[schema(max_length = 1024)]
    page_token: Option<String>,
    #[schema(minimum = 1, maximum = 1000)]
    max_results: usize,
    /// The mark of the copy that the caller has. Runs that are as they were in it are told by their numbers in it.
    #[schema(max_length = 64)]
    since: Option<String>,
}

/// `GET /api/flowdeck/v1/experiments/{id}/runs/copy?run_view_type=` → all runs as they were last seen, in a form for Flowdeck's own pages; 204
/// where nothing is known, or MLflow does not let the caller read the runs
#[utoipa::path(
    get,
    path = "/experiments/{id}/runs/copy",
    tag = "Experiments",
    params(("id" = String, Path), Which),
    responses(
        (status = 200, description = "Columns of runs, for pages of this version of Flowdeck", content_type = "application/vnd.flowdeck.runs"),
        (status = 204, description = "Nothing is known here that MLflow lets you read"),
    )
)]
pub async fn copy(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Path(id): extract::Path<String>,
    extract::Query(which): extract::Query<Which>,
) -> Result<Response> {
    note.about(Resource::Experiment, &id);
    let nothing = StatusCode::NO_CONTENT.into_response();
    let authorization = caller::authorization(&state, &principal).await?;
    let Some(place) = Place::new(&id, which.run_view_type) else {
        return Ok(nothing);
    };
    let Some(runs) = state.kept.find(&place) else { return Ok(nothing) };
    let sample = {
        let runs = Arc::clone(&runs);
        within(move || runs.lock().sample()).await?
    };
    let Some(sample) = sample else { return Ok(nothing) };
    let may_read = run::may_read(&state.upstream, &authorization, &place.experiment, &sample).await;
    if !may_read.map_err(|error| caller::not_told(&principal, &error))? {
        return Ok(nothing);
    }
    let copy = Bytes::from_owner(within(move || runs.lock().copy()).await?);
    Ok(([(header::CONTENT_TYPE, "application/vnd.flowdeck.runs")], copy).into_response())
}

/// `POST /api/flowdeck/v1/experiments/{id}/runs/page` → as MLflow's `runs/search`, the newest first, and `size`: the bytes of MLflow's answer
#[utoipa::path(
    post,
    path = "/experiments/{id}/runs/page",
    tag = "Experiments",
    params(("id" = String, Path)),
    request_body = Asked,
    responses((status = 200, description = "Runs; a number instead of one that is as it was at the mark", body = serde_json::Value))
)]
pub async fn page(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Path(id): extract::Path<String>,
    extract::Json(asked): extract::Json<Asked>,
) -> Result<Response> {
    note.changes(false);
    note.about(Resource::Experiment, &id);
    let since = asked.checked()?;
    let authorization = caller::authorization(&state, &principal).await?;
    let Asked {
        run_view_type: view,
        until,
        page_token,
        max_results,
        ..
    } = asked;
    let none = || Error::NotFound("there is no such experiment, or MLflow does not let you read it".into());
    let place = Place::new(&id, view).ok_or_else(none)?;
    let search = Search {
        experiment_ids: std::slice::from_ref(&id),
        filter: Walk::at(until).filter(),
        order_by: &ORDER,
        max_results,
        run_view_type: view,
        page_token: page_token.clone(),
    };
    let mark = match state.kept.find(&place) {
        Some(runs) => Some(within(move || runs.lock().mark()).await?),
        None => None,
    };
    let question = Question {
        until,
        token: page_token,
        at: clock::now(),
        mark,
    };
    let answer = run::ask_for(&state.upstream, &authorization, &search).await;
    let answer = answer.map_err(|error| caller::not_told(&principal, &error))?.ok_or_else(none)?;
    let answer = match read(answer, LARGEST).await? {
        Ok(answer) => answer,
        Err(larger) => return Ok(([(header::CONTENT_TYPE, "application/json")], larger).into_response()),
    };
    let told = within(move || {
        let (told, news) = tell(&state.kept, &place, &answer, &question, since)?;
        // Whoever watches may have been told otherwise.
        state.live.touched_in(&place.experiment, &news);
        Ok::<_, serde_json::Error>(told)
    });
    let told = told.await?;
    let told = told.map_err(|_| Error::Upstream("MLflow's answer could not be read".into()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], told).into_response())
}

/// The bytes of an answer, or all of it where there are more than so many.
async fn read(mut answer: reqwest::Response, most: usize) -> Result<Result<Vec<u8>, Body>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|_| Error::Upstream("MLflow broke off in the middle of its answer".into()))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            let begin = stream::once(ready(Ok(Bytes::from(bytes))));
            return Ok(Err(Body::from_stream(begin.chain(answer.bytes_stream()))));
        }
    }
    Ok(Ok(bytes))
}

/// Runs of megabytes are read, and written, where no connection waits for it.
async fn within<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(act);
    done.await.context("what is kept of runs cannot be used").map_err(Error::Internal)
}

/// Learns from MLflow's answer. What of it a copy of that mark has not, and the ids of runs that were told otherwise to others.
pub(super) fn tell(
    kept: &Kept,
    place: &Place,
    answer: &[u8],
    question: &Question,
    since: Option<Mark>,
) -> serde_json::Result<(String, Vec<String>)> {
    #[derive(Deserialize)]
    struct Found<'a> {
        #[serde(default, borrow)]
        runs: Vec<&'a RawValue>,
    }
    let found: Found<'_> = serde_json::from_slice(answer)?;
    let size = answer.len();
    // Whoever may not read runs sees none: that says nothing of them.
    if found.runs.is_empty() {
        return Ok((format!("{{\"runs\":[],\"size\":{size}}}"), Vec::new()));
    }
    let runs = kept.entry(place);
    let mut runs = runs.lock();
    let Learned { loaded, news } = runs.learn(answer, question)?;
    kept.measured(place, runs.size());
    let mut told = String::from("{\"runs\":[");
    for (index, (run, row)) in found.runs.into_iter().zip(&loaded.rows).enumerate() {
        if index > 0 {
            told.push(',');
        }
        match since.and_then(|since| runs.as_at(*row, since)) {
            Some(number) => told.push_str(&number.to_string()),
            None => told.push_str(run.get()),
        }
    }
    let next = loaded.next.map(|token| serde_json::to_string(&token)).transpose()?;
    let next = next.map(|token| format!(",\"next_page_token\":{token}")).unwrap_or_default();
    told.push_str(&format!("]{next},\"size\":{size}}}"));
    Ok((told, news))
}

// === impl Asked ===

impl Asked {
    fn checked(&self) -> Result<Option<Mark>> {
        let bad = |field: &str, sentence: &str| Err(Error::BadRequest(format!("`{field}`: {sentence}")));
        if !(1..=MOST).contains(&self.max_results) {
            return bad("max_results", "a number from 1 to 1000");
        }
        if self.page_token.as_ref().is_some_and(|token| token.len() > LONGEST_TOKEN) {
            return bad("page_token", "the token of an answer");
        }
        match self.since.as_deref().map(Mark::parse) {
            Some(None) => bad("since", "the mark of a copy"),
            mark => Ok(mark.flatten()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> reqwest::Response {
        axum::http::Response::new("x".repeat(bytes)).into()
    }

    #[tokio::test]
    async fn what_is_too_large_to_hold_goes_on_whole() {
        assert_eq!(read(answer(7), 7).await.unwrap().unwrap().len(), 7);
        let larger = read(answer(8), 7).await.unwrap().unwrap_err();
        assert_eq!(axum::body::to_bytes(larger, 100).await.unwrap().len(), 8);
    }
}
