//! The query line against a real MLflow: what it searches for and what is tried here find the same runs.

use app::table::{bits::Bits, query::Query, store::Store};
use futures::{StreamExt as _, stream};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{Caller, TestApp, fresh};

#[path = "../../../app/src/table/query/random.rs"]
mod random;

use random::Random;

const RUNS: usize = 50;
/// Conditions that MLflow knows, and queries of the whole language.
const FILTERS: usize = 250;
const QUERIES: usize = 150;
/// Questions on their way at the same time.
const WIDTH: usize = 4;

async fn call(caller: &Caller, route: &str, body: Value) -> Value {
    let answer = caller.post(&format!("/api/2.0/mlflow/{route}"), body).await;
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{route} {text}");
    serde_json::from_str(&text).unwrap()
}

/// Makes the run in MLflow, but for its datasets; the result is its id.
async fn make(caller: &Caller, experiment: &str, run: &Value) -> String {
    let (info, data) = (&run["info"], &run["data"]);
    let body = json!({
        "experiment_id": experiment, "user_id": info["user_id"], "run_name": info["run_name"], "start_time": info["start_time"], "tags": data["tags"],
    });
    let id = call(caller, "runs/create", body).await["run"]["info"]["run_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({ "run_id": id, "metrics": data["metrics"], "params": data["params"] });
    call(caller, "runs/log-batch", body).await;
    let mut body = json!({ "run_id": id, "status": info["status"] });
    if !info["end_time"].is_null() {
        body["end_time"] = info["end_time"].clone();
    }
    call(caller, "runs/update", body).await;
    id
}

async fn give_datasets(caller: &Caller, id: &str, run: &Value) {
    let datasets = run["inputs"]["dataset_inputs"].as_array().unwrap().iter().cloned();
    let datasets: Vec<Value> = datasets.map(sourced).collect();
    if !datasets.is_empty() {
        call(caller, "runs/log-inputs", json!({ "run_id": id, "datasets": datasets })).await;
    }
}

fn sourced(mut input: Value) -> Value {
    input["dataset"]["source_type"] = json!("local");
    input["dataset"]["source"] = json!("{}");
    input
}

/// With the ids that MLflow gave in place of those that were made up.
fn real(mut typed: String, ids: &[String]) -> String {
    for (number, id) in ids.iter().enumerate() {
        typed = typed.replace(&format!("{number:032x}"), id);
    }
    typed
}

/// The rows of the runs that MLflow finds.
async fn searched(caller: &Caller, experiment: &str, filter: &str, store: &Store) -> Vec<u32> {
    let body = json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 1000 });
    let found = call(caller, "runs/search", body).await;
    let runs = found["runs"].as_array().cloned().unwrap_or_default();
    let mut rows: Vec<u32> = runs
        .iter()
        .map(|run| store.row(run["info"]["run_id"].as_str().unwrap()).unwrap())
        .collect();
    rows.sort_unstable();
    rows
}

#[tokio::test]
async fn mlflow_and_the_table_mean_the_same_runs() {
    let app = TestApp::start().await;
    let alice = app.session().await;
    let experiment = call(&alice, "experiments/create", json!({ "name": fresh("query") })).await;
    let experiment = experiment["experiment_id"].as_str().unwrap();
    let mut random = Random(7);
    let runs: Vec<Value> = (0..RUNS).map(|number| random::run(&mut random, number)).collect();
    let made = stream::iter(&runs).map(|run| make(&alice, experiment, run)).buffered(WIDTH);
    let ids: Vec<String> = made.collect().await;
    // One after the other: MLflow refuses one of two who name a new dataset at the same time.
    for (id, run) in ids.iter().zip(&runs) {
        give_datasets(&alice, id, run).await;
    }
    let mut store = Store::default();
    let all = json!({ "experiment_ids": [experiment], "max_results": 1000 });
    store.load(call(&alice, "runs/search", all).await.to_string().as_bytes()).unwrap();
    assert_eq!(store.len(), RUNS);
    let store = &store;

    let filters: Vec<String> = (0..FILTERS).map(|_| real(random::filter(&mut random, RUNS), &ids)).collect();
    let checked = stream::iter(&filters).map(async |typed: &String| {
        let query = Query::read(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        let here = query.rows(store, store.rows()).to_vec();
        assert_eq!(searched(&alice, experiment, typed, store).await, here, "{typed}");
        // Nothing, or everything, would be found alike by chance.
        (1..RUNS).contains(&here.len())
    });
    let telling = checked.buffered(WIDTH).filter(|telling| std::future::ready(*telling)).count().await;
    assert!(telling > FILTERS / 4, "{telling}");

    // What MLflow cannot do the table does on what it has found.
    let queries: Vec<String> = (0..QUERIES)
        .map(|at| real(random::query(&mut random, RUNS, at % 4), &ids))
        .collect();
    let checked = stream::iter(&queries).map(async |typed: &String| {
        let query = Query::read(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        let split = query.split();
        let mut found = Bits::default();
        for row in searched(&alice, experiment, &split.filter, store).await {
            found.insert(row);
        }
        let here = query.rows(store, store.rows()).to_vec();
        let there = if split.local {
            query.rows(store, &found).to_vec()
        } else {
            found.to_vec()
        };
        assert_eq!(there, here, "{typed} | {}", split.filter);
    });
    checked.buffered(WIDTH).collect::<Vec<()>>().await;
}
