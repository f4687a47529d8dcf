//! All runs of an experiment at once, as they were last seen, and page by page as a real MLflow tells them.

use app::table::{
    column::{Attribute, Cell, Family, Name, Stat},
    copy::Copy,
    load::Reading,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::app::{Caller, TestApp, fresh};

async fn done(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn call(caller: &Caller, route: &str, body: Value) -> Value {
    done(caller.post(&format!("/api/2.0/mlflow/{route}"), body).await).await
}

/// An experiment whose runs began at 1, 2, 3 … ms.
async fn experiment(caller: &Caller, runs: u64) -> (String, Vec<String>) {
    let made = call(caller, "experiments/create", json!({ "name": fresh("kept") })).await;
    let experiment = made["experiment_id"].as_str().unwrap().to_owned();
    let mut ids = Vec::new();
    for at in 1..=runs {
        ids.push(run(caller, &experiment, at).await);
    }
    (experiment, ids)
}

async fn run(caller: &Caller, experiment: &str, at: u64) -> String {
    let wanted = json!({ "experiment_id": experiment, "start_time": at, "run_name": format!("run {at}") });
    let made = call(caller, "runs/create", wanted).await;
    made["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

fn path(experiment: &str, what: &str) -> String {
    format!("/api/flowdeck/v1/experiments/{experiment}/runs/{what}")
}

async fn page(caller: &Caller, experiment: &str, asked: Value) -> Value {
    done(caller.post(&path(experiment, "page"), asked).await).await
}

/// `None` where nothing is told.
async fn copy(caller: &Caller, experiment: &str) -> Option<Copy> {
    let answer = caller.get(&path(experiment, "copy")).await;
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    match status {
        StatusCode::NO_CONTENT => None,
        status => {
            assert_eq!(status, StatusCode::OK, "{bytes:?}");
            Some(Copy::read(&bytes).expect("a copy"))
        }
    }
}

async fn status(answer: Response, status: u16) {
    let was = answer.status().as_u16();
    assert_eq!(was, status, "{}", answer.text().await.unwrap());
}

/// The ids in an answer, or the number of what is as it was.
fn told(page: &Value) -> Vec<String> {
    let runs = page["runs"].as_array().unwrap().iter();
    runs.map(|run| match run.as_u64() {
        Some(number) => number.to_string(),
        None => run["info"]["run_id"].as_str().unwrap().to_owned(),
    })
    .collect()
}

#[tokio::test]
async fn what_one_has_seen_the_next_has_at_once_and_hears_what_has_changed() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let (experiment, ids) = experiment(&user, 5).await;
    call(
        &user,
        "runs/log-metric",
        json!({ "run_id": ids[0], "key": "loss", "value": 0.25, "step": 3, "timestamp": 1 }),
    )
    .await;
    assert!(copy(&user, &experiment).await.is_none(), "nobody has looked yet");

    let first = page(&user, &experiment, json!({ "max_results": 3 })).await;
    assert_eq!(told(&first), [&*ids[4], &ids[3], &ids[2]]);
    assert!(first["next_page_token"].is_string() && first["size"].as_u64().unwrap() > 500);
    let some = copy(&user, &experiment).await.unwrap();
    assert_eq!((some.as_of, some.store.len()), (None, 3), "not all of them were seen");
    let last = page(&user, &experiment, json!({ "max_results": 3, "until": 3 })).await;
    assert_eq!(told(&last), [&*ids[2], &ids[1], &ids[0]]);
    assert!(last["next_page_token"].is_null());

    let Copy { mark, as_of, mut store } = copy(&app.admin(), &experiment).await.unwrap();
    assert!(as_of.is_some());
    assert_eq!(store.len(), 5);
    let row = store.row(&ids[0]).unwrap();
    assert_eq!(store.cell(row, &Name::new(Family::Metric(Stat::Last), "loss")), Cell::Number(0.25));
    assert_eq!(store.cell(row, &Attribute::Name.name()), Cell::Text("run 1"));

    // Past Flowdeck or not: MLflow is asked.
    call(&user, "runs/set-tag", json!({ "run_id": ids[1], "key": "team", "value": "a" })).await;
    call(&user, "runs/delete", json!({ "run_id": ids[3] })).await;
    let new = run(&user, &experiment, 9).await;
    let again = page(&app.admin(), &experiment, json!({ "max_results": 1000, "since": mark })).await;
    let expected = [&*new, "0", "2", &ids[1], "4"];
    assert_eq!(told(&again), expected);
    let asked = store.generation();
    let mut reading = Reading::new(again.to_string().into_bytes(), asked);
    assert!(reading.go_on(&mut store, &mut || false).unwrap());
    let loaded = reading.loaded();
    assert_eq!(
        (loaded.rows.len(), loaded.added, loaded.changed, loaded.doubtful.len()),
        (5, 1, 1, 0)
    );
    let now = copy(&user, &experiment).await.unwrap();
    assert!(
        now.store.row(&ids[3]).is_none() && now.store.row(&new).is_some(),
        "{:?}",
        now.store.rows()
    );

    // A mark of another Flowdeck's says nothing.
    let foreign = page(
        &user,
        &experiment,
        json!({ "max_results": 1000, "since": format!("{:016x}-99", 7) }),
    )
    .await;
    assert!(told(&foreign).iter().all(|told| told.len() == 32));
}

#[tokio::test]
async fn who_may_not_read_the_runs_gets_none() {
    let app = TestApp::start().await;
    let owner = app.session().await;
    let (experiment, _) = experiment(&owner, 2).await;
    page(&owner, &experiment, json!({ "max_results": 10 })).await;
    for (kind, id) in [("experiment", &*experiment), ("run", "*")] {
        let user = app.session().await;
        assert!(
            copy(&user, &experiment).await.is_some(),
            "MLflow lets everybody read, where nothing is said"
        );
        let deny = json!({ "username": user.user, "resource_type": kind, "resource_id": id, "permission": "DENY" });
        done(app.admin().post("/api/3.0/mlflow/users/permissions/grant", deny).await).await;
        assert!(copy(&user, &experiment).await.is_none(), "{kind}");
        assert_eq!(page(&user, &experiment, json!({ "max_results": 10 })).await["runs"], json!([]));
    }
    assert_eq!(
        copy(&owner, &experiment).await.unwrap().store.len(),
        2,
        "nothing is gone because one may not see it"
    );

    status(app.anonymous().get(&path(&experiment, "copy")).await, 401).await;
    status(
        app.anonymous().post(&path(&experiment, "page"), json!({ "max_results": 1 })).await,
        401,
    )
    .await;
    for (settings, expected) in [
        (json!({ "name": "read", "scopes": ["read"] }), 200),
        (json!({ "name": "narrow", "scopes": ["read"], "experiments": [experiment] }), 403),
        (json!({ "name": "write", "scopes": ["write"] }), 403),
    ] {
        let made = owner.post("/api/flowdeck/v1/keys", settings).await;
        let key: Value = made.json().await.unwrap();
        let program = app.key(&owner.user, key["key"].as_str().unwrap());
        status(program.get(&path(&experiment, "copy")).await, expected).await;
        status(
            program.post(&path(&experiment, "page"), json!({ "max_results": 1 })).await,
            expected,
        )
        .await;
    }
}

#[tokio::test]
async fn bad_questions_are_refused_and_those_about_nothing_answered_with_nothing() {
    let app = TestApp::start().await;
    let user = app.session().await;
    for asked in [
        json!({}),
        json!({ "max_results": 0 }),
        json!({ "max_results": 1001 }),
        json!({ "max_results": -1 }),
        json!({ "max_results": 1, "since": "x" }),
        json!({ "max_results": 1, "until": "yesterday" }),
        json!({ "max_results": 1, "page_token": "x".repeat(2000) }),
        json!({ "max_results": 1, "run_view_type": "SOME" }),
        json!({ "max_results": 1, "filter": "1 = 1" }),
    ] {
        status(user.post(&path("0", "page"), asked).await, 400).await;
    }
    status(user.get(&format!("{}?run_view_type=SOME", path("0", "copy"))).await, 400).await;
    for nowhere in ["987654321", "..", "a%2Fb", "%00"] {
        let answer = user.get(&path(nowhere, "copy")).await.status().as_u16();
        assert!([204, 400, 404].contains(&answer), "{nowhere}: {answer}");
        let answer = user.post(&path(nowhere, "page"), json!({ "max_results": 1 })).await;
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(
            [400, 404].contains(&status) || text.starts_with("{\"runs\":[],"),
            "{nowhere}: {status} {text}"
        );
    }
    let strange = user
        .post(&path("0", "page"), json!({ "max_results": 1, "page_token": "none of MLflow's" }))
        .await;
    assert!(!strange.status().is_server_error(), "{}", strange.text().await.unwrap());
}
