//! A stand-in for MLflow that misbehaves on demand, and the proxy on a real listener before it.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Query, Request},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, Method, StatusCode};
use reqwest::{Client, Url};
use serde_json::json;
use server::{
    listen,
    proxy::{self, Call, Patience, credential::Credential},
    upstream::Upstream,
};
use tokio::{net::TcpListener, sync::watch, time::sleep};

pub const SEARCH: &str = "/api/2.0/mlflow/runs/search";
pub const STORE: &str = "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/big.bin";
pub const MIB: usize = 1024 * 1024;

/// The proxy on a real listener, before the stand-in.
pub struct Front {
    pub address: SocketAddr,
    pub upstream: SocketAddr,
    pub http: Client,
    /// How many requests have reached the stand-in.
    pub reached: Arc<AtomicU32>,
    /// The stand-in's handler was dropped before it had answered.
    pub dropped: Arc<AtomicBool>,
}

struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What the stand-in does, by the query's `case`; without one it tells what it saw.
async fn stand_in(request: Request, reached: Arc<AtomicU32>, dropped: Arc<AtomicBool>) -> Response {
    reached.fetch_add(1, Ordering::SeqCst);
    let query: Query<std::collections::HashMap<String, String>> = Query::try_from_uri(request.uri()).unwrap();
    let pieces = |gap: u64, count: usize| {
        Body::from_stream(stream::iter(0..count).then(move |_| async move {
            sleep(Duration::from_millis(gap)).await;
            Ok::<_, Infallible>("data: piece\n\n")
        }))
    };
    match query.get("case").map_or("", String::as_str) {
        "large" => Response::builder().header("content-length", 8 * MIB).body(filled(8 * MIB)).unwrap(),
        "html" => Response::builder()
            .header("content-type", "text/html; charset=utf-8")
            .header("content-disposition", "attachment; filename=a.html")
            .header("set-cookie", "session=evil")
            .header("access-control-allow-origin", "*")
            .body("<script>alert(1)</script>".into())
            .unwrap(),
        "range" => {
            let range = request.headers().get("range").map(|range| range.to_str().unwrap().to_owned());
            match range.as_deref() {
                Some("bytes=0-3") => (
                    StatusCode::PARTIAL_CONTENT,
                    [("content-range", "bytes 0-3/10"), ("etag", "\"1\"")],
                    "0123",
                )
                    .into_response(),
                _ => ([("accept-ranges", "bytes"), ("etag", "\"1\"")], "0123456789").into_response(),
            }
        }
        "same" => (StatusCode::NOT_MODIFIED, [("etag", "\"1\"")]).into_response(),
        "redirect" => (StatusCode::FOUND, [("location", "http://127.0.0.1:1/api")]).into_response(),
        "unauthenticated" => (
            StatusCode::UNAUTHORIZED,
            [("www-authenticate", "Basic realm=\"mlflow\""), ("content-type", "text/html")],
            "You are not authenticated. Please see https://…",
        )
            .into_response(),
        "page" => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [("content-type", "text/html")],
            "<!doctype html><h1>500</h1>",
        )
            .into_response(),
        "sql" => (
            StatusCode::BAD_REQUEST,
            axum::Json(json!({
                "error_code": "RESOURCE_ALREADY_EXISTS",
                "message": "(sqlite3.IntegrityError) [SQL: INSERT INTO users] [parameters: ('a', 'scrypt:32768:8:1$x$y')]",
            })),
        )
            .into_response(),
        "endless-error" => {
            let body = Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 4096]))));
            (StatusCode::BAD_REQUEST, body).into_response()
        }
        "slow-down" => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")], "").into_response(),
        "silent" => {
            let _dropped = Dropped(dropped);
            sleep(Duration::from_secs(3600)).await;
            StatusCode::OK.into_response()
        }
        "late" => {
            sleep(Duration::from_millis(700)).await;
            "late".into_response()
        }
        "stalls" => {
            let body = stream::iter([Ok::<_, Infallible>("begun")]).chain(stream::pending());
            Response::builder()
                .header("content-length", 1000)
                .body(Body::from_stream(body))
                .unwrap()
        }
        "breaks" => {
            // A pause, so that the head is on its way before the connection breaks.
            let body = stream::iter([Ok("begun"), Err(std::io::Error::other("broken"))]).then(|piece| async {
                sleep(Duration::from_millis(100)).await;
                piece
            });
            Response::new(Body::from_stream(body))
        }
        "events" => Response::builder()
            .header("content-type", "text/event-stream")
            .body(pieces(100, 5))
            .unwrap(),
        "count" => {
            let pieces = request
                .into_body()
                .into_data_stream()
                .map(|piece| piece.map_or(0, |piece| piece.len()));
            let length = pieces.fold(0, |length, piece| async move { length + piece }).await;
            axum::Json(json!({ "length": length })).into_response()
        }
        "encoded" => Response::builder()
            .header("content-encoding", "gzip")
            .body("not really gzip".into())
            .unwrap(),
        _ => tell(request).await,
    }
}

async fn tell(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut headers = serde_json::Map::new();
    for (name, value) in &parts.headers {
        let told = headers.entry(name.as_str()).or_insert(json!(""));
        *told = json!(format!("{}{}", told.as_str().unwrap(), value.to_str().unwrap()));
    }
    let (mut length, mut sum) = (0_usize, 0_u64);
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        let Ok(piece) = piece else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        length += piece.len();
        sum = piece
            .iter()
            .fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    }
    let body = json!({
        "method": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": headers, "length": length, "sum": sum,
    });
    axum::Json(body).into_response()
}

/// So many bytes in pieces, each piece different from the last.
fn filled(size: usize) -> Body {
    Body::from_stream(pieces_of(size))
}

pub fn pieces_of(size: usize) -> impl futures::Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    const PIECE: usize = 64 * 1024;
    stream::iter((0..size.div_ceil(PIECE)).map(move |number| {
        let length = PIECE.min(size - number * PIECE);
        Ok(Bytes::from(vec![(number % 251) as u8; length]))
    }))
}

pub fn sum_of(size: usize) -> u64 {
    const PIECE: usize = 64 * 1024;
    (0..size).fold(0_u64, |sum, place| sum.wrapping_mul(31).wrapping_add((place / PIECE % 251) as u64))
}

// === impl Front ===

impl Front {
    pub async fn start() -> Self {
        Self::patient(Patience::default()).await
    }

    pub async fn hasty() -> Self {
        let patience = Patience {
            json: Duration::from_millis(300),
            slow: Duration::from_secs(2),
            idle: Duration::from_millis(400),
        };
        Self::patient(patience).await
    }

    pub async fn patient(patience: Patience) -> Self {
        let (reached, dropped) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let behind = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let upstream = behind.local_addr().unwrap();
        let (seen, gone) = (reached.clone(), dropped.clone());
        let service = Router::new().fallback(move |request: Request| stand_in(request, seen.clone(), gone.clone()));
        tokio::spawn(async move { axum::serve(behind, service).await });
        let address = Self::before(upstream, patience).await;
        Self {
            address,
            upstream,
            http: Client::new(),
            reached,
            dropped,
        }
    }

    /// The proxy before whatever listens at `upstream`, for a caller who has credentials.
    pub async fn before(upstream: SocketAddr, patience: Patience) -> SocketAddr {
        let url = format!("http://{upstream}").parse::<Url>().unwrap();
        let upstream = Upstream::new(watch::channel(Some(url)).1).unwrap();
        let service = Router::new().fallback(move |mut request: Request| {
            let upstream = upstream.clone();
            async move {
                let found = match proxy::find(request.method(), request.uri()) {
                    Ok(found) => found,
                    Err(error) => return error.into_response(),
                };
                let row = found.row;
                let credential = Credential {
                    authorization: Some(HeaderValue::from_static("Basic bWU6aXQ=")),
                    refused: "sign in again",
                };
                let call = Call {
                    found,
                    credential,
                    client: IpAddr::from([203, 0, 113, 9]),
                    ended: None,
                };
                let answer = proxy::exchange(&upstream, patience, &call, &mut request).await;
                answer.unwrap_or_else(|error| proxy::rescue::own(error, row))
            }
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(listen::serve(listener, service, std::future::pending(), Duration::ZERO));
        address
    }

    pub fn request(&self, method: Method, target: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{target}", self.address))
    }

    pub async fn get(&self, target: &str) -> reqwest::Response {
        self.request(Method::GET, target).send().await.unwrap()
    }
}
