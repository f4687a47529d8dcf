//! Which header fields go to MLflow, and which come back.
//!
//! To MLflow goes everything but what could be mistaken for Flowdeck's own word: who calls, from where, and for which host.
//! To the LLM gateway goes next to nothing: its pass-through routes hand whatever they get to the LLM provider. From MLflow comes
//! only what is named here, since behind the gateway the fields are a stranger's.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::table::{Body, Family, Row};
use crate::{address, hop};

/// MLflow takes credentials here on `/gateway/…` only, prefers them to `Authorization`, and does not hand them on.
const GATEWAY_AUTHORIZATION: HeaderName = HeaderName::from_static("x-mlflow-authorization");

/// Sent to the gateway in place of the caller's: MLflow gives the *incoming* credentials to the provider when the name of a
/// coding agent is in it.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("flowdeck/", env!("CARGO_PKG_VERSION")));

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What is MLflow's own and comes from clients; every other `X-MLflow-…` would be believed to come from a part of the server.
const MLFLOW_FIELDS: [&str; 3] = ["x-mlflow-experiment-id", "x-mlflow-run-id", "x-mlflow-client-version"];

/// What no caller tells MLflow, besides the prefixes in [`is_dropped`].
const DROPPED: [&str; 19] = [
    // Set anew for this hop.
    "accept-encoding",
    "content-length",
    "expect",
    "host",
    // Who calls is told by the principal, and by nothing else.
    "api-key",
    "authorization",
    "cookie",
    "x-api-key",
    "x-goog-api-key",
    // MLflow refuses writes of a foreign origin; Flowdeck has checked for it already, and hides its own address.
    "origin",
    "referer",
    // From where, for which host, which path, which method.
    "forwarded",
    "x-real-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-script-name",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// What the gateway may hand to an LLM provider.
const TO_PROVIDER: [&str; 6] = [
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "content-encoding",
    "content-type",
    "traceparent",
];

const FROM_MLFLOW: [HeaderName; 13] = [
    header::ACCEPT_RANGES,
    header::AGE,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::RETRY_AFTER,
];

/// So many fields Flowdeck adds to an answer.
const OUR_OWN: usize = 16;

/// An artifact is a stranger's file: opened in a browser it runs nothing, submits nothing, loads nothing, and has an origin of its own
/// (`sandbox`). Styles and embedded pictures remain, so that a report or a drawing can be read.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
);

/// The fields of a request to MLflow, but for its `Host`.
pub fn request(mut incoming: HeaderMap, row: &Row, client: IpAddr, authorization: Option<HeaderValue>) -> HeaderMap {
    hop::strip(&mut incoming);
    let calls_model = row.family() == Some(Family::GatewayCalls);
    let mut headers = HeaderMap::with_capacity(incoming.len() + 3);
    let mut last = None;
    for (name, value) in incoming {
        // A map gives the name only with the first of several values.
        last = name.or(last);
        let Some(name) = &last else { continue };
        let goes = if calls_model {
            is_for_provider(name.as_str())
        } else {
            !is_dropped(name.as_str())
        };
        if goes {
            headers.append(name, value);
        }
    }
    if calls_model {
        headers.insert(header::USER_AGENT, USER_AGENT);
        if let Some(authorization) = authorization {
            headers.insert(GATEWAY_AUTHORIZATION, authorization);
        }
        return headers;
    }
    // An answer is read here when it is an error, and compressed nearer to the caller when it is not.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // uvicorn believes this field of its neighbours, and parts of MLflow trust whoever seems to call from the server's own host:
    // it is always set, and always by us.
    if let Ok(client) = HeaderValue::try_from(address::text(client.to_canonical())) {
        headers.insert(FORWARDED_FOR, client);
    }
    if let Some(authorization) = authorization {
        headers.insert(header::AUTHORIZATION, authorization);
    }
    headers
}

/// The fields of an answer to the caller.
pub fn response(incoming: HeaderMap, row: &Row) -> HeaderMap {
    let ended = hop::nominated(&incoming);
    let mut headers = HeaderMap::with_capacity(incoming.len() + OUR_OWN);
    for (name, value) in incoming {
        // A map gives the name only with the first of several values; each of these has one.
        if let Some(name) = name.filter(|name| comes_back(name) && !ended.contains(name)) {
            headers.insert(name, value);
        }
    }
    protect(&mut headers, row);
    headers
}

/// What holds for whatever comes from MLflow: it is never a document of ours.
pub fn protect(headers: &mut HeaderMap, row: &Row) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    // What one caller may see, the next may not. A file may be kept where it was fetched, if it is asked for again each time.
    let private = if row.body() == Body::Download {
        "private, no-cache"
    } else {
        "private, no-store"
    };
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(private));
}

fn is_dropped(name: &str) -> bool {
    // `X_Forwarded_For` becomes `X-Forwarded-For` in a WSGI environment.
    name.contains('_')
        || name.starts_with("x-forwarded-")
        || (name.starts_with("x-mlflow-") && !MLFLOW_FIELDS.contains(&name))
        || DROPPED.contains(&name)
}

fn is_for_provider(name: &str) -> bool {
    TO_PROVIDER.contains(&name) || name.starts_with("openai-")
}

fn comes_back(name: &HeaderName) -> bool {
    FROM_MLFLOW.contains(name) || name.as_str().starts_with("x-mlflow-gateway-")
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::{request, response};
    use crate::{
        path::Admitted,
        proxy::{lookup, table::Row},
    };

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    fn row(method: Method, path: &str) -> &'static Row {
        lookup::find(&method, &Admitted::parse(path).unwrap()).unwrap().row
    }

    fn map(fields: &[(&str, &str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::try_from(*value).unwrap()))
            .collect()
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    /// Everything that a caller could try to pass for Flowdeck's word, or that belongs to Flowdeck alone.
    const HOSTILE: &[(&str, &str)] = &[
        ("host", "evil.example"),
        ("cookie", "session=1"),
        ("authorization", "Bearer fd_x"),
        ("x-api-key", "fd_x"),
        ("api-key", "x"),
        ("x-goog-api-key", "x"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/x"),
        ("x_forwarded_for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-mlflow-authorization", "Basic eDp5"),
        ("x-mlflow-workspace", "w"),
        ("x-mlflow-gateway-caller", "judge"),
        ("x-mlflow-guardrail-bypass", "1"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/api/2.0/mlflow/users/list"),
        ("connection", "keep-alive, X-Gone"),
        ("x-gone", "1"),
        ("te", "trailers"),
        ("upgrade", "websocket"),
        ("expect", "100-continue"),
        ("transfer-encoding", "chunked"),
        ("accept-encoding", "gzip, br"),
    ];

    #[test]
    fn only_flowdeck_says_who_calls() {
        let headers = map(&[
            HOSTILE,
            &[("accept", "application/json"), ("if-none-match", "\"1\""), ("range", "bytes=0-1")],
        ]
        .concat());
        let headers = request(
            headers,
            row(Method::GET, "/get-artifact"),
            CLIENT,
            Some(HeaderValue::from_static("Basic bWU6aXQ=")),
        );
        assert_eq!(
            lines(&headers),
            [
                "accept-encoding: identity",
                "accept: application/json",
                "authorization: Basic bWU6aXQ=",
                "if-none-match: \"1\"",
                "range: bytes=0-1",
                "x-forwarded-for: 203.0.113.9",
            ]
        );
    }

    #[test]
    fn a_trace_keeps_its_experiment() {
        let headers = map(&[
            ("x-mlflow-experiment-id", "1"),
            ("x-mlflow-run-id", "r"),
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "gzip"),
        ]);
        let headers = request(headers, row(Method::POST, "/v1/traces"), CLIENT, None);
        for name in ["x-mlflow-experiment-id", "x-mlflow-run-id", "content-type", "content-encoding"] {
            assert!(headers.contains_key(name), "{name}");
        }
    }

    #[test]
    fn a_provider_learns_nothing_of_the_caller() {
        let fields = [
            HOSTILE,
            &[
                ("user-agent", "claude-cli/1.0"),
                ("content-type", "application/json"),
                ("accept", "text/event-stream"),
                ("anthropic-version", "2023-06-01"),
                ("openai-organization", "org"),
                ("x-stainless-os", "Linux"),
                ("x-anything", "1"),
                ("x-mlflow-experiment-id", "1"),
                ("accept-language", "de"),
            ],
        ];
        for path in [
            "/gateway/openai/v1/chat/completions",
            "/gateway/e/mlflow/invocations",
            "/gateway/proxy/e/v1/x",
        ] {
            let authorization = Some(HeaderValue::from_static("Basic bWU6aXQ="));
            let headers = request(map(&fields.concat()), row(Method::POST, path), CLIENT, authorization);
            assert_eq!(
                lines(&headers),
                [
                    "accept: text/event-stream",
                    "anthropic-version: 2023-06-01",
                    "content-type: application/json",
                    "openai-organization: org",
                    concat!("user-agent: flowdeck/", env!("CARGO_PKG_VERSION")),
                    "x-mlflow-authorization: Basic bWU6aXQ=",
                ]
            );
        }
    }

    #[test]
    fn several_values_stay_several() {
        let headers = request(
            map(&[("accept", "text/plain"), ("accept", "application/json"), ("x-a", "1")]),
            row(Method::GET, "/version"),
            CLIENT,
            None,
        );
        assert_eq!(headers.get_all("accept").iter().count(), 2);
        assert_eq!(headers["x-a"], "1");
    }

    #[test]
    fn an_ipv4_caller_on_an_ipv6_socket_is_an_ipv4_caller() {
        let headers = request(
            HeaderMap::new(),
            row(Method::GET, "/version"),
            "::ffff:192.0.2.1".parse().unwrap(),
            None,
        );
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
    }

    #[test]
    fn an_artifact_comes_back_harmless() {
        let upstream = map(&[
            ("content-type", "text/html; charset=utf-8"),
            ("content-disposition", "attachment; filename=a.html"),
            ("content-length", "12"),
            ("etag", "\"1\""),
            ("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT"),
            ("accept-ranges", "bytes"),
            ("date", "Sat, 21 Nov 2026 00:00:00 GMT"),
            ("date", "Sat, 21 Nov 2026 00:00:01 GMT"),
            ("server", "uvicorn"),
            ("set-cookie", "session=evil"),
            ("www-authenticate", "Basic realm=\"mlflow\""),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src *"),
            ("access-control-allow-origin", "*"),
            ("location", "http://127.0.0.1:5000/"),
            ("clear-site-data", "\"*\""),
            ("vary", "Origin"),
            ("connection", "close"),
            ("keep-alive", "timeout=5"),
        ]);
        let headers = response(upstream, row(Method::GET, "/get-artifact"));
        assert_eq!(
            lines(&headers),
            [
                "accept-ranges: bytes",
                "cache-control: private, no-cache",
                "content-disposition: attachment; filename=a.html",
                "content-length: 12",
                "content-security-policy: sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
                "content-type: text/html; charset=utf-8",
                "cross-origin-resource-policy: same-origin",
                "etag: \"1\"",
                "last-modified: Sat, 21 Nov 2026 00:00:00 GMT",
                "x-content-type-options: nosniff",
            ]
        );
    }

    #[test]
    fn answers_are_private() {
        let runs = row(Method::POST, "/api/2.0/mlflow/runs/search");
        assert_eq!(response(HeaderMap::new(), runs)["cache-control"], "private, no-store");
        assert_eq!(response(map(&[("cache-control", "no-cache")]), runs)["cache-control"], "no-cache");
    }
}
