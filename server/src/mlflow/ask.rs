//! Asking MLflow as a caller: what they may not read is, to them, not there.

use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;

use super::external::{Fault, request, send};
use crate::upstream::Upstream;

/// For what reads many rows of MLflow's.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why MLflow has not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTold {
    #[error("MLflow does not know these credentials")]
    Unauthenticated,
    #[error(transparent)]
    Fault(#[from] Fault),
}

pub(super) fn question(upstream: &Upstream, authorization: &HeaderValue, method: Method, path: &str) -> Result<RequestBuilder, NotTold> {
    Ok(request(upstream, method, path, Some(authorization))?.timeout(PATIENCE))
}

/// `None` where MLflow does not let the caller know.
pub(super) async fn ask(question: RequestBuilder) -> Result<Option<Response>, NotTold> {
    let answer = send(question).await?;
    match answer.status() {
        StatusCode::UNAUTHORIZED => Err(NotTold::Unauthenticated),
        status if status.is_server_error() => Err(Fault::Unreachable.into()),
        status => Ok(status.is_success().then_some(answer)),
    }
}

/// [`ask`] for what is at `path`, query included.
pub(super) async fn get<T: DeserializeOwned>(upstream: &Upstream, authorization: &HeaderValue, path: &str) -> Result<Option<T>, NotTold> {
    match ask(question(upstream, authorization, Method::GET, path)?).await? {
        Some(answer) => Ok(Some(answer.json().await.map_err(|_| Fault::NotMlflow)?)),
        None => Ok(None),
    }
}

/// [`get`] for what may be tens of megabytes: the threads that serve connections are not held up by reading it.
pub(super) async fn get_large<T: DeserializeOwned + Send + 'static>(
    upstream: &Upstream,
    authorization: &HeaderValue,
    path: &str,
) -> Result<Option<T>, NotTold> {
    let Some(answer) = ask(question(upstream, authorization, Method::GET, path)?).await? else {
        return Ok(None);
    };
    let body = answer.bytes().await.map_err(|_| Fault::Unreachable)?;
    let read = tokio::task::spawn_blocking(move || serde_json::from_slice(&body));
    let read = read.await.map_err(|_| Fault::NotMlflow)?;
    Ok(Some(read.map_err(|_| Fault::NotMlflow)?))
}

pub(super) fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
