//! What MLflow is told of the caller.

use http::HeaderValue;

use super::table::Row;
use crate::{
    error::{Error, Result},
    mlflow::{self, Fault},
    principal::Principal,
    state::State,
};

const SIGN_IN: &str = "sign in, or send a user name and a password (HTTP Basic)";
const SIGN_IN_AGAIN: &str = "sign in again";
const WRONG: &str = "MLflow does not know this user name and password";

/// The caller's own credentials, and what to say when MLflow refuses them.
#[derive(Debug)]
pub struct Credential {
    pub authorization: Option<HeaderValue>,
    pub refused: &'static str,
}

// === impl Credential ===

impl Credential {
    /// # Errors
    /// 501 where MLflow is too old to stand behind Flowdeck, 502 where that cannot be known. 401 for nobody, unless the route is public, and for a session whose password is not in the vault.
    pub async fn of(principal: &Principal, row: &Row, state: &State) -> Result<Self> {
        if row.is_public() {
            return Ok(Self {
                authorization: None,
                refused: SIGN_IN,
            });
        }
        let (authorization, refused) = match principal {
            Principal::Anonymous => return Err(Error::Unauthenticated(SIGN_IN.into())),
            Principal::Basic(basic) => (basic.authorization.clone(), WRONG),
            Principal::Session(session) => match state.vault.authorization(&session.user).await? {
                Some(authorization) => (authorization, SIGN_IN_AGAIN),
                None => return Err(Error::Unauthenticated(SIGN_IN_AGAIN.into())),
            },
        };
        mlflow::vet(&state.upstream, &authorization).await.map_err(|fault| match fault {
            Fault::TooOld(sentence) => Error::Unsupported(sentence),
            fault => Error::Upstream(fault.to_string()),
        })?;
        Ok(Self {
            authorization: Some(authorization),
            refused,
        })
    }
}
