//! Limits through the whole service, before a stand-in for MLflow that can be made to hold calls.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use crate::app::{Caller, TestApp};

const SEARCH: &str = "/api/2.0/mlflow/experiments/search?max_results=1";
const HELD: &str = "/api/2.0/mlflow/experiments/search?max_results=1&case=held";
const RIGHT: &str = "right";

/// Takes everybody whose password is [`RIGHT`].
struct StandIn {
    url: reqwest::Url,
    /// Calls that have come, but for those that Flowdeck makes of its own accord.
    reached: Arc<AtomicUsize>,
    /// Calls that are held until the gate opens.
    held: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

// === impl StandIn ===

impl StandIn {
    async fn start() -> Self {
        let (reached, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let counters = (reached.clone(), held.clone(), gate.clone());
        let service = Router::new().fallback(move |request: Request| {
            let (reached, held, gate) = counters.clone();
            async move {
                if !matches!(request.uri().path(), "/version" | "/health") {
                    reached.fetch_add(1, Ordering::SeqCst);
                }
                if request.uri().query().is_some_and(|query| query.contains("case=held")) {
                    held.fetch_add(1, Ordering::SeqCst);
                    drop(gate.acquire().await);
                }
                answer(&request)
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url, reached, held, gate }
    }

    fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    async fn holds(&self, count: usize) {
        while self.held.load(Ordering::SeqCst) < count {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

fn answer(request: &Request) -> Response {
    if request.uri().path() == "/health" {
        return "OK".into_response();
    }
    let field = |name| {
        request
            .headers()
            .get(name)
            .map(|value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned())
    };
    let sent = field("authorization").or(field("x-mlflow-authorization")).unwrap_or_default();
    let pair = STANDARD.decode(sent.trim_start_matches("Basic ")).unwrap_or_default();
    let pair = String::from_utf8(pair).unwrap();
    let Some((user, RIGHT)) = pair.split_once(':') else {
        let fields = [("www-authenticate", "Basic realm=\"mlflow\""), ("content-type", "text/html")];
        return (StatusCode::UNAUTHORIZED, fields, "You are not authenticated.").into_response();
    };
    match request.uri().path() {
        "/version" => "3.17.2".into_response(),
        "/api/2.0/mlflow/users/current" => axum::Json(json!({ "user": { "username": user, "is_admin": user == "owner" } })).into_response(),
        path if path.starts_with("/gateway/") => (
            StatusCode::UNAUTHORIZED,
            axum::Json(json!({ "detail": "Incorrect API key provided" })),
        )
            .into_response(),
        _ => axum::Json(json!({ "experiments": [] })).into_response(),
    }
}

fn get(nobody: &Caller, path: &str, user: &str, password: &str) -> RequestBuilder {
    nobody.request("GET", path).basic_auth(user, Some(password))
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

async fn message(answer: reqwest::Response) -> String {
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error_code"], "REQUEST_LIMIT_EXCEEDED", "{body}");
    body["message"].as_str().unwrap().to_owned()
}

/// From this address, before a proxy that is trusted.
fn from(request: RequestBuilder, address: &str) -> RequestBuilder {
    request.header("x-forwarded-for", address)
}

const SLOW: [&str; 4] = ["--user-rate", "0.01", "--user-burst", "5"];

#[tokio::test]
async fn a_burst_passes_and_then_nobody_else_notices() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &SLOW).await;
    let nobody = app.anonymous();
    // Whether it is alice who calls, is known when MLflow has said so.
    assert_eq!(status(get(&nobody, SEARCH, "alice", RIGHT)).await, 200);
    for left in (0..5).rev() {
        let answer = get(&nobody, SEARCH, "alice", RIGHT).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["ratelimit-policy"], "\"user\";q=5;w=500");
        let standing = answer.headers()["ratelimit"].to_str().unwrap().to_owned();
        assert!(standing.starts_with(&format!("\"user\";r={left};t=")), "{standing}");
    }
    let reached = mlflow.reached();
    let answer = get(&nobody, SEARCH, "alice", RIGHT).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let retry: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=100).contains(&retry), "{retry}");
    assert!(answer.headers()["ratelimit"].to_str().unwrap().starts_with("\"user\";r=0;t="));
    let text = message(answer).await;
    assert!(
        text.contains("FLOWDECK_USER_RATE") && text.contains(&format!("try again in {retry} s")),
        "{text}"
    );
    assert_eq!(mlflow.reached(), reached, "what is refused does not reach MLflow");

    for _ in 0..5 {
        assert_eq!(status(get(&nobody, SEARCH, "bob", RIGHT)).await, 200);
    }
    let session = app.sign_in("alice", RIGHT).await;
    for _ in 0..5 {
        assert_eq!(session.get(SEARCH).await.status(), StatusCode::OK);
    }
    let answer = session.get("/api/flowdeck/v1/session").await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "our own calls count too");
    // Pages are not counted, nor the calls that they are made of.
    let reached = mlflow.reached();
    for path in ["/login?why=out", "/health", "/health/mlflow", "/experiments"] {
        let answer = session.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(!answer.headers().contains_key("ratelimit"), "{path}");
    }
    assert!(mlflow.reached() > reached, "the page has asked for its experiments");
}

#[tokio::test]
async fn a_stranger_cannot_use_up_what_is_alices() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[&SLOW[..], &["--trusted-proxies", "127.0.0.1/32"]].concat()).await;
    let nobody = app.anonymous();
    for _ in 0..20 {
        status(from(get(&nobody, SEARCH, "alice", "wrong"), "203.0.113.66")).await;
    }
    for _ in 0..6 {
        assert_eq!(status(from(get(&nobody, SEARCH, "alice", RIGHT), "203.0.113.5")).await, 200);
    }
}

#[tokio::test]
async fn a_runaway_script_waits_in_its_own_line() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &["--user-calls", "2"]).await;
    let nobody = app.anonymous();
    let session = app.sign_in("alice", RIGHT).await;
    for user in ["alice", "bob"] {
        assert_eq!(status(get(&nobody, SEARCH, user, RIGHT)).await, 200);
    }
    let mut calls = JoinSet::new();
    for _ in 0..6 {
        calls.spawn(get(&nobody, HELD, "alice", RIGHT).send());
    }
    mlflow.holds(2).await;
    assert_eq!(session.get(SEARCH).await.status(), StatusCode::OK);
    assert_eq!(status(get(&nobody, SEARCH, "bob", RIGHT)).await, 200);
    for _ in 0..4 {
        let answer = calls.join_next().await.unwrap().unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()["retry-after"], "1");
        let text = message(answer).await;
        assert!(text.contains("your programs have as many calls open as are allowed"), "{text}");
    }
    assert_eq!(mlflow.held.load(Ordering::SeqCst), 2);
    mlflow.gate.close();
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(status(get(&nobody, SEARCH, "alice", RIGHT)).await, 200);
}

#[tokio::test]
async fn who_waits_in_line_is_served_when_a_call_ends() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &["--user-calls", "1"]).await;
    let nobody = app.anonymous();
    assert_eq!(status(get(&nobody, SEARCH, "alice", RIGHT)).await, 200);
    let first = tokio::spawn(get(&nobody, HELD, "alice", RIGHT).send());
    mlflow.holds(1).await;
    let second = tokio::spawn(get(&nobody, SEARCH, "alice", RIGHT).send());
    mlflow.gate.close();
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(second.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn an_address_that_guesses_is_slowed_and_no_name_is() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &["--trusted-proxies", "127.0.0.1/32"]).await;
    let nobody = app.anonymous();
    let (bad, good) = ("2001:db8:0:1::66", "203.0.113.5");
    // Somebody who is known already, behind the same address as the guesser.
    assert_eq!(status(from(get(&nobody, SEARCH, "carol", RIGHT), bad)).await, 200);
    let before = mlflow.reached();
    let mut refused = Vec::new();
    // By MLflow's routes and our own; and the neighbours in an IPv6 network are one address.
    for (number, path) in [SEARCH, "/api/flowdeck/v1/session"].into_iter().cycle().take(80).enumerate() {
        let address = format!("2001:db8:0:1::{number:x}");
        let answer = from(get(&nobody, path, "alice", &format!("guess{number}")), &address)
            .send()
            .await
            .unwrap();
        match answer.status() {
            StatusCode::UNAUTHORIZED => assert!(!answer.headers().contains_key("retry-after")),
            _ => refused.push(answer),
        }
    }
    assert!(refused.len() > 40, "{}", refused.len());
    assert!(
        mlflow.reached() - before == 80 - refused.len(),
        "who is refused does not reach MLflow"
    );
    let answer = refused.remove(0);
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let text = message(answer).await;
    assert!(text.contains("wrong passwords or API keys came from your address"), "{text}");

    // A pause that is longer than the rest of this test.
    for _ in 0..30 {
        app.state.limits.guessed(bad.parse().unwrap(), None);
    }
    assert_eq!(
        status(from(get(&nobody, SEARCH, "alice", RIGHT), bad)).await,
        429,
        "even with the right one"
    );
    assert_eq!(status(from(get(&nobody, SEARCH, "alice", RIGHT), good)).await, 200);
    assert_eq!(status(from(get(&nobody, SEARCH, "carol", RIGHT), bad)).await, 200);
    assert_eq!(status(from(get(&nobody, SEARCH, "carol", "old"), bad)).await, 429);
}

#[tokio::test]
async fn many_guesses_at_once_are_no_way_around() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let nobody = app.anonymous();
    let mut guesses = JoinSet::new();
    for number in 0..200 {
        guesses.spawn(get(&nobody, SEARCH, "alice", &format!("guess{number}")).send());
    }
    let mut answers = Vec::new();
    while let Some(answer) = guesses.join_next().await {
        answers.push(answer.unwrap().unwrap().status().as_u16());
    }
    let tried = answers.iter().filter(|status| **status == 401).count();
    assert!((20..100).contains(&tried), "{tried}");
    assert!(answers.iter().all(|status| [401, 429].contains(status)));
}

#[tokio::test]
async fn a_success_forgives_ones_own_failures_and_a_providers_refusal_is_no_failure() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let nobody = app.anonymous();
    for user in ["alice", "bob", "carol"] {
        for _ in 0..15 {
            assert_eq!(status(get(&nobody, SEARCH, user, "mistyped")).await, 401, "{user}");
        }
        assert_eq!(status(get(&nobody, SEARCH, user, RIGHT)).await, 200, "{user}");
    }
    let chat = || {
        nobody
            .request("POST", "/gateway/openai/v1/chat/completions")
            .basic_auth("alice", Some(RIGHT))
    };
    for _ in 0..40 {
        assert_eq!(status(chat().json(&json!({}))).await, 401);
    }
    assert_eq!(status(get(&nobody, SEARCH, "dave", RIGHT)).await, 200);
}

/// A key of this session's user, as it is told when it is made.
async fn key(session: &Caller, settings: Value) -> Value {
    let answer = session.post("/api/flowdeck/v1/keys", settings).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json().await.unwrap()
}

fn with_key(nobody: &Caller, key: &Value) -> RequestBuilder {
    nobody.request("GET", SEARCH).bearer_auth(key["key"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_has_its_own_limit_besides_its_users() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &["--user-rate", "0.01", "--user-burst", "6"]).await;
    let nobody = app.anonymous();
    let session = app.sign_in("alice", RIGHT).await;
    let narrow = key(&session, json!({ "name": "narrow", "rate_per_second": 0.001, "burst": 2 })).await;
    let wide = key(&session, json!({ "name": "wide" })).await;
    for left in ["1", "0"] {
        let answer = with_key(&nobody, &narrow).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["ratelimit-policy"], r#""key";q=2;w=2000, "user";q=6;w=600"#);
        let standing = answer.headers()["ratelimit"].to_str().unwrap().to_owned();
        assert!(standing.starts_with(&format!("\"key\";r={left};t=")), "{standing}");
    }
    for _ in 0..5 {
        let answer = with_key(&nobody, &narrow).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let text = message(answer).await;
        assert!(text.contains("this API key's own limit") && text.contains("raised"), "{text}");
    }
    // What the key was refused has cost the user nothing.
    for _ in 0..4 {
        let answer = with_key(&nobody, &wide).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["ratelimit-policy"], r#""user";q=6;w=600"#);
    }
    let text = message(with_key(&nobody, &wide).send().await.unwrap()).await;
    assert!(text.contains("FLOWDECK_USER_RATE"), "{text}");
}

#[tokio::test]
async fn a_key_in_shadow_mode_is_never_refused_and_what_would_have_been_is_counted() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let nobody = app.anonymous();
    let session = app.sign_in("alice", RIGHT).await;
    let settings = json!({ "name": "shadow", "rate_per_second": 0.001, "burst": 2, "shadow": true });
    let shadow = key(&session, settings).await;
    for _ in 0..5 {
        assert_eq!(status(with_key(&nobody, &shadow)).await, 200);
    }
    let path = format!("/api/flowdeck/v1/keys/{}", shadow["id"].as_str().unwrap());
    let now: Value = session.get(&path).await.json().await.unwrap();
    assert_eq!(now["would_refuse"], 3, "{now}");
}

#[tokio::test]
async fn an_address_that_guesses_keys_is_slowed_and_keys_that_work_are_not() {
    let mlflow = StandIn::start().await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let nobody = app.anonymous();
    let session = app.sign_in("alice", RIGHT).await;
    let good = key(&session, json!({ "name": "good" })).await;
    let guess = |number: usize| nobody.request("GET", SEARCH).header("x-api-key", format!("fd_{number:043}"));
    for number in 0..20 {
        assert_eq!(status(guess(number)).await, 401);
    }
    // A pause that is longer than the rest of this test.
    for _ in 0..20 {
        app.state.limits.guessed("127.0.0.1".parse().unwrap(), None);
    }
    let answer = guess(20).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let text = message(answer).await;
    assert!(text.contains("wrong passwords or API keys"), "{text}");
    assert_eq!(status(with_key(&nobody, &good)).await, 200);
}
