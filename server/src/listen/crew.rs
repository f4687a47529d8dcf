//! The threads that serve connections. Each has a runtime of its own: a call is read, handed on to MLflow and answered by one thread,
//! which wakes no other. Threads that share their work wake each other several times a call, and cost it more than the rest of Flowdeck.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

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
        let hands = (0..size).map(|number| hand(number, stop.clone())).collect::<io::Result<_>>()?;
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

fn hand(number: usize, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name(format!("connections-{number}")).spawn(move || {
        runtime.block_on(stop.cancelled());
        runtime.shutdown_background();
    })?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use tokio::sync::mpsc;

    use super::Crew;

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
