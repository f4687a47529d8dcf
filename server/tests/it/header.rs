//! Header values that are not ASCII (obs-text, RFC 9110 §5.5), through the whole service.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use reqwest::{StatusCode, header::HeaderValue};
use serde_json::Value;

use crate::{app::TestApp, audit::stand_in};

const GET: &str = "/api/2.0/mlflow/runs/get?run_id=r";

fn bytes(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).unwrap()
}

#[tokio::test]
async fn credentials_that_are_not_ascii_are_refused_and_go_nowhere() {
    let reached = Arc::new(AtomicU32::new(0));
    let app = TestApp::before(stand_in(Arc::clone(&reached)).await, &[]).await;
    for (name, value) in [
        ("authorization", &b"Basic \xff"[..]),
        ("authorization", b"Basic YWRtaW46c2VjcmV0\xa0"),
        ("authorization", b"\xffasic YWRtaW46c2VjcmV0"),
        ("authorization", b"Bearer fd_\xe9"),
        ("authorization", b"\xe9"),
        ("x-api-key", b"fd_\xc3\xa9"),
        ("x-api-key", b"\x80"),
        ("cookie", b"flowdeck=\xff"),
        ("cookie", b"\xff"),
    ] {
        let answer = app.anonymous().request("GET", GET).header(name, bytes(value)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}: {}", value.escape_ascii());
        let text: Value = answer.json().await.unwrap();
        assert_eq!(text["error_code"], "UNAUTHENTICATED", "{name}: {}", value.escape_ascii());
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_host_that_is_not_ascii_is_none() {
    let app = TestApp::before(stand_in(Arc::default()).await, &[]).await;
    for host in [&b"\xff"[..], b"ml.ex\xc3\xa4mple.org", b"localhost\xa0"] {
        let request = app.anonymous().request("GET", "/health").header("host", bytes(host));
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::BAD_REQUEST,
            "{}",
            host.escape_ascii()
        );
    }
}

/// Whoever calls is the proxy then, and the call has an id all the same.
#[tokio::test]
async fn an_address_and_an_id_that_are_not_ascii_are_not_believed() {
    let app = TestApp::before(stand_in(Arc::default()).await, &["--trusted-proxies", "127.0.0.0/8"]).await;
    let admin = app.known("admin", "secret");
    let sent = admin
        .request("POST", "/api/2.0/mlflow/runs/delete")
        .json(&serde_json::json!({ "run_id": "r" }));
    let sent = sent
        .header("x-forwarded-for", bytes(b"6.6.6.6, \xff"))
        .header("request-id", bytes(b"\xff\xfe"));
    let answer = sent.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let id = answer.headers()["request-id"].to_str().expect("an id of ASCII").to_owned();
    let found: Value = admin
        .get("/api/flowdeck/v1/audit?route=/2.0/mlflow/runs/delete")
        .await
        .json()
        .await
        .unwrap();
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{found}");
    assert_eq!(
        (rows[0]["address"].as_str(), rows[0]["request_id"].as_str()),
        (Some("127.0.0.1"), Some(id.as_str()))
    );
}
