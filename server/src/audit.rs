//! The audit: every call that names somebody, or fails to, is a row; each row is bound to the one before it by its hash.
//!
//! `layer` watches each call and `note` is what others say of it; `writer` puts rows down in groups; `search` reads them.

pub mod busy;
pub mod chain;
pub mod entry;
pub mod export;
pub mod layer;
pub mod note;
pub mod rest;
pub mod search;
mod seen;
pub mod store;
pub mod writer;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use sqlx::SqlitePool;
use tokio::{
    runtime,
    sync::{Notify, mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;

pub use self::{
    entry::{Entry, Way},
    note::{Note, Resource},
};
use crate::{
    config,
    error::{Error, Result},
};

/// The file in the data folder.
pub const FILE: &str = "audit.db";

/// So many calls may be under way or wait to be written; whoever comes then waits too. More than there can be connections, with the calls
/// that pages make.
const ROOM: usize = 32 * 1024;
/// At the end, so long for what is still to be written.
const LAST: Duration = Duration::from_secs(10);

/// The audit of this Flowdeck. Cheap to clone.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    room: mpsc::Sender<Job>,
    urgent: Arc<Notify>,
    readers: SqlitePool,
    /// Rows cannot be written at the moment.
    failing: Arc<AtomicBool>,
    stop: CancellationToken,
    /// All is written.
    ended: CancellationToken,
}

/// One row to be written.
pub struct Job {
    pub entry: Entry,
    /// Is told whether the row is committed.
    pub committed: Option<oneshot::Sender<bool>>,
}

/// A place in the queue, taken before a call begins, so that its row is never without one.
pub struct Place {
    permit: mpsc::OwnedPermit<Job>,
    urgent: Arc<Notify>,
}

/// Checks the chain in a file that another process may be writing to.
///
/// # Errors
/// A file that is not there, or cannot be read.
pub async fn verify(file: &Path) -> anyhow::Result<chain::Verdict> {
    if !file.is_file() {
        bail!("there is no audit at {}", file.display());
    }
    let readers = store::readers(file).await?;
    let mut reader = readers.acquire().await?;
    let verdict = chain::verify(&mut reader).await;
    drop(reader);
    readers.close().await;
    verdict.with_context(|| format!("cannot read the audit {}", file.display()))
}

/// The writer has a thread to itself, which SQLite may keep waiting; it is woken there by whoever has a row.
fn on_its_thread(write: impl Future<Output = ()> + Send + 'static, ended: CancellationToken) -> anyhow::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let run = move || {
        let _ended = ended.drop_guard();
        runtime.block_on(write);
    };
    thread::Builder::new().name("audit".into()).spawn(run)?;
    Ok(())
}

// === impl Place ===

impl Place {
    pub fn send(self, job: Job) {
        let is_urgent = job.committed.is_some();
        self.permit.send(job);
        if is_urgent {
            self.urgent.notify_one();
        }
    }
}

// === impl Audit ===

impl Audit {
    /// Opens the file, making it where there is none, and starts to write.
    ///
    /// # Errors
    /// A file that cannot be opened, or that a newer Flowdeck has written.
    pub async fn open(file: &Path, limits: &config::Audit) -> anyhow::Result<Self> {
        let store = store::Store::open(file, limits).await?;
        let readers = store::readers(file).await?;
        let (room, jobs) = mpsc::channel(ROOM);
        let (urgent, failing) = (Arc::<Notify>::default(), Arc::default());
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let write = writer::write(store, jobs, Arc::clone(&urgent), Arc::clone(&failing), stop.clone());
        on_its_thread(write, ended.clone())?;
        Ok(Self(Arc::new(Inner {
            room,
            urgent,
            readers,
            failing,
            stop,
            ended,
        })))
    }

    /// Waits for a place in the queue.
    ///
    /// # Errors
    /// 503 when Flowdeck is stopping.
    pub async fn place(&self) -> Result<Place> {
        let stopping = |_| Error::Unavailable("Flowdeck is stopping".into());
        let permit = self.0.room.clone().reserve_owned().await.map_err(stopping)?;
        let urgent = Arc::clone(&self.0.urgent);
        Ok(Place { permit, urgent })
    }

    /// Refuses what would have to be recorded while nothing can be: better before it is done than after.
    ///
    /// # Errors
    /// 503
    pub fn can_write(&self) -> Result<()> {
        if self.0.failing.load(Ordering::Relaxed) {
            return Err(Error::Unavailable(
                "Flowdeck cannot write its audit at the moment, so nothing may be changed; try again".into(),
            ));
        }
        Ok(())
    }

    /// Waits until everything is written, then closes.
    pub async fn close(&self) {
        self.0.stop.cancel();
        if tokio::time::timeout(LAST, self.0.ended.cancelled()).await.is_err() {
            tracing::error!("the audit was not written to its end within {} s", LAST.as_secs());
        }
        self.0.readers.close().await;
    }

    fn readers(&self) -> &SqlitePool {
        &self.0.readers
    }
}
