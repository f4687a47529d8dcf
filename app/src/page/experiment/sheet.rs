//! All runs of an experiment in the tab: what is loaded, which of it is meant, what of that is on screen.
//!
//! Begun in the browser alone, after the page that the server drew is awake; until the first runs are here that page stays.

mod act;
mod bar;
mod bring;
mod cell;
mod chosen;
mod draw;
mod export;
mod extremes;
mod folders;
mod heading;
mod keys;
mod lines;
mod live;
mod marked;
mod options;
mod others;
mod paint;
mod query;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Range,
    sync::Arc,
};

use crate::prelude::*;
use leptos::html;

use self::{
    act::{Task, Work},
    bring::{Ask, Phase},
    cell::Scale,
    draw::Shown,
    extremes::Known,
    heading::Pulled,
    lines::{Layout, Lines},
};
pub use self::{
    bar::bar,
    chosen::chosen,
    draw::{TABLE, grid},
    options::options,
    query::Suggest,
};
use super::{
    column::{Column, FIXED, STATS},
    runs::Runs,
    view::{Place, Tab, View},
};
use crate::{
    api::{
        ApiError,
        mlflow::run::{Stage, tag},
    },
    browser::{self, Listener},
    part::{
        health::Health,
        toast::Toasts,
        window::{Edges, Frame},
    },
    state::short::Short,
    table::{
        column::{Family, Name, Stat},
        differ::differing,
        folder::Folder,
        group::summary,
        order::Sort,
        query::{Error, Query},
        select::Selection,
        store::Store,
        walk::Walk,
    },
};

#[derive(Clone, Copy)]
pub struct Sheet {
    pub runs: Runs,
    pub place: Place,
    health: Health,
    toasts: Toasts,
    store: StoredValue<Store, LocalStorage>,
    /// The store's generation that is on screen.
    drawn: RwSignal<u64>,
    /// The one by which lines were laid out.
    laid_out: RwSignal<u64>,

    phase: RwSignal<Phase>,
    walk: StoredValue<Walk>,
    /// Runs that a page of the walk has.
    size: StoredValue<u32>,
    /// The mark of the copy that the runs began with.
    since: StoredValue<Option<String>>,
    /// All runs are here as they were then, ms since 1970; they are looked at again.
    as_of: RwSignal<Option<i64>>,
    /// What is to be asked of MLflow before the walk goes on.
    todo: StoredValue<VecDeque<Ask>>,
    asking: StoredValue<bool>,
    /// Counts what was begun anew: answers to older questions are dropped.
    turn: StoredValue<u32>,
    /// The experiments whose runs are brought.
    experiments: StoredValue<Vec<String>>,
    /// Those that are wanted besides the page's own; `None`: they are being looked for.
    among: RwSignal<Option<Vec<String>>>,
    /// How often they were looked for anew.
    looked_for: RwSignal<u32>,
    /// Of experiments, by their ids.
    names: RwSignal<BTreeMap<String, String>>,
    /// Which of MLflow's two lists is here.
    stage: StoredValue<Option<Stage>>,

    /// What is typed in the query line.
    pub draft: RwSignal<String>,
    pub parsed: Memo<Result<Query, Error>>,
    query: Memo<Query>,
    lines: Memo<Arc<Lines>>,

    /// Every column that the runs could have.
    offered: Memo<Arc<Vec<Column>>>,
    /// The columns after the name.
    columns: Memo<Arc<Vec<Column>>>,
    /// What the address says, and what a hand is changing.
    view: Memo<View>,
    /// Of the columns that are painted.
    scales: Memo<Arc<Vec<Scale>>>,
    edges: Memo<Edges>,
    frame: RwSignal<Frame>,
    /// The lines that are drawn.
    down: Memo<Range<usize>>,
    /// The columns that are drawn, among those that are not pinned.
    across: Memo<Range<usize>>,
    shown: Memo<Arc<Vec<Shown>>>,
    scroll: NodeRef<html::Div>,
    table: NodeRef<html::Table>,

    selection: RwSignal<Selection>,
    /// Runs of the address that are to be selected when they are here.
    wanted: StoredValue<BTreeSet<Short>>,
    /// The line and the column that the keyboard is at; column 0 is the name.
    at: RwSignal<(usize, usize)>,
    /// The column whose menu was opened last.
    menu: RwSignal<Option<Column>>,
    pulled: RwSignal<Option<Pulled>>,
    /// The column that is being dragged.
    carried: RwSignal<Option<Column>>,
    /// Somebody points at the table: lines stay where they are.
    held: RwSignal<bool>,
    /// Of which histories the extremes are here, and whether some are on their way.
    known: StoredValue<Known>,
    reading: StoredValue<bool>,
    extremes_failed: RwSignal<Option<ApiError>>,
    /// Who tells what becomes of the runs.
    listener: StoredValue<Option<Listener>, LocalStorage>,
    is_live: StoredValue<bool>,
    /// Walks through all runs that are still to be made while it hears.
    walks: StoredValue<u32>,
    /// It was ended for good.
    refused: RwSignal<bool>,
    /// What is being done with the selected runs, or failed.
    work: RwSignal<Option<Work>>,
    /// What of it is not begun yet.
    queue: StoredValue<VecDeque<Task>>,
}

/// Columns that nobody asked for: at most so many.
const METRICS: usize = 6;
const PARAMS: usize = 4;

/// On a phone, in pixels, the name leaves room for a column or two.
const NARROW: f64 = 640.0;
const NARROW_NAME: u32 = 160;

// === impl Sheet ===

impl Sheet {
    /// Begins to bring the runs. Call it in the browser.
    pub fn new(runs: Runs, place: Place) -> Self {
        let view = place.view;
        let store = StoredValue::new_local(Store::default());
        let (drawn, laid_out) = (RwSignal::new(0), RwSignal::new(0));
        let draft = RwSignal::new(view.with_untracked(|view| view.typed.clone()));
        let parsed = Memo::new(move |_| Query::read(&draft.read()));
        // A query that is wrong, perhaps since it is only half typed, leaves what is shown.
        let query = Memo::new(move |before: Option<&Query>| parsed.get().unwrap_or_else(|_| before.cloned().unwrap_or_default()));
        let layout = Memo::new(move |_| {
            let view = view.read();
            Layout {
                sort: sorts(&view),
                group: view.group.iter().map(Column::name).collect(),
                flat: view.flat,
                hidden: view.hidden,
                closed: view.closed.clone(),
            }
        });
        let lines = Memo::new(move |_| {
            laid_out.track();
            store.with_value(|store| Arc::new(Lines::new(store, &query.read(), &layout.read())))
        });
        let telling = Memo::new(move |before: Option<&Vec<Column>>| {
            let shown = runs.page.with_untracked(|page| page.as_ref().map(|page| page.columns.clone()));
            laid_out.track();
            match before.filter(|before| !before.is_empty()) {
                Some(before) => before.clone(),
                // Those that the server chose stay.
                None => match shown.filter(|_| view.read_untracked().columns.is_none()) {
                    Some(shown) if !shown.is_empty() => shown,
                    _ => store.with_value(telling),
                },
            }
        });
        let columns = Memo::new(move |_| {
            let view = view.read();
            let columns = match (&view.columns, view.differing) {
                (_, true) => store.with_value(|store| columns_of(store, &differing(store, &lines.read().rows))),
                (Some(columns), _) => columns.iter().filter(|column| **column != Column::Name).cloned().collect(),
                (None, _) if !runs.experiment.with_value(|first| view.is_alone(first)) => {
                    let others = telling.get().into_iter().filter(|column| *column != Column::Experiment);
                    std::iter::once(Column::Experiment).chain(others).collect()
                }
                (None, _) => telling.get(),
            };
            Arc::new(columns)
        });
        let frame = RwSignal::new(Frame {
            width: 1440.0,
            height: 900.0,
            line: 28.0,
            ..Frame::default()
        });
        let is_narrow = Memo::new(move |_| frame.read().width < NARROW);
        let pulled = RwSignal::new(None::<Pulled>);
        let seen = Memo::new(move |_| {
            let mut view = view.get();
            view.selected.clear();
            if is_narrow.get() && view.widths.iter().all(|(of, _)| *of != Column::Name) {
                view = view.widened(&Column::Name, Some(NARROW_NAME));
            }
            match pulled.get() {
                Some(pulled) => view.widened(&pulled.column, Some(pulled.width)),
                None => view,
            }
        });
        let scales = Memo::new(move |_| {
            let paint = view.read().paint.clone();
            let scale = |(column, paint): (Column, _)| {
                let found = store.with_value(|store| summary(store.column(&column.name())?, &lines.read().rows))?;
                Some(Scale {
                    column,
                    paint,
                    min: found.min,
                    max: found.max,
                })
            };
            Arc::new(paint.into_iter().filter_map(scale).collect::<Vec<_>>())
        });
        let edges = Memo::new(move |_| {
            let view = seen.read();
            let columns = columns.read();
            let free = columns.iter().skip(view.pinned);
            Edges::new(free.map(|column| width(&view, column)))
        });
        let across = Memo::new(move |_| {
            let pinned = pinned_width(&seen.read(), &columns.read());
            frame.read().columns(&edges.read(), pinned)
        });
        let sheet = Self {
            runs,
            place,
            health: Health::expect(),
            toasts: Toasts::expect(),
            store,
            drawn,
            laid_out,
            phase: RwSignal::new(Phase::Coming),
            walk: StoredValue::new(Walk::default()),
            size: StoredValue::new(bring::FIRST),
            since: StoredValue::new(None),
            as_of: RwSignal::new(None),
            todo: StoredValue::new(VecDeque::new()),
            asking: StoredValue::new(false),
            turn: StoredValue::new(0),
            experiments: StoredValue::new(Vec::new()),
            among: RwSignal::new(None),
            looked_for: RwSignal::new(0),
            names: RwSignal::new(BTreeMap::new()),
            stage: StoredValue::new(None),
            draft,
            parsed,
            query,
            lines,
            offered: Memo::new(move |_| {
                drawn.track();
                Arc::new(store.with_value(offered))
            }),
            columns,
            view: seen,
            scales,
            edges,
            frame,
            down: Memo::new(move |_| frame.read().lines(lines.read().lines.len())),
            across,
            shown: Memo::new(move |_| Arc::new(draw::shown(&seen.read(), &columns.read(), &across.read()))),
            scroll: NodeRef::new(),
            table: NodeRef::new(),
            selection: RwSignal::new(Selection::default()),
            wanted: StoredValue::new(BTreeSet::new()),
            at: RwSignal::new((0, 0)),
            menu: RwSignal::new(None),
            pulled,
            carried: RwSignal::new(None),
            held: RwSignal::new(false),
            known: StoredValue::new(Known::default()),
            reading: StoredValue::new(false),
            extremes_failed: RwSignal::new(None),
            listener: StoredValue::new_local(None),
            is_live: StoredValue::new(false),
            walks: StoredValue::new(0),
            refused: RwSignal::new(false),
            work: RwSignal::new(None),
            queue: StoredValue::new(VecDeque::new()),
        };
        sheet.follow();
        sheet.follow_others();
        sheet.follow_folders();
        sheet.bring();
        sheet.follow_extremes();
        sheet.listen();
        sheet.follow_selection();
        sheet
    }

    /// Keeps in step with the address, and the page with what is here.
    fn follow(self) {
        let view = self.place.view;
        let typed = Memo::new(move |_| view.read().typed.clone());
        Effect::new(move |_| {
            let typed = typed.get();
            if self.draft.read_untracked().trim() != typed {
                self.draft.set(typed);
            }
        });
        Effect::new(move |_| {
            let says = self.runs.ready.get().then(|| self.says());
            self.runs.count.set(says);
        });
        // The keyboard stays at its run.
        Effect::new(move |before: Option<Arc<Lines>>| {
            let lines = self.lines.get();
            let (at, column) = self.at.get_untracked();
            let run = before.and_then(|before| before.lines.get(at).and_then(lines::Line::row));
            let moved = run.filter(|row| lines.lines.get(at).and_then(lines::Line::row) != Some(*row));
            let to = moved.and_then(|row| lines.lines.iter().position(|line| line.row() == Some(row)));
            let to = to.unwrap_or(at).min(lines.lines.len().saturating_sub(1));
            if to != at {
                self.at.set((to, column));
            }
            lines
        });
        Effect::new(move |_| {
            if !self.held.get() {
                self.settle();
            }
        });
    }

    /// Whether there is anything to look at.
    pub fn is_ready(self) -> bool {
        self.runs.ready.get()
    }

    /// Whether no run is to be shown; those that are coming may be some.
    pub fn is_empty(self) -> bool {
        self.lines.with(|lines| lines.lines.is_empty()) && (self.phase.get() != Phase::Coming || self.has_all())
    }

    /// Lays the lines out by what is here now.
    fn settle(self) {
        let now = self.store.with_value(Store::generation);
        if self.laid_out.get_untracked() != now {
            self.laid_out.set(now);
        }
    }

    /// The store has changed. `moves`: also where runs stand.
    fn changed(self, moves: bool) {
        let now = self.store.with_value(Store::generation);
        if self.drawn.get_untracked() != now {
            self.drawn.set(now);
        }
        if moves || !self.held.get_untracked() {
            self.settle();
        }
    }

    pub fn measure(self) {
        // Called when the browser draws next: the page may be gone by then.
        if self.turn.try_get_value().is_none() {
            return;
        }
        let (Some(scroll), Some(table)) = (self.scroll.get_untracked(), self.table.get_untracked()) else {
            return;
        };
        // Out of sight nothing has a size.
        if scroll.client_width() == 0 {
            return;
        }
        let head = table.t_head().map_or(28, |head| head.offset_height());
        let frame = Frame {
            top: f64::from(scroll.scroll_top()),
            left: f64::from(scroll.scroll_left()),
            width: f64::from(scroll.client_width()),
            height: f64::from(scroll.client_height() - head).max(0.0),
            line: f64::from(head.max(20)),
        };
        if *self.frame.read_untracked() != frame {
            self.frame.set(frame);
        }
    }

    /// Every column that the runs could have.
    pub fn offered(self) -> Vec<Column> {
        self.offered.get().to_vec()
    }

    pub fn columns(self) -> Vec<Column> {
        self.columns.get().to_vec()
    }

    fn is_tab(self) -> bool {
        self.place.view.read_untracked().tab == Tab::Runs && browser::visible()
    }

    fn wanted_stage(self) -> Stage {
        match self.place.view.read().deleted {
            true => Stage::DeletedOnly,
            false => Stage::ActiveOnly,
        }
    }
}

fn sorts(view: &View) -> Vec<Sort> {
    let sort = |sort: super::column::Sort| Sort {
        column: sort.column.name(),
        descending: sort.descending,
    };
    view.order().into_iter().map(sort).collect()
}

/// In pixels.
fn width(view: &View, column: &Column) -> u32 {
    let wanted = view.widths.iter().find(|(of, _)| of == column).map(|(_, width)| *width);
    wanted.map_or_else(
        || match column {
            Column::Name => 260,
            Column::Status => 104,
            Column::Duration => 96,
            Column::Start | Column::End | Column::Commit | Column::Metric(_) | Column::Stat(..) => 120,
            Column::User
            | Column::Source
            | Column::Id
            | Column::Experiment
            | Column::Dataset
            | Column::Parent
            | Column::Folder(_)
            | Column::Param(_)
            | Column::Tag(_) => 140,
        },
        |width| width.clamp(48, 2000),
    )
}

/// The name and what is pinned beside it.
fn pinned_width(view: &View, columns: &[Column]) -> u32 {
    width(view, &Column::Name) + columns.iter().take(view.pinned).map(|column| width(view, column)).sum::<u32>()
}

/// The columns at these places of the store that people look at.
fn columns_of(store: &Store, places: &[usize]) -> Vec<Column> {
    let mut columns: Vec<Column> = places.iter().filter_map(|at| column_of(&store.columns()[*at].name)).collect();
    // By family, then by key.
    columns.sort();
    columns.retain(|column| !matches!(column, Column::Name | Column::Id | Column::Folder(_)));
    columns
}

/// Those that every run has, then those that any has.
fn offered(store: &Store) -> Vec<Column> {
    let all: Vec<usize> = (0..store.columns().len()).filter(|at| store.columns()[*at].filled() > 0).collect();
    let mut offered = FIXED.to_vec();
    offered.extend(columns_of(store, &all).into_iter().filter(|column| !FIXED.contains(column)));
    offered
}

fn column_of(name: &Name) -> Option<Column> {
    if let Some(fixed) = FIXED.into_iter().find(|fixed| fixed.name() == *name) {
        return Some(fixed);
    }
    match name.family {
        Family::Metric(Stat::Last) => Some(Column::Metric(name.key.clone())),
        Family::Metric(stat) if STATS.contains(&stat) => Some(Column::Stat(stat, name.key.clone())),
        Family::Param => Some(Column::Param(name.key.clone())),
        Family::Tag if !tag::is_internal(&name.key) && name.key != lines::HIDDEN => Some(Column::Tag(name.key.clone())),
        Family::Folder => Folder::read(&name.key).map(Column::Folder),
        _ => None,
    }
}

/// A few columns that tell the runs apart.
fn telling(store: &Store) -> Vec<Column> {
    let rows = store.rows().to_vec();
    let differing = columns_of(store, &differing(store, &rows));
    let family = |wanted: fn(&Column) -> bool, most: usize| differing.iter().filter(move |column| wanted(column)).take(most).cloned();
    let mut columns = vec![Column::Status, Column::Start, Column::Duration, Column::User];
    columns.extend(family(|column| matches!(column, Column::Metric(_)), METRICS));
    columns.extend(family(|column| matches!(column, Column::Param(_)), PARAMS));
    columns
}
