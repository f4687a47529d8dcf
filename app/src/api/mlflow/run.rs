//! Runs: search, read, edit, delete, restore.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{metric::Metric, number};
use crate::{
    api::{Client, Method, Question, Result},
    route::escape,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub info: Info,
    #[serde(default)]
    pub data: Data,
    #[serde(default)]
    pub inputs: Inputs,
    #[serde(default)]
    pub outputs: Outputs,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    pub run_id: String,
    pub experiment_id: String,
    #[serde(default)]
    pub run_name: String,
    /// What the client said; often empty.
    #[serde(default)]
    pub user_id: String,
    #[serde(default)]
    pub status: Status,
    #[serde(default, deserialize_with = "number::maybe_whole", skip_serializing_if = "Option::is_none")]
    pub start_time: Option<i64>,
    #[serde(default, deserialize_with = "number::maybe_whole", skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    #[serde(default)]
    pub artifact_uri: String,
    #[serde(default)]
    pub lifecycle_stage: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
    /// One that this console does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Data {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Pair>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Pair>,
}

/// A param or a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dataset_inputs: Vec<DatasetInput>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_inputs: Vec<ModelLink>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_outputs: Vec<ModelLink>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetInput {
    #[serde(default)]
    pub tags: Vec<Pair>,
    pub dataset: Dataset,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    pub name: String,
    #[serde(default)]
    pub digest: String,
    #[serde(default)]
    pub source_type: String,
    /// JSON, or any text.
    #[serde(default)]
    pub source: String,
    /// JSON.
    #[serde(default)]
    pub schema: String,
    /// JSON.
    #[serde(default)]
    pub profile: String,
}

/// A logged model that went into a run or came out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLink {
    pub model_id: String,
    #[serde(default, deserialize_with = "number::whole")]
    pub step: i64,
}

/// Tags with a meaning for MLflow.
pub mod tag {
    pub const NOTE: &str = "mlflow.note.content";
    pub const PARENT: &str = "mlflow.parentRunId";
    pub const SOURCE: &str = "mlflow.source.name";
    pub const SOURCE_TYPE: &str = "mlflow.source.type";
    pub const COMMIT: &str = "mlflow.source.git.commit";
    pub const BRANCH: &str = "mlflow.source.git.branch";
    pub const REPOSITORY: &str = "mlflow.source.git.repoURL";
    pub const ENTRY: &str = "mlflow.project.entryPoint";
    pub const USER: &str = "mlflow.user";
    pub const CONTEXT: &str = "mlflow.data.context";
    pub const LOGGED_MODELS: &str = "mlflow.log-model.history";

    /// Whether MLflow keeps it for itself.
    pub fn is_internal(key: &str) -> bool {
        key.starts_with("mlflow.")
    }
}

// === impl Run ===

impl Run {
    pub fn is_running(&self) -> bool {
        matches!(self.info.status, Status::Running | Status::Scheduled)
    }

    pub fn is_deleted(&self) -> bool {
        self.info.lifecycle_stage == "deleted"
    }

    /// What people call it: its name, or the beginning of its id.
    pub fn name(&self) -> &str {
        let Info { run_name, run_id, .. } = &self.info;
        if run_name.is_empty() {
            run_id.get(..8).unwrap_or(run_id)
        } else {
            run_name
        }
    }

    pub fn tag(&self, key: &str) -> Option<&str> {
        find(&self.data.tags, key)
    }

    pub fn param(&self, key: &str) -> Option<&str> {
        find(&self.data.params, key)
    }

    pub fn metric(&self, key: &str) -> Option<&Metric> {
        self.data.metrics.iter().find(|metric| metric.key == key)
    }

    pub fn parent(&self) -> Option<&str> {
        self.tag(tag::PARENT).filter(|id| !id.is_empty())
    }

    /// Who ran it, if anybody said so.
    pub fn user(&self) -> Option<&str> {
        self.tag(tag::USER)
            .or(Some(self.info.user_id.as_str()))
            .filter(|user| !user.is_empty())
    }

    /// How long it took, ms; `None` while it runs.
    pub fn duration(&self) -> Option<i64> {
        Some(self.info.end_time? - self.info.start_time?)
    }

    /// Sets a tag, or takes it away.
    pub fn put_tag(&mut self, key: &str, value: Option<String>) {
        Pair::put(&mut self.data.tags, key, value);
    }
}

// === impl Pair ===

impl Pair {
    /// Sets the value of `key`, or takes it away.
    pub fn put(pairs: &mut Vec<Self>, key: &str, value: Option<String>) {
        match (pairs.iter().position(|pair| pair.key == key), value) {
            (Some(at), Some(value)) => pairs[at].value = value,
            (Some(at), None) => drop(pairs.remove(at)),
            (None, Some(value)) => pairs.push(Self {
                key: key.to_owned(),
                value,
            }),
            (None, None) => {}
        }
    }
}

fn find<'a>(pairs: &'a [Pair], key: &str) -> Option<&'a str> {
    pairs.iter().find(|pair| pair.key == key).map(|pair| pair.value.as_str())
}

/// Which runs to look for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Search {
    /// Strings, always: MLflow answers ids that are numbers with nothing at all.
    pub experiment_ids: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<String>,
    pub max_results: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
    pub run_view_type: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    #[default]
    ActiveOnly,
    DeletedOnly,
    All,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    #[serde(default)]
    pub runs: Vec<Run>,
    /// `None` on the last page.
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// One page of runs.
///
/// # Errors
/// MLflow's: 400 for a filter, order or token that it cannot read.
pub async fn search(client: &Client, search: &Search) -> Result<Found> {
    let mut found: Found = client.send(Method::Post, "/api/2.0/mlflow/runs/search", search).await?;
    found.next_page_token = found.next_page_token.filter(|token| !token.is_empty());
    Ok(found)
}

/// For one page of runs as MLflow writes it, for who reads it without [`Run`]s in between.
pub fn searched(search: &Search) -> Question {
    Question::post("/api/2.0/mlflow/runs/search".to_owned(), search)
}

/// One run.
///
/// # Errors
/// 404 for admins and 403 for everybody else where there is none.
pub async fn get(client: &Client, run: &str) -> Result<Run> {
    #[derive(Deserialize)]
    struct Answer {
        run: Run,
    }
    let answer: Answer = client.get(&format!("/api/2.0/mlflow/runs/get?run_id={}", escape(run))).await?;
    Ok(answer.run)
}

/// Gives it another name.
///
/// # Errors
/// MLflow's.
pub async fn rename(client: &Client, run: &str, name: &str) -> Result<()> {
    post(client, "update", &[("run_id", run), ("run_name", name)]).await
}

/// # Errors
/// MLflow's.
pub async fn set_tag(client: &Client, run: &str, key: &str, value: &str) -> Result<()> {
    post(client, "set-tag", &[("run_id", run), ("key", key), ("value", value)]).await
}

/// # Errors
/// MLflow's: 404 where the run has no such tag.
pub async fn delete_tag(client: &Client, run: &str, key: &str) -> Result<()> {
    post(client, "delete-tag", &[("run_id", run), ("key", key)]).await
}

/// Can be undone: [`restore`].
///
/// # Errors
/// MLflow's.
pub async fn delete(client: &Client, run: &str) -> Result<()> {
    post(client, "delete", &[("run_id", run)]).await
}

/// # Errors
/// MLflow's.
pub async fn restore(client: &Client, run: &str) -> Result<()> {
    post(client, "restore", &[("run_id", run)]).await
}

async fn post(client: &Client, what: &str, fields: &[(&'static str, &str)]) -> Result<()> {
    let body: serde_json::Map<_, _> = fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    let _: IgnoredAny = client.send(Method::Post, &format!("/api/2.0/mlflow/runs/{what}"), &body).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_mlflow() {
        #[derive(Deserialize)]
        struct Answer {
            run: Run,
        }
        let run = serde_json::from_str::<Answer>(include_str!("testdata/run.json")).unwrap().run;
        assert_eq!(run.name(), "rich");
        assert_eq!(run.info.status, Status::Finished);
        assert!(!run.is_running() && !run.is_deleted());
        assert_eq!(run.duration(), Some(460));
        assert!(run.metric("NaN metric").unwrap().value.is_nan());
        assert_eq!(run.metric("loss").unwrap().step, 10);
        assert!(run.data.params.is_empty());
        assert_eq!(run.tag(tag::SOURCE), Some("seed.py"));
        let dataset = &run.inputs.dataset_inputs[0];
        assert_eq!((dataset.dataset.name.as_str(), dataset.tags[0].value.as_str()), ("toy", "training"));
        assert_eq!(run.outputs.model_outputs.len(), 1);
    }

    #[test]
    fn a_page_of_runs() {
        let found: Found = serde_json::from_str(include_str!("testdata/runs.json")).unwrap();
        assert_eq!(found.runs.len(), 3);
        assert!(found.runs[0].metric("train/loss").unwrap().value.is_nan());
        assert!(found.runs[1].metric("train/loss").unwrap().logged().is_infinite());
        assert_eq!(found.runs[0].param("empty"), Some(""));
        assert!(found.runs[0].parent().is_some());
        assert!(found.runs[2].is_running() && found.runs[2].duration().is_none());
        assert_eq!(found.next_page_token, None);

        let sent = serde_json::to_string(&found).unwrap();
        let back: Found = serde_json::from_str(&sent).unwrap();
        assert!(back.runs[0].metric("train/loss").unwrap().value.is_nan());
        assert_eq!(back.runs[2], found.runs[2]);
    }

    #[test]
    fn nothing_found_is_an_empty_object() {
        assert_eq!(serde_json::from_str::<Found>("{}").unwrap(), Found::default());
    }

    #[test]
    fn a_status_of_tomorrow_is_unknown() {
        assert_eq!(serde_json::from_str::<Status>("\"PAUSED\"").unwrap(), Status::Unknown);
    }

    #[test]
    fn a_search_says_no_more_than_needed() {
        let mut search = Search {
            experiment_ids: vec!["3".into()],
            max_results: 100,
            ..Search::default()
        };
        assert_eq!(
            serde_json::to_string(&search).unwrap(),
            r#"{"experiment_ids":["3"],"max_results":100,"run_view_type":"ACTIVE_ONLY"}"#
        );
        search.filter = "metrics.a > 1".into();
        search.order_by = vec!["metrics.`a` DESC".into()];
        search.page_token = Some("t".into());
        search.run_view_type = Stage::DeletedOnly;
        assert_eq!(
            serde_json::to_string(&search).unwrap(),
            r#"{"experiment_ids":["3"],"filter":"metrics.a > 1","order_by":["metrics.`a` DESC"],"max_results":100,"page_token":"t","run_view_type":"DELETED_ONLY"}"#
        );
    }

    #[test]
    fn tags_are_put_and_taken_away() {
        let mut run = serde_json::from_str::<Found>(include_str!("testdata/runs.json"))
            .unwrap()
            .runs
            .remove(0);
        run.put_tag("new", Some("1".into()));
        run.put_tag("new", Some("2".into()));
        assert_eq!(run.tag("new"), Some("2"));
        run.put_tag("new", None);
        run.put_tag("new", None);
        assert_eq!(run.tag("new"), None);
    }
}
