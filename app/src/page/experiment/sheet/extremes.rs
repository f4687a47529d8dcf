//! Fills columns of least, largest and first values: what can be seen first, then the other runs.

use std::collections::{BTreeSet, HashMap};

use crate::prelude::*;
use leptos::task::spawn_local;

use super::{Sheet, bring::Phase};
use crate::{
    api::{
        ApiError,
        flowdeck::extremes::{self, Found},
    },
    page::experiment::column::Column,
    table::{
        column::{Attribute, Cell, Family, Name, Stat},
        store::Store,
    },
};

/// Of which histories the values are here: by row and metric, and what the row said then.
#[derive(Default)]
pub struct Known {
    metrics: Vec<String>,
    of: HashMap<(u32, usize), Seen>,
}

/// The last value, and whether there is a first one. A row that another run took over says something else.
type Seen = (Option<u64>, bool);

/// What is asked for at once.
struct Batch {
    experiments: Vec<String>,
    runs: Vec<String>,
    metrics: Vec<String>,
}

// === impl Known ===

impl Known {
    fn has(&self, store: &Store, row: u32, metric: &str) -> bool {
        let at = self.metrics.iter().position(|known| known == metric);
        let before = at.and_then(|at| self.of.get(&(row, at)));
        before.is_some_and(|before| *before == seen(store, row, metric))
    }

    fn learn(&mut self, store: &Store, batch: &Batch) {
        for metric in &batch.metrics {
            let at = self.metrics.iter().position(|known| known == metric).unwrap_or_else(|| {
                self.metrics.push(metric.clone());
                self.metrics.len() - 1
            });
            for row in batch.runs.iter().filter_map(|run| store.row(run)) {
                self.of.insert((row, at), seen(store, row, metric));
            }
        }
    }
}

fn seen(store: &Store, row: u32, metric: &str) -> Seen {
    let first = store.find(Family::Metric(Stat::First), metric);
    (last(store, row, metric), first.is_some_and(|first| !first.cell(row).is_missing()))
}

fn last(store: &Store, row: u32, metric: &str) -> Option<u64> {
    match store.find(Family::Metric(Stat::Last), metric)?.cell(row) {
        Cell::Number(value) => Some(value.to_bits()),
        _ => None,
    }
}

// === impl Sheet ===

impl Sheet {
    /// Asks for histories as columns, lines and what is in sight change.
    pub(super) fn follow_extremes(self) {
        Effect::new(move |_| {
            self.columns.track();
            self.down.track();
            self.lines.track();
            self.drawn.track();
            let is_here = self.phase.get() != Phase::Coming || self.has_all();
            if is_here && self.extremes_failed.read().is_none() {
                self.read_extremes();
            }
        });
    }

    pub(super) fn retry_extremes(self) {
        self.extremes_failed.set(None);
    }

    fn read_extremes(self) {
        if self.reading.get_value() {
            return;
        }
        let Some(first) = self.next_batch() else { return };
        self.reading.set_value(true);
        spawn_local(async move {
            let turn = self.turn.get_value();
            let client = self.runs.client.get_value();
            let mut next = Some(first);
            while let Some(batch) = next {
                let answer = extremes::ask(&client, &batch.experiments, &batch.runs, &batch.metrics).await;
                // The page may be gone, or show other runs by now.
                if self.turn.try_get_value() != Some(turn) {
                    break;
                }
                match answer {
                    Ok(found) => {
                        self.store.update_value(|store| put(store, &found));
                        self.store
                            .with_value(|store| self.known.update_value(|known| known.learn(store, &batch)));
                        self.changed(false);
                        next = self.next_batch();
                    }
                    Err(error) => {
                        self.extremes_failed.set(Some(error));
                        next = None;
                    }
                }
            }
            self.reading.try_set_value(false);
        });
    }

    /// What is missing of what can be seen, or else of any run.
    fn next_batch(self) -> Option<Batch> {
        let columns = self.columns.get_untracked();
        let metrics: BTreeSet<&String> = columns
            .iter()
            .filter_map(|column| match column {
                Column::Stat(_, key) => Some(key),
                _ => None,
            })
            .collect();
        if metrics.is_empty() {
            return None;
        }
        let metrics: Vec<String> = metrics.into_iter().take(extremes::METRICS).cloned().collect();
        let (lines, window) = (self.lines.get_untracked(), self.down.get_untracked());
        let seen = window.filter_map(|at| lines.lines.get(at)?.row());
        self.store.with_value(|store| {
            self.known.with_value(|known| {
                let has_any = |row: u32| metrics.iter().any(|metric| last(store, row, metric).is_some());
                let is_missing = |row: &u32| has_any(*row) && metrics.iter().any(|metric| !known.has(store, *row, metric));
                let mut rows: Vec<u32> = seen.filter(is_missing).take(extremes::MOST).collect();
                if rows.is_empty() {
                    rows = lines.rows.iter().copied().filter(is_missing).take(extremes::MOST).collect();
                }
                let experiments: BTreeSet<String> = rows.iter().filter_map(|row| experiment(store, *row)).collect();
                (!rows.is_empty()).then(|| Batch {
                    experiments: experiments.into_iter().collect(),
                    runs: rows.iter().map(|row| store.run_id(*row).to_owned()).collect(),
                    metrics: metrics.clone(),
                })
            })
        })
    }

    /// Why histories could not be read.
    pub(super) fn extremes_error(self) -> Option<ApiError> {
        self.extremes_failed.get()
    }
}

fn experiment(store: &Store, row: u32) -> Option<String> {
    match store.cell(row, &Attribute::Experiment.name()) {
        Cell::Text(id) => Some(id.to_owned()),
        _ => None,
    }
}

fn put(store: &mut Store, found: &[Found]) {
    for Found { run, metrics } in found {
        let Some(row) = store.row(run) else { continue };
        for (key, extremes) in metrics {
            let Some(extremes) = extremes else { continue };
            let values = [
                (Stat::Min, extremes.min),
                (Stat::Max, extremes.max),
                (Stat::First, Some(extremes.first)),
            ];
            for (stat, value) in values {
                let cell = value.map_or(Cell::Missing, Cell::Number);
                store.set(row, &Name::new(Family::Metric(stat), key), cell);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::flowdeck::extremes::Extremes;

    #[test]
    fn a_history_that_goes_on_is_asked_for_again() {
        let mut store = Store::default();
        let load = |store: &mut Store, loss: f64| {
            let text = format!(r#"{{"runs":[{{"info":{{"run_id":"a"}},"data":{{"metrics":[{{"key":"loss","value":{loss}}}]}}}}]}}"#);
            store.load(text.as_bytes()).unwrap();
        };
        load(&mut store, 1.0);
        let mut known = Known::default();
        assert!(!known.has(&store, 0, "loss"));
        let batch = Batch {
            experiments: Vec::new(),
            runs: vec!["a".into(), "gone".into()],
            metrics: vec!["loss".into()],
        };
        let extremes = Extremes {
            min: Some(0.5),
            max: None,
            first: 3.0,
        };
        let found = Found {
            run: "a".into(),
            metrics: [("loss".to_owned(), Some(extremes))].into(),
        };
        put(&mut store, &[found]);
        known.learn(&store, &batch);
        assert!(known.has(&store, 0, "loss"));
        let cell = |store: &Store, stat| match store.cell(0, &Name::new(Family::Metric(stat), "loss")) {
            Cell::Number(value) => Some(value),
            _ => None,
        };
        assert_eq!(
            (cell(&store, Stat::Min), cell(&store, Stat::Max), cell(&store, Stat::First)),
            (Some(0.5), None, Some(3.0))
        );
        load(&mut store, 0.9);
        assert!(!known.has(&store, 0, "loss"));

        // Another run in the same row, with the same last value.
        known.learn(&store, &batch);
        assert!(known.has(&store, 0, "loss"));
        store.remove("a");
        let other = r#"{"runs":[{"info":{"run_id":"b"},"data":{"metrics":[{"key":"loss","value":0.9}]}}]}"#;
        store.load(other.as_bytes()).unwrap();
        assert_eq!(store.row("b"), Some(0));
        assert!(!known.has(&store, 0, "loss"));
    }
}
