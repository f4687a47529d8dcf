//! Which experiments, runs and models a call names, for the audit: in its query, its path, its body, and in what MLflow answers.
//!
//! Nothing is decided by it. A body is not held up for it either: of a long one, only the beginning is looked at, where MLflow's client
//! puts the ids.

use std::fmt;

use http::Uri;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::{
    about::Mention,
    narrow::Homes,
    table::{Family, Row},
};
use crate::audit::{Note, Resource};

/// Tells `note` what the address names; `path` is the one that MLflow sees.
pub fn address(note: &Note, row: &Row, path: &str, uri: &Uri) {
    let url = uri
        .query()
        .and_then(|query| reqwest::Url::parse(&format!("http://localhost/?{query}")).ok());
    for (name, value) in url.iter().flat_map(reqwest::Url::query_pairs) {
        if let Some(kind) = kind(&name, row) {
            note.about(kind, &value);
        }
    }
    // MLflow's own place for the artifacts of a run: its experiment, its id, `artifacts`.
    if let Some((before, _)) = row.path.split_once("{*artifact_path}")
        && let Some((_, tail)) = path.split_once(before)
        && let [experiment, run, "artifacts", ..] = tail.split('/').collect::<Vec<_>>()[..]
    {
        note.about(Resource::Experiment, experiment);
        note.about(Resource::Run, run);
    }
}

/// Tells the note of a call what its body named, when it is dropped: also where the caller has gone away.
pub struct Told {
    note: Note,
    row: &'static Row,
    homes: Homes,
}

// === impl Told ===

impl Told {
    pub fn new(note: Note, row: &'static Row, homes: Homes) -> Self {
        Self { note, row, homes }
    }

    /// An experiment or a run was made, and this is MLflow's answer.
    pub fn made(&self, answer: &[u8]) {
        json(&self.note, self.row, answer);
        // Only MLflow's own word: what the caller has named besides says nothing of where a run lives.
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let info = &answer["run"]["info"];
        if let (Some(run), Some(experiment)) = (info["run_id"].as_str(), info["experiment_id"].as_str()) {
            self.homes.learn(Mention::Run(run.to_owned()), experiment.to_owned());
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        json(&self.note, self.row, &self.note.take_body());
        for run in self.note.ids(Resource::Run) {
            if let Some(experiment) = self.homes.of(&Mention::Run(run)) {
                self.note.about(Resource::Experiment, &experiment);
            }
        }
    }
}

/// Tells `note` what a piece of JSON names, as far as it can be read.
pub fn json(note: &Note, row: &Row, text: &[u8]) {
    // What was read before an error counts.
    let _ = Names { note, row }.deserialize(&mut serde_json::Deserializer::from_slice(text));
}

/// MLflow's parser takes both spellings of each field (the JSON mapping of protocol buffers).
fn kind(name: &str, row: &Row) -> Option<Resource> {
    Some(match name {
        "experiment_id" | "experimentId" | "experiment_ids" | "experimentIds" => Resource::Experiment,
        "run_id" | "runId" | "run_uuid" | "runUuid" => Resource::Run,
        "name" | "new_name" | "newName" if row.family() == Some(Family::Registry) => Resource::Model,
        _ => return None,
    })
}

#[derive(Clone, Copy)]
struct Names<'a> {
    note: &'a Note,
    row: &'a Row,
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            match (kind(&name, self.row), name.as_str()) {
                (Some(kind), _) => match fields.next_value()? {
                    Value::String(id) => self.note.about(kind, &id),
                    Value::Array(ids) => ids.iter().filter_map(Value::as_str).for_each(|id| self.note.about(kind, id)),
                    _ => {}
                },
                // `runs/create` answers with a whole run.
                (None, "run" | "info") => fields.next_value_seed(self)?,
                (None, _) => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Uri};

    use super::{Told, address, json};
    use crate::{
        audit::Note,
        path::Admitted,
        proxy::{about::Mention, lookup, narrow::Homes},
    };

    fn told(method: Method, target: &str, body: &str) -> [Vec<String>; 3] {
        let uri: Uri = target.parse().unwrap();
        let found = lookup::find(&method, &Admitted::parse(uri.path()).unwrap()).unwrap();
        let note = Note::default();
        address(&note, found.row, &found.path, &uri);
        json(&note, found.row, body.as_bytes());
        let told = note.take(200);
        [told.experiments, told.runs, told.models]
    }

    #[test]
    fn what_is_named_is_found() {
        let get = |target| told(Method::GET, target, "");
        let post = |path: &str, body| told(Method::POST, &format!("/api/2.0/mlflow/{path}"), body);
        for (found, [experiments, runs, models]) in [
            (get("/api/2.0/mlflow/runs/get?run_id=r1"), ["", "r1", ""]),
            (get("/api/2.0/mlflow/experiments/get?experiment_id=7&name=x"), ["7", "", ""]),
            (get("/api/2.0/mlflow/registered-models/get?name=a%20b"), ["", "", "a b"]),
            (get("/api/2.0/mlflow-artifacts/artifacts/1/r1/artifacts/a/b.txt"), ["1", "r1", ""]),
            (get("/api/2.0/mlflow-artifacts/artifacts/models/x/y"), ["", "", ""]),
            (post("runs/set-tag", r#"{"runId":"r1","key":"run_id"}"#), ["", "r1", ""]),
            (post("runs/search", r#"{"experiment_ids":["1","2"]}"#), ["1 2", "", ""]),
            (
                post(
                    "runs/create",
                    r#"{"run":{"data":{"run_id":"no"},"info":{"run_id":"r1","experiment_id":"1"}}}"#,
                ),
                ["1", "r1", ""],
            ),
            (post("runs/create", r#"{"name":"no model","experiment_id":"1"}"#), ["1", "", ""]),
            (post("registered-models/rename", r#"{"name":"a","new_name":"b"}"#), ["", "", "a b"]),
            // The end is cut off.
            (post("runs/log-batch", r#"{"run_id":"r1","metrics":[{"key":"#), ["", "r1", ""]),
            (post("runs/log-batch", r#"[{"run_id":"r1"}]"#), ["", "", ""]),
            (post("runs/log-batch", "\u{0}"), ["", "", ""]),
        ] {
            assert_eq!(found.map(|ids| ids.join(" ")), [experiments, runs, models]);
        }
    }

    /// Else a stranger could move somebody's run, for keys and histories, into an experiment of their own.
    #[test]
    fn where_a_run_lives_is_learned_from_mlflow_alone() {
        let homes = Homes::default();
        let made = |target: &str, answer: &str| {
            let uri: Uri = target.parse().unwrap();
            let found = lookup::find(&Method::POST, &Admitted::parse(uri.path()).unwrap()).unwrap();
            let note = Note::default();
            address(&note, found.row, &found.path, &uri);
            Told::new(note, found.row, homes.clone()).made(answer.as_bytes());
        };
        made("/api/2.0/mlflow/experiments/create?run_id=r1", r#"{"experiment_id":"5"}"#);
        made("/api/2.0/mlflow/experiments/create?run_id=r1", "not JSON");
        assert_eq!(homes.of(&Mention::Run("r1".into())), None);
        let run = r#"{"run":{"info":{"run_id":"r2","run_uuid":"r2","experiment_id":"6"}}}"#;
        made("/api/2.0/mlflow/runs/create?run_id=r1&experiment_id=5", run);
        assert_eq!(homes.of(&Mention::Run("r1".into())), None);
        assert_eq!(homes.of(&Mention::Run("r2".into())).as_deref(), Some("6"));
    }
}
