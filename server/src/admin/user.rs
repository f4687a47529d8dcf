//! `/api/flowdeck/v1/users`: listing, making, resetting, deactivating and deleting MLflow's users, and their sessions. For owners.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use app::api::flowdeck::{
    change::{Account, Edit},
    grant::{Grant, Level, Target},
    user::{Belongings, SessionsEnded, UserDetail, UserMade, UserPage, UserRole, UserRow, UserSession, UserSessions, UserWish},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;
use zeroize::Zeroizing;

use super::{
    change::rest::{owner, request_id},
    index, invite,
    journal::{self, Author, Wanted},
    world::{Grants, Sheet, User, World},
};
use crate::{
    caller, clock,
    db::{self, user::Inactive},
    error::{Error, Result},
    extract, key,
    mlflow::{
        self, UserError,
        roster::{self, NotDone},
    },
    principal::Principal,
    session::Store,
    state,
};

const PAGE: usize = 50;
const LONGEST_PAGE: usize = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// A part of the name, in any case.
    #[serde(default)]
    q: String,
    /// Who has this role.
    role: Option<String>,
    /// Who is in this group.
    group: Option<String>,
    /// `admin`, `person` or `service`.
    kind: Option<String>,
    /// `active`, `inactive` or `invited`.
    state: Option<String>,
    /// `name`, `last_seen`, `sessions`, `keys`, `roles` or `grants`; with `-` in front the other way round.
    sort: Option<String>,
    #[serde(default)]
    offset: usize,
    /// 50 where nothing is said, at most 200.
    limit: Option<usize>,
}

/// What Flowdeck knows of all users, beside the world.
struct Known {
    sessions: HashMap<String, (usize, i64)>,
    keys: HashMap<String, (usize, Option<i64>)>,
    invited: HashSet<String>,
}

/// `GET /api/flowdeck/v1/users` → a page of users, and how many there are
#[utoipa::path(get, path = "/users", tag = "Users", params(Asked), responses((status = 200, body = UserPage)))]
pub async fn list(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Query(asked): extract::Query<Asked>,
) -> Result<Json<UserPage>> {
    caller::owner(&state, &principal).await?;
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Error::BadRequest("`limit`: 1 to 200".into()));
    }
    let world = state.index.world(&state, &principal).await?;
    let known = Known::read(&state).await?;
    let q = asked.q.trim().to_lowercase();
    let is_asked = |name: &str, user: &User| {
        let kind = match asked.kind.as_deref() {
            None | Some("") => true,
            Some("admin") => user.admin,
            Some("service") => user.service,
            Some("person") => !user.service,
            Some(_) => false,
        };
        let now = match asked.state.as_deref() {
            None | Some("") => true,
            Some("active") => user.active,
            Some("inactive") => !user.active,
            Some("invited") => known.invited.contains(name),
            Some(_) => false,
        };
        let role = asked.role.as_ref().is_none_or(|role| user.roles.contains(role));
        let group = |group: &String| world.groups.get(group).is_some_and(|group| group.members.contains(name));
        kind && now && role && asked.group.as_ref().is_none_or(group) && (q.is_empty() || name.to_lowercase().contains(&q))
    };
    let found = world.users.iter().filter(|(name, user)| is_asked(name, user));
    let mut users: Vec<UserRow> = found.map(|(name, user)| known.row(name, user)).collect();
    let total = users.len();
    sort(&state, asked.sort.as_deref().unwrap_or_default(), &mut users).await?;
    let mut users: Vec<UserRow> = users.into_iter().skip(asked.offset).take(limit).collect();
    see(&state, &mut users).await?;
    Ok(Json(UserPage {
        users,
        total,
        all: world.users.len(),
        read_at: world.read_at,
    }))
}

async fn sort(state: &state::State, by: &str, users: &mut [UserRow]) -> Result<()> {
    let (by, reversed) = by.strip_prefix('-').map_or((by, false), |by| (by, true));
    match by {
        // As they come.
        "" | "name" => {}
        "last_seen" => {
            let seen = state.audit.roughly_last_seen().await?;
            users.sort_by_cached_key(|user| seen.get(&user.name).copied().max(user.last_seen));
        }
        "sessions" => users.sort_by_key(|user| user.sessions),
        "keys" => users.sort_by_key(|user| user.keys),
        "roles" => users.sort_by_key(|user| user.roles.len()),
        "grants" => users.sort_by_key(|user| user.grants),
        _ => {
            let sentence = "`sort`: `name`, `last_seen`, `sessions`, `keys`, `roles` or `grants`, perhaps with a `-` in front";
            return Err(Error::BadRequest(sentence.into()));
        }
    }
    if reversed {
        users.reverse();
    }
    Ok(())
}

/// When each of them was here last, also by HTTP Basic.
async fn see(state: &state::State, users: &mut [UserRow]) -> Result<()> {
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    let seen = state.audit.last_seen(&names).await?;
    for user in users {
        user.last_seen = user.last_seen.max(seen.get(&user.name).copied());
    }
    Ok(())
}

// === impl Known ===

impl Known {
    async fn read(state: &state::State) -> Result<Self> {
        let now = clock::now();
        let store = Store::new(state.db.clone(), state.config.session.clone());
        let sessions = state.db.sessions_by_user(now, store.idle_since(now)).await?;
        let mut keys: HashMap<String, (usize, Option<i64>)> = HashMap::new();
        for key in state.keys.list(|_| true) {
            let (live, last) = keys.entry(key.user.clone()).or_default();
            *live += usize::from(key.is_live(now));
            *last = (*last).max(key.usage.last().map(|(at, _)| at));
        }
        Ok(Self {
            sessions: sessions
                .into_iter()
                .map(|(user, count, last)| (user, (count as usize, last)))
                .collect(),
            keys,
            invited: state.db.invited(now).await?.into_iter().collect(),
        })
    }

    fn row(&self, name: &str, user: &User) -> UserRow {
        let session = self.sessions.get(name);
        let (keys, key_used) = self.keys.get(name).copied().unwrap_or_default();
        UserRow {
            name: name.to_owned(),
            admin: user.admin,
            service: user.service,
            active: user.active,
            invited: self.invited.contains(name),
            last_seen: session.map(|(_, last)| *last).max(key_used),
            sessions: session.map_or(0, |(count, _)| *count),
            keys,
            roles: user.roles.iter().cloned().collect(),
            grants: user.grants.len(),
        }
    }
}

/// `POST /api/flowdeck/v1/users` → 201 and the one-time link by which the person sets the password
#[utoipa::path(post, path = "/users", tag = "Users", request_body = UserWish, responses((status = 201, body = UserMade)))]
pub async fn create(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    extract::Json(wish): extract::Json<UserWish>,
) -> Result<Response> {
    state.audit.can_write()?;
    let author = owner(&state, &principal).await?;
    let name = wish.name.trim();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    if !(1..=100).contains(&name.len()) || !name.bytes().all(good) || matches!(name, "." | "..") {
        return Err(Error::BadRequest("`name`: 1 to 100 ASCII letters, digits, and - _ . @".into()));
    }
    let password = invite::unknown_password();
    let made = mlflow::create_user(&state.upstream, &author.authorization, name, &password).await;
    made.map_err(|error| match error {
        UserError::Taken => Error::BadRequest("`name`: there is a user of that name already".into()),
        UserError::Refused => Error::Forbidden(error.to_string()),
        error => Error::Upstream(error.to_string()),
    })?;
    let by = author.who.user.clone();
    let finished = finish(&state, &author, &headers, name, &password, &wish).await;
    let link = match finished {
        Ok(link) => link,
        Err(error) => {
            // Half a user is none.
            let deleted = mlflow::delete_user(&state.upstream, &author.authorization, name).await;
            if let Err(left) = deleted {
                tracing::error!(name, "a user who was not finished could not be deleted again: {left}");
            }
            state.vault.forget(name).await?;
            state.db.forget_user(name).await?;
            state.index.touch();
            return Err(error);
        }
    };
    let account = Account {
        active: true,
        service: wish.service,
    };
    let edit = Edit::Account {
        user: name.to_owned(),
        was: None,
        will: Some(account),
    };
    journal::note_account(&state, &by, request_id(&headers), "", edit).await?;
    tracing::info!(name, by, "a user was made");
    let made = UserMade {
        name: name.to_owned(),
        link,
    };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// What makes a new user more than a name.
async fn finish(
    state: &state::State,
    author: &Author,
    headers: &HeaderMap,
    name: &str,
    password: &Zeroizing<String>,
    wish: &UserWish,
) -> Result<Option<app::api::flowdeck::invite::Link>> {
    let mut edits = Vec::new();
    for role in wish.roles.iter().collect::<BTreeSet<_>>() {
        edits.push(Edit::Member {
            role: role.clone(),
            user: name.to_owned(),
            was: false,
            will: true,
            group: None,
        });
    }
    if wish.admin {
        edits.push(Edit::Admin {
            user: name.to_owned(),
            was: false,
            will: true,
        });
    }
    if !edits.is_empty() {
        let wanted = Wanted {
            edits,
            whole: true,
            reason: format!("For {name}, who is new"),
            request_id: request_id(headers),
            undoes: None,
        };
        journal::apply(state, author.clone(), wanted).await?;
    }
    let service = wish.service;
    state.index.amend(|world| {
        let user = world.users.entry(name.to_owned()).or_default();
        let user = Arc::make_mut(user);
        user.active = true;
        user.service = service;
    });
    if !wish.service {
        return invite::make(state, headers, name, password, &author.who.user, true).await.map(Some);
    }
    state.vault.put(name, password.as_bytes()).await?;
    let account = db::key::Account {
        name: name.to_owned(),
        created_at: clock::now(),
        created_by: author.who.user.clone(),
    };
    state.db.put_service_account(&account).await?;
    Ok(None)
}

/// `GET /api/flowdeck/v1/users/{name}` → a user with grants, roles and groups
#[utoipa::path(get, path = "/users/{name}", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserDetail)))]
pub async fn get(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Json<UserDetail>> {
    caller::owner(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    let user = world.users.get(&name).ok_or_else(gone)?;
    let mut row = [Known::read(&state).await?.row(&name, user)];
    see(&state, &mut row).await?;
    let [row] = row;
    let roles = user.roles.iter().map(|role| UserRole {
        role: role.clone(),
        groups: world.groups_giving(&name, role).map(str::to_owned).collect(),
        grants: world.roles.get(role).map_or(0, |role| role.grants.len()),
    });
    Ok(Json(UserDetail {
        user: row,
        grants: grants(&world, &user.grants),
        roles: roles.collect(),
        groups: world.groups_of(&name).map(str::to_owned).collect(),
        last_admin: world.is_last_admin(&name),
        default: world.default_level(),
        read_at: world.read_at,
    }))
}

/// Grants with the names of what they are on.
pub fn grants(world: &World, grants: &Grants) -> Vec<Grant> {
    let grant = |(on, entry): (&Target, &super::world::Entry)| Grant {
        on: on.clone(),
        name: world.things.name(on).map(str::to_owned),
        level: entry.level,
    };
    grants.iter().map(grant).collect()
}

/// `GET /api/flowdeck/v1/users/{name}/belongings` → what a user would leave behind
#[utoipa::path(get, path = "/users/{name}/belongings", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = Belongings)))]
pub async fn belongings(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Json<Belongings>> {
    caller::owner(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    what_they_have(&state, &world, &name).await.map(Json)
}

async fn what_they_have(state: &state::State, world: &Arc<World>, name: &str) -> Result<Belongings> {
    let user = world.users.get(name).ok_or_else(gone)?;
    let all = grants(world, &user.grants);
    let manages: Vec<Grant> = all.into_iter().filter(|grant| grant.level == Level::Manage).collect();
    let (searched, managed, own) = (world.clone(), manages.clone(), name.to_owned());
    let alone = tokio::task::spawn_blocking(move || alone(&searched, &own, managed));
    let now = clock::now();
    let store = Store::new(state.db.clone(), state.config.session.clone());
    Ok(Belongings {
        alone: alone.await.map_err(anyhow::Error::from)?,
        manages,
        roles: user.roles.iter().cloned().collect(),
        groups: world.groups_of(name).map(str::to_owned).collect(),
        keys: state.keys.list(|key| key.user == name && key.is_live(now)).len(),
        sessions: store.of(name).await?.len(),
        views: state.db.count_views(name).await? as usize,
        rules: state.db.rules_of(name).await?,
    })
}

/// Of what a user manages, what nobody else does who is no administrator and can sign in.
fn alone(world: &World, name: &str, managed: Vec<Grant>) -> Vec<Grant> {
    let others = world
        .users
        .iter()
        .filter(|(other, user)| *other != name && user.active && !user.admin);
    let sheets: Vec<Sheet<'_>> = others.map(|(_, user)| world.sheet(user)).collect();
    let default = world.default_level();
    let is_alone = |grant: &Grant| !sheets.iter().any(|sheet| sheet.level(&grant.on, default) == Some(Level::Manage));
    managed.into_iter().filter(is_alone).collect()
}

/// `DELETE /api/flowdeck/v1/users/{name}` → what the user had; grants, sessions and own views go, keys are revoked
#[utoipa::path(delete, path = "/users/{name}", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = Belongings)))]
pub async fn delete(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Belongings>> {
    let (author, world) = spared(&state, &principal, &name).await?;
    let had = what_they_have(&state, &world, &name).await?;
    let was = world.users.get(&name).map(|user| account(user));
    match mlflow::delete_user(&state.upstream, &author.authorization, &name).await {
        Ok(()) | Err(UserError::Missing) => {}
        Err(UserError::Refused) => return Err(Error::Forbidden("MLflow does not allow it".into())),
        Err(error) => return Err(Error::Upstream(error.to_string())),
    }
    state.keys.revoke_all(&name).await?;
    state.vault.forget(&name).await?;
    state.db.forget_user(&name).await?;
    state.live.doubt(&name);
    state.index.amend(|world| {
        index::leave(world, &name);
    });
    let edit = Edit::Account {
        user: name.clone(),
        was,
        will: None,
    };
    journal::note_account(&state, &author.who.user, request_id(&headers), "", edit).await?;
    tracing::info!(name, by = author.who.user, "a user was deleted");
    Ok(Json(had))
}

/// An owner who is about to take somebody's sign-in away, and a world to look at first: it must not be the last administrator's, nor one's
/// own.
async fn spared(state: &state::State, principal: &Principal, name: &str) -> Result<(Author, Arc<World>)> {
    state.audit.can_write()?;
    let author = owner(state, principal).await?;
    let world = state.index.with_admins(state, &author.authorization, name).await;
    let world = world.map_err(|error| index::told(principal, &error))?;
    if !world.users.contains_key(name) {
        return Err(gone());
    }
    if world.is_last_admin(name) {
        let sentence = "this is the last administrator who can sign in: make somebody else one first";
        return Err(Error::Conflict(sentence.into()));
    }
    if name == author.who.user {
        return Err(Error::Conflict("this is yourself: let another administrator do it".into()));
    }
    Ok((author, world))
}

fn account(user: &User) -> Account {
    Account {
        active: user.active,
        service: user.service,
    }
}

/// `POST /api/flowdeck/v1/users/{name}/reset` → a one-time link that sets a new password; the old one and all sessions end at once
#[utoipa::path(post, path = "/users/{name}/reset", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserMade)))]
pub async fn reset(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<UserMade>> {
    state.audit.can_write()?;
    let author = owner(&state, &principal).await?;
    if name == author.who.user {
        let sentence = "this is yourself: change your password under Account";
        return Err(Error::Conflict(sentence.into()));
    }
    let world = state.index.world(&state, &principal).await?;
    let user = world.users.get(&name).ok_or_else(gone)?;
    if !user.active {
        return Err(Error::Conflict("this user is deactivated: reactivate them first".into()));
    }
    let link = new_password(&state, &author, &headers, &name, user.service).await?;
    state.db.end_sessions(&name).await?;
    state.live.doubt(&name);
    let account = Some(account(user));
    let edit = Edit::Account {
        user: name.clone(),
        was: account,
        will: account,
    };
    journal::note_account(&state, &author.who.user, request_id(&headers), "Reset the password", edit).await?;
    Ok(Json(UserMade { name, link }))
}

/// A password that nobody knows: a service account's lies in the vault, a person's is changed by a link.
async fn new_password(
    state: &state::State,
    author: &Author,
    headers: &HeaderMap,
    name: &str,
    service: bool,
) -> Result<Option<app::api::flowdeck::invite::Link>> {
    let password = invite::unknown_password();
    set_password(state, author, name, &password).await?;
    if service {
        state.vault.put(name, password.as_bytes()).await?;
        return Ok(None);
    }
    state.vault.forget(name).await?;
    invite::make(state, headers, name, &password, &author.who.user, false)
        .await
        .map(Some)
}

async fn set_password(state: &state::State, author: &Author, name: &str, password: &str) -> Result<()> {
    let set = roster::set_password(&state.upstream, &author.authorization, name, password).await;
    set.map_err(|error| match error {
        NotDone::Missing => gone(),
        NotDone::Refused => Error::Forbidden(error.to_string()),
        error => Error::Upstream(error.to_string()),
    })
}

/// `POST /api/flowdeck/v1/users/{name}/deactivate`: sessions, keys and the password stop at once
#[utoipa::path(post, path = "/users/{name}/deactivate", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserMade)))]
pub async fn deactivate(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<UserMade>> {
    let (author, world) = spared(&state, &principal, &name).await?;
    let user = world.users.get(&name).ok_or_else(gone)?;
    if !user.active {
        return Err(Error::Conflict("this user is deactivated already".into()));
    }
    set_password(&state, &author, &name, &invite::unknown_password()).await?;
    state.vault.forget(&name).await?;
    state.db.end_sessions(&name).await?;
    state.live.doubt(&name);
    state.db.delete_invite_of(&name).await?;
    let worked = state.keys.list(|key| key.user == name && key.state == key::State::Active);
    let ids: Vec<&str> = worked.iter().map(|key| key.id.as_str()).collect();
    let row = Inactive {
        name: name.clone(),
        at: clock::now(),
        by: author.who.user.clone(),
        keys: serde_json::to_string(&ids).map_err(anyhow::Error::from)?,
    };
    state.db.put_inactive_user(&row).await?;
    for key in &worked {
        state.keys.change(&key.id, |key| key.state = key::State::Disabled).await?;
    }
    set_active(&state, &author, &headers, &name, user.service, false).await?;
    tracing::info!(name, by = author.who.user, "a user was deactivated");
    Ok(Json(UserMade { name, link: None }))
}

/// `POST /api/flowdeck/v1/users/{name}/reactivate` → a one-time link that sets a new password; keys that worked before work again
#[utoipa::path(post, path = "/users/{name}/reactivate", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserMade)))]
pub async fn reactivate(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<UserMade>> {
    state.audit.can_write()?;
    let author = owner(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    let user = world.users.get(&name).ok_or_else(gone)?;
    let Some(row) = state.db.inactive_user(&name).await? else {
        return Err(Error::Conflict("this user is not deactivated".into()));
    };
    let link = new_password(&state, &author, &headers, &name, user.service).await?;
    let ids: Vec<String> = serde_json::from_str(&row.keys).unwrap_or_default();
    for id in ids {
        let enable = |key: &mut key::Key| {
            if key.state == key::State::Disabled {
                key.state = key::State::Active;
            }
        };
        state.keys.change(&id, enable).await?;
    }
    state.db.delete_inactive_user(&name).await?;
    set_active(&state, &author, &headers, &name, user.service, true).await?;
    tracing::info!(name, by = author.who.user, "a user was reactivated");
    Ok(Json(UserMade { name, link }))
}

async fn set_active(state: &state::State, author: &Author, headers: &HeaderMap, name: &str, service: bool, active: bool) -> Result<()> {
    state.index.amend(|world| {
        if let Some(user) = world.users.get_mut(name) {
            Arc::make_mut(user).active = active;
        }
    });
    let account = |active| Some(Account { active, service });
    let edit = Edit::Account {
        user: name.to_owned(),
        was: account(!active),
        will: account(active),
    };
    journal::note_account(state, &author.who.user, request_id(headers), "", edit).await
}

/// `GET /api/flowdeck/v1/users/{name}/sessions` → a user's browser sessions
#[utoipa::path(get, path = "/users/{name}/sessions", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserSessions)))]
pub async fn sessions(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Json<UserSessions>> {
    caller::owner(&state, &principal).await?;
    let store = Store::new(state.db.clone(), state.config.session.clone());
    let sessions = store.of(&name).await?.into_iter().map(|row| UserSession {
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.used_at,
        expires_at: row.expires_at,
        user_agent: row.user_agent,
        address: row.address,
    });
    let sessions = sessions.collect();
    Ok(Json(UserSessions { sessions }))
}

/// `DELETE /api/flowdeck/v1/users/{name}/sessions`: ends all browser sessions of a user
#[utoipa::path(delete, path = "/users/{name}/sessions", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = SessionsEnded)))]
pub async fn end_sessions(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Json<SessionsEnded>> {
    state.audit.can_write()?;
    caller::owner(&state, &principal).await?;
    let ended = state.db.end_sessions_counted(&name).await? as usize;
    state.live.doubt(&name);
    Ok(Json(SessionsEnded { ended }))
}

/// `DELETE /api/flowdeck/v1/users/{name}/sessions/{id}`: ends one browser session of a user
#[utoipa::path(delete, path = "/users/{name}/sessions/{id}", tag = "Users", params(("name" = String, Path), ("id" = String, Path)), responses((status = 200, body = SessionsEnded)))]
pub async fn end_session(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<SessionsEnded>> {
    state.audit.can_write()?;
    caller::owner(&state, &principal).await?;
    let ended = state.db.end_session(&name, &id).await?;
    state.live.doubt(&name);
    match ended {
        true => Ok(Json(SessionsEnded { ended: 1 })),
        false => Err(Error::NotFound("this session has ended already".into())),
    }
}

fn gone() -> Error {
    Error::NotFound("there is no such user".into())
}

#[cfg(test)]
mod tests {
    use app::api::flowdeck::grant::{Kind, Level, Subject, Target};

    use super::{alone, grants};
    use crate::admin::world::tests::{grant, world};

    #[test]
    fn what_somebody_manages_alone_is_nobody_elses() {
        let mut world = world(None);
        let on = |id: &str| Target::new(Kind::Experiment, id);
        for (to, id) in [("ada", "1"), ("ada", "2"), ("bob", "2")] {
            world.make(&grant(Subject::User(to.into()), &on(id), None, Some(Level::Manage)), None);
        }
        let alone = |world: &_, grants| alone(world, "ada", grants).into_iter().map(|grant| grant.on).collect::<Vec<_>>();
        let managed = grants(&world, &world.users["ada"].grants);
        assert_eq!(alone(&world, managed.clone()), [on("1")]);
        world.make(&grant(Subject::User("bob".into()), &on("*"), None, Some(Level::Manage)), None);
        assert!(alone(&world, managed).is_empty());
    }
}
