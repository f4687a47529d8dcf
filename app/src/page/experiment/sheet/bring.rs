//! Brings all runs of the experiment into the tab, and keeps them up to date.
//!
//! One question after the other: all runs as Flowdeck has seen them last, what somebody waits for, then the walk through all runs as they are.

use crate::prelude::*;
use leptos::task::spawn_local;

use super::Sheet;
use crate::{
    api::{
        ApiError, Question,
        flowdeck::kept,
        mlflow::run::{self, Search, Stage},
    },
    browser,
    table::{
        column::Attribute,
        copy::Copy,
        load::{Loaded, Reading},
        query::Query,
        store::Store,
        walk::{ORDER, Walk},
    },
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Coming,
    /// Somebody has stopped it.
    Stopped,
    Failed(ApiError),
    /// All runs are here.
    Here,
}

/// A question to MLflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// All runs as they were seen last; Flowdeck knows them, perhaps.
    Copy,
    /// The runs that the query line means, while not all runs are here.
    Meant,
    /// The newest runs.
    Newest,
    /// What became of these.
    These(Vec<String>),
    /// What became of those that are running.
    Running,
    /// A page of another walk, to find out what else has changed.
    Again,
    /// A page of the walk.
    Walk,
}

/// Runs in the first answer: it is to come soon.
pub const FIRST: u32 = 100;
/// The same where nobody knows yet how much a run says: the server may have given up waiting for so many.
const UNKNOWN: u32 = 10;
/// MLflow takes about two milliseconds a run, and a tenth of a second an answer.
const MOST: u32 = 1000;
/// So large is an answer to be, in bytes. MLflow takes a third of a second for a million.
const BYTES: u64 = 8_000_000;
/// What a metric takes of an answer, in bytes.
const METRIC: usize = 160;
/// So long an answer is read before something else gets a turn, in ms: what is typed meanwhile waits.
const READING: i64 = 12;
/// Runs that are asked for by their ids at once.
pub const TOGETHER: usize = 200;

// === impl Sheet ===

impl Sheet {
    /// Follows which runs are wanted, and looks for changes as long as one looks at them.
    pub(super) fn bring(self) {
        Effect::new(move |_| {
            let stage = self.wanted_stage();
            let Some(experiments) = self.experiments() else { return };
            if self.stage.get_value() != Some(stage) || self.experiments.get_value() != experiments {
                self.stage.set_value(Some(stage));
                self.experiments.set_value(experiments);
                self.begin();
            }
        });
        // What is asked for before all runs are here.
        let meant = Memo::new(move |_| {
            let sort = self.place.view.read().sort.clone();
            (self.query.with(Query::split).filter, sort)
        });
        Effect::new(move |before: Option<()>| {
            let (filter, sort) = meant.get();
            let anything = !filter.is_empty() || !sort.is_empty();
            if (before.is_some() || anything) && !untrack(|| self.has_all()) {
                self.ask(&[Ask::Meant]);
            }
        });
        Effect::new(move |_| {
            let again = StoredValue::new(0_u32);
            let tick = move || {
                if !self.is_tab() || self.phase.get_untracked() != Phase::Here {
                    return;
                }
                again.update_value(|again| *again += 1);
                // Who hears of changes need not ask, but for what changed between the walk and the first word.
                let hears = self.is_live.get_value();
                if !hears {
                    self.ask(&[Ask::Newest, Ask::Running]);
                }
                if again.get_value().is_multiple_of(3) && !(hears && self.walks.get_value() == 0) {
                    self.ask(&[Ask::Again]);
                }
            };
            if let Ok(handle) = set_interval_with_handle(tick, super::super::list::AGAIN) {
                on_cleanup(move || handle.clear());
            }
        });
    }

    /// From nothing.
    fn begin(self) {
        self.turn.update_value(|turn| *turn += 1);
        self.runs.ready.set(false);
        self.store.update_value(Store::clear);
        self.changed(true);
        self.selection.write().clear();
        self.walk.set_value(Walk::default());
        self.size.set_value(self.first());
        self.since.set_value(None);
        self.as_of.set(None);
        self.todo.update_value(std::collections::VecDeque::clear);
        if self.only_experiment().is_some() {
            self.todo.update_value(|todo| todo.push_back(Ask::Copy));
        }
        self.go_on();
    }

    /// Where the runs are those of one experiment.
    fn only_experiment(self) -> Option<String> {
        self.experiments.with_value(|experiments| match experiments.as_slice() {
            [experiment] => Some(experiment.clone()),
            _ => None,
        })
    }

    /// Whether all runs are here, perhaps as they were a while ago.
    pub(super) fn has_all(self) -> bool {
        self.phase.get() == Phase::Here || self.as_of.get().is_some()
    }

    pub(super) fn stop(self) {
        self.phase.set(Phase::Stopped);
    }

    /// Goes on after a stop or a failure.
    pub fn go_on(self) {
        self.phase.set(Phase::Coming);
        if !self.look_for_others() {
            self.ask(&[]);
        }
    }

    /// Asks for these first; what is to be asked already is asked once.
    pub(super) fn ask(self, first: &[Ask]) {
        self.todo.update_value(|todo| {
            for ask in first {
                if !todo.contains(ask) {
                    todo.push_back(ask.clone());
                }
            }
        });
        if self.asking.get_value() {
            return;
        }
        self.asking.set_value(true);
        self.runs.busy.set(true);
        spawn_local(async move {
            while let Some(ask) = self.next() {
                self.answer(ask).await;
            }
            self.asking.try_set_value(false);
            self.runs.busy.try_set(false);
        });
    }

    /// `None`: nothing is to be asked, or nobody is here any more.
    fn next(self) -> Option<Ask> {
        let mut todo = self.todo.try_update_value(|todo| todo.pop_front())?;
        if todo == Some(Ask::Meant) && untrack(|| self.has_all()) {
            return self.next();
        }
        if todo == Some(Ask::Running) {
            let running = self.store.with_value(running);
            if running.is_empty() {
                return self.next();
            }
            todo = Some(Ask::These(running));
        }
        todo.or_else(|| (self.phase.get_untracked() == Phase::Coming).then_some(Ask::Walk))
    }

    async fn answer(self, ask: Ask) {
        let turn = self.turn.get_value();
        let asked = self.store.with_value(Store::generation);
        let client = self.runs.client.get_value();
        let answer = client.bytes(self.question(&ask)).await;
        // The page may be gone, or show other runs by now.
        if self.turn.try_get_value() != Some(turn) {
            return;
        }
        if ask == Ask::Copy {
            return self.begin_with(&answer.unwrap_or_default());
        }
        let read = match answer {
            Ok(json) => {
                let size = json.len();
                let Some(read) = self.read(Reading::new(json, asked), turn).await else {
                    return;
                };
                read.map(|loaded| {
                    let size = loaded.size.unwrap_or(size);
                    (loaded, size)
                })
            }
            Err(error) => Err(error),
        };
        match read {
            Ok((loaded, size)) => {
                self.runs.stale.set(None);
                self.runs.error.set(None);
                self.loaded(&ask, &loaded, size, asked);
            }
            Err(error) => self.failed(&ask, error),
        }
    }

    fn question(self, ask: &Ask) -> Question {
        match (ask, self.only_experiment()) {
            (Ask::Copy, Some(experiment)) => kept::copy(&experiment, self.stage.get_value().unwrap_or_default()),
            (Ask::Walk | Ask::Again | Ask::Newest, Some(experiment)) => kept::page(&experiment, &self.page(ask)),
            _ => run::searched(&self.search(ask)),
        }
    }

    /// With a copy of all runs; without one, the walk brings them.
    fn begin_with(self, copy: &[u8]) {
        let Some(copy) = Copy::read(copy) else { return };
        self.store.update_value(|store| store.begin_with(copy.store));
        self.since.set_value(Some(copy.mark));
        self.as_of.set(copy.as_of);
        self.changed(true);
    }

    /// Puts an answer into the store, for a moment at a time. `None`: other runs are wanted by now.
    async fn read(self, mut reading: Reading, turn: u32) -> Option<Result<Loaded, ApiError>> {
        loop {
            let end = browser::now() + READING;
            let done = self
                .store
                .try_update_value(|store| reading.go_on(store, &mut || browser::now() >= end))?;
            match done {
                Ok(true) => return Some(Ok(reading.loaded())),
                Ok(false) => browser::pause().await,
                Err(error) => return Some(Err(ApiError::unreadable(&error))),
            }
            if self.turn.try_get_value() != Some(turn) {
                return None;
            }
        }
    }

    fn search(self, ask: &Ask) -> Search {
        let view = self.place.now();
        let order = |words: [&str; 2]| words.map(str::to_owned).to_vec();
        let search = Search {
            experiment_ids: self.experiments.get_value(),
            order_by: order(ORDER),
            // Runs that say much are fewer.
            max_results: self.size.get_value().min(FIRST),
            run_view_type: self.stage.get_value().unwrap_or(Stage::ActiveOnly),
            ..Search::default()
        };
        match ask {
            Ask::Meant => Search {
                filter: self.query.with_untracked(Query::split).filter,
                order_by: view.sort.iter().filter_map(super::super::column::Sort::mlflow).collect(),
                ..search
            },
            Ask::Newest | Ask::Running => search,
            Ask::These(ids) => Search {
                filter: format!("attributes.run_id IN ('{}')", ids.join("', '")),
                max_results: TOGETHER as u32,
                ..search
            },
            Ask::Copy | Ask::Again | Ask::Walk => {
                let page = self.page(ask);
                Search {
                    filter: self.walk.with_value(Walk::filter),
                    page_token: page.page_token,
                    max_results: page.max_results,
                    ..search
                }
            }
        }
    }

    /// The newest runs, or the next page of the walk.
    fn page(self, ask: &Ask) -> kept::Page {
        let size = self.size.get_value();
        let (until, page_token, max_results) = match ask {
            Ask::Newest => (None, None, size.min(FIRST)),
            _ => {
                if *ask == Ask::Again && self.walk.with_value(Walk::is_done) {
                    self.walk.set_value(Walk::default());
                }
                self.walk.with_value(|walk| (walk.until(), walk.token(), size))
            }
        };
        kept::Page {
            run_view_type: self.stage.get_value().unwrap_or_default(),
            until,
            page_token,
            max_results,
            since: self.since.get_value(),
        }
    }

    /// `size`: the bytes of the answer. `asked`: the store's generation before it was asked for.
    fn loaded(self, ask: &Ask, loaded: &Loaded, size: usize, asked: u64) {
        let gone = match ask {
            Ask::Copy | Ask::Meant | Ask::Running => 0,
            // All runs that began after the last one are among them.
            Ask::Newest => self
                .store
                .try_update_value(|store| Walk::default().take(store, loaded, asked))
                .unwrap_or_default(),
            Ask::These(ids) => self
                .store
                .try_update_value(|store| drop_missing(store, ids, loaded, asked))
                .unwrap_or_default(),
            Ask::Again | Ask::Walk => {
                self.grow(loaded.rows.len(), size);
                let gone = self
                    .store
                    .try_update_value(|store| self.walk.try_update_value(|walk| walk.take(store, loaded, asked)));
                gone.flatten().unwrap_or_default()
            }
        };
        let coming = *ask == Ask::Walk;
        let is_done = self.walk.with_value(Walk::is_done);
        if is_done && matches!(ask, Ask::Again | Ask::Walk) {
            self.walks.update_value(|walks| *walks = walks.saturating_sub(1));
        }
        let doubtful = loaded.doubtful.chunks(TOGETHER).map(|ids| Ask::These(ids.to_vec()));
        self.todo.update_value(|todo| todo.extend(doubtful));
        if coming && is_done {
            self.phase.set(Phase::Here);
            // Some may have come meanwhile.
            self.todo.update_value(|todo| todo.push_back(Ask::Newest));
        }
        // Lines of runs that are gone could be those of others.
        self.changed(gone > 0 || coming || *ask == Ask::Meant);
        // Whoever follows it draws anew, and closes what is open.
        if !self.runs.ready.get_untracked() {
            self.runs.ready.set(true);
            // These are not as they were, most of all.
            if self.as_of.get_untracked().is_some() {
                self.todo.update_value(|todo| todo.push_back(Ask::Running));
            }
        }
    }

    /// The next page has as many runs as `size` bytes for `runs` of them let expect.
    fn grow(self, runs: usize, size: usize) {
        // An answer without runs says nothing of their size.
        if runs > 0 {
            // The second one after few comes soon, too.
            self.size.update_value(|asked| *asked = fitting(runs, size).min(10 * *asked));
        }
    }

    /// Runs in the first answer, by what the page that is shown meanwhile says of some.
    fn first(self) -> u32 {
        let columns = self.runs.page.with_untracked(|page| page.as_ref().map(|page| page.offered.len()));
        columns.map_or(UNKNOWN, |columns| fitting(1, columns * METRIC).min(FIRST))
    }

    fn failed(self, ask: &Ask, error: ApiError) {
        self.health.report(&error);
        self.todo.update_value(std::collections::VecDeque::clear);
        // What was to be asked comes with another walk.
        self.walks.update_value(|walks| *walks = (*walks).max(1));
        if *ask == Ask::Walk {
            self.phase.set(Phase::Failed(error.clone()));
        }
        self.runs.stale.update(|since| *since = since.or(Some(browser::now())));
        if self.runs.ready.get_untracked() {
            return;
        }
        match self.as_of.get_untracked() {
            Some(_) => self.runs.ready.set(true),
            None => self.runs.error.set(Some(error)),
        }
    }
}

/// How many runs an answer may have, where `runs` of them took `size` bytes.
fn fitting(runs: usize, size: usize) -> u32 {
    // In the browser, a `usize` has 32 bits.
    let fitting = BYTES * runs as u64 / (size as u64).max(1);
    fitting.clamp(1, u64::from(MOST)) as u32
}

/// The ids of some runs that are running.
fn running(store: &Store) -> Vec<String> {
    let Some(status) = store.attribute(Attribute::Status).text() else {
        return Vec::new();
    };
    let codes = ["RUNNING", "SCHEDULED"].map(|word| status.dict.find(word));
    let rows = status.codes.matching(&mut |code| codes.contains(&Some(code)));
    rows.iter().take(TOGETHER).map(|row| store.run_id(row).to_owned()).collect()
}

/// Takes those of `wanted` out of the store that are not in the answer, unless they have come since it was asked for.
fn drop_missing(store: &mut Store, wanted: &[String], loaded: &Loaded, asked: u64) -> usize {
    let here: Vec<String> = loaded.rows.iter().map(|row| store.run_id(*row).to_owned()).collect();
    let missing = |id: &&String| !here.contains(id) && !store.changed_since(id, asked);
    let missing: Vec<&String> = wanted.iter().filter(missing).collect();
    missing.into_iter().filter(|id| store.remove(id)).count()
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn pages_are_as_large_as_what_runs_say_allows() {
        assert_eq!(fitting(1000, 8_139_667), 982);
        assert_eq!(fitting(100, 80_000), 1000);
        assert_eq!(fitting(40, 78_000_000), 4);
        assert_eq!(fitting(1, 20_000_000), 1);
        assert_eq!(fitting(1, 0), 1000);
    }
}
