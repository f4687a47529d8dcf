//! Every route of MLflow 3.17.2, and what Flowdeck does with it.
//!
//! A route that is not here is not forwarded, and neither is one that is closed. `tests/it/route_table.rs` compares this list
//! with the route map of the installed MLflow: a new route of MLflow's stays closed until somebody gives it a row.
//!
//! In a path, `{x}` is one segment without a slash, `{x:path}` one segment that may hold an encoded slash (MCP names are
//! `reverse.dns/slug`), and `{*x}` is the rest, slashes and all.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::{About::*, At::*, Body::*, Closed::*, Family::*, Prefix::*};
use crate::scope::Scope::{self, *};

/// One method at one path.
#[derive(Debug)]
pub struct Row {
    pub method: Method,
    pub prefix: Prefix,
    /// What follows the prefix.
    pub path: &'static str,
    pub what: What,
}

/// Where MLflow serves a path: its REST API lies below `/api`, and once more, for its own UI, below `/ajax-api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    Both,
    Api,
    Ajax,
    Bare,
}

/// What Flowdeck does with a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Forwarded for whoever MLflow knows; for an API key with this scope, and about what it names.
    Open(Family, Body, Scope, About),
    /// Forwarded for anybody.
    Public(Family),
    /// MLflow no longer has it; the row at this path, which does the same, answers.
    Retired(&'static str),
    /// Not forwarded.
    Closed(Closed),
}

/// What a route is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    Experiments,
    Runs,
    Metrics,
    Artifacts,
    LoggedModels,
    /// Registered models, their versions, and prompts, which are registered models too.
    Registry,
    Traces,
    Datasets,
    /// Scorers, judges, issues, prompt optimisation, and the jobs that do such work.
    Evaluation,
    /// Label schemas and review queues.
    Reviews,
    /// Keeping the LLM gateway: secrets, endpoints, budgets, guardrails.
    Gateway,
    /// Calling a model through the LLM gateway. Other header rules hold: [`super::header`].
    GatewayCalls,
    Mcp,
    Webhooks,
    /// Users, roles and permissions.
    Users,
    Workspaces,
    Server,
}

/// What tells which experiment or registered model a call is about, for keys that are narrowed to some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The caller, or the server: every key may know it.
    Nothing,
    /// Not to be told from the request: closed to narrowed keys.
    Untold,
    Experiment(At),
    /// `?experiment_name=`
    ExperimentName,
    /// A run, whose experiment MLflow knows.
    Run(At),
    /// A path in MLflow's artifact store, which begins with the experiment.
    Artifact(At),
    LoggedModel(At),
    Trace(At),
    Model(At),
    /// A version of a registered model, made from what some experiment holds.
    NewVersion,
    /// A registered model, by its old name and its new one.
    Rename,
}

/// Where in a request a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The parameter of the path.
    Path(&'static str),
    /// The field of the query, or the way down to it in the JSON body; one or a list.
    Field(&'static [&'static str]),
    /// The field of the query, whatever the method.
    Query(&'static str),
    Header(&'static str),
}

/// What goes over the wire, where it is more than a piece of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Json,
    /// A file comes, of any size.
    Download,
    /// A file goes, of any size.
    Upload,
    /// An answer that may take its time, or come in pieces.
    Slow,
}

/// Why a route is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// MLflow's assistant runs tools on the server's host for whoever seems to call from there, as a proxy does. For good.
    Assistant,
    /// A page of MLflow's own UI, or a call that only such a page makes.
    MlflowUi,
    /// Answers nothing: a slip of the pen, or of use only at Databricks.
    Leftover,
    /// Flowdeck has its own.
    Ours,
}

// === impl Family ===

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

// === impl Row ===

impl Row {
    /// The paths at which MLflow serves this row.
    pub fn paths(&self) -> impl Iterator<Item = String> + use<> {
        let prefixes: &[&str] = match self.prefix {
            Both => &["/api", "/ajax-api"],
            Api => &["/api"],
            Ajax => &["/ajax-api"],
            Bare => &[""],
        };
        let path = self.path;
        prefixes.iter().map(move |prefix| format!("{prefix}{path}"))
    }

    pub fn is_public(&self) -> bool {
        matches!(self.what, What::Public(_))
    }

    /// `None` for a row that is not forwarded as it stands.
    pub fn family(&self) -> Option<Family> {
        match self.what {
            What::Open(family, ..) | What::Public(family) => Some(family),
            What::Retired(_) | What::Closed(_) => None,
        }
    }

    pub fn body(&self) -> Body {
        match self.what {
            What::Open(_, body, ..) => body,
            What::Public(_) | What::Retired(_) | What::Closed(_) => Json,
        }
    }

    /// What an API key has to be made for.
    pub fn scope(&self) -> Scope {
        match self.what {
            What::Open(_, _, scope, _) => scope,
            What::Public(_) | What::Retired(_) | What::Closed(_) => Read,
        }
    }

    pub fn about(&self) -> About {
        match self.what {
            What::Open(.., about) => about,
            What::Public(_) => Nothing,
            What::Retired(_) | What::Closed(_) => Untold,
        }
    }

    const fn new(method: Method, prefix: Prefix, path: &'static str, what: What) -> Self {
        Self {
            method,
            prefix,
            path,
            what,
        }
    }

    const fn json(method: Method, prefix: Prefix, path: &'static str, family: Family, scope: Scope, about: About) -> Self {
        Self::new(method, prefix, path, What::Open(family, Json, scope, about))
    }

    const fn data(method: Method, prefix: Prefix, path: &'static str, family: Family, body: Body, scope: Scope, about: About) -> Self {
        Self::new(method, prefix, path, What::Open(family, body, scope, about))
    }

    const fn public(method: Method, prefix: Prefix, path: &'static str, family: Family) -> Self {
        Self::new(method, prefix, path, What::Public(family))
    }

    const fn retired(method: Method, prefix: Prefix, path: &'static str, successor: &'static str) -> Self {
        Self::new(method, prefix, path, What::Retired(successor))
    }

    const fn closed(method: Method, prefix: Prefix, path: &'static str, why: Closed) -> Self {
        Self::new(method, prefix, path, What::Closed(why))
    }
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

// One row a line, however long.
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    // Experiments
    Row::json(POST, Both, "/2.0/mlflow/experiments/create", Experiments, Write, Untold),
    Row::json(POST, Both, "/2.0/mlflow/experiments/delete", Experiments, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/experiments/delete-experiment-tag", Experiments, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(GET, Both, "/2.0/mlflow/experiments/get", Experiments, Read, Experiment(Field(&["experiment_id"]))),
    Row::json(GET, Both, "/2.0/mlflow/experiments/get-by-name", Experiments, Read, ExperimentName),
    Row::retired(GET, Both, "/2.0/mlflow/experiments/list", "/2.0/mlflow/experiments/search"),
    Row::json(POST, Both, "/2.0/mlflow/experiments/restore", Experiments, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(GET, Both, "/2.0/mlflow/experiments/search", Experiments, Read, Untold),
    Row::json(POST, Both, "/2.0/mlflow/experiments/search", Experiments, Read, Untold),
    Row::json(POST, Ajax, "/2.0/mlflow/experiments/search-datasets", Experiments, Read, Experiment(Field(&["experiment_ids"]))),
    Row::json(POST, Both, "/2.0/mlflow/experiments/set-experiment-tag", Experiments, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/experiments/update", Experiments, Write, Experiment(Field(&["experiment_id"]))),
    // Runs
    Row::json(POST, Both, "/2.0/mlflow/runs/create", Runs, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/delete", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/delete-tag", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(GET, Both, "/2.0/mlflow/runs/get", Runs, Read, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-batch", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-inputs", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-metric", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-model", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-parameter", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/outputs", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/restore", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/search", Runs, Read, Experiment(Field(&["experiment_ids"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/set-tag", Runs, Write, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/runs/update", Runs, Write, Run(Field(&["run_id"]))),
    // Metrics
    Row::json(GET, Both, "/2.0/mlflow/metrics/get-history", Metrics, Read, Run(Field(&["run_id"]))),
    Row::json(GET, Ajax, "/2.0/mlflow/metrics/get-history-bulk", Metrics, Read, Run(Field(&["run_id"]))),
    Row::json(GET, Both, "/2.0/mlflow/metrics/get-history-bulk-interval", Metrics, Read, Run(Field(&["run_ids"]))),
    // Artifacts
    Row::json(GET, Both, "/2.0/mlflow-artifacts/artifacts", Artifacts, Read, Artifact(Field(&["path"]))),
    Row::data(DELETE, Both, "/2.0/mlflow-artifacts/artifacts/{*artifact_path}", Artifacts, Slow, Write, Artifact(Path("artifact_path"))),
    Row::data(GET, Both, "/2.0/mlflow-artifacts/artifacts/{*artifact_path}", Artifacts, Download, Read, Artifact(Path("artifact_path"))),
    Row::data(PUT, Both, "/2.0/mlflow-artifacts/artifacts/{*artifact_path}", Artifacts, Upload, Write, Artifact(Path("artifact_path"))),
    Row::json(POST, Both, "/2.0/mlflow-artifacts/mpu/abort/{*artifact_path}", Artifacts, Write, Artifact(Path("artifact_path"))),
    Row::data(POST, Both, "/2.0/mlflow-artifacts/mpu/complete/{*artifact_path}", Artifacts, Slow, Write, Artifact(Path("artifact_path"))),
    Row::json(POST, Both, "/2.0/mlflow-artifacts/mpu/create/{*artifact_path}", Artifacts, Write, Artifact(Path("artifact_path"))),
    Row::json(GET, Both, "/2.0/mlflow-artifacts/presigned/{*artifact_path}", Artifacts, Read, Artifact(Path("artifact_path"))),
    Row::json(GET, Both, "/2.0/mlflow/artifacts/list", Artifacts, Read, Run(Field(&["run_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/artifacts/presigned-download-url", Artifacts, Read, Untold),
    Row::json(POST, Both, "/2.0/mlflow/artifacts/presigned-upload-url", Artifacts, Write, Untold),
    Row::json(POST, Ajax, "/2.0/mlflow/upload-artifact", Artifacts, Write, Run(Query("run_uuid"))),
    Row::data(GET, Bare, "/get-artifact", Artifacts, Download, Read, Run(Field(&["run_id"]))),
    // Logged models
    Row::json(POST, Both, "/2.0/mlflow/logged-models", LoggedModels, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/logged-models/search", LoggedModels, Read, Experiment(Field(&["experiment_ids"]))),
    Row::json(DELETE, Both, "/2.0/mlflow/logged-models/{model_id}", LoggedModels, Write, LoggedModel(Path("model_id"))),
    Row::json(GET, Both, "/2.0/mlflow/logged-models/{model_id}", LoggedModels, Read, LoggedModel(Path("model_id"))),
    Row::json(PATCH, Both, "/2.0/mlflow/logged-models/{model_id}", LoggedModels, Write, LoggedModel(Path("model_id"))),
    Row::json(GET, Both, "/2.0/mlflow/logged-models/{model_id}/artifacts/directories", LoggedModels, Read, LoggedModel(Path("model_id"))),
    Row::data(GET, Ajax, "/2.0/mlflow/logged-models/{model_id}/artifacts/files", LoggedModels, Download, Read, LoggedModel(Path("model_id"))),
    Row::json(POST, Both, "/2.0/mlflow/logged-models/{model_id}/params", LoggedModels, Write, LoggedModel(Path("model_id"))),
    Row::json(PATCH, Both, "/2.0/mlflow/logged-models/{model_id}/tags", LoggedModels, Write, LoggedModel(Path("model_id"))),
    Row::json(DELETE, Both, "/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}", LoggedModels, Write, LoggedModel(Path("model_id"))),
    // The registry
    Row::json(POST, Both, "/2.0/mlflow/model-versions/create", Registry, Write, NewVersion),
    Row::json(DELETE, Both, "/2.0/mlflow/model-versions/delete", Registry, Write, Model(Field(&["name"]))),
    Row::json(DELETE, Both, "/2.0/mlflow/model-versions/delete-tag", Registry, Write, Model(Field(&["name"]))),
    Row::json(GET, Both, "/2.0/mlflow/model-versions/get", Registry, Read, Model(Field(&["name"]))),
    Row::json(GET, Both, "/2.0/mlflow/model-versions/get-download-uri", Registry, Read, Model(Field(&["name"]))),
    Row::json(GET, Both, "/2.0/mlflow/model-versions/search", Registry, Read, Untold),
    Row::json(POST, Both, "/2.0/mlflow/model-versions/set-tag", Registry, Write, Model(Field(&["name"]))),
    Row::json(POST, Both, "/2.0/mlflow/model-versions/transition-stage", Registry, Write, Model(Field(&["name"]))),
    Row::json(PATCH, Both, "/2.0/mlflow/model-versions/update", Registry, Write, Model(Field(&["name"]))),
    Row::json(DELETE, Both, "/2.0/mlflow/registered-models/alias", Registry, Write, Model(Field(&["name"]))),
    Row::json(GET, Both, "/2.0/mlflow/registered-models/alias", Registry, Read, Model(Field(&["name"]))),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/alias", Registry, Write, Model(Field(&["name"]))),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/create", Registry, Write, Model(Field(&["name"]))),
    Row::json(DELETE, Both, "/2.0/mlflow/registered-models/delete", Registry, Write, Model(Field(&["name"]))),
    Row::json(DELETE, Both, "/2.0/mlflow/registered-models/delete-tag", Registry, Write, Model(Field(&["name"]))),
    Row::json(GET, Both, "/2.0/mlflow/registered-models/get", Registry, Read, Model(Field(&["name"]))),
    Row::json(GET, Both, "/2.0/mlflow/registered-models/get-latest-versions", Registry, Read, Model(Field(&["name"]))),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/get-latest-versions", Registry, Read, Model(Field(&["name"]))),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/rename", Registry, Write, Rename),
    Row::json(GET, Both, "/2.0/mlflow/registered-models/search", Registry, Read, Untold),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/set-tag", Registry, Write, Model(Field(&["name"]))),
    Row::json(PATCH, Both, "/2.0/mlflow/registered-models/update", Registry, Write, Model(Field(&["name"]))),
    Row::data(GET, Bare, "/model-versions/get-artifact", Registry, Download, Read, Model(Field(&["name"]))),
    // Traces and assessments
    Row::data(GET, Ajax, "/2.0/mlflow/get-trace-artifact", Traces, Download, Read, Trace(Field(&["request_id"]))),
    Row::json(GET, Both, "/2.0/mlflow/traces", Traces, Read, Experiment(Field(&["experiment_ids"]))),
    Row::json(POST, Both, "/2.0/mlflow/traces", Traces, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/traces/delete-traces", Traces, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(POST, Both, "/2.0/mlflow/traces/link-prompts", Traces, Write, Untold),
    Row::json(POST, Both, "/2.0/mlflow/traces/link-to-run", Traces, Write, Run(Field(&["run_id"]))),
    Row::json(PATCH, Both, "/2.0/mlflow/traces/{request_id}", Traces, Write, Trace(Path("request_id"))),
    Row::json(GET, Both, "/2.0/mlflow/traces/{request_id}/info", Traces, Read, Trace(Path("request_id"))),
    Row::json(DELETE, Both, "/2.0/mlflow/traces/{request_id}/tags", Traces, Write, Trace(Path("request_id"))),
    Row::json(PATCH, Both, "/2.0/mlflow/traces/{request_id}/tags", Traces, Write, Trace(Path("request_id"))),
    Row::data(GET, Ajax, "/3.0/mlflow/get-trace-artifact", Traces, Download, Read, Trace(Field(&["request_id"]))),
    Row::json(POST, Both, "/3.0/mlflow/traces", Traces, Write, Experiment(Field(&[ "trace", "trace_info", "trace_location", "mlflow_experiment", "experiment_id", ]))),
    Row::json(GET, Both, "/3.0/mlflow/traces/batchGet", Traces, Read, Trace(Field(&["trace_ids"]))),
    Row::json(POST, Both, "/3.0/mlflow/traces/batchGetInfos", Traces, Read, Trace(Field(&["trace_ids"]))),
    Row::json(POST, Both, "/3.0/mlflow/traces/calculate-filter-correlation", Traces, Read, Experiment(Field(&["experiment_ids"]))),
    Row::json(POST, Both, "/3.0/mlflow/traces/delete-traces", Traces, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(GET, Both, "/3.0/mlflow/traces/get", Traces, Read, Trace(Field(&["trace_id"]))),
    Row::json(POST, Both, "/3.0/mlflow/traces/metrics", Traces, Read, Experiment(Field(&["experiment_ids"]))),
    Row::json(POST, Both, "/3.0/mlflow/traces/search", Traces, Read, Experiment(Field(&["locations", "mlflow_experiment", "experiment_id"]))),
    Row::json(GET, Both, "/3.0/mlflow/traces/{trace_id}", Traces, Read, Trace(Path("trace_id"))),
    Row::json(POST, Both, "/3.0/mlflow/traces/{trace_id}/assessments", Traces, Write, Trace(Path("trace_id"))),
    Row::json(DELETE, Both, "/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Traces, Write, Trace(Path("trace_id"))),
    Row::json(GET, Both, "/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Traces, Read, Trace(Path("trace_id"))),
    Row::json(PATCH, Both, "/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Traces, Write, Trace(Path("trace_id"))),
    Row::json(DELETE, Both, "/3.0/mlflow/traces/{trace_id}/tags", Traces, Write, Trace(Path("trace_id"))),
    Row::json(PATCH, Both, "/3.0/mlflow/traces/{trace_id}/tags", Traces, Write, Trace(Path("trace_id"))),
    Row::json(POST, Bare, "/v1/traces", Traces, Write, Experiment(Header("x-mlflow-experiment-id"))),
    // Evaluation datasets
    Row::json(POST, Both, "/3.0/mlflow/datasets/create", Datasets, Write, Experiment(Field(&["experiment_ids"]))),
    Row::json(GET, Both, "/3.0/mlflow/datasets/search", Datasets, Read, Experiment(Field(&["experiment_ids"]))),
    Row::json(POST, Both, "/3.0/mlflow/datasets/search", Datasets, Read, Experiment(Field(&["experiment_ids"]))),
    Row::json(DELETE, Both, "/3.0/mlflow/datasets/{dataset_id}", Datasets, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/datasets/{dataset_id}", Datasets, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/datasets/{dataset_id}/add-experiments", Datasets, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/datasets/{dataset_id}/experiment-ids", Datasets, Read, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/datasets/{dataset_id}/records", Datasets, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/datasets/{dataset_id}/records", Datasets, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/datasets/{dataset_id}/records", Datasets, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/datasets/{dataset_id}/remove-experiments", Datasets, Write, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/datasets/{dataset_id}/tags", Datasets, Write, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/datasets/{dataset_id}/tags/{key}", Datasets, Write, Untold),
    // Scorers, judges, issues, prompt optimisation, jobs
    Row::json(POST, Ajax, "/3.0/mlflow/genai/evaluate/invoke", Evaluation, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/issues", Evaluation, Write, Untold),
    Row::json(POST, Ajax, "/3.0/mlflow/issues/invoke", Evaluation, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/issues/search", Evaluation, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/issues/{issue_id}", Evaluation, Read, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/issues/{issue_id}", Evaluation, Write, Untold),
    Row::json(PATCH, Ajax, "/3.0/mlflow/jobs/cancel/{job_id}", Evaluation, Write, Untold),
    Row::json(GET, Ajax, "/3.0/mlflow/jobs/{job_id}", Evaluation, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/prompt-optimization/jobs", Evaluation, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/prompt-optimization/jobs/search", Evaluation, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/prompt-optimization/jobs/search", Evaluation, Read, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/prompt-optimization/jobs/{job_id}", Evaluation, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/prompt-optimization/jobs/{job_id}", Evaluation, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/prompt-optimization/jobs/{job_id}/cancel", Evaluation, Write, Untold),
    Row::json(POST, Ajax, "/3.0/mlflow/scorer/invoke", Evaluation, Write, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/scorers/delete", Evaluation, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(GET, Both, "/3.0/mlflow/scorers/get", Evaluation, Read, Experiment(Field(&["experiment_id"]))),
    Row::json(GET, Both, "/3.0/mlflow/scorers/list", Evaluation, Read, Experiment(Field(&["experiment_id"]))),
    Row::json(PUT, Both, "/3.0/mlflow/scorers/online-config", Evaluation, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/scorers/online-configs", Evaluation, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/scorers/register", Evaluation, Write, Experiment(Field(&["experiment_id"]))),
    Row::json(GET, Both, "/3.0/mlflow/scorers/versions", Evaluation, Read, Experiment(Field(&["experiment_id"]))),
    // Label schemas and review queues
    Row::json(POST, Both, "/3.0/mlflow/label-schemas/create", Reviews, Write, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/label-schemas/delete", Reviews, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/label-schemas/get", Reviews, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/label-schemas/get-by-name", Reviews, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/label-schemas/list", Reviews, Read, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/label-schemas/update", Reviews, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/create", Reviews, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/delete", Reviews, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/review-queues/get", Reviews, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/review-queues/get-by-name", Reviews, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/get-or-create-user", Reviews, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/items/add", Reviews, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/review-queues/items/list", Reviews, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/items/remove", Reviews, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/items/set-status", Reviews, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/review-queues/list", Reviews, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/update", Reviews, Write, Untold),
    // The LLM gateway: keeping it
    Row::json(POST, Both, "/3.0/mlflow/gateway/budgets/create", Gateway, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/budgets/delete", Gateway, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/budgets/get", Gateway, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/budgets/list", Gateway, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/budgets/update", Gateway, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/budgets/windows", Gateway, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/bindings/create", Gateway, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/endpoints/bindings/delete", Gateway, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/endpoints/bindings/list", Gateway, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/create", Gateway, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/endpoints/delete", Gateway, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/endpoints/delete-tag", Gateway, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/endpoints/get", Gateway, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/endpoints/list", Gateway, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/models/attach", Gateway, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/models/detach", Gateway, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/set-tag", Gateway, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/update", Gateway, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/guardrails/add-to-endpoint", Gateway, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/guardrails/create", Gateway, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/guardrails/delete", Gateway, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/guardrails/get", Gateway, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/guardrails/list", Gateway, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/guardrails/list-for-endpoint", Gateway, Read, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/guardrails/remove-from-endpoint", Gateway, Admin, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/gateway/guardrails/update-config", Gateway, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/model-definitions/create", Gateway, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/model-definitions/delete", Gateway, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/model-definitions/get", Gateway, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/model-definitions/list", Gateway, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/model-definitions/update", Gateway, Admin, Untold),
    Row::json(GET, Ajax, "/3.0/mlflow/gateway/provider-config", Gateway, Read, Untold),
    Row::json(GET, Ajax, "/3.0/mlflow/gateway/secrets/config", Gateway, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/secrets/create", Gateway, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/secrets/delete", Gateway, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/secrets/get", Gateway, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/gateway/secrets/list", Gateway, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/gateway/secrets/update", Gateway, Admin, Untold),
    Row::json(GET, Ajax, "/3.0/mlflow/gateway/supported-models", Gateway, Read, Untold),
    Row::json(GET, Ajax, "/3.0/mlflow/gateway/supported-providers", Gateway, Read, Untold),
    // The LLM gateway: calling models
    Row::data(POST, Bare, "/gateway/anthropic/v1/messages", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/gemini/v1beta/models/{endpoint_name}:generateContent", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/gemini/v1beta/models/{endpoint_name}:streamGenerateContent", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/mlflow/v1/chat/completions", GatewayCalls, Slow, Write, Untold),
    Row::data(GET, Bare, "/gateway/mlflow/v1/models", GatewayCalls, Slow, Read, Untold),
    Row::data(POST, Bare, "/gateway/openai/v1/chat/completions", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/openai/v1/embeddings", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/openai/v1/responses", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/openai/v1/responses/compact", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/proxy/{endpoint_name}/{*path}", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/typesafe/v1/systemone", GatewayCalls, Slow, Write, Untold),
    Row::data(POST, Bare, "/gateway/{endpoint_name}/mlflow/invocations", GatewayCalls, Slow, Write, Untold),
    // MCP servers
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers", Mcp, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers", Mcp, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/endpoints", Mcp, Read, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}", Mcp, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}", Mcp, Read, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/mcp-servers/{name:path}", Mcp, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/aliases", Mcp, Write, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/aliases/{alias:path}", Mcp, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/aliases/{alias:path}", Mcp, Read, Untold),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints", Mcp, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints", Mcp, Write, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints/{endpoint_id}", Mcp, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints/{endpoint_id}", Mcp, Read, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints/{endpoint_id}", Mcp, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/tags", Mcp, Write, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/tags/{key:path}", Mcp, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions", Mcp, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions", Mcp, Write, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}", Mcp, Write, Untold),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}", Mcp, Read, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}", Mcp, Write, Untold),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}/tags", Mcp, Write, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}/tags/{key:path}", Mcp, Write, Untold),
    // Webhooks
    Row::json(GET, Both, "/2.0/mlflow/webhooks", Webhooks, Admin, Untold),
    Row::json(POST, Both, "/2.0/mlflow/webhooks", Webhooks, Admin, Untold),
    Row::json(DELETE, Both, "/2.0/mlflow/webhooks/{webhook_id}", Webhooks, Admin, Untold),
    Row::json(GET, Both, "/2.0/mlflow/webhooks/{webhook_id}", Webhooks, Admin, Untold),
    Row::json(PATCH, Both, "/2.0/mlflow/webhooks/{webhook_id}", Webhooks, Admin, Untold),
    Row::json(POST, Both, "/2.0/mlflow/webhooks/{webhook_id}/test", Webhooks, Admin, Untold),
    // Users, roles, permissions
    Row::json(POST, Both, "/2.0/mlflow/users/create", Users, Admin, Untold),
    Row::json(GET, Both, "/2.0/mlflow/users/current", Users, Read, Nothing),
    Row::json(DELETE, Both, "/2.0/mlflow/users/delete", Users, Admin, Untold),
    Row::json(GET, Both, "/2.0/mlflow/users/get", Users, Admin, Untold),
    Row::json(GET, Both, "/2.0/mlflow/users/list", Users, Admin, Untold),
    Row::json(PATCH, Both, "/2.0/mlflow/users/update-admin", Users, Admin, Untold),
    Row::json(PATCH, Both, "/2.0/mlflow/users/update-password", Users, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/roles/assign", Users, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/roles/create", Users, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/roles/delete", Users, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/roles/get", Users, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/roles/list", Users, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/roles/permissions/add", Users, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/roles/permissions/list", Users, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/roles/permissions/remove", Users, Admin, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/roles/permissions/update", Users, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/roles/unassign", Users, Admin, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/roles/update", Users, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/roles/users/list", Users, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/users/current/permissions", Users, Read, Nothing),
    Row::json(GET, Both, "/3.0/mlflow/users/permissions/get", Users, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/users/permissions/grant", Users, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/users/permissions/list", Users, Admin, Untold),
    Row::json(POST, Both, "/3.0/mlflow/users/permissions/revoke", Users, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/users/roles/list", Users, Admin, Untold),
    // Workspaces
    Row::json(GET, Both, "/3.0/mlflow/workspaces", Workspaces, Read, Untold),
    Row::json(POST, Both, "/3.0/mlflow/workspaces", Workspaces, Admin, Untold),
    Row::json(DELETE, Both, "/3.0/mlflow/workspaces/{workspace_name}", Workspaces, Admin, Untold),
    Row::json(GET, Both, "/3.0/mlflow/workspaces/{workspace_name}", Workspaces, Read, Untold),
    Row::json(PATCH, Both, "/3.0/mlflow/workspaces/{workspace_name}", Workspaces, Admin, Untold),
    // The server itself
    Row::public(GET, Both, "/3.0/mlflow/server-info", Server),
    Row::json(GET, Bare, "/version", Server, Read, Nothing),
    // Closed: the assistant
    Row::closed(GET, Ajax, "/3.0/mlflow/assistant/config", Assistant),
    Row::closed(PUT, Ajax, "/3.0/mlflow/assistant/config", Assistant),
    Row::closed(POST, Ajax, "/3.0/mlflow/assistant/message", Assistant),
    Row::closed(GET, Ajax, "/3.0/mlflow/assistant/providers", Assistant),
    Row::closed(GET, Ajax, "/3.0/mlflow/assistant/providers/{provider}/health", Assistant),
    Row::closed(GET, Ajax, "/3.0/mlflow/assistant/providers/{provider}/models", Assistant),
    Row::closed(PATCH, Ajax, "/3.0/mlflow/assistant/sessions/{session_id}", Assistant),
    Row::closed(POST, Ajax, "/3.0/mlflow/assistant/sessions/{session_id}/permission", Assistant),
    Row::closed(GET, Ajax, "/3.0/mlflow/assistant/sessions/{session_id}/stream", Assistant),
    Row::closed(POST, Ajax, "/3.0/mlflow/assistant/sessions/{session_id}/tool-result", Assistant),
    Row::closed(POST, Ajax, "/3.0/mlflow/assistant/skills/install", Assistant),
    // Closed: MLflow's own UI
    Row::closed(GET, Bare, "/", MlflowUi),
    Row::closed(GET, Ajax, "/2.0/mlflow/gateway-proxy", MlflowUi),
    Row::closed(POST, Ajax, "/2.0/mlflow/gateway-proxy", MlflowUi),
    Row::closed(POST, Ajax, "/2.0/mlflow/runs/create-promptlab-run", MlflowUi),
    Row::closed(POST, Api, "/2.0/mlflow/users/create-ui", MlflowUi),
    Row::closed(POST, Ajax, "/3.0/jobs/", MlflowUi),
    Row::closed(PATCH, Ajax, "/3.0/jobs/cancel/{job_id}", MlflowUi),
    Row::closed(POST, Ajax, "/3.0/jobs/search", MlflowUi),
    Row::closed(GET, Ajax, "/3.0/jobs/{job_id}", MlflowUi),
    Row::closed(POST, Ajax, "/3.0/mlflow/demo/delete", MlflowUi),
    Row::closed(POST, Ajax, "/3.0/mlflow/demo/generate", MlflowUi),
    Row::closed(GET, Ajax, "/3.0/mlflow/ui-telemetry", MlflowUi),
    Row::closed(POST, Ajax, "/3.0/mlflow/ui-telemetry", MlflowUi),
    Row::closed(GET, Bare, "/build/{*filename}", MlflowUi),
    Row::closed(GET, Bare, "/graphql", MlflowUi),
    Row::closed(POST, Bare, "/graphql", MlflowUi),
    Row::closed(GET, Bare, "/signup", MlflowUi),
    Row::closed(GET, Bare, "/static-files/{*path}", MlflowUi),
    // Closed: left over
    Row::closed(GET, Both, "/2.0/mlflow/get-online-trace-details", Leftover),
    Row::closed(GET, Both, "/2.0/mlflow/unified-traces", Leftover),
    Row::closed(POST, Both, "/2.0mlflow/experiments/search-datasets", Leftover),
    // Closed: Flowdeck has its own
    Row::closed(GET, Bare, "/health", Ours),
];
