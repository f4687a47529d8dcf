//! MLflow's errors, made fit to be shown: always JSON, never SQL, password hashes or HTML.
//!
//! MLflow fails in four shapes: its own JSON, FastAPI's `detail`, sentences of plain text (called HTML), and web pages. Callers get the
//! first; of the gateway also the second, as clients of LLMs expect it. The status stays.

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};

use super::{
    header::protect,
    table::{Family, Row},
};
use crate::{error::Error, upstream::door::Answer};

/// More than any message of MLflow's; what is larger is not looked at.
const MOST: usize = 64 * 1024;
const TIME_TO_READ: Duration = Duration::from_secs(10);
const LONGEST_SENTENCE: usize = 300;

/// In lower case. MLflow quotes the failing statement with its parameters, which include the hash of a password.
const SECRETS: [&str; 12] = [
    "scrypt:",
    "pbkdf2:",
    "[sql:",
    "[parameters:",
    "insert into ",
    "(sqlite3.",
    "sqlalche",
    "psycopg",
    "pymysql",
    "mysqldb",
    "pyodbc",
    "traceback (most recent call last)",
];

/// What MLflow says when it is told a Host that it does not expect.
const BAD_HOST: &str = "Invalid Host header";

/// The answer to give in place of an error of MLflow's.
pub async fn rescue(answer: http::Response<Answer>, row: &Row, refused: &'static str) -> Response {
    let status = answer.status();
    let retry = answer.headers().get(header::RETRY_AFTER).cloned();
    let body = read(answer).await;
    let mut response = translate(status, body.as_ref(), row, refused);
    if let Some(retry) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, retry);
    }
    protect(response.headers_mut(), row);
    response
}

/// For a HEAD request: the status, and nothing to read.
pub fn without_content(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

fn translate(status: StatusCode, body: Option<&Bytes>, row: &Row, refused: &'static str) -> Response {
    let json = body
        .and_then(|body| serde_json::from_slice::<Value>(body).ok())
        .filter(Value::is_object);
    let text = body.and_then(|body| std::str::from_utf8(body).ok()).map(str::trim);
    let Some(object) = json else {
        return match status {
            // MLflow's own refusal is always a sentence; JSON would be the word of an LLM provider behind the gateway.
            StatusCode::UNAUTHORIZED => Error::WrongCredentials(refused.into()).into_response(),
            _ if text.is_some_and(|text| text.starts_with(BAD_HOST)) => Error::Upstream(
                "MLflow does not accept the address under which Flowdeck calls it: start MLflow with that address in --allowed-hosts"
                    .into(),
            )
            .into_response(),
            _ => answer(
                status,
                code(status),
                text.filter(|text| is_sentence(text)).unwrap_or_else(|| sentence(status)),
            ),
        };
    };
    let code = object["error_code"].as_str();
    if leaks(&object) {
        tracing::warn!(%status, path = row.path, "an error of MLflow's held SQL or a hash and was replaced");
        let code = code.unwrap_or_else(|| self::code(status));
        let message = match code {
            "RESOURCE_ALREADY_EXISTS" => "there is one of that name already",
            _ if status.is_server_error() => sentence(status),
            _ => "MLflow's database does not take this value; perhaps the name is taken",
        };
        return answer(status, code, message);
    }
    if code.is_some() || row.family() == Some(Family::GatewayCalls) {
        return (
            status,
            [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body.cloned().unwrap_or_default(),
        )
            .into_response();
    }
    let code = match status {
        // The route is there, so what is not is the thing.
        StatusCode::NOT_FOUND => "RESOURCE_DOES_NOT_EXIST",
        _ => self::code(status),
    };
    answer(
        status,
        code,
        &detail(&object["detail"]).unwrap_or_else(|| sentence(status).to_owned()),
    )
}

fn answer(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error_code": code, "message": message }))).into_response()
}

async fn read(answer: http::Response<Answer>) -> Option<Bytes> {
    if answer.headers().contains_key(header::CONTENT_ENCODING) {
        return None;
    }
    let reading = Limited::new(answer.into_body(), MOST).collect();
    let whole = tokio::time::timeout(TIME_TO_READ, reading).await.ok()?.ok()?;
    Some(whole.to_bytes())
}

/// FastAPI's `detail`: a sentence, or what is wrong with which field.
fn detail(detail: &Value) -> Option<String> {
    match detail {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let faults = items.iter().filter_map(|item| {
                let place: Vec<_> = item["loc"]
                    .as_array()?
                    .iter()
                    .map(|part| part.as_str().map_or(part.to_string(), str::to_owned))
                    .collect();
                Some(format!("{}: {}", place.join("."), item["msg"].as_str()?))
            });
            Some(faults.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}

fn leaks(object: &Value) -> bool {
    let text = object.to_string().to_lowercase();
    SECRETS.iter().any(|secret| text.contains(secret))
}

/// Whether a text can be told as it is.
fn is_sentence(text: &str) -> bool {
    let lower = text.to_lowercase();
    !text.is_empty()
        && text.len() <= LONGEST_SENTENCE
        && !text.chars().any(|c| c == '<' || c.is_control())
        && !SECRETS.iter().any(|secret| lower.contains(secret))
}

/// As MLflow's client would name the error itself, if it got no JSON (`mlflow.exceptions.get_error_code`).
fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "ENDPOINT_NOT_FOUND",
        409 => "RESOURCE_CONFLICT",
        413 => "MAX_REQUEST_SIZE_EXCEEDED",
        429 => "REQUEST_LIMIT_EXCEEDED",
        501 => "NOT_IMPLEMENTED",
        502..=504 => "TEMPORARILY_UNAVAILABLE",
        500.. => "INTERNAL_ERROR",
        _ => "BAD_REQUEST",
    }
}

fn sentence(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "MLflow does not allow this",
        404 => "MLflow has nothing at this address",
        413 => "MLflow finds the body too large",
        429 => "MLflow asks to slow down",
        502..=504 => "MLflow is not available at the moment",
        500.. => "MLflow failed; its log has the details",
        _ => "MLflow refused the request",
    }
}

/// The fields that go with Flowdeck's own errors on a proxied route.
pub fn own(error: Error, row: &Row) -> Response {
    let mut response = error.into_response();
    protect(response.headers_mut(), row);
    response
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Method, StatusCode};
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};

    use super::translate;
    use crate::{
        path::Admitted,
        proxy::{lookup, table::Row},
    };

    const RUN: (Method, &str) = (Method::GET, "/api/2.0/mlflow/runs/get");
    const CHAT: (Method, &str) = (Method::POST, "/gateway/openai/v1/chat/completions");

    fn row((method, path): (Method, &str)) -> &'static Row {
        lookup::find(&method, &Admitted::parse(path).unwrap()).unwrap().row
    }

    async fn told(status: u16, body: &str, route: (Method, &str)) -> (u16, Value) {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let response = translate(StatusCode::from_u16(status).unwrap(), Some(&body), row(route), "sign in again");
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/json");
        (
            status,
            serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap(),
        )
    }

    fn error(code: &str, message: &str) -> Value {
        json!({ "error_code": code, "message": message })
    }

    #[tokio::test]
    async fn mlflows_own_json_passes() {
        let body = r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No run", "sqlstate": null}"#;
        assert_eq!(told(404, body, RUN).await, (404, serde_json::from_str(body).unwrap()));
    }

    #[tokio::test]
    async fn sentences_and_pages_become_json() {
        assert_eq!(
            told(403, "Permission denied", RUN).await,
            (403, error("PERMISSION_DENIED", "Permission denied"))
        );
        let page = "<!doctype html>\n<html lang=en><title>404 Not Found</title>";
        assert_eq!(
            told(404, page, RUN).await,
            (404, error("ENDPOINT_NOT_FOUND", "MLflow has nothing at this address"))
        );
        assert_eq!(
            told(500, page, RUN).await,
            (500, error("INTERNAL_ERROR", "MLflow failed; its log has the details"))
        );
        assert_eq!(told(418, "[1]", RUN).await, (418, error("BAD_REQUEST", "[1]")));
        assert_eq!(
            told(503, "", RUN).await,
            (503, error("TEMPORARILY_UNAVAILABLE", "MLflow is not available at the moment"))
        );
    }

    #[tokio::test]
    async fn a_refused_password_is_told_apart() {
        let html = "You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html";
        for route in [RUN, CHAT] {
            assert_eq!(told(401, html, route).await, (401, error("UNAUTHENTICATED", "sign in again")));
        }
        let provider = r#"{"detail":"Incorrect API key provided"}"#;
        assert_eq!(told(401, provider, CHAT).await, (401, serde_json::from_str(provider).unwrap()));
    }

    #[tokio::test]
    async fn a_refused_host_is_a_fault_of_the_setup() {
        let (status, body) = told(403, "Invalid Host header - possible DNS rebinding attack detected", RUN).await;
        assert_eq!(status, 502);
        assert!(body["message"].as_str().unwrap().contains("--allowed-hosts"), "{body}");
    }

    #[tokio::test]
    async fn fastapi_details_become_messages_but_for_the_gateway() {
        let sentence = r#"{"detail":"Artifact serving is not configured."}"#;
        assert_eq!(
            told(503, sentence, RUN).await,
            (503, error("TEMPORARILY_UNAVAILABLE", "Artifact serving is not configured."))
        );
        assert_eq!(
            told(404, r#"{"detail":"gone"}"#, RUN).await,
            (404, error("RESOURCE_DOES_NOT_EXIST", "gone"))
        );
        let fields = r#"{"detail":[{"loc":["body",0,"name"],"msg":"field required","input":{"password":"x"}}]}"#;
        assert_eq!(
            told(422, fields, RUN).await,
            (422, error("BAD_REQUEST", "body.0.name: field required"))
        );
        assert_eq!(told(422, fields, CHAT).await, (422, serde_json::from_str(fields).unwrap()));
        let openai = r#"{"error":{"message":"no","type":"invalid_request_error"}}"#;
        assert_eq!(told(400, openai, CHAT).await, (400, serde_json::from_str(openai).unwrap()));
    }

    #[tokio::test]
    async fn sql_and_hashes_do_not_pass() {
        for leak in [
            "(sqlite3.IntegrityError) UNIQUE constraint failed: users.username",
            "[SQL: INSERT INTO users (username, password_hash) VALUES (?, ?)]",
            "[parameters: ('alice', 'scrypt:32768:8:1$abc$def')]",
            "hash pbkdf2:sha256:600000$x$y",
            "(psycopg2.errors.UniqueViolation) duplicate key",
            "(Background on this error at: https://sqlalche.me/e/20/gkpj)",
        ] {
            for route in [RUN, CHAT] {
                let body = json!({ "error_code": "RESOURCE_ALREADY_EXISTS", "message": leak }).to_string();
                let expected = error("RESOURCE_ALREADY_EXISTS", "there is one of that name already");
                assert_eq!(told(400, &body, route.clone()).await, (400, expected));
                let body = json!({ "detail": [{ "deep": leak }] }).to_string();
                assert_eq!(
                    told(400, &body, route.clone()).await,
                    (
                        400,
                        error(
                            "BAD_REQUEST",
                            "MLflow's database does not take this value; perhaps the name is taken"
                        )
                    )
                );
                assert_eq!(
                    told(500, leak, route).await,
                    (500, error("INTERNAL_ERROR", "MLflow failed; its log has the details"))
                );
            }
        }
        let hidden = r#"{"error_code":"X","message":"\u0073crypt\u003a32768"}"#;
        assert_eq!(
            told(400, hidden, RUN).await.1["message"],
            "MLflow's database does not take this value; perhaps the name is taken"
        );
    }
}
