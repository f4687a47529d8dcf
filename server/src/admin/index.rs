//! The world as an owner sees it, kept in memory: MLflow tells of all users in one list or not at all. It is read with the credentials of
//! whoever asks, told with its age, and read anew by time and after changes.

mod disk;
mod partial;
mod read;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::HeaderValue;

pub use self::partial::{own, partial};
use self::{
    disk::Disk,
    read::{read, read_things, renewed},
};
use super::world::{Things, World};
use crate::{
    caller, clock,
    error::{Error, Result},
    mlflow::{self, NotTold, SignInError},
    principal::Principal,
    proxy::table::Family,
    session::Store,
    state::State,
};

/// So old, it is read anew beside, and after that before the answer; later, where reading takes long.
const FRESH: Duration = Duration::from_secs(15);
const OLD: Duration = Duration::from_secs(120);
/// MLflow is asked twice for each of them: of more, for all at once.
const FEW: usize = 40;
/// So long people wait for an answer with what was just changed past Flowdeck; else it is told as soon as it is known.
const SHORT: Duration = Duration::from_millis(500);
/// Of so many people who were here last, one may be an owner as whom it can be read at a start.
const LAST_HERE: i64 = 20;
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
    /// By the Flowdeck before this one.
    restored: bool,
}

// === impl Kept ===

impl Kept {
    /// Whether it can be told. What takes MLflow long is not asked for as often.
    fn is_good(&self) -> bool {
        self.at.elapsed() < OLD.max(self.took * 40) && !(self.stale && self.took < SHORT)
    }

    /// Whether it is to be read anew beside: for at most a twentieth of the time, and for a fifth where something has changed.
    fn is_due(&self) -> bool {
        if self.restored {
            return true;
        }
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

    /// For a Flowdeck that starts: what the one before has read, which is told with its age until it is read anew; or where there is none,
    /// all is read as an owner who is signed in, before the first one asks.
    ///
    /// # Errors
    /// When the state database cannot be read.
    pub async fn begin(&self, state: &State) -> sqlx::Result<()> {
        if let Some(mut kept) = Disk::of(state).get().await {
            read::own_state(state, Arc::make_mut(&mut kept.world)).await?;
            self.0.kept.write().unwrap_or_else(PoisonError::into_inner).get_or_insert(kept);
        }
        if self.last().is_some() {
            return Ok(());
        }
        let now = clock::now();
        let idle_since = Store::new(state.db.clone(), state.config.session.clone()).idle_since(now);
        for user in state.db.last_here(now, idle_since, LAST_HERE).await? {
            let Some(authorization) = state.vault.authorization(&user).await? else {
                continue;
            };
            match mlflow::who(&state.upstream, &authorization).await {
                Ok(who) if who.is_admin => {
                    self.read_beside(state, &authorization).await;
                    break;
                }
                Ok(_) | Err(SignInError::WrongPassword) => {}
                Err(_) => break,
            }
        }
        Ok(())
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
                restored: false,
            };
            if kept.took >= SHORT {
                Disk::of(state).put(&kept);
            }
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
