//! Brings all runs of the experiment into the tab, and keeps them up to date.
//!
//! One question after the other: what somebody waits for first, then the walk through all runs.

use crate::prelude::*;
use leptos::task::spawn_local;

use super::Sheet;
use crate::{
    api::{
        ApiError,
        mlflow::run::{self, Search, Stage},
    },
    browser,
    table::{
        column::Attribute,
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
            if (before.is_some() || anything) && self.phase.get_untracked() != Phase::Here {
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
        self.todo.update_value(std::collections::VecDeque::clear);
        self.go_on();
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
        let search = self.search(&ask);
        let client = self.runs.client.get_value();
        let answer = run::search_text(&client, &search).await;
        // The page may be gone, or show other runs by now.
        if self.turn.try_get_value() != Some(turn) {
            return;
        }
        let read = match answer {
            Ok(text) => {
                let size = text.len();
                let Some(read) = self.read(text, turn).await else { return };
                read.map(|loaded| (loaded, size))
            }
            Err(error) => Err(error),
        };
        match read {
            Ok((loaded, size)) => {
                self.runs.stale.set(None);
                self.runs.error.set(None);
                self.loaded(&ask, &loaded, size);
            }
            Err(error) => self.failed(&ask, error),
        }
    }

    /// Puts an answer into the store, for a moment at a time. `None`: other runs are wanted by now.
    async fn read(self, text: String, turn: u32) -> Option<Result<Loaded, ApiError>> {
        let mut reading = Reading::new(text.into_bytes());
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
            Ask::Again | Ask::Walk => {
                if *ask == Ask::Again && self.walk.with_value(Walk::is_done) {
                    self.walk.set_value(Walk::default());
                }
                let (filter, page_token) = self.walk.with_value(|walk| (walk.filter(), walk.token()));
                Search {
                    filter,
                    page_token,
                    max_results: self.size.get_value(),
                    ..search
                }
            }
        }
    }

    /// `size`: the bytes of the answer.
    fn loaded(self, ask: &Ask, loaded: &Loaded, size: usize) {
        let gone = match ask {
            Ask::Meant | Ask::Running => 0,
            // All runs that began after the last one are among them.
            Ask::Newest => self
                .store
                .try_update_value(|store| Walk::default().take(store, loaded))
                .unwrap_or_default(),
            Ask::These(ids) => self
                .store
                .try_update_value(|store| drop_missing(store, ids, loaded))
                .unwrap_or_default(),
            Ask::Again | Ask::Walk => {
                self.grow(loaded.rows.len(), size);
                let gone = self
                    .store
                    .try_update_value(|store| self.walk.try_update_value(|walk| walk.take(store, loaded)));
                gone.flatten().unwrap_or_default()
            }
        };
        let coming = *ask == Ask::Walk;
        let is_done = self.walk.with_value(Walk::is_done);
        if *ask == Ask::Again && is_done {
            self.walks.update_value(|walks| *walks = walks.saturating_sub(1));
        }
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
        if *ask == Ask::Walk {
            self.phase.set(Phase::Failed(error.clone()));
        }
        self.runs.stale.update(|since| *since = since.or(Some(browser::now())));
        if !self.runs.ready.get_untracked() {
            self.runs.error.set(Some(error));
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

/// Takes those of `asked` out of the store that are not in the answer.
fn drop_missing(store: &mut Store, asked: &[String], loaded: &Loaded) -> usize {
    let here: Vec<String> = loaded.rows.iter().map(|row| store.run_id(*row).to_owned()).collect();
    asked.iter().filter(|id| !here.contains(id) && store.remove(id)).count()
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
