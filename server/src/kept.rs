//! The runs of experiments as they were last seen, so that whoever opens one has all of its runs at once, and hears then what has changed.
//!
//! MLflow takes about two milliseconds for a run. `page` answers a page of the walk that a tab does through all runs, asked of MLflow with the
//! caller's own credentials, and learns from it; `copy` gives a tab what was learned, where MLflow lets the caller read the runs. Nothing of it
//! outlives Flowdeck.

#[cfg(test)]
mod meanwhile;
pub mod rest;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use app::table::{
    column::{Attribute, Cell},
    copy::Copy,
    load::Loaded,
    store::Store,
    walk::Walk,
};
use serde_json::{Value, json};

use crate::mlflow::run::View;

/// Bytes of all that is kept, about.
const MOST: usize = 256 << 20;
/// Experiments of which anything is kept.
const MOST_PLACES: usize = 1000;
/// What nobody has asked for in this time is forgotten.
const UNUSED: Duration = Duration::from_mins(30);

/// All that is kept.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<Place, Entry>>);

/// Which runs: of an experiment, by their lifecycle.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub experiment: String,
    pub view: View,
}

struct Entry {
    runs: Arc<Shared>,
    used_at: Instant,
    /// Bytes, about.
    size: usize,
}

/// What is known of the runs in one place, for one at a time.
#[derive(Default)]
pub struct Shared(Mutex<Runs>);

/// What is known of the runs in one place.
pub struct Runs {
    /// Of marks: another store has seen nothing of what this one has.
    id: u64,
    store: Store,
    /// By the run's number: when MLflow was asked for what it told last of it and of those that began after the next older one, ms since 1970;
    /// 0: it was not.
    told_at: Vec<i64>,
    /// The same of those that began after all that are known.
    newest_at: i64,
    /// Every run that began later (ms since 1970) has been seen, by walks from the newest on.
    floor: Option<i64>,
    /// The last copy, as long as somebody reads it.
    copied: Option<(Mark, Option<i64>, Weak<[u8]>)>,
    /// A walk in the middle of runs that began in the same ms, more than a page has; and the generation when it came to them.
    further: Option<(Walk, u64)>,
}

/// How a page of runs was asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// For runs that began no later, ms since 1970; `None`: from the newest on.
    pub until: Option<i64>,
    /// For a further page of those: the token of the one before.
    pub token: Option<String>,
    /// When, ms since 1970.
    pub at: i64,
    /// How the runs were known then; `None`: nothing was.
    pub mark: Option<Mark>,
}

/// What there was in an answer.
pub struct Learned {
    pub loaded: Loaded,
    /// The ids of runs that are not as they were told to whoever has all of them.
    pub news: Vec<String>,
}

/// The store as it is at one moment, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    id: u64,
    generation: u64,
}

// === impl Place ===

impl Place {
    /// `None` where MLflow would write the experiment's id in another way: what it lets read under one spelling says nothing of others.
    pub fn new(experiment: &str, view: View) -> Option<Self> {
        let is_number = (1..=20).contains(&experiment.len()) && experiment.bytes().all(|byte| byte.is_ascii_digit());
        let is_written_so = is_number && (experiment == "0" || !experiment.starts_with('0'));
        is_written_so.then(|| Self {
            experiment: experiment.to_owned(),
            view,
        })
    }
}

// === impl Kept ===

impl Kept {
    /// What is known of the runs in this place, if anything is.
    pub fn find(&self, place: &Place) -> Option<Arc<Shared>> {
        let mut inner = self.inner();
        let entry = inner.get_mut(place)?;
        entry.used_at = Instant::now();
        Some(Arc::clone(&entry.runs))
    }

    /// The same; nothing is known at first.
    pub fn entry(&self, place: &Place) -> Arc<Shared> {
        let mut inner = self.inner();
        let now = Instant::now();
        let entry = inner.entry(place.clone()).or_insert_with(|| Entry {
            runs: Arc::default(),
            used_at: now,
            size: 0,
        });
        entry.used_at = now;
        Arc::clone(&entry.runs)
    }

    /// What is known in this place takes so many bytes now. Where all together is too much, what was not used longest is forgotten; what is
    /// too much alone takes nothing else with it.
    pub fn measured(&self, place: &Place, size: usize) {
        let mut inner = self.inner();
        if size > MOST {
            inner.remove(place);
        }
        if let Some(entry) = inner.get_mut(place) {
            entry.size = size;
        }
        while inner.len() > MOST_PLACES || inner.values().map(|entry| entry.size).sum::<usize>() > MOST {
            let oldest = inner.iter().min_by_key(|(_, entry)| entry.used_at).map(|(place, _)| place.clone());
            oldest.and_then(|place| inner.remove(&place));
        }
    }

    /// The ids of those runs of an experiment that are not deleted, and not as they were told to whoever has all of them.
    pub fn look(&self, experiment: &str, runs: &[Value]) -> Vec<String> {
        let Some(place) = Place::new(experiment, View::ActiveOnly) else {
            return Vec::new();
        };
        let is_active = |run: &&Value| run["info"]["lifecycle_stage"] == "active";
        let active: Vec<&Value> = runs.iter().filter(is_active).collect();
        match self.find(&place) {
            Some(known) if !active.is_empty() => known.lock().look(&active),
            _ => Vec::new(),
        }
    }

    /// Forgets what nobody has asked for lately, from time to time, for ever.
    pub async fn sweep(&self) {
        loop {
            tokio::time::sleep(UNUSED / 10).await;
            self.inner().retain(|_, entry| entry.used_at.elapsed() < UNUSED);
        }
    }

    fn inner(&self) -> MutexGuard<'_, HashMap<Place, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Shared ===

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Runs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Runs ===

impl Default for Runs {
    fn default() -> Self {
        Self {
            id: rand::random(),
            store: Store::default(),
            told_at: Vec::new(),
            newest_at: 0,
            floor: None,
            copied: None,
            further: None,
        }
    }
}

impl Runs {
    /// Learns from MLflow's answer to this question, which has runs, the newest first.
    ///
    /// # Errors
    /// It is not JSON of the kind that MLflow answers.
    pub fn learn(&mut self, json: &[u8], question: &Question) -> Result<Learned, serde_json::Error> {
        let until = question.until;
        let before = self.store.generation();
        let loaded = self.store.load(json)?;
        let news = self.news(&loaded.rows, before);
        let mut walk = match &question.token {
            None => {
                // What another store has seen says nothing of this one: all of it may have come since.
                let asked = question.mark.filter(|mark| mark.id == self.id).map_or(0, |mark| mark.generation);
                Some((Walk::at(until), asked))
            }
            // A token of anybody's own may leave out what nobody has seen.
            Some(token) => {
                let goes_on = |(walk, _): &mut (Walk, u64)| walk.until() == until && walk.token().as_ref() == Some(token);
                self.further.take_if(goes_on)
            }
        };
        if let Some((walk, asked)) = &mut walk {
            walk.take(&mut self.store, &loaded, *asked);
        }
        // After the last one of a page others may come.
        let is_whole = loaded.next.is_none() || walk.as_ref().is_some_and(|(walk, _)| walk.token().is_some());
        let whole = loaded.rows.len() - usize::from(!is_whole);
        for (index, row) in loaded.rows.iter().enumerate() {
            let Some(place) = self.store.number(*row).map(|number| number as usize) else {
                continue;
            };
            self.told_at.resize(self.told_at.len().max(place + 1), 0);
            if index < whole {
                self.told_at[place] = question.at;
            }
        }
        if until.is_none() && question.token.is_none() {
            self.newest_at = question.at;
        }
        // A page that begins further down leaves out what nobody may have seen.
        let begins_above = |until: i64| self.floor.is_some_and(|floor| until >= floor);
        if let Some((walk, asked)) = walk.filter(|_| until.is_none_or(begins_above)) {
            let last = loaded.rows.last().and_then(|row| begun(&self.store, *row));
            let last = if walk.is_done() { Some(i64::MIN) } else { last };
            self.floor = self.floor.into_iter().chain(last).min();
            if walk.token().is_some() {
                self.further = Some((walk, asked));
            }
        }
        Ok(Learned { loaded, news })
    }

    /// Learns what became of some runs that are not deleted. The ids of those that are news.
    pub fn look(&mut self, runs: &[&Value]) -> Vec<String> {
        let before = self.store.generation();
        let page = json!({ "runs": runs }).to_string();
        // What cannot be read comes with the next page of a walk.
        let rows = self.store.load(page.as_bytes()).map(|loaded| loaded.rows).unwrap_or_default();
        let news = self.news(&rows, before);
        // Others may stand between them, of which nothing newer is known.
        let at = self.as_of().unwrap_or_default();
        for place in rows.iter().filter_map(|row| self.store.number(*row)) {
            let place = place as usize;
            self.told_at.resize(self.told_at.len().max(place + 1), at);
        }
        news
    }

    /// The ids of those that have been told otherwise; they came where the store was at generation `before`.
    fn news(&self, rows: &[u32], before: u64) -> Vec<String> {
        let was_told = |row: u32| {
            let at = self.store.number(row).and_then(|number| self.told_at.get(number as usize));
            at.is_some_and(|at| *at != 0) || self.floor == Some(i64::MIN)
        };
        let ids = rows.iter().filter(|row| was_told(**row)).map(|row| self.store.run_id(*row));
        ids.filter(|id| self.store.changed_since(id, before)).map(str::to_owned).collect()
    }

    /// All runs are known as they were at this moment or later, ms since 1970; `None` where some have never been seen.
    fn as_of(&self) -> Option<i64> {
        let rows = self.store.rows();
        let told = rows
            .iter()
            .filter_map(|row| self.told_at.get(self.store.number(row)? as usize).copied());
        let at = told.min()?.min(self.newest_at);
        (at > 0 && self.floor == Some(i64::MIN)).then_some(at)
    }

    pub fn mark(&self) -> Mark {
        Mark {
            id: self.id,
            generation: self.store.generation(),
        }
    }

    /// The number of the run in this row, where it is as it was at that mark.
    pub fn as_at(&self, row: u32, mark: Mark) -> Option<u32> {
        let is_same = mark.id == self.id && !self.store.changed_since(self.store.run_id(row), mark.generation);
        self.store.number(row).filter(|_| is_same)
    }

    /// The id of one of the runs.
    pub fn sample(&self) -> Option<String> {
        let row = self.store.rows().iter().next()?;
        Some(self.store.run_id(row).to_owned())
    }

    /// All who ask for it while nothing changes share it.
    pub fn copy(&mut self) -> Arc<[u8]> {
        let (mark, as_of) = (self.mark(), self.as_of());
        let copied = self.copied.as_ref().filter(|(of, at, _)| (*of, *at) == (mark, as_of));
        if let Some(copy) = copied.and_then(|(_, _, copy)| copy.upgrade()) {
            return copy;
        }
        let copy: Arc<[u8]> = Copy::write(&mark.to_string(), as_of, &self.store).into();
        self.copied = Some((mark, as_of, Arc::downgrade(&copy)));
        copy
    }

    /// In bytes, about.
    pub fn size(&self) -> usize {
        self.store.memory() + self.told_at.capacity() * 8
    }
}

// === impl Mark ===

impl Mark {
    pub fn parse(text: &str) -> Option<Self> {
        let (id, generation) = text.split_once('-')?;
        Some(Self {
            id: u64::from_str_radix(id, 16).ok()?,
            generation: generation.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}-{}", self.id, self.generation)
    }
}

fn begun(store: &Store, row: u32) -> Option<i64> {
    match store.attribute(Attribute::Start).cell(row) {
        Cell::Number(at) => Some(at as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(runs: &[(&str, i64, &str)], next: bool) -> Vec<u8> {
        let run = |(id, at, name): &(&str, i64, &str)| format!(r#"{{"info":{{"run_id":"{id}","start_time":{at},"run_name":"{name}"}}}}"#);
        let runs: Vec<String> = runs.iter().map(run).collect();
        let next = if next { r#","next_page_token":"t""# } else { "" };
        format!(r#"{{"runs":[{}]{next}}}"#, runs.join(",")).into_bytes()
    }

    fn question(runs: &Runs, until: Option<i64>, token: Option<&str>) -> Question {
        Question {
            until,
            token: token.map(str::to_owned),
            at: 100,
            mark: Some(runs.mark()),
        }
    }

    fn learn(runs: &mut Runs, json: &[u8], until: Option<i64>, token: Option<&str>) -> Vec<u32> {
        let question = question(runs, until, token);
        runs.learn(json, &question).unwrap().loaded.rows
    }

    fn learn_at(runs: &mut Runs, at: i64, json: &[u8], until: Option<i64>) {
        let question = Question {
            at,
            ..question(runs, until, None)
        };
        runs.learn(json, &question).unwrap();
    }

    fn ids(runs: &Runs) -> Vec<String> {
        let mut ids: Vec<String> = runs.store.rows().iter().map(|row| runs.store.run_id(row).to_owned()).collect();
        ids.sort();
        ids
    }

    #[test]
    fn what_is_known_is_as_old_as_what_was_told_first() {
        let mut runs = Runs::default();
        let first = page(&[("c", 3, ""), ("b", 2, "")], true);
        let last = page(&[("b", 2, ""), ("a", 1, "")], false);
        learn_at(&mut runs, 100, &first, None);
        assert_eq!(runs.as_of(), None);
        learn_at(&mut runs, 200, &last, Some(2));
        assert_eq!(runs.as_of(), Some(100));
        learn_at(&mut runs, 300, &first, None);
        assert_eq!(runs.as_of(), Some(200));
        let copy = Copy::read(&runs.copy()).unwrap();
        assert_eq!((copy.as_of, copy.store.len()), (Some(200), 3));
        assert_eq!(Mark::parse(&copy.mark), Some(runs.mark()));
    }

    #[test]
    fn what_is_known_is_as_old_as_what_was_told_of_the_time_between_runs() {
        let mut runs = Runs::default();
        learn_at(&mut runs, 100, &page(&[("c", 3, ""), ("b", 2, "")], false), None);
        // Something has come that began before the others.
        learn_at(&mut runs, 200, &page(&[("c", 3, ""), ("b", 2, "")], true), None);
        assert_eq!(runs.as_of(), Some(100));
        // Something may have come that began after the others.
        learn_at(&mut runs, 300, &page(&[("c", 3, ""), ("b", 2, ""), ("a", 1, "")], false), Some(3));
        assert_eq!(runs.as_of(), Some(200));
    }

    #[test]
    fn who_leaves_runs_out_has_not_seen_all() {
        let mut runs = Runs::default();
        learn(&mut runs, &page(&[("a", 1, "")], false), Some(1), None);
        assert_eq!(runs.as_of(), None);
        learn(&mut runs, &page(&[("e", 5, ""), ("d", 4, "")], true), None, None);
        learn(&mut runs, &page(&[("b", 2, ""), ("a", 1, "")], false), Some(2), None);
        assert_eq!(runs.as_of(), None);
        learn(&mut runs, &page(&[("d", 4, ""), ("c", 3, "")], true), Some(4), None);
        learn(&mut runs, &page(&[("c", 3, ""), ("b", 2, ""), ("a", 1, "")], false), Some(3), None);
        assert!(runs.as_of().is_some());
    }

    #[test]
    fn a_page_from_the_middle_does_not_stand_for_those_before_it() {
        let mut runs = Runs::default();
        // A token that no answer has given.
        let last = page(&[("b", 5, ""), ("a", 1, "")], false);
        learn(&mut runs, &last, None, Some("t"));
        assert_eq!(runs.as_of(), None);
        let first = page(&[("d", 5, ""), ("c", 5, "")], true);
        learn(&mut runs, &first, None, None);
        learn(&mut runs, &last, None, Some("u"));
        assert_eq!(runs.as_of(), None);
        learn(&mut runs, &first, Some(5), None);
        learn(&mut runs, &last, Some(5), Some("t"));
        assert!(runs.as_of().is_some());
    }

    #[test]
    fn who_was_asked_about_what_another_store_knew_takes_nothing_out() {
        let mut runs = Runs::default();
        learn(&mut runs, &page(&[("b", 2, ""), ("a", 1, "")], false), None, None);
        let mark = Some(Mark {
            generation: 99,
            ..Runs::default().mark()
        });
        for mark in [None, mark] {
            let question = Question {
                mark,
                ..question(&runs, None, None)
            };
            runs.learn(&page(&[("b", 2, "")], false), &question).unwrap();
            assert_eq!(ids(&runs), ["a", "b"]);
        }
    }

    #[test]
    fn what_is_gone_is_taken_out_where_a_page_tells() {
        let mut runs = Runs::default();
        learn(
            &mut runs,
            &page(&[("d", 4, ""), ("c", 3, ""), ("b", 2, ""), ("a", 1, "")], false),
            None,
            None,
        );
        // What comes before a further page stands in another one.
        learn(&mut runs, &page(&[("b", 2, "")], true), Some(3), Some("t"));
        assert_eq!(ids(&runs), ["a", "b", "c", "d"]);
        learn(&mut runs, &page(&[("d", 4, ""), ("b", 2, "")], true), None, None);
        assert_eq!(ids(&runs), ["a", "b", "d"]);
        learn(&mut runs, &page(&[("b", 2, "")], false), Some(2), None);
        assert_eq!(ids(&runs), ["b", "d"]);
    }

    #[test]
    fn what_is_gone_is_taken_out_where_more_began_at_once_than_a_page_has() {
        let mut runs = Runs::default();
        let begin = [("a", 5, ""), ("b", 5, ""), ("c", 5, "")];
        let walk = |runs: &mut Runs, at: i64, pages: [&[(&str, i64, &str)]; 2]| {
            for (until, token) in [(None, None), (Some(5), None), (Some(5), Some("t"))] {
                let question = Question {
                    at,
                    ..question(runs, until, token)
                };
                let json = page(pages[usize::from(token.is_some())], token.is_none());
                runs.learn(&json, &question).unwrap();
            }
        };
        walk(&mut runs, 100, [&begin[..2], &[begin[2], ("d", 1, "")]]);
        assert_eq!((ids(&runs).len(), runs.as_of()), (4, Some(100)));
        walk(&mut runs, 200, [&[begin[0], begin[2]], &[("d", 1, "")]]);
        assert_eq!((ids(&runs).join(""), runs.as_of()), ("acd".into(), Some(200)));
    }

    #[test]
    fn a_run_is_as_at_a_mark_until_it_changes() {
        let mut runs = Runs::default();
        let first = page(&[("b", 2, "x"), ("a", 1, "x")], false);
        let rows = learn(&mut runs, &first, None, None);
        let mark = runs.mark();
        learn(&mut runs, &first, None, None);
        assert!(rows.iter().all(|row| runs.as_at(*row, mark).is_some()));
        learn(&mut runs, &page(&[("b", 2, "x"), ("a", 1, "y")], false), None, None);
        assert!(runs.as_at(rows[0], mark) == Some(0) && runs.as_at(rows[1], mark).is_none() && runs.as_at(rows[1], runs.mark()).is_some());
        let other = Runs::default().mark();
        assert!(runs.as_at(rows[0], Mark { generation: 99, ..other }).is_none());
    }

    #[test]
    fn what_is_not_as_it_was_told_is_news() {
        let mut runs = Runs::default();
        let run = |id: &str, name: &str| json!({ "info": { "run_id": id, "start_time": 1, "run_name": name } });
        assert!(runs.look(&[&run("b", "x")]).is_empty(), "nobody has been told of it");
        let learn = |runs: &mut Runs, names: [&str; 2], next| {
            let page = page(&[("b", 2, names[0]), ("a", 1, names[1])], next);
            let question = question(runs, None, None);
            runs.learn(&page, &question).unwrap().news
        };
        assert!(learn(&mut runs, ["x", "x"], false).is_empty());
        assert_eq!(learn(&mut runs, ["x", "y"], false), ["a"]);
        assert!(learn(&mut runs, ["x", "y"], false).is_empty());
        assert_eq!(runs.look(&[&run("a", "z"), &run("c", "new")]), ["a", "c"]);
        assert!(runs.look(&[&run("a", "z")]).is_empty());
        assert_eq!(runs.as_of(), Some(100), "no younger than what was walked through");
    }

    #[test]
    fn an_experiment_has_one_spelling() {
        let known = ["0", "1", "12345678901234567890"].map(|id| Place::new(id, View::All).is_some());
        assert_eq!(known, [true; 3]);
        for id in ["", "01", "00", "1 ", " 1", "+1", "-1", "1.0", "x", "١", "123456789012345678901"] {
            assert_eq!(Place::new(id, View::All), None, "{id}");
        }
    }

    #[test]
    fn a_copy_is_shared_until_something_changes() {
        let mut runs = Runs::default();
        learn(&mut runs, &page(&[("a", 1, "x")], false), None, None);
        let copy = runs.copy();
        assert!(Arc::ptr_eq(&copy, &runs.copy()));
        learn(&mut runs, &page(&[("a", 1, "y")], false), None, None);
        assert!(!Arc::ptr_eq(&copy, &runs.copy()));
    }

    #[test]
    fn what_was_not_used_longest_goes_first() {
        let kept = Kept::default();
        let place = |experiment: &str| Place {
            experiment: experiment.into(),
            view: View::ActiveOnly,
        };
        for experiment in ["1", "2", "3"] {
            kept.entry(&place(experiment));
            kept.measured(&place(experiment), MOST / 3);
        }
        assert!(kept.find(&place("1")).is_some());
        kept.entry(&place("4"));
        kept.measured(&place("4"), MOST / 3);
        let known = ["1", "2", "3", "4"].map(|experiment| kept.find(&place(experiment)).is_some());
        assert_eq!(known, [true, false, true, true]);
        // What is too much alone takes nothing else with it.
        kept.measured(&place("4"), MOST + 1);
        assert!(kept.find(&place("4")).is_none() && kept.find(&place("1")).is_some());
    }
}
