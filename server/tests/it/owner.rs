//! The owner's rooms before a real MLflow: what it answers is what Flowdeck says it would, and what was changed is what it holds.

mod access;
mod change;
mod explain;
mod flaky;
mod killed;
mod lately;
mod route;
mod start;
mod user;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::app::{Caller, fresh};

const V1: &str = "/api/flowdeck/v1";

async fn body(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"))
}

/// The body of a good answer.
async fn good(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{status} {text}");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"))
}

async fn refused(answer: Response, status: u16, part: &str) {
    let was = answer.status().as_u16();
    let sentence = body(answer).await["message"].as_str().unwrap_or_default().to_owned();
    assert!(
        was == status && sentence.contains(part),
        "{was} {sentence}, expected {status} …{part}…"
    );
}

async fn get(caller: &Caller, path: &str) -> Value {
    good(caller.get(&format!("{V1}{path}")).await).await
}

async fn post(caller: &Caller, path: &str, body: Value) -> Response {
    caller.post(&format!("{V1}{path}"), body).await
}

async fn delete(caller: &Caller, path: &str) -> Response {
    caller.request("DELETE", &format!("{V1}{path}")).send().await.unwrap()
}

async fn apply(caller: &Caller, edits: Value) -> Value {
    good(post(caller, "/changes", json!({ "edits": edits, "reason": "a test" })).await).await
}

async fn experiment(caller: &Caller, name: &str) -> String {
    let made = caller.post("/api/2.0/mlflow/experiments/create", json!({ "name": name })).await;
    good(made).await["experiment_id"].as_str().unwrap().to_owned()
}

async fn model(caller: &Caller, name: &str, prompt: bool) {
    let tags = match prompt {
        true => json!([{ "key": "mlflow.prompt.is_prompt", "value": "true" }]),
        false => json!([]),
    };
    let made = caller
        .post("/api/2.0/mlflow/registered-models/create", json!({ "name": name, "tags": tags }))
        .await;
    assert_eq!(made.status(), StatusCode::OK, "{:?}", made.text().await);
}

/// A new role with nothing in it.
async fn role(admin: &Caller) -> String {
    let name = fresh("role");
    apply(
        admin,
        json!([{ "edit": "role", "role": name, "was": null, "will": { "description": "" } }]),
    )
    .await;
    name
}

fn grant(to: Value, kind: &str, id: &str, was: Option<&str>, will: Option<&str>) -> Value {
    json!({ "edit": "grant", "to": to, "on": { "kind": kind, "id": id }, "was": was, "will": will })
}

fn member(role: &str, user: &str, will: bool) -> Value {
    json!({ "edit": "member", "role": role, "user": user, "was": !will, "will": will })
}

/// What MLflow itself says somebody has by direct grants.
async fn held(admin: &Caller, user: &str) -> Vec<(String, String, String)> {
    let told = admin.get(&format!("/api/3.0/mlflow/users/permissions/list?username={user}")).await;
    let told = good(told).await;
    let rows = told["permissions"].as_array().unwrap().iter();
    let direct = rows.filter(|row| row["role_name"].as_str().unwrap().starts_with("__user_"));
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    direct
        .map(|row| (text(row, "resource_type"), text(row, "resource_pattern"), text(row, "permission")))
        .collect()
}
