//! Request admission: HTTP that two readers could understand in two ways goes no further.
//!
//! The listener's parser has already refused what is malformed (two lengths, odd transfer codings, stray spaces, line folding) and closes
//! a connection on which `Content-Length` came with `Transfer-Encoding` (RFC 9112 §6.3). What is left is legal or tolerated HTTP
//! that proxies are known to disagree on. It has to see the request target as it came.

use std::net::Ipv6Addr;

use axum::extract::Request;
use http::{HeaderMap, HeaderName, Method, Uri, header};

use crate::{
    error::{Error, Result},
    hop,
};

/// Fields for us, not for this connection: a proxy in front that drops what `Connection` names would let a caller drop *its* fields.
const OURS: [HeaderName; 7] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::AUTHORIZATION,
    header::COOKIE,
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-api-key"),
];

/// # Errors
/// 400 for anything but exactly one valid `Host`, for a request target of another host, and for a `Connection` that names fields of
/// consequence; 405 for TRACE and CONNECT.
pub fn admit(request: &mut Request) -> Result<()> {
    // TRACE would echo credentials (RFC 9110 §9.3.8); CONNECT asks for a tunnel.
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        let allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS".to_owned();
        return Err(Error::MethodNotAllowed { allow });
    }
    let host = one_host(request.headers())?;
    if let Some(authority) = request.uri().authority() {
        // RFC 9112 §3.2.2: in absolute form the target's host counts; one that is not Host's is two opinions.
        if !authority.as_str().eq_ignore_ascii_case(host) {
            return Err(refuse("the request's address and its Host differ"));
        }
        let path = request
            .uri()
            .path_and_query()
            .cloned()
            .ok_or_else(|| refuse("the request has no path"))?;
        *request.uri_mut() = Uri::from(path);
    }
    let headers = request.headers_mut();
    for name in hop::nominated(headers) {
        if OURS.contains(&name) {
            return Err(refuse("Connection names a field that is not the connection's"));
        }
        headers.remove(name);
    }
    // `X_Forwarded_For` is `X-Forwarded-For` to WSGI servers and to some proxies.
    let odd: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().contains('_')).cloned().collect();
    for name in odd {
        headers.remove(name);
    }
    Ok(())
}

/// RFC 9112 §3.2: exactly one, and valid.
fn one_host(headers: &HeaderMap) -> Result<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host
            .to_str()
            .ok()
            .filter(|host| is_host(host))
            .ok_or_else(|| refuse("the Host is not one")),
        (None, _) => Err(refuse("a Host is missing")),
        (Some(_), Some(_)) => Err(refuse("there is more than one Host")),
    }
}

/// `name`, `name:port`, `[v6]` or `[v6]:port`.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let name_is_good = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    name_is_good && port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

fn refuse(why: &str) -> Error {
    Error::BadRequest(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for good in [
            "localhost",
            "ml.example.org",
            "127.0.0.1:5050",
            "[::1]",
            "[::1]:5050",
            "my_host:80",
            "a-b.c",
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "", ":80", "a:", "a:b", "a:99999", "a:+80", "a@b", "a/b", "a\\b", "a b", "::1", "[::1", "[x]", "a?b", "a#b", "a,b",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
