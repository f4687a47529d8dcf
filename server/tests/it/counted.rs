//! A stand-in before the shared MLflow that hands everything on and counts what it is asked, and can go away.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::{IntoResponse as _, Response},
};
use reqwest::{Client, StatusCode, Url};
use tokio::net::TcpListener;

use crate::app::Mlflow;

/// Ends with the test's runtime.
pub struct Counted {
    pub url: Url,
    calls: Arc<Mutex<Vec<String>>>,
    is_away: Arc<AtomicBool>,
}

async fn hand_on(http: Client, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let url = format!("{}{target}", Mlflow::shared().url.as_str().trim_end_matches('/'));
    let mut headers = parts.headers;
    headers.remove("host");
    let body = to_bytes(body, usize::MAX).await.unwrap();
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
        let (seen, away) = (calls.clone(), is_away.clone());
        let http = Client::builder().no_proxy().build().unwrap();
        let service = Router::new().fallback(move |request: Request| {
            let (seen, away, http) = (seen.clone(), away.clone(), http.clone());
            async move {
                seen.lock().unwrap().push(request.uri().path().to_owned());
                match away.load(Ordering::SeqCst) {
                    true => StatusCode::BAD_GATEWAY.into_response(),
                    false => hand_on(http, request).await,
                }
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url, calls, is_away }
    }

    /// How often it was asked, since the last time, at addresses that end so.
    pub fn take(&self, end: &str) -> usize {
        let mut calls = self.calls.lock().unwrap();
        let before = calls.len();
        calls.retain(|path| !path.ends_with(end));
        before - calls.len()
    }

    /// Forgets what it was asked so far.
    pub fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }

    /// From now on every call fails, or none.
    pub fn away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }
}
