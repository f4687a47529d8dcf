//! Who calls. Made once per request by [`crate::layer`], asked by handlers.

use axum::http::HeaderValue;

use crate::{
    error::{Error, Result},
    mlflow::{self, SignInError, Who},
    state::State,
};

/// The caller of one request.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Nobody said who they are.
    Anonymous,
    /// A browser with a session.
    Session(Session),
    /// A program with HTTP Basic; MLflow itself checks it.
    Basic(Basic),
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
}

// === impl Principal ===

impl Principal {
    /// The name that the caller goes by, checked or not.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::Session(session) => Some(&session.user),
            Self::Basic(basic) => Some(&basic.user),
        }
    }

    /// What shows MLflow that it is they.
    ///
    /// # Errors
    /// 401 for nobody, and for a session whose password is not in the vault.
    pub async fn authorization(&self, state: &State) -> Result<HeaderValue> {
        match self {
            Self::Anonymous => Err(Error::Unauthenticated("sign in first".into())),
            Self::Basic(basic) => Ok(basic.authorization.clone()),
            Self::Session(session) => state
                .vault
                .authorization(&session.user)
                .await?
                .ok_or_else(|| Error::Unauthenticated("sign in again".into())),
        }
    }
}

/// Asks MLflow who calls.
///
/// # Errors
/// 401 for nobody and for credentials that MLflow does not take, 502 where it does not answer.
pub async fn who(principal: &Principal, state: &State) -> Result<Who> {
    let authorization = principal.authorization(state).await?;
    mlflow::who(&state.upstream, &authorization).await.map_err(|error| match error {
        SignInError::WrongPassword => Error::WrongCredentials("MLflow no longer takes this password; sign in again".into()),
        error => Error::Upstream(error.to_string()),
    })
}

/// Lets owners pass: those whom MLflow calls administrators.
///
/// # Errors
/// As [`who`], and 403 for everybody else.
pub async fn owner(principal: &Principal, state: &State) -> Result<()> {
    if who(principal, state).await?.is_admin {
        Ok(())
    } else {
        Err(Error::Forbidden("only owners of this MLflow may see this".into()))
    }
}

// === impl Basic ===

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Basic({})", self.user)
    }
}
