//! The same read, asked for by two pages of one person at the same time, is asked of MLflow once.
//!
//! MLflow takes seconds for a page of a thousand runs, and tabs on one experiment ask for the same ones. Only what is the same to the last
//! header, but for the number of the call, is shared; only while MLflow has not answered yet, and never across a change that went through
//! Flowdeck: whoever has changed something reads it back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::CONTENT_LENGTH};
use http_body::Body as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::{Call, header, table};
use crate::{
    error::{Error, Result},
    layer::REQUEST_ID,
    scope::Scope,
};

/// What is asked of MLflow at the moment. Cheap to clone.
#[derive(Clone, Default)]
pub struct Together(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    open: HashMap<Question, Open>,
    /// Counts those who ask.
    last: u64,
}

/// A hash of all that MLflow is told: who asks, what, and how.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question([u8; 32]);

/// A question that MLflow has not answered yet.
struct Open {
    number: u64,
    since: Instant,
    others: Vec<oneshot::Sender<Shared>>,
}

/// An answer of which each gets a copy.
#[derive(Clone)]
pub struct Shared {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

pub enum Turn {
    Ask(Asking),
    /// Ends with an error where whoever asked has left.
    Wait(oneshot::Receiver<Shared>),
}

/// Whoever asks for all; dropped without an answer, it leaves the others to ask for themselves.
pub struct Asking {
    together: Together,
    question: Question,
    number: u64,
}

/// Searches are far smaller; what is larger is no page's.
const QUESTION: u64 = 16 * 1024;
/// Of an answer that is held in memory, for those who wait for it.
const ANSWER: usize = 64 * 1024 * 1024;
/// Nobody joins what was asked longer ago: what others have changed meanwhile, past Flowdeck, would be missing.
const YOUNG: Duration = Duration::from_secs(5);

impl Question {
    /// `None` for what is not a read of JSON, or is too large to compare. The request is as it was, but that its body was read.
    ///
    /// # Errors
    /// 400 for a body that breaks off.
    pub async fn of(call: &Call, request: &mut Request) -> Result<Option<Self>> {
        let row = call.found.row;
        let is_read = row.scope() == Scope::Read && row.body() == table::Body::Json;
        if !is_read || request.body().size_hint().exact().is_none_or(|size| size > QUESTION) {
            return Ok(None);
        }
        let broken = |_| Error::BadRequest("the request's body broke off".into());
        let body = to_bytes(std::mem::take(request.body_mut()), ANSWER).await.map_err(broken)?;
        *request.body_mut() = Body::from(body.clone());

        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        };
        add(request.method().as_str().as_bytes());
        add(request.uri().to_string().as_bytes());
        add(&body);
        let fields = header::request(request.headers().clone(), row, call.client, call.credential.authorization.clone());
        // Each call has its own number.
        for (name, value) in fields.iter().filter(|(name, _)| *name != REQUEST_ID) {
            add(name.as_str().as_bytes());
            add(value.as_bytes());
        }
        Ok(Some(Self(hash.finalize().into())))
    }
}

// === impl Together ===

impl Together {
    /// Something has changed: whoever asks from now on is not given what was asked before.
    pub fn forget(&self) {
        self.inner().open.clear();
    }

    /// To ask, or to wait for whoever is asking the same.
    pub fn turn(&self, question: Question) -> Turn {
        let mut inner = self.inner();
        if let Some(open) = inner.open.get_mut(&question).filter(|open| open.since.elapsed() < YOUNG) {
            let (sender, answer) = oneshot::channel();
            open.others.push(sender);
            return Turn::Wait(answer);
        }
        inner.last += 1;
        let number = inner.last;
        let open = Open {
            number,
            since: Instant::now(),
            others: Vec::new(),
        };
        inner.open.insert(question, open);
        Turn::Ask(Asking {
            together: self.clone(),
            question,
            number,
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Asking ===

impl Asking {
    /// Hands the answer to all who wait for it. Where nobody does, it goes through as it comes.
    ///
    /// # Errors
    /// 502 for an answer that breaks off.
    pub async fn share(self, response: Response) -> Result<Response> {
        let mut others = self.close();
        others.retain(|other| !other.is_closed());
        let is_bounded = response.body().size_hint().upper().is_some_and(|size| size <= ANSWER as u64);
        if others.is_empty() || !is_bounded {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let broken = |_| Error::Upstream("MLflow broke off in the middle of its answer".into());
        let mut shared = Shared {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, ANSWER).await.map_err(broken)?,
        };
        shared.headers.remove(CONTENT_LENGTH);
        for other in others {
            // Who has left meanwhile needs no answer.
            other.send(shared.clone()).ok();
        }
        Ok(shared.into())
    }

    /// Lets nobody join any more, and gives those who have.
    fn close(&self) -> Vec<oneshot::Sender<Shared>> {
        let mut inner = self.together.inner();
        match inner.open.get(&self.question) {
            // Else it was forgotten, and somebody may be asking anew.
            Some(open) if open.number == self.number => inner.open.remove(&self.question).map(|open| open.others).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.close();
    }
}

// === impl Shared ===

impl From<Shared> for Response {
    fn from(shared: Shared) -> Self {
        let mut response = Self::new(Body::from(shared.body));
        *response.status_mut() = shared.status;
        *response.headers_mut() = shared.headers;
        response
    }
}
