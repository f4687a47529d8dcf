//! The table: of all lines and columns those that can be seen. Its headings and rows are [`painted`](super::paint).
//!
//! The focus is on the table itself, which says where the keyboard is, so that cells can come and go below it.

use std::ops::Range;

use crate::prelude::*;
use leptos::{
    ev,
    wasm_bindgen::{JsCast, JsValue},
    web_sys,
};

use super::{
    Sheet,
    cell::Look,
    heading::{further, menu},
    paint::{Painter, Scene},
    pinned_width, width,
};
use crate::{
    browser,
    page::experiment::{column::Column, view::View},
    part::clock::Clock,
};

pub const TABLE: &str = "table.sheet";

/// A column that is drawn.
#[derive(Clone, PartialEq)]
pub struct Shown {
    /// Counted from 1, the name's.
    pub index: usize,
    pub column: Column,
    /// In pixels.
    pub width: u32,
    /// Where it stays, from the left edge.
    pub pinned: Option<u32>,
}

/// `empty`: there is nothing to be seen.
pub fn grid(sheet: Sheet, empty: Memo<bool>) -> AnyView {
    let clock = Clock::expect();
    let measure = move || sheet.measure();
    Effect::new(move |_| {
        sheet.lines.track();
        request_animation_frame(measure);
    });
    let resized = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    let lines = move || sheet.lines.read().lines.len();
    let columns = move || sheet.columns.read().len();
    let total = move || {
        let pinned = pinned_width(&sheet.view.read(), &sheet.columns.read());
        format!("max(100%, {}px)", pinned + sheet.edges.read().end())
    };
    let template = Memo::new(move |_| widths(sheet));
    let painter = paint(sheet, empty, clock, template);
    let explain = move |event: ev::PointerEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if let Some(target) = target {
            act(painter, |painter| painter.explain(&target, clock));
        }
    };
    let at = move || (lines() > 0).then_some("cell-at");
    view! {
        <div
            class="grid-scroll sheet" class:away=empty tabindex=move || empty.get().then_some("-1") node_ref=sheet.scroll on:scroll=move |_| measure()
            on:pointerenter=move |_| sheet.held.set(true) on:pointerleave=move |_| sheet.held.set(false)
        >
            <table
                class="grid runs sheet" role="grid" aria-label="Runs" aria-multiselectable="true" tabindex="0" node_ref=sheet.table style:width=total style=("grid-template-columns", template)
                aria-rowcount=move || lines() + 1 aria-colcount=move || columns() + 1 aria-activedescendant=at
                on:keydown=move |event| sheet.key(&event) on:click=move |event| sheet.click(&event) on:dblclick=move |event| sheet.let_go(&event)
                on:pointerover=explain on:copy=move |_| act(painter, Painter::tell_exactly)
                on:pointerdown=move |event| sheet.pull(&event) on:pointermove=move |event| sheet.pull_on(&event) on:pointerup=move |_| sheet.pull_end(true) on:pointercancel=move |_| sheet.pull_end(false)
                on:dragstart=move |event| sheet.carry(&event) on:dragover=move |event| sheet.carry_over(&event) on:drop=move |event| sheet.put_down(&event)
            >
                <thead role="rowgroup"><tr role="row" aria-rowindex="1"></tr></thead>
                <tbody role="rowgroup"></tbody>
            </table>
        </div>
        {menu(sheet)}
    }
    .into_any()
}

/// The name, what is pinned, and those that can be seen of the others.
pub fn shown(view: &View, columns: &[Column], across: &Range<usize>) -> Vec<Shown> {
    let mut left = 0;
    let mut shown = Vec::with_capacity(1 + view.pinned + across.len());
    for (index, column) in std::iter::once(&Column::Name).chain(columns.iter().take(view.pinned)).enumerate() {
        shown.push(Shown {
            index: index + 1,
            column: column.clone(),
            width: width(view, column),
            pinned: Some(left),
        });
        left += width(view, column);
    }
    let free = columns.iter().enumerate().skip(view.pinned + across.start).take(across.len());
    shown.extend(free.map(|(at, column)| Shown {
        index: at + 2,
        column: column.clone(),
        width: width(view, column),
        pinned: None,
    }));
    shown
}

/// Of each column that is drawn, of what is left out before those that are not pinned, and of what is behind the last one.
fn widths(sheet: Sheet) -> String {
    let before = sheet.edges.read().begin(sheet.across.read().start);
    let shown = sheet.shown.read();
    let (pinned, free) = shown.split_at(shown.partition_point(|shown| shown.pinned.is_some()));
    let all = |shown: &[Shown]| shown.iter().map(|shown| format!("{}px ", shown.width)).collect::<String>();
    format!("{}{before}px {}minmax(0, 1fr)", all(pinned), all(free))
}

/// Writes what is to be seen into the table, again and again.
fn paint(sheet: Sheet, empty: Memo<bool>, clock: Clock, template: Memo<String>) -> Brush {
    let tall = Memo::new(move |_| sheet.frame.read().line);
    let chosen = Memo::new(move |_| sheet.all_chosen());
    let brush = Brush::new_local(None);
    let rest = Trigger::new();
    let painted = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let Some(table) = sheet.table.get() else { return };
        // What others are made from comes before them: an effect does not notice what changed while it looked at something made from it.
        let said = sheet.place.view.read();
        let view = sheet.view.read();
        let lines = sheet.lines.get();
        // Rows that are out of sight stay laid out: soon they say something else.
        if empty.get() {
            return;
        }
        let (columns, scales, names) = (sheet.shown.get(), sheet.scales.get(), sheet.names.read());
        let template = template.read();
        let selection = sheet.selection.read();
        let chosen = chosen.get();
        let (window, at, tall) = (sheet.down.get(), sheet.at.get(), tall.get());
        sheet.drawn.track();
        rest.track();
        let mut is_all = true;
        sheet.store.with_value(|store| {
            let data: Vec<_> = columns.iter().skip(1).map(|shown| store.column(&shown.column.name())).collect();
            let scene = Scene {
                store,
                window: window.start..window.end.min(lines.lines.len()),
                lines: &lines,
                tall,
                columns: &columns,
                template: &template,
                data: &data,
                selection: &selection,
                chosen,
                view: &said,
                href: &|view| sheet.place.href(view),
                at,
                look: Look {
                    scales: &scales,
                    aggregate: view.aggregate,
                    names: &names,
                    now: clock.minute.get(),
                    baseline: view.baseline.as_deref().and_then(|id| store.row(id)),
                },
            };
            if brush.with_value(Option::is_none) {
                brush.set_value(Painter::new(&table).ok());
            }
            act(brush, |painter| {
                is_all = painter.paint(&scene)?;
                Ok(())
            });
        });
        let now = painted.try_update_value(|painted| {
            *painted += 1;
            *painted
        });
        if !is_all {
            // What scrolling painted is drawn after those that are called next; whatever else paints meanwhile goes on with the rest.
            request_animation_frame(move || {
                request_animation_frame(move || {
                    if painted.try_get_value() == now {
                        rest.notify();
                    }
                });
            });
        }
    });
    brush
}

/// Who writes the rows, once they are there.
type Brush = StoredValue<Option<Painter>, LocalStorage>;

fn act(brush: Brush, what: impl FnOnce(&mut Painter) -> Result<(), JsValue>) {
    let done = brush.try_update_value(|painter| painter.as_mut().map(what)).flatten();
    // Nothing but a browser that has no room for another element refuses one.
    if let Some(Err(error)) = done {
        leptos::logging::error!("the rows cannot be drawn: {error:?}");
    }
}

// === impl Sheet ===

impl Sheet {
    /// Whether all runs that are shown are selected; `None`: some.
    pub(super) fn all_chosen(self) -> Option<bool> {
        let selection = self.selection.read();
        if selection.is_empty() {
            return Some(false);
        }
        let lines = self.lines.read();
        self.drawn.track();
        let chosen = self
            .store
            .with_value(|store| lines.rows.iter().filter(|row| selection.contains(store, **row)).count());
        match chosen {
            0 => Some(false),
            _ if chosen == lines.rows.len() => Some(true),
            _ => None,
        }
    }

    fn click(self, event: &ev::MouseEvent) {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else {
            return;
        };
        let inside = |selector: &str| target.closest(selector).ok().flatten();
        if inside("a").is_some() {
            // Without Shift, the one in a heading is a link like others.
            if let Some(view) = further(self, event) {
                event.prevent_default();
                self.place.go(&view);
            }
            return;
        }
        if inside(".more").is_some() {
            return self.open_menu(event);
        }
        if inside(".choose-all").is_some() {
            return self.choose_all(self.all_chosen() != Some(true));
        }
        let line = inside("tr[data-line]").and_then(|row| row.get_attribute("data-line")?.parse::<usize>().ok());
        let Some(line) = line else { return };
        if inside(".twist").is_some() {
            self.twist(line);
        } else if inside(".choose").is_some() || event.shift_key() || event.ctrl_key() || event.meta_key() {
            self.choose(line, event.shift_key());
        }
        let column = inside("[aria-colindex]").and_then(|cell| cell.get_attribute("aria-colindex")?.parse::<usize>().ok());
        self.at.set((line, column.unwrap_or(1) - 1));
        browser::focus_still(TABLE);
    }
}
