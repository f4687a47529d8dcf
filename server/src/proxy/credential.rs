//! What MLflow is told of the caller.

use http::HeaderValue;

use super::table::Row;
use crate::{
    caller,
    error::{Error, Result},
    mlflow::{self, Fault},
    principal::Principal,
    state::State,
};

/// The caller's own credentials, and what to say when MLflow refuses them.
#[derive(Debug)]
pub struct Credential {
    pub authorization: Option<HeaderValue>,
    pub refused: &'static str,
}

// === impl Credential ===

impl Credential {
    /// # Errors
    /// 501 where MLflow is too old to stand behind Flowdeck, 502 where that cannot be known. 401 for nobody, unless the route is public, and for those whose password is not in the vault.
    pub async fn of(principal: &Principal, row: &Row, state: &State) -> Result<Self> {
        let refused = caller::refused(principal);
        if row.is_public() {
            return Ok(Self {
                authorization: None,
                refused,
            });
        }
        let authorization = caller::authorization(state, principal).await?;
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
