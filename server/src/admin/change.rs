//! Changes of who may do what: what edits bring along, what they would do, and who may not make them.

pub mod rest;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use app::api::flowdeck::{
    change::{Conflict, Edit, Effect, Effects},
    grant::{Kind, Level, Subject, Target},
};

use super::{
    index::Subjects,
    world::{Sheet, World},
};
use crate::{
    error::{Error, Result},
    mlflow::roster,
};

/// In one set, as it is sent; and with what comes along.
const MOST: usize = 2000;
const MOST_EXPANDED: usize = 20_000;
const LONGEST: usize = 500;
/// Effects that are told one by one.
const LISTED: usize = 200;
/// Pairs of a person and a thing that are looked at to count effects.
const MOST_PAIRS: usize = 20_000_000;

/// What edits come to.
pub struct Plan {
    /// All that is done, in order.
    pub edits: Vec<Edit>,
    pub after: World,
    pub conflicts: Vec<Conflict>,
    /// Nobody may do this.
    pub refused: Option<String>,
}

/// Thinks edits through from how things are. `whole`: with what comes along with them; a change that is taken back has all of it already.
///
/// # Errors
/// 400 for what cannot be.
pub fn plan(world: &World, wanted: &[Edit], whole: bool) -> Result<Plan> {
    if wanted.len() > MOST_EXPANDED || whole && wanted.len() > MOST {
        return Err(Error::BadRequest(format!("`edits`: at most {MOST} at once")));
    }
    let mut plan = Plan {
        edits: Vec::new(),
        after: world.clone(),
        conflicts: Vec::new(),
        refused: None,
    };
    for (number, edit) in wanted.iter().enumerate() {
        if whole && matches!(edit, Edit::Account { .. }) {
            return Err(Error::BadRequest(format!("edit {number}: accounts have routes of their own")));
        }
        check(&plan.after, edit).map_err(|says| Error::BadRequest(format!("edit {number}: {says}")))?;
        if let Err(mismatch) = plan.after.agrees(edit) {
            plan.conflicts.push(Conflict {
                edit: number,
                says: mismatch.0,
            });
        }
        if edit.is_empty() {
            continue;
        }
        if whole || matches!(edit, Edit::Account { .. }) {
            for before in before(&plan.after, edit) {
                plan.put(before);
            }
        }
        let after = if whole { after(&plan.after, edit) } else { Vec::new() };
        plan.put(edit.clone());
        for after in after {
            plan.put(after);
        }
        if plan.edits.len() > MOST_EXPANDED {
            return Err(Error::BadRequest(format!(
                "this comes to more than {MOST_EXPANDED} changes: make fewer at once"
            )));
        }
    }
    if world.admins().next().is_some() && plan.after.admins().next().is_none() {
        let sentence = "nobody would be left to look after this MLflow: its last administrator stays one";
        plan.refused = Some(sentence.to_owned());
    }
    Ok(plan)
}

// === impl Plan ===

impl Plan {
    fn put(&mut self, edit: Edit) {
        self.after.make(&edit, None);
        self.edits.push(edit);
    }
}

/// The users and roles that have to be known as they are at this moment, to make these edits.
pub fn subjects(world: Option<&World>, edits: &[Edit]) -> Subjects {
    let mut subjects = Subjects::default();
    for edit in edits {
        match edit {
            Edit::Grant { to, .. } => match to {
                Subject::User(name) => drop(subjects.users.insert(name.clone())),
                Subject::Role(name) => drop(subjects.roles.insert(name.clone())),
            },
            Edit::Member { role, user, .. } => {
                subjects.users.insert(user.clone());
                subjects.roles.insert(role.clone());
            }
            Edit::Admin { user, .. } => {
                subjects.users.insert(user.clone());
                subjects.users.extend(world.into_iter().flat_map(World::admins).map(str::to_owned));
            }
            Edit::Role { role, was, .. } => {
                if was.is_some() {
                    subjects.roles.insert(role.clone());
                    subjects.members.insert(role.clone());
                }
            }
            Edit::RoleName { was, .. } => {
                subjects.roles.insert(was.clone());
                subjects.members.insert(was.clone());
            }
            Edit::Group { group, .. } => {
                let group = world.and_then(|world| world.groups.get(group));
                subjects
                    .users
                    .extend(group.into_iter().flat_map(|group| group.members.iter().cloned()));
            }
            Edit::GroupMember { user, .. } => drop(subjects.users.insert(user.clone())),
            Edit::GroupRole { group, role, .. } => {
                subjects.roles.insert(role.clone());
                let group = world.and_then(|world| world.groups.get(group));
                subjects
                    .users
                    .extend(group.into_iter().flat_map(|group| group.members.iter().cloned()));
            }
            Edit::Account { user, will, .. } => {
                subjects.users.insert(user.clone());
                if !will.is_some_and(|account| account.active) {
                    subjects.users.extend(world.into_iter().flat_map(World::admins).map(str::to_owned));
                }
            }
        }
    }
    // What these very edits make is not there yet.
    for edit in edits {
        if let Edit::Role { role, was: None, .. } = edit {
            subjects.roles.remove(role);
        }
    }
    subjects
}

/// Whether there can be such an edit at all.
fn check(world: &World, edit: &Edit) -> Result<(), String> {
    let user = |name: &str| match world.users.contains_key(name) {
        true => Ok(()),
        false => Err(format!("there is no user {name}")),
    };
    let role = |name: &str| match world.roles.contains_key(name) {
        true => Ok(()),
        false => Err(format!("there is no role {name}")),
    };
    let group = |name: &str| match world.groups.contains_key(name) {
        true => Ok(()),
        false => Err(format!("there is no group {name}")),
    };
    match edit {
        Edit::Grant { to, on, will, .. } => {
            match to {
                Subject::User(name) => user(name)?,
                Subject::Role(name) => role(name)?,
            }
            target(on)?;
            if on.kind == Kind::Workspace && matches!(to, Subject::User(_)) {
                return Err("MLflow takes grants on the workspace for roles only".into());
            }
            match will {
                Some(level) if !on.kind.levels().contains(level) => Err(format!("there is no {} on a {}", level.name(), on.kind.name())),
                _ => Ok(()),
            }
        }
        Edit::Member {
            role: name, user: member, ..
        } => role(name).and(user(member)),
        Edit::Admin { user: name, .. } => user(name),
        Edit::Role { role: name, was, will } => {
            if let Some(text) = will {
                described(&text.description)?;
            }
            if was.is_none() { named(name) } else { role(name) }
        }
        Edit::RoleName { was, will } => role(was).and(named(will)),
        Edit::Group { group: name, was, will } => {
            if let Some(text) = will {
                described(&text.description)?;
            }
            if was.is_none() { named(name) } else { group(name) }
        }
        Edit::GroupMember {
            group: name, user: member, ..
        } => group(name).and(user(member)),
        Edit::GroupRole {
            group: name, role: held, ..
        } => group(name).and(role(held)),
        // Whether it is as it was found is all that matters.
        Edit::Account { .. } => Ok(()),
    }
}

/// Whether a grant can be about it.
///
/// # Errors
/// Why not, in a sentence.
pub fn target(on: &Target) -> Result<(), String> {
    if on.is_all() {
        return Ok(());
    }
    if !on.kind.has_ids() {
        return Err(format!("a grant on a {} is on all of them: `*`", on.kind.name()));
    }
    if on.id.is_empty() || on.id.len() > LONGEST || on.id.chars().any(char::is_control) {
        return Err("`id`: an id or a name of at most 500 bytes, or `*`".into());
    }
    Ok(())
}

/// A name of a role or a group: it stands in addresses.
fn named(name: &str) -> Result<(), String> {
    let odd = name.trim() != name || matches!(name, "" | "." | "..") || name.chars().any(char::is_control) || name.contains(['/', '\\']);
    if odd || name.chars().count() > 100 || roster::is_reserved(name) {
        return Err("a name has 1 to 100 letters, no slash, and does not begin with `__user_`".into());
    }
    Ok(())
}

fn described(text: &str) -> Result<(), String> {
    if text.len() > 2000 || text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Err("a description has at most 2000 letters".into());
    }
    Ok(())
}

/// What has to be done first: what is deleted is emptied, so that all of it can come back.
pub fn before(world: &World, edit: &Edit) -> Vec<Edit> {
    match edit {
        Edit::Role {
            role: name, will: None, ..
        } => {
            let Some(role) = world.roles.get(name) else { return Vec::new() };
            let groups = world.groups.iter().filter(|(_, group)| group.roles.contains(name));
            let groups = groups.map(|(group, _)| Edit::GroupRole {
                group: group.clone(),
                role: name.clone(),
                was: true,
                will: false,
            });
            let members = role.members.iter().map(|user| {
                let by_group = world.users.get(user).is_some_and(|user| user.by_group.contains(name));
                member(world, name, user, false, by_group)
            });
            let grants = role.grants.iter().map(|(on, entry)| Edit::Grant {
                to: Subject::Role(name.clone()),
                on: on.clone(),
                was: Some(entry.level),
                will: None,
            });
            groups.chain(members).chain(grants).collect()
        }
        Edit::Group {
            group: name, will: None, ..
        } => {
            let Some(group) = world.groups.get(name) else { return Vec::new() };
            // As if each role were taken from it, one after the other.
            let mut world = world.clone();
            let mut edits = Vec::new();
            for role in &group.roles {
                let edit = Edit::GroupRole {
                    group: name.clone(),
                    role: role.clone(),
                    was: true,
                    will: false,
                };
                let after = after(&world, &edit);
                for edit in std::iter::once(edit).chain(after) {
                    world.make(&edit, None);
                    edits.push(edit);
                }
            }
            edits.extend(group.members.iter().map(|user| Edit::GroupMember {
                group: name.clone(),
                user: user.clone(),
                was: true,
                will: false,
            }));
            edits
        }
        Edit::Account {
            user: name, will: None, ..
        } => belongings(world, name),
        _ => Vec::new(),
    }
}

/// What goes with a user.
fn belongings(world: &World, name: &str) -> Vec<Edit> {
    let Some(user) = world.users.get(name) else { return Vec::new() };
    let groups = world.groups_of(name).map(|group| Edit::GroupMember {
        group: group.to_owned(),
        user: name.to_owned(),
        was: true,
        will: false,
    });
    let roles = user
        .roles
        .iter()
        .map(|role| member(world, role, name, false, user.by_group.contains(role)));
    let grants = user.grants.iter().map(|(on, entry)| Edit::Grant {
        to: Subject::User(name.to_owned()),
        on: on.clone(),
        was: Some(entry.level),
        will: None,
    });
    let admin = user.admin.then(|| Edit::Admin {
        user: name.to_owned(),
        was: true,
        will: false,
    });
    groups.chain(roles).chain(grants).chain(admin).collect()
}

/// What follows: who comes into a group gets its roles, who leaves loses those that came with it.
fn after(world: &World, edit: &Edit) -> Vec<Edit> {
    let pairs: Vec<(&String, &String)> = match edit {
        Edit::GroupMember { group, user, .. } => {
            let Some(group) = world.groups.get(group) else { return Vec::new() };
            group.roles.iter().map(|role| (role, user)).collect()
        }
        Edit::GroupRole { group, role, .. } => {
            let Some(group) = world.groups.get(group) else { return Vec::new() };
            group.members.iter().map(|user| (role, user)).collect()
        }
        _ => return Vec::new(),
    };
    let mut next = world.clone();
    next.make(edit, None);
    let edit = |(role, user): (&String, &String)| {
        let held = world.users.get(user)?;
        let given = next.groups_giving(user, role).next().is_some();
        let has = held.roles.contains(role);
        match (given, has) {
            (true, false) if world.roles.contains_key(role) => Some(member(&next, role, user, true, true)),
            (false, true) if held.by_group.contains(role) => Some(member(world, role, user, false, true)),
            _ => None,
        }
    };
    pairs.into_iter().filter_map(edit).collect()
}

fn member(world: &World, role: &str, user: &str, will: bool, by_group: bool) -> Edit {
    let group = by_group.then(|| {
        let giving = world.groups_giving(user, role).next();
        giving.unwrap_or_default().to_owned()
    });
    Edit::Member {
        role: role.to_owned(),
        user: user.to_owned(),
        was: !will,
        will,
        group,
    }
}

/// Who gets more, and who less.
pub fn effects(before: &World, after: &World, edits: &[Edit]) -> (Effects, Effects, Option<String>) {
    let (users, targets) = touched(before, after, edits);
    let (mut gains, mut losses) = (Tally::default(), Tally::default());
    let (was_default, will_default) = (before.default_level(), after.default_level());
    let mut pairs = 0;
    for name in users {
        // Who is not there has nothing, whatever the default.
        let (was, will) = (
            before.users.get(name).map(|user| before.sheet(user)),
            after.users.get(name).map(|user| after.sheet(user)),
        );
        let neither_gains_nor_loses = match (&was, &will) {
            (Some(was), Some(will)) => was.powerful && will.powerful,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if neither_gains_nor_loses {
            continue;
        }
        for on in &targets {
            let level = |sheet: &Option<Sheet<'_>>, default| sheet.as_ref().and_then(|sheet| sheet.level(on, default));
            let levels = (level(&was, was_default), level(&will, will_default));
            let rank = |level: Option<Level>| level.map_or(0, Level::rank);
            match rank(levels.1).cmp(&rank(levels.0)) {
                std::cmp::Ordering::Greater => gains.add(before, name, on, levels),
                std::cmp::Ordering::Less => losses.add(before, name, on, levels),
                std::cmp::Ordering::Equal => {}
            }
        }
        pairs += targets.len();
        if pairs > MOST_PAIRS {
            let sentence = "This touches so much that not all of it was counted.";
            return (gains.effects, losses.effects, Some(sentence.to_owned()));
        }
    }
    (gains.effects, losses.effects, None)
}

/// The people and things that edits may mean something for.
fn touched<'a>(before: &'a World, after: &'a World, edits: &'a [Edit]) -> (BTreeSet<&'a str>, Vec<&'a Target>) {
    let mut users = BTreeSet::new();
    let mut one: BTreeSet<&Target> = BTreeSet::new();
    let mut kinds: BTreeSet<Kind> = BTreeSet::new();
    let mut everything = false;
    let mut on = |target: &'a Target, everything: &mut bool| match (target.kind, target.is_all()) {
        (Kind::Workspace, _) => *everything = true,
        (kind, true) => drop(kinds.insert(kind)),
        (_, false) => drop(one.insert(target)),
    };
    for edit in edits {
        match edit {
            Edit::Grant { to, on: target, .. } => {
                match to {
                    Subject::User(name) => drop(users.insert(name.as_str())),
                    Subject::Role(name) => {
                        let members = [before, after].into_iter().filter_map(|world| world.roles.get(name));
                        users.extend(members.flat_map(|role| role.members.iter().map(String::as_str)));
                    }
                }
                on(target, &mut everything);
            }
            Edit::Member { role, user, .. } => {
                users.insert(user);
                for role in [before, after].into_iter().filter_map(|world| world.roles.get(role)) {
                    for target in role.grants.keys() {
                        on(target, &mut everything);
                    }
                }
            }
            Edit::Admin { user, .. } => {
                users.insert(user);
                everything = true;
            }
            _ => {}
        }
    }
    let known = before.things.all.keys();
    let mut targets: BTreeSet<&Target> = known.filter(|target| everything || kinds.contains(&target.kind)).collect();
    targets.extend(one);
    (users, targets.into_iter().collect())
}

#[derive(Default)]
struct Tally<'a> {
    effects: Effects,
    person: Option<String>,
    things: BTreeSet<&'a Target>,
}

// === impl Tally ===

impl<'a> Tally<'a> {
    fn add(&mut self, world: &World, user: &str, on: &'a Target, (was, will): (Option<Level>, Option<Level>)) {
        self.effects.count += 1;
        if self.person.as_deref() != Some(user) {
            self.person = Some(user.to_owned());
            self.effects.people += 1;
        }
        self.things.insert(on);
        self.effects.things = self.things.len();
        if self.effects.listed.len() < LISTED {
            self.effects.listed.push(Effect {
                user: user.to_owned(),
                on: on.clone(),
                name: world.things.name(on).unwrap_or(&on.id).to_owned(),
                was,
                will,
            });
        }
    }
}

/// What a change of an account brings with it that no edit says.
fn account(edit: &Edit) -> Option<String> {
    let Edit::Account { user, was, will } = edit else { return None };
    let link = "reset it on their page to get a link by which they set one";
    let says = match (was, will) {
        (_, None) => format!("{user} goes from MLflow. Keys are revoked, and sessions and own views go for good."),
        (None, Some(account)) if account.service => format!("{user} is made anew, without the keys from before."),
        (None, Some(_)) => format!("{user} is made anew, without password, keys and own views from before. For a password, {link}."),
        (Some(_), Some(account)) if !account.active => format!("Sessions, keys and the password of {user} stop at once."),
        (Some(_), Some(account)) if account.service => format!("Keys of {user} that worked before work again."),
        (Some(_), Some(_)) => format!("{user} needs a new password: {link}. Then keys that worked before work again."),
    };
    Some(says)
}

/// What one should know before.
pub fn warnings(world: &World, plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    let default = world.default_level();
    let idle = plan.edits.iter().filter(|edit| {
        let Edit::Grant { will: Some(level), .. } = edit else {
            return false;
        };
        *level != Level::Deny && default.is_some_and(|default| default.rank() >= level.rank())
    });
    let idle = idle.count();
    if idle > 0 {
        let default = default.map_or("nothing", Level::name);
        warnings.push(format!(
            "{idle} of these grants give nothing that MLflow's default permission, {default}, does not give to everybody already."
        ));
    }
    let mut gone: HashMap<&Target, usize> = HashMap::new();
    for edit in &plan.edits {
        if let Edit::Grant { on, will: Some(_), .. } = edit
            && matches!(on.kind, Kind::Experiment | Kind::RegisteredModel | Kind::Prompt)
            && !on.is_all()
            && world.complete
            && world.things.name(on).is_none()
        {
            *gone.entry(on).or_default() += 1;
        }
    }
    if !gone.is_empty() {
        let names: BTreeMap<_, _> = gone.keys().map(|on| (on.id.as_str(), on.kind.name())).collect();
        let names: Vec<String> = names.into_iter().take(5).map(|(id, kind)| format!("{kind} {id}")).collect();
        warnings.push(format!("MLflow has no {} at the moment.", names.join(", ")));
    }
    warnings.extend(plan.edits.iter().filter_map(account));
    if !world.complete {
        warnings.push("MLflow does not tell you who has which role: what roles give is not counted.".into());
    }
    warnings
}
