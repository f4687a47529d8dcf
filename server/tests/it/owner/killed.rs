//! Flowdeck is killed in the middle of a change of many edits: when it is there again, MLflow has all of it or nothing, and the journal says
//! which.

use std::{path::Path, time::Duration};

use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    V1, experiment,
    flaky::{Flaky, Hold},
    good, grant, held,
};
use crate::{
    app::{Caller, Mlflow, TestApp, fresh},
    audit::Flowdeck,
};

const LONG: Duration = Duration::from_secs(60);
const EDITS: usize = 12;

/// Somebody who changes something, and what of it MLflow has.
struct Scene<'a> {
    data: &'a Path,
    flaky: Flaky,
    url: Url,
    /// Before another Flowdeck, which is not killed.
    admin: Caller,
    http: Client,
}

/// The change that was stopped.
struct Stopped {
    flowdeck: Flowdeck,
    user: String,
    id: String,
}

// === impl Scene ===

impl Scene<'_> {
    fn call(&self, flowdeck: &Flowdeck, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{V1}{path}", flowdeck.origin);
        let request = self.http.request(method.parse().unwrap(), url);
        request.basic_auth("admin", Some(&Mlflow::shared().admin_password))
    }

    async fn get(&self, flowdeck: &Flowdeck, path: &str) -> Value {
        good(self.call(flowdeck, "GET", path).send().await.unwrap()).await
    }

    /// The password of the owner is kept from here on.
    async fn sign_in(&self, flowdeck: &Flowdeck) {
        let body = format!("name=admin&password={}", app::route::escape(&Mlflow::shared().admin_password));
        let request = self
            .http
            .post(format!("{}/login", flowdeck.origin))
            .header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::SEE_OTHER);
    }

    /// Makes a change of which a write is held, kills Flowdeck there, and starts it again. `signed_in`: whoever makes it.
    async fn stop(&self, ada: &Caller, experiments: &[String], hold: Hold, signed_in: bool) -> Stopped {
        let flowdeck = Flowdeck::start(self.data, &self.url).await;
        if signed_in {
            self.sign_in(&flowdeck).await;
        }
        let grants = experiments
            .iter()
            .map(|id| grant(json!({ "user": ada.user }), "experiment", id, None, Some("EDIT")));
        let wish = json!({ "edits": grants.collect::<Vec<_>>(), "reason": "a test" });
        self.flaky.hold(hold);
        let wish = self.call(&flowdeck, "POST", "/changes").json(&wish).send();
        let mut flowdeck = flowdeck;
        let making = tokio::spawn(wish);
        timeout(LONG, self.flaky.held())
            .await
            .expect("the change comes to the write that is held");
        flowdeck.process.kill().unwrap();
        flowdeck.process.wait().unwrap();
        assert!(making.await.unwrap().is_err(), "nobody has answered");
        let left = held(&self.admin, &ada.user).await.len();
        assert!(0 < left && left < experiments.len(), "it was killed in the middle: {left}");

        let flowdeck = Flowdeck::start(self.data, &self.url).await;
        let told = self.get(&flowdeck, &format!("/changes?user={}", ada.user)).await;
        let [change] = told["changes"].as_array().unwrap().as_slice() else {
            panic!("{told}")
        };
        assert_eq!(change["edits"].as_array().unwrap().len(), EDITS);
        Stopped {
            flowdeck,
            user: ada.user.clone(),
            id: change["id"].as_str().unwrap().to_owned(),
        }
    }

    /// Waits until the change has come to its end, and looks for all of it, or nothing, in MLflow.
    async fn ends(&self, stopped: &Stopped, state: &str, grants: usize) -> Value {
        let path = format!("/changes/{}", stopped.id);
        let end = async {
            loop {
                let told = self.get(&stopped.flowdeck, &path).await;
                if !matches!(told["state"].as_str(), Some("applying" | "interrupted")) {
                    return told;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let told = timeout(LONG, end).await.expect("the change comes to its end");
        assert_eq!(told["state"], state, "{told}");
        assert_eq!(held(&self.admin, &stopped.user).await.len(), grants);
        let overview = self.get(&stopped.flowdeck, "/overview").await;
        assert_eq!(overview["interrupted"], json!([]));
        told
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_in_whose_middle_flowdeck_is_killed_is_made_or_taken_back() {
    let app = TestApp::start().await;
    let (flaky, url) = Flaky::start().await;
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene {
        data: folder.path(),
        flaky,
        url,
        admin: app.admin(),
        http: Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap(),
    };
    let mut experiments = Vec::new();
    for _ in 0..EDITS {
        experiments.push(experiment(&scene.admin, &fresh("e")).await);
    }

    // Nobody is signed in who could go on with it: it is told as interrupted, and the owner does.
    let hold = Hold { after: 4, made: false };
    let stopped = scene.stop(&app.basic().await, &experiments, hold, false).await;
    let told = scene.get(&stopped.flowdeck, "/overview").await;
    assert_eq!(told["interrupted"], json!([stopped.id]));
    let told = scene.get(&stopped.flowdeck, &format!("/changes/{}", stopped.id)).await;
    assert_eq!((&told["state"], &told["can_undo"]), (&json!("interrupted"), &json!(false)));
    assert!(told["trouble"].as_str().unwrap().contains("stopped"), "{told}");
    let path = format!("/changes/{}/resume", stopped.id);
    good(scene.call(&stopped.flowdeck, "POST", &path).send().await.unwrap()).await;
    let told = scene.ends(&stopped, "applied", EDITS).await;
    assert_eq!(told["trouble"], Value::Null);
    // And it can be taken back as any other.
    let path = format!("/changes/{}/undo", stopped.id);
    good(scene.call(&stopped.flowdeck, "POST", &path).send().await.unwrap()).await;
    assert!(held(&scene.admin, &stopped.user).await.is_empty());
    drop(stopped);

    // Else it goes on by itself, whether MLflow has heard of the last step or not.
    for made in [false, true] {
        let hold = Hold { after: 4, made };
        let stopped = scene.stop(&app.basic().await, &experiments, hold, true).await;
        scene.ends(&stopped, "applied", EDITS).await;
    }

    // What was being taken back is taken back to its end, and why is not forgotten.
    for made in [false, true] {
        scene.flaky.fail_after(6, 403, 1);
        let hold = Hold { after: 8, made };
        let stopped = scene.stop(&app.basic().await, &experiments, hold, true).await;
        let told = scene.ends(&stopped, "reverted", 0).await;
        assert!(told["trouble"].as_str().unwrap().contains("does not allow"), "{told}");
    }
}
