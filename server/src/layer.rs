//! Every layer, outermost first, with its reason.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Extension, Router,
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
    admission,
    audit::{self, Note, Way},
    clock, csrf,
    error::{Error, Result},
    key::Key,
    limit, metrics,
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
            // Records the call, also one that is refused below; what changes something is answered once its row is committed.
            .layer(from_fn_with_state(state.audit.clone(), audit::layer::record))
            // Reads the cookie, and writes it where a handler has signed somebody in or out.
            .layer(session::layer(store, &state.config.listen, &state.config.session))
            // Who calls: everything below asks for it.
            .layer(from_fn_with_state(state.clone(), principal))
            // Needs to know whether the caller came by cookie.
            .layer(from_fn_with_state(state.clone(), csrf::same_origin)),
    )
}

/// What calls of programs and of our own pages pass besides; pages, forms and files do not.
pub fn calls(router: Router<state::State>, state: &state::State) -> Router<state::State> {
    router.layer(
        ServiceBuilder::new()
            .layer(from_fn(|request: Request, next: Next| {
                if let Some(note) = request.extensions().get::<metrics::Note>() {
                    note.call();
                }
                next.run(request)
            }))
            // One user's calls take nothing from another's, nor a runaway script's from the console.
            .layer(from_fn_with_state(state.clone(), limit::enforce)),
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
            .map_request(without_odd_id)
            .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
            .layer(PropagateRequestIdLayer::new(REQUEST_ID))
            // Refusals are counted too.
            .layer(from_fn_with_state(state.clone(), metrics::observe))
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

/// A caller's id goes into the log, the audit and the answer as it came: one that is no plain text is none.
fn without_odd_id(mut request: Request) -> Request {
    if request.headers().get(REQUEST_ID).is_some_and(|id| id.to_str().is_err()) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
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
    // What one caller may see is nobody else's. What may be kept says so itself.
    put(header::CACHE_CONTROL, "no-store");
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
    let client = ClientAddress(client(peer, request.headers(), trusted));
    request.extensions_mut().insert(client);
    next.run(request).await
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

async fn principal(
    State(state): State<state::State>,
    session: Session,
    Extension(note): Extension<Note>,
    mut request: Request<Body>,
    next: Next,
) -> Result<Response> {
    // Who shows something of themselves is recorded, whatever becomes of it.
    if [header::AUTHORIZATION, X_API_KEY]
        .iter()
        .any(|name| request.headers().contains_key(name))
    {
        note.always();
    }
    let caller = match shown(request.headers(), &note)? {
        None => session::principal(&session).await.map_err(|error| {
            tracing::error!("cannot read a session: {error}");
            Error::Unavailable("Flowdeck cannot read its sessions at the moment; try again".into())
        })?,
        Some(shown) => {
            let caller = match shown {
                Shown::Basic(basic) => Principal::Basic(basic),
                Shown::Key(text) => Principal::Key(key(&state, &request, &text, &note)?),
            };
            let by_cookie = session::principal(&session).await.unwrap_or(Principal::Anonymous);
            if by_cookie.user().is_some_and(|user| Some(user) != caller.user()) {
                return Err(two_callers());
            }
            caller
        }
    };
    if let Some(note) = request.extensions().get::<metrics::Note>() {
        note.caller(&caller);
    }
    let way = match &caller {
        Principal::Anonymous => Way::None,
        Principal::Session(_) => Way::Session,
        Principal::Basic(_) => Way::Basic,
        Principal::Key(_) => Way::Key,
    };
    let id = match &caller {
        Principal::Key(key) => Some(key.id.as_str()),
        _ => None,
    };
    note.caller(way, caller.user(), id);
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The key of this text, where it works, and from this address.
fn key(state: &state::State, request: &Request<Body>, text: &str, note: &Note) -> Result<Arc<Key>> {
    let now = clock::now();
    let address = request.extensions().get::<ClientAddress>().map(|address| address.0);
    note.caller(Way::Key, None, None);
    let key = state.keys.identify(text, now).map_err(|refused| {
        match (&refused.key, address) {
            (Some(key), _) => note.caller(Way::Key, Some(&key.user), Some(&key.id)),
            // A key that works is not asked for what its neighbours have guessed.
            (None, Some(address)) => {
                if let Err(error) = state.limits.may_try(address) {
                    return error;
                }
                state.limits.guessed(address, None);
            }
            (None, None) => {}
        }
        Error::Unauthenticated(refused.to_string())
    })?;
    note.caller(Way::Key, Some(&key.user), Some(&key.id));
    if let Some(address) = address {
        let name = &key.settings.name;
        let reason = (!key.allows(address)).then(|| format!("the API key \"{name}\" may not be used from {address}"));
        narrow::enforce(&key, reason, note)?;
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
