//! A cell of a row: of what it says only that is written which is not there yet.

use std::mem;

use leptos::{
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, HtmlElement, Node},
};

use super::{
    Done,
    make::{element, picture},
};
use crate::{
    page::experiment::sheet::{cell::Drawn, draw::Shown},
    part::clock::Clock,
};

pub struct Cell {
    pub cell: HtmlElement,
    /// It stands for another column than what it says is of.
    pub is_stale: bool,
    /// Counted from 1, the name's.
    index: usize,
    pinned: Option<u32>,
    text: Node,
    /// Around a text that may run from right to left.
    apart: Option<Element>,
    icon: Option<Element>,
    beside: Option<Element>,
    says: Drawn,
    /// It has the title of what it says.
    is_titled: bool,
    /// It has the exact value of what it says.
    is_exact: bool,
    /// Its text may be too long for its column.
    is_long: bool,
}

/// What a letter takes at most, and what a cell has around them, in pixels.
const LETTER: f64 = 7.8;
const AROUND: f64 = 22.0;

// === impl Cell ===

impl Cell {
    pub fn of(cell: Node) -> Done<Self> {
        let cell: HtmlElement = cell.unchecked_into();
        let text = cell.first_child().ok_or(JsValue::NULL)?;
        Ok(Self {
            cell,
            is_stale: true,
            index: 0,
            pinned: None,
            text,
            apart: None,
            icon: None,
            beside: None,
            says: Drawn::default(),
            is_titled: false,
            is_exact: false,
            is_long: false,
        })
    }

    /// Where it is among the columns.
    pub fn place(&mut self, shown: &Shown) -> Done {
        if self.index != shown.index {
            self.index = shown.index;
            self.cell.set_attribute("aria-colindex", &shown.index.to_string())?;
        }
        if self.pinned != shown.pinned
            && let Some(left) = shown.pinned
        {
            self.pinned = shown.pinned;
            self.cell.style().set_property("inset-inline-start", &format!("{left}px"))?;
        }
        Ok(())
    }

    /// Gives it its title.
    pub fn explain(&mut self, clock: Clock) {
        if !self.is_titled {
            self.is_titled = true;
            self.cell.set_title(&self.says.title(clock));
        }
    }

    /// Gives it its exact value, where it is written short.
    pub fn tell_exactly(&mut self) -> Done {
        if !self.is_exact
            && let Some(exact) = self.says.exact()
        {
            self.is_exact = true;
            self.cell.set_attribute("data-exact", &exact)?;
        }
        Ok(())
    }

    /// `width`: of its column.
    pub fn write(&mut self, new: Drawn, width: u32) -> Done {
        let old = mem::replace(&mut self.says, new);
        let new = &self.says;
        let paint = |drawn: &Drawn| drawn.part.map(|(paint, _)| paint);
        let letters = new.text.len() + new.beside.as_ref().map_or(0, |beside| beside.len() + 1) + new.icon.map_or(0, |_| 3);
        let is_long = letters as f64 * LETTER + AROUND > f64::from(width);
        if (old.class, paint(&old), self.is_long) != (new.class, paint(new), is_long) {
            self.is_long = is_long;
            let pinned = if self.pinned.is_some() { " pinned" } else { "" };
            let paint = paint(new).map(|paint| format!(" paint-{}", paint.word())).unwrap_or_default();
            let long = if is_long { " long" } else { "" };
            self.cell.set_class_name(&format!("{}{pinned}{paint}{long}", new.class));
        }
        if old.part != new.part {
            let style = self.cell.style();
            match new.part {
                Some((_, part)) => style.set_property("--part", &format!("{part:.3}"))?,
                None => drop(style.remove_property("--part")?),
            }
        }
        if self.is_titled && old.whole != new.whole {
            self.is_titled = false;
            self.cell.remove_attribute("title")?;
        }
        if self.is_exact && old.whole != new.whole {
            self.is_exact = false;
            self.cell.remove_attribute("data-exact")?;
        }
        if old.text != new.text {
            self.text.set_node_value(Some(&new.text));
        }
        // Letters of scripts that run from right to left are none of these.
        if self.apart.is_some() == new.text.is_ascii() {
            match self.apart.take() {
                Some(apart) => apart.replace_with_with_node_1(&self.text)?,
                None => {
                    let apart: Element = element("bdi", "")?.into();
                    self.cell.replace_child(&apart, &self.text)?;
                    apart.append_child(&self.text)?;
                    self.apart = Some(apart);
                }
            }
        }
        if old.icon.map(|icon| icon.data) != new.icon.map(|icon| icon.data) {
            if let Some(old) = self.icon.take() {
                old.remove();
            }
            if let Some(new) = new.icon {
                let icon = picture(new)?;
                self.cell.insert_before(&icon, self.cell.first_child().as_ref())?;
                self.icon = Some(icon);
            }
        }
        match (&self.beside, &new.beside) {
            (None, None) => {}
            (Some(_), Some(says)) if old.beside.as_ref() == Some(says) => {}
            (Some(beside), Some(says)) => beside.set_text_content(Some(says)),
            (None, Some(says)) => {
                let beside = element("span", "beside")?;
                beside.set_text_content(Some(says));
                self.cell.append_child(&beside)?;
                self.beside = Some(beside.into());
            }
            (Some(beside), None) => {
                beside.remove();
                self.beside = None;
            }
        }
        Ok(())
    }
}
