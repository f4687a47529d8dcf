//! Experiments: search, create, read one, edit it, delete, restore.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{number, run::Pair};
use crate::{
    api::{Client, Method, Result},
    route::escape,
};

/// The tag that holds the note, in Markdown.
pub const NOTE: &str = "mlflow.note.content";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    pub experiment_id: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub artifact_location: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lifecycle_stage: String,
    /// Ms since 1970.
    #[serde(default, deserialize_with = "number::maybe_whole", skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<i64>,
    #[serde(default, deserialize_with = "number::maybe_whole", skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Pair>,
}

// === impl Experiment ===

impl Experiment {
    pub fn is_deleted(&self) -> bool {
        self.lifecycle_stage == "deleted"
    }

    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|pair| pair.key == key).map(|pair| pair.value.as_str())
    }

    pub fn note(&self) -> &str {
        self.tag(NOTE).unwrap_or_default()
    }

    /// The tags that people set: without those that MLflow keeps for itself.
    pub fn own_tags(&self) -> impl Iterator<Item = &Pair> {
        self.tags.iter().filter(|tag| !tag.key.starts_with("mlflow."))
    }

    /// Drops what a list does not show, which would only make the page heavier.
    fn lighten(&mut self) {
        self.artifact_location.clear();
        self.lifecycle_stage.clear();
        self.tags.retain(|tag| tag.key == NOTE || !tag.key.starts_with("mlflow."));
    }

    /// Sets a tag, or takes it away.
    pub fn put_tag(&mut self, key: &str, value: Option<String>) {
        Pair::put(&mut self.tags, key, value);
    }
}

/// Which experiments: those in use, or those in the bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    #[default]
    ActiveOnly,
    DeletedOnly,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    #[serde(default)]
    pub experiments: Vec<Experiment>,
    /// `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// How many experiments one call brings.
const PAGE: u32 = 1000;

/// One page of the experiments that the visitor may see, the ones changed last first, without what a list does not show
/// (where artifacts lie, the stage, MLflow's own tags but for the note).
///
/// # Errors
/// MLflow's: 400 for a filter that it cannot read.
pub async fn search(client: &Client, stage: Stage, filter: &str, page_token: Option<&str>) -> Result<Found> {
    #[derive(Serialize)]
    struct Search<'a> {
        /// Must be there: without it MLflow answers 400.
        max_results: u32,
        view_type: Stage,
        order_by: [&'static str; 2],
        #[serde(skip_serializing_if = "str::is_empty")]
        filter: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        page_token: Option<&'a str>,
    }
    let search = Search {
        max_results: PAGE,
        view_type: stage,
        order_by: ["last_update_time DESC", "experiment_id ASC"],
        filter,
        page_token,
    };
    let mut found: Found = client
        .send(Method::Post, "/ajax-api/2.0/mlflow/experiments/search", &search)
        .await?;
    found.next_page_token = found.next_page_token.filter(|token| !token.is_empty());
    found.experiments.iter_mut().for_each(Experiment::lighten);
    Ok(found)
}

/// The experiment with this id, as [`search`] gives it; `None` where the visitor sees none such.
pub async fn find(client: &Client, stage: Stage, id: &str) -> Option<Experiment> {
    let mut experiment = get(client, id).await.ok()?;
    if experiment.is_deleted() != (stage == Stage::DeletedOnly) {
        return None;
    }
    experiment.lighten();
    Some(experiment)
}

/// Ids and names of those whose name holds `text`, the ones changed last first; at most `most`.
///
/// # Errors
/// MLflow's.
pub async fn named(client: &Client, text: &str, most: usize) -> Result<Vec<(String, String)>> {
    #[derive(Serialize)]
    struct Search {
        max_results: usize,
        order_by: [&'static str; 1],
        #[serde(skip_serializing_if = "String::is_empty")]
        filter: String,
    }
    let text = text.replace('\'', "");
    let search = Search {
        max_results: most,
        order_by: ["last_update_time DESC"],
        filter: if text.is_empty() { text } else { format!("name ILIKE '%{text}%'") },
    };
    let found: Found = client
        .send(Method::Post, "/ajax-api/2.0/mlflow/experiments/search", &search)
        .await?;
    let pair = |experiment: Experiment| (experiment.experiment_id, experiment.name);
    Ok(found.experiments.into_iter().map(pair).collect())
}

/// Makes one and tells its id.
///
/// # Errors
/// MLflow's: 400 `RESOURCE_ALREADY_EXISTS` where the name is taken, by a deleted experiment too.
pub async fn create(client: &Client, name: &str, tags: &[Pair]) -> Result<String> {
    #[derive(Serialize)]
    struct Create<'a> {
        name: &'a str,
        #[serde(skip_serializing_if = "<[Pair]>::is_empty")]
        tags: &'a [Pair],
    }
    #[derive(Deserialize)]
    struct Answer {
        experiment_id: String,
    }
    let answer: Answer = client
        .send(Method::Post, "/ajax-api/2.0/mlflow/experiments/create", &Create { name, tags })
        .await?;
    Ok(answer.experiment_id)
}

/// One experiment, deleted ones too.
///
/// # Errors
/// 404 for admins and 403 for everybody else where there is none.
pub async fn get(client: &Client, id: &str) -> Result<Experiment> {
    #[derive(Deserialize)]
    struct Answer {
        experiment: Experiment,
    }
    let answer: Answer = client
        .get(&format!("/api/2.0/mlflow/experiments/get?experiment_id={}", escape(id)))
        .await?;
    Ok(answer.experiment)
}

/// # Errors
/// MLflow's: 400 where another one, deleted ones included, has the name.
pub async fn rename(client: &Client, id: &str, name: &str) -> Result<()> {
    post(client, "update", &[("experiment_id", id), ("new_name", name)]).await
}

/// Can be undone: [`restore`].
///
/// # Errors
/// MLflow's.
pub async fn delete(client: &Client, id: &str) -> Result<()> {
    post(client, "delete", &[("experiment_id", id)]).await
}

/// # Errors
/// MLflow's.
pub async fn restore(client: &Client, id: &str) -> Result<()> {
    post(client, "restore", &[("experiment_id", id)]).await
}

/// # Errors
/// MLflow's.
pub async fn set_tag(client: &Client, id: &str, key: &str, value: &str) -> Result<()> {
    post(
        client,
        "set-experiment-tag",
        &[("experiment_id", id), ("key", key), ("value", value)],
    )
    .await
}

/// # Errors
/// MLflow's: 404 where the experiment has no such tag.
pub async fn delete_tag(client: &Client, id: &str, key: &str) -> Result<()> {
    post(client, "delete-experiment-tag", &[("experiment_id", id), ("key", key)]).await
}

async fn post(client: &Client, what: &str, fields: &[(&'static str, &str)]) -> Result<()> {
    let body: serde_json::Map<_, _> = fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    let _: IgnoredAny = client
        .send(Method::Post, &format!("/api/2.0/mlflow/experiments/{what}"), &body)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_experiments() {
        let text = r#"{"experiments":[{"experiment_id":"1","name":"a","lifecycle_stage":"active","creation_time":"1795198191000",
            "tags":[{"key":"mlflow.note.content","value":"x"},{"key":"team","value":"vision"}]}],"next_page_token":"b"}"#;
        let found: Found = serde_json::from_str(text).unwrap();
        assert_eq!(
            found.experiments[0].own_tags().map(|tag| tag.key.as_str()).collect::<Vec<_>>(),
            ["team"]
        );
        assert_eq!(
            serde_json::from_str::<Found>(&serde_json::to_string(&found).unwrap()).unwrap(),
            found
        );
        assert_eq!(serde_json::from_str::<Found>("{}").unwrap(), Found::default());
    }

    #[test]
    fn an_experiment_of_mlflow() {
        #[derive(Deserialize)]
        struct Answer {
            experiment: Experiment,
        }
        let mut read = serde_json::from_str::<Answer>(include_str!("testdata/experiment.json"))
            .unwrap()
            .experiment;
        assert_eq!(
            (read.experiment_id.as_str(), read.name.as_str()),
            ("1", "vision/resnet/cifar100-sweep")
        );
        assert!(!read.is_deleted() && read.note().starts_with("# Sweep") && read.creation_time.is_some());
        read.put_tag("team", None);
        read.put_tag("new", Some("x".into()));
        assert_eq!((read.tag("team"), read.tag("new")), (None, Some("x")));
    }
}
