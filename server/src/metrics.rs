//! What Flowdeck counts, and `/metrics`, where Prometheus reads it.
//!
//! No label names a person, a key or a thing of theirs: the number of series is bounded, and who reads the metrics learns nothing
//! about anybody.

mod process;
pub mod window;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body::{Frame, SizeHint};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use subtle::ConstantTimeEq as _;

use self::{process::Process, window::Window};
use crate::{
    caller, clock,
    error::{Error, Result},
    limit::share::Lasting,
    principal::Principal,
    proxy::table,
    session::Store,
    state,
};

const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds, from what an answer of our own takes to what an LLM may take.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    upstream_seconds: Family<Route, Histogram, fn() -> Histogram>,
    bytes_in: Counter,
    bytes_out: Counter,
    limited: Family<Limit, Counter>,
    upstream_errors: Family<Kind, Counter>,
    upstream_shared: Counter,
    upstream_open: Gauge,
    sessions: Gauge,
    keys: Gauge,
    /// For the pictures over time.
    pub window: Window,
}

/// What kind of address was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Class {
    /// A route of MLflow's.
    Mlflow(table::Family),
    /// `/api/flowdeck`, and addresses below MLflow's that are none.
    Own,
    /// A page or a form.
    Page,
    /// A file of the console, a look at the health, or what no layer has let pass.
    #[default]
    Other,
}

/// What the layers further in tell of a request; an extension of the request.
#[derive(Clone, Default)]
pub struct Note(Arc<Noted>);

#[derive(Default)]
struct Noted {
    class: std::sync::OnceLock<table::Family>,
    is_page: AtomicBool,
    is_own: AtomicBool,
    way: AtomicU8,
    bytes_in: AtomicU64,
}

/// One request from the network, recorded when it is dropped: after the last byte of the answer, or when the caller has gone.
pub struct Observed {
    state: state::State,
    note: Note,
    start: Instant,
    reads: bool,
    status: Option<StatusCode>,
    /// The answer goes on for as long as the caller listens.
    lasts: bool,
    bytes_out: u64,
}

/// One call to MLflow, open until it is dropped.
pub struct Open<'a> {
    metrics: &'a Metrics,
    route: Route,
    start: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    route: Class,
    method: &'static str,
    status: &'static str,
    way: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: Class,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limit {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// A body whose bytes are counted as they go by.
struct Counted<F> {
    body: Body,
    count: F,
}

const WAYS: [&str; 4] = ["none", "session", "basic", "key"];

/// `GET /metrics` with the configured token.
pub async fn by_token(State(state): State<state::State>, request: Request, next: Next) -> Response {
    let token = state.config.secret.metrics_token.as_ref().map(|token| token.expose().as_bytes());
    let sent = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let sent = sent.and_then(|value| value.split_at_checked("Bearer ".len()));
    match (token, sent) {
        (Some(token), Some((scheme, sent))) if scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(token.ct_eq(sent)) => {
            text(&state).await.into_response()
        }
        _ => next.run(request).await,
    }
}

/// `GET /metrics` for owners: OpenMetrics 1.0.
///
/// # Errors
/// As [`caller::owner`].
pub async fn show(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Response> {
    caller::owner(&state, &principal).await?;
    Ok(text(&state).await.into_response())
}

async fn text(state: &state::State) -> Result<Response> {
    let metrics = &state.metrics;
    let sessions = Store::new(state.db.clone(), state.config.session.clone()).count().await?;
    metrics.sessions.set(sessions);
    let now = clock::now();
    let keys = state.keys.list(|key| key.is_live(now)).len();
    metrics.keys.set(i64::try_from(keys).unwrap_or(i64::MAX));
    let mut text = String::new();
    encode(&mut text, &metrics.registry).map_err(|error| Error::Internal(error.into()))?;
    Ok(([(header::CONTENT_TYPE, TYPE)], text).into_response())
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

// === impl Metrics ===

impl Metrics {
    /// One more call was refused, or would have been, by this limit.
    pub fn limited(&self, limit: &'static str) {
        self.limited.get_or_create(&Limit { limit }).inc();
        self.window.refused();
    }

    /// MLflow was asked; it ends, as far as its part goes, with the beginning of its answer.
    pub fn upstream(&self, family: Option<table::Family>) -> Open<'_> {
        self.upstream_open.inc();
        Open {
            metrics: self,
            route: Route {
                route: family.map_or(Class::Own, Class::Mlflow),
            },
            start: Instant::now(),
        }
    }

    pub fn upstream_failed(&self, error: &Error) {
        let kind = match error {
            Error::Upstream(_) => "unreachable",
            Error::UpstreamTimeout => "timeout",
            _ => return,
        };
        self.upstream_errors.get_or_create(&Kind { kind }).inc();
    }

    /// A call is given the answer to another.
    pub fn upstream_shared(&self) {
        self.upstream_shared.inc();
    }

    /// Calls to MLflow that it has not begun to answer.
    pub fn calls_open(&self) -> i64 {
        self.upstream_open.get()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut whole = Registry::default();
        // Its names have no prefix: every program has a process.
        whole.register_collector(Box::new(Process));
        let registry = whole.sub_registry_with_prefix("flowdeck");
        let requests = Family::default();
        registry.register(
            "requests",
            "Requests, by what was called, how it ended and how the caller came in",
            requests.clone(),
        );
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let help = "From a request's head to the last byte of its answer";
        registry.register_with_unit("request", help, Unit::Seconds, seconds.clone());
        let upstream_seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let help = "From MLflow's being asked to the head of its answer";
        registry.register_with_unit("upstream", help, Unit::Seconds, upstream_seconds.clone());
        let bytes = Family::<Direction, Counter>::default();
        registry.register_with_unit("body", "Bytes of bodies, from callers and to them", Unit::Bytes, bytes.clone());
        let limited = Family::default();
        registry.register(
            "limited",
            "Calls that were one too many, by the limit that said so",
            limited.clone(),
        );
        let upstream_errors = Family::default();
        registry.register("upstream_errors", "Calls that MLflow has not answered", upstream_errors.clone());
        let upstream_shared = Counter::default();
        let help = "Calls that were given the answer to the same call of the same person";
        registry.register("upstream_shared", help, upstream_shared.clone());
        let upstream_open = Gauge::default();
        registry.register("upstream_open", "Calls that MLflow has not begun to answer", upstream_open.clone());
        let sessions = Gauge::default();
        registry.register("sessions", "Browser sessions that are alive", sessions.clone());
        let keys = Gauge::default();
        registry.register("keys", "API keys that are neither revoked nor expired", keys.clone());
        Self {
            registry: whole,
            requests,
            seconds,
            upstream_seconds,
            bytes_in: bytes.get_or_create_owned(&Direction { direction: "in" }),
            bytes_out: bytes.get_or_create_owned(&Direction { direction: "out" }),
            limited,
            upstream_errors,
            upstream_shared,
            upstream_open,
            sessions,
            keys,
            window: Window::default(),
        }
    }
}

// === impl Note ===

impl Note {
    /// It has come as far as to pages and calls, from this caller.
    pub fn caller(&self, principal: &Principal, is_call: bool) {
        let way = match principal {
            Principal::Anonymous => 0,
            Principal::Session(_) => 1,
            Principal::Basic(_) => 2,
            Principal::Key(_) => 3,
        };
        self.0.way.store(way, Ordering::Relaxed);
        self.0.is_page.store(true, Ordering::Relaxed);
        self.0.is_own.store(is_call, Ordering::Relaxed);
    }

    /// It is forwarded to MLflow.
    pub fn forwarded(&self, family: Option<table::Family>) {
        if let Some(family) = family {
            self.0.class.get_or_init(|| family);
        }
    }

    fn class(&self) -> Class {
        match self.0.class.get() {
            Some(family) => Class::Mlflow(*family),
            None if self.0.is_own.load(Ordering::Relaxed) => Class::Own,
            None if self.0.is_page.load(Ordering::Relaxed) => Class::Page,
            None => Class::Other,
        }
    }
}

// === impl Class ===

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mlflow(family) => family.fmt(f),
            Self::Own => f.write_str("flowdeck"),
            Self::Page => f.write_str("page"),
            Self::Other => f.write_str("other"),
        }
    }
}

impl EncodeLabelValue for Class {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        use fmt::Write as _;
        write!(encoder, "{self}")
    }
}

// === impl Observed ===

impl Observed {
    pub fn begin(state: &state::State, request: &mut Request) -> Self {
        let note = Note::default();
        request.extensions_mut().insert(note.clone());
        let observed = Self {
            note: note.clone(),
            start: Instant::now(),
            reads: matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS),
            status: None,
            lasts: false,
            bytes_out: 0,
            state: state.clone(),
        };
        if !http_body::Body::is_end_stream(request.body()) {
            let body = std::mem::take(request.body_mut());
            *request.body_mut() = Counted::body(body, move |bytes| {
                note.0.bytes_in.fetch_add(bytes, Ordering::Relaxed);
            });
        }
        observed
    }

    pub fn until_end(mut self, response: Response) -> Response {
        self.status = Some(response.status());
        self.lasts = response.extensions().get::<Lasting>().is_some();
        response.map(|body| Counted::body(body, move |bytes| self.sent(bytes)))
    }

    fn sent(&mut self, bytes: u64) {
        self.bytes_out += bytes;
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let (metrics, class, took) = (&self.state.metrics, self.note.class(), self.start.elapsed());
        let labels = Labels {
            route: class,
            method: if self.reads { "read" } else { "write" },
            status: status(self.status),
            way: WAYS[usize::from(self.note.0.way.load(Ordering::Relaxed))],
        };
        metrics.requests.get_or_create(&labels).inc();
        // How long somebody has listened says nothing of how fast anything was.
        if !self.lasts {
            metrics.seconds.get_or_create(&Route { route: class }).observe(took.as_secs_f64());
        }
        metrics.bytes_in.inc_by(self.note.0.bytes_in.load(Ordering::Relaxed));
        metrics.bytes_out.inc_by(self.bytes_out);
        if class != Class::Other && !self.lasts {
            metrics.window.add(took, self.status.is_some_and(|status| status.is_server_error()));
        }
    }
}

fn status(status: Option<StatusCode>) -> &'static str {
    // The caller did not wait for the answer.
    let Some(status) = status else { return "gone" };
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

// === impl Open ===

impl Open<'_> {
    /// It has begun to answer.
    pub fn answered(self) -> Duration {
        let took = self.start.elapsed();
        self.metrics.upstream_seconds.get_or_create(&self.route).observe(took.as_secs_f64());
        took
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.metrics.upstream_open.dec();
    }
}

// === impl Counted ===

impl<F: FnMut(u64) + Send + Unpin + 'static> Counted<F> {
    fn body(body: Body, count: F) -> Body {
        Body::new(Self { body, count })
    }
}

impl<F: FnMut(u64) + Unpin> http_body::Body for Counted<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = std::pin::Pin::new(&mut self.body).poll_frame(cx);
        if let std::task::Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            (self.count)(data.len() as u64);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use prometheus_client::encoding::text::encode;

    use super::{Class, Metrics, status};
    use crate::{error::Error, proxy::table::Family};

    #[test]
    fn classes_have_the_names_of_the_route_table() {
        assert_eq!(Class::Mlflow(Family::LoggedModels).to_string(), "logged-models");
        assert_eq!(Class::Own.to_string(), "flowdeck");
    }

    #[test]
    fn what_is_counted_can_be_read() {
        let metrics = Metrics::default();
        metrics.limited("user");
        metrics.upstream_failed(&Error::UpstreamTimeout);
        let open = metrics.upstream(Some(Family::Runs));
        assert_eq!(metrics.calls_open(), 1);
        open.answered();
        assert_eq!(metrics.calls_open(), 0);
        let mut text = String::new();
        encode(&mut text, &metrics.registry).unwrap();
        for line in [
            "flowdeck_limited_total{limit=\"user\"} 1",
            "flowdeck_upstream_errors_total{kind=\"timeout\"} 1",
            "flowdeck_upstream_seconds_count{route=\"runs\"} 1",
            "flowdeck_upstream_open 0",
            "process_cpu_seconds_total ",
        ] {
            assert!(text.lines().any(|found| found.starts_with(line)), "{line}\n{text}");
        }
    }

    #[test]
    fn a_caller_who_has_gone_has_no_status() {
        assert_eq!(status(None), "gone");
        assert_eq!(status(Some(StatusCode::TOO_MANY_REQUESTS)), "4xx");
    }
}
