//! A body that must not stand still.
//!
//! A deadline on the whole of a transfer would cut large files; no deadline lets whoever stops sending hold a connection
//! for ever. So the clock runs only while somebody waits for the next piece.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::BoxError;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// Ends with an error when the next piece does not come within the limit.
pub struct Stall<B> {
    body: B,
    limit: Duration,
    clock: Option<Pin<Box<Sleep>>>,
    running: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the body stood still for {} s", .0.as_secs())]
pub struct Stalled(Duration);

// === impl Stall ===

impl<B> Stall<B> {
    pub fn new(body: B, limit: Duration) -> Self {
        Self {
            body,
            limit,
            clock: None,
            running: false,
        }
    }
}

impl<B> Body for Stall<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.running = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let clock = this.clock.get_or_insert_with(|| Box::pin(tokio::time::sleep(this.limit)));
        if !this.running {
            clock.as_mut().reset(Instant::now() + this.limit);
            this.running = true;
        }
        ready!(clock.as_mut().poll(cx));
        Poll::Ready(Some(Err(Stalled(this.limit).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{BoxError, body::Body};
    use bytes::Bytes;
    use futures::{StreamExt as _, stream};
    use http_body_util::BodyExt as _;

    use super::Stall;

    fn body(gaps_ms: &'static [u64]) -> Stall<Body> {
        let pieces = stream::iter(gaps_ms).then(|gap| async move {
            tokio::time::sleep(Duration::from_millis(*gap)).await;
            Ok::<_, BoxError>(Bytes::from_static(b"x"))
        });
        Stall::new(Body::from_stream(pieces), Duration::from_millis(100))
    }

    #[tokio::test]
    async fn a_slow_body_may_take_long() {
        let whole = body(&[60, 60, 60, 60, 60]).collect().await.unwrap().to_bytes();
        assert_eq!(whole, "xxxxx");
    }

    #[tokio::test]
    async fn a_standing_body_ends_with_an_error() {
        let error = body(&[10, 10_000]).collect().await.unwrap_err();
        assert!(error.to_string().starts_with("the body stood still"), "{error}");
    }

    #[tokio::test]
    async fn a_reader_who_takes_his_time_is_not_a_standing_body() {
        let mut body = body(&[0, 0]);
        let _first = body.frame().await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
        let _second = body.frame().await.unwrap().unwrap();
    }
}
