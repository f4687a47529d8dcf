//! The threads that serve connections. Each has a runtime of its own: a call is read, handed on to MLflow and answered by one thread,
//! which wakes no other. Threads that share their work wake each other several times a call, and cost it more than the rest of Flowdeck.
//!
//! A thread that is busy for many keeps to a processor of its own, where Flowdeck may use them all: two busy threads that come to share
//! one keep each other waiting for whole slices of it, milliseconds at a time. For the few connections of one program that asks and waits
//! the processor that the program has just left is the nearest one, so that a thread with few goes wherever it is put.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub struct Crew {
    hands: Vec<Hand>,
    next: AtomicUsize,
    /// Whose being dropped ends the threads.
    _stop: DropGuard,
}

/// One of the threads.
struct Hand {
    runtime: Handle,
    load: Arc<Load>,
}

/// How much a thread has to do, counted by itself.
struct Load {
    open: AtomicUsize,
    places: Option<Places>,
}

/// Where a thread may run.
#[derive(Clone)]
struct Places {
    all: CpuSet,
    own: CpuSet,
}

/// One piece of a thread's work, until it is dropped.
struct Begun(Arc<Load>);

/// A thread with so many pieces of work keeps to its own processor …
const MANY: usize = 6;
/// … until it has no more than so many.
const FEW: usize = 3;

// === impl Crew ===

impl Crew {
    /// As many threads as there are processors.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be made.
    pub fn new() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let size = thread::available_parallelism().map_or(2, usize::from);
        let hands = (0..size)
            .map(|number| Hand::new(number, size, stop.clone()))
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
        let Hand { runtime, load } = &self.hands[turn];
        let load = Arc::clone(load);
        runtime.spawn(async move {
            let _begun = load.begin();
            work.await;
        });
    }
}

// === impl Hand ===

impl Hand {
    fn new(number: usize, size: usize, stop: CancellationToken) -> io::Result<Self> {
        let places = Places::of(number, size);
        let mut builder = Builder::new_current_thread();
        if let Some(places) = places.clone() {
            // Threads for what blocks begin in this one, and would have to share its processor.
            builder.on_thread_start(move || stay_on(&places.all));
        }
        let runtime = builder.enable_all().build()?;
        let hand = Self {
            runtime: runtime.handle().clone(),
            load: Arc::new(Load {
                open: AtomicUsize::new(0),
                places,
            }),
        };
        thread::Builder::new().name(format!("connections-{number}")).spawn(move || {
            runtime.block_on(stop.cancelled());
            runtime.shutdown_background();
        })?;
        Ok(hand)
    }
}

// === impl Load ===

impl Load {
    /// On the thread itself.
    fn begin(self: Arc<Self>) -> Begun {
        if let Some(places) = &self.places
            && self.open.fetch_add(1, Ordering::Relaxed) + 1 == MANY
        {
            stay_on(&places.own);
        }
        Begun(self)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(places) = &self.0.places
            && self.0.open.fetch_sub(1, Ordering::Relaxed) - 1 == FEW
        {
            stay_on(&places.all);
        }
    }
}

// === impl Places ===

impl Places {
    /// `None` where there are fewer threads than processors: they would all crowd on the first ones, with those of others who reckon likewise.
    fn of(number: usize, size: usize) -> Option<Self> {
        let all = sched_getaffinity(None).ok().filter(|all| all.count() as usize == size)?;
        let place = (0..CpuSet::MAX_CPU).filter(|place| all.is_set(*place)).nth(number)?;
        let mut own = CpuSet::new();
        own.set(place);
        Some(Self { all, own })
    }
}

fn stay_on(processors: &CpuSet) {
    if let Err(error) = sched_setaffinity(None, processors) {
        tracing::debug!("a thread cannot be bound to processors: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use rustix::thread::{CpuSet, sched_getaffinity};
    use tokio::sync::{mpsc, watch};

    use super::{Crew, FEW, MANY, Places};

    /// Where each piece of so much work for each thread runs, once all of it has begun; and where what it lets block runs.
    async fn places(crew: &Crew, each: usize) -> Vec<(CpuSet, CpuSet)> {
        let all = each * thread::available_parallelism().unwrap().get();
        let (begun, mut begins) = mpsc::unbounded_channel();
        let (seen, mut sees) = mpsc::unbounded_channel();
        let (go, going) = watch::channel(false);
        for _ in 0..all {
            let (begun, seen, mut going) = (begun.clone(), seen.clone(), going.clone());
            crew.spawn(async move {
                begun.send(()).unwrap();
                going.wait_for(|go| *go).await.unwrap();
                let own = sched_getaffinity(None).unwrap();
                let blocking = tokio::task::spawn_blocking(|| sched_getaffinity(None).unwrap());
                seen.send((own, blocking.await.unwrap())).unwrap();
                // All end together, so that none is alone while another looks.
                going.wait_for(|go| !*go).await.unwrap();
            });
        }
        for _ in 0..all {
            begins.recv().await.unwrap();
        }
        go.send_replace(true);
        let mut places = Vec::new();
        while places.len() < all {
            places.push(sees.recv().await.unwrap());
        }
        go.send_replace(false);
        drop(going);
        go.closed().await;
        places
    }

    #[tokio::test]
    async fn who_is_busy_keeps_to_a_processor_of_its_own_and_what_blocks_to_none() {
        let crew = Crew::new().unwrap();
        let size = thread::available_parallelism().unwrap().get();
        let all = sched_getaffinity(None).unwrap();
        for each in [FEW, MANY, FEW] {
            let places = places(&crew, each).await;
            assert!(places.iter().all(|(_, blocking)| *blocking == all));
            for number in 0..size {
                let own = Places::of(number, size).filter(|_| each == MANY).map_or(all, |places| places.own);
                assert!(
                    places.iter().filter(|(place, _)| *place == own).count() >= each,
                    "thread {number} of {each}"
                );
            }
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
