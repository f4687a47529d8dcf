//! What a request passes on its way in, and its answer on its way out.
//!
//! Each of the two ways is one function, read from top to bottom: a stack of small layers costs a call through the proxy more than
//! everything that they do.

mod credential;

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header, uri::PathAndQuery},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Redirect, Response},
};
use futures::FutureExt as _;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tower_http::compression::{
    CompressionLayer,
    predicate::{NotForContentType, Predicate as _, SizeAbove},
};
use tower_sessions::Session;

use crate::{
    address::ClientAddress,
    admission,
    audit::{Note, layer::Pending},
    csrf,
    error::{Error, Result},
    limit::{self, OfPage},
    log,
    metrics::{self, Observed},
    principal::Principal,
    proxy::{self, Verbatim},
    session, state,
    vault::hex,
};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// What only requests from the network pass. Cheap to clone.
#[derive(Clone)]
pub struct Front(Arc<Shared>);

/// How an answer is come by.
struct Shared {
    state: state::State,
    plain: Fork,
    /// The same, for callers who read compressed answers.
    compressing: Router,
}

/// What is MLflow's goes straight to the proxy, since it is most of what comes, and the way through a router is long.
#[derive(Clone)]
struct Fork {
    /// The pattern at which a path of MLflow's lies.
    mlflow: fn(&str) -> Option<&'static str>,
    calls: Arc<Inner>,
    router: Router,
}

/// Who answers in the end.
#[derive(Clone)]
enum Last {
    /// MLflow, at an address of this pattern.
    Mlflow(&'static str),
    /// The handler that the router has found.
    Handler(Next),
}

/// What every request passes, whether it came over the network or from our own rendering.
struct Inner {
    state: state::State,
    sessions: session::Layer,
    is_call: bool,
}

/// Pages, forms and files: what people open.
pub fn pages<S: Clone + Send + Sync + 'static>(router: Router<S>, state: &state::State) -> Router<S> {
    Inner::around(router, state, false)
}

/// Calls of programs and of our own pages. One user's take nothing from another's, nor a runaway script's from the console.
pub fn calls<S: Clone + Send + Sync + 'static>(router: Router<S>, state: &state::State) -> Router<S> {
    Inner::around(router, state, true)
}

// === impl Front ===

impl Front {
    /// `mlflow` tells which paths are MLflow's, and the pattern of each; `router` knows all others.
    pub fn new(router: Router, mlflow: fn(&str) -> Option<&'static str>, state: &state::State) -> Self {
        let compressed = SizeAbove::new(1024)
            .and(NotForContentType::new("application/octet-stream"))
            .and(NotForContentType::SSE)
            .and(NotForContentType::IMAGES)
            .and(|_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| extensions.get::<Verbatim>().is_none());
        let calls = Arc::new(Inner::new(state, true));
        let plain = Fork { mlflow, calls, router };
        Self(Arc::new(Shared {
            state: state.clone(),
            plain: plain.clone(),
            // MLflow compresses nothing; lists of runs shrink fifteenfold.
            compressing: Router::new()
                .fallback_service(plain)
                .layer(CompressionLayer::new().compress_when(compressed)),
        }))
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let shared = self.0.clone();
        Box::pin(async move { Ok(shared.answer(request).await) })
    }
}

// === impl Shared ===

impl Shared {
    async fn answer(&self, mut request: Request) -> Response {
        // Errors are numbered too, so this is before anything that can refuse.
        let id = number(request.headers_mut());
        // Refusals are counted too.
        let observed = Observed::begin(&self.state, &mut request);
        let seen = log::Access::of(&request);
        let within = AssertUnwindSafe(self.admitted(&mut request)).catch_unwind();
        // A panic costs its request and nothing else.
        let answer = log::within(id.clone(), within).await;
        let mut response = answer.unwrap_or_else(|_| Error::Internal(anyhow::anyhow!("a handler panicked")).into_response());
        let headers = response.headers_mut();
        harden(&self.state, headers);
        headers.entry(REQUEST_ID).or_insert(id);
        seen.answered(&response);
        observed.until_end(response)
    }

    async fn admitted(&self, request: &mut Request) -> Response {
        // HTTP that two readers could understand in two ways goes no further. It has to see the request target as it came.
        if let Err(error) = admission::admit(request) {
            return error.into_response();
        }
        ClientAddress::find(&self.state, request);
        // Routes are matched below the base path.
        if let Err(elsewhere) = strip_base(&self.state, request) {
            return *elsewhere;
        }
        if !request.headers().contains_key(header::ACCEPT_ENCODING) {
            return self.plain.answer(request).await;
        }
        let compressing = self.compressing.clone();
        compressing
            .oneshot(std::mem::take(request))
            .await
            .unwrap_or_else(|never| match never {})
    }
}

// === impl Fork ===

impl Fork {
    async fn answer(&self, request: &mut Request) -> Response {
        match (self.mlflow)(request.uri().path()) {
            // Of an answer to HEAD, the router keeps the length and drops the content.
            Some(pattern) if *request.method() != Method::HEAD => self
                .calls
                .pass(request, Last::Mlflow(pattern))
                .await
                .unwrap_or_else(Error::into_response),
            _ => {
                let router = self.router.clone();
                router.oneshot(std::mem::take(request)).await.unwrap_or_else(|never| match never {})
            }
        }
    }
}

impl Service<Request> for Fork {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let fork = self.clone();
        Box::pin(async move { Ok(fork.answer(&mut request).await) })
    }
}

// === impl Last ===

impl Last {
    async fn answer(self, state: &state::State, caller: &Principal, note: &Note, request: &mut Request) -> Response {
        match self {
            Self::Mlflow(_) => proxy::forward(state, caller, note, request).await,
            Self::Handler(next) => {
                request.extensions_mut().insert(note.clone());
                request.extensions_mut().insert(caller.clone());
                next.run(std::mem::take(request)).await
            }
        }
    }
}

// === impl Inner ===

impl Inner {
    fn new(state: &state::State, is_call: bool) -> Self {
        let store = session::Store::new(state.db.clone(), state.config.session.clone());
        Self {
            state: state.clone(),
            sessions: session::layer(store, &state.config.listen, &state.config.session),
            is_call,
        }
    }

    fn around<S: Clone + Send + Sync + 'static>(router: Router<S>, state: &state::State, is_call: bool) -> Router<S> {
        router.layer(from_fn_with_state(Arc::new(Self::new(state, is_call)), pass))
    }

    async fn with(&self, session: Option<Session>, note: &Note, request: &mut Request, last: Last) -> Result<Response> {
        let address = ClientAddress::of(request);
        let caller = credential::principal(&self.state, session.as_ref(), request.headers(), address, note).await?;
        let counted = request.extensions().get::<metrics::Note>();
        if let Some(counted) = counted {
            counted.caller(&caller, self.is_call);
        }
        // Needs to know whether the caller came by cookie.
        csrf::same_origin(&self.state, &caller, request)?;
        // Pages are not counted, nor what they are made of.
        if !self.is_call || request.extensions().get::<OfPage>().is_some() {
            return Ok(last.answer(&self.state, &caller, note, request).await);
        }
        Ok(match limit::admit(&self.state, &caller, note, address).await {
            Ok(pass) => {
                let response = last.answer(&self.state, &caller, note, request).await;
                pass.until_end(&self.state.limits, &caller, address, response)
            }
            Err(refusal) => *refusal,
        })
    }

    async fn pass(self: &Arc<Self>, request: &mut Request, last: Last) -> Result<Response> {
        // Records the call, also one that is refused below; what changes something is answered once its row is committed.
        let pending = Pending::begin(&self.state.audit, request).await?;
        let note = pending.note();
        if let Last::Mlflow(pattern) = last {
            note.route(pattern);
        }
        let is_silent = limit::is_silent(request.headers());
        let response = if credential::shows_itself(request.headers()) && !request.headers().contains_key(header::COOKIE) {
            self.with(None, note, request, last).await
        } else {
            Box::pin(self.with_cookie(note.clone(), std::mem::take(request), last)).await
        };
        let response = response.into_response();
        pending.end(if is_silent { limit::in_words(response) } else { response }).await
    }

    /// Reads the cookie, and writes it where a handler has signed somebody in or out.
    async fn with_cookie(self: &Arc<Self>, note: Note, request: Request, last: Last) -> Result<Response> {
        let inner = self.clone();
        let within = service_fn(move |mut request: Request| {
            let (inner, note, last) = (inner.clone(), note.clone(), last.clone());
            async move {
                let session = request.extensions().get::<Session>().cloned();
                Ok::<_, Infallible>(inner.with(session, &note, &mut request, last).await.into_response())
            }
        });
        self.sessions.layer(within).oneshot(request).await.map_err(|never| match never {})
    }
}

async fn pass(State(inner): State<Arc<Inner>>, mut request: Request, next: Next) -> Result<Response> {
    inner.pass(&mut request, Last::Handler(next)).await
}

/// The id that the caller or a proxy in front has given, or a new one. It goes into the log, the audit and the answer as it came: one that is
/// no plain text is none.
fn number(headers: &mut HeaderMap) -> HeaderValue {
    if headers.get(REQUEST_ID).is_some_and(|id| id.to_str().is_err()) {
        headers.remove(REQUEST_ID);
    }
    let number = || HeaderValue::try_from(hex(&rand::random::<[u8; 16]>())).unwrap_or(HeaderValue::from_static("-"));
    headers.entry(REQUEST_ID).or_insert_with(number).clone()
}

/// What every answer carries, also a refusal.
const CARRIED: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
    ),
    // What one caller may see is nobody else's. What may be kept says so itself.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // Pages bring a policy of their own, with a nonce; artifacts are sandboxed by the proxy.
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

fn harden(state: &state::State, headers: &mut HeaderMap) {
    for (name, value) in CARRIED {
        headers.entry(name).or_insert(value);
    }
    if state.config.listen.is_https() {
        // Below a path, the host's subdomains are others'.
        let shares_host = !state.config.listen.base_path.as_str().is_empty();
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static(if shares_host {
                "max-age=31536000"
            } else {
                "max-age=31536000; includeSubDomains"
            }));
    }
}

/// # Errors
/// The answer to what does not lie below the base.
fn strip_base(state: &state::State, request: &mut Request) -> Result<(), Box<Response>> {
    let base = &state.config.listen.base_path;
    let uri = request.uri();
    if base.as_str().is_empty() {
        return Ok(());
    }
    if uri.path() == base.as_str() {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Err(Box::new(Redirect::permanent(&format!("{}{query}", base.join("/"))).into_response()));
    }
    let Some(path) = base.strip(uri.path()) else {
        // A load balancer asks for the health at the root, wherever the console lives.
        if uri.path() == "/health" || uri.path().starts_with("/health/") {
            return Ok(());
        }
        return Err(Box::new(Error::NotFound(format!("Flowdeck lives below {base}")).into_response()));
    };
    let path_and_query = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let Ok(path_and_query) = path_and_query.parse::<PathAndQuery>() else {
        return Err(Box::new(Error::NotFound("no such address".into()).into_response()));
    };
    *request.uri_mut() = Uri::from(path_and_query);
    Ok(())
}
