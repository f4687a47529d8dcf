//! Asks MLflow what changes in one experiment, for as long as somebody watches it, with the credentials of those who watch in turn.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::HeaderValue;
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::{
    Pace,
    feed::{Change, Feed},
    seen::{Look, NEWEST, Seen},
    stream,
};
use crate::{
    caller,
    mlflow::{
        Fault, NotTold,
        run::{self, Found, Search, View},
    },
    principal::Principal,
    state::State,
};

/// Of more runs that go on at the same time, those that began first are not followed.
const MOST_RUNNING: usize = 1000;
/// Runs that began since the last look, of which each is told; of more, that there are too many.
const MOST_NEW: usize = 500;
/// Runs that are looked up in one question.
const TOGETHER: usize = 100;
/// Runs that were touched since the last look.
const MOST_TOUCHED: usize = 1000;
/// MLflow is asked for a tenth of the time, a fifth while somebody changes runs through Flowdeck, and more only where the pause would be
/// longer than [`LONGEST`].
const REST: u32 = 10;
const SHORT_REST: u32 = 4;
/// A review is of as many runs as MLflow tells in about this time, within bounds.
const REVIEWING: Duration = Duration::from_millis(300);
const LEAST_REVIEWED: usize = 1;
const MOST_REVIEWED: usize = 500;
/// Of more runs, only so many of the newest are looked at again and again.
const DEEPEST: usize = 4000;
/// The longest pause, however long MLflow takes, or is away.
const LONGEST: Duration = Duration::from_secs(30);

pub struct Watch {
    experiment: String,
    pace: Pace,
    inner: Mutex<Inner>,
    /// Somebody has come.
    entered: Notify,
    /// Somebody has changed a run through Flowdeck.
    poked: Notify,
    /// Is told of each look.
    news: watch::Sender<()>,
}

struct Inner {
    members: Vec<Member>,
    touched: BTreeSet<String>,
    feed: Feed,
    /// MLflow has been asked, and what it knew then is known.
    is_ready: bool,
    /// MLflow has not answered at the last look.
    is_away: bool,
    /// A run by which it can be seen whether somebody may read those of this experiment.
    sample: Option<String>,
}

/// Somebody who watches.
#[derive(Clone)]
pub struct Member {
    pub number: u64,
    pub principal: Principal,
}

/// Looks at runs that others may have changed past Flowdeck after they had ended: the newest of all, and page by page the others.
struct Review {
    /// So many of them at once.
    most: usize,
    last: Option<Instant>,
    /// MLflow's mark of the page whose turn is next; `None` after the last one.
    page: Option<String>,
    /// Runs on the pages before it.
    before: usize,
}

/// How long MLflow is left alone after a look.
struct Pause {
    /// Where somebody has changed a run through Flowdeck.
    least: Duration,
    most: Duration,
}

/// What a look has brought.
enum Looked {
    Changes(Vec<Change>, Option<String>),
    /// More has changed than can be told.
    TooMuch,
}

/// The one who was asked for may not, or no longer, read the runs.
enum Failed {
    Refused,
    Away(Fault),
}

// === impl Watch ===

impl Watch {
    pub fn new(experiment: String, pace: Pace) -> Self {
        let inner = Inner {
            members: Vec::new(),
            touched: BTreeSet::new(),
            feed: Feed::default(),
            is_ready: false,
            is_away: false,
            sample: None,
        };
        Self {
            experiment,
            pace,
            inner: Mutex::new(inner),
            entered: Notify::new(),
            poked: Notify::new(),
            news: watch::Sender::new(()),
        }
    }

    pub fn experiment(&self) -> &str {
        &self.experiment
    }

    pub fn pace(&self) -> Pace {
        self.pace
    }

    pub fn enter(&self, member: Member) {
        self.inner().members.push(member);
        self.entered.notify_one();
    }

    pub fn leave(&self, number: u64) {
        self.inner().members.retain(|member| member.number != number);
    }

    pub fn has_members(&self) -> bool {
        !self.inner().members.is_empty()
    }

    pub fn touched(&self, run: &str) {
        let mut inner = self.inner();
        if inner.touched.len() < MOST_TOUCHED {
            inner.touched.insert(run.to_owned());
        }
        self.poked.notify_one();
    }

    /// Each look is news.
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    pub fn with_feed<T>(&self, look: impl FnOnce(&Feed) -> T) -> T {
        look(&self.inner().feed)
    }

    pub fn is_ready(&self) -> bool {
        self.inner().is_ready
    }

    /// MLflow does not answer.
    pub fn is_away(&self) -> bool {
        self.inner().is_away
    }

    pub fn sample(&self) -> Option<String> {
        self.inner().sample.clone()
    }

    /// Asks MLflow again and again; ends some time after the last one has gone.
    pub async fn keep(self: Arc<Self>, state: State) {
        let (mut seen, mut review, mut failures) = (Seen::default(), Review::default(), 0);
        loop {
            while !self.has_members() {
                let came = tokio::time::timeout(self.pace.linger, self.entered.notified()).await;
                if came.is_err() && state.live.forget(&self) {
                    return;
                }
            }
            let start = Instant::now();
            match self.look(&state, &mut seen, &mut review).await {
                Ok(looked) => {
                    failures = 0;
                    self.tell(looked);
                }
                Err(failed) => {
                    failures += 1;
                    // Who is refused is told so for themselves.
                    if let Failed::Away(fault) = failed {
                        tracing::debug!("cannot look what is new in experiment {}: {fault}", self.experiment);
                        self.inner().is_away = true;
                    }
                }
            }
            self.news.send_replace(());
            let Pause { least, most } = Pause::after(start.elapsed(), self.pace.poll, failures);
            let end = Instant::now();
            let poked = async {
                self.poked.notified().await;
                tokio::time::sleep_until((end + least).into()).await;
            };
            tokio::select! {
                () = tokio::time::sleep(most) => {}
                () = poked => {}
                // Whoever comes may be let in where the others were not.
                () = self.entered.notified(), if failures > 0 => {}
            }
        }
    }

    fn tell(&self, looked: Looked) {
        let mut inner = self.inner();
        match looked {
            Looked::Changes(changes, sample) => {
                inner.feed.changed(changes);
                inner.sample = sample.or(inner.sample.take());
            }
            Looked::TooMuch => inner.feed.reset(),
        }
        (inner.is_ready, inner.is_away) = (true, false);
    }

    /// One look, with the credentials of the first who may: each time another one is asked for first.
    async fn look(&self, state: &State, seen: &mut Seen, review: &mut Review) -> Result<Looked, Failed> {
        let (members, touched) = {
            let mut inner = self.inner();
            if !inner.members.is_empty() {
                inner.members.rotate_left(1);
            }
            (inner.members.clone(), std::mem::take(&mut inner.touched))
        };
        let mut failed = Failed::Refused;
        for member in members {
            // Nobody's password is used for others once they have signed out.
            if stream::is_signed_in(state, &member.principal).await.is_err() {
                continue;
            }
            let Ok(authorization) = caller::authorization(state, &member.principal).await else {
                continue;
            };
            match self.look_as(state, &authorization, seen, review, &touched).await {
                Ok(looked) => return Ok(looked),
                Err(Failed::Refused) => {}
                Err(away) => {
                    failed = away;
                    break;
                }
            }
        }
        // What was touched is looked at the next time.
        self.inner().touched.extend(touched);
        Err(failed)
    }

    async fn look_as(
        &self,
        state: &State,
        authorization: &HeaderValue,
        seen: &mut Seen,
        review: &mut Review,
        touched: &BTreeSet<String>,
    ) -> Result<Looked, Failed> {
        let experiment = [self.experiment.clone()];
        let ask = async |filter: String, most: usize, view: View, page: Option<String>| {
            let search = Search {
                experiment_ids: &experiment,
                filter,
                order_by: &["attributes.start_time DESC"],
                max_results: most,
                run_view_type: view,
                page_token: page,
            };
            let found = run::search::<Value>(&state.upstream, authorization, &search).await?;
            found.ok_or(Failed::Refused)
        };
        // Before the others, which know better what has changed meanwhile.
        let (mut reviewed, mut older, mut next) = (Vec::new(), Vec::new(), None);
        if review.is_due(self.pace.review) {
            for _ in 0..if review.is_first() { 2 } else { 1 } {
                let start = Instant::now();
                let found = ask(String::new(), review.most, View::All, None).await?;
                reviewed = found.runs;
                review.took(start.elapsed());
                next = found.next_page_token;
            }
            if let Some(page) = review.turn(next) {
                let found = ask(String::new(), review.most, View::All, Some(page)).await?;
                older = found.runs;
                review.passed(older.len(), found.next_page_token);
                // Whoever watches has them as a walk has shown them, perhaps before they were looked at here.
                let news = match seen.is_begun() {
                    true => state.kept.look(&self.experiment, &older),
                    // Who hears from now on walks once more.
                    false => Vec::new(),
                };
                let (changed, same): (Vec<_>, Vec<_>) = older
                    .into_iter()
                    .partition(|run| id(run).is_some_and(|id| news.iter().any(|new| new == id)));
                older = same;
                reviewed.extend(changed);
            }
        }
        let Found { mut runs, .. } = ask("attributes.status = 'RUNNING'".into(), MOST_RUNNING, View::ActiveOnly, None).await?;

        // Those that went on and do not any more, and those that somebody has changed by way of Flowdeck.
        let found: HashSet<&str> = runs.iter().filter_map(id).collect();
        let wanted: Vec<String> = seen
            .running()
            .chain(touched)
            .filter(|id| !found.contains(id.as_str()))
            .cloned()
            .collect();
        let mut gone: BTreeSet<String> = wanted.iter().cloned().collect();
        for ids in wanted.chunks(TOGETHER) {
            let filter = run::one_of(ids.iter().map(String::as_str));
            let Found { runs: looked_up, .. } = ask(filter, ids.len(), View::All, None).await?;
            for id in looked_up.iter().filter_map(id) {
                gone.remove(id);
            }
            runs.extend(looked_up);
        }

        let (filter, most) = match seen.floor {
            Some(floor) => (format!("attributes.start_time > {floor}"), TOGETHER),
            None if seen.is_begun() => (String::new(), TOGETHER),
            None => (String::new(), NEWEST),
        };
        let Found {
            runs: mut newest,
            next_page_token: mut page,
        } = ask(filter.clone(), most, View::All, None).await?;
        while seen.is_begun() && page.is_some() && newest.len() < MOST_NEW {
            let more = ask(filter.clone(), most, View::All, page).await?;
            newest.extend(more.runs);
            page = more.next_page_token;
        }
        // Last, whether there is anything at all: to somebody who may not read them any more, all runs are gone.
        if let (true, Some(sample)) = (newest.is_empty(), self.sample()) {
            let Found { runs, .. } = ask(run::one_of([sample.as_str()]), 1, View::All, None).await?;
            if runs.is_empty() {
                return Err(Failed::Refused);
            }
        }
        let sample = newest.first().or(runs.first()).and_then(id).map(str::to_owned);
        if seen.is_begun() && page.is_some() {
            *seen = Seen::default();
            return Ok(Looked::TooMuch);
        }
        let gone = gone.into_iter().collect();
        reviewed.append(&mut runs);
        let runs = reviewed;
        Ok(Looked::Changes(seen.take(Look { runs, newest, older, gone }), sample))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id(run: &Value) -> Option<&str> {
    run["info"]["run_id"].as_str()
}

// === impl Review ===

impl Default for Review {
    fn default() -> Self {
        // A run may say so much that MLflow takes a second for it: a few tell.
        Self {
            most: 20,
            last: None,
            page: None,
            before: 0,
        }
    }
}

impl Review {
    fn is_first(&self) -> bool {
        self.last.is_none()
    }

    fn is_due(&self, every: Duration) -> bool {
        self.last.is_none_or(|last| last.elapsed() >= every)
    }

    /// The page that is to be looked at, where `second` is the one behind the newest runs.
    fn turn(&mut self, second: Option<String>) -> Option<String> {
        if self.page.is_none() {
            self.before = self.most;
        }
        self.page.take().or(second)
    }

    /// So many runs of it were looked at, and this is the next page.
    fn passed(&mut self, runs: usize, next: Option<String>) {
        self.before += runs;
        self.page = next.filter(|_| self.before < DEEPEST);
    }

    fn took(&mut self, time: Duration) {
        let fitting = self.most as f64 * REVIEWING.as_secs_f64() / time.as_secs_f64().max(0.001);
        let growth = if self.is_first() { 5 } else { 2 };
        self.most = (fitting as usize).min(self.most * growth).clamp(LEAST_REVIEWED, MOST_REVIEWED);
        self.last = Some(Instant::now());
    }
}

// === impl Pause ===

impl Pause {
    /// After a look that has taken so long, and so many in a row that failed.
    fn after(took: Duration, poll: Duration, failures: u32) -> Self {
        let longer = 2_u32.pow(failures.min(4));
        let pause = |rest: u32| (poll.max(took * rest) * longer).min(LONGEST);
        Self {
            least: pause(SHORT_REST),
            most: pause(REST),
        }
    }
}

// === impl Failed ===

impl From<NotTold> for Failed {
    fn from(error: NotTold) -> Self {
        match error {
            NotTold::Unauthenticated => Self::Refused,
            NotTold::Fault(fault) => Self::Away(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_has_done_is_seen_sooner_and_everything_in_the_end() {
        let seconds = |took: f64, failures: u32| {
            let Pause { least, most } = Pause::after(Duration::from_secs_f64(took), Duration::from_millis(2500), failures);
            (least.as_secs_f64(), most.as_secs_f64())
        };
        assert_eq!(seconds(0.1, 0), (2.5, 2.5));
        assert_eq!(seconds(2.0, 0), (8.0, 20.0));
        assert_eq!(seconds(20.0, 0), (30.0, 30.0));
        assert_eq!(seconds(0.1, 2), (10.0, 10.0));
        assert_eq!(seconds(0.1, 9), (30.0, 30.0));
    }

    #[test]
    fn a_review_costs_mlflow_always_about_the_same() {
        let mut review = Review::default();
        assert!(review.is_due(LONGEST));
        let mut after = |ms: u64| {
            review.took(Duration::from_millis(ms));
            review.most
        };
        assert_eq!((after(10), after(100), after(100)), (100, 200, 400));
        assert_eq!(after(100), MOST_REVIEWED);
        assert_eq!((after(600), after(30_000), after(30_000)), (250, 2, LEAST_REVIEWED));
        assert!(!review.is_due(LONGEST) && review.is_due(Duration::ZERO));
    }

    #[test]
    fn a_review_goes_through_all_pages_and_begins_anew() {
        let mut review = Review::default();
        let page = |number: usize| Some(number.to_string());
        for number in 2..5 {
            assert_eq!(review.turn(page(2)), page(number));
            review.passed(20, page(number + 1).filter(|_| number < 4));
        }
        assert_eq!(review.turn(page(2)), page(2));
        review.passed(DEEPEST, page(3));
        assert_eq!(review.turn(page(2)), page(2), "and no deeper than what is remembered");
        review.passed(0, None);
        assert_eq!(review.turn(None), None, "there are no others");
    }
}
