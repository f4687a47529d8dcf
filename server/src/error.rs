//! From error to response, once.
//!
//! Which error belongs where: [`Error`] is for handlers and says what the caller may know; `anyhow` is for start-up
//! and commands; a module whose callers choose between cases has a `thiserror` type of its own and converts it here.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, as far as the caller may know. The body is MLflow's error JSON: `error_code` and `message`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400
    #[error("{0}")]
    BadRequest(String),
    /// 401: nobody, or somebody whom MLflow no longer knows.
    #[error("{0}")]
    Unauthenticated(String),
    /// 401: a name and a password, or an API key, that are wrong. Counted as a guess of the caller's address.
    #[error("{0}")]
    WrongCredentials(String),
    /// 403
    #[error("{0}")]
    Forbidden(String),
    /// 404
    #[error("{0}")]
    NotFound(String),
    /// 405, with the methods that the address takes (RFC 9110 §15.5.6).
    #[error("this address does not take that method, only {allow}")]
    MethodNotAllowed { allow: String },
    /// 409: it was changed since the caller has looked.
    #[error("{0}")]
    Conflict(String),
    /// 413
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    /// 429, to be tried again after so many seconds, at least one.
    #[error("{why}; try again in {seconds} s")]
    TooMany { why: String, seconds: u64 },
    /// 501: the MLflow behind is too old. The stock client does not try this again.
    #[error("{0}")]
    Unsupported(String),
    /// 502: MLflow cannot be reached, or does not speak as it should.
    #[error("{0}")]
    Upstream(String),
    /// 503: Flowdeck cannot record what it must, so it has done nothing.
    #[error("{0}")]
    Unavailable(String),
    /// 504
    #[error("MLflow did not answer in time")]
    UpstreamTimeout,
    /// 500: logged whole, told as nothing.
    #[error("something went wrong in Flowdeck; its log has the details under this request's id")]
    Internal(#[source] anyhow::Error),
}

/// What every refusal and failure looks like, as MLflow's do.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub struct Failure {
    /// MLflow's name for the kind of error.
    error_code: &'static str,
    /// A sentence for a person.
    message: String,
}

/// Marks the answer of [`Error::WrongCredentials`], for those who count them.
#[derive(Clone, Copy, Debug)]
pub struct WrongCredentials;

/// Marks the answer of [`Error::Unavailable`]: nothing was changed that would have to be recorded first.
#[derive(Clone, Copy, Debug)]
pub struct NothingDone;

pub type Result<T, E = Error> = std::result::Result<T, E>;

// === impl Error ===

impl Error {
    /// The status and MLflow's name for this kind of error (`mlflow.protos.databricks_pb2.ErrorCode`).
    pub fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE"),
            Self::Unauthenticated(_) | Self::WrongCredentials(_) => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND"),
            Self::MethodNotAllowed { .. } => (StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "RESOURCE_CONFLICT"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "MAX_REQUEST_SIZE_EXCEEDED"),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "REQUEST_LIMIT_EXCEEDED"),
            Self::Unsupported(_) => (StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED"),
            Self::Upstream(_) => (StatusCode::BAD_GATEWAY, "TEMPORARILY_UNAVAILABLE"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE"),
            Self::UpstreamTimeout => (StatusCode::GATEWAY_TIMEOUT, "TEMPORARILY_UNAVAILABLE"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.kind();
        if let Self::Internal(cause) = &self {
            tracing::error!("{cause:#}");
        }
        let failure = Failure {
            error_code: code,
            message: self.to_string(),
        };
        let mut response = (status, Json(failure)).into_response();
        match self {
            Self::TooMany { seconds, .. } => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Self::MethodNotAllowed { allow } => {
                // Names of methods always fit into a header.
                response
                    .headers_mut()
                    .extend(HeaderValue::try_from(allow).ok().map(|allow| (header::ALLOW, allow)));
            }
            Self::WrongCredentials(_) => {
                response.extensions_mut().insert(WrongCredentials);
            }
            Self::Unavailable(_) => {
                response.extensions_mut().insert(NothingDone);
            }
            _ => {}
        }
        response
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(ref cause) if cause.message().contains("locked") || cause.message().contains("full") => {
                tracing::error!("the state database cannot be written: {error}");
                Self::Unavailable("Flowdeck's state database cannot be written at the moment; try again".into())
            }
            error => Self::Internal(error.into()),
        }
    }
}
