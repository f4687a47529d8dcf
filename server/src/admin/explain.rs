//! Why somebody may do something with a thing: MLflow's own reckoning, step by step.
//!
//! It follows MLflow 3.17's `mlflow.server.auth`: `_before_request` lets administrators pass; `resolve_permissions` lets whoever manages
//! the workspace pass, before any DENY; `fold_grants_for_key` takes DENY, else the highest of the grants on the thing and on all of its kind,
//! direct or of a role; `floor_positive_permission` raises that to `default_permission`, which also holds where nothing is granted.
//! To delete, `validate_can_delete_experiment` and its like also ask of what lies within.

use app::api::flowdeck::{
    explain::{Can, Explanation, Place, Step, Why},
    grant::{Kind, Level, Target},
};
use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    index,
    world::{Entry, User, World, floor},
};
use crate::{
    caller,
    error::{Error, Result},
    extract,
    principal::Principal,
    state,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Oneself, where nothing is said; somebody else for owners.
    user: Option<String>,
    kind: Kind,
    /// An experiment's id, or a name.
    id: String,
}

/// `GET /api/flowdeck/v1/explain?user=&kind=&id=` → what a user may do with a thing, and why
#[utoipa::path(get, path = "/explain", tag = "Access", params(Asked), responses((status = 200, body = Explanation)))]
pub async fn show(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Query(asked): extract::Query<Asked>,
) -> Result<Json<Explanation>> {
    let on = Target::new(asked.kind, asked.id);
    let own = caller::who(&state, &principal).await?;
    let user = asked.user.unwrap_or_else(|| own.user.clone());
    if user != own.user && !own.is_admin {
        return Err(Error::Forbidden("only owners of this MLflow ask for others".into()));
    }
    let world = if own.is_admin {
        state.index.world(&state, &principal).await?
    } else {
        index::own(&state, &principal, &own).await?.into()
    };
    explain(&world, &user, &on)
        .map(Json)
        .ok_or_else(|| Error::NotFound("there is no such user".into()))
}

/// `None`: there is no such user.
pub fn explain(world: &World, name: &str, on: &Target) -> Option<Explanation> {
    let user = world.users.get(name)?;
    let (sheet, default) = (world.sheet(user), world.default_level());
    let level = sheet.level(on, default);
    let mut can = Can::of(level);
    can.delete = sheet.may_delete(on, default);
    Some(Explanation {
        user: name.to_owned(),
        on: on.clone(),
        name: world.things.name(on).map(str::to_owned),
        level,
        can,
        steps: steps(world, name, user, on),
        active: user.active,
        default_known: world.default.is_known(),
        read_at: world.read_at,
    })
}

/// A grant that says something of a thing.
struct Found<'a> {
    /// `None`: direct.
    role: Option<&'a str>,
    on: &'a Target,
    level: Level,
}

fn steps(world: &World, name: &str, user: &User, on: &Target) -> Vec<Step> {
    let default = world.default_level();
    let mut steps = Vec::new();
    let mut open = true;
    // The first that decides; later ones are told as what would have counted.
    let mut decides = |whether: bool| {
        let first = whether && open;
        open = open && !whether;
        first
    };
    if !user.active {
        let says = "Is deactivated in Flowdeck: cannot sign in, whatever MLflow would allow.";
        steps.push(step(Why::Inactive, false, None, says, Some(Place::User(name.into()))));
    }
    if user.admin {
        let says = "Is an administrator: passes every check, whatever is granted or denied.";
        let place = Some(Place::User(name.into()));
        steps.push(step(Why::Admin, decides(true), Some(Level::Manage), says, place));
    }
    let workspace = Target::new(Kind::Workspace, Target::ALL);
    for found in found(world, user, &[&workspace]).filter(|found| found.level == Level::Manage) {
        let says = format!("{} manages the whole workspace, and all in it, whatever is denied.", who(&found));
        steps.push(found.step(world, name, Why::Workspace, decides(true), says));
    }
    let all = Target::new(on.kind, Target::ALL);
    let keys: Vec<&Target> = if on.is_all() { vec![on] } else { vec![on, &all] };
    let mut grants: Vec<Found<'_>> = found(world, user, &keys).collect();
    // DENY first, then the highest; of equals a direct one, and one on the very thing.
    grants.sort_by_key(|found| {
        let rank = if found.level == Level::Deny { 9 } else { found.level.rank() };
        (std::cmp::Reverse(rank), found.role.is_some(), found.on.is_all())
    });
    let best = grants.first().map(|found| found.level);
    for found in &grants {
        let why = match (found.level, found.role) {
            (Level::Deny, _) => Why::Deny,
            (_, None) => Why::Direct,
            (_, Some(_)) => Why::Role,
        };
        let whole = if found.on.is_all() && !on.is_all() {
            "on all of its kind"
        } else {
            "on it"
        };
        let wins = if found.level == Level::Deny {
            ", which wins over all other grants"
        } else {
            ""
        };
        let says = format!("{} has {} {whole}{wins}.", who(found), found.level.name());
        let raised = floor(found.level, default) != found.level;
        steps.push(found.step(world, name, why, decides(!raised), says));
    }
    let said = if world.default.is_known() {
        ""
    } else {
        " (which could not be learned, and is taken to be nothing)"
    };
    let held = default.map_or("nothing", Level::name);
    let place = Some(Place::Mlflow("default_permission".into()));
    match best {
        None => {
            let says = format!("Nothing is granted: MLflow's default permission holds, {held}{said}.");
            steps.push(step(Why::Default, decides(true), default, &says, place));
        }
        Some(best) if floor(best, default) != best => {
            let says = format!("MLflow's default permission is {held}: nobody has less, but by DENY.");
            steps.push(step(Why::Floor, decides(true), default, &says, place));
        }
        Some(_) => {}
    }
    // Only where something within stands against the thing's own level.
    let sheet = world.sheet(user);
    if sheet.level(on, default) == Some(Level::Manage) {
        for (kind, _) in sheet.keeps(on, default) {
            let key = Target::new(kind, Target::ALL);
            for found in found(world, user, &[&key]).filter(|found| found.level != Level::Manage) {
                let (who, level) = (who(&found), found.level.name());
                let says = format!(
                    "{who} has only {level} on every {}: it cannot be deleted with what lies in it.",
                    words(kind)
                );
                steps.push(found.step(world, name, Why::Within, true, says));
            }
        }
    }
    steps
}

/// The grants of a user, direct ones first, on any of these.
fn found<'a>(world: &'a World, user: &'a User, keys: &[&'a Target]) -> impl Iterator<Item = Found<'a>> {
    let direct = std::iter::once((None, &user.grants));
    let roles = user
        .roles
        .iter()
        .filter_map(|role| Some((Some(role.as_str()), &world.roles.get(role)?.grants)));
    let keys = keys.to_vec();
    direct.chain(roles).flat_map(move |(role, grants)| {
        let said = |on: &&'a Target| {
            let (on, Entry { level, .. }) = grants.get_key_value(*on)?;
            Some(Found { role, on, level: *level })
        };
        keys.iter().filter_map(said).collect::<Vec<_>>()
    })
}

fn who(found: &Found<'_>) -> String {
    found.role.map_or_else(|| "The user".to_owned(), |role| format!("The role {role}"))
}

/// A kind in words.
pub fn words(kind: Kind) -> String {
    kind.name().replace('_', " ")
}

fn step(why: Why, decides: bool, level: Option<Level>, says: &str, change: Option<Place>) -> Step {
    Step {
        why,
        decides,
        level,
        on: None,
        groups: Vec::new(),
        says: says.to_owned(),
        change,
    }
}

// === impl Found ===

impl Found<'_> {
    fn step(&self, world: &World, user: &str, why: Why, decides: bool, says: String) -> Step {
        let groups = self.role.into_iter().flat_map(|role| world.groups_giving(user, role));
        Step {
            why,
            decides,
            level: Some(self.level),
            on: Some(self.on.clone()),
            groups: groups.map(str::to_owned).collect(),
            says,
            change: Some(match self.role {
                Some(role) => Place::Role(role.to_owned()),
                None => Place::User(user.to_owned()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use app::api::flowdeck::{
        explain::Why,
        grant::{Kind, Level, Subject, Target},
    };

    use super::explain;
    use crate::admin::world::tests::{grant, world};

    #[test]
    fn the_step_that_decides_is_the_one_that_mlflow_reckons_with() {
        let on = Target::new(Kind::Experiment, "7");
        let mut world = world(Some(Level::Read));
        let decided = |world: &_| {
            let told = explain(world, "ada", &on).unwrap();
            let step = told.steps.iter().find(|step| step.decides).unwrap();
            assert_eq!(step.level, told.level, "{told:?}");
            step.why
        };
        assert_eq!(decided(&world), Why::Default);
        world.make(&grant(Subject::User("ada".into()), &on, None, Some(Level::Read)), None);
        assert_eq!(decided(&world), Why::Direct);
        world.make(&grant(Subject::Role("team".into()), &on, None, Some(Level::Edit)), None);
        assert_eq!(decided(&world), Why::Role);
        let all = Target::new(Kind::Experiment, "*");
        world.make(&grant(Subject::Role("team".into()), &all, None, Some(Level::Deny)), None);
        assert_eq!(decided(&world), Why::Deny);
        assert!(explain(&world, "nobody", &on).is_none());
    }

    #[test]
    fn a_grant_below_the_default_is_raised_to_it() {
        let on = Target::new(Kind::RegisteredModel, "resnet");
        let mut world = world(Some(Level::Edit));
        world.make(&grant(Subject::User("ada".into()), &on, None, Some(Level::Read)), None);
        let told = explain(&world, "ada", &on).unwrap();
        assert_eq!((told.level, told.can.edit, told.can.delete), (Some(Level::Edit), true, false));
        assert_eq!(told.steps.iter().find(|step| step.decides).unwrap().why, Why::Floor);
    }
}
