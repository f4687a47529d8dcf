//! Every route of MLflow 3.17.2, and what Flowdeck does with it.
//!
//! A route that is not here is not forwarded, and neither is one that is closed. `tests/it/route_table.rs` compares this list
//! with the route map of the installed MLflow: a new route of MLflow's stays closed until somebody gives it a row.
//!
//! In a path, `{x}` is one segment without a slash, `{x:path}` one segment that may hold an encoded slash (MCP names are
//! `reverse.dns/slug`), and `{*x}` is the rest, slashes and all.

use http::Method;
use serde::Serialize;

use self::{Body::*, Closed::*, Family::*, Prefix::*};

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
    /// Forwarded for whoever MLflow knows.
    Open(Family, Body),
    /// Forwarded for anybody.
    Public(Family),
    /// MLflow no longer has it; the row at this path, which does the same, answers.
    Retired(&'static str),
    /// Not forwarded.
    Closed(Closed),
}

/// What a route is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
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
            What::Open(family, _) | What::Public(family) => Some(family),
            What::Retired(_) | What::Closed(_) => None,
        }
    }

    pub fn body(&self) -> Body {
        match self.what {
            What::Open(_, body) => body,
            What::Public(_) | What::Retired(_) | What::Closed(_) => Json,
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

    const fn json(method: Method, prefix: Prefix, path: &'static str, family: Family) -> Self {
        Self::new(method, prefix, path, What::Open(family, Json))
    }

    const fn data(method: Method, prefix: Prefix, path: &'static str, family: Family, body: Body) -> Self {
        Self::new(method, prefix, path, What::Open(family, body))
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

pub static ROWS: &[Row] = &[
    // Experiments
    Row::json(POST, Both, "/2.0/mlflow/experiments/create", Experiments),
    Row::json(POST, Both, "/2.0/mlflow/experiments/delete", Experiments),
    Row::json(POST, Both, "/2.0/mlflow/experiments/delete-experiment-tag", Experiments),
    Row::json(GET, Both, "/2.0/mlflow/experiments/get", Experiments),
    Row::json(GET, Both, "/2.0/mlflow/experiments/get-by-name", Experiments),
    Row::retired(GET, Both, "/2.0/mlflow/experiments/list", "/2.0/mlflow/experiments/search"),
    Row::json(POST, Both, "/2.0/mlflow/experiments/restore", Experiments),
    Row::json(GET, Both, "/2.0/mlflow/experiments/search", Experiments),
    Row::json(POST, Both, "/2.0/mlflow/experiments/search", Experiments),
    Row::json(POST, Ajax, "/2.0/mlflow/experiments/search-datasets", Experiments),
    Row::json(POST, Both, "/2.0/mlflow/experiments/set-experiment-tag", Experiments),
    Row::json(POST, Both, "/2.0/mlflow/experiments/update", Experiments),
    // Runs
    Row::json(POST, Both, "/2.0/mlflow/runs/create", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/delete", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/delete-tag", Runs),
    Row::json(GET, Both, "/2.0/mlflow/runs/get", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-batch", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-inputs", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-metric", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-model", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/log-parameter", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/outputs", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/restore", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/search", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/set-tag", Runs),
    Row::json(POST, Both, "/2.0/mlflow/runs/update", Runs),
    // Metrics
    Row::json(GET, Both, "/2.0/mlflow/metrics/get-history", Metrics),
    Row::json(GET, Ajax, "/2.0/mlflow/metrics/get-history-bulk", Metrics),
    Row::json(GET, Both, "/2.0/mlflow/metrics/get-history-bulk-interval", Metrics),
    // Artifacts
    Row::json(GET, Both, "/2.0/mlflow-artifacts/artifacts", Artifacts),
    Row::data(DELETE, Both, "/2.0/mlflow-artifacts/artifacts/{*artifact_path}", Artifacts, Slow),
    Row::data(GET, Both, "/2.0/mlflow-artifacts/artifacts/{*artifact_path}", Artifacts, Download),
    Row::data(PUT, Both, "/2.0/mlflow-artifacts/artifacts/{*artifact_path}", Artifacts, Upload),
    Row::json(POST, Both, "/2.0/mlflow-artifacts/mpu/abort/{*artifact_path}", Artifacts),
    Row::data(POST, Both, "/2.0/mlflow-artifacts/mpu/complete/{*artifact_path}", Artifacts, Slow),
    Row::json(POST, Both, "/2.0/mlflow-artifacts/mpu/create/{*artifact_path}", Artifacts),
    Row::json(GET, Both, "/2.0/mlflow-artifacts/presigned/{*artifact_path}", Artifacts),
    Row::json(GET, Both, "/2.0/mlflow/artifacts/list", Artifacts),
    Row::json(POST, Both, "/2.0/mlflow/artifacts/presigned-download-url", Artifacts),
    Row::json(POST, Both, "/2.0/mlflow/artifacts/presigned-upload-url", Artifacts),
    Row::json(POST, Ajax, "/2.0/mlflow/upload-artifact", Artifacts),
    Row::data(GET, Bare, "/get-artifact", Artifacts, Download),
    // Logged models
    Row::json(POST, Both, "/2.0/mlflow/logged-models", LoggedModels),
    Row::json(POST, Both, "/2.0/mlflow/logged-models/search", LoggedModels),
    Row::json(DELETE, Both, "/2.0/mlflow/logged-models/{model_id}", LoggedModels),
    Row::json(GET, Both, "/2.0/mlflow/logged-models/{model_id}", LoggedModels),
    Row::json(PATCH, Both, "/2.0/mlflow/logged-models/{model_id}", LoggedModels),
    Row::json(
        GET,
        Both,
        "/2.0/mlflow/logged-models/{model_id}/artifacts/directories",
        LoggedModels,
    ),
    Row::data(
        GET,
        Ajax,
        "/2.0/mlflow/logged-models/{model_id}/artifacts/files",
        LoggedModels,
        Download,
    ),
    Row::json(POST, Both, "/2.0/mlflow/logged-models/{model_id}/params", LoggedModels),
    Row::json(PATCH, Both, "/2.0/mlflow/logged-models/{model_id}/tags", LoggedModels),
    Row::json(DELETE, Both, "/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}", LoggedModels),
    // The registry
    Row::json(POST, Both, "/2.0/mlflow/model-versions/create", Registry),
    Row::json(DELETE, Both, "/2.0/mlflow/model-versions/delete", Registry),
    Row::json(DELETE, Both, "/2.0/mlflow/model-versions/delete-tag", Registry),
    Row::json(GET, Both, "/2.0/mlflow/model-versions/get", Registry),
    Row::json(GET, Both, "/2.0/mlflow/model-versions/get-download-uri", Registry),
    Row::json(GET, Both, "/2.0/mlflow/model-versions/search", Registry),
    Row::json(POST, Both, "/2.0/mlflow/model-versions/set-tag", Registry),
    Row::json(POST, Both, "/2.0/mlflow/model-versions/transition-stage", Registry),
    Row::json(PATCH, Both, "/2.0/mlflow/model-versions/update", Registry),
    Row::json(DELETE, Both, "/2.0/mlflow/registered-models/alias", Registry),
    Row::json(GET, Both, "/2.0/mlflow/registered-models/alias", Registry),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/alias", Registry),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/create", Registry),
    Row::json(DELETE, Both, "/2.0/mlflow/registered-models/delete", Registry),
    Row::json(DELETE, Both, "/2.0/mlflow/registered-models/delete-tag", Registry),
    Row::json(GET, Both, "/2.0/mlflow/registered-models/get", Registry),
    Row::json(GET, Both, "/2.0/mlflow/registered-models/get-latest-versions", Registry),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/get-latest-versions", Registry),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/rename", Registry),
    Row::json(GET, Both, "/2.0/mlflow/registered-models/search", Registry),
    Row::json(POST, Both, "/2.0/mlflow/registered-models/set-tag", Registry),
    Row::json(PATCH, Both, "/2.0/mlflow/registered-models/update", Registry),
    Row::data(GET, Bare, "/model-versions/get-artifact", Registry, Download),
    // Traces and assessments
    Row::data(GET, Ajax, "/2.0/mlflow/get-trace-artifact", Traces, Download),
    Row::json(GET, Both, "/2.0/mlflow/traces", Traces),
    Row::json(POST, Both, "/2.0/mlflow/traces", Traces),
    Row::json(POST, Both, "/2.0/mlflow/traces/delete-traces", Traces),
    Row::json(POST, Both, "/2.0/mlflow/traces/link-prompts", Traces),
    Row::json(POST, Both, "/2.0/mlflow/traces/link-to-run", Traces),
    Row::json(PATCH, Both, "/2.0/mlflow/traces/{request_id}", Traces),
    Row::json(GET, Both, "/2.0/mlflow/traces/{request_id}/info", Traces),
    Row::json(DELETE, Both, "/2.0/mlflow/traces/{request_id}/tags", Traces),
    Row::json(PATCH, Both, "/2.0/mlflow/traces/{request_id}/tags", Traces),
    Row::data(GET, Ajax, "/3.0/mlflow/get-trace-artifact", Traces, Download),
    Row::json(POST, Both, "/3.0/mlflow/traces", Traces),
    Row::json(GET, Both, "/3.0/mlflow/traces/batchGet", Traces),
    Row::json(POST, Both, "/3.0/mlflow/traces/batchGetInfos", Traces),
    Row::json(POST, Both, "/3.0/mlflow/traces/calculate-filter-correlation", Traces),
    Row::json(POST, Both, "/3.0/mlflow/traces/delete-traces", Traces),
    Row::json(GET, Both, "/3.0/mlflow/traces/get", Traces),
    Row::json(POST, Both, "/3.0/mlflow/traces/metrics", Traces),
    Row::json(POST, Both, "/3.0/mlflow/traces/search", Traces),
    Row::json(GET, Both, "/3.0/mlflow/traces/{trace_id}", Traces),
    Row::json(POST, Both, "/3.0/mlflow/traces/{trace_id}/assessments", Traces),
    Row::json(DELETE, Both, "/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Traces),
    Row::json(GET, Both, "/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Traces),
    Row::json(PATCH, Both, "/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Traces),
    Row::json(DELETE, Both, "/3.0/mlflow/traces/{trace_id}/tags", Traces),
    Row::json(PATCH, Both, "/3.0/mlflow/traces/{trace_id}/tags", Traces),
    Row::json(POST, Bare, "/v1/traces", Traces),
    // Evaluation datasets
    Row::json(POST, Both, "/3.0/mlflow/datasets/create", Datasets),
    Row::json(GET, Both, "/3.0/mlflow/datasets/search", Datasets),
    Row::json(POST, Both, "/3.0/mlflow/datasets/search", Datasets),
    Row::json(DELETE, Both, "/3.0/mlflow/datasets/{dataset_id}", Datasets),
    Row::json(GET, Both, "/3.0/mlflow/datasets/{dataset_id}", Datasets),
    Row::json(POST, Both, "/3.0/mlflow/datasets/{dataset_id}/add-experiments", Datasets),
    Row::json(GET, Both, "/3.0/mlflow/datasets/{dataset_id}/experiment-ids", Datasets),
    Row::json(DELETE, Both, "/3.0/mlflow/datasets/{dataset_id}/records", Datasets),
    Row::json(GET, Both, "/3.0/mlflow/datasets/{dataset_id}/records", Datasets),
    Row::json(POST, Both, "/3.0/mlflow/datasets/{dataset_id}/records", Datasets),
    Row::json(POST, Both, "/3.0/mlflow/datasets/{dataset_id}/remove-experiments", Datasets),
    Row::json(PATCH, Both, "/3.0/mlflow/datasets/{dataset_id}/tags", Datasets),
    Row::json(DELETE, Both, "/3.0/mlflow/datasets/{dataset_id}/tags/{key}", Datasets),
    // Scorers, judges, issues, prompt optimisation, jobs
    Row::json(POST, Ajax, "/3.0/mlflow/genai/evaluate/invoke", Evaluation),
    Row::json(POST, Both, "/3.0/mlflow/issues", Evaluation),
    Row::json(POST, Ajax, "/3.0/mlflow/issues/invoke", Evaluation),
    Row::json(POST, Both, "/3.0/mlflow/issues/search", Evaluation),
    Row::json(GET, Both, "/3.0/mlflow/issues/{issue_id}", Evaluation),
    Row::json(PATCH, Both, "/3.0/mlflow/issues/{issue_id}", Evaluation),
    Row::json(PATCH, Ajax, "/3.0/mlflow/jobs/cancel/{job_id}", Evaluation),
    Row::json(GET, Ajax, "/3.0/mlflow/jobs/{job_id}", Evaluation),
    Row::json(POST, Both, "/3.0/mlflow/prompt-optimization/jobs", Evaluation),
    Row::json(GET, Both, "/3.0/mlflow/prompt-optimization/jobs/search", Evaluation),
    Row::json(POST, Both, "/3.0/mlflow/prompt-optimization/jobs/search", Evaluation),
    Row::json(DELETE, Both, "/3.0/mlflow/prompt-optimization/jobs/{job_id}", Evaluation),
    Row::json(GET, Both, "/3.0/mlflow/prompt-optimization/jobs/{job_id}", Evaluation),
    Row::json(POST, Both, "/3.0/mlflow/prompt-optimization/jobs/{job_id}/cancel", Evaluation),
    Row::json(POST, Ajax, "/3.0/mlflow/scorer/invoke", Evaluation),
    Row::json(DELETE, Both, "/3.0/mlflow/scorers/delete", Evaluation),
    Row::json(GET, Both, "/3.0/mlflow/scorers/get", Evaluation),
    Row::json(GET, Both, "/3.0/mlflow/scorers/list", Evaluation),
    Row::json(PUT, Both, "/3.0/mlflow/scorers/online-config", Evaluation),
    Row::json(GET, Both, "/3.0/mlflow/scorers/online-configs", Evaluation),
    Row::json(POST, Both, "/3.0/mlflow/scorers/register", Evaluation),
    Row::json(GET, Both, "/3.0/mlflow/scorers/versions", Evaluation),
    // Label schemas and review queues
    Row::json(POST, Both, "/3.0/mlflow/label-schemas/create", Reviews),
    Row::json(DELETE, Both, "/3.0/mlflow/label-schemas/delete", Reviews),
    Row::json(GET, Both, "/3.0/mlflow/label-schemas/get", Reviews),
    Row::json(GET, Both, "/3.0/mlflow/label-schemas/get-by-name", Reviews),
    Row::json(GET, Both, "/3.0/mlflow/label-schemas/list", Reviews),
    Row::json(PATCH, Both, "/3.0/mlflow/label-schemas/update", Reviews),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/create", Reviews),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/delete", Reviews),
    Row::json(GET, Both, "/3.0/mlflow/review-queues/get", Reviews),
    Row::json(GET, Both, "/3.0/mlflow/review-queues/get-by-name", Reviews),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/get-or-create-user", Reviews),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/items/add", Reviews),
    Row::json(GET, Both, "/3.0/mlflow/review-queues/items/list", Reviews),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/items/remove", Reviews),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/items/set-status", Reviews),
    Row::json(GET, Both, "/3.0/mlflow/review-queues/list", Reviews),
    Row::json(POST, Both, "/3.0/mlflow/review-queues/update", Reviews),
    // The LLM gateway: keeping it
    Row::json(POST, Both, "/3.0/mlflow/gateway/budgets/create", Gateway),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/budgets/delete", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/budgets/get", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/budgets/list", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/budgets/update", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/budgets/windows", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/bindings/create", Gateway),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/endpoints/bindings/delete", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/endpoints/bindings/list", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/create", Gateway),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/endpoints/delete", Gateway),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/endpoints/delete-tag", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/endpoints/get", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/endpoints/list", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/models/attach", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/models/detach", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/set-tag", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/endpoints/update", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/guardrails/add-to-endpoint", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/guardrails/create", Gateway),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/guardrails/delete", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/guardrails/get", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/guardrails/list", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/guardrails/list-for-endpoint", Gateway),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/guardrails/remove-from-endpoint", Gateway),
    Row::json(PATCH, Both, "/3.0/mlflow/gateway/guardrails/update-config", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/model-definitions/create", Gateway),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/model-definitions/delete", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/model-definitions/get", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/model-definitions/list", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/model-definitions/update", Gateway),
    Row::json(GET, Ajax, "/3.0/mlflow/gateway/provider-config", Gateway),
    Row::json(GET, Ajax, "/3.0/mlflow/gateway/secrets/config", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/secrets/create", Gateway),
    Row::json(DELETE, Both, "/3.0/mlflow/gateway/secrets/delete", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/secrets/get", Gateway),
    Row::json(GET, Both, "/3.0/mlflow/gateway/secrets/list", Gateway),
    Row::json(POST, Both, "/3.0/mlflow/gateway/secrets/update", Gateway),
    Row::json(GET, Ajax, "/3.0/mlflow/gateway/supported-models", Gateway),
    Row::json(GET, Ajax, "/3.0/mlflow/gateway/supported-providers", Gateway),
    // The LLM gateway: calling models
    Row::data(POST, Bare, "/gateway/anthropic/v1/messages", GatewayCalls, Slow),
    Row::data(
        POST,
        Bare,
        "/gateway/gemini/v1beta/models/{endpoint_name}:generateContent",
        GatewayCalls,
        Slow,
    ),
    Row::data(
        POST,
        Bare,
        "/gateway/gemini/v1beta/models/{endpoint_name}:streamGenerateContent",
        GatewayCalls,
        Slow,
    ),
    Row::data(POST, Bare, "/gateway/mlflow/v1/chat/completions", GatewayCalls, Slow),
    Row::data(GET, Bare, "/gateway/mlflow/v1/models", GatewayCalls, Slow),
    Row::data(POST, Bare, "/gateway/openai/v1/chat/completions", GatewayCalls, Slow),
    Row::data(POST, Bare, "/gateway/openai/v1/embeddings", GatewayCalls, Slow),
    Row::data(POST, Bare, "/gateway/openai/v1/responses", GatewayCalls, Slow),
    Row::data(POST, Bare, "/gateway/openai/v1/responses/compact", GatewayCalls, Slow),
    Row::data(POST, Bare, "/gateway/proxy/{endpoint_name}/{*path}", GatewayCalls, Slow),
    Row::data(POST, Bare, "/gateway/typesafe/v1/systemone", GatewayCalls, Slow),
    Row::data(POST, Bare, "/gateway/{endpoint_name}/mlflow/invocations", GatewayCalls, Slow),
    // MCP servers
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers", Mcp),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers", Mcp),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/endpoints", Mcp),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}", Mcp),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}", Mcp),
    Row::json(PATCH, Both, "/3.0/mlflow/mcp-servers/{name:path}", Mcp),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/aliases", Mcp),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/aliases/{alias:path}", Mcp),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/aliases/{alias:path}", Mcp),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints", Mcp),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints", Mcp),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints/{endpoint_id}", Mcp),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints/{endpoint_id}", Mcp),
    Row::json(PATCH, Both, "/3.0/mlflow/mcp-servers/{name:path}/endpoints/{endpoint_id}", Mcp),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/tags", Mcp),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/tags/{key:path}", Mcp),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions", Mcp),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions", Mcp),
    Row::json(DELETE, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}", Mcp),
    Row::json(GET, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}", Mcp),
    Row::json(PATCH, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}", Mcp),
    Row::json(POST, Both, "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}/tags", Mcp),
    Row::json(
        DELETE,
        Both,
        "/3.0/mlflow/mcp-servers/{name:path}/versions/{version:path}/tags/{key:path}",
        Mcp,
    ),
    // Webhooks
    Row::json(GET, Both, "/2.0/mlflow/webhooks", Webhooks),
    Row::json(POST, Both, "/2.0/mlflow/webhooks", Webhooks),
    Row::json(DELETE, Both, "/2.0/mlflow/webhooks/{webhook_id}", Webhooks),
    Row::json(GET, Both, "/2.0/mlflow/webhooks/{webhook_id}", Webhooks),
    Row::json(PATCH, Both, "/2.0/mlflow/webhooks/{webhook_id}", Webhooks),
    Row::json(POST, Both, "/2.0/mlflow/webhooks/{webhook_id}/test", Webhooks),
    // Users, roles, permissions
    Row::json(POST, Both, "/2.0/mlflow/users/create", Users),
    Row::json(GET, Both, "/2.0/mlflow/users/current", Users),
    Row::json(DELETE, Both, "/2.0/mlflow/users/delete", Users),
    Row::json(GET, Both, "/2.0/mlflow/users/get", Users),
    Row::json(GET, Both, "/2.0/mlflow/users/list", Users),
    Row::json(PATCH, Both, "/2.0/mlflow/users/update-admin", Users),
    Row::json(PATCH, Both, "/2.0/mlflow/users/update-password", Users),
    Row::json(POST, Both, "/3.0/mlflow/roles/assign", Users),
    Row::json(POST, Both, "/3.0/mlflow/roles/create", Users),
    Row::json(DELETE, Both, "/3.0/mlflow/roles/delete", Users),
    Row::json(GET, Both, "/3.0/mlflow/roles/get", Users),
    Row::json(GET, Both, "/3.0/mlflow/roles/list", Users),
    Row::json(POST, Both, "/3.0/mlflow/roles/permissions/add", Users),
    Row::json(GET, Both, "/3.0/mlflow/roles/permissions/list", Users),
    Row::json(DELETE, Both, "/3.0/mlflow/roles/permissions/remove", Users),
    Row::json(PATCH, Both, "/3.0/mlflow/roles/permissions/update", Users),
    Row::json(DELETE, Both, "/3.0/mlflow/roles/unassign", Users),
    Row::json(PATCH, Both, "/3.0/mlflow/roles/update", Users),
    Row::json(GET, Both, "/3.0/mlflow/roles/users/list", Users),
    Row::json(GET, Both, "/3.0/mlflow/users/current/permissions", Users),
    Row::json(GET, Both, "/3.0/mlflow/users/permissions/get", Users),
    Row::json(POST, Both, "/3.0/mlflow/users/permissions/grant", Users),
    Row::json(GET, Both, "/3.0/mlflow/users/permissions/list", Users),
    Row::json(POST, Both, "/3.0/mlflow/users/permissions/revoke", Users),
    Row::json(GET, Both, "/3.0/mlflow/users/roles/list", Users),
    // Workspaces
    Row::json(GET, Both, "/3.0/mlflow/workspaces", Workspaces),
    Row::json(POST, Both, "/3.0/mlflow/workspaces", Workspaces),
    Row::json(DELETE, Both, "/3.0/mlflow/workspaces/{workspace_name}", Workspaces),
    Row::json(GET, Both, "/3.0/mlflow/workspaces/{workspace_name}", Workspaces),
    Row::json(PATCH, Both, "/3.0/mlflow/workspaces/{workspace_name}", Workspaces),
    // The server itself
    Row::public(GET, Both, "/3.0/mlflow/server-info", Server),
    Row::json(GET, Bare, "/version", Server),
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
