//! What MLflow lets a caller know of an experiment.

use axum::http::{HeaderValue, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Response;
use serde::Deserialize;

use super::external::{Fault, request, send};
use crate::upstream::Upstream;

/// An experiment that the caller may read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Experiment {
    #[serde(rename = "experiment_id")]
    pub id: String,
    /// A path: what stands before its slashes are folders.
    pub name: String,
}

/// Why MLflow has not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTold {
    #[error("MLflow does not know these credentials")]
    Unauthenticated,
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// More experiments of a folder are not looked at to find one that lies in it.
const LOOK: usize = 1000;

/// `None` for one that is not there, or that the caller may not read.
///
/// # Errors
/// [`NotTold`].
pub async fn experiment(upstream: &Upstream, authorization: &HeaderValue, id: &str) -> Result<Option<Experiment>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        experiment: Experiment,
    }
    let path = format!("/api/2.0/mlflow/experiments/get?experiment_id={}", escape(id));
    let Some(answer) = ask(upstream, authorization, &path).await? else {
        return Ok(None);
    };
    let answer: Answer = answer.json().await.map_err(|_| Fault::NotMlflow)?;
    Ok(Some(answer.experiment))
}

/// Whether `user`, whose credentials these are, may change the experiment and what is in it.
///
/// # Errors
/// [`NotTold`].
pub async fn may_edit(upstream: &Upstream, authorization: &HeaderValue, user: &str, id: &str) -> Result<bool, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        permission: String,
    }
    let (user, id) = (escape(user), escape(id));
    let path = format!("/api/3.0/mlflow/users/permissions/get?username={user}&resource_type=experiment&resource_id={id}");
    let Some(answer) = ask(upstream, authorization, &path).await? else {
        return Ok(false);
    };
    let answer: Answer = answer.json().await.map_err(|_| Fault::NotMlflow)?;
    Ok(matches!(answer.permission.as_str(), "EDIT" | "MANAGE"))
}

/// Whether there is an experiment in this folder that the caller may read.
///
/// # Errors
/// [`NotTold`].
pub async fn sees_folder(upstream: &Upstream, authorization: &HeaderValue, folder: &str) -> Result<bool, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        experiments: Vec<Experiment>,
    }
    // MLflow's filters have no way to write both quotes into one text, nor a percent sign or an underscore that is not a wildcard.
    let quote = if folder.contains('\'') { '"' } else { '\'' };
    if folder.contains(quote) {
        return Ok(false);
    }
    let filter = escape(&format!("name LIKE {quote}{folder}/%{quote}"));
    let path = format!("/api/2.0/mlflow/experiments/search?max_results={LOOK}&filter={filter}");
    let Some(answer) = ask(upstream, authorization, &path).await? else {
        return Ok(false);
    };
    let answer: Answer = answer.json().await.map_err(|_| Fault::NotMlflow)?;
    Ok(answer
        .experiments
        .iter()
        .any(|experiment| folders(&experiment.name).any(|name| name == folder)))
}

/// The folders that an experiment of this name lies in, the innermost first.
pub fn folders(name: &str) -> impl Iterator<Item = &str> {
    let slashes = name.rmatch_indices('/').map(|(at, _)| at);
    slashes.filter(move |at| *at > 0 && at + 1 < name.len()).map(move |at| &name[..at])
}

/// `None` where MLflow does not let the caller know.
async fn ask(upstream: &Upstream, authorization: &HeaderValue, path: &str) -> Result<Option<Response>, NotTold> {
    let answer = send(request(upstream, Method::GET, path, Some(authorization))?).await?;
    match answer.status() {
        StatusCode::UNAUTHORIZED => Err(NotTold::Unauthenticated),
        status if status.is_server_error() => Err(Fault::Unreachable.into()),
        status => Ok(status.is_success().then_some(answer)),
    }
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::folders;

    #[test]
    fn a_name_lies_in_the_folders_before_its_slashes() {
        let of = |name| folders(name).collect::<Vec<_>>();
        assert_eq!(of("team-a/vision/resnet"), ["team-a/vision", "team-a"]);
        assert!(of("resnet").is_empty() && of("resnet/").is_empty() && of("/resnet").is_empty());
    }
}
