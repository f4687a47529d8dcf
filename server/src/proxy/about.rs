//! What a call is about: the experiments, runs, models and traces that its path, query, header and JSON body name.
//!
//! MLflow reads a request leniently: fields in two spellings (protobuf's JSON knows `run_id` and `runId`), `run_uuid` for `run_id`,
//! a body that is a string of JSON. Whoever would keep a key from a resource has to see all of them.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{
    lookup::Match,
    table::{About, At, Family, Row},
};

/// One thing that a call names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mention {
    Experiment(String),
    ExperimentName(String),
    Run(String),
    LoggedModel(String),
    Trace(String),
    Model(String),
    /// Where a model version comes from: a URI.
    Source(String),
}

/// The parts of a request in which something may be named.
pub struct Parts<'a> {
    pub found: &'a Match,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    /// `null` where there is none.
    pub body: &'a Value,
}

/// A body as MLflow reads it; `None` where it is not JSON.
pub fn parse(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Null);
    }
    match serde_json::from_slice(body).ok()? {
        // Older clients send JSON in a string.
        Value::String(text) => serde_json::from_str(&text).ok().filter(|inner: &Value| !inner.is_string()),
        value => Some(value),
    }
}

/// What a body says in the place where the route is about something. Of a body that is cut off or broken, the beginning counts.
pub fn in_body(row: &Row, body: &[u8]) -> Vec<Mention> {
    if body.is_empty() {
        return Vec::new();
    }
    // Older clients send JSON in a string.
    let inner = serde_json::from_slice::<String>(body).ok();
    let text = inner.as_ref().map_or(body, |inner| inner.as_bytes());
    mentions(row, |at| match at {
        At::Field(way) => texts(way, &mut serde_json::Deserializer::from_slice(text)),
        At::Path(_) | At::Query(_) | At::Header(_) => Vec::new(),
    })
}

/// What is named at the places where the route says what it is about.
fn mentions(row: &Row, read: impl Fn(At) -> Vec<String>) -> Vec<Mention> {
    let all = |at, mention: fn(String) -> Mention| read(at).into_iter().map(mention).collect();
    match row.about() {
        About::Nothing | About::Untold => Vec::new(),
        About::Experiment(at) => all(at, Mention::Experiment),
        About::ExperimentName => all(At::Field(&["experiment_name"]), Mention::ExperimentName),
        About::Run(at) => all(at, Mention::Run),
        About::Artifact(at) => {
            let experiments = read(at).into_iter().filter_map(|path| experiment_of(&path).map(str::to_owned));
            experiments.map(Mention::Experiment).collect()
        }
        About::LoggedModel(at) => all(at, Mention::LoggedModel),
        About::Trace(at) => all(at, Mention::Trace),
        About::Model(at) => all(at, Mention::Model),
        About::NewVersion => all(At::Field(&["name"]), Mention::Model),
        About::Rename => [At::Field(&["name"]), At::Field(&["new_name"])]
            .into_iter()
            .flat_map(|at| all(at, Mention::Model))
            .collect(),
    }
}

// === impl Parts ===

impl Parts<'_> {
    /// What stands where the route says what it is about; empty where nothing does.
    pub fn main(&self) -> Vec<Mention> {
        mentions(self.found.row, |at| self.at(at))
    }

    /// Whether what the call is about stands in its body. MLflow reads the query of a GET that has one, and else the body
    /// (`mlflow.server.handlers._get_request_message`).
    pub fn is_told_in_body(&self) -> bool {
        let is_field = match self.found.row.about() {
            About::Nothing | About::Untold => false,
            About::ExperimentName | About::NewVersion | About::Rename => true,
            About::Experiment(at) | About::Run(at) | About::Artifact(at) | About::LoggedModel(at) | About::Trace(at) | About::Model(at) => {
                matches!(at, At::Field(_))
            }
        };
        is_field && !self.is_told_in_query()
    }

    fn is_told_in_query(&self) -> bool {
        self.found.row.method == Method::GET && self.uri.query().is_some_and(|query| !query.is_empty())
    }

    /// The experiment and the run in whose place MLflow keeps the file at this path.
    pub fn run_of_artifact(&self) -> Option<(String, String)> {
        let About::Artifact(at) = self.found.row.about() else { return None };
        self.at(at).iter().find_map(|path| {
            let experiment = experiment_of(path)?;
            match path.split('/').collect::<Vec<_>>()[..] {
                [_, run, "artifacts", ..] => Some((experiment.to_owned(), run.to_owned())),
                _ => None,
            }
        })
    }

    /// Whatever else is named anywhere.
    pub fn all(&self) -> Vec<Mention> {
        let family = self.found.row.family();
        let mut mentions = self.main();
        for (name, value) in query(self.uri) {
            mentions.extend(mention(&name, value, family, true));
        }
        walk(self.body, family, true, &mut mentions);
        mentions.sort();
        mentions.dedup();
        mentions
    }

    fn at(&self, at: At) -> Vec<String> {
        match at {
            At::Path(name) => self.found.param(name).into_iter().collect(),
            At::Header(name) => {
                let values = self.headers.get_all(name).iter();
                values.map(|value| value.to_str().unwrap_or_default().to_owned()).collect()
            }
            At::Query(name) => {
                let named = query(self.uri).into_iter().filter(|(field, _)| field == name);
                named.map(|(_, value)| value).collect()
            }
            At::Field(way) if self.is_told_in_query() => {
                let named = query(self.uri).into_iter().filter(|(field, _)| way == [&*canonical(field)]);
                chosen(named.map(|(field, value)| (field, vec![value])).collect())
            }
            At::Field(way) => texts(way, self.body),
        }
    }
}

/// The texts at the end of a way through objects and lists. What was read before an error counts.
fn texts<'de>(way: &[&str], json: impl Deserializer<'de>) -> Vec<String> {
    let mut found = Vec::new();
    let _ = Way { way, found: &mut found }.deserialize(json);
    found
}

/// One step on such a way.
struct Way<'a> {
    way: &'a [&'a str],
    found: &'a mut Vec<String>,
}

/// Of fields that mean the same, those that MLflow takes: `run_id` or, without one, `run_uuid`.
fn chosen(fields: Vec<(String, Vec<String>)>) -> Vec<String> {
    let is_old = |name: &str| matches!(name, "run_uuid" | "runUuid");
    let is_new_there = fields
        .iter()
        .any(|(name, texts)| !is_old(name) && texts.iter().any(|text| !text.is_empty()));
    let fields = fields.into_iter().filter(|(name, _)| !(is_new_there && is_old(name)));
    fields.flat_map(|(_, texts)| texts).collect()
}

fn walk(value: &Value, family: Option<Family>, top: bool, mentions: &mut Vec<Mention>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                for text in items.iter().filter_map(text) {
                    mentions.extend(mention(name, text, family, top));
                }
                walk(value, family, false, mentions);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, family, top, mentions)),
        _ => {}
    }
}

fn mention(name: &str, value: String, family: Option<Family>, top: bool) -> Option<Mention> {
    if value.is_empty() {
        return None;
    }
    let registry = top && family == Some(Family::Registry);
    match &*canonical(name) {
        "experiment_id" | "experiment_ids" => Some(Mention::Experiment(value)),
        "experiment_name" => Some(Mention::ExperimentName(value)),
        "run_id" | "run_ids" | "source_run_id" => Some(Mention::Run(value)),
        "model_id" | "model_ids" => Some(Mention::LoggedModel(value)),
        "trace_id" | "trace_ids" | "request_id" | "request_ids" => Some(Mention::Trace(value)),
        "name" | "new_name" if registry => Some(Mention::Model(value)),
        "source" if registry => Some(Mention::Source(value)),
        _ => None,
    }
}

// === impl Way ===

impl Way<'_> {
    fn end<E>(self, text: impl FnOnce() -> String) -> Result<(), E> {
        if self.way.is_empty() {
            self.found.push(text());
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Way<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.end(|| text.to_owned())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.end(|| number.to_string())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.end(|| number.to_string())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.end(|| Number::from_f64(number).map(|number| number.to_string()).unwrap_or_default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items
            .next_element_seed(Way {
                way: self.way,
                found: self.found,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut named = Vec::<(String, Vec<String>)>::new();
        let mut read = || {
            while let Some(name) = fields.next_key::<String>()? {
                let Some((_, way)) = self.way.split_first().filter(|(first, _)| *canonical(&name) == ***first) else {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                };
                let mut found = Vec::new();
                let end = fields.next_value_seed(Way { way, found: &mut found });
                // Of a field that comes twice, Python's parser keeps the last.
                named.retain(|(earlier, _)| *earlier != name);
                named.push((name, found));
                end?;
            }
            Ok(())
        };
        let end = read();
        self.found.extend(chosen(named));
        end
    }
}

/// `runId` and `run_uuid` are `run_id`.
pub(super) fn canonical(name: &str) -> Cow<'_, str> {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(if name == "run_uuid" { "run_id" } else { name });
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    match snake.as_str() {
        "run_uuid" => Cow::Borrowed("run_id"),
        _ => Cow::Owned(snake),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// MLflow's artifact store begins with the experiment's number.
fn experiment_of(path: &str) -> Option<&str> {
    let first = path.split('/').next()?;
    (!first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit())).then_some(first)
}

pub(super) fn query(uri: &Uri) -> Vec<(String, String)> {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let decode = |text: &str| match text.contains(['+', '%']) {
        true => percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned(),
        false => text.to_owned(),
    };
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, Uri};
    use serde_json::{Value, json};

    use super::{Mention, Parts, parse};
    use crate::{path::Admitted, proxy::lookup};

    fn look<T>(method: Method, target: &str, body: &Value, headers: &HeaderMap, ask: impl Fn(&Parts<'_>) -> T) -> T {
        let uri: Uri = target.parse().unwrap();
        let found = lookup::find(&method, &Admitted::parse(uri.path()).unwrap()).unwrap();
        ask(&Parts {
            found: &found,
            uri: &uri,
            headers,
            body,
        })
    }

    fn main(method: Method, target: &str, body: Value) -> Vec<Mention> {
        look(method, target, &body, &HeaderMap::new(), |parts| parts.main())
    }

    fn all(method: Method, target: &str, body: Value) -> Vec<Mention> {
        look(method, target, &body, &HeaderMap::new(), |parts| parts.all())
    }

    fn experiments(ids: &[&str]) -> Vec<Mention> {
        ids.iter().map(|id| Mention::Experiment((*id).into())).collect()
    }

    #[test]
    fn each_place_is_read() {
        let run = vec![Mention::Run("r1".into())];
        assert_eq!(main(Method::GET, "/api/2.0/mlflow/runs/get?run_id=r1", Value::Null), run);
        assert_eq!(main(Method::HEAD, "/get-artifact?run_uuid=r1&path=x", Value::Null), run);
        for body in [
            json!({ "run_id": "r1" }),
            json!({ "runId": "r1" }),
            json!({ "run_uuid": "r1" }),
            json!({ "runUuid": "r1" }),
        ] {
            assert_eq!(main(Method::POST, "/ajax-api/2.0/mlflow/runs/log-metric", body), run);
        }
        assert_eq!(
            main(Method::POST, "/api/2.0/mlflow/runs/search", json!({ "experiment_ids": ["1", 2] })),
            experiments(&["1", "2"])
        );
        assert_eq!(
            main(
                Method::PUT,
                "/api/2.0/mlflow-artifacts/artifacts/12/r1/artifacts/a%2Fb",
                Value::Null
            ),
            experiments(&["12"])
        );
        assert_eq!(
            main(Method::GET, "/api/2.0/mlflow-artifacts/artifacts?path=12%2Fr1", Value::Null),
            experiments(&["12"])
        );
        let location = json!([{ "type": "MLFLOW_EXPERIMENT", "mlflow_experiment": { "experiment_id": "3" } }]);
        assert_eq!(
            main(Method::POST, "/api/3.0/mlflow/traces/search", json!({ "locations": location })),
            experiments(&["3"])
        );
        assert_eq!(
            main(Method::GET, "/api/3.0/mlflow/traces/tr-1", Value::Null),
            [Mention::Trace("tr-1".into())]
        );
        assert_eq!(
            main(Method::DELETE, "/api/2.0/mlflow/logged-models/m-1/tags/k", Value::Null),
            [Mention::LoggedModel("m-1".into())]
        );
        let headers = HeaderMap::from_iter([("x-mlflow-experiment-id".parse().unwrap(), "4".parse().unwrap())]);
        assert_eq!(
            look(Method::POST, "/v1/traces", &Value::Null, &headers, |parts| parts.main()),
            experiments(&["4"])
        );
    }

    #[test]
    fn only_where_mlflow_reads_counts_and_nothing_is_overlooked() {
        let create = "/api/2.0/mlflow/runs/create?experiment_id=1";
        assert_eq!(main(Method::POST, create, json!({})), []);
        assert_eq!(all(Method::POST, create, json!({ "experimentId": "2" })), experiments(&["1", "2"]));
        let body =
            json!({ "run_id": "r1", "metrics": [{ "key": "loss", "model_id": "m-2" }], "tags": [{ "key": "run_id", "value": "x" }] });
        assert_eq!(
            all(Method::POST, "/api/2.0/mlflow/runs/log-batch", body),
            [Mention::Run("r1".into()), Mention::LoggedModel("m-2".into())]
        );
        assert_eq!(
            all(Method::GET, "/api/2.0/mlflow/runs/get?run_id=r1&run_id=r2&run_uuid=r3", Value::Null).len(),
            3
        );
        let version = json!({ "name": "m", "source": "runs:/r1/model", "run_id": "r1", "tags": [{ "name": "other" }] });
        assert_eq!(
            all(Method::POST, "/api/2.0/mlflow/model-versions/create", version),
            [
                Mention::Run("r1".into()),
                Mention::Model("m".into()),
                Mention::Source("runs:/r1/model".into())
            ]
        );
        let rename = json!({ "name": "a", "new_name": "b" });
        assert_eq!(
            all(Method::POST, "/api/2.0/mlflow/registered-models/rename", rename),
            [Mention::Model("a".into()), Mention::Model("b".into())]
        );
    }

    #[test]
    fn json_in_a_string_is_json() {
        assert_eq!(parse(br#""{\"run_id\": \"r1\"}""#), Some(json!({ "run_id": "r1" })));
        assert_eq!(parse(b""), Some(Value::Null));
        for bad in [&b"{"[..], b"\xff\xfe{\0}\0", b"{\"a\": NaN}", br#""\"twice\"""#] {
            assert_eq!(parse(bad), None);
        }
    }
}
