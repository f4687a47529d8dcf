//! A walk through all runs of an experiment, page by page, while others create and delete runs.
//!
//! MLflow's page tokens count runs from the beginning: whatever is created or deleted meanwhile moves all that comes after
//! it. So each page asks for the runs that began no later than the last one of the page before, newest first, and says all
//! about the time that it covers: what is in the store from that time and not in the answer is gone.

use super::{bits::Bits, cells::Value, column::Attribute, load::Loaded, store::Store};

#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// The next page has the runs that began no later, ms since 1970; `None`: it is the first one.
    until: Option<i64>,
    /// MLflow's mark of a page, where a whole page of runs began in the same millisecond.
    token: Option<String>,
    /// The numbers of runs that it was told of: others may get their rows.
    seen: Bits,
    is_done: bool,
}

// === impl Walk ===

/// The order that pages are to be asked for in.
pub const ORDER: [&str; 2] = ["attributes.start_time DESC", "attributes.run_id ASC"];

impl Walk {
    /// One that is at the page of the runs that began no later (ms since 1970).
    pub fn at(until: Option<i64>) -> Self {
        Self { until, ..Self::default() }
    }

    /// When the last of the next page's runs may have begun at most, ms since 1970.
    pub fn until(&self) -> Option<i64> {
        self.until
    }

    /// The filter of the next page.
    pub fn filter(&self) -> String {
        self.until
            .map(|until| format!("attributes.start_time <= {until}"))
            .unwrap_or_default()
    }

    pub fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Nothing comes any more.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// A page has been loaded that was asked for at that generation of the store. Takes runs that are gone out of it; how many.
    pub fn take(&mut self, store: &mut Store, page: &Loaded, asked: u64) -> usize {
        let here = page.rows.iter().filter_map(|row| store.number(*row));
        let elsewhere = page.doubtful.iter().filter_map(|id| store.number_of(id));
        here.chain(elsewhere).for_each(|number| self.seen.insert(number));
        let until = self.until;
        let last = page.rows.last().and_then(|row| begun(store, *row));
        let from = match (&page.next, last) {
            // Of those that began at the same time as the last one, more may come.
            (Some(_), Some(last)) if until != Some(last) => {
                self.until = Some(last);
                self.token = None;
                Some(last)
            }
            (Some(token), _) => {
                self.token = Some(token.clone());
                return 0;
            }
            (None, _) => {
                self.is_done = true;
                None
            }
        };
        let covered = |at: i64| from.is_none_or(|from| at > from) && until.is_none_or(|until| at <= until);
        // A run that has come since is not in the answer.
        let is_old = |row: u32| !store.changed_since(store.run_id(row), asked);
        let is_seen = |row: u32| store.number(row).is_some_and(|number| self.seen.contains(number));
        let gone = |row: &u32| !is_seen(*row) && begun(store, *row).is_some_and(covered) && is_old(*row);
        let gone: Vec<String> = store.rows().iter().filter(gone).map(|row| store.run_id(row).to_owned()).collect();
        gone.iter().filter(|id| store.remove(id)).count()
    }
}

fn begun(store: &Store, row: u32) -> Option<i64> {
    let at = store.attribute(Attribute::Start).number()?.get(row);
    (!at.is_none()).then_some(at as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An MLflow: when each of its runs began, by id.
    struct Runs(Vec<(i64, String)>);

    impl Runs {
        fn new(times: impl Iterator<Item = i64>) -> Self {
            Self(times.enumerate().map(|(index, at)| (at, format!("r{index:03}"))).collect())
        }

        /// What MLflow answers: its tokens are offsets.
        fn page(&self, walk: &Walk, size: usize) -> String {
            let mut found: Vec<_> = self
                .0
                .iter()
                .filter(|(at, _)| walk.until.is_none_or(|until| *at <= until))
                .collect();
            found.sort_by_key(|(at, id)| (std::cmp::Reverse(*at), id));
            let offset: usize = walk.token.as_ref().map_or(0, |token| token.parse().unwrap());
            let runs: Vec<String> = found
                .iter()
                .skip(offset)
                .take(size)
                .map(|(at, id)| format!(r#"{{"info":{{"run_id":"{id}","start_time":{at}}}}}"#))
                .collect();
            let next = match found.len() > offset + size {
                true => format!(r#","next_page_token":"{}""#, offset + size),
                false => String::new(),
            };
            format!(r#"{{"runs":[{}]{next}}}"#, runs.join(","))
        }

        fn ids(&self) -> Vec<String> {
            let mut ids: Vec<String> = self.0.iter().map(|(_, id)| id.clone()).collect();
            ids.sort();
            ids
        }
    }

    fn ids(store: &Store) -> Vec<String> {
        let mut ids: Vec<String> = store.rows().iter().map(|row| store.run_id(row).to_owned()).collect();
        ids.sort();
        ids
    }

    /// Walks to the end; `meanwhile` happens before each page but the first.
    fn walk(store: &mut Store, runs: &mut Runs, size: usize, meanwhile: &mut dyn FnMut(&mut Runs, usize)) -> usize {
        let (mut walk, mut gone, mut pages) = (Walk::default(), 0, 0);
        while !walk.is_done() {
            let page = runs.page(&walk, size);
            let page = store.load(page.as_bytes()).unwrap();
            gone += walk.take(store, &page, u64::MAX);
            pages += 1;
            assert!(pages < 1000);
            meanwhile(runs, pages);
        }
        gone
    }

    #[test]
    fn all_runs_come_whatever_began_together() {
        for times in [vec![7; 30], (0..30).collect(), (0..30).map(|index| index / 4).collect(), Vec::new()] {
            for size in [1, 4, 7, 100] {
                let mut runs = Runs::new(times.iter().copied());
                let mut store = Store::default();
                assert_eq!(walk(&mut store, &mut runs, size, &mut |_, _| ()), 0);
                assert_eq!(ids(&store), runs.ids());
            }
        }
    }

    #[test]
    fn what_is_deleted_and_created_meanwhile_hides_nothing() {
        let mut runs = Runs::new((0..100).map(|index| index / 2));
        let mut store = Store::default();
        let before = runs.ids();
        walk(&mut store, &mut runs, 10, &mut |runs, page| {
            // The newest three go, and one comes: every offset moves.
            runs.0.sort();
            runs.0.truncate(runs.0.len() - 3);
            runs.0.push((1000, format!("new{page}")));
        });
        // All that was there all the time has come.
        let there: Vec<String> = runs.ids().into_iter().filter(|id| before.contains(id)).collect();
        let come = ids(&store);
        assert!(there.iter().all(|id| come.contains(id)));

        // Another walk finds out what else has changed.
        walk(&mut store, &mut runs, 10, &mut |_, _| ());
        assert_eq!(ids(&store), runs.ids());
    }

    #[test]
    fn what_came_since_a_page_was_asked_for_stays() {
        let mut store = Store::default();
        let page = |ids: &[&str]| {
            let run = |id: &&str| format!(r#"{{"info":{{"run_id":"{id}","start_time":1}}}}"#);
            format!(r#"{{"runs":[{}]}}"#, ids.iter().map(run).collect::<Vec<_>>().join(","))
        };
        store.load(page(&["a", "b"]).as_bytes()).unwrap();
        let asked = store.generation();
        store.load(page(&["c"]).as_bytes()).unwrap();
        let answer = store.load(page(&["a"]).as_bytes()).unwrap();
        assert_eq!(Walk::default().take(&mut store, &answer, asked), 1);
        assert_eq!(ids(&store), ["a", "c"]);
    }

    #[test]
    fn what_is_asked_for_because_it_was_not_here_stays() {
        let run = |id: &str, at: i64| format!(r#"{{"info":{{"run_id":"{id}","start_time":{at}}}}}"#);
        let (a, b, c) = (run("a", 2), run("b", 2), run("c", 1));
        let mut first = Store::default();
        first.load(format!(r#"{{"runs":[{a},{b},{c}]}}"#).as_bytes()).unwrap();
        let mut store = Store::default();
        store.begin_with(first);
        // It was deleted, and is restored: Flowdeck has seen neither.
        store.remove("b");
        let mut walk = Walk::default();
        for page in [
            r#"{"runs":[0],"next_page_token":"1"}"#,
            r#"{"runs":[0],"next_page_token":"1"}"#,
            r#"{"runs":[1],"next_page_token":"2"}"#,
            r#"{"runs":[2]}"#,
        ] {
            let asked = store.generation();
            let page = store.load(page.as_bytes()).unwrap();
            assert_eq!(walk.take(&mut store, &page, asked), 0);
            if page.doubtful == ["b"] {
                store.load(format!(r#"{{"runs":[{b}]}}"#).as_bytes()).unwrap();
            }
        }
        assert_eq!(ids(&store), ["a", "b", "c"]);
    }

    #[test]
    fn what_is_gone_is_taken_out() {
        let mut runs = Runs::new(0..20);
        let mut store = Store::default();
        walk(&mut store, &mut runs, 6, &mut |_, _| ());
        runs.0.retain(|(at, _)| at % 3 != 0);
        assert_eq!(walk(&mut store, &mut runs, 6, &mut |_, _| ()), 7);
        assert_eq!(ids(&store), runs.ids());
    }
}
