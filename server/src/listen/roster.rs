//! Who is connected, and who goes when the house is full.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// All open connections.
pub struct Roster {
    places: Arc<Semaphore>,
    lines: Mutex<HashMap<u64, Arc<Line>>>,
    start: Instant,
    next: AtomicU64,
}

/// A connection's place in the roster; leaving it is dropping this.
pub struct Peer {
    id: u64,
    line: Arc<Line>,
    roster: Arc<Roster>,
    _place: OwnedSemaphorePermit,
}

/// What a connection is doing.
pub struct Line {
    phase: AtomicU8,
    start: Instant,
    /// Milliseconds after the roster's start at which the phase began.
    since: AtomicU64,
    close: CancellationToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Nothing has come since the last answer.
    Idle,
    /// A request's head has begun.
    Head,
    /// A request is being answered.
    Busy,
}

/// How often a full house looks for somebody idle, when all were busy.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

// === impl Roster ===

impl Roster {
    pub fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            lines: Mutex::default(),
            start: Instant::now(),
            next: AtomicU64::new(0),
        }
    }

    /// Waits for a place. Whoever has been without a request for the longest time gives up his, so that idle connections, however
    /// many, keep nobody out.
    pub async fn admit(self: &Arc<Self>) -> Peer {
        let place = loop {
            if let Ok(place) = self.places.clone().try_acquire_owned() {
                break place;
            }
            self.close_idlest();
            if let Ok(Ok(place)) = tokio::time::timeout(LOOK_AGAIN, self.places.clone().acquire_owned()).await {
                break place;
            }
        };
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let line = Arc::new(Line::new(self.start));
        self.lines().insert(id, line.clone());
        Peer {
            id,
            line,
            roster: self.clone(),
            _place: place,
        }
    }

    pub fn close_idle(&self) {
        self.lines()
            .values()
            .filter(|line| line.phase() != Phase::Busy)
            .for_each(|line| line.close.cancel());
    }

    pub fn close_all(&self) {
        self.lines().values().for_each(|line| line.close.cancel());
    }

    pub fn len(&self) -> usize {
        self.lines().len()
    }

    fn close_idlest(&self) {
        let lines = self.lines();
        let idle = lines
            .values()
            .filter(|line| line.phase() != Phase::Busy && !line.close.is_cancelled());
        if let Some(line) = idle.min_by_key(|line| line.since.load(Ordering::Relaxed)) {
            line.close.cancel();
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<u64, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Peer ===

impl Peer {
    pub fn line(&self) -> Arc<Line> {
        self.line.clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.roster.lines().remove(&self.id);
    }
}

// === impl Line ===

impl Line {
    pub fn new(start: Instant) -> Self {
        let line = Self {
            phase: AtomicU8::new(0),
            start,
            since: AtomicU64::new(0),
            close: CancellationToken::new(),
        };
        line.enter(Phase::Idle);
        line
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            phase if phase == Phase::Busy as u8 => Phase::Busy,
            phase if phase == Phase::Head as u8 => Phase::Head,
            _ => Phase::Idle,
        }
    }

    /// A request's head is complete.
    pub fn begin(&self) {
        self.enter(Phase::Busy);
    }

    pub fn enter(&self, phase: Phase) {
        let passed = self.start.elapsed().as_millis();
        self.since.store(u64::try_from(passed).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Until this connection has to go.
    pub async fn closed(&self) {
        self.close.cancelled().await;
    }
}
