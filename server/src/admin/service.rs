//! `/api/flowdeck/v1/service-accounts`: MLflow users for programs, whose password nobody knows but the vault. For owners.

use app::api::flowdeck::user::UserWish;
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::user::life;
use crate::{
    caller, clock,
    db::key::Account,
    error::{Error, Result},
    extract,
    principal::Principal,
    state,
    whole::whole,
};

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
    caller::reader_without_mlflow(&state, &principal).await?;
    let accounts = state.db.service_accounts().await?.into_iter();
    let accounts = accounts.map(|account| Told::of(&state, account)).collect();
    Ok(Json(ServiceAccounts { accounts }).into_response())
}

/// `POST /api/flowdeck/v1/service-accounts` → 201
#[utoipa::path(post, path = "/service-accounts", tag = "Service accounts", request_body = Wanted, responses((status = 201, body = Told)))]
pub async fn create(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    extract::Json(wanted): extract::Json<Wanted>,
) -> Result<Response> {
    let wish = UserWish {
        name: wanted.name,
        service: true,
        admin: false,
        roles: Vec::new(),
    };
    whole(async move {
        let made = life::make(&state, &principal, &headers, &wish).await?;
        let accounts = state.db.service_accounts().await?;
        let account = accounts.into_iter().find(|account| account.name == made.name).ok_or_else(gone)?;
        Ok((StatusCode::CREATED, Json(Told::of(&state, account))).into_response())
    })
    .await
}

/// `DELETE /api/flowdeck/v1/service-accounts/{name}` → 204; its keys are revoked, its own views go, and MLflow forgets the user
#[utoipa::path(delete, path = "/service-accounts/{name}", tag = "Service accounts", params(("name" = String, Path)), responses((status = 204)))]
pub async fn delete(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    caller::owner(&state, &principal).await?;
    if !state.db.service_accounts().await?.iter().any(|account| account.name == name) {
        return Err(gone());
    }
    whole(async move {
        let spared = life::spared(&state, &principal, &name).await?;
        life::remove(&state, spared, &headers, &name).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

fn gone() -> Error {
    Error::NotFound("there is no such service account".into())
}

// === impl Told ===

impl Told {
    fn of(state: &state::State, account: Account) -> Self {
        let now = clock::now();
        Self {
            keys: state.keys.list(|key| key.user == account.name && key.is_live(now)).len(),
            name: account.name,
            created_at: account.created_at,
            created_by: account.created_by,
        }
    }
}
