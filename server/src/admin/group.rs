//! `/api/flowdeck/v1/groups`: groups of people, whose members have roles. For owners; they change by edits.

use app::api::flowdeck::group::{Group, GroupDrift, Groups};
use axum::{Extension, Json, extract::State};

use super::world::{self, World};
use crate::{
    caller,
    error::{Error, Result},
    extract,
    principal::Principal,
    state,
};

/// `GET /api/flowdeck/v1/groups` → all groups, and what of them MLflow does not agree with
#[utoipa::path(get, path = "/groups", tag = "Groups", responses((status = 200, body = Groups)))]
pub async fn list(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Json<Groups>> {
    caller::reader(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    Ok(Json(Groups {
        groups: world.groups.iter().map(|(name, group)| told(&world, name, group)).collect(),
        read_at: world.read_at,
    }))
}

/// `GET /api/flowdeck/v1/groups/{name}` → one group
#[utoipa::path(get, path = "/groups/{name}", tag = "Groups", params(("name" = String, Path)), responses((status = 200, body = Group)))]
pub async fn get(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
) -> Result<Json<Group>> {
    caller::reader(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    let group = world.groups.get(&name);
    let group = group.ok_or_else(|| Error::NotFound("there is no such group".into()))?;
    Ok(Json(told(&world, &name, group)))
}

fn told(world: &World, name: &str, group: &world::Group) -> Group {
    let lacks = |user: &str, role: &str| world.users.get(user).is_none_or(|user| !user.roles.contains(role));
    let pairs = group
        .members
        .iter()
        .flat_map(|user| group.roles.iter().map(move |role| (user, role)));
    let drift = pairs.filter(|(user, role)| lacks(user, role)).map(|(user, role)| GroupDrift {
        user: user.clone(),
        role: role.clone(),
    });
    Group {
        name: name.to_owned(),
        description: group.description.clone(),
        members: group.members.iter().cloned().collect(),
        roles: group.roles.iter().cloned().collect(),
        drift: drift.collect(),
    }
}
