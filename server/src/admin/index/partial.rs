//! The world as MLflow tells it to who is no owner: themselves, and what they manage.

use std::{collections::BTreeMap, sync::Arc};

use app::api::flowdeck::grant::Target;
use axum::http::HeaderValue;

use super::{
    NotRead,
    read::{default, grants, of_role, own_state, read_things},
    told,
};
use crate::{
    admin::world::{Entry, User, World},
    caller, clock,
    error::Result,
    mlflow::{
        Who,
        roster::{self, OwnGrant, WORKSPACE},
    },
    principal::Principal,
    state::State,
};

/// The world of somebody who is no administrator: themselves.
///
/// # Errors
/// 401 and 502, as MLflow answers.
pub async fn own(state: &State, principal: &Principal, who: &Who) -> Result<World> {
    let authorization = caller::authorization(state, principal).await?;
    let read = async {
        let own = roster::own(&state.upstream, &authorization).await?.ok_or(NotRead::Refused)?;
        let mut world = World {
            read_at: clock::now(),
            ..World::default()
        };
        let mut user = User {
            admin: own.is_admin,
            active: true,
            ..User::default()
        };
        for grant in own.permissions.iter().filter(|grant| grant.workspace == WORKSPACE) {
            let Some((on, level)) = OwnGrant::read(grant) else { continue };
            let entry = Entry { level, row: None };
            if grant.is_direct() {
                user.grants.insert(on, entry);
            } else {
                user.roles.insert(grant.role_name.clone());
                let role = world.roles.entry(grant.role_name.clone()).or_default();
                Arc::make_mut(role).grants.insert(on, entry);
            }
        }
        world.users.insert(who.user.clone(), Arc::new(user));
        own_state(state, &mut world).await?;
        world.groups.retain(|_, group| group.members.contains(&who.user));
        world.default = default(&state.upstream, &authorization, &world).await?;
        world.things = Arc::new(read_things(&state.upstream, &authorization).await?);
        Ok(world)
    };
    read.await.map_err(|error: NotRead| told(principal, &error))
}

/// The world as far as MLflow tells it to somebody who manages something: everybody's direct grants and what roles have, but not who has
/// which role.
///
/// # Errors
/// [`NotRead`].
pub async fn partial(state: &State, authorization: &HeaderValue, who: &str) -> std::result::Result<World, NotRead> {
    let upstream = &state.upstream;
    let users = roster::users(upstream, authorization).await?.ok_or(NotRead::Refused)?;
    let roles = roster::roles(upstream, authorization).await?.unwrap_or_default();
    let mut world = World {
        read_at: clock::now(),
        ..World::default()
    };
    let mut direct: BTreeMap<i64, BTreeMap<Target, Entry>> = BTreeMap::new();
    for role in roles.iter().filter(|role| role.workspace == WORKSPACE) {
        match role.of_user() {
            Some(id) => drop(direct.insert(id, grants(role))),
            None => drop(world.roles.insert(role.name.clone(), Arc::new(of_role(role)))),
        }
    }
    for raw in users {
        // Told of oneself only.
        let own = raw
            .roles
            .iter()
            .filter(|role| role.workspace == WORKSPACE && role.of_user() != Some(raw.id));
        let user = User {
            id: raw.id,
            admin: raw.is_admin,
            active: true,
            grants: direct.remove(&raw.id).unwrap_or_default(),
            roles: own.map(|role| role.name.clone()).collect(),
            ..User::default()
        };
        world.users.insert(raw.username, Arc::new(user));
    }
    own_state(state, &mut world).await?;
    // Who is in them is the owners' business.
    world.groups.clear();
    // MLflow answers about oneself.
    let mut alone = world.clone();
    alone.users.retain(|name, _| name == who);
    world.default = default(upstream, authorization, &alone).await?;
    Ok(world)
}
