//! Whether MLflow remembers whom it has checked (`auth_cache_ttl_seconds`), seen from outside.
//!
//! Without that memory it hashes the password anew, two to four times a call, and each time takes tens of milliseconds on any machine
//! (werkzeug's `scrypt:32768:8:1`). So the same call is made with and without credentials: both go the same way through MLflow, but
//! for the hash.

use std::time::{Duration, Instant};

use axum::http::{HeaderValue, Method, StatusCode};

use super::external::{request, send};
use crate::upstream::Upstream;

/// Less than one hash takes, more than the rest of a call does when MLflow has a moment's peace.
const HASH: Duration = Duration::from_millis(20);
/// A busy MLflow is slow with and without credentials: the hash has to stand out.
const TIMES: u32 = 3;
/// Calls without credentials before the first with: they open the connection and show how fast MLflow is today.
const BEFORE: usize = 3;
/// Of several workers each has a memory of its own: so many calls meet one of them twice.
const ROUNDS: usize = 6;
/// Bytes; more than a version or a refusal has to say.
const MOST: usize = 4096;

/// Asks `/version` some times with credentials that MLflow takes, and without. `None` where that gives no answer: it does not take
/// them, it is away, or it is so busy that the hash does not stand out.
pub async fn remembers_credentials(upstream: &Upstream, authorization: &HeaderValue) -> Option<bool> {
    let mut without = Duration::MAX;
    for _ in 0..BEFORE {
        without = without.min(time(upstream, None).await?);
    }
    let mut with = Duration::MAX;
    for _ in 0..ROUNDS {
        with = with.min(time(upstream, Some(authorization)).await?);
        without = without.min(time(upstream, None).await?);
        if with < without + HASH {
            return Some(true);
        }
    }
    (with > without * TIMES).then_some(false)
}

async fn time(upstream: &Upstream, authorization: Option<&HeaderValue>) -> Option<Duration> {
    let question = request(upstream, Method::GET, "/version", authorization).ok()?;
    let start = Instant::now();
    let mut answer = send(question).await.ok()?;
    let took = start.elapsed();
    let expected = match authorization {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNAUTHORIZED,
    };
    let is_expected = answer.status() == expected;
    // Read to its end, the connection can be used again.
    let mut length = 0;
    while let Some(piece) = answer.chunk().await.ok()? {
        length += piece.len();
        if length > MOST {
            return None;
        }
    }
    is_expected.then_some(took)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    use axum::{
        Router,
        http::{HeaderMap, HeaderValue, StatusCode, header},
    };
    use tokio::{net::TcpListener, sync::watch};

    use super::remembers_credentials;
    use crate::upstream::Upstream;

    /// An MLflow that takes so many ms for a call without credentials, and for the first calls with, and for later ones.
    async fn found(without: u64, first: u64, later: u64, workers: u32) -> Option<bool> {
        let asked = Arc::new(AtomicU32::new(0));
        let service = Router::new().fallback(async move |headers: HeaderMap| {
            let has = headers.contains_key(header::AUTHORIZATION);
            let pause = match has {
                false => without,
                true if asked.fetch_add(1, Ordering::SeqCst) < workers => first,
                true => later,
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
            if has {
                (StatusCode::OK, "3.17.2")
            } else {
                (StatusCode::UNAUTHORIZED, "You are not authenticated")
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let upstream = Upstream::new(watch::channel(Some(url)).1).unwrap();
        remembers_credentials(&upstream, &HeaderValue::from_static("Basic YTpi")).await
    }

    #[tokio::test]
    async fn a_hash_at_each_call_is_seen() {
        assert_eq!(found(0, 150, 150, 0).await, Some(false));
    }

    #[tokio::test]
    async fn a_memory_is_seen_even_where_each_worker_has_its_own() {
        assert_eq!(found(0, 0, 0, 0).await, Some(true));
        assert_eq!(found(0, 150, 0, 4).await, Some(true));
    }

    #[tokio::test]
    async fn a_busy_mlflow_tells_nothing() {
        assert_eq!(found(150, 250, 250, 0).await, None);
    }

    #[tokio::test]
    async fn nobody_tells_nothing() {
        let nobody = Upstream::new(watch::channel(Some("http://127.0.0.1:1".parse().unwrap())).1).unwrap();
        assert_eq!(remembers_credentials(&nobody, &HeaderValue::from_static("Basic YTpi")).await, None);
    }
}
