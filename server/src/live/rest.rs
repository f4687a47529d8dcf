//! `GET /api/flowdeck/v1/experiments/{id}/live`: what changes in an experiment, as server-sent events.

use std::convert::Infallible;

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{feed::Cursor, stream::Stream};
use crate::{
    audit::{Note, Resource},
    caller,
    error::{Error, Result},
    extract,
    limit::share::Lasting,
    listen::Stopping,
    principal::Principal,
    state,
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// nginx holds answers back until it has some of them, unless it is told not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The `id` of the last event that was heard; a `Last-Event-ID` header comes before it. Without one, the stream begins now.
    #[param(max_length = 64)]
    since: Option<String>,
}

/// `GET /api/flowdeck/v1/experiments/{id}/live?since=` → events `hello`, `runs`, `reset`, `away`, `back` and `end`
///
/// `runs` has `{"changes":[{"what","run"}]}`, each run as MLflow tells it but for links to logged models, and without its data (and
/// `"partial":true`) where it is too large. `reset`: what was missed is not known, so load again. `away` and `back`: MLflow does not
/// answer, and does again. After `end`, `{"reason","message"}`, nothing more comes.
#[utoipa::path(
    get,
    path = "/experiments/{id}/live",
    tag = "Experiments",
    params(("id" = String, Path), Asked),
    responses((status = 200, description = "Server-sent events, without an end", body = String, content_type = "text/event-stream"))
)]
pub async fn live(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    stopping: Option<Extension<Stopping>>,
    headers: HeaderMap,
    extract::Path(id): extract::Path<String>,
    extract::Query(asked): extract::Query<Asked>,
) -> Result<Response> {
    let heard = headers
        .get(LAST_EVENT_ID)
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned)
        .or(asked.since);
    let since = match heard.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => Some(Cursor::parse(text).ok_or_else(|| Error::BadRequest("since= is the id of an event of this stream".into()))?),
        None => None,
    };
    note.about(Resource::Experiment, &id);
    let experiment = caller::experiment(&state, &principal, &id).await?;
    let membership = state.live.join(&state, &principal, &experiment.id)?;
    let stopping = stopping.map(|Extension(Stopping(token))| token).unwrap_or_default();
    let stream = Stream::begin(membership, principal, since, stopping).await?;
    let events = stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    let mut response = (headers, Body::from_stream(events)).into_response();
    response.extensions_mut().insert(Lasting);
    Ok(response)
}
