//! Reading the world from MLflow as an owner: all of it, or anew what a change is about.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use app::api::flowdeck::grant::{Kind, Level, Target};
use axum::http::HeaderValue;

use super::{NotRead, Subjects};
use crate::{
    admin::world::{Entry, Fallback, Group, Role, Things, User, World},
    clock,
    db::group::Groups,
    mlflow::{
        Fault, NotTold,
        roster::{self, WORKSPACE},
    },
    state::State,
    upstream::Upstream,
};

pub async fn read(state: &State, authorization: &HeaderValue, things: Option<Arc<Things>>) -> std::result::Result<World, NotRead> {
    let upstream = &state.upstream;
    let people = async {
        let users = roster::users(upstream, authorization).await?;
        let roles = roster::roles(upstream, authorization).await?;
        users.zip(roles).ok_or(NotRead::Refused)
    };
    let things = async {
        match things {
            Some(things) => Ok(things),
            None => read_things(upstream, authorization).await.map(Arc::new).map_err(NotRead::from),
        }
    };
    let ((users, roles), things) = futures::try_join!(people, things)?;
    let assembled = tokio::task::spawn_blocking(move || assembled(users, &roles, things));
    let mut world = assembled.await.map_err(|_| NotRead::NotTold(Fault::NotMlflow.into()))?;
    own_state(state, &mut world).await?;
    world.default = default(upstream, authorization, &world).await?;
    Ok(world)
}

/// What MLflow has told, put together.
fn assembled(users: Vec<roster::User>, roles: &[roster::Role], things: Arc<Things>) -> World {
    let mut world = World {
        things,
        complete: true,
        read_at: clock::now(),
        ..World::default()
    };
    for role in roles.iter().filter(|role| role.of_user().is_none()) {
        world.roles.insert(role.name.clone(), Arc::new(of_role(role)));
    }
    let by_name: HashMap<&str, &roster::Role> = roles.iter().map(|role| (role.name.as_str(), role)).collect();
    for raw in users {
        let mut user = User {
            id: raw.id,
            admin: raw.is_admin,
            active: true,
            ..User::default()
        };
        for held in raw.roles.iter().filter(|held| held.workspace == WORKSPACE) {
            let Some(role) = by_name.get(held.name.as_str()) else { continue };
            if held.of_user() == Some(raw.id) {
                user.grants = grants(role);
                continue;
            }
            // Somebody may have been given the hidden role of another: its grants count.
            let role = world.roles.entry(held.name.clone()).or_insert_with(|| Arc::new(of_role(role)));
            Arc::make_mut(role).members.insert(raw.username.clone());
            user.roles.insert(held.name.clone());
        }
        world.users.insert(raw.username, Arc::new(user));
    }
    world
}

/// A world in which some are asked for anew; `None` where that cannot be done by name.
pub async fn renewed(
    state: &State,
    authorization: &HeaderValue,
    world: &World,
    subjects: &Subjects,
) -> std::result::Result<Option<World>, NotRead> {
    let upstream = &state.upstream;
    let mut world = world.clone();
    for name in &subjects.users {
        let user = roster::user(upstream, authorization, name).await?;
        let roles = match &user {
            Some(_) => roster::roles_of(upstream, authorization, name).await?,
            None => None,
        };
        world.leave(name);
        let Some((raw, roles)) = user.zip(roles) else { continue };
        let mut user = User {
            id: raw.id,
            admin: raw.is_admin,
            active: true,
            ..User::default()
        };
        for role in roles.iter().filter(|role| role.workspace == WORKSPACE) {
            if role.of_user() == Some(raw.id) {
                user.grants = grants(role);
                continue;
            }
            let held = world.roles.entry(role.name.clone()).or_default();
            let held = Arc::make_mut(held);
            let members = std::mem::take(&mut held.members);
            *held = of_role(role);
            held.members = members;
            held.members.insert(name.clone());
            user.roles.insert(role.name.clone());
        }
        world.users.insert(name.clone(), Arc::new(user));
    }
    for name in &subjects.roles {
        // One that is to be made has no id yet.
        let Some(id) = world.roles.get(name).and_then(|role| role.id) else {
            return Ok(None);
        };
        // Ids are given again to others.
        let Some(role) = roster::role(upstream, authorization, id).await?.filter(|role| role.name == *name) else {
            return Ok(None);
        };
        let mut renewed = of_role(&role);
        if subjects.members.contains(name) {
            let ids = roster::members(upstream, authorization, id).await?.unwrap_or_default();
            let ids: BTreeSet<i64> = ids.into_iter().collect();
            let held = world.users.iter().filter(|(_, user)| ids.contains(&user.id));
            renewed.members = held.map(|(name, _)| name.clone()).collect();
            if renewed.members.len() != ids.len() {
                return Ok(None);
            }
        } else if let Some(known) = world.roles.get(name) {
            renewed.members.clone_from(&known.members);
        }
        let gone = world
            .users
            .iter()
            .filter(|(user, held)| held.roles.contains(name) && !renewed.members.contains(*user));
        let gone: Vec<String> = gone.map(|(user, _)| user.clone()).collect();
        for user in gone {
            if let Some(user) = world.users.get_mut(&user) {
                Arc::make_mut(user).roles.remove(name);
            }
        }
        for user in &renewed.members {
            if let Some(user) = world.users.get_mut(user).filter(|user| !user.roles.contains(name)) {
                Arc::make_mut(user).roles.insert(name.clone());
            }
        }
        world.roles.insert(name.clone(), Arc::new(renewed));
    }
    own_state(state, &mut world).await?;
    Ok(Some(world))
}

/// What Flowdeck itself keeps of users and groups.
pub async fn own_state(state: &State, world: &mut World) -> sqlx::Result<()> {
    for row in state.db.inactive_users().await? {
        if let Some(user) = world.users.get_mut(&row.name) {
            Arc::make_mut(user).active = false;
        }
    }
    for account in state.db.service_accounts().await? {
        if let Some(user) = world.users.get_mut(&account.name) {
            Arc::make_mut(user).service = true;
        }
    }
    add_groups(world, state.db.groups().await?);
    Ok(())
}

fn add_groups(world: &mut World, kept: Groups) {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for row in kept.groups {
        let group = Group {
            description: row.description,
            ..Group::default()
        };
        groups.insert(row.name, group);
    }
    for (group, user) in kept.members {
        if let Some(group) = groups.get_mut(&group).filter(|_| world.users.contains_key(&user)) {
            group.members.insert(user);
        }
    }
    for (group, role) in kept.roles {
        if let Some(group) = groups.get_mut(&group) {
            group.roles.insert(role);
        }
    }
    for (user, role) in kept.assignments {
        if let Some(user) = world
            .users
            .get_mut(&user)
            .filter(|user| user.roles.contains(&role) && !user.by_group.contains(&role))
        {
            Arc::make_mut(user).by_group.insert(role);
        }
    }
    world.groups = groups.into_iter().map(|(name, group)| (name, Arc::new(group))).collect();
}

pub async fn read_things(upstream: &Upstream, authorization: &HeaderValue) -> std::result::Result<Things, NotTold> {
    let found = roster::things(upstream, authorization).await?;
    Ok(Things {
        all: found.into_iter().map(|thing| (thing.on, (thing.name, thing.created_at))).collect(),
        read_at: clock::now(),
    })
}

pub fn of_role(role: &roster::Role) -> Role {
    Role {
        id: Some(role.id),
        description: role.description.clone().unwrap_or_default(),
        grants: grants(role),
        members: BTreeSet::new(),
    }
}

pub fn grants(role: &roster::Role) -> BTreeMap<Target, Entry> {
    let read = |grant: &roster::Grant| {
        let (on, level) = grant.read()?;
        let row = Some(grant.id);
        Some((on, Entry { level, row }))
    };
    role.permissions.iter().filter_map(read).collect()
}

/// Nothing is called like this.
const NOTHING: &str = "flowdeck asks for the default";

/// MLflow's default, which it does not tell: asked for as what somebody has of a thing that is not there, of a kind of which nothing is
/// granted to them that could count.
pub async fn default(upstream: &Upstream, authorization: &HeaderValue, world: &World) -> std::result::Result<Fallback, NotTold> {
    const KINDS: [Kind; 6] = [
        Kind::McpServer,
        Kind::GatewayModelDefinition,
        Kind::GatewaySecret,
        Kind::GatewayEndpoint,
        Kind::RegisteredModel,
        Kind::Experiment,
    ];
    if roster::has_workspaces(upstream, authorization).await? {
        // There, what is not granted is not there.
        return Ok(Fallback::Unknown);
    }
    let silent = world.users.iter().find_map(|(name, user)| {
        // Whether somebody is an administrator is not asked here.
        let mut user = User::clone(user);
        user.admin = false;
        let sheet = world.sheet(&user);
        let says_nothing = |kind: &Kind| !sheet.powerful && sheet.granted(&Target::new(*kind, NOTHING)).is_none();
        Some((name, KINDS.into_iter().find(says_nothing)?))
    });
    let Some((name, kind)) = silent else { return Ok(Fallback::Unknown) };
    let told = roster::permission(upstream, authorization, name, &Target::new(kind, NOTHING)).await?;
    Ok(match told.as_deref() {
        None => Fallback::Unknown,
        Some(level) => Fallback::Known(Level::named(level)),
    })
}
