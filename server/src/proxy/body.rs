//! The request's body on its way to MLflow: streamed, counted, never held.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use axum::{BoxError, body::Body as Incoming};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, header};
use http_body::Body as _;
use tokio::time::Instant;

use super::table::{Body, Row};

/// MLflow's handlers read a whole body into memory. Only the storing of artifacts streams.
const LIMIT: u64 = 64 * 1024 * 1024;

/// How far a body has come; shared by the stream and by whoever waits for the answer.
#[derive(Clone)]
pub struct Progress(Arc<Shared>);

struct Shared {
    start: Instant,
    /// Milliseconds after the start at which the last piece went.
    moved: AtomicU64,
    fault: AtomicU8,
}

/// Why a body did not come to its end, where that is the caller's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    TooLarge {
        limit: u64,
    },
    /// It broke off, or stood still for too long.
    Broken,
}

const NO_FAULT: u8 = 0;
const TOO_LARGE: u8 = 1;
const BROKEN: u8 = 2;

/// How large a body may be; `None` for artifacts.
pub fn limit(row: &Row) -> Option<u64> {
    (row.body() != Body::Upload).then_some(LIMIT)
}

/// Turns the caller's body into MLflow's. A known length stays known: without `Content-Length`, reqwest would send chunks.
///
/// # Errors
/// [`Fault::TooLarge`], where the length is told beforehand.
pub fn outgoing(body: Incoming, limit: Option<u64>, headers: &mut HeaderMap) -> Result<(Option<reqwest::Body>, Progress), Fault> {
    let progress = Progress::start();
    if body.is_end_stream() {
        return Ok((None, progress));
    }
    if let Some(length) = body.size_hint().exact() {
        match limit {
            Some(limit) if length > limit => return Err(Fault::TooLarge { limit }),
            _ => headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length)),
        };
    }
    let watch = progress.clone();
    let mut sent = 0;
    let stream = body.into_data_stream().map(move |piece| match piece {
        Ok(piece) => {
            sent += piece.len() as u64;
            if limit.is_some_and(|limit| sent > limit) {
                watch.set(TOO_LARGE);
                return Err(BoxError::from("the body is too large"));
            }
            watch.step();
            Ok(piece)
        }
        Err(error) => {
            watch.set(BROKEN);
            Err(error.into())
        }
    });
    Ok((Some(reqwest::Body::wrap_stream(stream)), progress))
}

// === impl Progress ===

impl Progress {
    fn start() -> Self {
        Self(Arc::new(Shared {
            start: Instant::now(),
            moved: AtomicU64::new(0),
            fault: AtomicU8::new(NO_FAULT),
        }))
    }

    /// When the last piece went; the beginning, if none did.
    pub fn last(&self) -> Instant {
        self.0.start + std::time::Duration::from_millis(self.0.moved.load(Ordering::Relaxed))
    }

    pub fn fault(&self, limit: Option<u64>) -> Option<Fault> {
        match self.0.fault.load(Ordering::Acquire) {
            TOO_LARGE => Some(Fault::TooLarge {
                limit: limit.unwrap_or(LIMIT),
            }),
            BROKEN => Some(Fault::Broken),
            _ => None,
        }
    }

    fn step(&self) {
        let passed = self.0.start.elapsed().as_millis();
        self.0.moved.store(u64::try_from(passed).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn set(&self, fault: u8) {
        self.0.fault.store(fault, Ordering::Release);
    }
}
