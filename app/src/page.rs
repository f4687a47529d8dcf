//! A file or folder a page: it loads and lays out, and owns no drawing or table code.

pub mod access;
pub mod account;
pub mod admin;
pub mod audit;
pub mod compare;
pub mod experiment;
pub mod experiments;
pub mod filter;
pub mod history;
pub mod keys;
pub mod module;
pub mod not_found;
pub mod people;
pub mod reference;
pub mod review;
pub mod run;
pub mod sign_in;
pub mod trouble;
pub mod welcome;

use std::future::Future;

use crate::prelude::*;
use leptos::task::spawn_local;

use crate::{api::Result, part::toast::Toasts};

/// Sets the status of the document that is being rendered. The server provides it; the browser has none.
#[derive(Clone)]
pub struct StatusSetter(pub std::sync::Arc<dyn Fn(u16) + Send + Sync>);

/// Makes the document's status `code` while rendering on the server; nothing in the browser.
pub fn set_status(code: u16) {
    if let Some(StatusSetter(set)) = use_context::<StatusSetter>() {
        set(code);
    }
}

/// Sends whoever asks for the document to another address, base included. The server provides it; the browser has none.
#[derive(Clone)]
pub struct Elsewhere(pub std::sync::Arc<dyn Fn(String) + Send + Sync>);

/// Sends a change that is shown already. A refusal takes it back and says so: "The name was not saved".
pub fn change(toasts: Toasts, what: &'static str, send: impl Future<Output = Result<()>> + 'static, back: impl FnOnce() + 'static) {
    spawn_local(async move {
        if let Err(error) = send.await {
            back();
            toasts.failed(what, &error);
        }
    });
}
