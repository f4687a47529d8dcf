//! The headings and rows on screen, written by hand: rows and cells are made once and go from line to line, and of what they say only that is written
//! which is not there yet.
//!
//! A view of Leptos is built and compared whole with each key of a query. Here a row whose run stays where it was costs nothing.

mod cell;
mod head;
mod heading;
mod make;
mod row;

use std::{collections::BTreeMap, mem, ops::Range, sync::Arc};

use leptos::{
    wasm_bindgen::JsValue,
    web_sys::{Element, HtmlElement, HtmlTableElement, Node},
};

use self::{
    head::Body,
    heading::Headings,
    make::{element, mould},
    row::{AtOnce, Row, Turn},
};
use super::{
    cell::{Look, Scale},
    draw::Shown,
    lines::Lines,
};
use crate::{
    page::experiment::view::{Aggregate, View},
    part::clock::Clock,
    table::{column::Column as Data, select::Selection, store::Store},
};

type Done<T = ()> = Result<T, JsValue>;

/// What is to be seen.
pub struct Scene<'a> {
    pub store: &'a Store,
    pub lines: &'a Arc<Lines>,
    /// Those of the lines that are drawn.
    pub window: Range<usize>,
    /// The height of a line, in pixels.
    pub tall: f64,
    /// The name's first, then those that are pinned.
    pub columns: &'a Arc<Vec<Shown>>,
    /// How wide they are, as the style of a grid says it.
    pub template: &'a str,
    /// What the store has of each of them but the name.
    pub data: &'a [Option<&'a Data>],
    pub selection: &'a Selection,
    /// Whether all runs that are shown are selected; `None`: some.
    pub chosen: Option<bool>,
    /// What the address says.
    pub view: &'a View,
    /// The address of another view.
    pub href: &'a dyn Fn(&View) -> String,
    /// The line and the column that the keyboard is at; column 0 is the name.
    pub at: (usize, usize),
    pub look: Look<'a>,
}

/// What all rows depend on besides the columns.
#[derive(PartialEq)]
struct Style {
    scales: Vec<Scale>,
    aggregate: Aggregate,
    names: BTreeMap<String, String>,
    now: i64,
    baseline: Option<u32>,
}

/// Of other columns so many cells are written at once, the rest within so many frames: the browser has to lay out and paint them before it draws.
const CELLS: usize = 160;
const FRAMES: usize = 3;

pub struct Painter {
    headings: Headings,
    body: Element,
    /// What stands for the lines above and below those that are drawn.
    above: Space,
    below: Space,
    /// A row without anything in it; the others are copies.
    mould: Node,
    /// In their order, from the line `first` on.
    rows: Vec<Row>,
    first: usize,
    /// Rows that were taken out.
    spare: Vec<Row>,
    /// How many columns are drawn, and of them stay where they are.
    made: (usize, usize),
    columns: Arc<Vec<Shown>>,
    /// How wide they are.
    template: String,
    style: Option<Style>,
    lines: Arc<Lines>,
    stamp: Stamp,
    /// What the keyboard is at.
    marked: Option<Element>,
}

/// What was there when a row was written, each by a number that changes with it.
#[derive(Clone, Copy, Default, PartialEq)]
struct Stamp {
    store: u64,
    style: u64,
    /// Which lines; only groups depend on others than their own.
    lines: u64,
}

struct Space {
    row: HtmlElement,
    tall: f64,
}

// === impl Painter ===

impl Painter {
    /// `table`: with an empty row for the headings, and a body.
    pub fn new(table: &HtmlTableElement) -> Done<Self> {
        let headings = table.t_head().and_then(|head| head.first_element_child()).ok_or(JsValue::NULL)?;
        let body = table.last_element_child().ok_or(JsValue::NULL)?;
        let space = || {
            let row = element("tr", "space")?;
            row.set_attribute("aria-hidden", "true")?;
            Ok::<_, JsValue>(Space { row, tall: -1.0 })
        };
        let (above, below) = (space()?, space()?);
        body.append_child(&above.row)?;
        body.append_child(&below.row)?;
        Ok(Self {
            headings: Headings::new(headings)?,
            body,
            above,
            below,
            mould: mould((0, 0))?,
            rows: Vec::new(),
            first: 0,
            spare: Vec::new(),
            made: (0, 0),
            columns: Arc::default(),
            template: String::new(),
            style: None,
            lines: Arc::default(),
            stamp: Stamp::default(),
            marked: None,
        })
    }

    /// Whether all of it stands there now; else there is more to paint when the browser has drawn this: where one has gone far to the side, some
    /// rows stay as they are, and where they were.
    pub fn paint(&mut self, scene: &Scene<'_>) -> Done<bool> {
        let style = Style {
            scales: scene.look.scales.to_vec(),
            aggregate: scene.look.aggregate,
            names: scene.look.names.clone(),
            now: scene.look.now,
            baseline: scene.look.baseline,
        };
        self.stamp.store = scene.store.generation();
        if self.style.as_ref() != Some(&style) {
            self.style = Some(style);
            self.stamp.style += 1;
        }
        if !Arc::ptr_eq(&self.lines, scene.lines) {
            self.lines = Arc::clone(scene.lines);
            self.stamp.lines += 1;
        }
        if !Arc::ptr_eq(&self.columns, scene.columns) {
            let old = mem::replace(&mut self.columns, Arc::clone(scene.columns));
            self.remake(&old)?;
        }
        self.headings.write(scene)?;
        self.place(&scene.window)?;
        let cells = self.rows.len() * scene.columns.len();
        let mut at_once = AtOnce {
            pinned: self.made.1,
            room: (cells / FRAMES).max(CELLS),
            before: &self.template,
            is_all: true,
        };
        // Those that were late come first.
        for late in [true, false] {
            for (index, row) in scene.window.clone().zip(&mut self.rows).filter(|(_, row)| row.is_late == late) {
                row.write(index, self.stamp, scene, &mut at_once)?;
            }
        }
        let is_all = at_once.is_all;
        if self.template != scene.template {
            scene.template.clone_into(&mut self.template);
        }
        self.above.stretch(scene.window.start as f64 * scene.tall)?;
        self.below
            .stretch((scene.lines.lines.len() - scene.window.end) as f64 * scene.tall)?;
        self.mark(scene)?;
        Ok(is_all)
    }

    /// With other columns there are other cells.
    fn remake(&mut self, old: &[Shown]) -> Done {
        let new = &**self.columns;
        let pinned = new.iter().filter(|shown| shown.pinned.is_some()).count();
        let made = (new.len(), pinned);
        if self.made != made {
            self.mould = mould(made)?;
        }
        if mem::replace(&mut self.made, made).1 == pinned {
            return self.headings.turn(Some(&Turn::new(old, new, pinned)), made);
        }
        self.spare.clear();
        for row in self.rows.drain(..) {
            row.row.remove();
        }
        self.headings.turn(None, made)
    }

    /// As many rows as are to be seen; those whose lines stay in sight stay with them.
    fn place(&mut self, window: &Range<usize>) -> Done {
        let here = self.first..self.first + self.rows.len();
        self.first = window.start;
        // A row that stands somewhere else costs the browser more than one that says something else.
        if window.start.abs_diff(here.start) > window.len() / 3 {
            return self.fit(window.len());
        }
        if window.start > here.start {
            // What went out at the top comes in at the bottom.
            let out = (window.start - here.start).min(self.rows.len());
            let gone = self.rows.drain(..out).collect::<Vec<_>>();
            for row in gone {
                match self.rows.len() < window.len() {
                    true => {
                        self.body.insert_before(&row.row, Some(&self.below.row))?;
                        self.rows.push(row);
                    }
                    false => self.drop(row),
                }
            }
        } else if window.start < here.start {
            let mut come = Vec::new();
            for _ in window.start..here.start {
                let is_gone = here.start + self.rows.len() > window.end;
                let gone = if is_gone { self.rows.pop() } else { None };
                come.push(match gone {
                    Some(row) => row,
                    None => self.get()?,
                });
            }
            let before = self.rows.first().map_or_else(|| self.below.row.clone(), |row| row.row.clone());
            for row in &come {
                self.body.insert_before(&row.row, Some(&before))?;
            }
            self.rows.splice(0..0, come);
        }
        self.fit(window.len())
    }

    fn fit(&mut self, count: usize) -> Done {
        while self.rows.len() > count {
            if let Some(row) = self.rows.pop() {
                self.drop(row);
            }
        }
        while self.rows.len() < count {
            let row = self.get()?;
            self.body.insert_before(&row.row, Some(&self.below.row))?;
            self.rows.push(row);
        }
        Ok(())
    }

    fn get(&mut self) -> Done<Row> {
        self.spare
            .pop()
            .map_or_else(|| Row::new(&self.mould, &self.columns, self.made.1), Ok)
    }

    fn drop(&mut self, row: Row) {
        row.row.remove();
        self.spare.push(row);
    }

    /// Gives what is pointed at its title: most are never read.
    pub fn explain(&mut self, target: &Element, clock: Clock) -> Done {
        let Some(row) = self.rows.iter_mut().find(|row| row.row.contains(Some(target))) else {
            return Ok(());
        };
        if let Body::Run { link, name, .. } = &row.head.body
            && link.contains(Some(target))
        {
            link.set_title(name);
        }
        if let Some(cell) = row.cells.iter_mut().find(|cell| cell.cell.contains(Some(target))) {
            cell.explain(clock);
        }
        Ok(())
    }

    /// Something is being copied: gives each number that is written short its exact value.
    pub fn tell_exactly(&mut self) -> Done {
        self.rows
            .iter_mut()
            .flat_map(|row| &mut row.cells)
            .try_for_each(cell::Cell::tell_exactly)
    }

    /// Marks the cell that the keyboard is at.
    fn mark(&mut self, scene: &Scene<'_>) -> Done {
        let (line, column) = scene.at;
        let row = line.checked_sub(scene.window.start).and_then(|at| self.rows.get(at));
        let new: Option<Element> = row.and_then(|row| match row.columns.iter().position(|shown| shown.index == column + 1)? {
            0 => Some(row.head.cell.clone().into()),
            place => Some(row.cells[place - 1].cell.clone().into()),
        });
        if new != self.marked {
            if let Some(old) = mem::replace(&mut self.marked, new) {
                old.remove_attribute("id")?;
            }
            if let Some(new) = &self.marked {
                new.set_id("cell-at");
            }
        }
        Ok(())
    }
}

// === impl Space ===

impl Space {
    fn stretch(&mut self, tall: f64) -> Done {
        if self.tall != tall {
            self.tall = tall;
            self.row.style().set_property("height", &format!("{tall}px"))?;
        }
        Ok(())
    }
}
