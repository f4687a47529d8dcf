//! The server's own router, called in process with the visitor's cookie.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, header};

use super::Answer;
use crate::api::{ApiError, Method, Result};

type Call = dyn Fn(Request<Bytes>) -> BoxFuture<'static, Result<Answer>> + Send + Sync;

/// The server hands in the way to its router, with deadline and cookie.
#[derive(Clone)]
pub struct Transport(Arc<Call>);

// === impl Transport ===

impl Transport {
    pub fn new(call: impl Fn(Request<Bytes>) -> BoxFuture<'static, Result<Answer>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(call))
    }

    pub(in crate::api) async fn call(&self, method: Method, path: &str, body: Option<String>) -> Result<Answer> {
        let method = match method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json");
        let request = request
            .body(Bytes::from(body.unwrap_or_default()))
            .map_err(|error| ApiError::unreachable(error.to_string()))?;
        (self.0)(request).await
    }
}
