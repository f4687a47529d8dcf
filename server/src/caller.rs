//! What handlers of our own ask about a caller: how MLflow knows them, and whether they own this MLflow.

use std::time::Duration;

use app::api::OWNERS_ONLY;
use axum::http::HeaderValue;

use crate::{
    error::{Error, Result},
    mlflow::{self, Experiment, NotTold, SignInError, Who},
    owners::{Known, Question},
    principal::Principal,
    state::State,
};

/// So long MLflow has to say again who is an owner, where it has said so before and what is asked for does not need it.
const PATIENCE: Duration = Duration::from_secs(1);

const SIGN_IN: &str = "sign in, or show an API key, or send a user name and a password (HTTP Basic)";
const SIGN_IN_AGAIN: &str = "sign in again";
const KEY_IS_STALE: &str =
    "Flowdeck no longer knows the MLflow password of this API key's user, who has to sign in to Flowdeck once for the key to work again";
const WRONG: &str = "MLflow does not know this user name and password";

/// What MLflow needs to hear from this caller.
///
/// # Errors
/// 401 for nobody, and for somebody whose password is not in the vault.
pub async fn authorization(state: &State, principal: &Principal) -> Result<HeaderValue> {
    let vaulted = match principal {
        Principal::Anonymous => None,
        Principal::Basic(basic) => {
            basic.note.vouched();
            Some(basic.authorization.clone())
        }
        Principal::Session(session) => state.vault.authorization(&session.user).await?,
        Principal::Key(key) => state.vault.authorization(&key.user).await?,
    };
    vaulted.ok_or_else(|| Error::Unauthenticated(refused(principal).into()))
}

/// What to tell this caller when MLflow refuses their credentials, or there are none.
pub fn refused(principal: &Principal) -> &'static str {
    match principal {
        Principal::Anonymous => SIGN_IN,
        Principal::Basic(_) => WRONG,
        Principal::Session(_) => SIGN_IN_AGAIN,
        Principal::Key(_) => KEY_IS_STALE,
    }
}

/// Who this is, as MLflow says at this moment.
///
/// # Errors
/// 401 where MLflow does not know them, 502 where it does not answer.
pub async fn who(state: &State, principal: &Principal) -> Result<Who> {
    let authorization = authorization(state, principal).await?;
    let answer = ask(state, principal, &authorization).await;
    answer.map_err(|error| unknown(principal, error))
}

/// Asks MLflow who this is, and remembers an owner.
///
/// # Errors
/// As MLflow says.
pub async fn ask(state: &State, principal: &Principal, authorization: &HeaderValue) -> std::result::Result<Who, SignInError> {
    match known_user(principal) {
        Some(user) => answer(state, user, authorization, state.owners.question()).await,
        None => mlflow::who(&state.upstream, authorization).await,
    }
}

/// The caller's name, checked: HTTP Basic is anybody's word until MLflow has heard it.
///
/// # Errors
/// As [`who`].
pub async fn name(state: &State, principal: &Principal) -> Result<String> {
    match principal {
        Principal::Session(session) => Ok(session.user.clone()),
        Principal::Key(key) => Ok(key.user.clone()),
        Principal::Anonymous | Principal::Basic(_) => Ok(who(state, principal).await?.user),
    }
}

/// The experiment of this id, which MLflow is asked for as the caller.
///
/// # Errors
/// 404 where there is none, or MLflow does not let the caller read it; 401, 502.
pub async fn experiment(state: &State, principal: &Principal, id: &str) -> Result<Experiment> {
    let authorization = authorization(state, principal).await?;
    let found = mlflow::experiment(&state.upstream, &authorization, id).await;
    let found = found.map_err(|error| not_told(principal, &error))?;
    found.ok_or_else(|| Error::NotFound("there is no such experiment, or MLflow does not let you read it".into()))
}

/// What to answer where MLflow has not told this caller what was asked.
pub fn not_told(principal: &Principal, error: &NotTold) -> Error {
    match error {
        NotTold::Unauthenticated => Error::WrongCredentials(refused(principal).into()),
        NotTold::Fault(fault) => Error::Upstream(fault.to_string()),
    }
}

/// Lets only owners of this MLflow pass.
///
/// # Errors
/// 403 for everybody else, and as [`who`].
pub async fn owner(state: &State, principal: &Principal) -> Result<Who> {
    let who = who(state, principal).await?;
    if !who.is_admin {
        return Err(not_an_owner());
    }
    Ok(who)
}

/// Lets only owners pass, to look at what is here: MLflow said so at most a few seconds ago. Who changes anything is asked for at that
/// moment, by [`owner`].
///
/// # Errors
/// As [`owner`].
pub async fn reader(state: &State, principal: &Principal) -> Result<Who> {
    let known = known_user(principal).and_then(|user| Some((user, state.owners.known(user).filter(Known::is_good)?)));
    let Some((user, known)) = known else {
        return owner(state, principal).await;
    };
    // The password that was theirs is still in the vault.
    let authorization = authorization(state, principal).await?;
    if let Some(question) = state.owners.due(user) {
        let (state, user) = (state.clone(), user.to_owned());
        tokio::spawn(async move { answer(&state, &user, &authorization, question).await });
    }
    Ok(known.who)
}

/// The same, for what Flowdeck itself keeps: while MLflow does not answer, also who was an owner when it did, since this Flowdeck runs.
///
/// # Errors
/// As [`owner`].
pub async fn reader_without_mlflow(state: &State, principal: &Principal) -> Result<Who> {
    let known = known_user(principal).and_then(|user| state.owners.known(user));
    let asked = reader(state, principal);
    let Some(known) = known else { return asked.await };
    // The password that was theirs is still in the vault.
    authorization(state, principal).await?;
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Err(Error::Upstream(_))) | Err(_) => Ok(known.who),
        Ok(answer) => answer,
    }
}

/// Whom Flowdeck itself knows; of a name and a password only MLflow knows whether they are right.
fn known_user(principal: &Principal) -> Option<&str> {
    match principal {
        Principal::Session(session) => Some(&session.user),
        Principal::Key(key) => Some(&key.user),
        Principal::Anonymous | Principal::Basic(_) => None,
    }
}

async fn answer(state: &State, user: &str, authorization: &HeaderValue, question: Question) -> std::result::Result<Who, SignInError> {
    let answer = mlflow::who(&state.upstream, authorization).await;
    state.owners.learn(user, question, &answer);
    answer
}

fn unknown(principal: &Principal, error: SignInError) -> Error {
    match error {
        SignInError::WrongPassword => Error::WrongCredentials(refused(principal).into()),
        error => Error::Upstream(error.to_string()),
    }
}

pub fn not_an_owner() -> Error {
    Error::Forbidden(OWNERS_ONLY.into())
}
