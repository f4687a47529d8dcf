//! One-time links by which people set their passwords. The database knows the hash of a link's token; what MLflow takes as the password
//! until then is sealed with a key that only the token gives.

use app::api::flowdeck::{
    change::{Account, Edit},
    invite::{InviteRedeem, InviteToken, Invited, Link, Redeemed},
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{Rng as _, distr::Alphanumeric};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{change::rest::request_id, journal};
use crate::{
    address::ClientAddress,
    audit::Note,
    clock,
    db::user::Invite,
    error::{Error, Result},
    extract,
    mlflow::{self, PasswordError},
    seal::Key,
    state,
    whole::whole,
};

const HOUR: i64 = 3_600_000;
const START: &str = "fdi_";
const SHORTEST: usize = 12;
const LONGEST: usize = 1024;
/// Of a password that nobody knows.
const UNKNOWN: usize = 48;

/// What a link carries.
struct Token(Zeroizing<[u8; 32]>);

// === impl Token ===

impl Token {
    fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim().strip_prefix(START)?).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{START}{}", URL_SAFE_NO_PAD.encode(self.0.as_slice())))
    }

    fn hash(&self) -> Vec<u8> {
        let hash = Sha256::new().chain_update(b"flowdeck invite").chain_update(self.0.as_slice());
        hash.finalize().to_vec()
    }

    fn key(&self) -> Key {
        Key::derive(self.0.as_slice(), "flowdeck invite password")
    }
}

/// A password that nobody knows.
pub fn unknown_password() -> Zeroizing<String> {
    Zeroizing::new(rand::rng().sample_iter(Alphanumeric).take(UNKNOWN).map(char::from).collect())
}

/// A link for `user`, who has `password` in MLflow until it is used. One that was made before is worth nothing then.
///
/// # Errors
/// When the database cannot be written.
pub async fn make(state: &state::State, headers: &HeaderMap, user: &str, password: &str, by: &str, is_new: bool) -> Result<Link> {
    let (token, now) = (Token::generate(), clock::now());
    let expires_at = now + state.settings.invite_hours() * HOUR;
    let invite = Invite {
        hash: token.hash(),
        user: user.to_owned(),
        sealed: token.key().seal(user.as_bytes(), password.as_bytes()),
        made_by: by.to_owned(),
        made_at: now,
        expires_at,
        is_new,
    };
    state.db.put_invite(&invite).await?;
    let listen = &state.config.listen;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let origin = listen.public_origin.clone().unwrap_or_else(|| format!("http://{host}"));
    // Behind the `#` nothing goes over the network, nor into anybody's log.
    let href = format!("{origin}{}#{}", listen.base_path.join("/welcome"), *token.text());
    Ok(Link { href, expires_at })
}

/// `POST /api/flowdeck/v1/invites/look` → whose link it is; for who has one, without signing in
#[utoipa::path(post, path = "/invites/look", tag = "Users", request_body = InviteToken, responses((status = 200, body = Invited)), security(()))]
pub async fn look(
    State(state): State<state::State>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Extension(note): Extension<Note>,
    extract::Body(body): extract::Body,
) -> Result<Json<Invited>> {
    note.changes(false);
    state.limits.may_try(address)?;
    let token = read::<InviteToken>(&body).and_then(|body| Token::parse(&body.token));
    let (invite, _) = found(&state, address, token).await?;
    Ok(Json(Invited {
        user: invite.user,
        expires_at: invite.expires_at,
        new: invite.is_new,
    }))
}

/// `POST /api/flowdeck/v1/invites/redeem` → whose password was set; the link is used up then
#[utoipa::path(post, path = "/invites/redeem", tag = "Users", request_body = InviteRedeem, responses((status = 200, body = Redeemed)), security(()))]
pub async fn redeem(
    State(state): State<state::State>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Extension(note): Extension<Note>,
    headers: HeaderMap,
    extract::Body(body): extract::Body,
) -> Result<Json<Redeemed>> {
    note.always();
    state.audit.can_write()?;
    state.limits.may_try(address)?;
    let body = read::<InviteRedeem>(&body);
    let token = body.as_ref().and_then(|body| Token::parse(&body.token));
    let (invite, token) = found(&state, address, token).await?;
    let password = Zeroizing::new(body.map(|body| body.password).unwrap_or_default());
    if password.chars().count() < SHORTEST || password.len() > LONGEST || !password.is_ascii() {
        return Err(Error::BadRequest("`password`: at least 12 ASCII letters, digits and signs".into()));
    }
    whole(async move { set(&state, invite, &token, &password, request_id(&headers)).await }).await
}

/// Uses a link up. Of two who do so at the same moment, one learns that it was used.
async fn set(
    state: &state::State,
    invite: Invite,
    token: &Token,
    password: &Zeroizing<String>,
    request_id: String,
) -> Result<Json<Redeemed>> {
    let _one = state.index.change().await;
    if state.db.invite(&invite.hash).await?.is_none() {
        return Err(stale());
    }
    let current = token.key().open(invite.user.as_bytes(), &invite.sealed).ok();
    let current = current.and_then(|current| String::from_utf8(current.to_vec()).ok().map(Zeroizing::new));
    let current = current.ok_or_else(stale)?;
    match mlflow::change_password(&state.upstream, &invite.user, &current, password).await {
        Ok(()) => {}
        Err(PasswordError::WrongPassword) => {
            // Somebody has set another one past Flowdeck.
            state.db.take_invite(&invite.hash).await?;
            return Err(stale());
        }
        Err(PasswordError::Same) => return Err(Error::BadRequest("`password`: choose another one".into())),
        Err(PasswordError::Failed(error)) => return Err(Error::Upstream(error)),
    }
    state.db.take_invite(&invite.hash).await?;
    // API keys that stand for this user work again.
    state.vault.put(&invite.user, password.as_bytes()).await?;
    let account = Some(Account {
        active: true,
        service: false,
    });
    let edit = Edit::Account {
        user: invite.user.clone(),
        was: account,
        will: account,
    };
    journal::note_account(state, &invite.user, request_id, "Set their password by a link", vec![edit]).await?;
    Ok(Json(Redeemed { user: invite.user }))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

/// The link of a token; each that is not there is a guess of its address.
async fn found(state: &state::State, address: std::net::IpAddr, token: Option<Token>) -> Result<(Invite, Token)> {
    if let Some(token) = token
        && let Some(invite) = state.db.invite(&token.hash()).await?
        && invite.expires_at > clock::now()
    {
        return Ok((invite, token));
    }
    state.limits.guessed(address, None);
    Err(stale())
}

fn stale() -> Error {
    let sentence = "this link was used, has expired, or is not whole: ask the owner of this MLflow for a new one";
    Error::Unauthenticated(sentence.into())
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn a_token_is_known_by_its_text() {
        let token = Token::generate();
        let again = Token::parse(&token.text()).unwrap();
        assert_eq!(token.hash(), again.hash());
        for bad in ["", "fdi_", "fdi_abc", &token.text()[4..]] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
