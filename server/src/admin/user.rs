//! `/api/flowdeck/v1/users`: listing MLflow's users, what each has, and their sessions. For owners; `life` makes and ends them.

pub mod life;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use app::api::flowdeck::{
    grant::{Grant, Level, Target},
    user::{Belongings, SessionsEnded, UserDetail, UserPage, UserRole, UserRow, UserSession, UserSessions},
};
use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::world::{Entry, Grants, Sheet, User, World};
use crate::{
    caller, clock,
    error::{Error, Result},
    extract,
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
    /// MLflow is asked at this moment, and not what it said a while ago told.
    #[serde(default)]
    fresh: bool,
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
    caller::reader(&state, &principal).await?;
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Error::BadRequest("`limit`: 1 to 200".into()));
    }
    let world = state.index.world_or_fresh(&state, &principal, asked.fresh).await?;
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
    let mut found: Vec<(&String, &User)> = world
        .users
        .iter()
        .map(|(name, user)| (name, &**user))
        .filter(|(name, user)| is_asked(name, user))
        .collect();
    let total = found.len();
    sort(&state, &known, asked.sort.as_deref().unwrap_or_default(), &mut found).await?;
    let page = found.into_iter().skip(asked.offset).take(limit);
    let mut users: Vec<UserRow> = page.map(|(name, user)| known.row(name, user)).collect();
    see(&state, &mut users).await?;
    Ok(Json(UserPage {
        users,
        total,
        all: world.users.len(),
        read_at: world.read_at,
    }))
}

async fn sort(state: &state::State, known: &Known, by: &str, users: &mut [(&String, &User)]) -> Result<()> {
    let (by, reversed) = by.strip_prefix('-').map_or((by, false), |by| (by, true));
    match by {
        // As they come.
        "" | "name" => {}
        "last_seen" => {
            let seen = state.audit.roughly_last_seen().await?;
            users.sort_by_cached_key(|(name, _)| seen.get(*name).copied().max(known.last_seen(name)));
        }
        "sessions" => users.sort_by_cached_key(|(name, _)| known.sessions.get(*name).map(|(count, _)| *count)),
        "keys" => users.sort_by_cached_key(|(name, _)| known.keys.get(*name).map_or(0, |(count, _)| *count)),
        "roles" => users.sort_by_key(|(_, user)| user.roles.len()),
        "grants" => users.sort_by_key(|(_, user)| user.grants.len()),
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

    /// With a session or a key.
    fn last_seen(&self, name: &str) -> Option<i64> {
        let session = self.sessions.get(name).map(|(_, last)| *last);
        session.max(self.keys.get(name).and_then(|(_, last)| *last))
    }

    fn row(&self, name: &str, user: &User) -> UserRow {
        UserRow {
            name: name.to_owned(),
            admin: user.admin,
            service: user.service,
            active: user.active,
            invited: self.invited.contains(name),
            last_seen: self.last_seen(name),
            sessions: self.sessions.get(name).map_or(0, |(count, _)| *count),
            keys: self.keys.get(name).map_or(0, |(count, _)| *count),
            roles: user.roles.iter().cloned().collect(),
            grants: user.grants.len(),
        }
    }
}

/// `GET /api/flowdeck/v1/users/{name}` → a user with grants, roles and groups
#[utoipa::path(get, path = "/users/{name}", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserDetail)))]
pub async fn get(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
) -> Result<Json<UserDetail>> {
    caller::reader(&state, &principal).await?;
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
    let grant = |(on, entry): (&Target, &Entry)| Grant {
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
    extract::Path(name): extract::Path<String>,
) -> Result<Json<Belongings>> {
    caller::reader(&state, &principal).await?;
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

/// `GET /api/flowdeck/v1/users/{name}/sessions` → a user's browser sessions
#[utoipa::path(get, path = "/users/{name}/sessions", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserSessions)))]
pub async fn sessions(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
) -> Result<Json<UserSessions>> {
    caller::reader(&state, &principal).await?;
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

/// `DELETE /api/flowdeck/v1/users/{name}/sessions`: ends all browser sessions of a user; programs may end all of their own user
#[utoipa::path(delete, path = "/users/{name}/sessions", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = SessionsEnded)))]
pub async fn end_sessions(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
) -> Result<Json<SessionsEnded>> {
    state.audit.can_write()?;
    let by = caller::name(&state, &principal).await?;
    match name == by {
        true => not_from_a_browser(&principal)?,
        false => drop(caller::owner(&state, &principal).await?),
    }
    let ended = state.db.end_sessions(&name).await? as usize;
    tracing::info!(user = name, by, ended, "all sessions of a user were ended");
    state.doubt(&name);
    Ok(Json(SessionsEnded { ended }))
}

/// `DELETE /api/flowdeck/v1/users/{name}/sessions/{id}`: ends one browser session of a user
#[utoipa::path(delete, path = "/users/{name}/sessions/{id}", tag = "Users", params(("name" = String, Path), ("id" = String, Path)), responses((status = 200, body = SessionsEnded)))]
pub async fn end_session(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path((name, id)): extract::Path<(String, String)>,
) -> Result<Json<SessionsEnded>> {
    state.audit.can_write()?;
    let owner = caller::owner(&state, &principal).await?;
    if name == owner.user {
        not_from_a_browser(&principal)?;
    }
    let ended = state.db.end_session(&name, &id).await?;
    state.doubt(&name);
    match ended {
        true => Ok(Json(SessionsEnded { ended: 1 })),
        false => Err(Error::NotFound("this session has ended already".into())),
    }
}

/// A browser that was left open ends no session of its own user: `/account` asks for the password first.
fn not_from_a_browser(principal: &Principal) -> Result<()> {
    match principal {
        Principal::Session(_) => Err(Error::Forbidden(
            "end your own sessions on the page Account: it asks for your password first".into(),
        )),
        _ => Ok(()),
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
