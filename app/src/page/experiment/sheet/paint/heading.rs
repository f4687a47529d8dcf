//! The headings: each stays with its column as long as that is in sight, and says another one's name then.

use std::iter;

use leptos::{
    prelude::document,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, HtmlElement, HtmlInputElement, Node},
};

use super::{
    Done, Scene,
    make::{element, gap, picture},
    row::Turn,
};
use crate::{
    page::experiment::{
        column::{Column, Sort},
        sheet::{draw::Shown, heading::MENU},
        view::View,
    },
    part::icon,
};

pub struct Headings {
    row: Element,
    choose: HtmlInputElement,
    name: Heading,
    /// In the order of the columns.
    rest: Vec<Heading>,
    /// What they were written by.
    view: Option<View>,
}

struct Heading {
    cell: HtmlElement,
    link: HtmlElement,
    label: Element,
    family: Element,
    more: Option<Element>,
    says: Option<Shown>,
    /// Which way it is sorted by it, as which of how many.
    sorted: Option<(bool, usize, usize)>,
    arrow: Vec<Element>,
}

// === impl Headings ===

impl Headings {
    /// `row`: with nothing in it.
    pub fn new(row: Element) -> Done<Self> {
        let name = Heading::new(true, true)?;
        let choose: HtmlInputElement = element("input", "choose-all")?.unchecked_into();
        choose.set_type("checkbox");
        choose.set_tab_index(-1);
        choose.set_attribute("aria-label", "Select all runs that are shown")?;
        name.link.before_with_node_1(&choose)?;
        row.append_child(&name.cell)?;
        row.append_child(&gap()?)?;
        row.append_child(&gap()?)?;
        Ok(Self {
            row,
            choose,
            name,
            rest: Vec::new(),
            view: None,
        })
    }

    /// `None`: others are pinned.
    pub fn turn(&mut self, turn: Option<&Turn>, (columns, pinned): (usize, usize)) -> Done {
        let end = self.row.last_child();
        if let Some(turn) = turn {
            return turn.apply(&self.row, &mut self.rest, |heading| &heading.cell, || Heading::new(false, false));
        }
        for heading in self.rest.drain(..) {
            heading.cell.remove();
        }
        let before = end.as_ref().and_then(Node::previous_sibling);
        for at in 1..columns {
            let heading = Heading::new(at < pinned, false)?;
            let end = if at < pinned { &before } else { &end };
            self.row.insert_before(&heading.cell, end.as_ref())?;
            self.rest.push(heading);
        }
        Ok(())
    }

    pub fn write(&mut self, scene: &Scene<'_>) -> Done {
        let is_anew = self.view.as_ref() != Some(scene.view);
        if is_anew {
            self.view = Some(scene.view.clone());
        }
        let order = scene.view.order();
        for (heading, shown) in iter::once(&mut self.name).chain(&mut self.rest).zip(&**scene.columns) {
            heading.write(shown, is_anew, &order, scene)?;
        }
        self.choose.set_checked(scene.chosen == Some(true));
        self.choose.set_indeterminate(scene.chosen.is_none());
        Ok(())
    }
}

// === impl Heading ===

impl Heading {
    fn new(pinned: bool, is_name: bool) -> Done<Self> {
        let cell = element("th", if pinned { "pinned" } else { "" })?;
        cell.set_attribute("scope", "col")?;
        cell.set_attribute("role", "columnheader")?;
        cell.set_attribute("draggable", if is_name { "false" } else { "true" })?;
        let line = element("div", "line")?;
        let link = element("a", "")?;
        link.set_attribute("data-noscroll", "")?;
        link.set_attribute("draggable", "false")?;
        let (label, family) = (element("bdi", "clip")?, element("span", "family")?);
        link.append_child(&label)?;
        link.append_child(&family)?;
        line.append_child(&link)?;
        let more = if is_name { None } else { Some(more()?) };
        if let Some(more) = &more {
            line.append_child(more)?;
        }
        let grip = element("span", "grip")?;
        grip.set_attribute("aria-hidden", "true")?;
        cell.append_child(&line)?;
        cell.append_child(&grip)?;
        Ok(Self {
            cell,
            link,
            label: label.into(),
            family: family.into(),
            more,
            says: None,
            sorted: None,
            arrow: Vec::new(),
        })
    }

    /// `is_anew`: by another view. `order`: the one that holds.
    fn write(&mut self, shown: &Shown, is_anew: bool, order: &[Sort], scene: &Scene<'_>) -> Done {
        let old = self.says.as_ref();
        let is_other = old.map(|old| &old.column) != Some(&shown.column);
        if old.map(|old| old.index) != Some(shown.index) {
            self.cell.set_attribute("aria-colindex", &shown.index.to_string())?;
        }
        if let Some(left) = shown.pinned.filter(|left| old.and_then(|old| old.pinned) != Some(*left)) {
            self.cell.style().set_property("inset-inline-start", &format!("{left}px"))?;
        }
        if is_other {
            self.call(&shown.column, shown.pinned.is_some())?;
            self.says = Some(shown.clone());
        } else if old != Some(shown) {
            self.says = Some(shown.clone());
        }
        if is_other || is_anew {
            self.link
                .set_attribute("href", &(scene.href)(&scene.view.clicked(&shown.column, false)))?;
            let place = order.iter().position(|sort| sort.column == shown.column);
            self.sort(place.map(|place| (order[place].descending, place, order.len())))?;
        }
        Ok(())
    }

    /// Says the name of `column`.
    fn call(&self, column: &Column, pinned: bool) -> Done {
        // Whoever was at what it said before is not at this one.
        if self.says.is_some()
            && let Some(active) = document().active_element()
            && self.cell.contains(Some(&active))
        {
            active.unchecked_into::<HtmlElement>().blur()?;
        }
        let label = column.label();
        if !pinned {
            self.cell.set_class_name(if column.is_number() { "number" } else { "" });
        }
        self.cell.set_attribute("data-column", &column.id())?;
        self.link.set_title(&format!("{label}. Sort; with Shift sort further by it"));
        self.label.set_text_content(Some(label));
        self.family.set_text_content(column.family());
        self.more.as_ref().map_or(Ok(()), |more| {
            more.set_attribute("aria-label", &format!("What to do with the column {label}"))
        })
    }

    fn sort(&mut self, sorted: Option<(bool, usize, usize)>) -> Done {
        if self.sorted == sorted {
            return Ok(());
        }
        self.sorted = sorted;
        self.arrow.drain(..).for_each(|old| old.remove());
        let Some((descending, place, all)) = sorted else {
            return self.cell.remove_attribute("aria-sort");
        };
        self.cell
            .set_attribute("aria-sort", if descending { "descending" } else { "ascending" })?;
        self.arrow.push(picture(if descending { icon::ArrowDown } else { icon::ArrowUp })?);
        if all > 1 {
            let which = element("span", "family")?;
            which.set_text_content(Some(&(place + 1).to_string()));
            self.arrow.push(which.into());
        }
        self.arrow.iter().try_for_each(|new| self.link.append_child(new).map(drop))
    }
}

/// Opens what else can be done with a column.
fn more() -> Done<Element> {
    let more = element("button", "more")?;
    more.set_attribute("type", "button")?;
    more.set_attribute("popovertarget", MENU)?;
    more.append_child(&*picture(icon::More)?)?;
    Ok::<_, JsValue>(more.into())
}
