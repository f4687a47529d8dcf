//! Queries tried run by run, in the plainest way, against what the columns say.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Query,
    ast::{Expr, Field, Operator, Subject, Test},
    complete::complete,
    random::{self, Random},
};
use crate::table::{
    bits::Bits,
    column::{Family, Stat},
    store::Store,
};

type Runs = BTreeMap<String, Value>;

fn text<'r>(run: &'r Value, list: &str, key: &str) -> Option<&'r str> {
    let pairs = run["data"][list].as_array()?;
    pairs.iter().find(|pair| pair["key"] == key)?["value"].as_str()
}

fn metric(run: &Value, key: &str, field: &str) -> Option<f64> {
    let metric = run["data"]["metrics"].as_array()?.iter().find(|metric| metric["key"] == key)?;
    Some(metric[field].as_f64().unwrap_or(f64::NAN))
}

fn compare(operator: Operator, left: f64, right: f64) -> bool {
    let order = left.partial_cmp(&right);
    match operator {
        Operator::Equal => order.is_some_and(|order| order.is_eq()),
        Operator::Unequal => order.is_none_or(|order| order.is_ne()),
        Operator::Less => order.is_some_and(|order| order.is_lt()),
        Operator::AtMost => order.is_some_and(|order| order.is_le()),
        Operator::More => order.is_some_and(|order| order.is_gt()),
        Operator::AtLeast => order.is_some_and(|order| order.is_ge()),
    }
}

fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skip| like(rest, &text[skip..])),
        Some(('_', rest)) => !text.is_empty() && like(rest, &text[1..]),
        Some((letter, rest)) => text.first() == Some(letter) && like(rest, &text[1..]),
    }
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn text_passes(test: &Test, text: &str) -> bool {
    match test {
        Test::Number(operator, wanted) => {
            let looks = text.contains(|letter: char| letter.is_ascii_digit());
            compare(*operator, text.trim().parse().ok().filter(|_| looks).unwrap_or(f64::NAN), *wanted)
        }
        Test::Equal(wanted) => text == wanted,
        Test::Unequal(wanted) => text != wanted,
        Test::Like(pattern) => like(&letters(pattern), &letters(text)),
        Test::Ilike(pattern) => like(&letters(&pattern.to_lowercase()), &letters(&text.to_lowercase())),
        Test::In(list) => list.contains(&text.to_owned()),
        Test::NotIn(list) => !list.contains(&text.to_owned()),
        Test::Matches(pattern) => regex_lite::Regex::new(pattern.text()).unwrap().is_match(text),
        Test::Present => true,
        Test::Missing => false,
    }
}

fn compared(subject: &Subject, test: &Test, run: &Value) -> bool {
    let number = |value: Option<f64>| match (value, test) {
        (value, Test::Missing) => value.is_none(),
        (value, Test::Present) => value.is_some(),
        (Some(value), Test::Number(operator, wanted)) => compare(*operator, value, *wanted),
        _ => false,
    };
    let worded = |value: Option<&str>| match (value, test) {
        (value, Test::Missing) => value.is_none(),
        (Some(value), test) => text_passes(test, value),
        (None, _) => false,
    };
    let name = match subject {
        Subject::Column(name) => name,
        Subject::Dataset(field) => {
            let mut values = run["inputs"]["dataset_inputs"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|input| match field {
                    Field::Name => input["dataset"]["name"].as_str(),
                    Field::Digest => input["dataset"]["digest"].as_str(),
                    Field::Context => input["tags"].as_array()?.first()?["value"].as_str(),
                });
            return match test {
                Test::Missing => values.next().is_none(),
                test => values.any(|value| text_passes(test, value)),
            };
        }
    };
    let info = &run["info"];
    match (name.family, name.key.as_str()) {
        (Family::Metric(Stat::Last), key) => number(metric(run, key, "value")),
        (Family::Metric(Stat::Step), key) => number(metric(run, key, "step").filter(|step| *step != 0.0)),
        (Family::Metric(_), _) => number(None),
        (Family::Param, key) => worded(text(run, "params", key)),
        (Family::Tag, key) => worded(text(run, "tags", key)),
        (_, "duration") => number(info["end_time"].as_f64().map(|end| end - info["start_time"].as_f64().unwrap())),
        (_, "start_time" | "end_time") => number(info[&name.key].as_f64()),
        (_, "run_name") => worded(info["run_name"].as_str().filter(|name| !name.is_empty())),
        _ => worded(info[&name.key].as_str()),
    }
}

/// The ids among `scope` that are meant.
fn ids(expr: &Expr, runs: &Runs, scope: &[String]) -> Vec<String> {
    let keep = |passes: &dyn Fn(&String) -> bool| scope.iter().filter(|id| passes(id)).cloned().collect::<Vec<_>>();
    match expr {
        Expr::And(parts) => {
            let plain: Vec<_> = parts
                .iter()
                .filter(|part| !part.has_best())
                .map(|part| ids(part, runs, scope))
                .collect();
            let left = keep(&|id| plain.iter().all(|part| part.contains(id)));
            let best: Vec<_> = parts
                .iter()
                .filter(|part| part.has_best())
                .map(|part| ids(part, runs, &left))
                .collect();
            left.into_iter().filter(|id| best.iter().all(|part| part.contains(id))).collect()
        }
        Expr::Or(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| ids(part, runs, scope)).collect();
            keep(&|id| parts.iter().any(|part| part.contains(id)))
        }
        Expr::Not(part) => {
            let part = ids(part, runs, scope);
            keep(&|id| !part.contains(id))
        }
        Expr::Compare(subject, test) => keep(&|id| compared(subject, test, &runs[id])),
        Expr::Named(text) => keep(&|id| {
            let name = runs[id]["info"]["run_name"].as_str().unwrap();
            !name.is_empty() && name.to_lowercase().contains(&text.to_lowercase())
        }),
        Expr::Best(best) => {
            let value = |id: &String| metric(&runs[id], &best.metric.key, "value").filter(|value| !value.is_nan());
            let better = |a: f64, b: f64| if best.smallest { a < b } else { a > b };
            keep(&|id| {
                value(id).is_some_and(|mine| scope.iter().filter_map(value).filter(|other| better(*other, mine)).count() < best.count)
            })
        }
    }
}

fn found(query: &Query, store: &Store, scope: &Bits) -> Vec<String> {
    let mut ids: Vec<String> = query.rows(store, scope).iter().map(|row| store.run_id(row).to_owned()).collect();
    ids.sort();
    ids
}

fn load(store: &mut Store, runs: &[Value]) {
    store.load(json!({"runs": runs}).to_string().as_bytes()).unwrap();
}

/// Some random runs, after some of them have come again with other values and some have been removed.
fn store(random: &mut Random, count: usize) -> (Store, Runs) {
    let mut store = Store::default();
    let mut runs = Runs::new();
    let drawn: Vec<Value> = (0..count * 2)
        .map(|_| {
            let id = random.below(count);
            random::run(random, id)
        })
        .collect();
    load(&mut store, &drawn);
    runs.extend(
        drawn
            .into_iter()
            .map(|run| (run["info"]["run_id"].as_str().unwrap().to_owned(), run)),
    );
    for id in 0..count {
        let id = format!("{id:032x}");
        if random.once_in(8) && runs.remove(&id).is_some() {
            assert!(store.remove(&id));
        }
    }
    assert_eq!(store.len(), runs.len());
    (store, runs)
}

#[test]
fn columns_say_the_same_as_runs_one_by_one() {
    let mut random = Random(1);
    let mut meant = 0;
    for _ in 0..60 {
        let count = 1 + random.below(40);
        let (store, runs) = store(&mut random, count);
        let all: Vec<String> = runs.keys().cloned().collect();
        for _ in 0..100 {
            let depth = random.below(4);
            let typed = random::query(&mut random, count, depth);
            let query = Query::read(&typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
            let expected = ids(query.expr.as_ref().unwrap(), &runs, &all);
            let found = found(&query, &store, store.rows());
            assert_eq!(found, expected, "{typed}");
            meant += usize::from(!found.is_empty() && found.len() < runs.len());
        }
    }
    assert!(meant > 2000, "too few of the queries tell anything: {meant}");
}

#[test]
fn mlflow_is_asked_for_no_run_too_few() {
    let mut random = Random(2);
    let (mut exact, mut vague) = (0, 0);
    for _ in 0..60 {
        let count = 1 + random.below(40);
        let (store, _) = store(&mut random, count);
        for _ in 0..100 {
            let depth = random.below(4);
            let typed = random::query(&mut random, count, depth);
            let query = Query::read(&typed).unwrap();
            let split = query.split();
            let sent = Query::read(&split.filter).unwrap_or_else(|error| panic!("{}: {error}", split.filter));
            let filtered = sent.rows(&store, store.rows());
            let wanted = found(&query, &store, store.rows());
            if split.local {
                assert_eq!(found(&query, &store, &filtered), wanted, "{typed} | {}", split.filter);
                vague += usize::from(!split.filter.is_empty());
            } else {
                assert_eq!(found(&sent, &store, store.rows()), wanted, "{typed} | {}", split.filter);
                assert!(!split.all, "{typed}");
                exact += 1;
            }
        }
    }
    assert!(exact > 1000 && vague > 300, "{exact} {vague}");
}

#[test]
fn what_mlflow_can_run_is_left_to_it() {
    let mut random = Random(3);
    for _ in 0..5000 {
        let typed = random::filter(&mut random, 9);
        let split = Query::read(&typed).unwrap_or_else(|error| panic!("{typed}: {error}")).split();
        assert!(!split.local && !split.all, "{typed} | {}", split.filter);
    }
}

#[test]
fn a_query_that_is_written_is_read_again() {
    let mut random = Random(4);
    for _ in 0..5000 {
        let depth = random.below(5);
        let typed = random::query(&mut random, 9, depth);
        let query = Query::read(&typed).unwrap();
        let written = query.to_string();
        assert_eq!(Query::read(&written).as_ref(), Ok(&query), "{typed} | {written}");
    }
}

#[test]
fn no_text_is_too_strange() {
    let mut random = Random(5);
    let (store, _) = store(&mut random, 10);
    let pieces = [
        "metrics.",
        "params.",
        "`",
        "'",
        "\"",
        "(",
        ")",
        ",",
        "=",
        "!=",
        "<",
        "~",
        " ",
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "best(",
        "min(",
        "like",
        "ü",
        "\u{a0}",
        "\0",
        "1e",
        ".",
        "-",
        "a",
        "datasets.name",
        "run_id",
        "'x'",
        "5",
        "%",
        "\n",
        "𝄞",
    ];
    for _ in 0..20_000 {
        let typed: String = match random.below(3) {
            0 => (0..random.below(12)).map(|_| random.pick(&pieces)).collect(),
            // A query with a hole.
            _ => {
                let mut letters = letters(&random::query(&mut random, 9, 2));
                let at = random.below(letters.len());
                letters.drain(at..(at + random.below(4)).min(letters.len()));
                letters.into_iter().collect()
            }
        };
        match Query::read(&typed) {
            Ok(query) => {
                query.rows(&store, store.rows());
                query.split();
                assert_eq!(Query::read(&query.to_string()), Ok(query), "{typed}");
            }
            Err(error) => {
                assert!(typed.get(error.span.clone()).is_some(), "{typed}: {error:?}");
                assert!(error.message.ends_with('.'), "{}", error.message);
            }
        }
        let cursor = random.below(typed.len() + 1);
        let completion = complete(&store, &typed, cursor);
        assert!(completion.offers.is_empty() || typed.get(completion.span).is_some());
    }
}

#[test]
fn depth_and_length_are_no_danger() {
    let store = Store::default();
    for typed in [
        "(".repeat(100_000),
        "not ".repeat(100_000),
        "a or ".repeat(100_000) + "a",
        "(a) ".repeat(100_000),
    ] {
        if let Ok(query) = Query::read(&typed) {
            query.rows(&store, store.rows());
        }
    }
}
