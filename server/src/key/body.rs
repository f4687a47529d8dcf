//! A body that ends when its key does: what was begun with a key is not finished without it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::BoxError;
use http_body::{Body, Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Breaks off with an error when the key is disabled, revoked, or rotated without grace.
pub struct WhileValid<B> {
    body: B,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the API key of this call is no longer valid")]
pub struct Ended;

// === impl WhileValid ===

impl<B> WhileValid<B> {
    pub fn new(body: B, ended: CancellationToken) -> Self {
        Self {
            body,
            ended: Box::pin(ended.cancelled_owned()),
        }
    }
}

impl<B> Body for WhileValid<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Ended.into())));
        }
        Pin::new(&mut self.body)
            .poll_frame(cx)
            .map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
