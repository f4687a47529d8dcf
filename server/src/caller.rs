//! What MLflow knows of the caller of one of our own routes.

use axum::http::HeaderValue;

use crate::{
    error::{Error, Result},
    mlflow::{self, SignInError, Who},
    principal::Principal,
    state::State,
};

/// The caller's own credentials, as MLflow needs to hear them.
///
/// # Errors
/// 401 for nobody, and for a session whose password is not in the vault.
pub async fn authorization(state: &State, principal: &Principal) -> Result<HeaderValue> {
    match principal {
        Principal::Anonymous => Err(Error::Unauthenticated("sign in first".into())),
        Principal::Basic(basic) => Ok(basic.authorization.clone()),
        Principal::Session(session) => state
            .vault
            .authorization(&session.user)
            .await?
            .ok_or_else(|| Error::Unauthenticated("sign in again".into())),
    }
}

/// Asks MLflow who has these credentials.
///
/// # Errors
/// 401 where MLflow does not take them, 502 where it does not answer.
pub async fn who(state: &State, authorization: &HeaderValue) -> Result<Who> {
    mlflow::who(&state.upstream, authorization).await.map_err(|error| match error {
        SignInError::WrongPassword => Error::Unauthenticated("MLflow no longer takes this password; sign in again".into()),
        error => Error::Upstream(error.to_string()),
    })
}
