//! The world as an owner sees it, kept in memory: MLflow tells of all users in one list or not at all. It is read with the credentials of
//! whoever asks, told with its age, and read anew by time and after changes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use app::api::flowdeck::grant::{Kind, Level, Target};
use axum::http::HeaderValue;

use super::world::{Entry, Fallback, Group, Role, Things, User, World};
use crate::{
    caller, clock,
    db::group::Groups,
    error::{Error, Result},
    mlflow::{
        Fault, NotTold, Who,
        roster::{self, OwnGrant, WORKSPACE},
    },
    principal::Principal,
    proxy::table::Family,
    state::State,
    upstream::Upstream,
};

/// So old, it is read anew beside, and after that before the answer; later, where reading takes long.
const FRESH: Duration = Duration::from_secs(15);
const OLD: Duration = Duration::from_secs(120);
/// MLflow is asked twice for each of them: of more, for all at once.
const FEW: usize = 40;
/// So long people wait for an answer with what was just changed past Flowdeck; else it is told as soon as it is known.
const SHORT: Duration = Duration::from_millis(500);
/// Experiments and models come and go less often than they are looked at.
const FRESH_THINGS: i64 = 60_000;

/// What was read last. Cheap to clone.
#[derive(Clone, Default)]
pub struct Index(Arc<Inner>);

#[derive(Default)]
struct Inner {
    kept: RwLock<Option<Kept>>,
    /// One reads, the others wait for what it brings.
    reading: tokio::sync::Mutex<()>,
    /// One changes, from what the last one left.
    changing: tokio::sync::Mutex<()>,
    /// Counts changes: what was read while one was made is not kept.
    changes: AtomicU64,
    /// Experiments or models came, went, or have other names.
    other_things: AtomicBool,
}

#[derive(Clone)]
struct Kept {
    world: Arc<World>,
    at: Instant,
    /// How long it took to read.
    took: Duration,
    /// Somebody may have changed something since.
    stale: bool,
}

// === impl Kept ===

impl Kept {
    /// Whether it can be told. What takes MLflow long is not asked for as often.
    fn is_good(&self) -> bool {
        self.at.elapsed() < OLD.max(self.took * 40) && !(self.stale && self.took < SHORT)
    }

    /// Whether it is to be read anew beside: for at most a twentieth of the time, and for a fifth where something has changed.
    fn is_due(&self) -> bool {
        let after = if self.stale { self.took * 5 } else { FRESH.max(self.took * 20) };
        self.at.elapsed() > after
    }
}

// === impl Index ===

impl Index {
    /// The world, not older than two minutes, unless MLflow takes long to tell it. For owners, who have been asked for before.
    ///
    /// # Errors
    /// 401, 403 and 502, as MLflow answers.
    pub async fn world(&self, state: &State, principal: &Principal) -> Result<Arc<World>> {
        let authorization = caller::authorization(state, principal).await?;
        if let Some(kept) = self.kept().filter(Kept::is_good) {
            if kept.is_due() {
                let (index, state) = (self.clone(), state.clone());
                tokio::spawn(async move { index.read_beside(&state, &authorization).await });
            }
            return Ok(kept.world);
        }
        let read = self.read(state, &authorization, Instant::now()).await;
        read.map_err(|error| told(principal, &error))
    }

    /// [`Index::world`], or where it is wanted `fresh` the world as it is at this moment.
    ///
    /// # Errors
    /// As [`Index::world`].
    pub async fn world_or_fresh(&self, state: &State, principal: &Principal, fresh: bool) -> Result<Arc<World>> {
        if !fresh {
            return self.world(state, principal).await;
        }
        let authorization = caller::authorization(state, principal).await?;
        let read = self.fresh(state, &authorization).await;
        read.map_err(|error| told(principal, &error))
    }

    /// The world as it is at this moment, for whoever changes it.
    ///
    /// # Errors
    /// As [`Index::world`].
    pub async fn fresh(&self, state: &State, authorization: &HeaderValue) -> std::result::Result<Arc<World>, NotRead> {
        self.read(state, authorization, Instant::now()).await
    }

    /// The world, as of at most two minutes ago, in which these users and roles are as they are at this moment. Of many, or where nothing
    /// is known, everything is read.
    ///
    /// # Errors
    /// As [`Index::world`].
    pub async fn fresh_for(
        &self,
        state: &State,
        authorization: &HeaderValue,
        subjects: &Subjects,
    ) -> std::result::Result<Arc<World>, NotRead> {
        let kept = self.kept().filter(|kept| !kept.stale && kept.is_good());
        let Some(kept) = kept.filter(|_| subjects.users.len() + subjects.roles.len() <= FEW) else {
            return self.fresh(state, authorization).await;
        };
        match renewed(state, authorization, &kept.world, subjects).await? {
            Some(mut world) => {
                if subjects.things && !self.are_fresh(&world.things) {
                    world.things = Arc::new(read_things(&state.upstream, authorization).await?);
                    let things = world.things.clone();
                    self.amend(|world| world.things = things);
                }
                Ok(Arc::new(world))
            }
            None => self.fresh(state, authorization).await,
        }
    }

    /// The same with all administrators and one user, for whoever takes something away from that one.
    ///
    /// # Errors
    /// As [`Index::world`].
    pub async fn with_admins(&self, state: &State, authorization: &HeaderValue, user: &str) -> std::result::Result<Arc<World>, NotRead> {
        let last = self.last();
        let admins = last.iter().flat_map(|world| world.admins()).map(str::to_owned);
        let subjects = Subjects {
            users: admins.chain([user.to_owned()]).collect(),
            ..Subjects::default()
        };
        self.fresh_for(state, authorization, &subjects).await
    }

    /// What was read last, however old.
    pub fn last(&self) -> Option<Arc<World>> {
        self.kept().map(|kept| kept.world)
    }

    /// Until this is dropped nobody else changes anything.
    pub async fn change(&self) -> Changing<'_> {
        let one = self.0.changing.lock().await;
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        Changing { index: self, _one: one }
    }

    /// Somebody may have changed something past Flowdeck.
    pub fn touch(&self) {
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        let mut kept = self.0.kept.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &mut *kept {
            kept.stale = true;
        }
    }

    /// A call through Flowdeck has changed something of this family.
    pub fn heard(&self, family: Option<Family>) {
        match family {
            Some(Family::Users) => self.touch(),
            Some(Family::Experiments | Family::Registry) => self.0.other_things.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Changes what is kept as it was changed elsewhere.
    pub fn amend(&self, amend: impl FnOnce(&mut World)) {
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        let mut kept = self.0.kept.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &mut *kept {
            amend(Arc::make_mut(&mut kept.world));
        }
    }

    fn kept(&self) -> Option<Kept> {
        self.0.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether experiments and models are still those; asked by who reads them anew if not.
    fn are_fresh(&self, things: &Things) -> bool {
        !self.0.other_things.swap(false, Ordering::Relaxed) && clock::now() - things.read_at < FRESH_THINGS
    }

    /// Reads, unless somebody is at it.
    async fn read_beside(&self, state: &State, authorization: &HeaderValue) {
        let Ok(one) = self.0.reading.try_lock() else { return };
        if let Err(error) = self.read_now(state, authorization, self.kept()).await {
            tracing::warn!("users and roles could not be read anew: {error}");
        }
        drop(one);
    }

    /// Reads, unless somebody has since this moment.
    async fn read(&self, state: &State, authorization: &HeaderValue, since: Instant) -> std::result::Result<Arc<World>, NotRead> {
        let _one = self.0.reading.lock().await;
        let kept = self.kept();
        if let Some(kept) = kept.as_ref().filter(|kept| !kept.stale && kept.at > since) {
            return Ok(kept.world.clone());
        }
        self.read_now(state, authorization, kept).await
    }

    async fn read_now(&self, state: &State, authorization: &HeaderValue, kept: Option<Kept>) -> std::result::Result<Arc<World>, NotRead> {
        let (changes, at) = (self.0.changes.load(Ordering::SeqCst), Instant::now());
        let things = kept.map(|kept| kept.world.things.clone());
        let things = things.filter(|things| self.are_fresh(things));
        let world = Arc::new(read(state, authorization, things).await?);
        if self.0.changes.load(Ordering::SeqCst) == changes {
            let kept = Kept {
                world: world.clone(),
                at,
                took: at.elapsed(),
                stale: false,
            };
            *self.0.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        }
        Ok(world)
    }
}

/// Users and roles that a change is about, by name.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    pub users: BTreeSet<String>,
    pub roles: BTreeSet<String>,
    /// Of these roles also who has them.
    pub members: BTreeSet<String>,
    /// Also what there is.
    pub things: bool,
}

/// The right to change.
pub struct Changing<'a> {
    index: &'a Index,
    _one: tokio::sync::MutexGuard<'a, ()>,
}

// === impl Changing ===

impl Changing<'_> {
    /// What the change has left; where nothing is kept, it is read when somebody asks.
    pub fn leaves(&self, world: World) {
        self.index.0.changes.fetch_add(1, Ordering::SeqCst);
        let mut kept = self.index.0.kept.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &mut *kept {
            kept.world = Arc::new(world);
        }
    }
}

/// Why the world could not be read.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    #[error(transparent)]
    NotTold(#[from] NotTold),
    #[error("MLflow tells this only to its administrators")]
    Refused,
    #[error("the state database cannot be read")]
    Db(#[from] sqlx::Error),
}

/// The same for whoever has asked.
pub fn told(principal: &Principal, error: &NotRead) -> Error {
    match error {
        NotRead::NotTold(error) => caller::not_told(principal, error),
        NotRead::Refused => Error::Forbidden(error.to_string()),
        NotRead::Db(error) => Error::Internal(anyhow::anyhow!("{error}")),
    }
}

async fn read(state: &State, authorization: &HeaderValue, things: Option<Arc<Things>>) -> std::result::Result<World, NotRead> {
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
async fn renewed(
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
        leave(&mut world, name);
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

/// As if there were no such user.
pub fn leave(world: &mut World, name: &str) {
    let Some(user) = world.users.remove(name) else { return };
    for role in &user.roles {
        if let Some(role) = world.roles.get_mut(role) {
            Arc::make_mut(role).members.remove(name);
        }
    }
    for group in world.groups.values_mut().filter(|group| group.members.contains(name)) {
        Arc::make_mut(group).members.remove(name);
    }
}

/// What Flowdeck itself keeps of users and groups.
async fn own_state(state: &State, world: &mut World) -> sqlx::Result<()> {
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

async fn read_things(upstream: &Upstream, authorization: &HeaderValue) -> std::result::Result<Things, NotTold> {
    let found = roster::things(upstream, authorization).await?;
    Ok(Things {
        all: found.into_iter().map(|thing| (thing.on, (thing.name, thing.created_at))).collect(),
        read_at: clock::now(),
    })
}

fn of_role(role: &roster::Role) -> Role {
    Role {
        id: Some(role.id),
        description: role.description.clone().unwrap_or_default(),
        grants: grants(role),
        members: BTreeSet::new(),
    }
}

fn grants(role: &roster::Role) -> BTreeMap<Target, Entry> {
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
async fn default(upstream: &Upstream, authorization: &HeaderValue, world: &World) -> std::result::Result<Fallback, NotTold> {
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
