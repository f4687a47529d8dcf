//! Signing in and out (standalone): MLflow checks the password, the vault keeps it, a session names the user.

use std::{net::IpAddr, time::Instant};

use app::{page::sign_in::SignIn, route::escape};
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    address::ClientAddress,
    audit::{Note, Way},
    clock,
    config::BasePath,
    error::{Error, Result},
    mlflow::{self, SignInError},
    page,
    principal::Principal,
    session::{self, PERSON, Person},
    state, vault,
};

const TITLE: &str = "Sign in · Flowdeck";
/// MLflow's own names are shorter.
const LONGEST_NAME: usize = 255;
const LONGEST_PASSWORD: usize = 4096;

/// Why the sign-in page is shown to somebody who did not ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The session is over, or MLflow no longer takes its password.
    Ended,
    /// Just signed out.
    Out,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
    why: Option<Why>,
    /// Of somebody who has just set a password.
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
pub struct Credentials {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    next: String,
}

/// Why a password does not show who somebody is.
#[derive(Debug)]
pub enum Unproved {
    /// Too many were wrong: so many seconds have to pass first.
    Wait(u64),
    Refused(SignInError),
}

/// Asks MLflow whether a password is a user's. Whoever guesses is slowed, the more the longer, whichever form asks.
///
/// # Errors
/// When it is not, or nobody can tell.
pub async fn prove(state: &state::State, address: IpAddr, name: &str, password: &str) -> std::result::Result<(), Unproved> {
    let sign_ins = &state.limits.sign_ins;
    if let Some(wait) = sign_ins.wait(address, name, Instant::now()) {
        return Err(Unproved::Wait(wait.as_secs() + 1));
    }
    sign_ins.tried(name, Instant::now());
    let question = state.owners.question();
    let checked = match password.len() {
        ..=LONGEST_PASSWORD => mlflow::check_password(&state.upstream, name, password).await,
        _ => Err(SignInError::WrongPassword),
    };
    match &checked {
        Ok(_) => {
            sign_ins.succeeded(name);
            state.owners.learn(name, question, &checked);
        }
        Err(SignInError::WrongPassword) => {
            sign_ins.failed(address, Instant::now());
            // Without the name: people type their password there.
            tracing::info!(%address, "a password was shown that is wrong, or of nobody");
        }
        Err(error) => {
            sign_ins.forgive(name);
            tracing::warn!("nobody can tell whether a password is right: {error}");
        }
    }
    checked.map(drop).map_err(Unproved::Refused)
}

/// The address of the sign-in page that leads on to `next`, a path below the base.
pub fn address(base: &BasePath, next: &str, why: Option<Why>) -> String {
    let why = match why {
        None => "",
        Some(Why::Ended) => "why=ended&",
        Some(Why::Out) => "why=out&",
    };
    base.join(&format!("/login?{why}next={}", escape(next)))
}

/// `next` where it is a path of this site, else the console's first page.
///
/// Browsers read `//host` and `/\host` as another site, and drop tabs and line ends before they look.
fn local(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next[1..].starts_with(['/', '\\'])
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic())
        // Nobody signs in to sign out.
        && !next.starts_with("/logout");
    if is_local { next } else { "/experiments" }
}

pub async fn show(State(state): State<state::State>, Extension(principal): Extension<Principal>, Query(asked): Query<Asked>) -> Response {
    if matches!(principal, Principal::Session(_)) && asked.why.is_none() {
        return Redirect::to(&state.config.listen.base_path.join(local(&asked.next))).into_response();
    }
    let notice = match asked.why {
        None => None,
        Some(Why::Ended) => Some(("Your session has ended. Sign in to go on where you were.", false)),
        Some(Why::Out) => Some(("You are signed out.", false)),
    };
    let name = if asked.name.len() > LONGEST_NAME { "" } else { &asked.name };
    form(
        &state,
        StatusCode::OK,
        name,
        &asked.next,
        notice.map(|(text, failed)| (text.to_owned(), failed)),
    )
}

pub async fn sign_in(
    State(state): State<state::State>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Extension(note): Extension<Note>,
    session::Current(session): session::Current,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response> {
    note.always();
    let Credentials { name, password, next } = credentials;
    // Each failure is remembered.
    if name.len() > LONGEST_NAME || password.len() > LONGEST_PASSWORD {
        let sentence = "That name or password is too long.".to_owned();
        return Ok(form(&state, StatusCode::BAD_REQUEST, "", &next, Some((sentence, true))));
    }
    let again = |status, sentence: String| Ok(form(&state, status, &name, &next, Some((sentence, true))));

    match prove(&state, address, &name, &password).await {
        Ok(()) => {}
        Err(Unproved::Wait(seconds)) => {
            let sentence = format!("Too many attempts. Try again in {seconds} s.");
            let mut response = form(&state, StatusCode::TOO_MANY_REQUESTS, &name, &next, Some((sentence, true)));
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            return Ok(response);
        }
        Err(Unproved::Refused(SignInError::WrongPassword)) => {
            return again(
                StatusCode::UNAUTHORIZED,
                "That user name and password do not match. Try again, or ask the owner of this MLflow for a new password.".into(),
            );
        }
        Err(Unproved::Refused(error @ SignInError::Unusable(_))) => return again(StatusCode::BAD_REQUEST, error.to_string()),
        Err(Unproved::Refused(error @ SignInError::Unreachable)) => return again(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        Err(Unproved::Refused(error)) => return again(StatusCode::BAD_GATEWAY, error.to_string()),
    }
    // A password that was changed elsewhere was changed for a reason: whoever knew the old one may be in another session.
    let known = state.vault.authorization(&name).await?;
    if known.is_some() && known != vault::basic(&name, password.as_bytes()) {
        state.db.end_sessions(&name).await?;
    }
    state.vault.put(&name, password.as_bytes()).await?;

    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let user_agent = text(header::USER_AGENT).chars().take(300).collect();
    let person = Person {
        user: name.clone(),
        user_agent,
        address: address.to_string(),
        signed_in_at: clock::now(),
    };
    // A new ticket, so that one planted before the sign-in is worth nothing.
    session.clear().await;
    session.cycle_id().await.map_err(anyhow::Error::from)?;
    session.insert(PERSON, person).await.map_err(anyhow::Error::from)?;
    note.caller(Way::Session, Some(&name), None);
    tracing::info!(user = name, %address, "signed in");
    Ok(Redirect::to(&state.config.listen.base_path.join(local(&next))).into_response())
}

pub async fn sign_out(State(state): State<state::State>, session::Current(session): session::Current) -> Result<Response> {
    session.flush().await.map_err(|error| {
        tracing::error!("cannot end a session: {error}");
        Error::Unavailable("your session could not be ended; try again".into())
    })?;
    let mut response = Redirect::to(&state.config.listen.base_path.join("/login?why=out")).into_response();
    // Chromium keeps whole pages for its back button, and drops them when a cookie like ours changes; but it forgets the first change
    // that follows a sign-in. So the cookie is emptied here, and then taken away with its session.
    if let Ok(emptied) = session::emptied_cookie(&state.config.listen).parse() {
        response.headers_mut().append(header::SET_COOKIE, emptied);
    }
    Ok(response)
}

fn form(state: &state::State, status: StatusCode, name: &str, next: &str, notice: Option<(String, bool)>) -> Response {
    let (name, next) = (name.to_owned(), local(next).to_owned());
    page::plain(state, status, TITLE, move |nonce| {
        SignIn {
            name,
            next,
            notice,
            nonce: nonce.to_owned(),
        }
        .view()
    })
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn next_leads_to_this_site_only() {
        for good in ["/experiments", "/experiments/1/runs/abc?tab=artifacts&path=a%2Fb", "/"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "experiments",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "javascript:alert(1)",
            " //evil.example",
            "/a\\b",
            "/é",
            "/logout",
        ] {
            assert_eq!(local(bad), "/experiments", "{bad:?}");
        }
    }
}
