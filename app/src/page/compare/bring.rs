//! Brings the runs: those of the page's own experiment in one answer, others one by one.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        ApiError, Client, Result,
        mlflow::{
            experiment,
            run::{self, Run, Search, Stage, tag},
        },
    },
    page::experiment::EVERY,
};

/// Questions that are on their way at the same time.
pub const WIDTH: usize = 8;
/// Experiments whose names are asked for.
const NAMES: usize = 50;

/// Tags of MLflow's own that the page shows.
const SHOWN: [&str; 7] = [
    tag::NOTE,
    tag::SOURCE,
    tag::SOURCE_TYPE,
    tag::COMMIT,
    tag::BRANCH,
    tag::ENTRY,
    tag::USER,
];

/// What is known of the runs that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// By id: each that was asked for.
    pub runs: BTreeMap<String, Result<Run>>,
    /// The names of their experiments, as far as one may know them, and of the page's own.
    pub experiments: BTreeMap<String, String>,
}

/// `here`: the experiment that most of the runs are of, or [`EVERY`].
pub async fn bring(client: &Client, here: &str, ids: Vec<String>) -> Known {
    let mut runs = match here {
        EVERY => BTreeMap::new(),
        here => of_experiment(client, here, &ids).await,
    };
    let missing: Vec<&String> = ids.iter().filter(|id| !runs.contains_key(*id)).collect();
    for some in missing.chunks(WIDTH) {
        let found = join_all(some.iter().map(|id| run::get(client, id))).await;
        runs.extend(some.iter().map(|id| (*id).clone()).zip(found));
    }
    runs.values_mut().flatten().for_each(lighten);
    let of: BTreeSet<&str> = runs.values().flatten().map(|run| run.info.experiment_id.as_str()).collect();
    let of: Vec<&str> = std::iter::once(here)
        .chain(of.into_iter().filter(|id| *id != here))
        .filter(|id| *id != EVERY)
        .take(NAMES)
        .collect();
    let mut experiments = BTreeMap::new();
    for some in of.chunks(WIDTH) {
        let found = join_all(some.iter().map(|id| experiment::get(client, id))).await;
        let found = found.into_iter().flatten();
        experiments.extend(found.map(|experiment| (experiment.experiment_id, experiment.name)));
    }
    Known { runs, experiments }
}

/// Those of one experiment. Where it refuses, the runs are asked for on their own, and say why.
async fn of_experiment(client: &Client, experiment: &str, ids: &[String]) -> BTreeMap<String, Result<Run>> {
    // Others may be anything, and end what they are quoted in.
    let plain = |id: &&String| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let ids: Vec<&str> = ids.iter().filter(plain).map(String::as_str).collect();
    if ids.is_empty() {
        return BTreeMap::new();
    }
    let search = Search {
        experiment_ids: vec![experiment.to_owned()],
        filter: format!("attributes.run_id IN ('{}')", ids.join("', '")),
        max_results: ids.len() as u32,
        run_view_type: Stage::All,
        ..Search::default()
    };
    let found = run::search(client, &search).await.unwrap_or_default();
    found.runs.into_iter().map(|run| (run.info.run_id.clone(), Ok(run))).collect()
}

/// Drops what the page does not show, which would only make it heavier.
fn lighten(run: &mut Run) {
    let kept = |key: &str| !tag::is_internal(key) || SHOWN.contains(&key);
    run.data.tags.retain(|pair| kept(&pair.key));
    run.outputs = run::Outputs::default();
    run.inputs.model_inputs.clear();
    for input in &mut run.inputs.dataset_inputs {
        input.dataset.schema.clear();
        input.dataset.profile.clear();
    }
    run.info.artifact_uri.clear();
}

// === impl Known ===

impl Known {
    /// The run, or why there is none.
    pub fn run(&self, id: &str) -> std::result::Result<&Run, Option<&ApiError>> {
        match self.runs.get(id) {
            Some(Ok(run)) => Ok(run),
            Some(Err(error)) => Err(Some(error)),
            None => Err(None),
        }
    }

    /// What one calls it: its name, or the beginning of its id.
    pub fn name(&self, id: &str) -> String {
        match self.run(id) {
            Ok(run) => run.name().to_owned(),
            Err(_) => crate::part::id::shorten(id),
        }
    }

    /// Where MLflow itself, and not a single run, is in the way of all that is asked for.
    pub fn trouble(&self) -> Option<&ApiError> {
        let own = |error: &&ApiError| !matches!(error.status, 400 | 403 | 404);
        let all = self.runs.values().all(Result::is_err);
        let mut errors = self.runs.values().filter_map(|run| run.as_ref().err());
        errors.find(own).filter(|error| all || error.is_deferred() || error.status == 401)
    }
}
