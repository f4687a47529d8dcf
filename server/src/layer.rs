//! What a request passes on its way in, and its answer on its way out.
//!
//! Each of the two ways is one function, read from top to bottom: a stack of small layers costs a call through the proxy more than
//! everything that they do.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header, uri::PathAndQuery},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::FutureExt as _;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tower_http::compression::{
    CompressionLayer,
    predicate::{NotForContentType, Predicate as _, SizeAbove},
};
use tower_sessions::Session;
use zeroize::Zeroizing;

use crate::{
    admission,
    audit::{Note, Way, layer::Pending},
    clock, csrf,
    error::{Error, Result},
    key::Key,
    limit::{self, OfPage},
    log,
    metrics::{self, Observed},
    principal::{Basic, Principal},
    proxy::{self, Verbatim, narrow},
    session, state,
    vault::hex,
};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The address that the request came from: the connection's, or what a trusted proxy says.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

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

// === impl ClientAddress ===

impl ClientAddress {
    /// Of a request that no network has brought: our own.
    pub fn of<B>(request: &axum::http::Request<B>) -> IpAddr {
        let own = IpAddr::from([127, 0, 0, 1]);
        request.extensions().get::<Self>().map_or(own, |address| address.0)
    }
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
        client_address(&self.state, request);
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
        let caller = principal(&self.state, session.as_ref(), request.headers(), address, note).await?;
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
        let response = if shows_itself(request.headers()) && !request.headers().contains_key(header::COOKIE) {
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

fn client_address(state: &state::State, request: &mut Request) {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([127, 0, 0, 1]), |info| info.0.ip().to_canonical());
    let trusted = |address: &IpAddr| state.config.listen.trusted_proxies.iter().any(|network| network.contains(address));
    let client = ClientAddress(client(peer, request.headers(), trusted));
    request.extensions_mut().insert(client);
}

/// Each trusted proxy vouches for the hop before it, from the right. What is before an unreadable one is nobody's word.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(&IpAddr) -> bool) -> IpAddr {
    // Line by line and byte by byte: a proxy appends its word to whatever the caller has sent.
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    std::iter::once(peer)
        .chain(hops.map_while(hop))
        .find(|address| !trusted(address))
        .unwrap_or(peer)
}

/// An address, perhaps with a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok()?.into(),
        None => text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?,
    };
    Some(IpAddr::to_canonical(&address))
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

/// Whether the request says by a header who calls.
fn shows_itself(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key(X_API_KEY)
}

/// Who calls: everything further in asks for it.
async fn principal(
    state: &state::State,
    session: Option<&Session>,
    headers: &HeaderMap,
    address: IpAddr,
    note: &Note,
) -> Result<Principal> {
    // Who shows something of themselves is recorded, whatever becomes of it.
    if shows_itself(headers) {
        note.always();
    }
    let by_cookie = async || match session {
        Some(session) => session::principal(session).await,
        None => Ok(Principal::Anonymous),
    };
    let caller = match shown(headers, note)? {
        None => by_cookie().await.map_err(|error| {
            tracing::error!("cannot read a session: {error}");
            Error::Unavailable("Flowdeck cannot read its sessions at the moment; try again".into())
        })?,
        Some(shown) => {
            let caller = match shown {
                Shown::Basic(basic) => Principal::Basic(basic),
                Shown::Key(text) => Principal::Key(key(state, address, &text, note)?),
            };
            let by_cookie = by_cookie().await.unwrap_or(Principal::Anonymous);
            if by_cookie.user().is_some_and(|user| Some(user) != caller.user()) {
                return Err(two_callers());
            }
            caller
        }
    };
    match &caller {
        Principal::Anonymous => note.caller(Way::None, None, None),
        Principal::Session(session) => note.caller(Way::Session, Some(&session.user), None),
        Principal::Basic(basic) => note.caller(Way::Basic, Some(&basic.user), None),
        // It was noted when it was found.
        Principal::Key(_) => {}
    }
    Ok(caller)
}

/// The key of this text, where it works, and from this address.
fn key(state: &state::State, address: IpAddr, text: &str, note: &Note) -> Result<Arc<Key>> {
    let now = clock::now();
    note.caller(Way::Key, None, None);
    let key = state.keys.identify(text, now).map_err(|refused| {
        if let Some(key) = &refused.key {
            note.caller(Way::Key, Some(&key.user), Some(&key.id));
        } else {
            // A key that works is not asked for what its neighbours have guessed.
            if let Err(error) = state.limits.may_try(address) {
                return error;
            }
            state.limits.guessed(address, None);
        }
        Error::Unauthenticated(refused.to_string())
    })?;
    note.caller(Way::Key, Some(&key.user), Some(&key.id));
    if !key.allows(address) {
        let reason = format!("the API key \"{}\" may not be used from {address}", key.settings.name);
        narrow::enforce(&key, Some(reason), note)?;
    }
    key.usage.used(now, address);
    Ok(key)
}

/// What a program shows of itself in the header.
enum Shown {
    Basic(Basic),
    Key(Zeroizing<String>),
}

/// `Authorization` and `X-API-Key`.
///
/// # Errors
/// 400 for two that disagree (as RFC 6750 §3.1 has it), 401 for what cannot be read.
fn shown(headers: &HeaderMap, note: &Note) -> Result<Option<Shown>> {
    let refuse = || Error::Unauthenticated("show an API key (Bearer), or a user name and a password (HTTP Basic)".into());
    let mut keys: Vec<Zeroizing<String>> = Vec::new();
    let mut basic = None;
    for value in headers.get_all(&X_API_KEY) {
        keys.push(Zeroizing::new(value.to_str().map_err(|_| refuse())?.trim().to_owned()));
    }
    for value in headers.get_all(header::AUTHORIZATION) {
        let (scheme, rest) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(refuse)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            keys.push(Zeroizing::new(rest.trim().to_owned()));
        } else if scheme.eq_ignore_ascii_case("basic") && basic.is_none() {
            basic = Some(self::basic(value, rest, note).ok_or_else(refuse)?);
        } else {
            return Err(refuse());
        }
    }
    keys.dedup_by(|a, b| **a == **b);
    match (keys.pop(), basic) {
        (None, basic) => Ok(basic.map(Shown::Basic)),
        (Some(key), None) if keys.is_empty() => Ok(Some(Shown::Key(key))),
        _ => Err(two_callers()),
    }
}

fn two_callers() -> Error {
    Error::BadRequest("this request shows two credentials that disagree: send one".into())
}

/// `Basic` as MLflow will read it (RFC 7617).
fn basic(value: &HeaderValue, pair: &str, note: &Note) -> Option<Basic> {
    let pair = Zeroizing::new(STANDARD.decode(pair.trim()).ok()?);
    let user = pair
        .split(|byte| *byte == b':')
        .next()
        .and_then(|user| std::str::from_utf8(user).ok())?;
    let mut authorization = value.clone();
    authorization.set_sensitive(true);
    Some(Basic {
        user: user.to_owned(),
        authorization,
        note: note.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::{HeaderMap, HeaderValue};

    use super::client;

    /// Who is taken for the client, where 10.0.0.0/8 and fd00::/8 are the proxies.
    fn taken(peer: &str, lines: &[&[u8]]) -> String {
        let networks: [ipnet::IpNet; 2] = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        let trusted = |address: &IpAddr| networks.iter().any(|network| network.contains(address));
        client(peer.parse().unwrap(), &headers, trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(taken("192.0.2.9", &[b"127.0.0.1"]), "192.0.2.9");
        assert_eq!(taken("192.0.2.9", &[b"10.0.0.1, 10.0.0.2"]), "192.0.2.9");
        assert_eq!(taken("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(taken("10.0.0.1", &[b"203.0.113.5"]), "203.0.113.5");
        assert_eq!(taken("fd00::1", &[b"2001:db8::5"]), "2001:db8::5");
    }

    #[test]
    fn of_a_chain_the_last_hop_that_nobody_vouches_for_counts() {
        assert_eq!(taken("10.0.0.1", &[b"127.0.0.1, 203.0.113.5"]), "203.0.113.5");
        assert_eq!(taken("10.0.0.1", &[b"6.6.6.6, 203.0.113.5, 10.0.0.2,10.0.0.3"]), "203.0.113.5");
        assert_eq!(taken("10.0.0.1", &[b"10.0.0.7, 10.0.0.8"]), "10.0.0.1");
        // Two lines are one list (RFC 9110 section 5.3).
        assert_eq!(taken("10.0.0.1", &[b"6.6.6.6", b"203.0.113.5"]), "203.0.113.5");
        assert_eq!(taken("10.0.0.1", &[b"6.6.6.6, 203.0.113.5", b"10.0.0.2"]), "203.0.113.5");
        let many = "6.6.6.6,".repeat(3000) + "203.0.113.5" + &", 10.0.0.9".repeat(1000);
        assert_eq!(taken("10.0.0.1", &[many.as_bytes()]), "203.0.113.5");
    }

    #[test]
    fn what_is_before_garbage_is_nobodys_word() {
        for garbage in [
            &b"unknown"[..],
            b"",
            b",",
            b"_hidden",
            b"1.2.3",
            b"1.2.3.4.5",
            b"0x7f.1",
            b"01.02.03.04",
            b"fe80::1%eth0",
            b"[fe80::1%25eth0]",
            b"[10.0.0.2]",
            b"[2001:db8::1",
            b"for=203.0.113.5",
            b"\"203.0.113.5\"",
            b"10.0.0.2\xa0",
            b"\xff",
        ] {
            let line = [b"6.6.6.6, ", garbage].concat();
            assert_eq!(taken("10.0.0.1", &[&line]), "10.0.0.1", "{}", line.escape_ascii());
            // A proxy that appends its word to garbage of the caller's is believed all the same, and no line before it.
            let line = [garbage, b", 203.0.113.5"].concat();
            assert_eq!(taken("10.0.0.1", &[b"6.6.6.6", &line]), "203.0.113.5", "{}", line.escape_ascii());
            assert_eq!(taken("10.0.0.1", &[b"6.6.6.6", garbage]), "10.0.0.1", "{}", garbage.escape_ascii());
        }
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        for (hop, address) in [
            ("203.0.113.5:4711", "203.0.113.5"),
            ("[2001:db8::5]", "2001:db8::5"),
            ("[2001:db8::5]:4711", "2001:db8::5"),
            ("::ffff:203.0.113.5", "203.0.113.5"),
            (" \t203.0.113.5 ", "203.0.113.5"),
        ] {
            assert_eq!(taken("10.0.0.1", &[hop.as_bytes()]), address);
        }
        // A proxy by its mapped address is a proxy.
        assert_eq!(taken("10.0.0.1", &[b"203.0.113.5, ::ffff:10.0.0.2"]), "203.0.113.5");
    }
}
