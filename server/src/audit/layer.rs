//! Around each call: notes what it was, and makes its row, however it ends.

use std::{
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderValue, Method, Uri},
    response::Response,
};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::oneshot;

use super::{Audit, Entry, Job, Note, Place, entry::bounded};
use crate::{
    address,
    address::ClientAddress,
    clock,
    error::{Error, NothingDone, Result},
    layer::REQUEST_ID,
};

/// The caller went away before the answer (nginx's number).
const GONE: u16 = 499;

/// A call that has no row yet. It makes one when it is dropped: at the end of the answer, or wherever the caller has left.
pub struct Pending {
    /// `None` once the row is made.
    place: Option<Place>,
    note: Note,
    at: i64,
    start: Instant,
    method: Method,
    matched: Option<MatchedPath>,
    uri: Uri,
    address: Option<IpAddr>,
    request_id: Option<HeaderValue>,
    /// `None` until there is an answer.
    answer: Option<Answer>,
    bytes_out: u64,
}

#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    took_us: i64,
}

// === impl Pending ===

impl Pending {
    /// Watches one call.
    ///
    /// # Errors
    /// 503 when Flowdeck is stopping.
    pub async fn begin(audit: &Audit, request: &mut Request) -> Result<Self> {
        let pending = Self::new(audit.place().await?, request);
        if !request.body().is_end_stream() {
            let (body, note) = (std::mem::take(request.body_mut()), pending.note.clone());
            *request.body_mut() = Body::new(Received { body, note });
        }
        Ok(pending)
    }

    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The call has this answer.
    ///
    /// # Errors
    /// 503 where a change was made and its row could not be.
    pub async fn end(mut self, response: Response) -> Result<Response> {
        self.answered(&response);
        if response.extensions().get::<NothingDone>().is_some() {
            self.note.changes(false);
        }
        if self.is_change() {
            // Its length is known beforehand, but for streams.
            self.bytes_out = response.body().size_hint().lower();
            self.committed().await?;
            return Ok(response);
        }
        if response.body().is_end_stream() {
            return Ok(response);
        }
        Ok(response.map(|body| Body::new(Sent { body, pending: self })))
    }

    fn new(place: Place, request: &Request) -> Self {
        let extensions = request.extensions();
        Self {
            place: Some(place),
            note: Note::default(),
            at: clock::now(),
            start: Instant::now(),
            method: request.method().clone(),
            matched: extensions.get::<MatchedPath>().cloned(),
            uri: request.uri().clone(),
            address: extensions.get::<ClientAddress>().map(|address| address.0),
            request_id: request.headers().get(REQUEST_ID).cloned(),
            answer: None,
            bytes_out: 0,
        }
    }

    fn now(&self, status: u16) -> Answer {
        Answer {
            status,
            took_us: i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX),
        }
    }

    fn answered(&mut self, response: &Response) {
        self.answer = Some(self.now(response.status().as_u16()));
    }

    /// Whether the answer has to wait for the row.
    fn is_change(&self) -> bool {
        self.note.is_change(&self.method) && self.answer.is_some_and(|answer| self.note.is_row(answer.status))
    }

    /// Waits until the row is committed.
    async fn committed(mut self) -> Result<()> {
        let (send, committed) = oneshot::channel();
        self.finish(Some(send));
        match committed.await {
            Ok(true) => Ok(()),
            _ => Err(Error::Unavailable(
                "this was done, but Flowdeck could not write it into its audit: look before you try again".into(),
            )),
        }
    }

    fn finish(&mut self, committed: Option<oneshot::Sender<bool>>) {
        let Some(place) = self.place.take() else { return };
        let abandoned = if std::thread::panicking() { 500 } else { GONE };
        let Answer { status, took_us } = self.answer.unwrap_or_else(|| self.now(abandoned));
        if !self.note.is_row(status) {
            return;
        }
        let changes = self.note.is_change(&self.method);
        let bytes_in = self.note.bytes_in();
        let told = self.note.take(status);
        let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let route = told.route.map(str::to_owned).unwrap_or_else(|| {
            let path = self.matched.as_ref().map_or_else(|| self.uri.path(), MatchedPath::as_str);
            bounded(path, 255)
        });
        let request_id = self.request_id.as_ref().and_then(|id| id.to_str().ok());
        let entry = Entry {
            id: 0,
            at: self.at,
            user: told.user,
            way: told.way,
            key: told.key,
            address: self.address.map(address::text).unwrap_or_default(),
            method: bounded(self.method.as_str(), 16),
            route,
            experiments: told.experiments.join("\n"),
            runs: told.runs.join("\n"),
            models: told.models.join("\n"),
            status,
            took_us,
            bytes_in: size(bytes_in),
            bytes_out: size(self.bytes_out),
            request_id: bounded(request_id.unwrap_or_default(), 64),
            shadow: told.shadow,
            changes,
        };
        place.send(Job { entry, committed });
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.finish(None);
    }
}

/// A request's body, counted.
struct Received {
    body: Body,
    note: Note,
}

/// An answer's body, counted; its end, or its being dropped, is the end of the call.
struct Sent {
    body: Body,
    pending: Pending,
}

// === impl Received ===

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(piece) = frame.data_ref()
        {
            self.note.received(piece);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// === impl Sent ===

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.pending.bytes_out += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
