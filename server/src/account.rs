//! One's own account: who am I, my sessions, my password.

use axum::{
    Extension, Form, Json,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{
    address::ClientAddress,
    caller,
    error::{Error, Result},
    login::{self, Unproved},
    mlflow::{self, PasswordError, SignInError},
    principal::{self, Principal},
    session::{Current, PERSON, Store},
    state,
};

/// MLflow's own rule (`mlflow.utils.validation`): length and nothing else.
const SHORTEST: usize = 12;

#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct Row {
    id: String,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
    user_agent: String,
    address: String,
    /// The session that asks.
    current: bool,
}

#[derive(Serialize, ToSchema)]
pub struct Sessions {
    sessions: Vec<Row>,
}

/// Who calls, and how MLflow is.
#[derive(Serialize, ToSchema)]
pub struct Caller {
    user: Option<String>,
    /// Unknown while MLflow is down.
    is_admin: Option<bool>,
    mlflow: Mlflow,
}

#[derive(Serialize, ToSchema)]
pub struct Mlflow {
    /// `up` or `down`.
    state: &'static str,
    version: Option<String>,
}

#[derive(Deserialize)]
pub struct Passwords {
    #[serde(default)]
    current: Zeroizing<String>,
    #[serde(default)]
    new: Zeroizing<String>,
    #[serde(default)]
    repeat: Zeroizing<String>,
}

#[derive(Deserialize)]
pub struct Ended {
    /// A session's id, or `others`.
    #[serde(default)]
    id: String,
    #[serde(default)]
    password: Zeroizing<String>,
}

/// `GET /api/flowdeck/v1/session` → `{"user","is_admin","mlflow":{"state","version"}}`
#[utoipa::path(get, path = "/session", tag = "Account", responses((status = 200, body = Caller)))]
pub async fn session(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Response> {
    let authorization = caller::authorization(&state, &principal).await?;
    let who = caller::ask(&state, &principal, &authorization).await;
    let (is_admin, up) = match who {
        Ok(who) => (Some(who.is_admin), true),
        Err(mlflow::SignInError::WrongPassword) => {
            return Err(Error::WrongCredentials(
                "MLflow no longer takes this password; sign in again".into(),
            ));
        }
        Err(_) => (None, false),
    };
    let version = if up {
        mlflow::version(&state.upstream, &authorization)
            .await
            .ok()
            .map(|version| version.to_string())
    } else {
        None
    };
    let state = if up { "up" } else { "down" };
    let answer = Caller {
        user: principal.user().map(str::to_owned),
        is_admin,
        mlflow: Mlflow { state, version },
    };
    Ok(Json(answer).into_response())
}

/// `GET /api/flowdeck/v1/sessions` → `{"sessions":[…]}`, times in ms since 1970
#[utoipa::path(get, path = "/sessions", tag = "Account", responses((status = 200, body = Sessions)))]
pub async fn sessions(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Response> {
    let own = own(&principal)?;
    let store = Store::new(state.db.clone(), state.config.session.clone());
    let rows = store.of(&own.user).await?.into_iter().map(|row| Row {
        current: row.id == own.id,
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.used_at,
        expires_at: row.expires_at,
        user_agent: row.user_agent,
        address: row.address,
    });
    let sessions = rows.collect();
    Ok(Json(Sessions { sessions }).into_response())
}

/// The form of `/account`. Other sessions of the user end: whoever knew the old password may be in one of them.
pub async fn change_password(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Current(session): Current,
    Form(passwords): Form<Passwords>,
) -> Result<Response> {
    let Ok(own) = own(&principal) else {
        return Ok(sign_in_again(&state));
    };
    let back = |query: &str| Ok(Redirect::to(&state.config.listen.base_path.join(&format!("/account?{query}"))).into_response());
    if passwords.new.chars().count() < SHORTEST {
        return back("error=short");
    }
    if !passwords.new.is_ascii() {
        return back("error=ascii");
    }
    if *passwords.new != *passwords.repeat {
        return back("error=repeat");
    }
    match login::prove(&state, address, &own.user, &passwords.current).await {
        Ok(()) => {}
        Err(unproved) => return back(word(&unproved, "error=current")),
    }
    match mlflow::change_password(&state.upstream, &own.user, &passwords.current, &passwords.new).await {
        Ok(()) => {}
        Err(PasswordError::WrongPassword) => return back("error=current"),
        Err(PasswordError::Same) => return back("error=same"),
        Err(PasswordError::Failed(error)) => {
            tracing::error!("a password could not be changed: {error}");
            return back("error=mlflow");
        }
    }
    state.vault.put(&own.user, passwords.new.as_bytes()).await?;
    state.db.end_other_sessions(&own.user, &own.id).await?;
    // The ticket changes with what it stands for.
    let person = session.get_value(PERSON).await.map_err(anyhow::Error::from)?;
    session.cycle_id().await.map_err(anyhow::Error::from)?;
    session
        .insert_value(PERSON, person.unwrap_or_default())
        .await
        .map_err(anyhow::Error::from)?;
    back("done=password")
}

/// The form of `/account` that ends one session, or all others. Whoever found a browser open does not know the password.
pub async fn end_sessions(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Form(ended): Form<Ended>,
) -> Result<Response> {
    let Ok(own) = own(&principal) else {
        return Ok(sign_in_again(&state));
    };
    let to = |next: &str| Ok(Redirect::to(&state.config.listen.base_path.join(next)).into_response());
    if let Err(unproved) = login::prove(&state, address, &own.user, &ended.password).await {
        return to(&format!("/account?{}", word(&unproved, "error=password")));
    }
    if ended.id == "others" {
        state.db.end_other_sessions(&own.user, &own.id).await?;
    } else if !state.db.end_session(&own.user, &ended.id).await? {
        return to("/account?error=gone");
    }
    to(if ended.id == own.id {
        "/login?why=out"
    } else {
        "/account?done=sessions"
    })
}

/// What the page is told of a password that was not taken.
fn word(unproved: &Unproved, wrong: &'static str) -> &'static str {
    match unproved {
        Unproved::Wait(_) => "error=wait",
        Unproved::Refused(SignInError::WrongPassword) => wrong,
        Unproved::Refused(_) => "error=mlflow",
    }
}

/// Forms are sent by people, whose session has ended meanwhile.
fn sign_in_again(state: &state::State) -> Response {
    Redirect::to(&login::address(&state.config.listen.base_path, "/account", Some(login::Why::Ended))).into_response()
}

fn own(principal: &Principal) -> Result<&principal::Session> {
    match principal {
        Principal::Session(session) => Ok(session),
        _ => Err(Error::Unauthenticated("this needs a session: sign in in a browser".into())),
    }
}
