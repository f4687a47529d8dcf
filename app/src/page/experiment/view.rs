//! What is on screen, as the address says it.

use std::collections::BTreeSet;

use super::{
    column::{Column, Sort},
    filter::filter,
    folded::Folded,
};
use crate::{
    api::mlflow::run::{Search, Stage},
    state::{
        address::{self, Screen},
        query::{Query, join, split},
        short::Short,
    },
};

/// In place of an id: all experiments, as many as [`EXPERIMENTS`].
pub const EVERY: &str = "all";

/// MLflow is asked for so many experiments at most.
pub const EXPERIMENTS: usize = 1000;

/// Runs on a page.
pub const PAGE: u32 = 100;

/// Of more selected runs than these an address says nothing.
pub const SELECTED: usize = 500;

pub type Place = address::Place<View>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub tab: Tab,
    /// As it was typed.
    pub typed: String,
    /// By the first one, what is equal there by the second, and so on; none: [`Sort::DEFAULT`].
    pub sort: Vec<Sort>,
    /// `None`: a few that tell these runs apart.
    pub columns: Option<Vec<Column>>,
    pub deleted: bool,
    /// MLflow's mark of this page; `None`: the first.
    pub token: Option<String>,
    /// The marks of the pages before this one, the first one's is `""`.
    pub trail: Vec<String>,
    /// The column panel is open.
    pub panel: bool,
    /// Runs are put into groups by these.
    pub group: Vec<Column>,
    /// Which groups, and which runs that others belong to, are closed.
    pub closed: Folded,
    /// Runs do not stand below the runs that they belong to.
    pub flat: bool,
    /// The run that the others are compared with, by its id.
    pub baseline: Option<String>,
    /// Only columns in which the runs differ.
    pub differing: bool,
    /// So many columns after the name stay where they are.
    pub pinned: usize,
    /// Columns that were made wider or narrower, in pixels.
    pub widths: Vec<(Column, u32)>,
    /// Columns of numbers that show how large they are.
    pub paint: Vec<(Column, Paint)>,
    /// What a group says of its numbers.
    pub aggregate: Aggregate,
    /// Also runs that were moved out of sight.
    pub hidden: bool,
    /// Other experiments whose runs are in the table too, by their ids; [`EVERY`] for all.
    pub others: Vec<String>,
    /// The named view that this began as, by its id.
    pub saved: Option<String>,
    /// Runs that are selected, where it is opened.
    pub selected: BTreeSet<Short>,
}

/// How a column shows which of its numbers are large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Heat,
    Bar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aggregate {
    #[default]
    Mean,
    Min,
    Max,
    /// The standard deviation of a sample.
    Std,
    Count,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Runs,
    About,
    History,
    /// Who has access.
    Access,
}

// === impl View ===

impl Screen for View {
    fn read(query: &Query) -> Self {
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
                Some("access") => Tab::Access,
                _ => Tab::Runs,
            },
            typed: query.get("q").unwrap_or_default().to_owned(),
            sort: list(query, "sort").filter_map(|id| Sort::read(&id)).collect(),
            columns,
            deleted: query.get("view") == Some("deleted"),
            trail: token.iter().flat_map(|_| split(query.get("trail").unwrap_or_default())).collect(),
            token,
            panel: query.get("panel") == Some("columns"),
            group: list(query, "group").filter_map(|id| Column::read(&id)).collect(),
            closed: Folded::read(query.get("closed").unwrap_or_default()),
            flat: query.get("flat") == Some("1"),
            baseline: query.get("baseline").map(str::to_owned),
            differing: query.get("only") == Some("differing"),
            pinned: query.get("pinned").and_then(|count| count.parse().ok()).unwrap_or_default(),
            widths: list(query, "widths").filter_map(|width| read_width(&width)).collect(),
            paint: list(query, "paint").filter_map(|paint| read_paint(&paint)).collect(),
            aggregate: Aggregate::ALL
                .into_iter()
                .find(|aggregate| query.get("agg") == Some(aggregate.word()))
                .unwrap_or_default(),
            hidden: query.get("hidden") == Some("1"),
            others: list(query, "with").collect(),
            saved: query.get("saved").map(str::to_owned),
            selected: Short::read(query.get("selected").unwrap_or_default()).take(SELECTED).collect(),
        }
    }

    fn query(&self) -> Query {
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
            Tab::Access => "access",
        };
        Query::default()
            .with("tab", tab)
            .with("q", &self.typed)
            .with("view", if self.deleted { "deleted" } else { "" })
            .with("sort", &written(self.sort.iter().map(Sort::id)))
            .with("cols", &columns.unwrap_or_default())
            .with("token", self.token.as_deref().unwrap_or_default())
            .with("trail", &join(self.trail.iter().map(String::as_str)))
            .with("panel", if self.panel { "columns" } else { "" })
            .with("group", &written(self.group.iter().map(Column::id)))
            .with("closed", &self.closed.write())
            .with("flat", if self.flat { "1" } else { "" })
            .with("baseline", self.baseline.as_deref().unwrap_or_default())
            .with("only", if self.differing { "differing" } else { "" })
            .with(
                "pinned",
                &Some(self.pinned)
                    .filter(|count| *count > 0)
                    .map(|count| count.to_string())
                    .unwrap_or_default(),
            )
            .with(
                "widths",
                &written(self.widths.iter().map(|(column, width)| format!("{width}~{}", column.id()))),
            )
            .with(
                "paint",
                &written(self.paint.iter().map(|(column, paint)| format!("{}~{}", paint.word(), column.id()))),
            )
            .with(
                "agg",
                if self.aggregate == Aggregate::Mean {
                    ""
                } else {
                    self.aggregate.word()
                },
            )
            .with("hidden", if self.hidden { "1" } else { "" })
            .with("with", &written(self.others.iter().cloned()))
            .with("saved", self.saved.as_deref().unwrap_or_default())
            .with("selected", &Short::write(self.selected.iter().copied()))
    }
}

impl View {
    /// The orders that hold, never none.
    pub fn order(&self) -> Vec<Sort> {
        match self.sort.is_empty() {
            true => vec![Sort::DEFAULT],
            false => self.sort.clone(),
        }
    }

    /// Which way it is sorted by `column`.
    pub fn sorted_by(&self, column: &Column) -> Option<bool> {
        self.order().iter().find(|sort| sort.column == *column).map(|sort| sort.descending)
    }

    /// The experiments that it names; `first`: whose page it is.
    pub fn experiments(&self, first: &str) -> Vec<String> {
        let others = self.others.iter().map(String::as_str).filter(|id| *id != first);
        let all = std::iter::once(first).chain(others);
        all.filter(|id| *id != EVERY).map(str::to_owned).collect()
    }

    /// Whether the runs of all experiments are wanted on the page of `first`.
    pub fn is_every(&self, first: &str) -> bool {
        first == EVERY || self.others.iter().any(|id| id == EVERY)
    }

    /// Whether only the runs of `first` are wanted.
    pub fn is_alone(&self, first: &str) -> bool {
        first != EVERY && self.others.is_empty()
    }

    /// What MLflow is asked for.
    pub fn search(&self, experiment: &str) -> Search {
        Search {
            experiment_ids: self.experiments(experiment),
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

    /// After a click on the heading of `column`. `further`: what was sorted by before still counts, before it.
    #[must_use]
    pub fn clicked(&self, column: &Column, further: bool) -> Self {
        let sort = Sort::clicked(self.sorted_by(column), column);
        let mut all = if further { self.order() } else { Vec::new() };
        match all.iter().position(|other| other.column == *column) {
            Some(at) => all[at] = sort,
            None => all.push(sort),
        }
        if all == [Sort::DEFAULT] {
            all.clear();
        }
        Self { sort: all, ..self.clone() }.first()
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

    /// How `column` is painted.
    pub fn paint(&self, column: &Column) -> Option<Paint> {
        self.paint.iter().find(|(of, _)| of == column).map(|(_, paint)| *paint)
    }

    #[must_use]
    pub fn painted(&self, column: &Column, paint: Option<Paint>) -> Self {
        let mut new = self.clone();
        new.paint.retain(|(of, _)| of != column);
        new.paint.extend(paint.map(|paint| (column.clone(), paint)));
        new
    }

    /// With this width in pixels; `None`: the one that it has of itself.
    #[must_use]
    pub fn widened(&self, column: &Column, width: Option<u32>) -> Self {
        let mut new = self.clone();
        new.widths.retain(|(of, _)| of != column);
        new.widths.extend(width.map(|width| (column.clone(), width)));
        new
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

// === impl Paint ===

impl Paint {
    pub fn word(self) -> &'static str {
        match self {
            Self::Heat => "heat",
            Self::Bar => "bar",
        }
    }
}

// === impl Aggregate ===

impl Aggregate {
    pub const ALL: [Self; 5] = [Self::Mean, Self::Min, Self::Max, Self::Std, Self::Count];

    /// As in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Std => "std",
            Self::Count => "count",
        }
    }
}

fn list(query: &Query, name: &'static str) -> impl Iterator<Item = String> {
    query.get(name).into_iter().flat_map(split)
}

fn written(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    join(parts.iter().map(String::as_str))
}

/// `heat~m:loss`
fn read_paint(text: &str) -> Option<(Column, Paint)> {
    let (word, column) = text.split_once('~')?;
    let paint = [Paint::Heat, Paint::Bar].into_iter().find(|paint| paint.word() == word)?;
    Some((Column::read(column)?, paint))
}

/// `columns` with the one at `from` moved to where the one at `to` is.
pub fn moved(columns: &[Column], from: usize, to: usize) -> Vec<Column> {
    let mut columns = columns.to_vec();
    if from < columns.len() && to < columns.len() {
        let column = columns.remove(from);
        columns.insert(to, column);
    }
    columns
}

/// `120~m:loss`
fn read_width(text: &str) -> Option<(Column, u32)> {
    let (width, column) = text.split_once('~')?;
    Some((Column::read(column)?, width.parse().ok()?))
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
            sort: vec![Sort::read("-m:train/loss").unwrap(), Sort::read("p:a,b").unwrap()],
            columns: Some(vec![Column::Status, Column::Metric("a,b".into())]),
            deleted: true,
            token: Some("eyJvZmZzZXQiOiAyMDB9==".into()),
            trail: vec![String::new(), "eyJvZmZzZXQiOiAxMDB9".into()],
            panel: true,
            group: vec![Column::Param("model".into()), Column::Status],
            flat: true,
            baseline: Some("0123".into()),
            differing: true,
            pinned: 2,
            widths: vec![(Column::Metric("a~b, c".into()), 250)],
            paint: vec![(Column::Metric("a~b, c".into()), Paint::Bar)],
            aggregate: Aggregate::Std,
            hidden: true,
            others: vec!["7".into(), "8".into()],
            saved: Some("9f".into()),
            closed: Folded::all().turned("a").unwrap(),
            selected: ["a", "b"].map(Short::of).into(),
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
        assert_eq!(third.clicked(&Column::Name, false).clicked(&Column::Start, false), first);
    }

    #[test]
    fn columns_move() {
        let ids = |columns: &[Column]| columns.iter().map(Column::id).collect::<Vec<_>>().join(" ");
        let columns = [Column::Status, Column::User, Column::Id];
        assert_eq!(ids(&moved(&columns, 0, 2)), "user id status");
        assert_eq!(ids(&moved(&columns, 2, 0)), "id status user");
        assert_eq!(ids(&moved(&columns, 3, 0)), "status user id");
    }

    #[test]
    fn clicks_sort() {
        let loss = Column::Metric("loss".into());
        let ids = |view: &View| view.sort.iter().map(Sort::id).collect::<Vec<_>>();
        let once = View::default().clicked(&loss, false);
        assert_eq!(ids(&once), ["-m:loss"]);
        assert_eq!(ids(&once.clicked(&loss, false)), ["m:loss"]);
        let both = once.clicked(&Column::User, true);
        assert_eq!(ids(&both), ["-m:loss", "user"]);
        assert_eq!(ids(&both.clicked(&loss, true)), ["m:loss", "user"]);
        assert_eq!(ids(&both.clicked(&Column::Status, false)), ["status"]);
    }

    #[test]
    fn runs_are_of_one_experiment_of_some_or_of_all() {
        let said = |query: &str, first: &str| {
            let view = read(query);
            (view.experiments(first).join(" "), view.is_alone(first), view.is_every(first))
        };
        assert_eq!(said("", "7"), ("7".into(), true, false));
        assert_eq!(said("?with=8,7", "7"), ("7 8".into(), false, false));
        assert_eq!(said("?with=all", "7"), ("7".into(), false, true));
        assert_eq!(said("", EVERY), (String::new(), false, true));
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
