//! A stand-in before the shared MLflow that hands everything on and counts what it is asked, and can go away, or be slow.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use reqwest::{Client, StatusCode, Url};
use tokio::{net::TcpListener, sync::watch};

use crate::app::Mlflow;

/// Ends with the test's runtime.
pub struct Counted {
    pub url: Url,
    calls: Arc<Mutex<Vec<String>>>,
    is_away: Arc<AtomicBool>,
    held: watch::Sender<Option<&'static str>>,
}

async fn hand_on(http: Client, parts: Parts, body: Bytes) -> Response {
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let url = format!("{}{target}", Mlflow::shared().url.as_str().trim_end_matches('/'));
    let mut headers = parts.headers;
    headers.remove("host");
    let answer = http.request(parts.method, url).headers(headers).body(body).send().await.unwrap();
    let status = answer.status();
    let mut response = (status, Body::from(answer.bytes().await.unwrap())).into_response();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

// === impl Counted ===

impl Counted {
    pub async fn start() -> Self {
        tokio::task::spawn_blocking(Mlflow::shared).await.unwrap();
        let (calls, is_away) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let held = watch::Sender::new(None);
        let (seen, away, hold) = (calls.clone(), is_away.clone(), held.clone());
        let http = Client::builder().no_proxy().build().unwrap();
        let service = Router::new().fallback(move |request: Request| {
            let (seen, away, held, http) = (seen.clone(), away.clone(), held.clone(), http.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap();
                let question = format!("{} {}", parts.uri, String::from_utf8_lossy(&body));
                seen.lock().unwrap().push(question.clone());
                let is_held = |part: &Option<&str>| part.is_some_and(|part| question.contains(part));
                held.subscribe().wait_for(|part| !is_held(part)).await.unwrap();
                match away.load(Ordering::SeqCst) {
                    true => StatusCode::BAD_GATEWAY.into_response(),
                    false => hand_on(http, parts, body).await,
                }
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self {
            url,
            calls,
            is_away,
            held: hold,
        }
    }

    /// How often it was asked, since the last time, what has this in its address or its body.
    pub fn take(&self, part: &str) -> usize {
        let mut calls = self.calls.lock().unwrap();
        let before = calls.len();
        calls.retain(|question| !question.contains(part));
        before - calls.len()
    }

    /// Forgets what it was asked so far.
    pub fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }

    /// From now on it does not answer what has this in its address or its body.
    pub fn hold(&self, part: Option<&'static str>) {
        self.held.send_replace(part);
    }

    /// From now on every call fails, or none.
    pub fn away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }
}
