//! What an API key narrows of what MLflow would allow its user: by scope, by family of routes, by experiment and registered model.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
};
use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{
    about::{self, Mention, Parts},
    lookup::Match,
    table::{self, About, At},
};
use crate::{
    audit::Note,
    error::{Error, Result},
    key::Key,
    scope::Scope,
    state::State,
    upstream::Upstream,
};

/// A call with a narrowed key has to be looked into, so it has to fit into memory.
const LARGEST: usize = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(10);
/// More than this many are forgotten together; each costs one call to MLflow to learn again.
const MOST_HOMES: usize = 100_000;

/// What whoever holds the key can do about a refusal.
const REMEDY: &str = "use another key, or let this one do more, under API keys in the account of its user";

/// In which experiment a run, a logged model or a trace lives, which never changes. Cheap to clone.
#[derive(Clone, Default)]
pub struct Homes(Arc<Mutex<HashMap<Mention, String>>>);

/// What a key is kept from, and by what: a sentence for its user.
pub type Reason = String;

/// Asks whether `key` goes as far as this call. The request is then as it was.
///
/// # Errors
/// 413 for a body that cannot be looked into, 502 where MLflow does not tell what a call is about.
pub async fn judge(
    key: &Key,
    found: &Match,
    request: &mut Request,
    authorization: Option<&HeaderValue>,
    state: &State,
) -> Result<Option<Reason>> {
    let settings = &key.settings;
    let (name, row) = (&settings.name, found.row);
    if !settings.scopes.contains(row.scope()) {
        return Ok(Some(lacks_scope(key, row.scope())));
    }
    let is_other = |family| !settings.families.is_empty() && !settings.families.contains(&family);
    if let Some(family) = row.family().filter(|family| is_other(*family)) {
        let family = serde_json::json!(family);
        return Ok(Some(format!("the API key \"{name}\" is not for the routes of the family {family}")));
    }
    if !key.is_narrowed() || row.about() == About::Nothing {
        return Ok(None);
    }
    let untold =
        || format!("the API key \"{name}\" is for some experiments or models only, and this call does not tell which one it is about");
    if row.about() == About::Untold {
        return Ok(Some(untold()));
    }
    let Some(body) = Box::pin(look_into(request, row)).await? else {
        return Ok(Some(untold()));
    };
    let parts = Parts {
        found,
        uri: request.uri(),
        headers: request.headers(),
        body: &body,
    };
    if parts.main().is_empty() {
        return Ok(Some(untold()));
    }
    let mentions = parts.all();
    for mention in mentions {
        let resource = match Box::pin(resource(&mention, authorization, state)).await? {
            Some(resource) => resource,
            // A trace that is being made is in no experiment yet.
            None if matches!(mention, Mention::Trace(_)) && matches!(row.about(), About::Experiment(_)) => continue,
            None => return Ok(Some(untold())),
        };
        let reason = match resource {
            Resource::Experiment(id) if !settings.experiments.contains(&id) => format!("the API key \"{name}\" is not for experiment {id}"),
            Resource::Model(model) if !settings.models.contains(&model) => {
                format!("the API key \"{name}\" is not for the registered model \"{model}\"")
            }
            Resource::Experiment(_) | Resource::Model(_) => continue,
        };
        return Ok(Some(reason));
    }
    Ok(None)
}

/// The same for a route of Flowdeck's own, which is about no experiment, model or family.
pub fn judge_own(key: &Key, scope: Scope) -> Option<Reason> {
    let name = &key.settings.name;
    if !key.settings.scopes.contains(scope) {
        return Some(lacks_scope(key, scope));
    }
    (key.is_narrowed() || !key.settings.families.is_empty())
        .then(|| format!("the API key \"{name}\" is for a part of MLflow only, and this call is about none"))
}

fn lacks_scope(key: &Key, scope: Scope) -> Reason {
    let (name, scope) = (&key.settings.name, scope.name());
    format!(
        "the API key \"{name}\" lacks the scope `{scope}`, which this call needs: add it, or make another key, under API keys in your account"
    )
}

/// Refuses, or, with a key in shadow mode, only counts what would have been refused.
///
/// # Errors
/// 403.
pub fn enforce(key: &Key, reason: Option<Reason>, note: &Note) -> Result<()> {
    match reason {
        None => Ok(()),
        Some(reason) if key.settings.shadow => {
            key.usage.count_would_refuse();
            note.would_refuse(reason);
            Ok(())
        }
        Some(reason) => Err(Error::Forbidden(format!("{reason}; {REMEDY}"))),
    }
}

/// What a key can be narrowed to.
enum Resource {
    Experiment(String),
    Model(String),
}

/// The JSON of a request that has any; `None` where it cannot be read.
async fn look_into(request: &mut Request, row: &table::Row) -> Result<Option<Value>> {
    let is_told_outside = matches!(
        row.about(),
        About::Experiment(At::Header(_)) | About::Artifact(At::Path(_)) | About::Run(At::Query(_))
    );
    if is_told_outside {
        return Ok(Some(Value::Null));
    }
    let bytes = to_bytes(std::mem::take(request.body_mut()), LARGEST)
        .await
        .map_err(|_| Error::TooLarge { limit: LARGEST as u64 })?;
    let json = about::parse(&bytes);
    *request.body_mut() = Body::from(bytes);
    Ok(json)
}

/// What MLflow says that a mention belongs to; `None` where there is no such thing, or the caller may not see it.
async fn resource(mention: &Mention, authorization: Option<&HeaderValue>, state: &State) -> Result<Option<Resource>> {
    let ask = |path: &'static str, id: &str, answer: &'static [&'static str]| {
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC).to_string();
        let path = path.replace("{}", &id);
        async move { ask(&state.upstream, &path, authorization, answer).await }
    };
    let home = match mention {
        Mention::Experiment(id) => return Ok(Some(Resource::Experiment(id.clone()))),
        Mention::Model(name) => return Ok(Some(Resource::Model(name.clone()))),
        Mention::Source(uri) => return Box::pin(source(uri, authorization, state)).await,
        // A name can be given to another experiment, so it is asked each time.
        Mention::ExperimentName(name) => {
            let path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name={}";
            ask(path, name, &["experiment", "experiment_id"]).await?
        }
        Mention::Run(_) | Mention::LoggedModel(_) | Mention::Trace(_) if state.homes.of(mention).is_some() => state.homes.of(mention),
        Mention::Run(id) => ask("/api/2.0/mlflow/runs/get?run_id={}", id, &["run", "info", "experiment_id"]).await?,
        Mention::LoggedModel(id) => ask("/api/2.0/mlflow/logged-models/{}", id, &["model", "info", "experiment_id"]).await?,
        Mention::Trace(id) => {
            let way = &["trace", "trace_info", "trace_location", "mlflow_experiment", "experiment_id"];
            ask("/api/3.0/mlflow/traces/{}", id, way).await?
        }
    };
    if let Some(experiment) = &home
        && !matches!(mention, Mention::ExperimentName(_))
    {
        state.homes.learn(mention.clone(), experiment.clone());
    }
    Ok(home.map(Resource::Experiment))
}

/// What the address of a model version's files belongs to.
async fn source(uri: &str, authorization: Option<&HeaderValue>, state: &State) -> Result<Option<Resource>> {
    if uri.contains(['%', '\\', '?', '#']) || uri.split('/').any(|part| part == "..") {
        return Ok(None);
    }
    let first = |rest: &str| rest.trim_start_matches('/').split(['/', '@']).next().unwrap_or_default().to_owned();
    let mention = match uri.split_once(":/") {
        Some(("runs", rest)) => Mention::Run(first(rest)),
        Some(("models", rest)) if first(rest).starts_with("m-") => Mention::LoggedModel(first(rest)),
        Some(("models", rest)) => Mention::Model(first(rest)),
        Some(("mlflow-artifacts", rest)) => Mention::Experiment(first(rest)),
        _ => return Ok(None),
    };
    resource(&mention, authorization, state).await
}

async fn ask(upstream: &Upstream, path: &str, authorization: Option<&HeaderValue>, way: &[&str]) -> Result<Option<String>> {
    let url = upstream.url(path).map_err(|error| Error::Upstream(error.to_string()))?;
    let mut request = upstream.http.get(url).timeout(PATIENCE);
    if let Some(authorization) = authorization {
        request = request.header(http::header::AUTHORIZATION, authorization);
    }
    let unknown = |_| Error::Upstream("MLflow does not tell which experiment this call is about".into());
    let answer = request.send().await.map_err(unknown)?;
    if answer.status().is_server_error() {
        return Err(Error::Upstream("MLflow does not tell which experiment this call is about".into()));
    }
    if !answer.status().is_success() {
        return Ok(None);
    }
    let answer: Value = answer.json().await.map_err(unknown)?;
    let found = way.iter().try_fold(&answer, |value, name| value.get(name));
    Ok(found.and_then(Value::as_str).map(str::to_owned))
}

// === impl Homes ===

impl Homes {
    pub fn of(&self, thing: &Mention) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(thing).cloned()
    }

    pub fn learn(&self, thing: Mention, experiment: String) {
        let mut homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if homes.len() >= MOST_HOMES {
            homes.clear();
        }
        homes.insert(thing, experiment);
    }
}
