//! The table: of all lines and columns those that can be seen.
//!
//! The focus is on the table itself, which says where the keyboard is, so that cells can come and go below it.

use std::sync::Arc;

use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{
    Sheet,
    cell::{Drawn, Look, cell, of_group},
    heading::{heading, menu},
    lines::{Line, Lines},
    pinned_width, width,
};
use crate::{
    browser,
    page::experiment::{column::Column, view::View},
    part::{
        clock::Clock,
        dynamic::dynamic,
        icon::{self, Icon},
        number::count,
    },
    route::Route,
    table::{
        column::{Attribute, Cell, Name},
        store::Store,
    },
};

pub const TABLE: &str = "table.sheet";

/// A column that is drawn.
pub struct Shown {
    /// Counted from 1, the name's.
    pub index: usize,
    pub column: Column,
    /// Where it stays, from the left edge.
    pub pinned: Option<u32>,
}

pub fn grid(sheet: Sheet) -> AnyView {
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
    let at = move || (lines() > 0).then_some("cell-at");
    view! {
        <div
            class="grid-scroll sheet" node_ref=sheet.scroll on:scroll=move |_| measure()
            on:pointerenter=move |_| sheet.held.set(true) on:pointerleave=move |_| sheet.held.set(false)
        >
            <table
                class="grid runs sheet" role="grid" aria-label="Runs" aria-multiselectable="true" tabindex="0" node_ref=sheet.table style:width=total
                aria-rowcount=move || lines() + 1 aria-colcount=move || columns() + 1 aria-activedescendant=at
                on:keydown=move |event| sheet.key(&event) on:click=move |event| sheet.click(&event) on:dblclick=move |event| sheet.let_go(&event)
                on:pointerdown=move |event| sheet.pull(&event) on:pointermove=move |event| sheet.pull_on(&event) on:pointerup=move |_| sheet.pull_end(true) on:pointercancel=move |_| sheet.pull_end(false)
                on:dragstart=move |event| sheet.carry(&event) on:dragover=move |event| sheet.carry_over(&event) on:drop=move |event| sheet.put_down(&event)
            >
                {dynamic(move || widths(sheet))}
                <thead>{dynamic(move || head(sheet))}</thead>
                <tbody>{dynamic(move || body(sheet, clock))}</tbody>
            </table>
        </div>
        {menu(sheet)}
    }
    .into_any()
}

/// The name, what is pinned, and those that can be seen of the others.
fn shown(sheet: Sheet, view: &View) -> Vec<Shown> {
    let columns = sheet.columns.read();
    let window = sheet.window.read();
    let mut left = 0;
    let mut pinned = Vec::new();
    for (index, column) in std::iter::once(&Column::Name).chain(columns.iter().take(view.pinned)).enumerate() {
        pinned.push(Shown {
            index: index + 1,
            column: column.clone(),
            pinned: Some(left),
        });
        left += width(view, column);
    }
    let free = columns
        .iter()
        .enumerate()
        .skip(view.pinned + window.columns.start)
        .take(window.columns.len());
    pinned.extend(free.map(|(at, column)| Shown {
        index: at + 2,
        column: column.clone(),
        pinned: None,
    }));
    pinned
}

/// What is left out before the columns that are drawn, in pixels.
fn left_out(sheet: Sheet) -> u32 {
    sheet.edges.read().begin(sheet.window.read().columns.start)
}

fn widths(sheet: Sheet) -> AnyView {
    let view = sheet.view.read();
    let before = left_out(sheet);
    let shown = shown(sheet, &view);
    let col = |pixels: u32| view! { <col style:width=format!("{pixels}px")/> };
    let (pinned, free): (Vec<_>, Vec<_>) = shown.into_iter().partition(|shown| shown.pinned.is_some());
    let all = |shown: Vec<Shown>| shown.iter().map(|shown| col(width(&view, &shown.column))).collect::<Vec<_>>();
    view! { <colgroup>{all(pinned)}{col(before)}{all(free)}<col/></colgroup> }.into_any()
}

fn head(sheet: Sheet) -> AnyView {
    let view = sheet.view.read();
    let (pinned, free): (Vec<_>, Vec<_>) = shown(sheet, &view).into_iter().partition(|shown| shown.pinned.is_some());
    let all = |shown: Vec<Shown>| shown.into_iter().map(|shown| heading(sheet, &view, shown)).collect::<Vec<_>>();
    view! { <tr aria-rowindex="1">{all(pinned)}<td class="gap" aria-hidden="true"></td>{all(free)}<td class="gap" aria-hidden="true"></td></tr> }.into_any()
}

fn body(sheet: Sheet, clock: Clock) -> AnyView {
    let view = sheet.view.read();
    let window = sheet.window.get();
    let lines = sheet.lines.get();
    let line = sheet.frame.with(|frame| frame.line);
    let at = sheet.at.get();
    let selection = sheet.selection.read();
    sheet.drawn.track();
    let (pinned, free): (Vec<_>, Vec<_>) = shown(sheet, &view).into_iter().partition(|shown| shown.pinned.is_some());
    let drawn = window.lines.start..window.lines.end.min(lines.lines.len());
    let after = lines.lines.len() - drawn.end;
    let scales = sheet.scales.get();
    let names = sheet.names.read();
    let rows = sheet.store.with_value(|store| {
        let look = Look {
            scales: &scales,
            aggregate: view.aggregate,
            names: &names,
            clock,
            now: clock.minute.get(),
            baseline: view.baseline.as_deref().and_then(|id| store.row(id)),
        };
        let mut rows = Vec::with_capacity(drawn.len());
        for index in drawn.clone() {
            let part = Part { store, lines: &lines, look: &look,  index, at };
            let row = lines.lines[index].row();
            let selected = row.map(|row| selection.contains(store, row));
            let is_baseline = row.is_some() && row == look.baseline;
            let class = match &lines.lines[index] {
                Line::Group { .. } => "group",
                Line::Run { dimmed: true, .. } => "dimmed",
                Line::Run { .. } if is_baseline => "baseline",
                Line::Run { .. } => "",
            };
            let stay = pinned.iter().skip(1).map(|shown| part.cell(shown)).collect::<Vec<_>>();
            let rest = free.iter().map(|shown| part.cell(shown)).collect::<Vec<_>>();
            rows.push(view! {
                <tr aria-rowindex=index + 2 class=class data-line=index aria-selected=selected.map(|selected| if selected { "true" } else { "false" })>
                    {part.name(selected)}{stay}<td class="gap" aria-hidden="true"></td>{rest}<td class="gap" aria-hidden="true"></td>
                </tr>
            });
        }
        rows
    });
    let space = |lines: usize| view! { <tr class="space" aria-hidden="true" style:height=format!("{}px", lines as f64 * line)></tr> };
    view! { {space(drawn.start)}{rows}{space(after)} }.into_any()
}

/// A line while it is drawn.
struct Part<'a> {
    store: &'a Store,
    lines: &'a Arc<Lines>,
    look: &'a Look<'a>,
    index: usize,
    at: (usize, usize),
}

// === impl Part ===

impl Part<'_> {
    /// Marks the cell that the keyboard is at.
    fn mark(&self, column: usize) -> Option<&'static str> {
        (self.at == (self.index, column)).then_some("cell-at")
    }

    fn cell(&self, shown: &Shown) -> impl IntoView + use<> {
        let Drawn {
            class,
            icon,
            text,
            exact,
            title,
            beside,
            part,
        } = match &self.lines.lines[self.index] {
            Line::Run { row, .. } => cell(self.store, *row, &shown.column, self.look),
            Line::Group { at, .. } => of_group(self.store, self.lines.members(*at), &shown.column, self.look.aggregate),
        };
        let pinned = if shown.pinned.is_some() { " pinned" } else { "" };
        let paint = part.map(|(paint, _)| format!(" paint-{}", paint.word())).unwrap_or_default();
        view! {
            <td id=self.mark(shown.index - 1) class=format!("{class}{pinned}{paint}") style=("--part", part.map(|(_, part)| format!("{part:.3}"))) title=title aria-colindex=shown.index style=("inset-inline-start", shown.pinned.map(|left| format!("{left}px")))>
                {icon.map(|icon| view! { <Icon icon=icon/> })}
                <data class=exact.is_some().then_some("exact") value=exact dir="auto">{text}</data>
                {beside.map(|beside| view! { <span class="beside">{beside}</span> })}
            </td>
        }
    }

    fn name(&self, selected: Option<bool>) -> impl IntoView + use<> {
        let (depth, twist, body) = match &self.lines.lines[self.index] {
            Line::Run {
                row,
                depth,
                children,
                open,
                ..
            } => (*depth, (*children > 0).then_some(*open), self.run(*row, selected)),
            Line::Group { at, open } => (self.lines.groups.groups[*at].level as u32, Some(*open), self.group(*at)),
        };
        let twist = twist.map(|open| {
            let (icon, word) = if open { (icon::ChevronDown, "Close") } else { (icon::ChevronRight, "Open") };
            view! { <button type="button" class="twist" tabindex="-1" aria-label=word aria-expanded=if open { "true" } else { "false" }><Icon icon=icon/></button> }
        });
        view! {
            <th scope="row" id=self.mark(0) class="pinned" aria-colindex="1" style=("--depth", depth.to_string())>
                <div class="line">{twist}{body}</div>
            </th>
        }
    }

    fn run(&self, row: u32, selected: Option<bool>) -> AnyView {
        let run = self.store.run_id(row).to_owned();
        let name = match self.store.cell(row, &Attribute::Name.name()) {
            Cell::Text(name) if !name.is_empty() => name.to_owned(),
            _ => run.get(..8).unwrap_or(&run).to_owned(),
        };
        let experiment = match self.store.cell(row, &Attribute::Experiment.name()) {
            Cell::Text(id) => id.to_owned(),
            _ => String::new(),
        };
        let href = Route::Run { experiment, run }.href();
        view! {
            <input type="checkbox" class="choose" tabindex="-1" aria-label=format!("Select {name}") prop:checked=selected == Some(true)/>
            <a class="name clip" dir="auto" tabindex="-1" href=href title=name.clone()>{name.clone()}</a>
        }
        .into_any()
    }

    fn group(&self, at: usize) -> AnyView {
        let group = &self.lines.groups.groups[at];
        let by = &self.lines.by[group.level];
        let rows = self.lines.members(at);
        let value = self.value(rows[0], by);
        let label = super::column_of(by).map_or_else(|| by.key.clone(), |column| column.label().to_owned());
        view! { <span class="faint clip">{label}</span><bdi class="name clip">{value}</bdi><span class="count">{count(rows.len())}</span> }
            .into_any()
    }

    /// As a cell says it: an experiment or a run by its name, a dataset without its digest.
    fn value(&self, row: u32, by: &Name) -> String {
        match (self.store.cell(row, by), super::column_of(by)) {
            (Cell::Text(""), _) => "empty".into(),
            (Cell::Missing, _) => "none".into(),
            (Cell::Text(text), None) => text.to_owned(),
            (_, column) => column.map_or_else(String::new, |column| cell(self.store, row, &column, self.look).text),
        }
    }
}

// === impl Sheet ===

impl Sheet {
    /// Whether all runs that are shown are selected; `None`: some.
    pub(super) fn all_chosen(self) -> Option<bool> {
        let (lines, selection) = (self.lines.read(), self.selection.read());
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
        if let Some(link) = inside("a[data-further]") {
            // Without Shift it is a link like others.
            if event.shift_key()
                && let Some(href) = link.get_attribute("data-further")
            {
                event.prevent_default();
                self.place.follow(&href);
            }
            return;
        }
        if inside("a").is_some() {
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
