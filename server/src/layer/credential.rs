//! Who calls, by what a request shows of itself: a session, an API key, or a name and a password.

use std::{net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tower_sessions::Session;
use zeroize::Zeroizing;

use crate::{
    audit::{Note, Way},
    clock,
    error::{Error, Result},
    key::Key,
    principal::{Basic, Principal},
    proxy::narrow,
    session, state,
};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a program shows of itself in the header.
enum Shown {
    Basic(Basic),
    Key(Zeroizing<String>),
}

/// Whether the request says by a header who calls.
pub fn shows_itself(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key(X_API_KEY)
}

/// Who calls: everything further in asks for it.
pub async fn principal(
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
