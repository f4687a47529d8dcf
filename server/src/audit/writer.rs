//! Writing rows in groups: everything that waits goes into one transaction, then all who wait for it hear of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{Entry, Job, ROOM, store::Store};
use crate::clock;

/// Rows of one transaction.
const MOST: usize = 2048;
/// Where nobody waits for a row, it waits so long for others.
const GATHER: Duration = Duration::from_millis(200);
/// Between two looks at what is too old.
const TRIM: Duration = Duration::from_secs(60);
/// After a failure.
const PAUSE: Duration = Duration::from_millis(250);
/// How often a row is tried once Flowdeck is stopping.
const LAST_TRIES: usize = 8;

/// Writes what comes until `stop`, then what is still on its way, then ends.
///
/// `urgent` is told of each job that somebody waits for.
pub async fn write(
    mut store: Store,
    mut jobs: mpsc::Receiver<Job>,
    urgent: Arc<Notify>,
    failing: Arc<AtomicBool>,
    stop: CancellationToken,
) {
    loop {
        let mut group = Vec::new();
        tokio::select! {
            got = jobs.recv_many(&mut group, MOST) => if got == 0 {
                break;
            },
            () = stop.cancelled(), if !jobs.is_closed() => {
                jobs.close();
                continue;
            }
            () = sleep(TRIM) => {
                trim(&mut store);
                continue;
            }
        }
        gather(&mut group, &mut jobs, &urgent).await;
        if !put(&mut store, group, &mut jobs, &failing, &stop).await {
            break;
        }
        // A disk takes milliseconds, for which nobody need wait: a row is lost only where the machine loses its power within them.
        if let Err(error) = store.sync() {
            tracing::error!("the audit is written, but the disk may not hold it: {error}");
        }
        // A step after each group keeps pace: it takes more than a group adds.
        if let Err(error) = store.trim(clock::now()) {
            tracing::error!("old rows of the audit cannot be deleted: {error}");
        }
    }
    store.close();
}

/// Waits for more, as long as nobody waits for what is there. What comes meanwhile wakes nobody.
async fn gather(group: &mut Vec<Job>, jobs: &mut mpsc::Receiver<Job>, urgent: &Notify) {
    if group.len() < MOST && group.iter().all(|job| job.committed.is_none()) {
        timeout(GATHER, urgent.notified()).await.ok();
    }
    while group.len() < MOST
        && let Ok(job) = jobs.try_recv()
    {
        group.push(job);
    }
}

/// Writes a group, again and again where it has to be; false where it gave up.
async fn put(store: &mut Store, group: Vec<Job>, jobs: &mut mpsc::Receiver<Job>, failing: &AtomicBool, stop: &CancellationToken) -> bool {
    let (mut entries, mut waiting): (Vec<Entry>, Vec<_>) = group.into_iter().map(|job| (job.entry, job.committed)).unzip();
    let mut tries = 0;
    while let Err(error) = store.append(&entries) {
        if !failing.swap(true, Ordering::Relaxed) {
            tracing::error!("the audit cannot be written, so nothing may be changed: {error}");
        }
        tell_of_failure(&mut entries, &mut waiting);
        tries += 1;
        if stop.is_cancelled() && tries >= LAST_TRIES {
            tracing::error!("{} rows of the audit are lost", entries.len());
            return false;
        }
        // Whoever comes meanwhile is told too, and does not wait for as long as the disk is full.
        let again = Instant::now() + PAUSE;
        while let Some(room @ 1..) = ROOM.checked_sub(entries.len()) {
            let mut more = Vec::new();
            let Ok(1..) = timeout_at(again, jobs.recv_many(&mut more, room)).await else {
                break;
            };
            for job in more {
                entries.push(job.entry);
                waiting.push(job.committed);
            }
            tell_of_failure(&mut entries, &mut waiting);
        }
        sleep_until(again).await;
    }
    if failing.swap(false, Ordering::Relaxed) {
        tracing::info!("the audit is written again");
    }
    for waiting in waiting.into_iter().flatten() {
        waiting.send(true).ok();
    }
    true
}

/// Their callers are told 503, and their rows shall say so.
fn tell_of_failure(entries: &mut [Entry], waiting: &mut [Option<oneshot::Sender<bool>>]) {
    for (entry, waiting) in entries.iter_mut().zip(waiting) {
        if let Some(waiting) = waiting.take() {
            entry.status = 503;
            waiting.send(false).ok();
        }
    }
}

fn trim(store: &mut Store) {
    loop {
        match store.trim(clock::now()) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::error!("old rows of the audit cannot be deleted: {error}"),
        }
    }
}
