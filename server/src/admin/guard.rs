//! What MLflow itself would do and nobody could undo: taking the last administrator away by its own routes.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
};
use serde_json::Value;

use super::index::Changing;
use crate::{
    caller,
    error::{Error, Result},
    principal::Principal,
    state::State,
};

const UPDATE: &str = "/2.0/mlflow/users/update-admin";
const DELETE: &str = "/2.0/mlflow/users/delete";
/// A name and a flag are shorter.
const LONGEST: usize = 64 * 1024;

/// Lets a call of MLflow's at `path` (as its table has it) pass, unless it would leave nobody to look after it. Until what is given back is
/// dropped, nobody else takes anybody away.
///
/// # Errors
/// 409 for the last administrator, 413 for a body that is none of these routes'.
pub async fn spare_last_admin<'a>(
    state: &'a State,
    principal: &Principal,
    path: &str,
    request: &mut Request,
) -> Result<Option<Changing<'a>>> {
    if path != UPDATE && path != DELETE {
        return Ok(None);
    }
    let body = to_bytes(std::mem::take(request.body_mut()), LONGEST).await;
    let body = body.map_err(|_| Error::TooLarge { limit: LONGEST as u64 })?;
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    *request.body_mut() = Body::from(body);
    let query = request.uri().query().unwrap_or_default();
    let named = told["username"].as_str().map(str::to_owned).or_else(|| username(query));
    let Some(user) = named.filter(|_| path == DELETE || told["is_admin"] != Value::Bool(true)) else {
        return Ok(None);
    };
    // MLflow refuses it to everybody else, who hold no owner up with it.
    if !caller::who(state, principal).await?.is_admin {
        return Ok(None);
    }
    let changing = state.index.change().await;
    let authorization = caller::authorization(state, principal).await?;
    let world = state.index.with_admins(state, &authorization, &user).await;
    let world = world.map_err(|error| super::index::told(principal, &error))?;
    if world.is_last_admin(&user) {
        let sentence = "this is the last administrator who can sign in: make somebody else one first";
        return Err(Error::Conflict(sentence.into()));
    }
    Ok(Some(changing))
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
