//! What a person's pages ask at the same time, before a real MLflow that is held up.

use std::time::Duration;

use futures::future::join_all;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    app::{Caller, TestApp, fresh},
    counted::Counted,
};

const SEARCH: &str = "/api/2.0/mlflow/runs/search";

struct Held {
    mlflow: Counted,
    app: TestApp,
}

async fn done(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn experiment(caller: &Caller) -> String {
    let made = caller.post("/api/2.0/mlflow/experiments/create", json!({ "name": fresh("together") }));
    done(made.await).await["experiment_id"].as_str().unwrap().to_owned()
}

fn search(caller: &Caller, experiment: &str) -> RequestBuilder {
    let asked = json!({ "experiment_ids": [experiment], "max_results": 7 });
    caller.request("POST", SEARCH).json(&asked)
}

fn names(answer: &Value) -> Vec<&str> {
    let runs = answer["runs"].as_array().map_or(&[][..], Vec::as_slice);
    runs.iter().map(|run| run["info"]["run_name"].as_str().unwrap()).collect()
}

async fn create(caller: &Caller, experiment: &str, name: &str) {
    let body = json!({ "experiment_id": experiment, "run_name": name, "start_time": 1 });
    done(caller.post("/api/2.0/mlflow/runs/create", body).await).await;
}

impl Held {
    async fn start() -> Self {
        let mlflow = Counted::start().await;
        let app = TestApp::before(mlflow.url.clone(), &[]).await;
        Self { mlflow, app }
    }

    /// MLflow's searches stand still until this many have come, and so many more wait for the same answer.
    async fn until(&self, came: usize, wait: usize) {
        let reached = timeout(Duration::from_secs(60), self.reach(came, wait)).await;
        reached.unwrap_or_else(|_| panic!("{came} came and {wait} wait within a minute"));
        assert_eq!(self.mlflow.take("max_results"), 0);
    }

    async fn reach(&self, came: usize, wait: usize) {
        let mut seen = 0;
        while seen < came {
            seen += self.mlflow.take("max_results");
            tokio::task::yield_now().await;
        }
        let metrics = async || self.app.admin().get("/metrics").await.text().await.unwrap();
        let told = format!("flowdeck_upstream_shared_total {wait}\n");
        while !metrics().await.contains(&told) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn the_same_search_of_one_person_is_asked_once_and_of_two_twice() {
    let held = Held::start().await;
    let (alice, bob) = (held.app.session().await, held.app.session().await);
    let id = experiment(&alice).await;
    create(&alice, &id, "a").await;
    let deny = json!({ "username": bob.user, "resource_type": "experiment", "resource_id": id, "permission": "DENY" });
    done(held.app.admin().post("/api/3.0/mlflow/users/permissions/grant", deny).await).await;

    held.mlflow.forget();
    held.mlflow.hold(Some("max_results"));
    let of_alice = join_all((0..4).map(|_| search(&alice, &id).send()));
    let of_bob = search(&bob, &id).send();
    let other = alice
        .request("POST", SEARCH)
        .json(&json!({ "experiment_ids": [id], "max_results": 8 }))
        .send();
    let release = async {
        held.until(3, 3).await;
        held.mlflow.hold(None);
    };
    let (of_alice, of_bob, other, ()) = tokio::join!(of_alice, of_bob, other, release);
    for answer in of_alice.into_iter().chain([other]) {
        let answer = answer.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(names(&done(answer).await), ["a"]);
    }
    let of_bob = of_bob.unwrap();
    let denied = of_bob.status() == StatusCode::FORBIDDEN || names(&done(of_bob).await).is_empty();
    assert!(denied);
}

#[tokio::test]
async fn whoever_has_changed_something_reads_it_back() {
    let held = Held::start().await;
    let alice = held.app.session().await;
    let id = experiment(&alice).await;
    create(&alice, &id, "before").await;

    held.mlflow.forget();
    held.mlflow.hold(Some("max_results"));
    let first = search(&alice, &id).send();
    let then = async {
        held.until(1, 0).await;
        create(&alice, &id, "after").await;
        let second = search(&alice, &id).send();
        let release = async {
            held.until(1, 0).await;
            held.mlflow.hold(None);
        };
        tokio::join!(second, release).0
    };
    let (first, second) = tokio::join!(first, then);
    assert!(names(&done(first.unwrap()).await).contains(&"before"));
    let second = done(second.unwrap()).await;
    let mut both = names(&second);
    both.sort_unstable();
    assert_eq!(both, ["after", "before"]);
}

#[tokio::test]
async fn when_the_page_that_asked_is_closed_the_other_still_has_its_answer() {
    let held = Held::start().await;
    let alice = held.app.session().await;
    let id = experiment(&alice).await;
    create(&alice, &id, "a").await;

    held.mlflow.forget();
    held.mlflow.hold(Some("max_results"));
    let first = tokio::spawn(search(&alice, &id).send());
    held.until(1, 0).await;
    let second = search(&alice, &id).send();
    let then = async {
        held.until(0, 1).await;
        first.abort();
        // It asks for itself now.
        held.until(1, 1).await;
        held.mlflow.hold(None);
    };
    let (second, ()) = tokio::join!(second, then);
    assert_eq!(names(&done(second.unwrap()).await), ["a"]);
}
