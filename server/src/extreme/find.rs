//! Finding extremes: MLflow is asked for the runs as the caller, and for the histories of what is not known yet.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use axum::http::HeaderValue;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Extremes, Folded, cache::Finding};
use crate::{
    limit::{Party, share::Place},
    mlflow::{
        NotTold,
        history::{self, Point},
        run::{self, Search, View},
    },
    proxy::about::Mention,
    state::State,
};

/// Runs that are looked at together; MLflow's routes take 100.
const TOGETHER: usize = 50;
/// Calls to MLflow at the same time, of one party: each may read 25,000 points.
const AT_ONCE: usize = 4;
/// Pages of 25,000 points of one history.
const MOST_PAGES: usize = 40;

/// One caller's question, answered piece by piece.
pub struct Find {
    state: State,
    authorization: HeaderValue,
    party: Party,
    metrics: Vec<String>,
    experiments: Vec<String>,
    runs: VecDeque<String>,
    /// Runs of which something has yet to be found.
    open: Vec<Open>,
}

/// The answer for one run. Those that are not there, or that MLflow does not let the caller read, have none.
#[derive(Serialize, ToSchema)]
#[schema(as = RunExtremes)]
pub struct Line {
    run: String,
    /// By the name of the metric, where it has a history. `null` for one that is too long to be read: more than a million points.
    #[schema(value_type = BTreeMap<String, Extremes>)]
    metrics: BTreeMap<String, Option<Extremes>>,
}

#[derive(Deserialize)]
struct Run {
    info: Info,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize)]
struct Info {
    run_id: String,
    #[serde(default)]
    status: String,
    end_time: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    metrics: Vec<Latest>,
}

/// The last value of a metric.
#[derive(Deserialize)]
struct Latest {
    key: String,
    #[serde(flatten)]
    point: Point,
}

/// A run of which not everything is known.
struct Open {
    line: Line,
    missing: Vec<Missing>,
}

struct Missing {
    metric: String,
    last: Point,
    /// What MLflow tells of it; `None` while the run goes on.
    told: Option<String>,
}

/// What was read of a history.
enum History {
    Folded(Folded),
    TooLong,
}

// === impl Find ===

impl Find {
    /// `runs` are ones of [`run::is_id`]; they are looked for in `experiments`, or wherever they are.
    ///
    /// # Errors
    /// [`NotTold`].
    pub async fn new(
        state: State,
        authorization: HeaderValue,
        party: Party,
        runs: Vec<String>,
        metrics: Vec<String>,
        experiments: Vec<String>,
    ) -> Result<Self, NotTold> {
        let mut find = Self {
            state,
            authorization,
            party,
            metrics,
            experiments,
            runs: runs.into(),
            open: Vec::new(),
        };
        if find.experiments.is_empty() {
            find.experiments = find.homes().await?;
        }
        Ok(find)
    }

    /// The next lines; `None` at the end.
    ///
    /// # Errors
    /// [`NotTold`].
    pub async fn next(&mut self) -> Result<Option<Vec<Line>>, NotTold> {
        if !self.open.is_empty() {
            return self.rest().await.map(Some);
        }
        while !self.runs.is_empty() {
            let lines = self.look().await?;
            if !lines.is_empty() || !self.open.is_empty() {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }

    /// The experiments that the runs live in, as far as the caller may read them.
    async fn homes(&self) -> Result<Vec<String>, NotTold> {
        let asked: Vec<_> = self.runs.iter().map(|id| self.home(id.clone()).boxed()).collect();
        let homes: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
        let mut homes: Vec<String> = homes.into_iter().flatten().collect();
        homes.sort_unstable();
        homes.dedup();
        Ok(homes)
    }

    async fn home(&self, id: String) -> Result<Option<String>, NotTold> {
        let mention = Mention::Run(id.clone());
        if let Some(home) = self.state.homes.of(&mention) {
            return Ok(Some(home));
        }
        let _place = self.place().await;
        let home = run::home(&self.state.upstream, &self.authorization, &id).await?;
        if let Some(home) = &home {
            self.state.homes.learn(mention, home.clone());
        }
        Ok(home)
    }

    /// Looks at the next runs, and tells of those of which everything is known.
    async fn look(&mut self) -> Result<Vec<Line>, NotTold> {
        let ids: Vec<String> = self.runs.drain(..self.runs.len().min(TOGETHER)).collect();
        if self.experiments.is_empty() {
            return Ok(Vec::new());
        }
        let search = Search {
            experiment_ids: &self.experiments,
            filter: run::one_of(ids.iter().map(String::as_str)),
            order_by: &[],
            max_results: ids.len(),
            run_view_type: View::All,
            page_token: None,
        };
        let place = self.place().await;
        let found: Option<run::Found<Run>> = run::search(&self.state.upstream, &self.authorization, &search).await?;
        drop(place);
        let runs = found.map(|found| found.runs).unwrap_or_default();
        let told: Vec<&str> = runs.iter().map(|run| run.info.run_id.as_str()).collect();
        let known = self.state.extremes.cache.known(&told, &self.metrics).await.unwrap_or_else(|error| {
            tracing::warn!("cannot read the cache: {error}");
            HashMap::new()
        });
        let mut by_id: HashMap<String, Run> = runs.into_iter().map(|run| (run.info.run_id.clone(), run)).collect();
        let mut lines = Vec::new();
        // In the order in which they were asked for.
        for run in ids.iter().filter_map(|id| by_id.remove(id)) {
            let Run { info, data } = run;
            let mut open = Open {
                line: Line {
                    run: info.run_id.clone(),
                    metrics: BTreeMap::new(),
                },
                missing: Vec::new(),
            };
            let has_ended = matches!(info.status.as_str(), "FINISHED" | "FAILED" | "KILLED");
            for latest in data.metrics.into_iter().filter(|latest| self.metrics.contains(&latest.key)) {
                let Latest { key: metric, point: last } = latest;
                let told = has_ended.then(|| format!("{:?} {:?} {} {}", info.end_time, last.value, last.step, last.timestamp));
                match known.get(&(info.run_id.clone(), metric.clone())) {
                    Some((then, extremes)) if Some(then) == told.as_ref() => drop(open.line.metrics.insert(metric, Some(*extremes))),
                    _ => open.missing.push(Missing { metric, last, told }),
                }
            }
            match open.missing.is_empty() {
                true => lines.push(open.line),
                false => self.open.push(open),
            }
        }
        Ok(lines)
    }

    /// Finds what is open.
    async fn rest(&mut self) -> Result<Vec<Line>, NotTold> {
        let mut open = std::mem::take(&mut self.open);
        let mut by_metric: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Open { line, missing } in &open {
            for missing in missing {
                by_metric.entry(missing.metric.clone()).or_default().push(line.run.clone());
            }
        }
        let asked = by_metric.into_iter().map(|(metric, runs)| self.histories(metric, runs).boxed());
        let asked: Vec<_> = asked.collect();
        let found: HashMap<_, _> = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
        for Open { line, missing } in &mut open {
            for missing in missing {
                let extremes = match found.get(&missing.metric).and_then(|histories| histories.get(&line.run)) {
                    Some(History::Folded(folded)) => {
                        if !folded.last().is_some_and(|last| last.is_same(&missing.last)) {
                            // It goes on being written to.
                            missing.told = None;
                        }
                        folded.extremes()
                    }
                    Some(History::TooLong) => None,
                    // Deleted meanwhile.
                    None => continue,
                };
                line.metrics.insert(missing.metric.clone(), extremes);
            }
        }
        self.keep(&open).await;
        Ok(open.into_iter().map(|open| open.line).collect())
    }

    async fn keep(&self, open: &[Open]) {
        let findings = open.iter().flat_map(|Open { line, missing }| {
            missing.iter().filter_map(|missing| {
                Some(Finding {
                    run: &line.run,
                    metric: &missing.metric,
                    told: missing.told.as_ref()?,
                    extremes: line.metrics.get(&missing.metric)?.as_ref()?,
                })
            })
        });
        let findings: Vec<_> = findings.collect();
        if let Err(error) = self.state.extremes.cache.keep(&findings).await {
            tracing::warn!("cannot write the cache: {error}");
        }
    }

    /// The histories of one metric, by run, and its name. MLflow reads those of many runs at little more cost than one, but cuts them off together.
    async fn histories(&self, metric: String, mut runs: Vec<String>) -> Result<(String, HashMap<String, History>), NotTold> {
        let mut found = HashMap::new();
        while !runs.is_empty() {
            let place = self.place().await;
            let points = history::bulk(&self.state.upstream, &self.authorization, &runs, &metric).await?;
            drop(place);
            let Some(points) = points else {
                // One of them is gone by now, and MLflow does not say which.
                for run in runs.drain(..) {
                    found.extend(self.history(&run, &metric).await?.map(|history| (run, history)));
                }
                break;
            };
            let cut = (points.len() >= history::MOST)
                .then(|| points.last().map(|point| point.run_id.clone()))
                .flatten();
            let mut whole: HashMap<String, Folded> = HashMap::new();
            for point in points.into_iter().filter(|point| Some(&point.run_id) != cut.as_ref()) {
                match whole.get_mut(&point.run_id) {
                    Some(folded) => folded.add(point.point),
                    None => whole.entry(point.run_id).or_default().add(point.point),
                }
            }
            let Some(cut) = cut else {
                found.extend(whole.into_iter().map(|(run, folded)| (run, History::Folded(folded))));
                break;
            };
            // Whatever comes behind the one that was cut off has not been read.
            runs.retain(|run| *run != cut && !whole.contains_key(run));
            found.extend(whole.into_iter().map(|(run, folded)| (run, History::Folded(folded))));
            let history = self.history(&cut, &metric).await?;
            found.extend(history.map(|history| (cut, history)));
        }
        Ok((metric, found))
    }

    /// One history, page by page.
    async fn history(&self, run: &str, metric: &str) -> Result<Option<History>, NotTold> {
        let (mut folded, mut token) = (Folded::default(), None);
        for _ in 0..MOST_PAGES {
            let _place = self.place().await;
            let page = history::page(&self.state.upstream, &self.authorization, run, metric, token.as_deref()).await?;
            let Some((points, next)) = page else { return Ok(None) };
            points.into_iter().for_each(|point| folded.add(point));
            match next {
                Some(next) => token = Some(next),
                None => return Ok(Some(History::Folded(folded))),
            }
        }
        Ok(Some(History::TooLong))
    }

    /// Waits until one of the party's calls to MLflow has ended, where it has as many as it may.
    async fn place(&self) -> Option<Place> {
        Arc::clone(&self.state.extremes.lines).wait(&self.party, AT_ONCE).await
    }
}
