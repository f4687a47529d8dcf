//! What MLflow knows of its users: is this the right password, and who is it.

use axum::http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::external::{Fault, Judgement, judge, request, send, version, vet};
use crate::{upstream::Upstream, vault};

/// Somebody whom MLflow knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Who {
    #[serde(rename = "username")]
    pub user: String,
    pub is_admin: bool,
}

/// Why a sign-in failed, in a sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    #[error("the name or the password is wrong")]
    WrongPassword,
    #[error("{0}")]
    Unusable(&'static str),
    #[error("MLflow cannot be reached; try again in a moment")]
    Unreachable,
    #[error("{0}")]
    Misconfigured(Fault),
}

/// Why a password was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("the new password is the current one")]
    Same,
    #[error("{0}")]
    Failed(String),
}

/// Asks MLflow whether this is the user's password, and whether it is an MLflow that one should sign in to.
///
/// # Errors
/// A sentence for the sign-in page.
pub async fn check_password(upstream: &Upstream, user: &str, password: &str) -> Result<Who, SignInError> {
    let authorization = basic(user, password)?;
    let who = who(upstream, &authorization).await?;
    vet(upstream, &authorization).await?;
    Ok(who)
}

/// Asks MLflow whose credentials these are.
///
/// # Errors
/// A sentence for the sign-in page.
pub async fn who(upstream: &Upstream, authorization: &HeaderValue) -> Result<Who, SignInError> {
    #[derive(Deserialize)]
    struct Current {
        user: Who,
    }
    let question = request(upstream, Method::GET, "/api/2.0/mlflow/users/current", Some(authorization))?;
    let response = send(question).await?;
    match response.status() {
        StatusCode::OK => {
            let current: Current = response.json().await.map_err(|_| Fault::NotMlflow)?;
            Ok(current.user)
        }
        StatusCode::UNAUTHORIZED => Err(SignInError::WrongPassword),
        StatusCode::NOT_FOUND => Err(without_users(upstream, authorization).await.into()),
        status if status.is_server_error() => Err(SignInError::Unreachable),
        _ => Err(Fault::NotMlflow.into()),
    }
}

/// Whether MLflow lets these credentials read what is at `path`, query included.
///
/// # Errors
/// When MLflow does not answer.
pub async fn may_read(upstream: &Upstream, authorization: &HeaderValue, path: &str) -> Result<bool, Fault> {
    let response = send(request(upstream, Method::GET, path, Some(authorization))?).await?;
    match response.status() {
        status if status.is_server_error() => Err(Fault::Unreachable),
        status => Ok(status.is_success()),
    }
}

/// Changes the user's own password.
///
/// # Errors
/// Which of the two passwords is to blame, or what else it was.
pub async fn change_password(upstream: &Upstream, user: &str, current: &str, new: &str) -> Result<(), PasswordError> {
    let failed = |error: SignInError| match error {
        SignInError::WrongPassword => PasswordError::WrongPassword,
        error => PasswordError::Failed(error.to_string()),
    };
    let authorization = basic(user, current).map_err(failed)?;
    basic(user, new).map_err(failed)?;
    let question = request(
        upstream,
        Method::PATCH,
        "/api/2.0/mlflow/users/update-password",
        Some(&authorization),
    );
    let question = question.map_err(|fault| failed(fault.into()))?;
    let body = json!({ "username": user, "password": new, "current_password": current });
    // The same password again would be a right one, and MLflow an oracle for it: it is asked first.
    who(upstream, &authorization).await.map_err(failed)?;
    if current == new {
        return Err(PasswordError::Same);
    }
    let response = send(question.json(&body)).await.map_err(|fault| failed(fault.into()))?;
    match response.status() {
        StatusCode::OK => Ok(()),
        StatusCode::UNAUTHORIZED => Err(PasswordError::WrongPassword),
        status => Err(PasswordError::Failed(format!("MLflow answered {status}"))),
    }
}

/// The header that shows MLflow who calls, marked sensitive.
///
/// # Errors
/// Where MLflow could not take it: its newer routes decode ASCII only, and a colon ends the name.
pub fn basic(user: &str, password: &str) -> Result<HeaderValue, SignInError> {
    if user.is_empty() || password.is_empty() {
        return Err(SignInError::WrongPassword);
    }
    if user.contains(':') {
        let sentence = "a name with a colon cannot sign in to MLflow; ask an administrator for another name";
        return Err(SignInError::Unusable(sentence));
    }
    if !user.is_ascii() || !password.is_ascii() {
        let sentence = "MLflow takes only ASCII letters, digits and signs in names and passwords; ask an administrator to change yours";
        return Err(SignInError::Unusable(sentence));
    }
    vault::basic(user, password.as_bytes()).ok_or(SignInError::WrongPassword)
}

/// Why an MLflow does not know `users/current`: no sign-in at all, or a version from before that route.
async fn without_users(upstream: &Upstream, authorization: &HeaderValue) -> Fault {
    match version(upstream, authorization).await.map(judge) {
        Ok(Judgement::Refused(sentence)) => Fault::TooOld(sentence),
        Ok(_) => Fault::NoAuth,
        Err(fault) => fault,
    }
}

// === impl SignInError ===

impl From<Fault> for SignInError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unreachable => Self::Unreachable,
            fault => Self::Misconfigured(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PasswordError, SignInError, basic, change_password, check_password};
    use crate::mlflow::{
        Fault,
        external::mock::{CLOSED, OPEN, mlflow, server, with},
    };

    const CURRENT: &str = "/api/2.0/mlflow/users/current";
    const CHANGE: &str = "/api/2.0/mlflow/users/update-password";

    #[tokio::test]
    async fn each_failed_sign_in_has_its_own_reason() {
        let who = check_password(&server(mlflow()).await, "admin", "secret").await.unwrap();
        assert_eq!((who.user.as_str(), who.is_admin), ("admin", true));

        let refused = server(with(CURRENT, (CLOSED, CLOSED))).await;
        assert_eq!(check_password(&refused, "admin", "wrong").await, Err(SignInError::WrongPassword));
        let broken = server(with(CURRENT, ((502, "bad gateway"), (502, "bad gateway")))).await;
        assert_eq!(check_password(&broken, "admin", "secret").await, Err(SignInError::Unreachable));
        let foreign = server(with(CURRENT, OPEN)).await;
        let error = check_password(&foreign, "admin", "secret").await;
        assert_eq!(error, Err(SignInError::Misconfigured(Fault::NotMlflow)));

        let missing = ((404, ""), (404, ""));
        let open = server(with(CURRENT, missing)).await;
        let error = check_password(&open, "admin", "secret").await;
        assert_eq!(error, Err(SignInError::Misconfigured(Fault::NoAuth)));
        let mut ancient = with(CURRENT, missing);
        ancient.insert("/version", (CLOSED, (200, "3.9.0")));
        let error = check_password(&server(ancient).await, "admin", "secret").await.unwrap_err();
        assert!(error.to_string().contains("3.9.0 is too old"), "{error}");
    }

    #[tokio::test]
    async fn an_old_mlflow_is_refused_at_sign_in_and_a_leaky_one_is_not() {
        let old = server(with("/version", (CLOSED, (200, "3.16.0")))).await;
        let error = check_password(&old, "admin", "secret").await.unwrap_err();
        assert!(error.to_string().contains("3.16.0 is too old"), "{error}");
        let leaky = server(with("/version", (CLOSED, (200, "3.17.1")))).await;
        assert!(check_password(&leaky, "admin", "secret").await.is_ok());
    }

    #[tokio::test]
    async fn a_password_is_changed_by_who_knows_it() {
        let upstream = server(with(CHANGE, (CLOSED, (200, "{}")))).await;
        assert_eq!(change_password(&upstream, "admin", "old", "new").await, Ok(()));
        assert_eq!(change_password(&upstream, "admin", "old", "old").await, Err(PasswordError::Same));
        let mut script = with(CHANGE, (CLOSED, (500, "")));
        let failing = server(script.clone()).await;
        let error = change_password(&failing, "admin", "old", "new").await.unwrap_err();
        assert!(matches!(&error, PasswordError::Failed(text) if text.contains("500")), "{error}");
        script.insert(CURRENT, (CLOSED, CLOSED));
        let upstream = server(script).await;
        assert_eq!(
            change_password(&upstream, "admin", "bad", "bad").await,
            Err(PasswordError::WrongPassword)
        );
    }

    #[test]
    fn what_mlflow_cannot_decode_is_not_sent() {
        assert_eq!(basic("admin", "secret").unwrap(), "Basic YWRtaW46c2VjcmV0");
        assert!(basic("admin", "secret").unwrap().is_sensitive());
        assert!(matches!(basic("a:b", "secret"), Err(SignInError::Unusable(text)) if text.contains("colon")));
        assert!(matches!(basic("zoë", "secret"), Err(SignInError::Unusable(text)) if text.contains("ASCII")));
        assert!(matches!(basic("zoe", "sécret"), Err(SignInError::Unusable(_))));
        assert_eq!(basic("", "secret"), Err(SignInError::WrongPassword));
    }
}
