//! Every layer, outermost first, with its reason.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version, header, uri::PathAndQuery},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate as _, SizeAbove},
    },
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
};
use tower_sessions::Session;
use tracing::Instrument as _;
use zeroize::Zeroizing;

use crate::{
    admission, clock, csrf,
    error::{Error, Result},
    key::Key,
    principal::{Basic, Principal},
    proxy::{Verbatim, narrow},
    session, state,
};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The address that the request came from: the connection's, or what a trusted proxy says.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// What every request passes, whether it came over the network or from our own rendering.
pub fn inner<S: Clone + Send + Sync + 'static>(router: Router<S>, state: &state::State) -> Router<S> {
    let store = session::Store::new(state.db.clone(), state.config.session.clone());
    router.layer(
        ServiceBuilder::new()
            // Reads the cookie, and writes it where a handler has signed somebody in or out.
            .layer(session::layer(store, &state.config.listen, &state.config.session))
            // Who calls: everything below asks for it.
            .layer(from_fn_with_state(state.clone(), principal))
            // Needs to know whether the caller came by cookie.
            .layer(from_fn_with_state(state.clone(), csrf::same_origin)),
    )
}

/// What only requests from the network pass.
pub fn outer(router: Router, state: &state::State) -> Router {
    let compressed = SizeAbove::new(1024)
        .and(NotForContentType::new("application/octet-stream"))
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(|_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| extensions.get::<Verbatim>().is_none());
    // A router's own layers run after it has chosen a route; these have to run before.
    Router::new().fallback_service(router).layer(
        ServiceBuilder::new()
            // Errors are numbered too, so this is before anything that can refuse.
            .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
            .layer(PropagateRequestIdLayer::new(REQUEST_ID))
            // One line a request.
            .layer(from_fn(log))
            // A panic costs its request and nothing else.
            .layer(CatchPanicLayer::custom(|_| {
                Error::Internal(anyhow::anyhow!("a handler panicked")).into_response()
            }))
            // What every answer carries, also a refusal.
            .layer(from_fn_with_state(state.clone(), harden))
            // HTTP that two readers could understand in two ways goes no further. It has to see the request target as it came.
            .layer(from_fn(admission::admit))
            .layer(from_fn_with_state(state.clone(), client_address))
            // Routes are matched below the base path.
            .layer(from_fn_with_state(state.clone(), strip_base))
            // MLflow compresses nothing; lists of runs shrink fifteenfold.
            .layer(CompressionLayer::new().compress_when(compressed)),
    )
}

async fn log(request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let start = std::time::Instant::now();
    let span = tracing::info_span!("request", id);
    let response = next.run(request).instrument(span).await;
    let (status, took) = (response.status().as_u16(), start.elapsed().as_millis());
    tracing::debug!(target: "server::access", request_id = id, status, took, "{method} {path}");
    response
}

async fn harden(State(state): State<state::State>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "same-origin");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=()",
    );
    if state.config.listen.is_https() {
        put(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    // Pages bring a policy of their own, with a nonce; artifacts are sandboxed by the proxy.
    put(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    response
}

async fn client_address(State(state): State<state::State>, mut request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([127, 0, 0, 1]), |info| info.0.ip().to_canonical());
    let trusted = |address: &IpAddr| state.config.listen.trusted_proxies.iter().any(|network| network.contains(address));
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).collect();
    // Each trusted proxy vouches for the hop before it, from the right. What is before an unreadable one is nobody's word.
    let address = std::iter::once(peer)
        .chain(hops.iter().rev().map_while(|hop| hop.trim().parse().ok()))
        .find(|address| !trusted(address))
        .unwrap_or(peer);
    request.extensions_mut().insert(ClientAddress(address.to_canonical()));
    next.run(request).await
}

async fn strip_base(State(state): State<state::State>, mut request: Request, next: Next) -> Response {
    let base = &state.config.listen.base_path;
    let uri = request.uri();
    if !base.as_str().is_empty() && uri.path() == base.as_str() {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Redirect::permanent(&format!("{}{query}", base.join("/"))).into_response();
    }
    let Some(path) = base.strip(uri.path()) else {
        // A load balancer asks for the health at the root, wherever the console lives.
        let is_health = uri.path() == "/health" || uri.path().starts_with("/health/");
        return if is_health {
            next.run(request).await
        } else {
            Error::NotFound(format!("Flowdeck lives below {base}")).into_response()
        };
    };
    let path_and_query = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let Ok(path_and_query) = path_and_query.parse::<PathAndQuery>() else {
        return Error::NotFound("no such address".into()).into_response();
    };
    *request.uri_mut() = Uri::from(path_and_query);
    next.run(request).await
}

async fn principal(State(state): State<state::State>, session: Session, mut request: Request<Body>, next: Next) -> Result<Response> {
    let caller = match shown(request.headers())? {
        None => session::principal(&session).await.map_err(|error| {
            tracing::error!("cannot read a session: {error}");
            Error::Unavailable("Flowdeck cannot read its sessions at the moment; try again".into())
        })?,
        Some(shown) => {
            let caller = match shown {
                Shown::Basic(basic) => Principal::Basic(basic),
                Shown::Key(text) => Principal::Key(key(&state, &request, &text)?),
            };
            let by_cookie = session::principal(&session).await.unwrap_or(Principal::Anonymous);
            if by_cookie.user().is_some_and(|user| Some(user) != caller.user()) {
                return Err(two_callers());
            }
            caller
        }
    };
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The key of this text, where it works, and from this address.
fn key(state: &state::State, request: &Request<Body>, text: &str) -> Result<Arc<Key>> {
    let now = clock::now();
    let key = state
        .keys
        .identify(text, now)
        .map_err(|refusal| Error::Unauthenticated(refusal.to_string()))?;
    let address = request.extensions().get::<ClientAddress>().map(|address| address.0);
    if let Some(address) = address {
        let name = &key.settings.name;
        let reason = (!key.allows(address)).then(|| format!("the API key \"{name}\" may not be used from {address}"));
        narrow::enforce(&key, reason)?;
        key.usage.used(now, address);
    }
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
fn shown(headers: &HeaderMap) -> Result<Option<Shown>> {
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
            basic = Some(self::basic(value, rest).ok_or_else(refuse)?);
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
fn basic(value: &HeaderValue, pair: &str) -> Option<Basic> {
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
    })
}
