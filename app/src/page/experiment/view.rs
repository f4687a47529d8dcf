//! What is on screen, as the address says it.

use leptos::prelude::*;

use super::{
    column::{Column, Sort},
    filter::filter,
};
use crate::{
    api::mlflow::run::{Search, Stage},
    route::Route,
    state::{
        address::Address,
        query::{Query, join, split},
    },
};

/// Runs on a page.
pub const PAGE: u32 = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub tab: Tab,
    /// As it was typed.
    pub typed: String,
    pub sort: Option<Sort>,
    /// `None`: a few that tell these runs apart.
    pub columns: Option<Vec<Column>>,
    pub deleted: bool,
    /// MLflow's mark of this page; `None`: the first.
    pub token: Option<String>,
    /// The marks of the pages before this one, the first one's is `""`.
    pub trail: Vec<String>,
    /// The column panel is open.
    pub panel: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Runs,
    About,
    History,
}

// === impl View ===

impl View {
    pub fn read(query: &Query) -> Self {
        // Boxes of the column panel, sent by a form, come one by one.
        let columns = match query.get("cols") {
            Some(list) => Some(split(list).filter_map(|id| Column::read(&id)).collect()),
            None if query.all("col").next().is_some() => Some(query.all("col").filter_map(Column::read).collect()),
            None => None,
        };
        let token = query.get("token").map(str::to_owned);
        Self {
            tab: match query.get("tab") {
                Some("about") => Tab::About,
                Some("history") => Tab::History,
                _ => Tab::Runs,
            },
            typed: query.get("q").unwrap_or_default().to_owned(),
            sort: query.get("sort").and_then(Sort::read),
            columns,
            deleted: query.get("view") == Some("deleted"),
            trail: token.iter().flat_map(|_| split(query.get("trail").unwrap_or_default())).collect(),
            token,
            panel: query.get("panel") == Some("columns"),
        }
    }

    pub fn query(&self) -> Query {
        let columns = self.columns.as_ref().map(|columns| {
            let ids: Vec<_> = columns.iter().map(Column::id).collect();
            // No column at all: a name that none has.
            if ids.is_empty() {
                "-".to_owned()
            } else {
                join(ids.iter().map(String::as_str))
            }
        });
        let tab = match self.tab {
            Tab::Runs => "",
            Tab::About => "about",
            Tab::History => "history",
        };
        Query::default()
            .with("tab", tab)
            .with("q", &self.typed)
            .with("view", if self.deleted { "deleted" } else { "" })
            .with("sort", &self.sort.as_ref().map(Sort::id).unwrap_or_default())
            .with("cols", &columns.unwrap_or_default())
            .with("token", self.token.as_deref().unwrap_or_default())
            .with("trail", &join(self.trail.iter().map(String::as_str)))
            .with("panel", if self.panel { "columns" } else { "" })
    }

    /// The order that holds.
    pub fn order(&self) -> Sort {
        self.sort.clone().unwrap_or(Sort::DEFAULT)
    }

    /// What MLflow is asked for.
    pub fn search(&self, experiment: &str) -> Search {
        Search {
            experiment_ids: vec![experiment.to_owned()],
            filter: filter(&self.typed),
            order_by: self.sort.iter().filter_map(Sort::mlflow).collect(),
            max_results: PAGE,
            page_token: self.token.clone(),
            run_view_type: if self.deleted { Stage::DeletedOnly } else { Stage::ActiveOnly },
        }
    }

    /// From the first page on: whatever changes which runs there are, or their order, begins there.
    #[must_use]
    pub fn first(self) -> Self {
        Self {
            token: None,
            trail: Vec::new(),
            ..self
        }
    }

    #[must_use]
    pub fn sorted(&self, sort: Sort) -> Self {
        Self {
            sort: Some(sort).filter(|sort| *sort != Sort::DEFAULT),
            ..self.clone()
        }
        .first()
    }

    #[must_use]
    pub fn filtered(&self, typed: &str) -> Self {
        Self {
            typed: typed.trim().to_owned(),
            ..self.clone()
        }
        .first()
    }

    #[must_use]
    pub fn with_columns(&self, columns: Option<Vec<Column>>) -> Self {
        Self { columns, ..self.clone() }
    }

    #[must_use]
    pub fn next(&self, token: &str) -> Self {
        let mut trail = self.trail.clone();
        trail.push(self.token.clone().unwrap_or_default());
        Self {
            token: Some(token.to_owned()),
            trail,
            ..self.clone()
        }
    }

    /// The page before; `None` on the first.
    pub fn previous(&self) -> Option<Self> {
        self.token.as_ref()?;
        let mut trail = self.trail.clone();
        let token = trail.pop().filter(|token| !token.is_empty());
        Some(if token.is_some() {
            Self {
                token,
                trail,
                ..self.clone()
            }
        } else {
            self.clone().first()
        })
    }

    /// The number of runs on the pages before this one.
    pub fn skipped(&self) -> usize {
        self.trail.len() * PAGE as usize
    }
}

/// The page's address and what it says.
#[derive(Clone, Copy)]
pub struct Place {
    pub view: Memo<View>,
    /// Without the query.
    path: StoredValue<String>,
    address: Address,
}

// === impl Place ===

impl Place {
    pub fn here(experiment: &str) -> Self {
        let address = Address::here();
        let query = address.query();
        Self {
            view: Memo::new(move |_| View::read(&query.read())),
            path: StoredValue::new(Route::Experiment { id: experiment.to_owned() }.href()),
            address,
        }
    }

    /// What is on screen now, not followed.
    pub fn now(&self) -> View {
        self.view.get_untracked()
    }

    /// The address of `view`.
    pub fn href(&self, view: &View) -> String {
        self.path.get_value() + &view.query().href()
    }

    /// The address of what `make` makes of what is on screen, followed.
    pub fn link(self, make: impl Fn(View) -> View) -> impl Fn() -> String {
        move || self.href(&make(self.view.get()))
    }

    pub fn go(&self, view: &View) {
        self.address.go_to(&self.href(view), false);
    }

    /// Goes there without an entry in the history.
    pub fn replace(&self, view: &View) {
        self.address.go_to(&self.href(view), true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> View {
        View::read(&Query::parse(query))
    }

    fn again(view: &View) -> View {
        read(&view.query().href())
    }

    #[test]
    fn nothing_said_is_the_default() {
        assert_eq!(read(""), View::default());
        assert_eq!(View::default().query().href(), "");
        assert_eq!(read("?sort=nonsense&view=x&tab=y&trail=a"), View::default());
    }

    #[test]
    fn everything_is_read_again() {
        let view = View {
            tab: Tab::About,
            typed: "params.a LIKE '%20%'".into(),
            sort: Sort::read("-m:train/loss"),
            columns: Some(vec![Column::Status, Column::Metric("a,b".into())]),
            deleted: true,
            token: Some("eyJvZmZzZXQiOiAyMDB9==".into()),
            trail: vec![String::new(), "eyJvZmZzZXQiOiAxMDB9".into()],
            panel: true,
        };
        assert_eq!(again(&view), view);
        let bare = View {
            columns: Some(Vec::new()),
            ..View::default()
        };
        assert_eq!(again(&bare), bare);
    }

    #[test]
    fn a_form_sends_columns_one_by_one() {
        assert_eq!(
            read("?col=status&col=m%3Aloss").columns,
            Some(vec![Column::Status, Column::Metric("loss".into())])
        );
    }

    #[test]
    fn pages_go_there_and_back() {
        let first = read("?q=metrics.a+%3E+1");
        let second = first.next("t2");
        let third = second.next("t3");
        assert_eq!((third.skipped(), second.skipped(), first.skipped()), (200, 100, 0));
        assert_eq!(again(&third), third);
        assert_eq!(third.previous(), Some(second.clone()));
        assert_eq!(again(&second).previous(), Some(first.clone()));
        assert_eq!(first.previous(), None);
        assert_eq!(third.sorted(Sort::DEFAULT), first);
    }

    #[test]
    fn mlflow_is_asked_for_it() {
        let search = read("?q=loss&sort=-m:loss&view=deleted&token=t2").search("7");
        assert_eq!(search.experiment_ids, ["7"]);
        assert_eq!(search.filter, "attributes.run_name ILIKE '%loss%'");
        assert_eq!(search.order_by, ["metrics.`loss` DESC"]);
        assert_eq!(search.page_token.as_deref(), Some("t2"));
        assert_eq!(search.run_view_type, Stage::DeletedOnly);
    }
}
