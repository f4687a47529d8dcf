//! MLflow's own routes for users, as they pass: nobody takes the last administrator away, and a name that is used again begins with nothing.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
};
use serde_json::Value;

use super::{account, index::Changing};
use crate::{
    caller,
    error::{Error, Result},
    principal::Principal,
    state::State,
};

/// A call that has passed. As long as it is there, nobody else takes anybody away.
#[derive(Default)]
pub struct Passed<'a> {
    _changing: Option<Changing<'a>>,
    /// Whose name is given, or taken, where MLflow does it.
    named: Option<String>,
}

const CREATE: &str = "/2.0/mlflow/users/create";
const UPDATE: &str = "/2.0/mlflow/users/update-admin";
const DELETE: &str = "/2.0/mlflow/users/delete";
/// A name and a flag are shorter.
const LONGEST: usize = 64 * 1024;

/// Lets a call of MLflow's at `path` (as its table has it) pass, unless it would leave nobody to look after it.
///
/// # Errors
/// 409 for the last administrator, 413 for a body that is none of these routes'.
pub async fn pass<'a>(state: &'a State, principal: &Principal, path: &str, request: &mut Request) -> Result<Passed<'a>> {
    if ![CREATE, UPDATE, DELETE].contains(&path) {
        return Ok(Passed::default());
    }
    let body = to_bytes(std::mem::take(request.body_mut()), LONGEST).await;
    let body = body.map_err(|_| Error::TooLarge { limit: LONGEST as u64 })?;
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    *request.body_mut() = Body::from(body);
    let query = request.uri().query().unwrap_or_default();
    let Some(user) = told["username"].as_str().map(str::to_owned).or_else(|| username(query)) else {
        return Ok(Passed::default());
    };
    let takes_away = path == DELETE || (path == UPDATE && told["is_admin"] != Value::Bool(true));
    Ok(Passed {
        _changing: if takes_away {
            spare_last_admin(state, principal, &user).await?
        } else {
            None
        },
        named: (path != UPDATE).then_some(user),
    })
}

async fn spare_last_admin<'a>(state: &'a State, principal: &Principal, user: &str) -> Result<Option<Changing<'a>>> {
    // MLflow refuses it to everybody else, who hold no owner up with it.
    if !caller::who(state, principal).await?.is_admin {
        return Ok(None);
    }
    let changing = state.index.change().await;
    let authorization = caller::authorization(state, principal).await?;
    let world = state.index.with_admins(state, &authorization, user).await;
    let world = world.map_err(|error| super::index::told(principal, &error))?;
    if world.is_last_admin(user) {
        let sentence = "this is the last administrator who can sign in: make somebody else one first";
        return Err(Error::Conflict(sentence.into()));
    }
    Ok(Some(changing))
}

// === impl Passed ===

impl Passed<'_> {
    /// MLflow has done it.
    pub async fn done(self, state: &State) {
        let Some(name) = self.named else { return };
        if let Err(error) = account::forget(state, &name).await {
            tracing::error!(name, "what was kept of a user who is gone could not be deleted: {error}");
        }
    }
}

fn username(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("username="))?;
    let value = value.replace('+', " ");
    percent_encoding::percent_decode_str(&value).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::username;

    #[test]
    fn a_name_in_the_query_is_decoded() {
        assert_eq!(username("a=b&username=ada%40x+y").as_deref(), Some("ada@x y"));
        assert_eq!(username("user=ada"), None);
    }
}
