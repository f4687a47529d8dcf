//! The console's only way to data: the same public HTTP routes that a program calls. Knows nothing of pages.

pub mod flowdeck;
pub(crate) mod json;
pub mod mlflow;
mod transport;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::transport::{Answer, Transport};

/// Calls the routes below the base path, as the visitor.
#[derive(Clone)]
pub struct Client(Transport);

/// Why a call brought nothing. `status` 0: no answer came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The HTTP status, or 0.
    pub status: u16,
    /// MLflow's `error_code`, for example `RESOURCE_DOES_NOT_EXIST`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The `request-id` of the answer.
    pub request_id: Option<String>,
}

/// A call that is to be made: its path below the base, percent-encoded, query included, and its JSON.
#[derive(Debug)]
pub struct Question {
    method: Method,
    path: String,
    body: Option<String>,
}

/// Why a call was refused that is for owners alone.
pub const OWNERS_ONLY: &str = "only owners of this MLflow (its administrators) may do this";

pub type Result<T> = std::result::Result<T, ApiError>;

/// The methods that the console uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

// === impl Client ===

impl Client {
    pub fn new(transport: Transport) -> Self {
        Self(transport)
    }

    /// `path` is below the base and percent-encoded, query included.
    ///
    /// # Errors
    /// The answer's own error, or that none came, or that it could not be read.
    pub async fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R> {
        parse(&self.text(Method::Get, path, None).await?)
    }

    /// Sends `body` as JSON and reads JSON.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn send<R: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize) -> Result<R> {
        let body = serde_json::to_string(body).map_err(|error| ApiError::unreadable(&error))?;
        parse(&self.text(method, path, Some(body)).await?)
    }

    /// The body of a good answer as text.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn text(&self, method: Method, path: &str, body: Option<String>) -> Result<String> {
        let path = path.to_owned();
        let body = self.bytes(Question { method, path, body }).await?;
        Ok(String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The body of a good answer. A text of JavaScript would be a second copy of what may be megabytes.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn bytes(&self, Question { method, path, body }: Question) -> Result<Vec<u8>> {
        let answer = self.0.call(method, &path, body).await?;
        if (200..300).contains(&answer.status) {
            return Ok(answer.body);
        }
        Err(ApiError::from_answer(&answer))
    }
}

fn parse<R: DeserializeOwned>(text: &str) -> Result<R> {
    json::from_str(text).map_err(|error| ApiError::unreadable(&error))
}

// === impl Question ===

impl Question {
    pub fn get(path: String) -> Self {
        Self {
            method: Method::Get,
            path,
            body: None,
        }
    }

    /// With `body` as JSON.
    pub fn post(path: String, body: &impl Serialize) -> Self {
        Self {
            method: Method::Post,
            path,
            // What is asked are texts and numbers, which JSON has words for.
            body: serde_json::to_string(body).ok(),
        }
    }
}

// === impl ApiError ===

impl ApiError {
    /// Not tried to the end on the server: the page goes out without it and the browser asks again.
    pub fn deferred() -> Self {
        Self {
            status: 0,
            code: "DEFERRED".into(),
            message: "still loading".into(),
            request_id: None,
        }
    }

    /// No answer came at all.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self {
            status: 0,
            code: "UNREACHABLE".into(),
            message: message.into(),
            request_id: None,
        }
    }

    /// An answer of which only the status is known; 0: none came.
    pub fn refused(status: u16) -> Self {
        match status {
            0 => Self::unreachable("the connection broke off"),
            status => Self {
                status,
                code: String::new(),
                message: format!("the server answered {status}"),
                request_id: None,
            },
        }
    }

    pub fn is_deferred(&self) -> bool {
        self.code == "DEFERRED"
    }

    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        Self {
            status: 0,
            code: "UNREADABLE".into(),
            message: format!("the answer could not be read: {error}"),
            request_id: None,
        }
    }

    fn from_answer(answer: &Answer) -> Self {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            error_code: String,
            #[serde(default)]
            message: String,
        }
        let body = json::from_str::<Body>(&String::from_utf8_lossy(&answer.body))
            .ok()
            .filter(|body| !body.message.is_empty());
        let body = body.unwrap_or_else(|| Body {
            error_code: String::new(),
            message: format!("the server answered {}", answer.status),
        });
        Self {
            status: answer.status,
            code: body.error_code,
            message: body.message,
            request_id: answer.request_id.clone(),
        }
    }
}
