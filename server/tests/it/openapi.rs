//! The OpenAPI document: it tells of every route of our own, and of nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::app::TestApp;

const ROUTES: &str = include_str!("../../src/route.rs");

#[tokio::test]
async fn every_route_of_our_own_is_documented_below_its_base() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    let answer = app.anonymous().get("/api/flowdeck/v1/openapi.json").await;
    let document: Value = answer.json().await.unwrap();
    assert_eq!(document["servers"][0]["url"], "/services/mlflow/api/flowdeck/v1");

    let told: BTreeSet<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let routed = ROUTES
        .split("\"/api/flowdeck/v1")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned());
    let routed: BTreeSet<_> = routed.filter(|path| !["/openapi.json", "/docs"].contains(&path.as_str())).collect();
    assert_eq!(told, routed);

    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let address = format!("/api/flowdeck/v1{}", path.replace(['{', '}'], ""));
            let answer = app.anonymous().request(&method.to_uppercase(), &address).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{method} {path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_page_names_every_operation() {
    let app = TestApp::start().await;
    let page = app.anonymous().get("/api/flowdeck/v1/docs").await.text().await.unwrap();
    for part in ["REST API", "/api/flowdeck/v1/keys/{id}/rotate", "allowed_networks", "grace_seconds"] {
        assert!(page.contains(part), "{part}");
    }
}
