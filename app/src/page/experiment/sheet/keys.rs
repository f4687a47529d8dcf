//! The table by keyboard, and what is selected.

use crate::prelude::*;
use leptos::ev;

use super::{
    Sheet,
    draw::TABLE,
    lines::{self, Line},
};
use crate::{
    browser,
    page::experiment::{folded, view::View},
    route::Route,
    table::column::{Attribute, Cell},
};

// === impl Sheet ===

impl Sheet {
    pub(super) fn key(self, event: &ev::KeyboardEvent) {
        let whole = event.ctrl_key() || event.meta_key();
        if event.alt_key() || event.default_prevented() {
            return;
        }
        let (line, column) = self.at.get_untracked();
        let last = self.lines.read_untracked().lines.len().saturating_sub(1);
        let last_column = self.columns.read_untracked().len();
        let page = self.frame.read_untracked().page();
        let to = match (event.key().as_str(), whole) {
            ("ArrowDown" | "j", false) => (line + 1, column),
            ("ArrowUp" | "k", false) => (line.saturating_sub(1), column),
            ("ArrowRight", false) => (line, column + 1),
            ("ArrowLeft", false) => (line, column.saturating_sub(1)),
            ("ArrowDown", true) => (last, column),
            ("ArrowUp", true) => (0, column),
            ("ArrowRight", true) | ("End", false) => (line, last_column),
            ("ArrowLeft", true) | ("Home", false) => (line, 0),
            ("PageDown", _) => (line + page, column),
            ("PageUp", _) => (line.saturating_sub(page), column),
            ("Home", true) => (0, 0),
            ("End", true) => (last, last_column),
            ("Enter", false) => {
                event.prevent_default();
                return self.open(line);
            }
            (" ", _) => {
                event.prevent_default();
                return self.choose(line, event.shift_key());
            }
            ("a", true) => {
                event.prevent_default();
                return self.choose_all(true);
            }
            ("Escape", false) => return self.choose_none(),
            _ => return,
        };
        event.prevent_default();
        let to = (to.0.min(last), to.1.min(last_column));
        if event.shift_key() && to.0 != line {
            self.choose_range(line, to.0);
        }
        self.go_to(to);
    }

    /// The keyboard goes to the table, where it was or one line on.
    pub fn focus(self, forward: Option<bool>) {
        browser::focus_still(TABLE);
        let (line, column) = self.at.get_untracked();
        let last = self.lines.read_untracked().lines.len().saturating_sub(1);
        let line = match forward {
            Some(true) => (line + 1).min(last),
            Some(false) => line.saturating_sub(1),
            None => line,
        };
        self.go_to((line, column));
    }

    pub(super) fn go_to(self, at: (usize, usize)) {
        self.at.set(at);
        let Some(scroll) = self.scroll.get_untracked() else { return };
        let frame = self.frame.get_untracked();
        scroll.set_scroll_top(frame.reveal_line(at.0) as i32);
        let view = self.view.get_untracked();
        if let Some(free) = at.1.checked_sub(1 + view.pinned) {
            let pinned = super::pinned_width(&view, &self.columns.read_untracked());
            let left = self.edges.with_untracked(|edges| frame.reveal_column(free, edges, pinned));
            scroll.set_scroll_left(left as i32);
        }
        self.measure();
    }

    fn open(self, line: usize) {
        let run = self.lines.with_untracked(|lines| lines.lines.get(line).map(Line::row));
        match run {
            Some(Some(row)) => {
                let (run, experiment) = self.store.with_value(|store| {
                    let experiment = match store.cell(row, &Attribute::Experiment.name()) {
                        Cell::Text(id) => id.to_owned(),
                        _ => self.runs.experiment.get_value(),
                    };
                    (store.run_id(row).to_owned(), experiment)
                });
                self.place.follow(&Route::Run { experiment, run }.href());
            }
            Some(None) => self.twist(line),
            None => {}
        }
    }

    /// Opens or closes what is below a line.
    pub(super) fn twist(self, line: usize) {
        let key = self.lines.with_untracked(|lines| {
            let line = lines.lines.get(line)?;
            Some(self.store.with_value(|store| match line {
                Line::Run { row, .. } => store.run_id(*row).to_owned(),
                Line::Group { at, .. } => lines::key(store, &lines.groups, &lines.by, *at),
            }))
        });
        let Some(key) = key else { return };
        let view = self.place.now();
        match view.closed.turned(&key) {
            Some(closed) => self.place.replace(&View { closed, ..view }),
            None => self
                .toasts
                .say(format!("No more than {} can be closed one by one: close all", folded::MOST)),
        }
    }

    /// Selects a line, or no longer; `further`: with all between it and the last one.
    pub(super) fn choose(self, line: usize, further: bool) {
        let lines = self.lines.get_untracked();
        let Some(line) = lines.lines.get(line) else { return };
        let mut selection = self.selection.get_untracked();
        self.store.with_value(|store| match line {
            Line::Run { row, .. } if further => selection.extend(store, &lines.shown(), *row),
            Line::Run { row, .. } => selection.toggle(store, *row),
            Line::Group { at, .. } => {
                let rows = lines.members(*at);
                if rows.iter().all(|row| selection.contains(store, *row)) {
                    selection.drop(store, rows);
                } else {
                    selection.add(store, rows);
                }
            }
        });
        self.selection.set(selection);
    }

    pub(super) fn choose_none(self) {
        self.selection.write().clear();
    }

    fn choose_range(self, from: usize, to: usize) {
        let lines = self.lines.get_untracked();
        let rows: Vec<u32> = lines.lines[from.min(to)..=from.max(to)].iter().filter_map(Line::row).collect();
        self.store
            .with_value(|store| self.selection.update(|selection| selection.add(store, &rows)));
    }

    /// All runs that are meant, also where they are not in sight; or none.
    pub fn choose_all(self, all: bool) {
        let lines = self.lines.get_untracked();
        self.store.with_value(|store| {
            self.selection.update(|selection| match all {
                true => selection.add(store, &lines.rows),
                false => selection.drop(store, &lines.rows),
            });
        });
    }
}
