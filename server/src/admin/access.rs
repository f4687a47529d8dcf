//! `/api/flowdeck/v1/access`: who has access to one thing, people and roles by experiments and models, and what one has oneself.

use std::collections::BTreeSet;

use app::api::flowdeck::{
    access::{Access, Matrix, MatrixColumn, MatrixRow, OwnAccess, OwnRole, Person, RoleAccess, Source, letter},
    grant::{Kind, Level, Subject, Target},
};
use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    change::target,
    index,
    user::grants,
    world::{Grants, Sheet, User, World, floor},
};
use crate::{
    audit::{Note, Resource},
    caller,
    error::{Error, Result},
    extract, mlflow,
    principal::Principal,
    state,
};

const PAGE: usize = 100;
const LONGEST_PAGE: usize = 500;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    kind: Kind,
    /// An experiment's id, or a name.
    id: String,
    /// A part of the user's name, in any case.
    #[serde(default)]
    q: String,
    /// Also those who have nothing but the default.
    #[serde(default)]
    everyone: bool,
    #[serde(default)]
    offset: usize,
    /// 100 where nothing is said, at most 500.
    limit: Option<usize>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Window {
    /// `experiment`, `registered_model` or `prompt`; experiments and registered models where nothing is said.
    kind: Option<Kind>,
    /// `people` or `roles`; roles, then people, where nothing is said.
    subjects: Option<String>,
    /// A part of the names of the rows, in any case.
    #[serde(default)]
    rows: String,
    /// A part of the names of the columns, in any case.
    #[serde(default)]
    columns: String,
    /// The first row to tell.
    #[serde(default)]
    row: usize,
    /// The first column to tell.
    #[serde(default)]
    column: usize,
    /// Rows to tell: 100 where nothing is said, at most 500.
    height: Option<usize>,
    /// Columns to tell: 100 where nothing is said, at most 500.
    width: Option<usize>,
}

/// `GET /api/flowdeck/v1/access?kind=&id=` → who has access to a thing; for who may manage it
#[utoipa::path(get, path = "/access", tag = "Access", params(Asked), responses((status = 200, body = Access)))]
pub async fn of(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Query(asked): extract::Query<Asked>,
) -> Result<Json<Access>> {
    let limit = within(asked.limit, "limit")?;
    let on = Target::new(asked.kind, asked.id);
    target(&on).map_err(Error::BadRequest)?;
    match on.kind {
        Kind::Experiment => note.about(Resource::Experiment, &on.id),
        Kind::RegisteredModel | Kind::Prompt => note.about(Resource::Model, &on.id),
        _ => {}
    }
    let who = caller::who(&state, &principal).await?;
    let mut name = None;
    let world = if who.is_admin {
        state.index.world(&state, &principal).await?
    } else {
        let authorization = caller::authorization(&state, &principal).await?;
        let told = |error| caller::not_told(&principal, &error);
        if on.is_all() || !may_manage(&state, &authorization, &who.user, &on).await.map_err(told)? {
            return Err(Error::Forbidden("only who may manage it is told who has access to it".into()));
        }
        if on.kind == Kind::Experiment {
            let found = mlflow::experiment(&state.upstream, &authorization, &on.id).await.map_err(told)?;
            name = found.map(|found| found.name);
        }
        let partial = index::partial(&state, &authorization, &who.user).await;
        partial.map_err(|error| index::told(&principal, &error))?.into()
    };
    let q = asked.q.trim().to_lowercase();
    let (asked_of, thing) = (world.clone(), on.clone());
    let all = tokio::task::spawn_blocking(move || people(&asked_of, &thing));
    let all = all.await.map_err(anyhow::Error::from)?;
    let others = all.iter().filter(|person| is_plain(person)).count();
    let is_asked = |person: &Person| (asked.everyone || !is_plain(person)) && (q.is_empty() || person.user.to_lowercase().contains(&q));
    let people: Vec<Person> = all.into_iter().filter(is_asked).collect();
    Ok(Json(Access {
        name: name.or_else(|| world.things.name(&on).map(str::to_owned)),
        total: people.len(),
        people: people.into_iter().skip(asked.offset).take(limit).collect(),
        others,
        roles: roles(&world, &on),
        default: world.default_level(),
        default_known: world.default.is_known(),
        may_manage: true,
        complete: world.complete,
        read_at: world.read_at,
        on,
    }))
}

/// Whether MLflow lets a user, whose credentials these are, say who may do what with a thing.
async fn may_manage(
    state: &state::State,
    authorization: &axum::http::HeaderValue,
    user: &str,
    on: &Target,
) -> Result<bool, mlflow::NotTold> {
    if on.kind == Kind::Prompt {
        // MLflow does not answer for prompts; grants on them are its to refuse.
        let partial = mlflow::roster::own(&state.upstream, authorization).await?;
        let all = Target::new(on.kind, Target::ALL);
        let held = partial.into_iter().flat_map(|own| own.permissions).filter_map(|grant| grant.read());
        let held: Vec<Level> = held
            .filter(|(held, _)| held == on || *held == all)
            .map(|(_, level)| level)
            .collect();
        return Ok(held.contains(&Level::Manage) && !held.contains(&Level::Deny));
    }
    let told = mlflow::roster::permission(&state.upstream, authorization, user, on).await?;
    Ok(told.as_deref() == Some(Level::Manage.name()))
}

fn within(limit: Option<usize>, name: &str) -> Result<usize> {
    let limit = limit.unwrap_or(PAGE);
    if (1..=LONGEST_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::BadRequest(format!("`{name}`: 1 to {LONGEST_PAGE}")))
}

fn is_plain(person: &Person) -> bool {
    person.source == Source::Default
}

/// Everybody, by level and then by name.
fn people(world: &World, on: &Target) -> Vec<Person> {
    let all = Target::new(on.kind, Target::ALL);
    let workspace = Target::new(Kind::Workspace, Target::ALL);
    let says = |grants: &Grants| grants.contains_key(on) || grants.contains_key(&all);
    let speaking: BTreeSet<&str> = world
        .roles
        .iter()
        .filter(|(_, role)| says(&role.grants))
        .map(|(name, _)| name.as_str())
        .collect();
    let ruling = |grants: &Grants| grants.get(&workspace).is_some_and(|entry| entry.level == Level::Manage);
    let ruling: BTreeSet<&str> = world
        .roles
        .iter()
        .filter(|(_, role)| ruling(&role.grants))
        .map(|(name, _)| name.as_str())
        .collect();
    let default = world.default_level();
    let mut people: Vec<Person> = Vec::with_capacity(world.users.len());
    for (name, user) in &world.users {
        let roles: Vec<String> = user.roles.iter().filter(|role| speaking.contains(role.as_str())).cloned().collect();
        let direct = user.grants.get(on).map(|entry| entry.level);
        let plain = roles.is_empty() && !says(&user.grants);
        let (level, source) = if user.admin {
            (Some(Level::Manage), Source::Admin)
        } else if user.roles.iter().any(|role| ruling.contains(role.as_str())) {
            (Some(Level::Manage), Source::Workspace)
        } else if plain {
            (default, Source::Default)
        } else {
            decided(world, user, on, &all)
        };
        people.push(Person {
            user: name.clone(),
            active: user.active,
            service: user.service,
            level,
            direct,
            source,
            roles,
        });
    }
    let rank = |level: Option<Level>| level.map_or(0, Level::rank);
    people.sort_by(|a, b| rank(b.level).cmp(&rank(a.level)).then_with(|| a.user.cmp(&b.user)));
    people
}

/// What somebody has who has grants on a thing, and which of them decided.
fn decided(world: &World, user: &User, on: &Target, all: &Target) -> (Option<Level>, Source) {
    let level = |grants: &Grants, key: &Target| grants.get(key).map(|entry| entry.level);
    let roles = || user.roles.iter().filter_map(|role| world.roles.get(role));
    let mut said: Vec<(Level, Source)> = Vec::new();
    said.extend(level(&user.grants, on).map(|level| (level, Source::Direct)));
    said.extend(
        roles()
            .filter_map(|role| level(&role.grants, on))
            .map(|level| (level, Source::Role)),
    );
    said.extend(level(&user.grants, all).map(|level| (level, Source::All)));
    said.extend(
        roles()
            .filter_map(|role| level(&role.grants, all))
            .map(|level| (level, Source::All)),
    );
    let weight = |level: Level| if level == Level::Deny { u8::MAX } else { level.rank() };
    // The first of the heaviest.
    let heaviest = said.iter().map(|(level, _)| weight(*level)).max();
    let decided = said.into_iter().find(|(level, _)| Some(weight(*level)) == heaviest);
    let default = world.default_level();
    decided.map_or((default, Source::Default), |(level, source)| (Some(floor(level, default)), source))
}

fn roles(world: &World, on: &Target) -> Vec<RoleAccess> {
    let all = Target::new(on.kind, Target::ALL);
    let told = world.roles.iter().filter_map(|(name, role)| {
        let level = |key: &Target| role.grants.get(key).map(|entry| entry.level);
        let (direct, whole) = (level(on).filter(|_| !on.is_all()), level(&all));
        (direct.is_some() || whole.is_some()).then(|| RoleAccess {
            role: name.clone(),
            direct,
            all: whole,
            members: world.complete.then_some(role.members.len()),
        })
    });
    told.collect()
}

/// `GET /api/flowdeck/v1/access/matrix` → a part of the matrix of people and roles by experiments and models
#[utoipa::path(get, path = "/access/matrix", tag = "Access", params(Window), responses((status = 200, body = Matrix)))]
pub async fn matrix(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Query(asked): extract::Query<Window>,
) -> Result<Json<Matrix>> {
    caller::reader(&state, &principal).await?;
    let (height, width) = (within(asked.height, "height")?, within(asked.width, "width")?);
    let (with_roles, with_people) = match asked.subjects.as_deref() {
        None | Some("") => (true, true),
        Some("roles") => (true, false),
        Some("people") => (false, true),
        Some(_) => return Err(Error::BadRequest("`subjects`: `people` or `roles`".into())),
    };
    let world = state.index.world(&state, &principal).await?;
    let (in_rows, in_columns) = (asked.rows.trim().to_lowercase(), asked.columns.trim().to_lowercase());
    let is_kind = |kind: Kind| match asked.kind {
        Some(asked) => asked == kind,
        None => matches!(kind, Kind::Experiment | Kind::RegisteredModel),
    };
    let is_column = |on: &Target, name: &str| is_kind(on.kind) && (in_columns.is_empty() || name.to_lowercase().contains(&in_columns));
    let mut columns: Vec<(&Target, &str)> = world
        .things
        .all
        .iter()
        .map(|(on, (name, _))| (on, name.as_str()))
        .filter(|(on, name)| is_column(on, name))
        .collect();
    columns.sort_by(|a, b| (a.0.kind, a.1).cmp(&(b.0.kind, b.1)));
    let columns_total = columns.len();
    let columns: Vec<(&Target, &str)> = columns.into_iter().skip(asked.column).take(width).collect();
    let is_row = |name: &str| in_rows.is_empty() || name.to_lowercase().contains(&in_rows);
    let roles = world
        .roles
        .keys()
        .filter(|name| with_roles && is_row(name))
        .map(|name| (true, name));
    let people = world
        .users
        .keys()
        .filter(|name| with_people && is_row(name))
        .map(|name| (false, name));
    let subjects: Vec<(bool, &String)> = roles.chain(people).collect();
    let rows_total = subjects.len();
    let default = world.default_level();
    let row = |(is_role, name): (bool, &String)| {
        if is_role {
            let grants = world.roles.get(name).map(|role| &role.grants)?;
            let mut sheet = Sheet::default();
            sheet.add(grants);
            // What it gives by itself: the default belongs to people.
            return Some(cells(&columns, Subject::Role(name.clone()), &sheet, grants, None));
        }
        let user = world.users.get(name)?;
        let row = cells(&columns, Subject::User(name.clone()), &world.sheet(user), &user.grants, default);
        Some(MatrixRow {
            admin: user.admin,
            active: user.active,
            ..row
        })
    };
    Ok(Json(Matrix {
        rows: subjects.into_iter().skip(asked.row).take(height).filter_map(row).collect(),
        rows_total,
        columns_total,
        default,
        default_known: world.default.is_known(),
        read_at: world.read_at,
        columns: columns
            .iter()
            .map(|(on, name)| MatrixColumn {
                on: (*on).clone(),
                name: (*name).to_owned(),
            })
            .collect(),
    }))
}

/// One row's letters.
fn cells(columns: &[(&Target, &str)], subject: Subject, sheet: &Sheet<'_>, own: &Grants, default: Option<Level>) -> MatrixRow {
    let granted = |on: &Target| own.get(on).map(|entry| entry.level);
    MatrixRow {
        subject,
        levels: columns.iter().map(|(on, _)| letter(sheet.level(on, default))).collect(),
        grants: columns.iter().map(|(on, _)| letter(granted(on))).collect(),
        admin: false,
        active: true,
    }
}

/// `GET /api/flowdeck/v1/access/own` → one's own roles and grants
#[utoipa::path(get, path = "/access/own", tag = "Access", responses((status = 200, body = OwnAccess)))]
pub async fn own(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Json<OwnAccess>> {
    let who = caller::who(&state, &principal).await?;
    let world = index::own(&state, &principal, &who).await?;
    let user = world.users.get(&who.user).cloned().unwrap_or_default();
    let roles = world.roles.iter().map(|(name, role)| OwnRole {
        role: name.clone(),
        groups: world.groups_giving(&who.user, name).map(str::to_owned).collect(),
        grants: grants(&world, &role.grants),
    });
    Ok(Json(OwnAccess {
        user: who.user.clone(),
        admin: user.admin,
        grants: grants(&world, &user.grants),
        roles: roles.collect(),
        default: world.default_level(),
        default_known: world.default.is_known(),
    }))
}

#[cfg(test)]
mod tests {
    use app::api::flowdeck::grant::{Kind, Level, Subject, Target};

    use super::people;
    use crate::admin::{
        explain::explain,
        world::tests::{grant, world},
    };

    /// The list and the explanation reckon the same.
    #[test]
    fn what_is_listed_is_what_is_explained() {
        let on = Target::new(Kind::Experiment, "7");
        let all = Target::new(Kind::Experiment, "*");
        let levels = Level::ALL.map(Some).into_iter().chain([None]);
        for default in [None, Some(Level::Read), Some(Level::Edit)] {
            for (direct, of_role) in levels.clone().flat_map(|one| levels.clone().map(move |other| (one, other))) {
                let mut world = world(default);
                world.make(&grant(Subject::User("ada".into()), &on, None, direct), None);
                world.make(&grant(Subject::Role("team".into()), &all, None, of_role), None);
                let listed = people(&world, &on);
                let ada = listed.iter().find(|person| person.user == "ada").unwrap();
                let told = explain(&world, "ada", &on).unwrap();
                assert_eq!(ada.level, told.level, "{default:?} {direct:?} {of_role:?}");
            }
        }
    }
}
