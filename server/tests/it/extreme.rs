//! Extremes of metrics, from a real MLflow's histories.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    app::{Caller, TestApp, fresh},
    counted::Counted,
};

const EXTREMES: &str = "/api/flowdeck/v1/metrics/extremes";

async fn json(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"))
}

async fn lines(answer: Response) -> Vec<Value> {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn done(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn experiment(caller: &Caller) -> String {
    let made = caller.post("/api/2.0/mlflow/experiments/create", json!({ "name": fresh("extreme") }));
    done(made.await).await["experiment_id"].as_str().unwrap().to_owned()
}

async fn run(caller: &Caller, experiment: &str) -> String {
    let made = caller.post(
        "/api/2.0/mlflow/runs/create",
        json!({ "experiment_id": experiment, "start_time": 1 }),
    );
    done(made.await).await["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

/// Logs values at the steps 0, 1, 2 …
async fn log(caller: &Caller, run: &str, metric: &str, values: &[Value]) {
    let metrics = values.iter().enumerate();
    let metrics = metrics.map(|(step, value)| json!({ "key": metric, "value": value, "step": step, "timestamp": step + 1 }));
    let metrics: Vec<_> = metrics.collect();
    for metrics in metrics.chunks(1000) {
        let body = json!({ "run_id": run, "metrics": metrics });
        done(caller.post("/api/2.0/mlflow/runs/log-batch", body).await).await;
    }
}

async fn end(caller: &Caller, run: &str) {
    let body = json!({ "run_id": run, "status": "FINISHED", "end_time": 9 });
    done(caller.post("/api/2.0/mlflow/runs/update", body).await).await;
}

fn numbers(values: &[f64]) -> Vec<Value> {
    values.iter().map(|value| json!(value)).collect()
}

#[tokio::test]
async fn all_that_was_logged_counts() {
    let app = TestApp::start().await;
    let alice = app.session().await;
    let id = experiment(&alice).await;
    let (first, second) = (run(&alice, &id).await, run(&alice, &id).await);
    log(&alice, &first, "loss", &numbers(&[3.0, 0.1, 0.5, 0.1, 2.0])).await;
    log(&alice, &second, "loss", &[json!("NaN"), json!(-1.5), json!("NaN")]).await;
    log(&alice, &second, "only/nan", &[json!("NaN")]).await;
    end(&alice, &first).await;
    let wanted = json!({ "runs": [second, "0123456789abcdef0123456789abcdef", first, second], "metrics": ["loss", "only/nan", "none"] });
    let expected = [
        json!({ "run": second, "metrics": {
            "loss": { "count": 3, "min": -1.5, "min_step": 1, "max": -1.5, "max_step": 1, "first": "NaN", "last": "NaN" },
            "only/nan": { "count": 1, "min": null, "min_step": null, "max": null, "max_step": null, "first": "NaN", "last": "NaN" },
        } }),
        json!({ "run": first, "metrics": {
            "loss": { "count": 5, "min": 0.1, "min_step": 1, "max": 3.0, "max_step": 0, "first": 3.0, "last": 2.0 },
        } }),
    ];
    assert_eq!(lines(alice.post(EXTREMES, wanted.clone()).await).await, expected);
    // And with what is kept of it, which comes first, where the experiments are told.
    let mut wanted = wanted;
    wanted["experiments"] = json!([id]);
    let [running, ended] = expected;
    assert_eq!(lines(alice.post(EXTREMES, wanted).await).await, [ended, running]);
}

#[tokio::test]
async fn what_has_ended_is_kept_until_mlflow_tells_something_else() {
    let mlflow = Counted::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let admin = app.admin();
    let id = experiment(&admin).await;
    let (ended, running) = (run(&admin, &id).await, run(&admin, &id).await);
    for run in [&ended, &running] {
        log(&admin, run, "loss", &numbers(&[2.0, 1.0])).await;
    }
    end(&admin, &ended).await;
    let ask = async |run: &str| {
        mlflow.forget();
        let wanted = json!({ "runs": [run], "metrics": ["loss"], "experiments": [id] });
        let lines = lines(admin.post(EXTREMES, wanted).await).await;
        assert_eq!(mlflow.take("runs/search"), 1);
        (
            lines[0]["metrics"]["loss"]["count"].as_u64().unwrap(),
            mlflow.take("get-history-bulk"),
        )
    };
    assert_eq!(ask(&ended).await, (2, 1));
    assert_eq!(ask(&ended).await, (2, 0));
    // A run that goes on is looked at each time.
    assert_eq!(ask(&running).await, (2, 1));
    assert_eq!(ask(&running).await, (2, 1));
    log(&admin, &ended, "loss", &numbers(&[2.0, 1.0, 5.0])).await;
    assert_eq!(ask(&ended).await, (3, 1));
    assert_eq!(ask(&ended).await, (3, 0));
    // One that was taken up again has not ended.
    let again = json!({ "run_id": ended, "status": "RUNNING" });
    done(admin.post("/api/2.0/mlflow/runs/update", again).await).await;
    assert_eq!(ask(&ended).await, (3, 1));
}

#[tokio::test]
async fn what_is_known_comes_before_what_has_to_be_found() {
    let mlflow = Counted::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let admin = app.admin();
    let id = experiment(&admin).await;
    let (known, running) = (run(&admin, &id).await, run(&admin, &id).await);
    for run in [&known, &running] {
        log(&admin, run, "loss", &numbers(&[1.0])).await;
    }
    end(&admin, &known).await;
    let wanted = json!({ "runs": [running, known], "metrics": ["loss"], "experiments": [id] });
    lines(admin.post(EXTREMES, wanted.clone()).await).await;
    mlflow.hold(Some("get-history-bulk"));
    let asked = admin.request("POST", EXTREMES).header("accept-encoding", "gzip").json(&wanted);
    let mut answer = asked.send().await.unwrap();
    let first = answer.chunk().await.unwrap().unwrap();
    let first: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(first["run"], known.as_str());
    // MLflow goes away in the middle: that is told, and not taken for the end.
    mlflow.away(true);
    mlflow.hold(None);
    let last: Value = serde_json::from_slice(&answer.chunk().await.unwrap().unwrap()).unwrap();
    assert_eq!(last["error"]["error_code"], "TEMPORARILY_UNAVAILABLE");
    assert!(answer.chunk().await.unwrap().is_none());
}

#[tokio::test]
async fn what_one_may_not_see_is_not_there_also_where_it_is_known() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.session().await, app.session().await);
    let (own, others) = (experiment(&mallory).await, experiment(&alice).await);
    let deny = json!({ "username": mallory.user, "resource_type": "experiment", "resource_id": others, "permission": "DENY" });
    done(app.admin().post("/api/3.0/mlflow/users/permissions/grant", deny).await).await;
    let (mine, secret) = (run(&mallory, &own).await, run(&alice, &others).await);
    for (caller, run) in [(&mallory, &mine), (&alice, &secret)] {
        log(caller, run, "loss", &numbers(&[1.0])).await;
        end(caller, run).await;
    }
    let wanted = json!({ "runs": [secret, mine], "metrics": ["loss"] });
    assert_eq!(lines(alice.post(EXTREMES, wanted.clone()).await).await.len(), 2);
    for experiments in [json!([]), json!([own, others]), json!([others])] {
        let mut wanted = wanted.clone();
        wanted["experiments"] = experiments.clone();
        let seen = lines(mallory.post(EXTREMES, wanted).await).await;
        let expected = if experiments == json!([others]) {
            vec![]
        } else {
            vec![json!(mine)]
        };
        assert_eq!(
            seen.iter().map(|line| line["run"].clone()).collect::<Vec<_>>(),
            expected,
            "{experiments}"
        );
    }
    let stranger = app.known(&mallory.user, "wrong password");
    assert_eq!(stranger.post(EXTREMES, wanted.clone()).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(app.anonymous().post(EXTREMES, wanted).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn long_histories_are_read_to_their_end() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let id = experiment(&admin).await;
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.push(run(&admin, &id).await);
    }
    runs.sort();
    // More than MLflow tells of several runs at once, in the midst of them, and more than it tells of one.
    let values: Vec<Value> = (0..26_000).map(|step| json!(f64::from((step + 13_000) % 26_000))).collect();
    log(&admin, &runs[2], "loss", &values).await;
    for number in [0, 1, 3, 4] {
        log(&admin, &runs[number], "loss", &numbers(&[number as f64, 7.0])).await;
    }
    let wanted = json!({ "runs": runs, "metrics": ["loss"], "experiments": [id] });
    let told = lines(admin.post(EXTREMES, wanted).await).await;
    assert_eq!(told.len(), 5);
    for (number, line) in told.iter().enumerate() {
        let expected = match number {
            2 => json!({
                "count": 26_000, "min": 0.0, "min_step": 13_000, "max": 25_999.0, "max_step": 12_999, "first": 13_000.0, "last": 12_999.0,
            }),
            _ => json!({ "count": 2, "min": number as f64, "min_step": 0, "max": 7.0, "max_step": 1, "first": number as f64, "last": 7.0 }),
        };
        assert_eq!(line["metrics"]["loss"], expected, "{number}");
    }
}

#[tokio::test]
async fn a_question_is_bounded_and_an_mlflow_that_is_away_is_told() {
    let mlflow = Counted::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let admin = app.admin();
    for (wanted, part) in [
        (json!({ "runs": vec!["a"; 201], "metrics": [] }), "`runs`"),
        (json!({ "runs": ["a' OR 1=1"], "metrics": ["m"] }), "`runs`"),
        (json!({ "runs": ["a"], "metrics": vec!["m"; 51] }), "`metrics`"),
        (json!({ "runs": ["a"], "metrics": ["m".repeat(251)] }), "`metrics`"),
        (json!({ "runs": ["a"], "metrics": ["m"], "experiments": ["x"] }), "`experiments`"),
        (json!({ "runs": ["a"], "metrics": ["m"], "more": 1 }), "more"),
    ] {
        let answer = admin.post(EXTREMES, wanted).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let message = json(answer).await["message"].as_str().unwrap().to_owned();
        assert!(message.contains(part), "{message}");
    }
    assert!(
        lines(admin.post(EXTREMES, json!({ "runs": [], "metrics": ["m"] })).await)
            .await
            .is_empty()
    );
    mlflow.away(true);
    let wanted = json!({ "runs": ["a"], "metrics": ["m"], "experiments": ["1"] });
    assert_eq!(admin.post(EXTREMES, wanted).await.status(), StatusCode::BAD_GATEWAY);
}
