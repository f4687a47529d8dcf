//! A page of runs, cut down to what the table shows.

use std::collections::{BTreeMap, BTreeSet, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::{
    column::{Column, FIXED},
    view::View,
};
use crate::{
    api::mlflow::{
        number,
        run::{Found, Run, Status, tag},
    },
    order::sort_by,
    part::number::count,
};

/// Columns that nobody asked for: at most so many.
const METRICS: usize = 6;
const PARAMS: usize = 4;

/// Longer texts are cut; the run's page has them whole.
const LONGEST: usize = 120;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    pub rows: Vec<Row>,
    /// What each row's cells are, the name aside.
    pub columns: Vec<Column>,
    /// Every column that these runs could have.
    pub offered: Vec<Column>,
    /// MLflow's mark of the next page.
    pub next: Option<String>,
    /// How many runs the pages before this one have.
    pub skipped: usize,
    /// Only those that match something.
    pub filtered: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub id: String,
    pub experiment: String,
    pub name: String,
    pub status: Status,
    pub start: Option<i64>,
    pub end: Option<i64>,
    /// How far it is set in below the runs that it belongs to.
    pub depth: u8,
    /// The run that it belongs to, where that one is not right above: its id, and its name if it is on this page.
    pub parent: Option<(String, Option<String>)>,
    pub cells: Vec<Cell>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Cell {
    /// The run has none, or the row itself has it.
    #[serde(rename = "-")]
    None,
    #[serde(rename = "n")]
    Number(#[serde(deserialize_with = "number::float", serialize_with = "number::write_float")] f64),
    #[serde(rename = "t")]
    Text(String),
}

// === impl Page ===

impl Page {
    pub fn new(found: &Found, view: &View) -> Self {
        let offered = offered(&found.runs, view.columns.as_deref().unwrap_or_default());
        let columns = view.columns.clone().unwrap_or_else(|| telling(&found.runs));
        let order = if view.sort.is_empty() {
            families(&found.runs)
        } else {
            (0..found.runs.len()).map(|at| (at, 0)).collect()
        };
        let names: BTreeMap<_, _> = found.runs.iter().map(|run| (run.info.run_id.as_str(), run.name())).collect();
        let rows = order
            .iter()
            .map(|&(at, depth)| Row::new(&found.runs[at], depth, &names, &columns))
            .collect();
        Self {
            rows,
            columns,
            offered,
            next: found.next_page_token.clone(),
            skipped: view.skipped(),
            filtered: !view.typed.is_empty(),
        }
    }

    /// With experiments by their names in place of their ids.
    pub fn named(mut self, names: &BTreeMap<String, String>) -> Self {
        if let Some(at) = self.columns.iter().position(|column| *column == Column::Experiment) {
            for row in &mut self.rows {
                if let Some(Cell::Text(text)) = row.cells.get_mut(at)
                    && let Some(name) = names.get(text)
                {
                    *text = cut(name);
                }
            }
        }
        self
    }

    /// How many runs there are up to the end of this page: `200+ runs` where more follow.
    pub fn count(&self) -> String {
        let runs = self.skipped + self.rows.len();
        let more = if self.next.is_some() { "+" } else { "" };
        let many = if runs == 1 && self.next.is_none() { "" } else { "s" };
        let matching = if self.filtered { " match" } else { "" };
        format!("{}{more} run{many}{matching}", count(runs))
    }

    pub fn is_running(&self) -> bool {
        self.rows
            .iter()
            .any(|row| row.end.is_none() && matches!(row.status, Status::Running | Status::Scheduled))
    }
}

// === impl Row ===

impl Row {
    fn new(run: &Run, depth: u8, names: &BTreeMap<&str, &str>, columns: &[Column]) -> Self {
        let parent = run.parent().filter(|_| depth == 0);
        Self {
            id: run.info.run_id.clone(),
            experiment: run.info.experiment_id.clone(),
            name: run.name().to_owned(),
            status: run.info.status,
            start: run.info.start_time.filter(|time| *time > 0),
            end: run.info.end_time.filter(|time| *time > 0),
            depth,
            parent: parent.map(|id| (id.to_owned(), names.get(id).map(|name| (*name).to_owned()))),
            cells: columns.iter().map(|column| cell(run, column)).collect(),
        }
    }

    /// Equal where a row need not be drawn anew.
    pub fn stamp(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (
            &self.id,
            &self.name,
            self.status as u8,
            self.start,
            self.end,
            self.depth,
            &self.parent,
        )
            .hash(&mut hasher);
        for cell in &self.cells {
            match cell {
                Cell::None => 0_u64.hash(&mut hasher),
                Cell::Number(value) => value.to_bits().hash(&mut hasher),
                Cell::Text(text) => text.hash(&mut hasher),
            }
        }
        hasher.finish()
    }
}

fn cell(run: &Run, column: &Column) -> Cell {
    let text = |text: Option<&str>| text.map_or(Cell::None, |text| Cell::Text(cut(text)));
    match column {
        Column::Metric(key) => run.metric(key).map_or(Cell::None, |metric| Cell::Number(metric.value)),
        Column::Param(key) => text(run.param(key)),
        Column::Tag(key) => text(run.tag(key)),
        Column::User => text(run.user()),
        Column::Source => text(run.tag(tag::SOURCE).map(|source| source.rsplit('/').next().unwrap_or(source))),
        Column::Commit => text(run.tag(tag::COMMIT).map(|commit| commit.get(..8).unwrap_or(commit))),
        Column::Parent => text(run.parent()),
        Column::Experiment => text(Some(&run.info.experiment_id)),
        // Their histories come to the table of all runs only, and so do datasets.
        Column::Stat(..) | Column::Dataset | Column::Folder(_) => Cell::None,
        Column::Name | Column::Status | Column::Start | Column::End | Column::Duration | Column::Id => Cell::None,
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The fixed ones, then what the runs have, each family by name; and those already chosen.
fn offered(runs: &[Run], chosen: &[Column]) -> Vec<Column> {
    let mut found: BTreeSet<Column> = chosen
        .iter()
        .filter(|column| matches!(column, Column::Param(_) | Column::Metric(_) | Column::Tag(_)))
        .cloned()
        .collect();
    for run in runs {
        found.extend(run.data.params.iter().map(|pair| Column::Param(pair.key.clone())));
        found.extend(run.data.metrics.iter().map(|metric| Column::Metric(metric.key.clone())));
        found.extend(
            run.data
                .tags
                .iter()
                .filter(|pair| !tag::is_internal(&pair.key))
                .map(|pair| Column::Tag(pair.key.clone())),
        );
    }
    FIXED.into_iter().chain(found).collect()
}

/// A few columns that tell these runs apart.
fn telling(runs: &[Run]) -> Vec<Column> {
    let mut columns = vec![Column::Status, Column::Start, Column::Duration, Column::User];
    if runs.iter().any(|run| run.info.experiment_id != runs[0].info.experiment_id) {
        columns.insert(0, Column::Experiment);
    }
    let metrics = runs
        .iter()
        .flat_map(|run| run.data.metrics.iter().map(|metric| (metric.key.as_str(), metric.value.to_bits())));
    let params = runs
        .iter()
        .flat_map(|run| run.data.params.iter().map(|pair| (pair.key.as_str(), hash(&pair.value))));
    columns.extend(pick(metrics, runs.len(), METRICS).map(Column::Metric));
    columns.extend(pick(params, runs.len(), PARAMS).map(Column::Param));
    columns
}

/// The keys whose values differ from run to run, those that most runs have first; then those that some runs lack. Of a single run all are as good.
fn pick<'a>(pairs: impl Iterator<Item = (&'a str, u64)>, runs: usize, most: usize) -> impl Iterator<Item = String> {
    // Key: how many runs have it, its first value, whether there is another.
    let mut keys: BTreeMap<&str, (usize, u64, bool)> = BTreeMap::new();
    for (key, value) in pairs {
        let entry = keys.entry(key).or_insert((0, value, false));
        entry.0 += 1;
        entry.2 |= entry.1 != value;
    }
    let mut keys: Vec<_> = keys
        .into_iter()
        .filter(|(_, (count, _, differs))| runs == 1 || *differs || *count < runs)
        .collect();
    sort_by(&mut keys, |a, b| {
        let ((key, (count, _, differs)), (key_b, (count_b, _, differs_b))) = (a, b);
        (!differs, count_b, key).cmp(&(!differs_b, count, key_b))
    });
    keys.truncate(most);
    keys.into_iter().map(|(key, _)| key.to_owned())
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Runs below the one that they belong to, if that is on the page too: which, and how deep.
fn families(runs: &[Run]) -> Vec<(usize, u8)> {
    let places: BTreeMap<&str, usize> = runs.iter().enumerate().map(|(at, run)| (run.info.run_id.as_str(), at)).collect();
    let parent = |at: usize| {
        runs[at]
            .parent()
            .and_then(|id| places.get(id).copied())
            .filter(|parent| *parent != at)
    };
    let mut children = vec![Vec::new(); runs.len()];
    for at in 0..runs.len() {
        if let Some(parent) = parent(at) {
            children[parent].push(at);
        }
    }
    let mut order = Vec::with_capacity(runs.len());
    let mut placed = vec![false; runs.len()];
    // First the heads of families, then what belongs to itself in a circle.
    for at in (0..runs.len()).filter(|at| parent(*at).is_none()).chain(0..runs.len()) {
        let mut open = vec![(at, 0_u8)];
        while let Some((at, depth)) = open.pop() {
            if !std::mem::replace(&mut placed[at], true) {
                order.push((at, depth));
                open.extend(children[at].iter().rev().map(|child| (*child, depth.saturating_add(1))));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::mlflow::{
        metric::Metric,
        run::{Data, Info, Pair},
    };

    fn run(id: &str, parent: Option<&str>, metrics: &[(&str, f64)], params: &[(&str, &str)]) -> Run {
        let pair = |(key, value): (&str, &str)| Pair {
            key: key.into(),
            value: value.into(),
        };
        let info = serde_json::from_str::<Info>(&format!(
            r#"{{"run_id":"{id}","experiment_id":"1","run_name":"{id}","status":"FINISHED","start_time":5}}"#
        ))
        .unwrap();
        let metrics = metrics
            .iter()
            .map(|(key, value)| Metric {
                key: (*key).into(),
                value: *value,
                timestamp: 0,
                step: 0,
            })
            .collect();
        let tags = parent.map(|parent| pair((tag::PARENT, parent))).into_iter().collect();
        let data = Data {
            metrics,
            params: params.iter().copied().map(pair).collect(),
            tags,
        };
        Run {
            info,
            data,
            inputs: Default::default(),
            outputs: Default::default(),
        }
    }

    fn names(page: &Page) -> Vec<(&str, u8)> {
        page.rows.iter().map(|row| (row.name.as_str(), row.depth)).collect()
    }

    #[test]
    fn children_stand_below_their_parent() {
        let runs = vec![
            run("d", Some("b"), &[], &[]),
            run("c", Some("a"), &[], &[]),
            run("b", Some("a"), &[], &[]),
            run("a", None, &[], &[]),
            run("e", Some("gone"), &[], &[]),
        ];
        let found = Found {
            runs,
            next_page_token: None,
        };
        let page = Page::new(&found, &View::default());
        assert_eq!(names(&page), [("a", 0), ("c", 1), ("b", 1), ("d", 2), ("e", 0)]);
        assert_eq!(page.rows[4].parent, Some(("gone".into(), None)));
        assert_eq!(page.rows[1].parent, None);

        let sorted = Page::new(
            &found,
            &View {
                sort: super::super::column::Sort::read("name").into_iter().collect(),
                ..View::default()
            },
        );
        assert_eq!(names(&sorted), [("d", 0), ("c", 0), ("b", 0), ("a", 0), ("e", 0)]);
        assert_eq!(sorted.rows[0].parent, Some(("b".into(), Some("b".into()))));
    }

    #[test]
    fn runs_of_several_experiments_say_of_which() {
        let mut runs = vec![run("a", None, &[], &[]), run("b", None, &[], &[])];
        runs[1].info.experiment_id = "2".into();
        let found = Found {
            runs,
            next_page_token: None,
        };
        let names = [("2".to_owned(), "team/two".to_owned())].into();
        let page = Page::new(&found, &View::default()).named(&names);
        assert_eq!(page.columns[0], Column::Experiment);
        let cells: Vec<_> = page.rows.iter().map(|row| row.cells[0].clone()).collect();
        assert_eq!(cells, [Cell::Text("1".into()), Cell::Text("team/two".into())]);
        assert_eq!(page.rows[1].experiment, "2");
    }

    #[test]
    fn circles_end() {
        let found = Found {
            runs: vec![
                run("a", Some("b"), &[], &[]),
                run("b", Some("a"), &[], &[]),
                run("c", Some("c"), &[], &[]),
            ],
            next_page_token: None,
        };
        assert_eq!(Page::new(&found, &View::default()).rows.len(), 3);
    }

    #[test]
    fn columns_tell_runs_apart() {
        let runs = vec![
            run(
                "a",
                None,
                &[("loss", 1.0), ("same", 1.0), ("rare", 1.0)],
                &[("lr", "1"), ("seed", "7")],
            ),
            run("b", None, &[("loss", f64::NAN), ("same", 1.0)], &[("lr", "2"), ("seed", "7")]),
        ];
        let page = Page::new(
            &Found {
                runs: runs.clone(),
                next_page_token: None,
            },
            &View::default(),
        );
        let ids: Vec<_> = page.columns.iter().map(Column::id).collect();
        assert_eq!(ids, ["status", "start", "duration", "user", "m:loss", "m:rare", "p:lr"]);
        assert!(page.offered.contains(&Column::Metric("same".into())) && page.offered.contains(&Column::Param("seed".into())));
        assert!(!page.offered.contains(&Column::Tag(tag::PARENT.into())));

        let one = Page::new(
            &Found {
                runs: runs[..1].to_vec(),
                next_page_token: None,
            },
            &View::default(),
        );
        assert_eq!(one.columns.len(), 9);
    }

    #[test]
    fn a_page_survives_the_way_to_the_browser() {
        let found: Found = serde_json::from_str(include_str!("../../api/mlflow/testdata/runs.json")).unwrap();
        let page = Page::new(&found, &View::default());
        let back: Page = serde_json::from_str(&serde_json::to_string(&page).unwrap()).unwrap();
        let stamps = |page: &Page| page.rows.iter().map(Row::stamp).collect::<Vec<_>>();
        assert_eq!(stamps(&back), stamps(&page));
        assert_eq!(back.columns, page.columns);
        assert!(page.is_running());
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(cut("kurz"), "kurz");
        assert_eq!(cut(&"ü".repeat(500)).chars().count(), LONGEST + 1);
    }
}
