//! What a call is about, for the audit: what stands where its route says, and what MLflow answers. What a caller names besides counts for
//! nothing, else anybody could write themselves into the history of what they never touched.
//!
//! Nothing is decided by it. A body is not held up for it either: of a long one, only the beginning is looked at, where MLflow's client
//! puts the ids.

use http::Request;
use serde_json::Value;

use super::{
    about::{self, Mention, Parts},
    lookup::Match,
    narrow::Homes,
    table::{Body, Row},
};
use crate::audit::{Note, Resource};

/// Tells the note of a call what it is about, when it is dropped: also where the caller has gone away.
pub struct Told {
    note: Note,
    row: &'static Row,
    homes: Homes,
}

// === impl Told ===

impl Told {
    /// Tells what can be told of the head, and has the beginning of the body kept where more stands in there.
    pub fn new<B>(note: Note, found: &Match, request: &Request<B>, homes: Homes) -> Self {
        let told = Self {
            note,
            row: found.row,
            homes,
        };
        let parts = Parts {
            found,
            uri: request.uri(),
            headers: request.headers(),
            body: &Value::Null,
        };
        parts.main().into_iter().for_each(|mention| told.tell(mention));
        // The path alone proves nothing: anybody may write `<their experiment>/<another's run>/artifacts`.
        if let Some((experiment, run)) = parts.run_of_artifact() {
            let run = Mention::Run(run);
            if told.homes.of(&run).is_some_and(|home| home == experiment) {
                told.tell(run);
            }
        }
        if parts.is_told_in_body() && found.row.body() == Body::Json {
            told.note.keep_body();
        }
        told
    }

    /// An experiment or a run was made, and this is MLflow's answer.
    pub fn made(&self, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        if let Some(experiment) = answer["experiment_id"].as_str() {
            self.note.about(Resource::Experiment, experiment);
        }
        let info = &answer["run"]["info"];
        if let (Some(run), Some(experiment)) = (info["run_id"].as_str(), info["experiment_id"].as_str()) {
            let run = Mention::Run(run.to_owned());
            self.homes.learn(run.clone(), experiment.to_owned());
            self.tell(run);
        }
    }

    fn tell(&self, mention: Mention) {
        if let Some(experiment) = self.homes.of(&mention) {
            self.note.about(Resource::Experiment, &experiment);
        }
        match mention {
            Mention::Experiment(id) => self.note.about(Resource::Experiment, &id),
            Mention::Run(id) => self.note.about(Resource::Run, &id),
            Mention::Model(name) => self.note.about(Resource::Model, &name),
            Mention::ExperimentName(_) | Mention::LoggedModel(_) | Mention::Trace(_) | Mention::Source(_) => {}
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let body = self.note.take_body();
        about::in_body(self.row, &body).into_iter().for_each(|mention| self.tell(mention));
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};

    use super::Told;
    use crate::{
        audit::Note,
        path::Admitted,
        proxy::{about::Mention, lookup, narrow::Homes},
    };

    fn told(note: &Note, method: Method, target: &str, homes: &Homes) -> Told {
        let request = Request::builder().method(&method).uri(target);
        let request = request.header("x-mlflow-experiment-id", "4").body(()).unwrap();
        let found = lookup::find(&method, &Admitted::parse(request.uri().path()).unwrap()).unwrap();
        Told::new(note.clone(), &found, &request, homes.clone())
    }

    fn ids(note: &Note) -> [String; 3] {
        let told = note.take(200);
        [told.experiments, told.runs, told.models].map(|ids| ids.join(" "))
    }

    #[test]
    fn what_is_named_is_found() {
        let homes = Homes::default();
        homes.learn(Mention::Run("r8".into()), "8".into());
        homes.learn(Mention::LoggedModel("m-8".into()), "8".into());
        let call = |method, target: &str, body: &str| {
            let note = Note::default();
            let told = told(&note, method, target, &homes);
            note.received(body.as_bytes());
            drop(told);
            ids(&note)
        };
        let get = |target| call(Method::GET, target, "");
        let put = |target| call(Method::PUT, target, "{}");
        let post = |path: &str, body| call(Method::POST, &format!("/api/2.0/mlflow/{path}"), body);
        for (found, expected) in [
            (get("/api/2.0/mlflow/runs/get?run_id=r1"), ["", "r1", ""]),
            (get("/api/2.0/mlflow/runs/get?run_id=r8"), ["8", "r8", ""]),
            (get("/api/2.0/mlflow/experiments/get?experiment_id=7&name=x"), ["7", "", ""]),
            (get("/api/2.0/mlflow/registered-models/get?name=a%20b"), ["", "", "a b"]),
            (get("/api/2.0/mlflow/logged-models/m-8"), ["8", "", ""]),
            (post("runs/set-tag", r#"{"runId":"r1","key":"run_id"}"#), ["", "r1", ""]),
            (post("runs/search", r#"{"experiment_ids":["1","2"]}"#), ["1 2", "", ""]),
            (post("runs/create", r#"{"name":"no model","experiment_id":"1"}"#), ["1", "", ""]),
            (post("registered-models/rename", r#"{"name":"a","new_name":"b"}"#), ["", "", "a b"]),
            (call(Method::POST, "/v1/traces", "{}"), ["4", "", ""]),
            (
                call(Method::POST, "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=r1&path=x", "{}"),
                ["", "r1", ""],
            ),
            (post("runs/set-tag", r#""{\"run_id\":\"r1\"}""#), ["", "r1", ""]),
            // The end is cut off.
            (post("runs/log-batch", r#"{"run_id":"r1","metrics":[{"key":"#), ["", "r1", ""]),
            (post("runs/log-batch", "\u{0}"), ["", "", ""]),
            // What a caller adds where MLflow does not look says nothing.
            (
                post(
                    "runs/set-tag?run_id=no&experiment_id=9",
                    r#"{"run_id":"r1","experiment_id":"9","name":"m"}"#,
                ),
                ["", "r1", ""],
            ),
            (
                post("runs/set-tag", r#"{"run_id":"no","run_id":"r1","run_uuid":"no"}"#),
                ["", "r1", ""],
            ),
            (post("runs/set-tag", r#"{"run_id":"","run_uuid":"r1"}"#), ["", "r1", ""]),
            (
                post("runs/create", r#"{"experiment_id":"1","run":{"info":{"run_id":"r9"}}}"#),
                ["1", "", ""],
            ),
            (post("experiments/create", r#"{"name":"x","experiment_id":"9"}"#), ["", "", ""]),
            (get("/api/2.0/mlflow/runs/get?run_id=r1&experiment_id=9"), ["", "r1", ""]),
            // A path is not where a run lives.
            (put("/api/2.0/mlflow-artifacts/artifacts/8/r8/artifacts/a/b.txt"), ["8", "r8", ""]),
            (put("/api/2.0/mlflow-artifacts/artifacts/1/r8/artifacts/a/b.txt"), ["1", "", ""]),
            (put("/api/2.0/mlflow-artifacts/artifacts/1/r1/artifacts/a/b.txt"), ["1", "", ""]),
            (get("/api/2.0/mlflow-artifacts/artifacts/models/x/y"), ["", "", ""]),
        ] {
            assert_eq!(found, expected);
        }
    }

    /// Else a stranger could move somebody's run, for keys and histories, into an experiment of their own.
    #[test]
    fn where_a_run_lives_is_learned_from_mlflow_alone() {
        let homes = Homes::default();
        let made = |target: &str, answer: &str| {
            let note = Note::default();
            told(&note, Method::POST, target, &homes).made(answer.as_bytes());
            ids(&note)
        };
        let create = "/api/2.0/mlflow/experiments/create?run_id=r1";
        assert_eq!(made(create, r#"{"experiment_id":"5"}"#), ["5", "", ""]);
        assert_eq!(made(create, "not JSON"), ["", "", ""]);
        assert_eq!(homes.of(&Mention::Run("r1".into())), None);
        let run = r#"{"run":{"data":{"run_id":"no"},"info":{"run_id":"r2","run_uuid":"r2","experiment_id":"6"}}}"#;
        assert_eq!(made("/api/2.0/mlflow/runs/create?run_id=r1&experiment_id=5", run), ["6", "r2", ""]);
        assert_eq!(homes.of(&Mention::Run("r1".into())), None);
        assert_eq!(homes.of(&Mention::Run("r2".into())).as_deref(), Some("6"));
    }
}
