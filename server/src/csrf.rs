//! Requests that another site makes a browser send: refused for everything that changes something.
//!
//! A write with a cookie needs `Sec-Fetch-Site: same-origin`, or, from browsers and schemes that send no such header,
//! an `Origin` that is ours (Fetch Metadata Request Headers; RFC 6454). SameSite alone is not enough: a sibling
//! subdomain is the same site.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
};

use crate::{
    error::{Error, Result},
    principal::Principal,
    state,
};

/// Lets pass what changes nothing, what carries no cookie, and what our own pages send.
///
/// # Errors
/// 403 for a write that another site may have caused.
pub fn same_origin(state: &state::State, caller: &Principal, request: &Request) -> Result<()> {
    let by_cookie = matches!(caller, Principal::Session(_));
    // Signing somebody in under a foreign name is an attack as well, though no cookie is there yet.
    let by_form = matches!(caller, Principal::Anonymous) && !request.uri().path().starts_with("/api/");
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || !(by_cookie || by_form) || is_ours(request.headers(), state.config.listen.public_origin.as_deref()) {
        return Ok(());
    }
    Err(Error::Forbidden("this request did not come from a page of this Flowdeck".into()))
}

fn is_ours(headers: &HeaderMap, public_origin: Option<&str>) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = text(header::ORIGIN) else { return false };
    match (public_origin, text(header::HOST)) {
        (Some(ours), _) => origin == ours,
        (None, Some(host)) => origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::is_ours;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_our_own_pages_pass() {
        for (ours, pairs) in [
            (true, &[("sec-fetch-site", "same-origin")][..]),
            (
                false,
                &[
                    ("sec-fetch-site", "same-site"),
                    ("origin", "http://a.example"),
                    ("host", "a.example"),
                ],
            ),
            (false, &[("sec-fetch-site", "cross-site")]),
            (false, &[("sec-fetch-site", "none")]),
            (true, &[("origin", "http://a.example:5050"), ("host", "a.example:5050")]),
            (false, &[("origin", "http://evil.example"), ("host", "a.example")]),
            (false, &[("origin", "null"), ("host", "a.example")]),
            (false, &[("host", "a.example")]),
        ] {
            assert_eq!(is_ours(&headers(pairs), None), ours, "{pairs:?}");
        }
    }

    #[test]
    fn behind_https_the_configured_origin_counts() {
        let public = Some("https://ml.example.org");
        assert!(is_ours(
            &headers(&[("origin", "https://ml.example.org"), ("host", "inner:5050")]),
            public
        ));
        assert!(!is_ours(
            &headers(&[("origin", "http://ml.example.org"), ("host", "ml.example.org")]),
            public
        ));
    }
}
