//! Live runs before a real MLflow: what is heard, by whom, and what it costs.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{
    app::{Caller, Mlflow, TestApp, fresh},
    counted::Counted,
};

const LONG: Duration = Duration::from_secs(60);
/// What MLflow is asked at each look.
const LOOK: &str = "status = 'RUNNING'";

/// What somebody hears.
struct Heard {
    pieces: std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    text: String,
}

#[derive(Debug)]
struct Event {
    id: String,
    /// Empty for what only keeps the connection open.
    name: String,
    data: Value,
}

async fn done(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn refused(answer: Response, status: u16, part: &str) {
    let was = answer.status().as_u16();
    assert_eq!(was, status);
    let text = answer.text().await.unwrap();
    assert!(text.contains(part), "{text}");
}

fn path(experiment: &str) -> String {
    format!("/api/flowdeck/v1/experiments/{experiment}/live")
}

async fn experiment(caller: &Caller) -> String {
    let made = caller.post("/api/2.0/mlflow/experiments/create", json!({ "name": fresh("live") }));
    done(made.await).await["experiment_id"].as_str().unwrap().to_owned()
}

async fn run(caller: &Caller, experiment: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    let made = caller.post(
        "/api/2.0/mlflow/runs/create",
        json!({ "experiment_id": experiment, "start_time": now }),
    );
    done(made.await).await["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

async fn call(caller: &Caller, route: &str, body: Value) {
    done(caller.post(&format!("/api/2.0/mlflow/{route}"), body).await).await;
}

async fn end(caller: &Caller, run: &str) {
    call(caller, "runs/update", json!({ "run_id": run, "status": "FINISHED", "end_time": 9 })).await;
}

/// The owner's call, of which Flowdeck knows nothing.
async fn past(route: &str, body: Value) {
    let mlflow = Mlflow::shared();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = mlflow.url.join(&format!("/api/2.0/mlflow/{route}")).unwrap();
    let call = http.post(url).basic_auth("admin", Some(&mlflow.admin_password)).json(&body);
    done(call.send().await.unwrap()).await;
}

async fn deny(app: &TestApp, user: &str, kind: &str, id: &str) {
    let wanted = json!({ "username": user, "resource_type": kind, "resource_id": id, "permission": "DENY" });
    done(app.admin().post("/api/3.0/mlflow/users/permissions/grant", wanted).await).await;
}

async fn key(caller: &Caller) -> Value {
    let made = caller
        .post("/api/flowdeck/v1/keys", json!({ "name": "live", "scopes": ["read"] }))
        .await;
    assert_eq!(made.status(), StatusCode::CREATED);
    made.json().await.unwrap()
}

// === impl Heard ===

impl Heard {
    async fn begin(caller: &Caller, experiment: &str) -> Self {
        let mut heard = Self::since(caller, experiment, "").await;
        assert_eq!(heard.named("hello").await.data["cursor"].as_str().map(str::is_empty), Some(false));
        heard
    }

    async fn since(caller: &Caller, experiment: &str, cursor: &str) -> Self {
        let answer = caller.get(&format!("{}?since={cursor}", path(experiment))).await;
        assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            pieces: Box::pin(answer.bytes_stream()),
            text: String::new(),
        }
    }

    /// The next event or sign of life; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
                };
                let (id, name, data) = (field("id: "), field("event: "), field("data: "));
                let data = serde_json::from_str(&data).unwrap_or_default();
                self.text = rest.to_owned();
                return Some(Event { id, name, data });
            }
            let piece = timeout(LONG, self.pieces.next()).await.expect("something is heard")?;
            self.text.push_str(std::str::from_utf8(&piece.ok()?).unwrap());
        }
    }

    async fn named(&mut self, name: &str) -> Event {
        loop {
            let event = timeout(LONG, self.next()).await.unwrap_or_else(|_| panic!("no {name}"));
            let event = event.unwrap_or_else(|| panic!("the end before {name}"));
            if event.name == name {
                return event;
            }
            assert!(event.name.is_empty() || event.name == "runs", "{event:?} before {name}");
        }
    }

    /// The run of the next change of this kind, and the id of its event. Changes of metrics may be told in between.
    async fn change(&mut self, what: &str, run: &str) -> (Value, String) {
        loop {
            let event = self.named("runs").await;
            for change in event.data["changes"].as_array().unwrap() {
                if change["what"] == what && change["run"]["info"]["run_id"] == run {
                    return (change["run"].clone(), event.id);
                }
                assert_eq!(change["what"], "changed", "{change} before {what} of {run}");
            }
        }
    }

    /// The reason, behind which nothing comes.
    async fn end(&mut self) -> String {
        let event = self.named("end").await;
        assert!(event.data["message"].as_str().is_some_and(|message| !message.is_empty()));
        assert!(self.next().await.is_none());
        event.data["reason"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn what_becomes_of_runs_is_heard() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.session().await, app.basic().await);
    let id = experiment(&alice).await;
    let old = run(&alice, &id).await;
    end(&alice, &old).await;
    let mut heard = Heard::begin(&bob, &id).await;

    let new = run(&alice, &id).await;
    heard.change("created", &new).await;
    call(
        &alice,
        "runs/log-metric",
        json!({ "run_id": new, "key": "loss", "value": 0.5, "timestamp": 1, "step": 3 }),
    )
    .await;
    let (told, _) = heard.change("changed", &new).await;
    assert_eq!(told["data"]["metrics"][0]["value"], 0.5);
    end(&alice, &new).await;
    let (told, _) = heard.change("ended", &new).await;
    assert_eq!(told["info"]["status"], "FINISHED");
    // Those that have ended are looked at when they are changed by way of Flowdeck.
    call(&alice, "runs/update", json!({ "run_id": new, "run_name": "renamed" })).await;
    heard.change("renamed", &new).await;
    call(&alice, "runs/set-tag", json!({ "run_id": new, "key": "k", "value": "v" })).await;
    heard.change("changed", &new).await;
    call(&alice, "runs/delete", json!({ "run_id": new })).await;
    let (told, _) = heard.change("deleted", &new).await;
    assert_eq!(told["info"]["lifecycle_stage"], "deleted");
    call(&alice, "runs/restore", json!({ "run_id": new })).await;
    heard.change("restored", &new).await;
    call(&alice, "runs/set-tag", json!({ "run_id": old, "key": "k", "value": "v" })).await;
    heard.change("changed", &old).await;
}

#[tokio::test]
async fn a_made_up_id_disturbs_nobody() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.session().await, app.session().await);
    let id = experiment(&alice).await;
    let going = run(&alice, &id).await;
    let mut heard = Heard::begin(&alice, &id).await;
    let model = fresh("model");
    call(&mallory, "registered-models/create", json!({ "name": model })).await;
    for made_up in ["x') OR attributes.run_id != ('", "'", "\"", "00000000000000000000000000000000"] {
        // Some of them MLflow takes.
        let version = json!({ "name": model, "source": "s3://a/b", "run_id": made_up });
        mallory.post("/api/2.0/mlflow/model-versions/create", version).await;
        call(
            &alice,
            "runs/log-metric",
            json!({ "run_id": going, "key": "loss", "value": 1, "timestamp": 1 }),
        )
        .await;
        call(&alice, "runs/set-tag", json!({ "run_id": going, "key": "k", "value": made_up })).await;
        heard.change("changed", &going).await;
    }
    end(&alice, &going).await;
    heard.change("ended", &going).await;
}

#[tokio::test]
async fn runs_that_come_and_go_between_two_looks_are_heard_too() {
    let mlflow = Counted::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let admin = app.admin();
    let id = experiment(&admin).await;
    let mut all = Vec::new();
    for _ in 0..12 {
        let run = run(&admin, &id).await;
        end(&admin, &run).await;
        all.push(run);
    }
    let mut heard = Heard::begin(&admin, &id).await;
    // Looks of either kind: who reviews the newest runs could see one while it goes on.
    mlflow.hold(Some("max_results"));
    let mut short = Vec::new();
    for _ in 0..15 {
        let run = run(&admin, &id).await;
        end(&admin, &run).await;
        short.push(run);
    }
    mlflow.hold(None);
    let mut created = Vec::new();
    while created.len() < short.len() {
        for change in heard.named("runs").await.data["changes"].as_array().unwrap() {
            let run = change["run"]["info"]["run_id"].as_str().unwrap().to_owned();
            assert!(change["what"] == "created" && !all.contains(&run), "{change}");
            created.push(run);
        }
    }
    created.sort();
    short.sort();
    assert_eq!(created, short);
}

#[tokio::test]
async fn what_others_do_past_flowdeck_to_runs_that_have_ended_is_heard() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let id = experiment(&admin).await;
    let old = run(&admin, &id).await;
    end(&admin, &old).await;
    // Behind all those that are looked at each time.
    for _ in 0..12 {
        let run = run(&admin, &id).await;
        end(&admin, &run).await;
    }
    let mut heard = Heard::begin(&admin, &id).await;
    past("runs/update", json!({ "run_id": old, "run_name": "renamed" })).await;
    heard.change("renamed", &old).await;
    past("runs/set-tag", json!({ "run_id": old, "key": "team", "value": "x" })).await;
    heard.change("changed", &old).await;
    past("runs/delete", json!({ "run_id": old })).await;
    heard.change("deleted", &old).await;
    past("runs/restore", json!({ "run_id": old })).await;
    heard.change("restored", &old).await;
}

#[tokio::test]
async fn what_was_changed_before_it_was_looked_at_the_first_time_is_heard_too() {
    let app = TestApp::start().await;
    let ann = app.session().await;
    let id = experiment(&ann).await;
    let oldest = run(&ann, &id).await;
    end(&ann, &oldest).await;
    // More than the first look sees.
    for _ in 0..50 {
        futures::future::join_all((0..10).map(|_| run(&ann, &id))).await;
    }
    let page = format!("/api/flowdeck/v1/experiments/{id}/runs/page");
    done(ann.post(&page, json!({ "max_results": 1000 })).await).await;
    let mut heard = Heard::begin(&ann, &id).await;
    past("runs/update", json!({ "run_id": oldest, "run_name": "renamed" })).await;
    let (told, _) = heard.change("changed", &oldest).await;
    assert_eq!(told["info"]["run_name"], "renamed");
}

#[tokio::test]
async fn many_who_watch_cost_one_look() {
    let mlflow = Counted::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let admin = app.admin();
    let id = experiment(&admin).await;
    let mut listeners = Vec::new();
    for _ in 0..5 {
        let user = app.session().await;
        listeners.push(Heard::begin(&user, &id).await);
    }
    // A look that is not answered: in the time of many looks, there is no other. The last that was answered may still be counted.
    mlflow.hold(Some(LOOK));
    timeout(LONG, async {
        loop {
            mlflow.take(LOOK);
            for heard in &mut listeners {
                for _ in 0..3 {
                    assert_eq!(heard.next().await.unwrap().name, "");
                }
            }
            if mlflow.take(LOOK) == 0 {
                break;
            }
        }
    })
    .await
    .expect("nobody looks while a look is not answered");
    let new = run(&admin, &id).await;
    mlflow.hold(None);
    let mut ids = Vec::new();
    for heard in &mut listeners {
        ids.push(heard.change("created", &new).await.1);
    }
    // All have heard the very same event.
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");

    drop(listeners);
    // Nobody watches: MLflow is left alone.
    timeout(LONG, async {
        loop {
            mlflow.forget();
            sleep(Duration::from_secs(1)).await;
            if mlflow.take(LOOK) == 0 {
                return;
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn only_who_may_read_the_runs_hears_of_them() {
    let app = TestApp::start().await;
    let (alice, mallory, eve) = (app.session().await, app.session().await, app.session().await);
    let (id, empty) = (experiment(&alice).await, experiment(&alice).await);
    let known = run(&alice, &id).await;
    deny(&app, &mallory.user, "experiment", &id).await;
    deny(&app, &eve.user, "run", "*").await;
    let nothing = "no such experiment, or MLflow does not let you read it";
    refused(mallory.get(&path(&id)).await, 404, nothing).await;
    refused(alice.get(&path("999999999")).await, 404, nothing).await;
    refused(alice.get(&path("x'y")).await, 404, nothing).await;
    let _knows = Heard::begin(&alice, &id).await;
    refused(eve.get(&path(&id)).await, 403, "runs of this experiment").await;
    refused(app.anonymous().get(&path(&id)).await, 401, "sign in").await;
    refused(app.known(&alice.user, "wrong password").get(&path(&id)).await, 401, "does not know").await;

    // Where there is no run yet, it shows with the first.
    let mut early = Heard::begin(&eve, &empty).await;
    let mut heard = Heard::begin(&alice, &empty).await;
    let new = run(&alice, &empty).await;
    heard.change("created", &new).await;
    assert_eq!(early.end().await, "refused");

    // Who sees nothing and comes first spoils nothing for who comes after.
    let quiet = experiment(&alice).await;
    let made = json!({ "experiment_id": quiet, "start_time": 1 });
    let made = done(alice.post("/api/2.0/mlflow/runs/create", made).await).await;
    let old = made["run"]["info"]["run_id"].as_str().unwrap();
    let mut early = Heard::begin(&eve, &quiet).await;
    let mut heard = Heard::begin(&alice, &quiet).await;
    call(
        &alice,
        "runs/log-metric",
        json!({ "run_id": old, "key": "loss", "value": 1, "timestamp": 1 }),
    )
    .await;
    heard.change("changed", old).await;
    end(&alice, old).await;
    heard.change("ended", old).await;
    assert_eq!(early.end().await, "refused");

    // Whoever may not any more hears nothing more, and spoils nothing for others.
    let bob = app.session().await;
    let (mut heard, mut bobs) = (Heard::begin(&alice, &id).await, Heard::begin(&bob, &id).await);
    call(
        &alice,
        "runs/log-metric",
        json!({ "run_id": known, "key": "loss", "value": 1, "timestamp": 1 }),
    )
    .await;
    heard.change("changed", &known).await;
    bobs.change("changed", &known).await;
    deny(&app, &bob.user, "experiment", &id).await;
    assert_eq!(bobs.end().await, "refused");
    end(&alice, &known).await;
    heard.change("ended", &known).await;
}

#[tokio::test]
async fn a_stream_ends_with_what_it_was_begun_with() {
    let app = TestApp::start().await;
    let alice = app.session().await;
    let id = experiment(&alice).await;
    let other = app.sign_in(&alice.user, &alice.password).await;
    let mut by_session = Heard::begin(&other, &id).await;
    assert_eq!(other.form("/logout", &[]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(by_session.end().await, "session");

    let key = key(&alice).await;
    let program = app.key(&alice.user, key["key"].as_str().unwrap());
    let mut by_key = Heard::begin(&program, &id).await;
    let revoke = format!("/api/flowdeck/v1/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(alice.request("DELETE", &revoke).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(by_key.end().await, "key");

    let mut at_the_end = Heard::begin(&alice, &id).await;
    drop(app);
    assert_eq!(at_the_end.end().await, "stopping");
}

#[tokio::test]
async fn streams_are_bounded_and_take_no_calls_place() {
    let app = TestApp::with(&["--user-calls", "1"]).await;
    let (alice, bob) = (app.session().await, app.session().await);
    let id = experiment(&alice).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(Heard::begin(&alice, &id).await);
    }
    refused(alice.get(&path(&id)).await, 429, "8 experiments at the same time").await;
    assert_eq!(alice.get("/api/2.0/mlflow/users/current").await.status(), StatusCode::OK);
    Heard::begin(&bob, &id).await;
    streams.pop();
    timeout(LONG, async {
        while alice.get(&path(&id)).await.status() != StatusCode::OK {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    // Each is a row of the audit once it has ended.
    drop(streams);
    let rows = format!("/api/flowdeck/v1/audit?user={}&experiment={id}&status=200&method=GET", alice.user);
    timeout(LONG, async {
        loop {
            let told = done(app.admin().get(&rows).await).await;
            let rows = told["rows"].as_array().unwrap().len();
            assert!(rows <= 9, "{told}");
            if rows == 9 {
                assert_eq!(told["rows"][0]["route"], "/api/flowdeck/v1/experiments/{id}/live");
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn who_was_cut_off_hears_what_was_missed() {
    let app = TestApp::start().await;
    let alice = app.session().await;
    let id = experiment(&alice).await;
    let mut heard = Heard::begin(&alice, &id).await;
    let first = run(&alice, &id).await;
    let (_, cursor) = heard.change("created", &first).await;
    drop(heard);
    let second = run(&alice, &id).await;
    let mut again = Heard::since(&alice, &id, &cursor).await;
    assert_eq!(again.named("hello").await.data["cursor"], cursor);
    again.change("created", &second).await;

    let mut lost = Heard::since(&alice, &id, "0000000000000000-7").await;
    lost.named("hello").await;
    let reset = lost.named("reset").await;
    let third = run(&alice, &id).await;
    lost.change("created", &third).await;
    assert!(!reset.id.is_empty());
    refused(alice.get(&format!("{}?since=now", path(&id))).await, 400, "since=").await;
    let header = alice.request("GET", &path(&id)).header("last-event-id", "x");
    refused(header.send().await.unwrap(), 400, "since=").await;
}

#[tokio::test]
async fn an_mlflow_that_goes_away_and_comes_back_is_told() {
    let mlflow = Counted::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let admin = app.admin();
    let id = experiment(&admin).await;
    let first = run(&admin, &id).await;
    let mut heard = Heard::begin(&admin, &id).await;
    mlflow.away(true);
    heard.named("away").await;
    mlflow.away(false);
    heard.named("back").await;
    end(&admin, &first).await;
    heard.change("ended", &first).await;
    mlflow.away(true);
    refused(admin.get(&path(&id)).await, 502, "cannot be reached").await;
}
