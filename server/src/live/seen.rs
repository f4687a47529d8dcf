//! What is known of an experiment's runs, and what is new in an answer of MLflow's.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde_json::Value;

use super::feed::{Change, What};
use crate::clock;

/// So many of the newest runs are looked at each time.
pub const NEWEST: usize = 10;
/// So far the clock of who begins a run may be behind, in ms.
const SKEW: i64 = 60_000;
/// Of more runs, those are forgotten that have ended and are not among the newest.
const MOST: usize = 5000;

/// The runs that were told of last.
#[derive(Default)]
pub struct Seen {
    runs: HashMap<String, Known>,
    /// Nothing was told of before: what there is now is not new.
    is_begun: bool,
    /// Every run that began later (ms since 1970) is known; `None` where every run is.
    pub floor: Option<i64>,
}

struct Known {
    hash: u64,
    name: String,
    is_running: bool,
    is_deleted: bool,
    /// Whoever watches had it before, or was told. Else it may have changed between.
    is_told: bool,
}

/// What one look at MLflow has shown.
pub struct Look {
    /// The runs that go on, and those that were looked up.
    pub runs: Vec<Value>,
    /// Those that began last, the newest first: all that began after the floor, and where there is none, [`NEWEST`].
    pub newest: Vec<Value>,
    /// Of the others, those whose turn it was.
    pub older: Vec<Value>,
    /// Ids that were looked up, and are not there any more.
    pub gone: Vec<String>,
}

// === impl Seen ===

impl Seen {
    pub fn is_begun(&self) -> bool {
        self.is_begun
    }

    pub fn running(&self) -> impl Iterator<Item = &String> {
        self.runs.iter().filter(|(_, known)| known.is_running).map(|(id, _)| id)
    }

    /// Takes in what was seen, and says what has changed.
    pub fn take(&mut self, look: Look) -> Vec<Change> {
        let Look { runs, newest, older, gone } = look;
        let is_bare = !self.is_begun && newest.is_empty() && runs.is_empty();
        // Who may not read them sees no runs: for whoever comes after, they are not new.
        let floor = floor(&newest).or(self.floor).or_else(|| is_bare.then(|| clock::now() - SKEW));
        let kept: HashSet<String> = newest.iter().filter_map(|run| text(run, "run_id")).collect();
        let mut changes = Vec::new();
        // In the order in which they were asked for: what came later knows better.
        let told = runs.into_iter().chain(newest).map(|run| (run, false));
        for (mut run, is_older) in older.into_iter().map(|run| (run, true)).chain(told) {
            let Some(id) = text(&run, "run_id") else { continue };
            without_links(&mut run);
            let mut known = Known::of(&run);
            let what = match self.runs.get(&id) {
                Some(before) if before.hash == known.hash && (before.is_told || is_older) => continue,
                // Seen among the older ones alone; now somebody has touched it, perhaps before that, or it is looked at with the newest.
                Some(before) if before.hash == known.hash => Some(if known.is_deleted { What::Deleted } else { What::Changed }),
                Some(before) => known.since(before),
                // Whether it has changed, nobody knows.
                None if !self.is_begun || (is_older && self.floor.is_some_and(|floor| begun(&run) <= floor)) => None,
                None if known.is_deleted => Some(What::Deleted),
                None if self.floor.is_none_or(|floor| begun(&run) > floor) => Some(What::Created),
                None => Some(What::Changed),
            };
            known.is_told = !is_older || what.is_some();
            self.runs.insert(id, known);
            changes.extend(what.map(|what| Change { what, run }));
        }
        for id in gone {
            if self.runs.remove(&id).is_some_and(|known| !known.is_deleted) {
                let run = serde_json::json!({ "info": { "run_id": id } });
                changes.push(Change { what: What::Deleted, run });
            }
        }
        if self.runs.len() > MOST {
            self.runs.retain(|id, known| known.is_running || kept.contains(id));
        }
        self.floor = floor;
        self.is_begun = true;
        changes
    }
}

/// When the last of the newest runs began, where there are others before it.
fn floor(newest: &[Value]) -> Option<i64> {
    newest.get(NEWEST - 1).map(begun)
}

fn begun(run: &Value) -> i64 {
    run["info"]["start_time"].as_i64().unwrap_or_default()
}

fn text(run: &Value, field: &str) -> Option<String> {
    run["info"][field].as_str().map(str::to_owned)
}

/// MLflow withholds links to logged models from those who may not see them; all who watch get the same, so nobody gets any.
fn without_links(run: &mut Value) {
    if let Some(run) = run.as_object_mut() {
        run.remove("outputs");
    }
    // Indexing would make what is not there.
    if let Some(inputs) = run.get_mut("inputs").and_then(Value::as_object_mut) {
        inputs.remove("model_inputs");
    }
    let metrics = run.pointer_mut("/data/metrics").and_then(Value::as_array_mut);
    for metric in metrics.into_iter().flatten() {
        if let Some(metric) = metric.as_object_mut() {
            metric.remove("model_id");
        }
    }
}

// === impl Known ===

impl Known {
    fn of(run: &Value) -> Self {
        let mut hasher = DefaultHasher::new();
        run.to_string().hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            name: text(run, "run_name").unwrap_or_default(),
            is_running: matches!(run["info"]["status"].as_str(), Some("RUNNING" | "SCHEDULED")),
            is_deleted: run["info"]["lifecycle_stage"] == "deleted",
            is_told: true,
        }
    }

    fn since(&self, before: &Self) -> Option<What> {
        Some(match (before.is_deleted, self.is_deleted) {
            (false, true) => What::Deleted,
            (true, false) => What::Restored,
            _ if before.is_running && !self.is_running => What::Ended,
            _ if before.name != self.name => What::Renamed,
            _ => What::Changed,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Look, NEWEST, Seen};
    use crate::live::feed::What::{self, *};

    fn run(id: &str, start: i64, status: &str) -> Value {
        json!({ "info": { "run_id": id, "run_name": "n", "start_time": start, "status": status, "lifecycle_stage": "active" } })
    }

    fn look(seen: &mut Seen, runs: Vec<Value>, newest: Vec<Value>, gone: &[&str]) -> Vec<(What, String)> {
        let gone = gone.iter().map(|&id| id.to_owned()).collect();
        let changes = seen.take(Look {
            runs,
            newest,
            older: Vec::new(),
            gone,
        });
        let told = changes.into_iter();
        told.map(|change| (change.what, change.run["info"]["run_id"].as_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn each_change_has_its_name() {
        let mut seen = Seen::default();
        assert!(look(&mut seen, vec![run("a", 1, "RUNNING")], vec![run("a", 1, "RUNNING")], &[]).is_empty());
        assert!(look(&mut seen, vec![run("a", 1, "RUNNING")], vec![], &[]).is_empty());
        let with = |field: &str, value: &str, mut run: Value| {
            run["info"][field] = json!(value);
            run
        };
        let ended = run("a", 1, "FINISHED");
        for (now, what) in [
            (with("user_id", "u", run("a", 1, "RUNNING")), Changed),
            (ended.clone(), Ended),
            (with("run_name", "m", ended.clone()), Renamed),
            (with("lifecycle_stage", "deleted", ended.clone()), Deleted),
            (ended.clone(), Restored),
            (run("a", 1, "RUNNING"), Changed),
            (run("b", 2, "FAILED"), Created),
        ] {
            let id = now["info"]["run_id"].as_str().unwrap().to_owned();
            assert_eq!(look(&mut seen, vec![now], vec![], &[]), [(what, id)]);
        }
        assert_eq!(look(&mut seen, vec![], vec![], &["b", "x"]), [(Deleted, "b".to_owned())]);
    }

    #[test]
    fn only_what_began_after_all_that_is_known_is_new() {
        let mut seen = Seen::default();
        let newest: Vec<_> = (0..NEWEST as i64)
            .map(|number| run(&number.to_string(), 100 - number, "FINISHED"))
            .collect();
        look(&mut seen, vec![], newest, &[]);
        assert_eq!(seen.floor, Some(100 - NEWEST as i64 + 1));
        let (old, new) = (run("old", 1, "RUNNING"), run("new", 101, "RUNNING"));
        let told = look(&mut seen, vec![old, new], vec![], &[]);
        assert_eq!(told, [(Changed, "old".to_owned()), (Created, "new".to_owned())]);
    }

    #[test]
    fn of_older_runs_is_told_what_changes_once_they_were_seen() {
        let mut seen = Seen::default();
        let mut look = |older: Value| {
            let older = vec![older];
            let changes = seen.take(Look {
                runs: vec![],
                newest: vec![],
                older,
                gone: vec![],
            });
            changes.into_iter().map(|change| change.what).collect::<Vec<_>>()
        };
        look(run("a", 1, "FINISHED"));
        assert_eq!(look(run("b", 2, "FINISHED")), []);
        assert_eq!(look(run("b", 2, "FINISHED")), []);
        let mut deleted = run("b", 2, "FINISHED");
        deleted["info"]["lifecycle_stage"] = json!("deleted");
        assert_eq!(look(deleted), [Deleted]);
        let new = run("c", i64::MAX, "FINISHED");
        assert_eq!(look(new), [Created], "though it came among the older ones first");
    }

    #[test]
    fn what_somebody_has_touched_is_told_though_it_was_seen_among_the_older_ones_before() {
        let mut seen = Seen::default();
        look(&mut seen, vec![], vec![run("a", 1, "FINISHED")], &[]);
        let mut deleted = run("c", 3, "FINISHED");
        deleted["info"]["lifecycle_stage"] = json!("deleted");
        for (touched, what) in [(run("b", 2, "FINISHED"), Changed), (deleted, Deleted)] {
            let newest: Vec<_> = (0..NEWEST as i64)
                .map(|number| run(&number.to_string(), 100 - number, "FINISHED"))
                .collect();
            look(&mut seen, vec![], newest, &[]);
            let older = vec![touched.clone()];
            let quiet = seen.take(Look {
                runs: vec![],
                newest: vec![],
                older,
                gone: vec![],
            });
            assert!(quiet.is_empty());
            let id = touched["info"]["run_id"].as_str().unwrap().to_owned();
            assert_eq!(look(&mut seen, vec![touched.clone()], vec![], &[]), [(what, id)]);
            assert!(look(&mut seen, vec![touched], vec![], &[]).is_empty(), "once");
        }
    }

    #[test]
    fn links_to_models_are_nobodys_and_no_change() {
        let mut seen = Seen::default();
        look(&mut seen, vec![run("a", 1, "RUNNING")], vec![], &[]);
        let mut linked = run("a", 1, "RUNNING");
        linked["outputs"] = json!({ "model_outputs": [{ "model_id": "m-1" }] });
        assert!(look(&mut seen, vec![linked], vec![], &[]).is_empty());
        let mut measured = run("a", 1, "RUNNING");
        measured["data"] = json!({ "metrics": [{ "key": "loss", "value": 1.0, "model_id": "m-1" }] });
        measured["inputs"] = json!({ "model_inputs": [{ "model_id": "m-1" }] });
        let changes = seen.take(Look {
            runs: vec![measured],
            newest: vec![],
            older: vec![],
            gone: vec![],
        });
        assert!(!changes[0].run.to_string().contains("m-1"), "{}", changes[0].run);
    }
}
