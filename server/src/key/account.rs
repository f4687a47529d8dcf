//! `/api/flowdeck/v1/service-accounts`: MLflow users for programs, whose password nobody knows but the vault. For owners.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use rand::{Rng as _, distr::Alphanumeric};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{
    caller, clock,
    db::key::Account,
    error::{Error, Result},
    extract,
    mlflow::roster::{self, NotDone},
    principal::Principal,
    state,
};

const PASSWORD: usize = 48;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServiceAccountWanted)]
pub struct Wanted {
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_.@-]+$")]
    name: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ServiceAccount)]
pub struct Told {
    name: String,
    /// Ms since 1970.
    created_at: i64,
    created_by: String,
    /// Live keys.
    keys: usize,
}

#[derive(Serialize, ToSchema)]
pub struct ServiceAccounts {
    accounts: Vec<Told>,
}

/// `GET /api/flowdeck/v1/service-accounts` → `{"accounts":[…]}`
#[utoipa::path(get, path = "/service-accounts", tag = "Service accounts", responses((status = 200, body = ServiceAccounts)))]
pub async fn list(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Response> {
    caller::owner(&state, &principal).await?;
    let now = clock::now();
    let accounts = state.db.service_accounts().await?.into_iter().map(|account| Told {
        keys: state.keys.list(|key| key.user == account.name && key.is_live(now)).len(),
        name: account.name,
        created_at: account.created_at,
        created_by: account.created_by,
    });
    let accounts = accounts.collect();
    Ok(Json(ServiceAccounts { accounts }).into_response())
}

/// `POST /api/flowdeck/v1/service-accounts` → 201
#[utoipa::path(post, path = "/service-accounts", tag = "Service accounts", request_body = Wanted, responses((status = 201, body = Told)))]
pub async fn create(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Json(wanted): extract::Json<Wanted>,
) -> Result<Response> {
    state.audit.can_write()?;
    let owner = caller::owner(&state, &principal).await?;
    let name = wanted.name.trim();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    if !(1..=100).contains(&name.len()) || !name.bytes().all(good) {
        return Err(Error::BadRequest("`name`: 1 to 100 ASCII letters, digits, and - _ . @".into()));
    }
    let authorization = caller::authorization(&state, &principal).await?;
    let password: Zeroizing<String> = Zeroizing::new(rand::rng().sample_iter(Alphanumeric).take(PASSWORD).map(char::from).collect());
    roster::create_user(&state.upstream, &authorization, name, &password)
        .await
        .map_err(told)?;
    let account = Account {
        name: name.to_owned(),
        created_at: clock::now(),
        created_by: owner.user,
    };
    let kept = async {
        state.vault.put(name, password.as_bytes()).await?;
        state.db.put_service_account(&account).await
    };
    if let Err(error) = kept.await {
        // Nobody could ever use it.
        roster::delete_user(&state.upstream, &authorization, name).await.map_err(told)?;
        return Err(error.into());
    }
    tracing::info!(name, by = account.created_by, "a service account was made");
    let told = Told {
        name: account.name,
        created_at: account.created_at,
        created_by: account.created_by,
        keys: 0,
    };
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// `DELETE /api/flowdeck/v1/service-accounts/{name}` → 204; its keys are revoked, its own views go, and MLflow forgets the user
#[utoipa::path(delete, path = "/service-accounts/{name}", tag = "Service accounts", params(("name" = String, Path)), responses((status = 204)))]
pub async fn delete(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response> {
    state.audit.can_write()?;
    caller::owner(&state, &principal).await?;
    if !state.db.service_accounts().await?.iter().any(|account| account.name == name) {
        return Err(Error::NotFound("there is no such service account".into()));
    }
    state.keys.revoke_all(&name).await?;
    let authorization = caller::authorization(&state, &principal).await?;
    match roster::delete_user(&state.upstream, &authorization, &name).await {
        Ok(()) | Err(NotDone::Missing) => {}
        Err(error) => return Err(told(error)),
    }
    state.vault.forget(&name).await?;
    state.db.delete_private_views(&name).await?;
    state.db.delete_service_account(&name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn told(error: NotDone) -> Error {
    match error {
        NotDone::Exists => Error::BadRequest("`name`: MLflow has a user of that name already".into()),
        NotDone::Refused => Error::Forbidden("MLflow does not allow you to keep its users".into()),
        error => Error::Upstream(error.to_string()),
    }
}
