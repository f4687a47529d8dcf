//! The request's body on its way to MLflow: streamed, counted, never held.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use super::table::{self, Row};

/// MLflow's handlers read a whole body into memory. Only the storing of artifacts streams.
const LIMIT: u64 = 64 * 1024 * 1024;

/// How far a body has come; shared by the stream and by whoever waits for the answer.
#[derive(Clone)]
pub struct Progress(Arc<Shared>);

/// A body whose pieces are counted and bounded.
struct Outgoing {
    body: Body,
    limit: Option<u64>,
    sent: u64,
    progress: Progress,
}

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
    (row.body() != table::Body::Upload).then_some(LIMIT)
}

/// Watches the caller's body on its way to MLflow.
///
/// # Errors
/// [`Fault::TooLarge`], where the length is told beforehand.
pub fn outgoing(body: Body, limit: Option<u64>) -> Result<(Body, Progress), Fault> {
    let progress = Progress::start();
    if body.is_end_stream() {
        return Ok((Body::empty(), progress));
    }
    if let (Some(length), Some(limit)) = (body.size_hint().exact(), limit)
        && length > limit
    {
        return Err(Fault::TooLarge { limit });
    }
    let watched = Outgoing {
        body,
        limit,
        sent: 0,
        progress: progress.clone(),
    };
    Ok((Body::new(watched), progress))
}

// === impl Outgoing ===

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                self.progress.set(BROKEN);
                return Poll::Ready(Some(Err(error.into())));
            }
            None => return Poll::Ready(None),
        };
        // Trailers end here: they belong to the connection that they came on.
        let Ok(piece) = frame.into_data() else { return Poll::Ready(None) };
        self.sent += piece.len() as u64;
        if self.limit.is_some_and(|limit| self.sent > limit) {
            self.progress.set(TOO_LARGE);
            return Poll::Ready(Some(Err("the body is too large".into())));
        }
        self.progress.step();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    /// A known length stays known: MLflow is then told it, instead of chunks.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
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
