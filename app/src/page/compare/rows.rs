//! What runs have, key by key, and how it differs.

use std::collections::BTreeMap;

use super::bring::Known;
use crate::{
    api::mlflow::{
        number::{logged, read},
        run::{Run, Status, tag},
    },
    page::run::place,
    part::{duration, number},
    table::differ::relative,
};

/// What belongs together under one heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// As the address calls it.
    pub name: &'static str,
    pub title: &'static str,
    pub rows: Vec<Row>,
}

/// One key, and what each run has there.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub key: String,
    pub values: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The run has none.
    Missing,
    /// The run itself is not there.
    Unknown,
    Text(String),
    /// An id of any kind.
    Id(String),
    /// With the text that it was written as, if it was one.
    Number(f64, Option<String>),
    Status(Status),
    /// Ms since 1970.
    Moment(i64),
    /// From when until when; without an end it runs still.
    Span(i64, Option<i64>),
    Experiment {
        id: String,
        name: String,
    },
}

/// How a value stands to the baseline's.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    Same,
    /// `+3.1%`, and the exact one.
    By(String, String),
    /// Different, but not by any number.
    Other,
}

/// Everything that the runs at `ids` have.
pub fn sections(known: &Known, ids: &[String]) -> Vec<Section> {
    let runs: Vec<Option<&Run>> = ids.iter().map(|id| known.run(id).ok()).collect();
    let metrics = keyed(&runs, |run| {
        let metrics = run.data.metrics.iter();
        metrics
            .map(|metric| (metric.key.as_str(), Value::Number(metric.logged(), None)))
            .collect()
    });
    let params = keyed(&runs, |run| {
        let params = run.data.params.iter();
        params.map(|pair| (pair.key.as_str(), written(&pair.value))).collect()
    });
    let tags = keyed(&runs, |run| {
        let own = run.data.tags.iter().filter(|pair| !tag::is_internal(&pair.key));
        own.map(|pair| (pair.key.as_str(), Value::Text(pair.value.clone()))).collect()
    });
    let section = |name, title, rows| Section { name, title, rows };
    vec![
        section("facts", "Facts", facts(known, &runs)),
        section("metrics", "Metrics", metrics),
        section("params", "Params", params),
        section("tags", "Tags", tags),
    ]
}

/// A param that is a number is compared as one.
fn written(text: &str) -> Value {
    match read(text.trim()).filter(|number| number.is_finite()) {
        Some(number) => Value::Number(number, Some(text.to_owned())),
        None => Value::Text(text.to_owned()),
    }
}

/// A row for each key that any run has, in their order.
fn keyed<'a>(runs: &[Option<&'a Run>], pairs: impl Fn(&'a Run) -> Vec<(&'a str, Value)>) -> Vec<Row> {
    let mut rows: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let none = || -> Vec<Value> {
        runs.iter()
            .map(|run| if run.is_some() { Value::Missing } else { Value::Unknown })
            .collect()
    };
    for (at, run) in runs.iter().enumerate() {
        for (key, value) in run.iter().flat_map(|run| pairs(run)) {
            rows.entry(key).or_insert_with(none)[at] = value;
        }
    }
    let row = |(key, values): (&str, Vec<Value>)| Row {
        key: key.to_owned(),
        values,
    };
    rows.into_iter().map(row).collect()
}

fn facts(known: &Known, runs: &[Option<&Run>]) -> Vec<Row> {
    let row = |key: &str, value: &dyn Fn(&Run) -> Option<Value>| {
        let values = runs.iter().map(|run| match run {
            Some(run) => value(run).unwrap_or(Value::Missing),
            None => Value::Unknown,
        });
        Row {
            key: key.to_owned(),
            values: values.collect(),
        }
    };
    let text = |key: &'static str| {
        move |run: &Run| {
            run.tag(key)
                .filter(|text| !text.is_empty())
                .map(|text| Value::Text(text.to_owned()))
        }
    };
    let experiment = |run: &Run| {
        let id = run.info.experiment_id.clone();
        let name = known.experiments.get(&id).cloned().unwrap_or_else(|| format!("experiment {id}"));
        Some(Value::Experiment { id, name })
    };
    let start = |run: &Run| run.info.start_time.filter(|at| *at > 0);
    let span = |run: &Run| {
        let end = run.info.end_time.filter(|at| *at > 0);
        let runs = run.info.status == Status::Running;
        start(run).filter(|_| end.is_some() || runs).map(|start| Value::Span(start, end))
    };
    let mut rows = vec![
        row("Status", &|run| Some(Value::Status(run.info.status))),
        row("Experiment", &experiment),
        row("Started", &|run| start(run).map(Value::Moment)),
        row("Duration", &span),
        row("User", &|run| run.user().map(|user| Value::Text(user.to_owned()))),
        row("Source", &text(tag::SOURCE)),
        row("Kind", &text(tag::SOURCE_TYPE)),
        row("Entry point", &text(tag::ENTRY)),
        row("Commit", &|run| {
            let commit = run.tag(tag::COMMIT).filter(|commit| !commit.is_empty());
            commit.map(|commit| Value::Id(commit.to_owned()))
        }),
        row("Branch", &text(tag::BRANCH)),
    ];
    rows.extend(datasets(runs));
    rows.retain(|row| row.values.iter().any(|value| !matches!(value, Value::Missing | Value::Unknown)));
    rows
}

/// A row for each use that datasets were put to: `Dataset (training)`.
fn datasets(runs: &[Option<&Run>]) -> Vec<Row> {
    let mut uses: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for (at, run) in runs.iter().enumerate() {
        for input in run.iter().flat_map(|run| &run.inputs.dataset_inputs) {
            let context = input.tags.iter().find(|pair| pair.key == tag::CONTEXT);
            let key = context.map_or_else(|| "Dataset".to_owned(), |pair| format!("Dataset ({})", pair.value));
            let dataset = &input.dataset;
            let mut says = format!("{} {}", dataset.name, dataset.digest);
            if let Some(source) = place(&dataset.source) {
                says.push_str(" from ");
                says.push_str(&source);
            }
            uses.entry(key).or_insert_with(|| vec![Vec::new(); runs.len()])[at].push(says);
        }
    }
    let row = |(key, of): (String, Vec<Vec<String>>)| Row {
        key,
        values: of
            .into_iter()
            .zip(runs)
            .map(|(says, run)| match (says.is_empty(), run) {
                (_, None) => Value::Unknown,
                (true, _) => Value::Missing,
                (false, _) => Value::Text(says.join("; ")),
            })
            .collect(),
    };
    uses.into_iter().map(row).collect()
}

// === impl Row ===

impl Row {
    /// Whether not all runs that are there have the same; having none counts as a value of its own.
    pub fn differs(&self) -> bool {
        let mut known = self.values.iter().filter(|value| **value != Value::Unknown);
        let first = known.next();
        first.is_some_and(|first| known.any(|value| !value.same(first)))
    }

    /// Whether the key is one that is looked for; `wanted` is in lower case.
    pub fn matches(&self, wanted: &str) -> bool {
        wanted.is_empty() || self.key.to_lowercase().contains(wanted)
    }
}

// === impl Value ===

impl Value {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a, _), Self::Number(b, _)) => a == b || a.is_nan() && b.is_nan(),
            (Self::Span(..), Self::Span(..)) => self.number() == other.number(),
            _ => self == other,
        }
    }

    /// As a number, if it is one. A run that is still running has no duration yet.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value, _) => Some(*value),
            Self::Span(start, Some(end)) => Some((end - start) as f64),
            _ => None,
        }
    }

    /// How it stands to what the baseline has; `None` where neither has anything.
    pub fn from(&self, baseline: &Self) -> Option<Difference> {
        if matches!(self, Self::Missing | Self::Unknown) || *baseline == Self::Unknown {
            return None;
        }
        if self.same(baseline) {
            return Some(Difference::Same);
        }
        let (Some(value), Some(before)) = (self.number(), baseline.number()) else {
            return Some(Difference::Other);
        };
        let by = logged(value) - logged(before);
        if !by.is_finite() {
            return Some(Difference::Other);
        }
        let sign = if by > 0.0 { "+" } else { "" };
        let write = |short: bool| match self {
            Self::Span(..) => format!("{}{}", if by > 0.0 { "+" } else { "-" }, duration::words(by.abs() as i64)),
            _ if short => format!("{sign}{}", number::short(by)),
            _ => format!("{sign}{}", number::exact(by)),
        };
        let part = relative(value, before).map(number::percent);
        Some(Difference::By(part.unwrap_or_else(|| write(true)), write(false)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ApiError, mlflow::run::Found};

    fn known() -> (Known, Vec<String>) {
        let runs = r#"{"runs":[
            {"info":{"run_id":"a","experiment_id":"1","status":"FINISHED","start_time":1000,"end_time":3000},
             "data":{"metrics":[{"key":"loss","value":0.5},{"key":"nan","value":"NaN"}],"params":[{"key":"lr","value":"0.1"},{"key":"model","value":"vit"}],"tags":[{"key":"team","value":"x"},{"key":"mlflow.user","value":"ann"}]},
             "inputs":{"dataset_inputs":[{"tags":[{"key":"mlflow.data.context","value":"training"}],"dataset":{"name":"mnist","digest":"d1","source":"{\"uri\":\"/data\"}"}}]}},
            {"info":{"run_id":"b","experiment_id":"1","status":"RUNNING","start_time":1000},
             "data":{"metrics":[{"key":"loss","value":0.75},{"key":"nan","value":"NaN"}],"params":[{"key":"lr","value":"1e-1"}],"tags":[{"key":"mlflow.user","value":"ann"}]}}]}"#;
        let found: Found = serde_json::from_str(runs).unwrap();
        let mut known = Known::default();
        for run in found.runs {
            known.runs.insert(run.info.run_id.clone(), Ok(run));
        }
        known.runs.insert("gone".into(), Err(ApiError::refused(404)));
        (known, ["b", "gone", "a"].map(str::to_owned).to_vec())
    }

    fn row<'a>(sections: &'a [Section], key: &str) -> &'a Row {
        sections
            .iter()
            .flat_map(|section| &section.rows)
            .find(|row| row.key == key)
            .unwrap()
    }

    #[test]
    fn every_key_has_a_row_and_every_run_a_column() {
        let (known, ids) = known();
        let sections = sections(&known, &ids);
        let keys = |at: usize| sections[at].rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>();
        assert_eq!(
            keys(0),
            ["Status", "Experiment", "Started", "Duration", "User", "Dataset (training)"]
        );
        assert_eq!(
            (keys(1), keys(2), keys(3)),
            (vec!["loss", "nan"], vec!["lr", "model"], vec!["team"])
        );
        assert_eq!(
            row(&sections, "model").values,
            [Value::Missing, Value::Unknown, Value::Text("vit".into())]
        );
        assert_eq!(
            row(&sections, "Dataset (training)").values[2],
            Value::Text("mnist d1 from /data".into())
        );
    }

    #[test]
    fn only_what_runs_have_differs() {
        let (known, ids) = known();
        let sections = sections(&known, &ids);
        let differing = |at: usize| {
            let rows = sections[at].rows.iter().filter(|row| row.differs());
            rows.map(|row| row.key.as_str()).collect::<Vec<_>>()
        };
        // What is not there at all is no difference; `1e-1` and `0.1` are the same number.
        assert_eq!(differing(0), ["Status", "Duration", "Dataset (training)"]);
        assert_eq!(
            (differing(1), differing(2), differing(3)),
            (vec!["loss"], vec!["model"], vec!["team"])
        );
    }

    #[test]
    fn differences_have_a_sign() {
        let number = |value| Value::Number(value, None);
        let by = |part: &str, exact: &str| Some(Difference::By(part.into(), exact.into()));
        assert_eq!(number(0.75).from(&number(0.5)), by("+50%", "+0.25"));
        assert_eq!(number(-1.5).from(&number(-1.0)), by("-50%", "-0.5"));
        assert_eq!(number(2.0).from(&number(0.0)), by("+2", "+2"));
        assert_eq!(number(f64::NAN).from(&number(f64::NAN)), Some(Difference::Same));
        assert_eq!(number(f64::MAX).from(&number(1.0)), Some(Difference::Other));
        assert_eq!(Value::Missing.from(&number(1.0)), None);
        assert_eq!(number(1.0).from(&Value::Missing), Some(Difference::Other));
        assert_eq!(number(1.0).from(&Value::Unknown), None);
        assert_eq!(
            Value::Span(0, Some(3000)).from(&Value::Span(1000, Some(3000))),
            by("+50%", "+1.0 s")
        );
        assert_eq!(written("0.2").from(&written("0.1")), by("+100%", "+0.1"));
        assert_eq!(written("adam").from(&written("sgd")), Some(Difference::Other));
    }

    #[test]
    fn keys_are_looked_for_whatever_their_case() {
        let row = Row {
            key: "Train/Loss".into(),
            values: Vec::new(),
        };
        assert!(row.matches("train/l") && row.matches("") && !row.matches("acc"));
    }
}
