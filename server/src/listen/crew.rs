//! The threads that serve connections. Each has a runtime of its own: a call is read, handed on to MLflow and answered by one thread,
//! which wakes no other. Threads that share their work wake each other several times a call, and cost it more than the rest of Flowdeck.
//! Each has a processor of its own, where Flowdeck may use them all: two threads that come to share one keep each other waiting for whole
//! slices of it, milliseconds at a time.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub struct Crew {
    hands: Vec<Handle>,
    next: AtomicUsize,
    /// Whose being dropped ends the threads.
    _stop: DropGuard,
}

// === impl Crew ===

impl Crew {
    /// As many threads as there are processors.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be made.
    pub fn new() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let size = thread::available_parallelism().map_or(2, usize::from);
        // Fewer threads than processors would all crowd on the first ones, with those of others who reckon likewise.
        let processors = sched_getaffinity(None).ok().filter(|all| all.count() as usize == size);
        let hands = (0..size)
            .map(|number| hand(number, processors, stop.clone()))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            hands,
            next: AtomicUsize::new(0),
            _stop: stop.drop_guard(),
        })
    }

    /// Gives work to the thread whose turn it is.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.hands.len();
        self.hands[turn].spawn(work);
    }
}

fn hand(number: usize, processors: Option<CpuSet>, stop: CancellationToken) -> io::Result<Handle> {
    let mut builder = Builder::new_current_thread();
    if let Some(all) = processors {
        // Threads for what blocks begin in this one, and would have to share its processor.
        builder.on_thread_start(move || stay_on(&all));
    }
    let runtime = builder.enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name(format!("connections-{number}")).spawn(move || {
        if let Some(one) = processors.and_then(|all| nth(&all, number)) {
            stay_on(&one);
        }
        runtime.block_on(stop.cancelled());
        runtime.shutdown_background();
    })?;
    Ok(handle)
}

/// One of several processors.
fn nth(all: &CpuSet, number: usize) -> Option<CpuSet> {
    let place = (0..CpuSet::MAX_CPU).filter(|place| all.is_set(*place)).nth(number)?;
    let mut one = CpuSet::new();
    one.set(place);
    Some(one)
}

fn stay_on(processors: &CpuSet) {
    if let Err(error) = sched_setaffinity(None, processors) {
        tracing::debug!("a thread cannot be bound to processors: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use rustix::thread::sched_getaffinity;

    use tokio::sync::mpsc;

    use super::{Crew, nth};

    #[tokio::test]
    async fn each_has_a_processor_and_what_blocks_has_all() {
        let all = sched_getaffinity(None).unwrap();
        let size = thread::available_parallelism().unwrap().get();
        let crew = Crew::new().unwrap();
        let (seen, mut places) = mpsc::unbounded_channel();
        for _ in 0..size {
            let seen = seen.clone();
            crew.spawn(async move {
                let own = sched_getaffinity(None).unwrap();
                let blocking = tokio::task::spawn_blocking(|| sched_getaffinity(None).unwrap());
                seen.send((own, blocking.await.unwrap())).unwrap();
            });
        }
        drop(seen);
        let mut owned = Vec::new();
        while let Some((own, blocking)) = places.recv().await {
            assert!(blocking == all);
            owned.push(own);
        }
        assert_eq!(owned.len(), size);
        let is_whole = all.count() as usize == size;
        for number in 0..size {
            let expected = if is_whole { nth(&all, number).unwrap() } else { all };
            assert!(owned.contains(&expected));
        }
    }

    #[tokio::test]
    async fn everybody_gets_some_of_the_work_and_keeps_it() {
        let crew = Crew::new().unwrap();
        let (seen, mut places) = mpsc::unbounded_channel();
        for _ in 0..64 {
            let seen = seen.clone();
            crew.spawn(async move {
                let before = thread::current().id();
                tokio::task::yield_now().await;
                seen.send((before, thread::current().id())).unwrap();
            });
        }
        drop(seen);
        let mut threads = HashSet::new();
        while let Some((before, after)) = places.recv().await {
            assert_eq!(before, after);
            threads.insert(before);
        }
        assert_eq!(threads.len(), thread::available_parallelism().unwrap().get());
    }
}
