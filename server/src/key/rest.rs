//! `/api/flowdeck/v1/keys`: making, listing, changing, rotating and revoking API keys. Times are ms since 1970.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{Key, Settings, token::Token};
use crate::{
    caller, clock,
    error::{Error, Result},
    extract,
    mlflow::{self, SignInError},
    principal::Principal,
    proxy::table::Family,
    scope::{Scope, Scopes},
    state,
};

/// Of one user.
const MOST_LIVE: usize = 100;
const LONGEST_NAME: usize = 100;
const MOST_RESOURCES: usize = 1000;
const MOST_NETWORKS: usize = 100;
const HIGHEST_RATE: f64 = 100_000.0;
/// One call in a day.
const LOWEST_RATE: f64 = 1.0 / 86_400.0;
const HIGHEST_BURST: u32 = 1_000_000;
const LONGEST_GRACE: u64 = 30 * 24 * 3600;
const GRACE: u64 = 3600;

/// The body of create and change. What is left out stays as it is; `null` takes a limit away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyWanted)]
pub struct Wanted {
    /// Needed to make a key.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[schema(value_type = Option<Vec<Scope>>)]
    scopes: Option<Scopes>,
    families: Option<BTreeSet<Family>>,
    /// Experiment ids.
    experiments: Option<BTreeSet<String>>,
    /// Names of registered models.
    models: Option<BTreeSet<String>>,
    /// `10.0.0.0/8`, `2001:db8::/32`, or single addresses.
    allowed_networks: Option<Vec<String>>,
    #[serde(default, deserialize_with = "extract::given")]
    #[schema(value_type = Option<f64>)]
    rate_per_second: Option<Option<f64>>,
    #[serde(default, deserialize_with = "extract::given")]
    #[schema(value_type = Option<u32>)]
    burst: Option<Option<u32>>,
    /// Ms since 1970.
    #[serde(default, deserialize_with = "extract::given")]
    #[schema(value_type = Option<i64>)]
    expires_at: Option<Option<i64>>,
    shadow: Option<bool>,
    /// Whose key it is to be; only owners name somebody else.
    user: Option<String>,
    /// `active` or `disabled`, to change a key.
    state: Option<super::State>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Everybody's, for owners.
    #[serde(default)]
    all: bool,
    /// One user's; somebody else's for owners.
    user: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// Oneself; somebody else for owners.
    user: String,
}

#[derive(Serialize, ToSchema)]
pub struct Revoked {
    /// How many keys ended.
    revoked: usize,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// So long the old text still works; an hour where nothing is said.
    #[serde(default = "Rotation::grace")]
    #[schema(maximum = 2_592_000)]
    grace_seconds: u64,
}

/// A key as it is told.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub struct Told<'a> {
    id: &'a str,
    user: &'a str,
    start: &'a str,
    #[serde(flatten)]
    settings: &'a Settings,
    /// `active`, `disabled`, `revoked` or `expired`.
    #[schema(value_type = String)]
    state: serde_json::Value,
    created_at: i64,
    created_by: &'a str,
    rotated_at: Option<i64>,
    previous_until: Option<i64>,
    last_used_at: Option<i64>,
    last_used_address: Option<String>,
    would_refuse: i64,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

#[derive(Serialize, ToSchema)]
pub struct Keys<'a> {
    keys: Vec<Told<'a>>,
}

/// `GET /api/flowdeck/v1/keys` → `{"keys":[…]}`, newest first
#[utoipa::path(get, path = "/keys", tag = "API keys", params(Asked), responses((status = 200, body = Keys<'_>)))]
pub async fn list(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Query(asked): extract::Query<Asked>,
) -> Result<Response> {
    let own = caller::name(&state, &principal).await?;
    let keys = match asked {
        Asked { all: true, .. } => {
            caller::reader_without_mlflow(&state, &principal).await?;
            state.keys.list(|_| true)
        }
        Asked { user: Some(user), .. } if user != own => {
            caller::reader_without_mlflow(&state, &principal).await?;
            state.keys.list(|key| key.user == user)
        }
        Asked { .. } => state.keys.list(|key| key.user == own),
    };
    let now = clock::now();
    let keys = keys.iter().map(|key| Told::of(key, now, None)).collect();
    Ok(Json(Keys { keys }).into_response())
}

/// `POST /api/flowdeck/v1/keys` → 201 and the key with its text, which is told this once
#[utoipa::path(post, path = "/keys", tag = "API keys", request_body = Wanted, responses((status = 201, body = Told<'_>)))]
pub async fn create(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Json(wanted): extract::Json<Wanted>,
) -> Result<Response> {
    state.audit.can_write()?;
    // MLflow is asked, so that a key never stands for a password that is wrong already.
    let who = caller::who(&state, &principal).await?;
    if wanted.state.is_some() {
        return Err(Error::BadRequest("`state`: a new key is active".into()));
    }
    let user = wanted.user.clone().unwrap_or_else(|| who.user.clone());
    let settings = wanted.applied(None)?;
    within(&principal, &settings)?;
    if user != who.user {
        if !who.is_admin {
            return Err(Error::Forbidden("only owners of this MLflow make keys for others".into()));
        }
        can_stand_for(&state, &user).await?;
    } else if let Principal::Basic(basic) = &principal
        && let Some(password) = basic.password()
    {
        state.vault.put(&user, &password).await?;
    }
    let now = clock::now();
    if state.keys.list(|key| key.user == user && key.is_live(now)).len() >= MOST_LIVE {
        return Err(Error::BadRequest(format!("{user} has {MOST_LIVE} keys already: revoke one first")));
    }
    let (key, token) = state.keys.create(&user, &who.user, settings).await?;
    tracing::info!(user, by = who.user, key = key.id, "an API key was made");
    Ok((StatusCode::CREATED, Json(Told::of(&key, now, Some(&token)))).into_response())
}

/// `GET /api/flowdeck/v1/keys/{id}`
#[utoipa::path(get, path = "/keys/{id}", tag = "API keys", params(("id" = String, Path)), responses((status = 200, body = Told<'_>)))]
pub async fn get(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
) -> Result<Response> {
    let key = found(&state, &principal, &id).await?;
    Ok(Json(Told::of(&key, clock::now(), None)).into_response())
}

/// `PATCH /api/flowdeck/v1/keys/{id}`
#[utoipa::path(patch, path = "/keys/{id}", tag = "API keys", params(("id" = String, Path)), request_body = Wanted, responses((status = 200, body = Told<'_>)))]
pub async fn change(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
    extract::Json(wanted): extract::Json<Wanted>,
) -> Result<Response> {
    state.audit.can_write()?;
    let key = found(&state, &principal, &id).await?;
    within(&principal, &key.settings)?;
    if wanted.user.as_ref().is_some_and(|user| *user != key.user) {
        return Err(Error::BadRequest("`user`: a key keeps its user; make another one".into()));
    }
    if wanted.state == Some(super::State::Revoked) {
        return Err(Error::BadRequest("`state`: a key is revoked by DELETE".into()));
    }
    let changed = state.keys.change(&id, |key| {
        // What others have made of it since it was looked at stays.
        if key.state == super::State::Revoked {
            return Err(Error::BadRequest("this key was revoked: it stays as it is".into()));
        }
        key.state = wanted.state.unwrap_or(key.state);
        key.settings = wanted.applied(Some(&key.settings))?;
        within(&principal, &key.settings)
    });
    let key = changed.await?.ok_or_else(gone)?;
    Ok(Json(Told::of(&key, clock::now(), None)).into_response())
}

/// `DELETE /api/flowdeck/v1/keys/{id}`: revokes for good; the key stays in the list
#[utoipa::path(delete, path = "/keys/{id}", tag = "API keys", params(("id" = String, Path)), responses((status = 200, body = Told<'_>)))]
pub async fn revoke(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
) -> Result<Response> {
    state.audit.can_write()?;
    found(&state, &principal, &id).await?;
    let revoked = state.keys.change(&id, |key| {
        key.state = super::State::Revoked;
        Ok::<_, Error>(())
    });
    let key = revoked.await?.ok_or_else(gone)?;
    tracing::info!(user = key.user, by = principal.user(), key = key.id, "an API key was revoked");
    Ok(Json(Told::of(&key, clock::now(), None)).into_response())
}

/// `DELETE /api/flowdeck/v1/keys?user=` → `{"revoked":number}`: revokes all keys of one user for good
#[utoipa::path(delete, path = "/keys", tag = "API keys", params(Whose), responses((status = 200, body = Revoked)))]
pub async fn revoke_all(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Query(Whose { user }): extract::Query<Whose>,
) -> Result<Response> {
    state.audit.can_write()?;
    let own = caller::name(&state, &principal).await?;
    if user != own {
        caller::owner(&state, &principal).await?;
    }
    let revoked = state.keys.revoke_all(&user).await?;
    tracing::info!(user, by = own, revoked, "all API keys of a user were revoked");
    Ok(Json(Revoked { revoked }).into_response())
}

/// `POST /api/flowdeck/v1/keys/{id}/rotate` → the key with a new text; the old one works for `grace_seconds` more
#[utoipa::path(post, path = "/keys/{id}/rotate", tag = "API keys", params(("id" = String, Path)), request_body = Option<Rotation>, responses((status = 200, body = Told<'_>)))]
pub async fn rotate(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
    extract::Body(body): extract::Body,
) -> Result<Response> {
    state.audit.can_write()?;
    let rotation = match &*body {
        b"" => Rotation { grace_seconds: GRACE },
        body => serde_json::from_slice(body).map_err(|error| Error::BadRequest(error.to_string()))?,
    };
    let grace = rotation.grace_seconds;
    if grace > LONGEST_GRACE {
        return Err(Error::BadRequest(format!("`grace_seconds`: at most {LONGEST_GRACE}")));
    }
    let key = found(&state, &principal, &id).await?;
    within(&principal, &key.settings)?;
    if key.state == super::State::Revoked {
        return Err(Error::BadRequest("this key was revoked: make a new one".into()));
    }
    // A second new secret would end the first one, and with it the grace of the old one.
    let meanwhile = || Error::Conflict("this key was rotated or revoked at the same moment: look at it again".into());
    let rotated = state.keys.rotate(&key, Duration::from_secs(grace)).await?;
    let (key, token) = rotated.ok_or_else(meanwhile)?;
    Ok(Json(Told::of(&key, clock::now(), Some(&token))).into_response())
}

/// The caller's own key, or anybody's for owners. Others' keys are not there.
async fn found(state: &state::State, principal: &Principal, id: &str) -> Result<Arc<Key>> {
    let own = caller::name(state, principal).await?;
    let key = state.keys.get(id).ok_or_else(gone)?;
    if key.user != own {
        caller::owner(state, principal).await.map_err(|error| match error {
            Error::Forbidden(_) => gone(),
            error => error,
        })?;
    }
    Ok(key)
}

fn gone() -> Error {
    Error::NotFound("there is no such API key".into())
}

/// A key makes no key that goes further than itself, and touches none that does.
fn within(principal: &Principal, settings: &Settings) -> Result<()> {
    let Principal::Key(key) = principal else { return Ok(()) };
    let own = &key.settings;
    let in_time = own.expires_at.is_none_or(|end| settings.expires_at.is_some_and(|at| at <= end));
    let in_networks = own.allowed_networks.is_empty()
        || (!settings.allowed_networks.is_empty()
            && settings
                .allowed_networks
                .iter()
                .all(|network| own.allowed_networks.iter().any(|own| own.contains(network))));
    let in_rate = own
        .rate_per_second
        .is_none_or(|most| settings.rate_per_second.is_some_and(|rate| rate <= most))
        && own.burst.is_none_or(|most| settings.burst.is_some_and(|burst| burst <= most));
    if settings.scopes.is_within(own.scopes) && in_time && in_networks && in_rate && (!settings.shadow || own.shadow) {
        return Ok(());
    }
    Err(Error::Forbidden(
        "an API key cannot make or change a key that goes further than itself: sign in to do this".into(),
    ))
}

/// Whether the vault has what MLflow needs to hear from `user`.
async fn can_stand_for(state: &state::State, user: &str) -> Result<()> {
    let never = || {
        Error::BadRequest(format!(
            "`user`: Flowdeck does not know the MLflow password of {user}: let them sign in once, or make a service account"
        ))
    };
    let authorization = state.vault.authorization(user).await?.ok_or_else(never)?;
    match mlflow::who(&state.upstream, &authorization).await {
        Ok(_) => Ok(()),
        Err(SignInError::WrongPassword) => Err(never()),
        Err(error) => Err(Error::Upstream(error.to_string())),
    }
}

// === impl Wanted ===

impl Wanted {
    fn applied(self, old: Option<&Settings>) -> Result<Settings> {
        let bad = |field: &str, sentence: &str| Err(Error::BadRequest(format!("`{field}`: {sentence}")));
        let mut settings = old.cloned().unwrap_or_else(|| Settings {
            name: String::new(),
            scopes: Scopes::from_iter([Scope::Read, Scope::Write]),
            families: BTreeSet::new(),
            experiments: BTreeSet::new(),
            models: BTreeSet::new(),
            allowed_networks: Vec::new(),
            rate_per_second: None,
            burst: None,
            expires_at: None,
            shadow: false,
        });
        if let Some(name) = self.name {
            settings.name = name.trim().to_owned();
        }
        if settings.name.is_empty() || settings.name.chars().count() > LONGEST_NAME || settings.name.chars().any(char::is_control) {
            return bad("name", "a key needs a name of 1 to 100 letters, to know it by");
        }
        settings.scopes = self.scopes.unwrap_or(settings.scopes);
        if settings.scopes.is_empty() {
            return bad("scopes", "at least one of `read`, `write`, `admin`");
        }
        settings.families = self.families.unwrap_or(settings.families);
        if let Some(experiments) = self.experiments {
            let good = |id: &String| (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
            if experiments.len() > MOST_RESOURCES || !experiments.iter().all(good) {
                return bad("experiments", "a list of at most 1000 experiment ids");
            }
            settings.experiments = experiments;
        }
        if let Some(models) = self.models {
            if models.len() > MOST_RESOURCES || !models.iter().all(|name| (1..=256).contains(&name.len())) {
                return bad("models", "a list of at most 1000 names of registered models");
            }
            settings.models = models;
        }
        if let Some(networks) = self.allowed_networks {
            if networks.len() > MOST_NETWORKS {
                return bad("allowed_networks", "at most 100 networks");
            }
            let parsed: Option<Vec<_>> = networks.iter().map(|text| network(text.trim())).collect();
            let Some(parsed) = parsed else {
                return bad(
                    "allowed_networks",
                    "networks such as 10.0.0.0/8 or 2001:db8::/32, or single addresses",
                );
            };
            settings.allowed_networks = parsed;
        }
        settings.rate_per_second = self.rate_per_second.unwrap_or(settings.rate_per_second);
        if settings
            .rate_per_second
            .is_some_and(|rate| !(LOWEST_RATE..=HIGHEST_RATE).contains(&rate))
        {
            return bad(
                "rate_per_second",
                "between one call in a day (0.0000116) and 100000 calls in a second",
            );
        }
        settings.burst = self.burst.unwrap_or(settings.burst);
        if settings.burst.is_some_and(|burst| !(1..=HIGHEST_BURST).contains(&burst)) {
            return bad("burst", "between 1 and 1000000 calls");
        }
        if let Some(expires_at) = self.expires_at {
            // Ms since 1970; a time in seconds would be in 1970, and is a slip.
            if expires_at.is_some_and(|at| at <= clock::now()) {
                return bad("expires_at", "a time to come, in milliseconds since 1970, or null");
            }
            settings.expires_at = expires_at;
        }
        settings.shadow = self.shadow.unwrap_or(settings.shadow);
        Ok(settings)
    }
}

fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address));
    let network = text.parse::<IpNet>().ok().or_else(address)?.trunc();
    // Callers are known by their IPv4 address, also where it is written as an IPv6 one (RFC 4291, 2.5.5.2).
    Some(match network {
        IpNet::V6(six) if six.prefix_len() >= 96 => {
            let four = six.addr().to_ipv4_mapped();
            let four = four.and_then(|four| Ipv4Net::new(four, six.prefix_len() - 96).ok());
            four.map_or(network, IpNet::V4)
        }
        network => network,
    })
}

// === impl Rotation ===

impl Rotation {
    fn grace() -> u64 {
        GRACE
    }
}

// === impl Told ===

impl<'a> Told<'a> {
    fn of(key: &'a Key, now: i64, token: Option<&'a Token>) -> Self {
        let last = key.usage.last();
        Self {
            id: &key.id,
            user: &key.user,
            start: &key.start,
            settings: &key.settings,
            state: if key.state != super::State::Revoked && key.is_expired(now) {
                "expired".into()
            } else {
                json!(key.state)
            },
            created_at: key.created_at,
            created_by: &key.created_by,
            rotated_at: key.rotated_at,
            previous_until: key.previous_until.filter(|until| *until > now),
            last_used_at: last.map(|(at, _)| at),
            last_used_address: last.map(|(_, address)| address.to_string()),
            would_refuse: key.usage.would_refuse(),
            key: token.map(Token::expose),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_network_is_what_callers_are_known_by() {
        for (text, told) in [
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("2001:db8::1/32", Some("2001:db8::/32")),
            ("::ffff:192.0.2.7", Some("192.0.2.7/32")),
            ("::ffff:10.1.2.3/104", Some("10.0.0.0/8")),
            ("::/0", Some("::/0")),
            ("10.0.0.0/99", None),
            ("here", None),
        ] {
            assert_eq!(network(text).map(|known| known.to_string()).as_deref(), told, "{text}");
        }
        assert!(network("").is_none());
    }
}
