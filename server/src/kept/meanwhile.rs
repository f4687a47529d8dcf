//! Tabs that walk through runs that come, change and go meanwhile, at whatever moments answers come, have in the end what MLflow has.

use app::table::{
    column::{Attribute, Cell, Family, Name},
    copy::Copy,
    load::{Loaded, Reading},
    store::Store,
    walk::Walk,
};

use super::{Kept, Mark, Place, Question, rest::tell};
use crate::mlflow::run::View;

/// Ways that it may go.
const SEEDS: u64 = 200;

/// Numbers that look like chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    id: String,
    start: i64,
    name: u64,
    is_deleted: bool,
}

#[derive(Default)]
struct Mlflow {
    runs: Vec<Run>,
    /// When each of them changed last.
    changed: Vec<i64>,
    now: i64,
}

impl Mlflow {
    fn json(runs: &[&Run], token: Option<usize>) -> Vec<u8> {
        let run = |Run { id, start, name, .. }: &&Run| {
            // A tag comes and goes.
            let tag = if name % 3 == 0 {
                format!(r#"{{"key":"t{}","value":"v"}}"#, name % 2)
            } else {
                String::new()
            };
            format!(r#"{{"info":{{"run_id":"{id}","start_time":{start},"run_name":"{name}"}},"data":{{"tags":[{tag}]}}}}"#)
        };
        let runs: Vec<String> = runs.iter().map(run).collect();
        let next = token.map(|at| format!(r#","next_page_token":"{at}""#)).unwrap_or_default();
        format!(r#"{{"runs":[{}]{next}}}"#, runs.join(",")).into_bytes()
    }

    fn there(&self) -> Vec<&Run> {
        let mut runs: Vec<_> = self.runs.iter().filter(|run| !run.is_deleted).collect();
        runs.sort_by(|a, b| b.start.cmp(&a.start).then(a.id.cmp(&b.id)));
        runs
    }

    fn page(&self, until: Option<i64>, token: Option<&str>, most: usize) -> Vec<u8> {
        let runs: Vec<_> = self
            .there()
            .into_iter()
            .filter(|run| until.is_none_or(|until| run.start <= until))
            .collect();
        let at = token.map_or(0, |token| token.parse().unwrap()).min(runs.len());
        let end = (at + most).min(runs.len());
        Self::json(&runs[at..end], (end < runs.len()).then_some(end))
    }

    fn these(&self, ids: &[String]) -> Vec<u8> {
        let runs: Vec<_> = self.there().into_iter().filter(|run| ids.contains(&run.id)).collect();
        Self::json(&runs, None)
    }

    fn says(&self) -> Vec<Run> {
        let mut runs: Vec<_> = self.there().into_iter().cloned().collect();
        runs.sort();
        runs
    }
}

enum Way {
    Walk,
    Newest,
    These(Vec<String>),
}

/// A question on its way.
struct Open {
    way: Way,
    asked: u64,
    /// What MLflow has answered, and Flowdeck has not told yet.
    page: Option<(Vec<u8>, Question)>,
    told: Option<Vec<u8>>,
}

/// Does what `bring.rs` does on the page.
#[derive(Default)]
struct Tab {
    store: Store,
    walk: Walk,
    since: Option<Mark>,
    doubtful: Vec<String>,
    open: Option<Open>,
    size: usize,
    walks: usize,
}

impl Tab {
    fn begin(&mut self, kept: &Kept, place: &Place, size: usize, mlflow: &Mlflow) {
        self.store.clear();
        (self.walk, self.since, self.open, self.size, self.walks) = (Walk::default(), None, None, size, 0);
        self.doubtful.clear();
        if let Some(copy) = kept.find(place).and_then(|runs| Copy::read(&runs.lock().copy())) {
            self.store.begin_with(copy.store);
            self.since = Mark::parse(&copy.mark);
            // Where more began at once than a page has, MLflow's tokens leave runs out.
            if let Some(as_of) = copy.as_of.filter(|_| size > 1 && mlflow.runs.iter().any(|run| run.start > 1000)) {
                let says = self.says();
                for (run, changed) in mlflow.runs.iter().zip(&mlflow.changed) {
                    if *changed < as_of {
                        assert_eq!(
                            says.contains(run),
                            !run.is_deleted,
                            "{run:?} changed {changed}, copy as of {as_of}, now {}",
                            mlflow.now
                        );
                    }
                }
            }
        }
    }

    fn ask(&mut self, mlflow: &Mlflow, kept: &Kept, place: &Place, newest: bool) {
        let asked = self.store.generation();
        if !self.doubtful.is_empty() {
            let ids = std::mem::take(&mut self.doubtful);
            let told = Some(mlflow.these(&ids));
            self.open = Some(Open {
                way: Way::These(ids),
                asked,
                page: None,
                told,
            });
            return;
        }
        if self.walk.is_done() {
            self.walk = Walk::default();
        }
        let (until, token) = if newest {
            (None, None)
        } else {
            (self.walk.until(), self.walk.token())
        };
        let answer = mlflow.page(until, token.as_deref(), self.size);
        let mark = kept.find(place).map(|runs| runs.lock().mark());
        let question = Question {
            until,
            token,
            at: mlflow.now,
            mark,
        };
        let way = if newest { Way::Newest } else { Way::Walk };
        self.open = Some(Open {
            way,
            asked,
            page: Some((answer, question)),
            told: None,
        });
    }

    fn go_on(&mut self, kept: &Kept, place: &Place) {
        let Some(mut open) = self.open.take() else { return };
        if let Some((answer, question)) = open.page.take() {
            let (told, _) = tell(kept, place, &answer, &question, self.since).unwrap();
            open.told = Some(told.into_bytes());
            self.open = Some(open);
            return;
        }
        let mut reading = Reading::new(open.told.unwrap(), open.asked);
        while !reading.go_on(&mut self.store, &mut || false).unwrap() {}
        let loaded: Loaded = reading.loaded();
        self.doubtful.extend(loaded.doubtful.iter().cloned());
        match open.way {
            Way::Newest => drop(Walk::default().take(&mut self.store, &loaded, open.asked)),
            Way::Walk => {
                self.walk.take(&mut self.store, &loaded, open.asked);
                self.walks += usize::from(self.walk.is_done());
            }
            Way::These(ids) => {
                let here: Vec<String> = loaded.rows.iter().map(|row| self.store.run_id(*row).to_owned()).collect();
                let gone: Vec<&String> = ids
                    .iter()
                    .filter(|id| !here.contains(id) && !self.store.changed_since(id, open.asked))
                    .collect();
                gone.into_iter().for_each(|id| {
                    self.store.remove(id);
                });
            }
        }
    }

    fn says(&self) -> Vec<Run> {
        let number = |row, attribute: Attribute| match self.store.cell(row, &attribute.name()) {
            Cell::Number(number) => number as i64,
            Cell::Text(text) => text.parse().unwrap(),
            Cell::Missing => -1,
        };
        let run = |row| {
            let name = number(row, Attribute::Name) as u64;
            for at in 0..2 {
                let tag = self.store.cell(row, &Name::new(Family::Tag, &format!("t{at}")));
                assert_eq!(!tag.is_missing(), name.is_multiple_of(3) && name % 2 == at);
            }
            Run {
                id: self.store.run_id(row).to_owned(),
                start: number(row, Attribute::Start),
                name,
                is_deleted: false,
            }
        };
        let mut runs: Vec<_> = self.store.rows().iter().map(run).collect();
        runs.sort();
        runs
    }
}

#[test]
fn whatever_happens_meanwhile_each_tab_has_in_the_end_what_mlflow_has() {
    let place = Place {
        experiment: "1".into(),
        view: View::ActiveOnly,
    };
    for seed in 0..SEEDS {
        let mut chance = Chance(seed);
        let (kept, mut mlflow) = (Kept::default(), Mlflow::default());
        let mut tabs: Vec<Tab> = (0..3).map(|_| Tab::default()).collect();
        let spread = [3, 12, 60, 1_000_000][chance.below(4)];
        let least = if spread > 1000 { 2 } else { 1 };
        for tab in &mut tabs {
            tab.begin(&kept, &place, least + chance.below(6), &mlflow);
        }
        for step in 0..400_u64 {
            mlflow.now = step as i64 + 1000;
            let now = mlflow.now;
            match chance.below(12) {
                0 | 1 if mlflow.runs.len() < 40 => {
                    let id = format!("{:02}r{}", chance.below(100), mlflow.runs.len());
                    let start = chance.below(spread) as i64;
                    mlflow.runs.push(Run {
                        id,
                        start,
                        name: step,
                        is_deleted: false,
                    });
                    mlflow.changed.push(now);
                }
                2 | 3 if !mlflow.runs.is_empty() => {
                    let at = chance.below(mlflow.runs.len());
                    mlflow.changed[at] = now;
                    let run = &mut mlflow.runs[at];
                    match chance.below(3) {
                        0 => run.name = chance.below(5) as u64,
                        _ => run.is_deleted = !run.is_deleted,
                    }
                    // Who listens hears of it at once.
                    if chance.below(2) == 0 {
                        let run = run.clone();
                        let tab = &mut tabs[chance.below(3)];
                        match run.is_deleted {
                            true => {
                                tab.store.remove(&run.id);
                            }
                            false => drop(tab.store.load(&Mlflow::json(&[&run], None)).unwrap()),
                        }
                    }
                }
                4 if chance.below(6) == 0 => {
                    let size = least + chance.below(6);
                    tabs[chance.below(3)].begin(&kept, &place, size, &mlflow);
                }
                5 if chance.below(20) == 0 => kept.inner().clear(),
                _ => {
                    let newest = chance.below(6) == 0;
                    let tab = &mut tabs[chance.below(3)];
                    match tab.open {
                        None => tab.ask(&mlflow, &kept, &place, newest),
                        Some(_) => tab.go_on(&kept, &place),
                    }
                }
            }
        }
        tabs.push(Tab::default());
        for (index, tab) in tabs.iter_mut().enumerate() {
            let walks = if index == 3 {
                tab.begin(&kept, &place, least + chance.below(6), &mlflow);
                1
            } else {
                2
            };
            tab.walks = 0;
            while tab.walks < walks || !tab.doubtful.is_empty() || tab.open.is_some() {
                match tab.open {
                    None => tab.ask(&mlflow, &kept, &place, false),
                    Some(_) => tab.go_on(&kept, &place),
                }
            }
            assert_eq!(tab.says(), mlflow.says(), "seed {seed}, tab {index}");
        }
        let there = mlflow.says();
        if !there.is_empty() {
            let mut last = Tab::default();
            last.begin(&kept, &place, 1, &mlflow);
            assert_eq!(last.says(), there, "seed {seed}: copy");
        }
    }
}
