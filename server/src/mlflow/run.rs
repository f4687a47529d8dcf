//! Runs, as MLflow tells a caller of them.

use axum::http::{HeaderValue, Method};
use reqwest::Response;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use utoipa::ToSchema;

use super::{
    Fault,
    ask::{NotTold, ask, escape, get, question},
};
use crate::upstream::Upstream;

/// What to ask of `runs/search`.
#[derive(Clone, Debug, Serialize)]
pub struct Search<'a> {
    pub experiment_ids: &'a [String],
    pub filter: String,
    pub order_by: &'a [&'a str],
    pub max_results: usize,
    pub run_view_type: View,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}

/// Runs by their lifecycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = RunViewType)]
pub enum View {
    #[default]
    ActiveOnly,
    DeletedOnly,
    All,
}

/// One page of what was found. An empty list is left out by MLflow.
#[derive(Debug, Deserialize)]
#[serde(bound = "R: DeserializeOwned")]
pub struct Found<R> {
    #[serde(default = "Vec::new")]
    pub runs: Vec<R>,
    pub next_page_token: Option<String>,
}

/// The runs that the caller may read: in experiments that they may not read, there are none. `None` for a question that MLflow refuses.
///
/// # Errors
/// [`NotTold`].
pub async fn search<R: DeserializeOwned>(
    upstream: &Upstream,
    authorization: &HeaderValue,
    search: &Search<'_>,
) -> Result<Option<Found<R>>, NotTold> {
    match ask_for(upstream, authorization, search).await? {
        Some(answer) => Ok(Some(answer.json().await.map_err(|_| Fault::NotMlflow)?)),
        None => Ok(None),
    }
}

/// The same, as MLflow writes it.
///
/// # Errors
/// [`NotTold`].
pub async fn ask_for(upstream: &Upstream, authorization: &HeaderValue, search: &Search<'_>) -> Result<Option<Response>, NotTold> {
    ask(question(upstream, authorization, Method::POST, "/api/2.0/mlflow/runs/search")?.json(search)).await
}

/// Whether the caller may read the runs of an experiment, `run` being one of them. MLflow has a permission for runs besides the one for
/// experiments, of which only a run can tell.
///
/// # Errors
/// [`NotTold`].
pub async fn may_read(upstream: &Upstream, authorization: &HeaderValue, experiment: &str, run: &str) -> Result<bool, NotTold> {
    let asked = Search {
        experiment_ids: &[experiment.to_owned()],
        filter: one_of([run]),
        order_by: &[],
        max_results: 1,
        run_view_type: View::All,
        page_token: None,
    };
    let found: Option<Found<IgnoredAny>> = search(upstream, authorization, &asked).await?;
    Ok(found.is_some_and(|found| !found.runs.is_empty()))
}

/// The filter that finds these runs. Their ids are ones of [`is_id`].
pub fn one_of<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| format!("'{id}'")).collect();
    format!("attributes.run_id IN ({})", ids.join(","))
}

/// Whether this may be a run's id: MLflow takes no others, and they need no quoting.
pub fn is_id(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    text.len() <= 256 && text.bytes().all(rest) && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// The experiment that a run lives in; `None` where there is no such run, or the caller may not read it.
///
/// # Errors
/// [`NotTold`].
pub async fn home(upstream: &Upstream, authorization: &HeaderValue, id: &str) -> Result<Option<String>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        run: Run,
    }
    #[derive(Deserialize)]
    struct Run {
        info: Info,
    }
    #[derive(Deserialize)]
    struct Info {
        experiment_id: String,
    }
    let path = format!("/api/2.0/mlflow/runs/get?run_id={}", escape(id));
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    Ok(answer.map(|answer| answer.run.info.experiment_id))
}

#[cfg(test)]
mod tests {
    use super::{is_id, one_of};

    #[test]
    fn only_what_needs_no_quoting_is_an_id() {
        assert!(is_id("0a1B2c") && is_id("my_run-1") && is_id(&"a".repeat(256)));
        for text in ["", "_a", "a'b", "a b", "a/b", "é", &"a".repeat(257)] {
            assert!(!is_id(text), "{text}");
        }
        assert_eq!(one_of(["a", "b"]), "attributes.run_id IN ('a','b')");
    }
}
