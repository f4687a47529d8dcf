//! Stands before MLflow, and after a number of writes fails at them, or answers none any more.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use reqwest::Url;
use tokio::{net::TcpListener, sync::Notify};

use crate::app::Mlflow;

#[derive(Clone)]
pub struct Flaky {
    upstream: Url,
    /// Writes that still pass.
    left: Arc<AtomicUsize>,
    /// With what they fail then, and how many do.
    status: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
    hold: Arc<Mutex<Option<Hold>>>,
    holds: Arc<Notify>,
    away: Arc<AtomicBool>,
}

pub const ALL: usize = usize::MAX;

/// A write whose answer is never heard.
#[derive(Clone, Copy)]
pub struct Hold {
    /// So many are answered before it.
    pub after: usize,
    /// MLflow has made it.
    pub made: bool,
}

// === impl Flaky ===

impl Flaky {
    pub async fn start() -> (Self, Url) {
        let mlflow = tokio::task::spawn_blocking(Mlflow::shared).await.unwrap();
        let flaky = Self {
            upstream: mlflow.url.clone(),
            left: Arc::new(AtomicUsize::new(ALL)),
            status: Arc::new(AtomicUsize::new(503)),
            failures: Arc::new(AtomicUsize::new(0)),
            hold: Arc::default(),
            holds: Arc::default(),
            away: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let router = Router::new().fallback(pass).with_state(flaky.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (flaky, url)
    }

    /// From here on nothing is answered well.
    pub fn go_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    pub fn fail_after(&self, writes: usize, status: usize, failures: usize) {
        self.left.store(writes, Ordering::SeqCst);
        self.status.store(status, Ordering::SeqCst);
        self.failures.store(failures, Ordering::SeqCst);
    }

    /// From the next write on.
    pub fn hold(&self, hold: Hold) {
        *self.hold.lock().unwrap() = Some(hold);
    }

    /// Waits until a write is held; those after it pass.
    pub async fn held(&self) {
        self.holds.notified().await;
    }

    /// The one that this write is held by.
    fn take_hold(&self) -> Option<Hold> {
        let mut hold = self.hold.lock().unwrap();
        let Hold { after, .. } = hold.as_mut()?;
        match after.checked_sub(1) {
            Some(less) => *after = less,
            None => return hold.take(),
        }
        None
    }

    async fn never(&self) -> Response {
        self.holds.notify_one();
        std::future::pending().await
    }
}

async fn pass(State(flaky): State<Flaky>, request: Request) -> Response {
    if flaky.away.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let writes = [
        "grant",
        "revoke",
        "assign",
        "add",
        "remove",
        "update",
        "users/create",
        "users/delete",
    ];
    let is_write = request.method() != "GET" && writes.iter().any(|word| request.uri().path().ends_with(word));
    let take = |from: &AtomicUsize| {
        from.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
    };
    let hold = if is_write { flaky.take_hold() } else { None };
    if hold.is_some_and(|hold| !hold.made) {
        return flaky.never().await;
    }
    if is_write && !take(&flaky.left) && take(&flaky.failures) {
        let status = StatusCode::from_u16(flaky.status.load(Ordering::SeqCst) as u16).unwrap();
        return (status, "not now").into_response();
    }
    let (parts, body) = request.into_parts();
    let url = flaky.upstream.join(parts.uri.path_and_query().unwrap().as_str()).unwrap();
    let mut headers = parts.headers;
    headers.remove("host");
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let answer = reqwest::Client::new()
        .request(parts.method, url)
        .headers(headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let mut told = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" {
            told = told.header(name, value);
        }
    }
    let bytes = answer.bytes().await.unwrap();
    if hold.is_some() {
        return flaky.never().await;
    }
    told.body(Body::from(bytes)).unwrap()
}
