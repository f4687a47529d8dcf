//! Who calls. Made once per request by [`crate::layer`], asked by handlers.

use std::sync::Arc;

use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{audit::Note, key::Key};

/// The caller of one request.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Nobody said who they are.
    Anonymous,
    /// A browser with a session.
    Session(Session),
    /// A program with HTTP Basic; MLflow itself checks it.
    Basic(Basic),
    /// A program with an API key.
    Key(Arc<Key>),
}

/// What a session says of its person.
#[derive(Clone, Debug)]
pub struct Session {
    /// The MLflow user name.
    pub user: String,
    /// The public name of the session, as `/account` lists it: never the ticket.
    pub id: String,
}

/// `Authorization: Basic …` as it came (RFC 7617).
#[derive(Clone)]
pub struct Basic {
    pub user: String,
    /// The whole header value, marked sensitive.
    pub authorization: HeaderValue,
    /// The audit's: it records the name once MLflow has been asked.
    pub note: Note,
}

// === impl Principal ===

impl Principal {
    /// The name that the caller goes by, checked or not.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::Session(session) => Some(&session.user),
            Self::Basic(basic) => Some(&basic.user),
            Self::Key(key) => Some(&key.user),
        }
    }
}

// === impl Basic ===

impl Basic {
    /// The password as it came.
    pub fn password(&self) -> Option<Zeroizing<Vec<u8>>> {
        let (_, pair) = self.authorization.to_str().ok()?.split_once(' ')?;
        let pair = Zeroizing::new(STANDARD.decode(pair.trim()).ok()?);
        let colon = pair.iter().position(|byte| *byte == b':')?;
        Some(Zeroizing::new(pair[colon + 1..].to_vec()))
    }
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Basic({})", self.user)
    }
}
