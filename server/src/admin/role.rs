//! `/api/flowdeck/v1/roles`: MLflow's roles with members, grants, and what of Flowdeck's fills them. For owners; they change by edits.

use app::api::flowdeck::{
    grant::{Kind, Level, Target},
    role::{RoleDetail, RoleMember, RolePage, RoleRow},
};
use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    user::grants,
    world::{Role, World},
};
use crate::{
    caller, db,
    error::{Error, Result},
    extract,
    principal::Principal,
    state,
};

const PAGE: usize = 50;
const LONGEST_PAGE: usize = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// A part of the name or the description, in any case.
    #[serde(default)]
    q: String,
    /// `name`, `members` or `grants`; with `-` in front the other way round.
    #[serde(default)]
    sort: String,
    #[serde(default)]
    offset: usize,
    /// 50 where nothing is said, at most 200.
    limit: Option<usize>,
    /// MLflow is asked at this moment, and not what it said a while ago told.
    #[serde(default)]
    fresh: bool,
}

/// `GET /api/flowdeck/v1/roles` → a page of roles, and how many there are
#[utoipa::path(get, path = "/roles", tag = "Roles", params(Asked), responses((status = 200, body = RolePage)))]
pub async fn list(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Query(asked): extract::Query<Asked>,
) -> Result<Json<RolePage>> {
    caller::reader(&state, &principal).await?;
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Error::BadRequest("`limit`: 1 to 200".into()));
    }
    let world = state.index.world_or_fresh(&state, &principal, asked.fresh).await?;
    let q = asked.q.trim().to_lowercase();
    let is_asked =
        |name: &str, role: &Role| q.is_empty() || name.to_lowercase().contains(&q) || role.description.to_lowercase().contains(&q);
    let mut found: Vec<_> = world.roles.iter().filter(|(name, role)| is_asked(name, role)).collect();
    let (by, reversed) = asked.sort.strip_prefix('-').map_or((asked.sort.as_str(), false), |by| (by, true));
    match by {
        "" | "name" => {}
        "members" => found.sort_by_key(|(_, role)| role.members.len()),
        "grants" => found.sort_by_key(|(_, role)| role.grants.len()),
        _ => return Err(Error::BadRequest("`sort`: `name`, `members` or `grants`".into())),
    }
    if reversed {
        found.reverse();
    }
    let total = found.len();
    let rules = state.db.rules().await?;
    let page = found.into_iter().skip(asked.offset).take(limit);
    Ok(Json(RolePage {
        roles: page.map(|(name, role)| row(&world, &rules, name, role)).collect(),
        total,
        all: world.roles.len(),
        default: world.default_level(),
        default_known: world.default.is_known(),
        read_at: world.read_at,
    }))
}

/// `GET /api/flowdeck/v1/roles/{name}` → a role with its members and grants
#[utoipa::path(get, path = "/roles/{name}", tag = "Roles", params(("name" = String, Path)), responses((status = 200, body = RoleDetail)))]
pub async fn get(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
) -> Result<Json<RoleDetail>> {
    caller::reader(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    let role = world.roles.get(&name);
    let role = role.ok_or_else(|| Error::NotFound("there is no such role".into()))?;
    let members = role.members.iter().map(|user| RoleMember {
        user: user.clone(),
        groups: world.groups_giving(user, &name).map(str::to_owned).collect(),
    });
    Ok(Json(RoleDetail {
        role: row(&world, &state.db.rules().await?, &name, role),
        members: members.collect(),
        grants: grants(&world, &role.grants),
        default: world.default_level(),
        default_known: world.default.is_known(),
        read_at: world.read_at,
    }))
}

fn row(world: &World, rules: &[db::rule::Row], name: &str, role: &Role) -> RoleRow {
    let workspace = role.grants.get(&Target::new(Kind::Workspace, Target::ALL));
    let groups = world.groups.iter().filter(|(_, group)| group.roles.contains(name));
    RoleRow {
        name: name.to_owned(),
        description: role.description.clone(),
        members: role.members.len(),
        grants: role.grants.len(),
        groups: groups.map(|(group, _)| group.clone()).collect(),
        rules: rules
            .iter()
            .filter(|rule| rule.role == name)
            .map(|rule| rule.pattern.clone())
            .collect(),
        manages_all: workspace.is_some_and(|entry| entry.level == Level::Manage),
    }
}
