//! What MLflow lets a caller know of an experiment.

use axum::http::HeaderValue;
use serde::Deserialize;

use super::ask::{NotTold, escape, get};
use crate::upstream::Upstream;

/// An experiment that the caller may read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Experiment {
    #[serde(rename = "experiment_id")]
    pub id: String,
    /// A path: what stands before its slashes are folders.
    pub name: String,
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
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    Ok(answer.map(|answer| answer.experiment))
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
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    Ok(answer.is_some_and(|answer| matches!(answer.permission.as_str(), "EDIT" | "MANAGE")))
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
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    let found = answer.map(|answer| answer.experiments).unwrap_or_default();
    Ok(found.iter().any(|experiment| folders(&experiment.name).any(|name| name == folder)))
}

/// The folders that an experiment of this name lies in, the innermost first.
pub fn folders(name: &str) -> impl Iterator<Item = &str> {
    let slashes = name.rmatch_indices('/').map(|(at, _)| at);
    slashes.filter(move |at| *at > 0 && at + 1 < name.len()).map(move |at| &name[..at])
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
