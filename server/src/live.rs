//! Live runs: everybody who watches an experiment hears what changes in it, and MLflow is asked once for all of them.
//!
//! `watch` asks MLflow for as long as somebody watches, `seen` finds what is new in its answers, `feed` keeps it for a while, and `stream`
//! tells it to one person, under their own permission.

pub mod feed;
pub mod rest;
mod seen;
mod stream;
mod watch;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{runtime::Handle, sync::broadcast};

use self::watch::{Member, Watch};
use crate::{
    error::{Error, Result},
    mlflow::run,
    principal::Principal,
    proxy::{about::Mention, narrow::Homes},
    state::State,
};

/// Streams of one user at the same time.
const MOST_STREAMS: usize = 8;
/// Experiments that are watched at the same time.
const MOST_WATCHES: usize = 256;
/// Who is further behind asks whomever it is about.
const MOST_DOUBTS: usize = 64;

/// How often what is done.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// MLflow is asked what has changed.
    pub poll: Duration,
    /// And of those that have ended, the newest are looked at.
    pub review: Duration,
    /// MLflow is asked whether a person may still watch.
    pub check: Duration,
    /// Something is sent, so that no proxy between takes the connection for dead.
    pub beat: Duration,
    /// What is known of an experiment is kept when nobody watches any more.
    pub linger: Duration,
}

/// Everything that is watched.
pub struct Live {
    pace: Pace,
    /// Connections are served by threads that must not be held up by large answers of MLflow's.
    workshop: Handle,
    inner: Mutex<Inner>,
    /// How many experiments are watched.
    count: AtomicUsize,
    /// Users of whom it is to be asked at once whether they may still watch.
    doubts: broadcast::Sender<Arc<str>>,
}

#[derive(Default)]
struct Inner {
    watches: HashMap<String, Arc<Watch>>,
    streams: HashMap<String, usize>,
    members: u64,
}

/// One person's watching, until it is dropped.
struct Membership {
    state: State,
    watch: Arc<Watch>,
    user: String,
    number: u64,
}

// === impl Live ===

impl Live {
    /// On the runtime that is to ask MLflow.
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            workshop: Handle::current(),
            inner: Mutex::default(),
            count: AtomicUsize::new(0),
            doubts: broadcast::Sender::new(MOST_DOUBTS),
        }
    }

    /// This user's sessions have ended.
    pub fn doubt(&self, user: &str) {
        // Where nobody watches, nobody hears it.
        self.doubts.send(user.into()).ok();
    }

    /// Somebody whose call has gone through has changed these runs, perhaps.
    pub fn touched(&self, runs: &[String], homes: &Homes) {
        if runs.is_empty() || self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let inner = self.inner();
        // MLflow takes any text for the run that a model version comes from.
        for run in runs.iter().filter(|run| run::is_id(run)) {
            match homes.of(&Mention::Run(run.clone())) {
                Some(home) => inner.watches.get(&home).into_iter().for_each(|watch| watch.touched(run)),
                None => inner.watches.values().for_each(|watch| watch.touched(run)),
            }
        }
    }

    /// These runs of an experiment have changed, as somebody has found out.
    pub fn touched_in(&self, experiment: &str, runs: &[String]) {
        if runs.is_empty() || self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let watch = self.inner().watches.get(experiment).cloned();
        watch.iter().for_each(|watch| runs.iter().for_each(|run| watch.touched(run)));
    }

    /// Begins to watch an experiment that MLflow has let the caller read.
    fn join(&self, state: &State, principal: &Principal, experiment: &str) -> Result<Membership> {
        let user = principal.user().unwrap_or_default().to_owned();
        let mut inner = self.inner();
        if inner.streams.get(&user).is_some_and(|streams| *streams >= MOST_STREAMS) {
            let why = format!("you watch {MOST_STREAMS} experiments at the same time already: close one of their pages");
            return Err(Error::TooMany { why, seconds: 5 });
        }
        if inner.watches.len() >= MOST_WATCHES && !inner.watches.contains_key(experiment) {
            let why = "as many experiments are watched as can be at the same time".to_owned();
            return Err(Error::TooMany { why, seconds: 30 });
        }
        *inner.streams.entry(user.clone()).or_default() += 1;
        inner.members += 1;
        let number = inner.members;
        let watch = inner.watches.entry(experiment.to_owned()).or_insert_with(|| {
            let watch = Arc::new(Watch::new(experiment.to_owned(), self.pace));
            self.workshop.spawn(Arc::clone(&watch).keep(state.clone()));
            watch
        });
        watch.enter(Member {
            number,
            principal: principal.clone(),
        });
        let watch = Arc::clone(watch);
        self.count.store(inner.watches.len(), Ordering::Relaxed);
        Ok(Membership {
            state: state.clone(),
            watch,
            user,
            number,
        })
    }

    /// Forgets a watch, unless somebody has come meanwhile.
    fn forget(&self, watch: &Watch) -> bool {
        let mut inner = self.inner();
        if watch.has_members() {
            return false;
        }
        inner.watches.remove(watch.experiment());
        self.count.store(inner.watches.len(), Ordering::Relaxed);
        true
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Membership ===

impl Drop for Membership {
    fn drop(&mut self) {
        let mut inner = self.state.live.inner();
        if let Some(streams) = inner.streams.get_mut(&self.user) {
            *streams -= 1;
            if *streams == 0 {
                inner.streams.remove(&self.user);
            }
        }
        self.watch.leave(self.number);
    }
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(2500),
            review: Duration::from_secs(30),
            check: Duration::from_secs(30),
            beat: Duration::from_secs(15),
            linger: Duration::from_secs(60),
        }
    }
}
