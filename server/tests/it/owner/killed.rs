//! Flowdeck is killed in the middle of a change of many edits: when it is there again, MLflow has all of it or nothing, and the journal says
//! which.

use std::{path::Path, time::Duration};

use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect::Policy};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    V1, apply, experiment,
    flaky::{Flaky, Hold},
    good, grant, held,
};
use crate::{
    app::{Caller, TestApp, fresh},
    audit::Flowdeck,
};

const LONG: Duration = Duration::from_secs(60);
const EDITS: usize = 12;

/// A Flowdeck that is killed and comes back, and one that stays.
struct Scene<'a> {
    data: &'a Path,
    flaky: Flaky,
    url: Url,
    /// Before the one that stays.
    admin: Caller,
    http: Client,
}

/// The change that was stopped.
struct Stopped {
    flowdeck: Flowdeck,
    id: String,
}

// === impl Scene ===

impl<'a> Scene<'a> {
    async fn begin(app: &TestApp, data: &'a Path) -> Self {
        let (flaky, url) = Flaky::start().await;
        Self {
            data,
            flaky,
            url,
            admin: app.admin(),
            http: Client::builder().no_proxy().redirect(Policy::none()).build().unwrap(),
        }
    }

    fn call(&self, flowdeck: &Flowdeck, by: &Caller, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{V1}{path}", flowdeck.origin);
        let request = self.http.request(method.parse().unwrap(), url);
        request.basic_auth(&by.user, Some(&by.password))
    }

    async fn get(&self, flowdeck: &Flowdeck, path: &str) -> Value {
        good(self.call(flowdeck, &self.admin, "GET", path).send().await.unwrap()).await
    }

    async fn post(&self, flowdeck: &Flowdeck, path: &str) -> Value {
        good(self.call(flowdeck, &self.admin, "POST", path).send().await.unwrap()).await
    }

    /// Their password is kept from here on.
    async fn sign_in(&self, by: &Caller) {
        let flowdeck = Flowdeck::start(self.data, &self.url).await;
        let body = format!("name={}&password={}", by.user, app::route::escape(&by.password));
        let request = self
            .http
            .post(format!("{}/login", flowdeck.origin))
            .header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::SEE_OTHER);
    }

    /// Lets somebody make a change, and stops it.
    async fn stop(&self, by: &Caller, edits: &Value, hold: Hold) -> Stopped {
        let flowdeck = Flowdeck::start(self.data, &self.url).await;
        let wish = json!({ "edits": edits, "reason": "a test" });
        let request = self.call(&flowdeck, by, "POST", "/changes").json(&wish);
        self.stop_in(flowdeck, request, hold).await
    }

    async fn send(&self, flowdeck: &Flowdeck, method: &str, path: &str, body: &Value) -> Value {
        let request = self.call(flowdeck, &self.admin, method, path).json(body);
        good(request.send().await.unwrap()).await
    }

    /// Makes a user with a grant on an experiment, deletes them, lets that be taken back, and stops it.
    async fn stop_return(&self, name: &str, kind: &str, id: &str, hold: Hold) -> Stopped {
        let flowdeck = Flowdeck::start(self.data, &self.url).await;
        let wish = json!({ "name": name, "service": kind == "service" });
        self.send(&flowdeck, "POST", "/users", &wish).await;
        let to = json!({ "user": name });
        apply(&self.admin, json!([grant(to, "experiment", id, None, Some("EDIT"))])).await;
        if kind == "stopped" {
            self.post(&flowdeck, &format!("/users/{name}/deactivate")).await;
        }
        self.send(&flowdeck, "DELETE", &format!("/users/{name}"), &json!(null)).await;
        let told = self.get(&flowdeck, "/changes?limit=1").await;
        let undo = format!("/changes/{}/undo", told["changes"][0]["id"].as_str().unwrap());
        let request = self.call(&flowdeck, &self.admin, "POST", &undo);
        self.stop_in(flowdeck, request, hold).await
    }

    /// Makes a user with a key and a grant on an experiment, lets them be deleted, and stops it. With the key.
    async fn stop_deletion(&self, name: &str, id: &str, made: bool) -> (Stopped, String) {
        let flowdeck = Flowdeck::start(self.data, &self.url).await;
        self.send(&flowdeck, "POST", "/users", &json!({ "name": name, "service": true }))
            .await;
        apply(
            &self.admin,
            json!([grant(json!({ "user": name }), "experiment", id, None, Some("EDIT"))]),
        )
        .await;
        let key = self.send(&flowdeck, "POST", "/keys", &json!({ "name": "job", "user": name })).await;
        let request = self.call(&flowdeck, &self.admin, "DELETE", &format!("/users/{name}"));
        let stopped = self.stop_in(flowdeck, request, Hold { after: 0, made }).await;
        (stopped, key["id"].as_str().unwrap().to_owned())
    }

    /// Holds a write of what is asked for, kills Flowdeck there, and starts it again.
    async fn stop_in(&self, mut flowdeck: Flowdeck, request: RequestBuilder, hold: Hold) -> Stopped {
        self.flaky.hold(hold);
        let making = tokio::spawn(request.send());
        let held = timeout(LONG, self.flaky.held()).await;
        held.expect("the change comes to the write that is held");
        flowdeck.process.kill().unwrap();
        flowdeck.process.wait().unwrap();
        assert!(making.await.unwrap().is_err(), "nobody has answered");

        let flowdeck = Flowdeck::start(self.data, &self.url).await;
        let told = self.get(&flowdeck, "/changes?limit=1").await;
        let id = told["changes"][0]["id"].as_str().unwrap().to_owned();
        Stopped { flowdeck, id }
    }

    /// Waits until the change has come to its end.
    async fn end(&self, Stopped { flowdeck, id }: &Stopped) -> Value {
        let path = format!("/changes/{id}");
        let end = async {
            loop {
                let told = self.get(flowdeck, &path).await;
                if !matches!(told["state"].as_str(), Some("applying" | "interrupted")) {
                    return told;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let told = timeout(LONG, end).await.expect("the change comes to its end");
        assert_eq!(self.get(flowdeck, "/overview").await["interrupted"], json!([]));
        told
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_in_whose_middle_flowdeck_is_killed_is_made_or_taken_back() {
    let app = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::begin(&app, folder.path()).await;
    let owner = &scene.admin;
    let mut experiments = Vec::new();
    for _ in 0..EDITS {
        experiments.push(experiment(owner, &fresh("e")).await);
    }
    let edits = |user: &Caller| {
        let to = json!({ "user": user.user });
        let edits = experiments.iter().map(|id| grant(to.clone(), "experiment", id, None, Some("EDIT")));
        Value::Array(edits.collect())
    };
    let has = async |user: &Caller| held(owner, &user.user).await.len();

    // Nobody is signed in who could go on with it: it is told as interrupted, and the owner does.
    let ada = app.basic().await;
    let stopped = scene.stop(owner, &edits(&ada), Hold { after: 4, made: false }).await;
    assert_eq!(has(&ada).await, 4, "it was killed in the middle");
    assert_eq!(scene.get(&stopped.flowdeck, "/overview").await["interrupted"], json!([stopped.id]));
    let told = scene.get(&stopped.flowdeck, &format!("/changes/{}", stopped.id)).await;
    assert_eq!((&told["state"], &told["can_undo"]), (&json!("interrupted"), &json!(false)));
    assert!(told["trouble"].as_str().unwrap().contains("stopped"), "{told}");
    let resumed = scene.post(&stopped.flowdeck, &format!("/changes/{}/resume", stopped.id)).await;
    assert_eq!((&resumed["state"], &resumed["trouble"]), (&json!("applied"), &Value::Null));
    assert_eq!((scene.end(&stopped).await, has(&ada).await), (resumed, EDITS));
    // And it can be taken back as any other.
    scene.post(&stopped.flowdeck, &format!("/changes/{}/undo", stopped.id)).await;
    assert_eq!(has(&ada).await, 0);
    drop(stopped);

    // Else it goes on by itself, whether MLflow has heard of the last step or not.
    scene.sign_in(owner).await;
    for made in [false, true] {
        let ada = app.basic().await;
        let stopped = scene.stop(owner, &edits(&ada), Hold { after: 4, made }).await;
        assert_eq!((&scene.end(&stopped).await["state"], has(&ada).await), (&json!("applied"), EDITS));
    }

    // What was being taken back is taken back to its end, and why is not forgotten.
    for made in [false, true] {
        let ada = app.basic().await;
        scene.flaky.fail_after(6, 403, 1);
        let stopped = scene.stop(owner, &edits(&ada), Hold { after: 8, made }).await;
        let told = scene.end(&stopped).await;
        assert_eq!((&told["state"], has(&ada).await), (&json!("reverted"), 0));
        assert!(told["trouble"].as_str().unwrap().contains("does not allow"), "{told}");
    }

    // For who is no administrator another level is two steps, and between them nothing is granted.
    let (manager, ada) = (app.basic().await, app.basic().await);
    let id = experiment(&manager, &fresh("e")).await;
    let to = json!({ "user": ada.user });
    apply(&manager, json!([grant(to.clone(), "experiment", &id, None, Some("READ"))])).await;
    scene.sign_in(&manager).await;
    let more = json!([grant(to, "experiment", &id, Some("READ"), Some("EDIT"))]);
    let stopped = scene.stop(&manager, &more, Hold { after: 1, made: false }).await;
    assert_eq!(scene.end(&stopped).await["state"], "applied");
    assert_eq!(held(owner, &ada.user).await, [("experiment".into(), id, "EDIT".into())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_user_in_whose_return_flowdeck_is_killed_is_there_with_everything() {
    let app = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::begin(&app, folder.path()).await;
    let owner = &scene.admin;
    let id = experiment(owner, &fresh("e")).await;
    scene.sign_in(owner).await;
    // MLflow has made the account and nobody knows, or only the grant is left.
    for (kind, after, made) in [
        ("person", 0, true),
        ("service", 0, true),
        ("stopped", 0, true),
        ("service", 1, false),
    ] {
        let name = fresh("back");
        let stopped = scene.stop_return(&name, kind, &id, Hold { after, made }).await;
        let told = scene.end(&stopped).await;
        assert_eq!(told["state"], "applied", "{kind} {after}: {told}");
        assert_eq!(held(owner, &name).await, [("experiment".into(), id.clone(), "EDIT".into())]);
        let user = scene.get(&stopped.flowdeck, &format!("/users/{name}")).await["user"].take();
        assert_eq!(
            (&user["service"], &user["active"]),
            (&json!(kind == "service"), &json!(kind != "stopped"))
        );
        // A service account works by the password that lies in the vault.
        if kind == "service" {
            let key = scene
                .send(&stopped.flowdeck, "POST", "/keys", &json!({ "name": "job", "user": name }))
                .await;
            let url = format!("{}/api/2.0/mlflow/experiments/get?experiment_id={id}", stopped.flowdeck.origin);
            let answer = scene.http.get(url).bearer_auth(key["key"].as_str().unwrap()).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_in_whose_deletion_flowdeck_is_killed_is_gone_with_everything() {
    let app = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::begin(&app, folder.path()).await;
    let owner = &scene.admin;
    let id = experiment(owner, &fresh("e")).await;
    scene.sign_in(owner).await;
    // MLflow has heard of it, or not.
    for made in [true, false] {
        let name = fresh("goes");
        let (stopped, key) = scene.stop_deletion(&name, &id, made).await;
        let told = scene.end(&stopped).await;
        let last = told["edits"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&told["state"], &last["user"], &last["will"]),
            (&json!("applied"), &json!(name), &Value::Null)
        );
        let gone = scene.call(&stopped.flowdeck, owner, "GET", &format!("/users/{name}"));
        assert_eq!(gone.send().await.unwrap().status(), StatusCode::NOT_FOUND);
        let keys = scene.get(&stopped.flowdeck, &format!("/keys?user={name}")).await;
        assert_eq!(
            (&keys["keys"][0]["id"], &keys["keys"][0]["state"]),
            (&json!(key), &json!("revoked"))
        );
        // And it can be taken back as any other.
        scene.post(&stopped.flowdeck, &format!("/changes/{}/undo", stopped.id)).await;
        assert_eq!(held(owner, &name).await, [("experiment".into(), id.clone(), "EDIT".into())]);
    }
}
