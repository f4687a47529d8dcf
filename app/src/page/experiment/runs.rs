//! The runs on screen, and how they come.

use std::{collections::BTreeMap, sync::Arc};

use crate::prelude::*;
use leptos::task::spawn_local;

use super::{
    filter,
    table::Page,
    view::{EXPERIMENTS, Tab, View},
};
use crate::{
    api::{
        ApiError, Client, Result,
        flowdeck::view::Saved,
        mlflow::{
            experiment,
            run::{self, Found, Search},
        },
    },
    browser,
    part::health::Health,
};

/// The runs on screen. The first page comes with the document; later ones take its place when they are there.
#[derive(Clone, Copy)]
pub struct Runs {
    /// Whose page it is; [`super::view::EVERY`] for all.
    pub experiment: StoredValue<String>,
    /// The folder that the experiment lies in.
    pub folder: StoredValue<Option<String>>,
    /// The named view that it was opened with.
    pub opened: StoredValue<Opened>,
    pub page: RwSignal<Option<Arc<Page>>>,
    pub error: RwSignal<Option<ApiError>>,
    pub busy: RwSignal<bool>,
    /// When the page on screen came, where newer ones failed.
    pub stale: RwSignal<Option<i64>>,
    /// All runs are being brought, and some are here: pages of them are no longer wanted.
    pub ready: RwSignal<bool>,
    /// How many runs there are, as far as is known.
    pub count: RwSignal<Option<String>>,
    pub client: StoredValue<Client>,
    /// The last answer, and what was asked: other columns need no other answer.
    kept: StoredValue<Option<(Search, Arc<Answer>)>>,
    /// What the page on screen answers.
    shown: StoredValue<Option<Search>>,
    health: Health,
    /// Counts the questions: an answer to an old one is dropped.
    turn: StoredValue<u32>,
}

/// A named view, or an error where it is not known which.
pub type Opened = Result<Option<Saved>>;

/// What MLflow found.
struct Answer {
    found: Found,
    /// Of experiments, by their ids, where all were searched.
    names: BTreeMap<String, String>,
}

/// The first page.
pub async fn first(client: &Client, experiment: &str, view: &View) -> Result<Page> {
    find(client, experiment, view).await.map(|answer| answer.page(view))
}

async fn find(client: &Client, experiment: &str, view: &View) -> Result<Answer> {
    let mut search = view.search(experiment);
    let mut names = BTreeMap::new();
    if view.is_every(experiment) {
        names.extend(experiment::named(client, "", EXPERIMENTS).await?);
        search.experiment_ids = names.keys().cloned().collect();
    }
    let found = run::search(client, &search).await?;
    Ok(Answer { found, names })
}

// === impl Answer ===

impl Answer {
    fn page(&self, view: &View) -> Page {
        Page::new(&self.found, view).named(&self.names)
    }
}

// === impl Runs ===

impl Runs {
    /// `name`: of the experiment.
    pub fn new(experiment: &str, name: &str, first: Option<Result<Page>>, opened: Opened, view: Memo<View>) -> Self {
        let (page, error) = match first {
            Some(Ok(page)) => (Some(Arc::new(page)), None),
            Some(Err(error)) if !error.is_deferred() => (None, Some(error)),
            _ => (None, None),
        };
        let arrived = page.is_some() || error.is_some();
        let runs = Self {
            experiment: StoredValue::new(experiment.to_owned()),
            folder: StoredValue::new(name.rsplit_once('/').map(|(folder, _)| folder.to_owned())),
            opened: StoredValue::new(opened),
            page: RwSignal::new(page),
            error: RwSignal::new(error),
            busy: RwSignal::new(!arrived),
            stale: RwSignal::new(None),
            ready: RwSignal::new(false),
            count: RwSignal::new(None),
            client: StoredValue::new(expect_context::<Client>()),
            kept: StoredValue::new(None),
            shown: StoredValue::new(None),
            health: Health::expect(),
            turn: StoredValue::new(0),
        };
        if arrived {
            let search = runs.experiment.with_value(|experiment| view.get_untracked().search(experiment));
            runs.shown.set_value(Some(search));
        }
        // MLflow is back: what failed meanwhile is asked for again.
        Effect::new(move |before: Option<u32>| {
            let recoveries = runs.health.recoveries();
            if before.is_some_and(|before| before != recoveries) && runs.stale.get_untracked().is_some() {
                runs.load(view.get_untracked(), true);
            }
            recoveries
        });
        let wanted = Memo::new(move |_| {
            let view = view.read();
            (view.tab == Tab::Runs && !runs.ready.get()).then(|| (view.search(&runs.experiment.read_value()), view.columns.clone()))
        });
        Effect::new(move |before: Option<Option<_>>| {
            let before = before.flatten();
            let Some(wanted) = wanted.get() else { return before };
            // What is shown at first came with the document, or comes with all runs: that page need not be asked for as well.
            if before.is_some_and(|before| before != wanted) {
                runs.load(view.get_untracked(), false);
            }
            Some(wanted)
        });
        runs
    }

    /// Asks for what `view` shows. `anew`: even if the last answer would do.
    pub fn load(self, view: View, anew: bool) {
        let search = view.search(&self.experiment.read_value());
        if anew {
            self.kept.set_value(None);
        }
        let kept = self.kept.with_value(|kept| {
            kept.as_ref()
                .filter(|(asked, _)| *asked == search)
                .map(|(_, answer)| answer.clone())
        });
        self.turn.update_value(|turn| *turn += 1);
        if let Some(answer) = kept {
            return self.show(&answer, &view);
        }
        let turn = self.turn.get_value();
        let (client, experiment) = (self.client.get_value(), self.experiment.get_value());
        self.busy.set(true);
        spawn_local(async move {
            let answer = find(&client, &experiment, &view).await;
            // The page may be gone, or want something else by now.
            if self.turn.try_get_value() != Some(turn) {
                return;
            }
            match answer {
                Ok(answer) => {
                    let answer = Arc::new(answer);
                    self.shown.set_value(Some(search.clone()));
                    self.kept.set_value(Some((search, answer.clone())));
                    self.show(&answer, &view);
                }
                Err(error) => {
                    self.busy.set(false);
                    self.health.report(&error);
                    // Other runs than these were asked for; a filter that cannot be read says so where it was typed.
                    if self.shown.get_value() != Some(search) && filter::explain(&view.typed, &error).is_none() {
                        self.page.set(None);
                    }
                    self.stale.update(|since| *since = since.or(Some(browser::now())));
                    self.error.set(Some(error));
                }
            }
        });
    }

    fn show(self, answer: &Answer, view: &View) {
        let page = answer.page(view);
        self.busy.set(false);
        self.error.set(None);
        self.stale.set(None);
        if self.page.with_untracked(|shown| shown.as_deref() != Some(&page)) {
            self.page.set(Some(Arc::new(page)));
        }
    }
}
