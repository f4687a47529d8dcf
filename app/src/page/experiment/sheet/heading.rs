//! The headings of the table: sorting, and a menu for what else can be done with a column; its width and place by hand.

use crate::prelude::*;
use leptos::{ev, wasm_bindgen::JsCast, web_sys};

use super::{Sheet, options::groups, width};
use crate::{
    page::experiment::{
        column::{Column, STATS, Sort},
        view::{Paint, View, moved},
    },
    part::{
        dynamic::dynamic,
        icon::{self, Icon},
        menu::Menu,
    },
    table::column::Stat,
};

/// A column that is being made wider or narrower.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulled {
    pub column: Column,
    /// In pixels.
    pub width: u32,
    /// Where the pointer was, and how wide the column, at first.
    from: (i32, u32),
}

pub const MENU: &str = "column-menu";
/// In pixels.
const LEAST: i32 = 48;

/// What can be done with the column whose menu is open.
pub fn menu(sheet: Sheet) -> AnyView {
    let items = move || {
        let column = sheet.menu.get()?;
        let columns = sheet.columns.get();
        let at = columns.iter().position(|other| *other == column)?;
        Some(items(sheet, &column, &columns, at))
    };
    view! { <Menu id=MENU label="The column" class="start">{dynamic(items)}</Menu> }.into_any()
}

fn items(sheet: Sheet, column: &Column, columns: &[Column], at: usize) -> AnyView {
    let view = sheet.place.view.get();
    let link = |label: String, new: View, on: bool| {
        let check = on.then(|| view! { <Icon icon=icon::Check/> });
        view! { <a class="item" href=sheet.place.href(&new) data-noscroll="" aria-current=on.then_some("true")>{check}{label}</a> }
            .into_any()
    };
    let sort = |label: &str, descending: bool| {
        let sort = vec![Sort {
            column: column.clone(),
            descending,
        }];
        let on = view.sort == sort;
        link(label.to_owned(), View { sort, ..view.clone() }.first(), on)
    };
    let with = |columns: Vec<Column>| view.with_columns(Some(columns));
    let to = |label: &str, to: Option<usize>| {
        to.filter(|to| *to < columns.len() && *to != at)
            .map(|to| link(label.to_owned(), with(moved(columns, at, to)), false))
    };
    let paint = |label: &str, paint: Paint| {
        let on = view.paint(column) == Some(paint);
        let new = view.painted(column, Some(paint).filter(|_| !on));
        column.is_number().then(|| link(label.to_owned(), new, on))
    };
    let stats = match column {
        Column::Metric(key) | Column::Stat(_, key) => STATS
            .iter()
            .map(|stat| {
                let other = Column::Stat(*stat, key.clone());
                let mut new = columns.to_vec();
                let on = columns.contains(&other);
                match on {
                    true => new.retain(|column| *column != other),
                    false => new.insert(at + 1, other),
                }
                let word = match stat {
                    Stat::Min => "Smallest value of the history",
                    Stat::Max => "Largest value of the history",
                    _ => "First value of the history",
                };
                link(word.to_owned(), with(new), on)
            })
            .collect(),
        _ => Vec::new(),
    };
    let mut without = columns.to_vec();
    without.remove(at);
    let kept = at < view.pinned;
    let pin = View {
        pinned: if kept { at } else { at + 1 },
        ..view.clone()
    };
    let is_grouped = view.group.contains(column);
    let group = (groups(column) && !is_grouped).then(|| {
        let mut new = view.clone();
        new.group.push(column.clone());
        link("Group by it".into(), new, false)
    });
    let is_wide = view.widths.iter().any(|(of, _)| of == column);
    let natural = is_wide.then(|| link("Its own width again".into(), view.widened(column, None), false));
    view! {
        <div class="head"><bdi>{column.label().to_owned()}</bdi></div>
        {sort("Sort, smallest first", false)}
        {sort("Sort, largest first", true)}
        {group}
        <hr/>
        {paint("Colour by value", Paint::Heat)}
        {paint("Bars", Paint::Bar)}
        {stats}
        <hr/>
        {to("Move left", at.checked_sub(1))}
        {to("Move right", Some(at + 1))}
        {to("Move to the front", Some(0))}
        {link(if kept { "Let it scroll" } else { "Keep in sight up to here" }.into(), pin, false)}
        {natural}
        {link("Take the column away".into(), with(without), false)}
    }
    .into_any()
}

fn column_at(event: &ev::Event) -> Option<Column> {
    let target = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    let heading = target.closest("th[data-column]").ok()??;
    Column::read(&heading.get_attribute("data-column")?)
}

/// Where a click with Shift on a heading leads: it sorts further.
pub fn further(sheet: Sheet, event: &ev::MouseEvent) -> Option<View> {
    let column = column_at(event).filter(|_| event.shift_key())?;
    Some(sheet.place.now().clicked(&column, true))
}

fn is_grip(event: &ev::Event) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| target.class_list().contains("grip"))
}

// === impl Sheet ===

impl Sheet {
    /// The menu of the heading at `event`, where it was on its button.
    pub(super) fn open_menu(self, event: &ev::MouseEvent) {
        self.menu.set(column_at(event));
    }

    pub(super) fn pull(self, event: &ev::PointerEvent) {
        if !is_grip(event) || event.button() != 0 {
            return;
        }
        let Some(column) = column_at(event) else { return };
        event.prevent_default();
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if let Some(target) = target {
            target.set_pointer_capture(event.pointer_id()).ok();
        }
        let width = width(&self.view.get_untracked(), &column);
        self.pulled.set(Some(Pulled {
            column,
            width,
            from: (event.client_x(), width),
        }));
    }

    pub(super) fn pull_on(self, event: &ev::PointerEvent) {
        if self.pulled.read_untracked().is_none() {
            return;
        }
        self.pulled.update(|pulled| {
            if let Some(pulled) = pulled {
                let width = pulled.from.1 as i32 + event.client_x() - pulled.from.0;
                pulled.width = width.clamp(LEAST, 2000) as u32;
            }
        });
    }

    /// `done`: the pointer was let go, and not taken away.
    pub(super) fn pull_end(self, done: bool) {
        let Some(pulled) = self.pulled.get_untracked() else { return };
        if done && pulled.width != pulled.from.1 {
            self.place.replace(&self.place.now().widened(&pulled.column, Some(pulled.width)));
        }
        self.pulled.set(None);
    }

    /// A double click on the edge gives the column its own width again.
    pub(super) fn let_go(self, event: &ev::MouseEvent) {
        if is_grip(event)
            && let Some(column) = column_at(event)
        {
            self.place.replace(&self.place.now().widened(&column, None));
        }
    }

    pub(super) fn carry(self, event: &ev::DragEvent) {
        let column = column_at(event).filter(|_| !is_grip(event));
        if column.is_none() || self.pulled.read_untracked().is_some() {
            return event.prevent_default();
        }
        self.carried.set(column);
    }

    pub(super) fn carry_over(self, event: &ev::DragEvent) {
        if self.carried.read_untracked().is_some() && column_at(event).is_some() {
            event.prevent_default();
        }
    }

    pub(super) fn put_down(self, event: &ev::DragEvent) {
        let Some(column) = self.carried.get_untracked() else { return };
        self.carried.set(None);
        let columns = self.columns.get_untracked();
        let place = |column: &Column| columns.iter().position(|other| other == column);
        let to = column_at(event).map(|to| if to == Column::Name { Some(0) } else { place(&to) });
        if let (Some(from), Some(Some(to))) = (place(&column), to) {
            event.prevent_default();
            self.place.go(&self.place.now().with_columns(Some(moved(&columns, from, to))));
        }
    }
}
