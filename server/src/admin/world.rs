//! Who has what, as MLflow and Flowdeck keep it: pure data, read from them, and what edits make of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use app::api::flowdeck::{
    change::{Account, Edit, Text},
    grant::{Kind, Level, Subject, Target},
};

/// Everything that explanations, lists and trials are made from. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub users: BTreeMap<String, Arc<User>>,
    pub roles: BTreeMap<String, Arc<Role>>,
    pub groups: BTreeMap<String, Arc<Group>>,
    pub things: Arc<Things>,
    pub default: Fallback,
    /// Read as an administrator. To others MLflow does not tell who has which role.
    pub complete: bool,
    /// Ms since 1970.
    pub read_at: i64,
}

#[derive(Clone, Debug, Default)]
pub struct User {
    pub id: i64,
    pub admin: bool,
    pub service: bool,
    pub active: bool,
    /// Direct grants.
    pub grants: Grants,
    pub roles: BTreeSet<String>,
    /// Those of the roles that groups have given.
    pub by_group: BTreeSet<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Role {
    /// `None` for one that is only tried out.
    pub id: Option<i64>,
    pub description: String,
    pub grants: Grants,
    pub members: BTreeSet<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Group {
    pub description: String,
    pub members: BTreeSet<String>,
    pub roles: BTreeSet<String>,
}

pub type Grants = BTreeMap<Target, Entry>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub level: Level,
    /// MLflow's row; `None` for one that is only tried out.
    pub row: Option<i64>,
}

/// Experiments, models and prompts: name and time of making, ms since 1970.
#[derive(Debug, Default)]
pub struct Things {
    pub all: BTreeMap<Target, (String, Option<i64>)>,
    pub read_at: i64,
}

/// MLflow's `default_permission`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// It could not be learned, and is taken to be nothing.
    #[default]
    Unknown,
    Known(Option<Level>),
}

/// All that one user, or one role, has, folded: answers for each thing at once.
#[derive(Debug, Default)]
pub struct Sheet<'a> {
    /// Manages everything, whatever is denied.
    pub powerful: bool,
    all: HashMap<Kind, Level>,
    one: HashMap<&'a Target, Level>,
}

/// What an edit finds that is not as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(pub String);

// === impl Fallback ===

impl Fallback {
    pub fn level(self) -> Option<Level> {
        match self {
            Self::Unknown => None,
            Self::Known(level) => level,
        }
    }

    pub fn is_known(self) -> bool {
        self != Self::Unknown
    }
}

// === impl Things ===

impl Things {
    pub fn name(&self, on: &Target) -> Option<&str> {
        self.all.get(on).map(|(name, _)| name.as_str())
    }
}

// === impl Sheet ===

/// Of two grants at one key DENY wins, else the higher (`fold_grants_for_key` of `mlflow.server.auth.requirements`).
fn fold(a: Option<Level>, b: Option<Level>) -> Option<Level> {
    match (a, b) {
        (Some(Level::Deny), _) | (_, Some(Level::Deny)) => Some(Level::Deny),
        (Some(a), Some(b)) => Some(if a.rank() >= b.rank() { a } else { b }),
        (a, b) => a.or(b),
    }
}

/// A grant is never worth less than the default, but a DENY (`floor_positive_permission`, the same).
pub fn floor(level: Level, default: Option<Level>) -> Level {
    match (level, default) {
        (Level::Deny, _) => Level::Deny,
        (level, Some(default)) if default.rank() > level.rank() => default,
        (level, _) => level,
    }
}

/// What lies in a thing and is deleted with it (`validate_can_delete_experiment` and its like in `mlflow.server.auth`).
pub fn within(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Experiment => &[
            Kind::Run,
            Kind::Trace,
            Kind::LoggedModel,
            Kind::Assessment,
            Kind::ReviewQueue,
            Kind::Scorer,
            Kind::ScorerVersion,
        ],
        Kind::RegisteredModel => &[Kind::RegisteredModelVersion],
        Kind::Prompt => &[Kind::PromptVersion],
        Kind::Scorer => &[Kind::ScorerVersion],
        Kind::McpServer => &[Kind::McpServerVersion],
        _ => &[],
    }
}

impl<'a> Sheet<'a> {
    pub fn add(&mut self, grants: &'a Grants) {
        for (on, entry) in grants {
            if on.kind == Kind::Workspace && on.is_all() && entry.level == Level::Manage {
                self.powerful = true;
            }
            let level = Some(entry.level);
            if on.is_all() {
                let held = fold(self.all.get(&on.kind).copied(), level);
                self.all.extend(held.map(|held| (on.kind, held)));
            } else {
                let held = fold(self.one.get(on).copied(), level);
                self.one.extend(held.map(|held| (on, held)));
            }
        }
    }

    /// What is granted on a thing, on itself or on all of its kind; `None`: nothing is said.
    pub fn granted(&self, on: &Target) -> Option<Level> {
        fold(self.all.get(&on.kind).copied(), self.one.get(on).copied())
    }

    /// What MLflow reckons with: workspace managers first, then grants, then the default.
    pub fn level(&self, on: &Target, default: Option<Level>) -> Option<Level> {
        if self.powerful {
            return Some(Level::Manage);
        }
        match self.granted(on) {
            Some(level) => Some(floor(level, default)),
            None => default,
        }
    }

    /// The kinds within a thing that keep it from being deleted, though the thing itself could be.
    pub fn keeps(&self, on: &Target, default: Option<Level>) -> Vec<(Kind, Level)> {
        if self.powerful {
            return Vec::new();
        }
        let granted = |kind: &Kind| Some((*kind, floor(*self.all.get(kind)?, default)));
        let held = within(on.kind).iter().filter_map(granted);
        held.filter(|(_, level)| *level != Level::Manage).collect()
    }

    /// Whether a thing may be deleted with all that lies in it.
    pub fn may_delete(&self, on: &Target, default: Option<Level>) -> bool {
        self.level(on, default) == Some(Level::Manage) && self.keeps(on, default).is_empty()
    }
}

// === impl User ===

impl User {
    pub fn account(&self) -> Account {
        Account {
            active: self.active,
            service: self.service,
        }
    }
}

// === impl World ===

impl World {
    pub fn default_level(&self) -> Option<Level> {
        self.default.level()
    }

    /// What a user has, roles included.
    pub fn sheet<'a>(&'a self, user: &'a User) -> Sheet<'a> {
        let mut sheet = Sheet {
            powerful: user.admin,
            ..Sheet::default()
        };
        sheet.add(&user.grants);
        for role in user.roles.iter().filter_map(|role| self.roles.get(role)) {
            sheet.add(&role.grants);
        }
        sheet
    }

    /// The groups through which a user has a role.
    pub fn groups_giving<'a>(&'a self, user: &'a str, role: &'a str) -> impl Iterator<Item = &'a str> {
        let gives = move |group: &Group| group.members.contains(user) && group.roles.contains(role);
        self.groups
            .iter()
            .filter(move |(_, group)| gives(group))
            .map(|(name, _)| name.as_str())
    }

    pub fn groups_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a str> {
        self.groups
            .iter()
            .filter(move |(_, group)| group.members.contains(user))
            .map(|(name, _)| name.as_str())
    }

    /// Administrators who can sign in.
    pub fn admins(&self) -> impl Iterator<Item = &str> {
        self.users
            .iter()
            .filter(|(_, user)| user.admin && user.active && !user.service)
            .map(|(name, _)| name.as_str())
    }

    /// Whether without this user nobody could look after the MLflow any more.
    pub fn is_last_admin(&self, user: &str) -> bool {
        let mut admins = self.admins();
        admins.next() == Some(user) && admins.next().is_none()
    }

    pub fn grants_of(&self, subject: &Subject) -> Option<&Grants> {
        match subject {
            Subject::User(name) => self.users.get(name).map(|user| &user.grants),
            Subject::Role(name) => self.roles.get(name).map(|role| &role.grants),
        }
    }

    /// Whether all is as the edit has found it.
    ///
    /// # Errors
    /// What it is instead, in a sentence.
    pub fn agrees(&self, edit: &Edit) -> Result<(), Mismatch> {
        let is = |holds: bool, says: &dyn Fn() -> String| if holds { Ok(()) } else { Err(Mismatch(says())) };
        let has = |holds: bool, whether: bool, thing: String| {
            is(holds == whether, &|| {
                format!("{} {thing}", if holds { "now there is:" } else { "there is no longer:" })
            })
        };
        match edit {
            Edit::Grant { to, on, was, .. } => {
                let now = self.grants_of(to).and_then(|grants| grants.get(on)).map(|entry| entry.level);
                let says = || {
                    let now = now.map_or("nothing", Level::name);
                    format!("{} has {now} on {} {} now", to.name(), on.kind.name(), on.id)
                };
                is(now == *was, &says)
            }
            Edit::Member { role, user, was, .. } => {
                let holds = self.users.get(user).is_some_and(|user| user.roles.contains(role));
                has(holds, *was, format!("the role {role} of {user}"))
            }
            Edit::Admin { user, was, .. } => {
                let holds = self.users.get(user).is_some_and(|user| user.admin);
                has(holds, *was, format!("the administrator {user}"))
            }
            Edit::Role { role, was, .. } => {
                let now = self.roles.get(role).map(|role| &role.description);
                is(now == was.as_ref().map(|text| &text.description), &|| {
                    format!("the role {role} was made, described or deleted meanwhile")
                })
            }
            Edit::RoleName { was, will } => is(self.roles.contains_key(was) && !self.roles.contains_key(will), &|| {
                format!("the role {was} has another name by now, or {will} is another role")
            }),
            Edit::Group { group, was, .. } => {
                let now = self.groups.get(group).map(|group| &group.description);
                is(now == was.as_ref().map(|text| &text.description), &|| {
                    format!("the group {group} was made, described or deleted meanwhile")
                })
            }
            Edit::GroupMember { group, user, was, .. } => {
                let holds = self.groups.get(group).is_some_and(|group| group.members.contains(user));
                has(holds, *was, format!("the member {user} of the group {group}"))
            }
            Edit::GroupRole { group, role, was, .. } => {
                let holds = self.groups.get(group).is_some_and(|group| group.roles.contains(role));
                has(holds, *was, format!("the role {role} of the group {group}"))
            }
            Edit::Account { user, was, .. } => {
                let now = self.users.get(user).map(|user| user.account());
                is(now == *was, &|| match now {
                    None => format!("there is no longer a user {user}"),
                    Some(_) if was.is_none() => format!("there is a user {user} again"),
                    Some(account) if account.active => format!("{user} is active by now"),
                    Some(_) => format!("{user} is deactivated by now"),
                })
            }
        }
    }

    /// Makes an edit, whatever it has found. `row` is MLflow's, of a role or of a role's grant, where it is known.
    pub fn make(&mut self, edit: &Edit, row: Option<i64>) {
        match edit {
            Edit::Grant { to, on, will, .. } => {
                let grants = match to {
                    Subject::User(name) => self.users.get_mut(name).map(|user| &mut Arc::make_mut(user).grants),
                    Subject::Role(name) => self.roles.get_mut(name).map(|role| &mut Arc::make_mut(role).grants),
                };
                let Some(grants) = grants else { return };
                let row = row.or_else(|| grants.get(on)?.row);
                match will {
                    Some(level) => drop(grants.insert(on.clone(), Entry { level: *level, row })),
                    None => drop(grants.remove(on)),
                }
            }
            Edit::Member {
                role, user, will, group, ..
            } => {
                if let Some(user) = self.users.get_mut(user).map(Arc::make_mut) {
                    put(&mut user.roles, role, *will);
                    put(&mut user.by_group, role, *will && group.is_some());
                }
                if let Some(role) = self.roles.get_mut(role) {
                    put(&mut Arc::make_mut(role).members, user, *will);
                }
            }
            Edit::Admin { user, will, .. } => {
                if let Some(user) = self.users.get_mut(user) {
                    Arc::make_mut(user).admin = *will;
                }
            }
            Edit::Role { role, will, .. } => match will {
                Some(Text { description }) => {
                    let role = Arc::make_mut(self.roles.entry(role.clone()).or_default());
                    role.description.clone_from(description);
                    role.id = row.or(role.id);
                }
                None => drop(self.roles.remove(role)),
            },
            Edit::RoleName { was, will } => self.rename_role(was, will),
            Edit::Group { group, will, .. } => match will {
                Some(Text { description }) => {
                    let group = Arc::make_mut(self.groups.entry(group.clone()).or_default());
                    group.description.clone_from(description);
                }
                None => drop(self.groups.remove(group)),
            },
            Edit::GroupMember { group, user, will, .. } => {
                if let Some(group) = self.groups.get_mut(group) {
                    put(&mut Arc::make_mut(group).members, user, *will);
                }
            }
            Edit::GroupRole { group, role, will, .. } => {
                if let Some(group) = self.groups.get_mut(group) {
                    put(&mut Arc::make_mut(group).roles, role, *will);
                }
            }
            Edit::Account { user, will: None, .. } => self.leave(user),
            Edit::Account {
                user, will: Some(account), ..
            } => {
                let user = Arc::make_mut(self.users.entry(user.clone()).or_default());
                user.active = account.active;
                user.service = account.service;
            }
        }
    }

    /// As if there were no such user.
    pub fn leave(&mut self, name: &str) {
        let Some(user) = self.users.remove(name) else { return };
        for role in &user.roles {
            if let Some(role) = self.roles.get_mut(role) {
                Arc::make_mut(role).members.remove(name);
            }
        }
        for group in self.groups.values_mut().filter(|group| group.members.contains(name)) {
            Arc::make_mut(group).members.remove(name);
        }
    }

    fn rename_role(&mut self, was: &str, will: &str) {
        let Some(role) = self.roles.remove(was) else { return };
        for name in &role.members {
            if let Some(user) = self.users.get_mut(name).map(Arc::make_mut) {
                put(&mut user.roles, was, false);
                put(&mut user.roles, will, true);
                let by_group = user.by_group.remove(was);
                put(&mut user.by_group, will, by_group);
            }
        }
        for group in self.groups.values_mut().filter(|group| group.roles.contains(was)) {
            let group = Arc::make_mut(group);
            put(&mut group.roles, was, false);
            put(&mut group.roles, will, true);
        }
        self.roles.insert(will.to_owned(), role);
    }
}

fn put(set: &mut BTreeSet<String>, name: &str, there: bool) {
    if there {
        set.insert(name.to_owned());
    } else {
        set.remove(name);
    }
}

#[cfg(test)]
pub mod tests {
    use std::sync::Arc;

    use app::api::flowdeck::{
        change::Edit,
        grant::{Kind, Level, Subject, Target},
    };

    use super::{Fallback, Role, User, World, floor};

    /// Ada, who has the role `team`, and Bob; nothing is granted.
    pub fn world(default: Option<Level>) -> World {
        let mut world = World {
            default: Fallback::Known(default),
            complete: true,
            ..World::default()
        };
        for name in ["ada", "bob"] {
            let user = User {
                active: true,
                ..User::default()
            };
            world.users.insert(name.into(), Arc::new(user));
        }
        world.roles.insert("team".into(), Arc::new(Role::default()));
        world.make(&member("ada", true), None);
        world
    }

    pub fn member(user: &str, will: bool) -> Edit {
        Edit::Member {
            role: "team".into(),
            user: user.into(),
            was: !will,
            will,
            group: None,
        }
    }

    pub fn grant(to: Subject, on: &Target, was: Option<Level>, will: Option<Level>) -> Edit {
        Edit::Grant {
            to,
            on: on.clone(),
            was,
            will,
        }
    }

    #[test]
    fn deny_wins_then_the_highest_and_the_default_is_the_floor() {
        let (one, all) = (Target::new(Kind::Experiment, "7"), Target::new(Kind::Experiment, "*"));
        let mut world = world(Some(Level::Edit));
        let level = |world: &World| world.sheet(&world.users["ada"]).level(&one, world.default_level());
        assert_eq!(level(&world), Some(Level::Edit));
        world.make(&grant(Subject::User("ada".into()), &one, None, Some(Level::Read)), None);
        assert_eq!(level(&world), Some(Level::Edit));
        world.make(&grant(Subject::Role("team".into()), &all, None, Some(Level::Manage)), None);
        assert_eq!(level(&world), Some(Level::Manage));
        world.make(&grant(Subject::User("ada".into()), &one, None, Some(Level::Deny)), None);
        assert_eq!(level(&world), Some(Level::Deny));
        let workspace = Target::new(Kind::Workspace, "*");
        world.make(&grant(Subject::Role("team".into()), &workspace, None, Some(Level::Manage)), None);
        assert_eq!(level(&world), Some(Level::Manage));
        assert_eq!(floor(Level::Deny, Some(Level::Read)), Level::Deny);
    }

    #[test]
    fn what_lies_within_can_keep_a_thing_from_being_deleted() {
        let (one, runs) = (Target::new(Kind::Experiment, "7"), Target::new(Kind::Run, "*"));
        let mut world = world(None);
        world.make(&grant(Subject::User("ada".into()), &one, None, Some(Level::Manage)), None);
        assert!(world.sheet(&world.users["ada"]).may_delete(&one, None));
        world.make(&grant(Subject::User("ada".into()), &runs, None, Some(Level::Edit)), None);
        assert!(!world.sheet(&world.users["ada"]).may_delete(&one, None));
    }

    #[test]
    fn an_edit_finds_what_it_says_or_tells_what_it_found() {
        let mut world = world(None);
        let on = Target::new(Kind::Experiment, "7");
        let edit = grant(Subject::User("ada".into()), &on, None, Some(Level::Edit));
        assert!(world.agrees(&edit).is_ok());
        world.make(&edit, None);
        let found = world.agrees(&edit).unwrap_err().0;
        assert!(found.contains("EDIT"), "{found}");
        assert!(world.agrees(&edit.clone().reversed()).is_ok());
        world.make(&edit.reversed(), None);
        assert!(world.users["ada"].grants.is_empty());
        assert!(world.agrees(&member("ada", false)).is_ok() && world.agrees(&member("ada", true)).is_err());
        let name = Edit::RoleName {
            was: "team".into(),
            will: "crew".into(),
        };
        assert!(world.agrees(&name).is_ok());
        world.make(&name, None);
        assert!(world.users["ada"].roles.contains("crew") && world.agrees(&name).is_err());
    }
}
