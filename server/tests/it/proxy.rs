//! The proxy's handling of headers, bodies, errors and time, before a **stand-in** for MLflow that misbehaves on demand. What a real MLflow
//! does with the requests is not tested here.

mod stand_in;

use std::{
    convert::Infallible,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use http::{HeaderValue, Method};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use server::proxy::Patience;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use self::stand_in::{Front, MIB, SEARCH, STORE, pieces_of, sum_of};

async fn told(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

fn error(code: &str, message: &str) -> Value {
    json!({ "error_code": code, "message": message })
}

#[tokio::test]
async fn mlflow_sees_the_caller_and_nothing_else_of_the_connection() {
    let front = Front::start().await;
    let request = front
        .request(Method::POST, &format!("{SEARCH}?a=%2F..&b='x'"))
        .header("authorization", "Bearer fd_key");
    let request = request
        .header("cookie", "session=1")
        .header("origin", "https://evil.example")
        .header("x-forwarded-for", "127.0.0.1");
    let (_, seen) = told(request.json(&json!({"x": 1})).send().await.unwrap()).await;
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["uri"], format!("{SEARCH}?a=%2F..&b=%27x%27"));
    assert_eq!(seen["length"], 7);
    assert_eq!(
        seen["headers"],
        json!({
            "accept": "*/*",
            "accept-encoding": "identity",
            "authorization": "Basic bWU6aXQ=",
            "content-length": "7",
            "content-type": "application/json",
            "host": front.upstream.to_string(),
            "x-forwarded-for": "203.0.113.9",
        })
    );
}

#[tokio::test]
async fn the_gateway_sees_even_less() {
    let front = Front::start().await;
    let request = front
        .request(Method::POST, "/gateway/openai/v1/chat/completions")
        .header("user-agent", "codex/1.0");
    let request = request
        .header("authorization", "Basic bWU6aXQ=")
        .header("cookie", "session=1")
        .header("x-console-internal", "1");
    let (_, seen) = told(request.json(&json!({"model": "m"})).send().await.unwrap()).await;
    assert_eq!(
        seen["headers"],
        json!({
            "accept": "*/*",
            "content-length": "13",
            "content-type": "application/json",
            "host": front.upstream.to_string(),
            "user-agent": concat!("flowdeck/", env!("CARGO_PKG_VERSION")),
            "x-mlflow-authorization": "Basic bWU6aXQ=",
        })
    );
}

#[tokio::test]
async fn what_is_not_in_the_table_does_not_leave() {
    let front = Front::start().await;
    for path in [
        "/",
        "/health",
        "/graphql",
        "/ajax-api/3.0/mlflow/assistant/config",
        "/api/2.0/mlflow/users%2flist",
        "/api/2.0//mlflow/x",
    ] {
        // A raw socket, since clients tidy paths up.
        let mut stream = TcpStream::connect(front.address).await.unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 404") && answer.contains("ENDPOINT_NOT_FOUND"),
            "{path}: {answer}"
        );
    }
    let deleted = front.request(Method::DELETE, SEARCH).send().await.unwrap();
    assert_eq!(
        (deleted.status().as_u16(), &deleted.headers()["allow"]),
        (405, &http::HeaderValue::from_static("POST"))
    );
    assert_eq!(front.reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_retired_list_becomes_a_search() {
    let front = Front::start().await;
    for (query, expected) in [
        ("", "max_results=1000"),
        (
            "?view_type=ALL&page_token=a%2Bb%3D&foo=bar",
            "max_results=1000&view_type=ALL&page_token=a%2Bb%3D",
        ),
        ("?max_results=5", "max_results=5"),
    ] {
        let (_, seen) = told(front.get(&format!("/ajax-api/2.0/mlflow/experiments/list{query}")).await).await;
        let uri = seen["uri"].as_str().unwrap().replace("%5F", "_");
        assert_eq!(uri, format!("/ajax-api/2.0/mlflow/experiments/search?{expected}"));
    }
}

#[tokio::test]
async fn bodies_keep_their_length_and_their_bytes() {
    let front = Front::start().await;
    let sum = sum_of(5 * MIB);
    let upload = |length: bool| {
        let request = front
            .request(Method::PUT, STORE)
            .body(reqwest::Body::wrap_stream(pieces_of(5 * MIB)));
        if length {
            request.header("content-length", 5 * MIB)
        } else {
            request
        }
    };
    let (_, seen) = told(upload(true).send().await.unwrap()).await;
    assert_eq!((&seen["length"], &seen["sum"]), (&json!(5 * MIB), &json!(sum)));
    assert_eq!(seen["headers"]["content-length"], (5 * MIB).to_string());
    assert_eq!(seen["headers"]["transfer-encoding"], Value::Null);
    let (_, seen) = told(upload(false).send().await.unwrap()).await;
    assert_eq!((&seen["length"], &seen["sum"]), (&json!(5 * MIB), &json!(sum)));
    assert_eq!(seen["headers"]["transfer-encoding"], "chunked");

    let answer = front.get("/get-artifact?case=large").await;
    assert_eq!(answer.headers()["content-length"], (8 * MIB).to_string());
    let body = answer.bytes().await.unwrap();
    let same = body
        .iter()
        .enumerate()
        .all(|(place, byte)| usize::from(*byte) == place / (64 * 1024) % 251);
    assert!(body.len() == 8 * MIB && same);
}

#[tokio::test]
async fn an_empty_post_stays_empty() {
    let front = Front::start().await;
    let (_, seen) = told(
        front
            .request(Method::POST, SEARCH)
            .header("content-length", "0")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!((&seen["length"], &seen["headers"]["transfer-encoding"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_told_or_not() {
    let front = Front::start().await;
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    let head = format!("POST {SEARCH} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 64 * MIB + 1);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(front.reached.load(Ordering::SeqCst), 0);

    // Told by no length; sent while the answer is waited for.
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    stream
        .write_all(format!("POST {SEARCH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let (mut read, mut write) = stream.into_split();
    let sending = tokio::spawn(async move {
        let chunk = [b"100000\r\n".as_slice(), &vec![b'x'; MIB], b"\r\n"].concat();
        for _ in 0..80 {
            if write.write_all(&chunk).await.is_err() {
                return;
            }
        }
    });
    let mut answer = vec![0; 4096];
    let count = read.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..count]);
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("MAX_REQUEST_SIZE_EXCEEDED"),
        "{answer}"
    );
    drop(read);
    sending.await.unwrap();

    // An artifact may be larger.
    let request = front.request(Method::PUT, &format!("{STORE}?case=count"));
    let request = request.body(reqwest::Body::wrap_stream(pieces_of(70 * MIB)));
    let (status, seen) = told(request.send().await.unwrap()).await;
    assert_eq!((status, &seen["length"]), (200, &json!(70 * MIB)));
}

#[tokio::test]
async fn head_is_a_get_that_nobody_reads() {
    let front = Front::start().await;
    let answer = front.request(Method::HEAD, "/get-artifact?case=large").send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-length"]),
        (200, &HeaderValue::from(8 * MIB))
    );
    assert!(answer.bytes().await.unwrap().is_empty());
    let answer = front
        .request(Method::HEAD, "/get-artifact?case=range")
        .header("range", "bytes=0-3")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-length"]),
        (200, &HeaderValue::from(10))
    );
    let answer = front.request(Method::HEAD, "/get-artifact?case=page").send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert!(answer.bytes().await.unwrap().is_empty());
    assert_eq!(front.request(Method::HEAD, SEARCH).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn ranges_and_conditions_pass() {
    let front = Front::start().await;
    let answer = front
        .request(Method::GET, "/get-artifact?case=range")
        .header("range", "bytes=0-3")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-range"]),
        (206, &HeaderValue::from_static("bytes 0-3/10"))
    );
    assert_eq!(answer.bytes().await.unwrap(), "0123");
    let answer = front
        .request(Method::GET, "/get-artifact?case=same")
        .header("if-none-match", "\"1\"")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["etag"]),
        (304, &HeaderValue::from_static("\"1\""))
    );
}

#[tokio::test]
async fn a_hostile_page_is_held_in_a_sandbox() {
    let front = Front::start().await;
    let answer = front.get("/get-artifact?case=html").await;
    let headers = answer.headers();
    assert!(
        headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("sandbox; default-src 'none';")
    );
    assert_eq!(headers["content-disposition"], "attachment; filename=a.html");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    assert_eq!(headers["cache-control"], "private, no-cache");
    assert_eq!(headers.get_all("date").iter().count(), 1);
    for name in ["set-cookie", "access-control-allow-origin", "server"] {
        assert!(!headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn errors_are_told_in_mlflows_json() {
    let front = Front::start().await;
    let answer = front.get("/get-artifact?case=unauthenticated").await;
    assert!(!answer.headers().contains_key("www-authenticate"));
    assert_eq!(told(answer).await, (401, error("UNAUTHENTICATED", "sign in again")));
    let answer = front.get("/get-artifact?case=page").await;
    assert!(answer.headers().contains_key("content-security-policy"));
    assert_eq!(
        told(answer).await,
        (500, error("INTERNAL_ERROR", "MLflow failed; its log has the details"))
    );
    let expected = error("RESOURCE_ALREADY_EXISTS", "there is one of that name already");
    assert_eq!(told(front.get("/get-artifact?case=sql").await).await, (400, expected));
    let answer = front.get("/get-artifact?case=slow-down").await;
    assert_eq!(answer.headers()["retry-after"], "7");
    assert_eq!(
        told(answer).await,
        (429, error("REQUEST_LIMIT_EXCEEDED", "MLflow asks to slow down"))
    );
    let start = Instant::now();
    assert_eq!(
        told(front.get("/get-artifact?case=endless-error").await).await,
        (400, error("BAD_REQUEST", "MLflow refused the request"))
    );
    assert!(start.elapsed() < Duration::from_secs(2));
    let (status, body) = told(front.get("/get-artifact?case=redirect").await).await;
    assert_eq!((status, &body["error_code"]), (502, &json!("TEMPORARILY_UNAVAILABLE")));
}

#[tokio::test]
async fn an_encoded_answer_is_not_decoded() {
    let front = Front::start().await;
    let answer = front.get("/get-artifact?case=encoded").await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.bytes().await.unwrap(), "not really gzip");
}

#[tokio::test]
async fn an_mlflow_that_is_not_there_is_a_bad_gateway() {
    let nobody = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        listener.local_addr().unwrap()
    };
    let address = Front::before(nobody, Patience::default()).await;
    let answer = reqwest::get(format!("http://{address}/api/2.0/mlflow/runs/get?run_id=1"))
        .await
        .unwrap();
    assert_eq!(
        told(answer).await,
        (502, error("TEMPORARILY_UNAVAILABLE", "MLflow cannot be reached"))
    );
}

#[tokio::test]
async fn an_mlflow_that_is_silent_times_out() {
    let front = Front::hasty().await;
    let start = Instant::now();
    let answer = front
        .request(Method::POST, &format!("{SEARCH}?case=silent"))
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(
        told(answer).await,
        (504, error("TEMPORARILY_UNAVAILABLE", "MLflow did not answer in time"))
    );
    assert!((250..900).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    sleep(Duration::from_millis(200)).await;
    assert!(front.dropped.load(Ordering::SeqCst), "the request to MLflow goes on");
    // Files and models may take longer.
    for (method, path) in [(Method::GET, "/get-artifact"), (Method::POST, "/gateway/e/mlflow/invocations")] {
        let answer = front.request(method, &format!("{path}?case=late")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "late", "{path}");
    }
}

#[tokio::test]
async fn a_slow_request_is_not_a_slow_mlflow() {
    let front = Front::hasty().await;
    let pieces = stream::iter(0..8).then(|_| async {
        sleep(Duration::from_millis(100)).await;
        Ok::<_, Infallible>("piece")
    });
    let answer = front
        .request(Method::POST, SEARCH)
        .body(reqwest::Body::wrap_stream(pieces.boxed()))
        .send()
        .await
        .unwrap();
    let (status, seen) = told(answer).await;
    assert_eq!((status, &seen["length"]), (200, &json!(40)));
}

#[tokio::test]
async fn an_answer_that_stops_or_breaks_is_not_taken_for_whole() {
    let front = Front::hasty().await;
    for case in ["stalls", "breaks"] {
        let start = Instant::now();
        let answer = front.get(&format!("/get-artifact?case={case}")).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.is_err(), "{case}: the answer looks whole");
        assert!(start.elapsed() < Duration::from_secs(2), "{case}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_caller_who_leaves_ends_the_request_to_mlflow() {
    let front = Front::start().await;
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    stream
        .write_all(b"GET /get-artifact?case=silent HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    while front.reached.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(!front.dropped.load(Ordering::SeqCst));
    drop(stream);
    let start = Instant::now();
    while !front.dropped.load(Ordering::SeqCst) {
        assert!(start.elapsed() < Duration::from_secs(2), "the request to MLflow goes on");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn events_come_one_by_one() {
    let front = Front::start().await;
    let answer = front
        .request(Method::POST, "/gateway/openai/v1/chat/completions?case=events")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let (start, mut times) = (Instant::now(), Vec::new());
    let mut body = http::Response::<reqwest::Body>::from(answer).into_body();
    while let Some(frame) = body.frame().await {
        assert_eq!(frame.unwrap().into_data().unwrap(), "data: piece\n\n");
        times.push(start.elapsed().as_millis());
    }
    assert_eq!(times.len(), 5);
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (50..300).contains(gap)), "{gaps:?}");
}
