//! What both sides know about this Flowdeck and this visitor before the first page is drawn.

use std::borrow::Cow;

use crate::prelude::*;
use serde::{Deserialize, Serialize};

/// Sent in the document (`<html data-site>`) by the server and read from there by the browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// The base path: `""`, or `/a/b` without a slash at the end.
    pub base: Cow<'static, str>,
    /// The MLflow user name of the visitor.
    pub user: String,
    /// MLflow has said that the visitor is an owner; where that is not known, they are none.
    pub is_owner: bool,
    /// The time at which the server drew the page, ms since 1970: both sides compute "3 min ago" from it while hydrating.
    pub drawn_at: i64,
}

// === impl Site ===

impl Site {
    /// The site of this page.
    ///
    /// # Panics
    /// Outside of [`crate::App`].
    pub fn expect() -> Self {
        expect_context::<Self>()
    }

    /// The full address of `path`, which begins with a slash.
    pub fn href(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}
