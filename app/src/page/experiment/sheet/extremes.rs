//! Fills columns of least, largest and first values: what can be seen first, then the other runs.

use std::collections::{BTreeSet, HashMap};

use leptos::{prelude::*, task::spawn_local};

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

/// Of which histories the values are here: by run and metric, and the last value as it was then.
#[derive(Default)]
pub struct Known {
    of: HashMap<(String, String), Option<u64>>,
}

/// What is asked for at once.
struct Batch {
    experiments: Vec<String>,
    runs: Vec<String>,
    metrics: Vec<String>,
}

// === impl Known ===

impl Known {
    fn has(&self, store: &Store, row: u32, metric: &str) -> bool {
        let key = (store.run_id(row).to_owned(), metric.to_owned());
        self.of.get(&key).is_some_and(|before| *before == last(store, row, metric))
    }

    fn learn(&mut self, store: &Store, batch: &Batch) {
        for run in &batch.runs {
            let Some(row) = store.row(run) else { continue };
            for metric in &batch.metrics {
                self.of.insert((run.clone(), metric.clone()), last(store, row, metric));
            }
        }
    }
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
            self.window.track();
            self.lines.track();
            self.drawn.track();
            let is_here = self.phase.get() != Phase::Coming;
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
        let (lines, window) = (self.lines.get_untracked(), self.window.get_untracked());
        let seen = window.lines.clone().filter_map(|at| lines.lines.get(at)?.row());
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
    }
}
