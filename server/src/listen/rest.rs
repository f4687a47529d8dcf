//! What is left of a request's body when its answer is ready.
//!
//! A client that is still sending when the connection is closed may see it broken, and never read the answer (RFC 9112 §9.6). So for a while
//! the rest is read, and thrown away.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;

/// Whoever sends more than this after the answer, or for longer, is cut off.
const MOST: usize = 64 << 20;
const LONGEST: Duration = Duration::from_secs(5);

/// A request's body whose rest is read when it is dropped.
pub struct WithRest<B>(Option<B>)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static;

// === impl WithRest ===

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> WithRest<B> {
    pub fn new(body: B) -> Self {
        Self(Some(body))
    }
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Body for WithRest<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Drop for WithRest<B> {
    fn drop(&mut self) {
        let rest = self.0.take().filter(|body| !body.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(LONGEST, throw_away(rest)));
        }
    }
}

async fn throw_away<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, |piece| piece.remaining());
        match left.checked_sub(length) {
            Some(less) => left = less,
            None => return,
        }
    }
}
