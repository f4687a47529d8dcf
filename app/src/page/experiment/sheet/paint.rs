//! The rows on screen, written by hand: rows and cells are made once and go from line to line, and of what they say only that is written
//! which is not there yet.
//!
//! A view of Leptos is built and compared whole with each key of a query. Here a row whose run stays where it was costs nothing.

use std::{collections::BTreeMap, mem, ops::Range, sync::Arc};

use icondata_core::IconData;
use leptos::{
    prelude::document,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, HtmlElement, HtmlInputElement, Node},
};

use super::{
    cell::{Drawn, Look, Scale, cell, of_group},
    draw::Shown,
    lines::{Line, Lines},
};
use crate::{
    page::experiment::view::Aggregate,
    part::{icon, number::count},
    route::Route,
    table::{
        column::{Attribute, Cell as Value, Name},
        select::Selection,
        store::Store,
    },
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
    pub selection: &'a Selection,
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

pub struct Painter {
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
    columns: u64,
    style: u64,
    /// Which lines; only groups depend on others than their own.
    lines: u64,
}

struct Space {
    row: HtmlElement,
    tall: f64,
}

/// A row of the document.
struct Row {
    row: Element,
    head: Head,
    /// In the order of the columns.
    cells: Vec<Cell>,
    /// The line that it stands for; `None`: it is new.
    says: Option<(Line, Stamp)>,
    index: usize,
    class: &'static str,
    selected: Option<bool>,
}

/// The name.
struct Head {
    cell: HtmlElement,
    line: Element,
    depth: u32,
    twist: Option<bool>,
    body: Body,
}

enum Body {
    Nothing,
    Run {
        choose: HtmlInputElement,
        link: HtmlElement,
        name: String,
        run: String,
    },
    Group {
        key: Element,
        value: Element,
        count: Element,
    },
}

struct Cell {
    cell: HtmlElement,
    /// Counted from 1, the name's.
    index: usize,
    pinned: Option<u32>,
    data: Element,
    text: Node,
    icon: Option<Element>,
    beside: Option<Element>,
    says: Drawn,
    /// It has the title of what it says.
    is_titled: bool,
    /// It has the value of what it says.
    is_exact: bool,
    /// Its text may be too long for its column.
    is_long: bool,
}

/// What a letter takes at most, and what a cell has around them, in pixels.
const LETTER: f64 = 7.8;
const AROUND: f64 = 22.0;

// === impl Painter ===

impl Painter {
    pub fn new(body: Element) -> Done<Self> {
        let space = || {
            let row = element("tr", "space")?;
            row.set_attribute("aria-hidden", "true")?;
            Ok::<_, JsValue>(Space { row, tall: -1.0 })
        };
        let (above, below) = (space()?, space()?);
        body.append_child(&above.row)?;
        body.append_child(&below.row)?;
        Ok(Self {
            body,
            above,
            below,
            mould: mould((0, 0))?,
            rows: Vec::new(),
            first: 0,
            spare: Vec::new(),
            made: (0, 0),
            columns: Arc::default(),
            style: None,
            lines: Arc::default(),
            stamp: Stamp::default(),
            marked: None,
        })
    }

    pub fn paint(&mut self, scene: &Scene<'_>) -> Done {
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
            self.columns = Arc::clone(scene.columns);
            self.stamp.columns += 1;
            self.remake()?;
        }
        self.place(&scene.window)?;
        for (index, row) in scene.window.clone().zip(&mut self.rows) {
            row.write(index, self.stamp, scene)?;
        }
        self.above.stretch(scene.window.start as f64 * scene.tall)?;
        self.below
            .stretch((scene.lines.lines.len() - scene.window.end) as f64 * scene.tall)?;
        self.mark(scene)
    }

    /// With other columns there are other cells.
    fn remake(&mut self) -> Done {
        let pinned = self.columns.iter().filter(|shown| shown.pinned.is_some()).count();
        let made = (self.columns.len(), pinned);
        if self.made == made {
            return Ok(());
        }
        let as_many_pinned = self.made.1 == pinned;
        self.made = made;
        self.mould = mould(made)?;
        if as_many_pinned {
            return self.rows.iter_mut().chain(&mut self.spare).try_for_each(|row| row.fit(made.0));
        }
        self.spare.clear();
        for row in self.rows.drain(..) {
            row.row.remove();
        }
        Ok(())
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
            let before = self
                .rows
                .first()
                .map_or_else(|| self.below.row.clone().into(), |row| row.row.clone());
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
        self.spare.pop().map_or_else(|| Row::new(&self.mould, self.made), Ok)
    }

    fn drop(&mut self, row: Row) {
        row.row.remove();
        self.spare.push(row);
    }

    /// Gives what is pointed at its title: most are never read.
    pub fn explain(&mut self, target: &Element) -> Done {
        let Some(row) = self.rows.iter_mut().find(|row| row.row.contains(Some(target))) else {
            return Ok(());
        };
        if let Body::Run { link, name, .. } = &row.head.body
            && link.contains(Some(target))
        {
            link.set_title(name);
        }
        if let Some(cell) = row.cells.iter_mut().find(|cell| cell.cell.contains(Some(target)))
            && !cell.is_titled
        {
            cell.is_titled = true;
            cell.cell.set_title(&cell.says.title);
        }
        Ok(())
    }

    /// Something is being copied: gives each number that is written short its exact value.
    pub fn tell_exactly(&mut self) -> Done {
        for cell in self.rows.iter_mut().flat_map(|row| &mut row.cells) {
            if let Some(exact) = cell.says.exact.as_ref().filter(|_| !cell.is_exact) {
                cell.is_exact = true;
                cell.data.set_class_name("exact");
                cell.data.set_attribute("value", exact)?;
            }
        }
        Ok(())
    }

    /// Marks the cell that the keyboard is at.
    fn mark(&mut self, scene: &Scene<'_>) -> Done {
        let (line, column) = scene.at;
        let row = line.checked_sub(scene.window.start).and_then(|at| self.rows.get(at));
        let place = scene.columns.iter().position(|shown| shown.index == column + 1);
        let new: Option<Element> = row.zip(place).map(|(row, place)| match place {
            0 => row.head.cell.clone().into(),
            _ => row.cells[place - 1].cell.clone().into(),
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

// === impl Row ===

impl Row {
    fn new(mould: &Node, (columns, pinned): (usize, usize)) -> Done<Self> {
        let row: Element = mould.clone_node_with_deep(true)?.unchecked_into();
        let mut child = row.first_child();
        let mut next = || {
            let found = child.take();
            child = found.as_ref().and_then(Node::next_sibling);
            found.ok_or(JsValue::NULL)
        };
        let cell: HtmlElement = next()?.unchecked_into();
        let line = cell.first_element_child().ok_or(JsValue::NULL)?;
        let mut cells = Vec::with_capacity(columns);
        for at in 1..columns {
            if at == pinned {
                next()?;
            }
            cells.push(Cell::of(next()?)?);
        }
        Ok(Self {
            row,
            head: Head {
                cell,
                line,
                depth: 0,
                twist: None,
                body: Body::Nothing,
            },
            cells,
            says: None,
            index: usize::MAX,
            class: "",
            selected: None,
        })
    }

    /// As many cells as `columns` ask for, behind those that are pinned.
    fn fit(&mut self, columns: usize) -> Done {
        while self.cells.len() + 1 > columns.max(1) {
            if let Some(cell) = self.cells.pop() {
                cell.cell.remove();
            }
        }
        while self.cells.len() + 1 < columns {
            let cell = blank(false)?;
            self.row.insert_before(&cell, self.row.last_child().as_ref())?;
            self.cells.push(Cell::of(cell)?);
        }
        Ok(())
    }

    fn write(&mut self, index: usize, stamp: Stamp, scene: &Scene<'_>) -> Done {
        let line = &scene.lines.lines[index];
        if self.index != index {
            self.index = index;
            self.row.set_attribute("aria-rowindex", &(index + 2).to_string())?;
            self.row.set_attribute("data-line", &index.to_string())?;
        }
        let class = match line {
            Line::Group { .. } => "group",
            Line::Run { dimmed: true, .. } => "dimmed",
            Line::Run { row, .. } if Some(*row) == scene.look.baseline => "baseline",
            Line::Run { .. } => "",
        };
        if self.class != class {
            self.class = class;
            self.row.set_class_name(class);
        }
        let lines = if line.row().is_some() { 0 } else { stamp.lines };
        let now = (line.clone(), Stamp { lines, ..stamp });
        if self.says.as_ref() != Some(&now) {
            self.head.write(line, scene)?;
            for (shown, cell) in scene.columns[1..].iter().zip(&mut self.cells) {
                cell.place(shown)?;
                let says = match line {
                    Line::Run { row, .. } => self::cell(scene.store, *row, &shown.column, &scene.look),
                    Line::Group { at, .. } => of_group(scene.store, scene.lines.members(*at), &shown.column, scene.look.aggregate),
                };
                cell.write(says, shown.width)?;
            }
            self.says = Some(now);
        }
        let selected = line.row().map(|row| scene.selection.contains(scene.store, row));
        if self.selected != selected {
            self.selected = selected;
            match selected {
                Some(selected) => self.row.set_attribute("aria-selected", if selected { "true" } else { "false" })?,
                None => self.row.remove_attribute("aria-selected")?,
            }
        }
        // A click changes it before anybody here knows.
        if let Body::Run { choose, .. } = &self.head.body
            && choose.checked() != (selected == Some(true))
        {
            choose.set_checked(selected == Some(true));
        }
        Ok(())
    }
}

// === impl Head ===

impl Head {
    fn write(&mut self, line: &Line, scene: &Scene<'_>) -> Done {
        let (depth, twist) = match line {
            Line::Run { depth, children, open, .. } => (*depth, (*children > 0).then_some(*open)),
            Line::Group { at, open } => (scene.lines.groups.groups[*at].level as u32, Some(*open)),
        };
        if self.depth != depth {
            self.depth = depth;
            self.cell.style().set_property("--depth", &depth.to_string())?;
        }
        if self.twist != twist {
            if self.twist.is_some()
                && let Some(old) = self.line.first_element_child()
            {
                old.remove();
            }
            self.twist = twist;
            if let Some(open) = twist {
                let twist: Node = twister(open)?.into();
                self.line.insert_before(&twist, self.line.first_child().as_ref())?;
            }
        }
        match line {
            Line::Run { row, .. } => self.run(*row, scene),
            Line::Group { at, .. } => self.group(*at, scene),
        }
    }

    /// Takes what is behind the twist away.
    fn clear(&self) {
        let kept = u32::from(self.twist.is_some());
        while self.line.child_element_count() > kept
            && let Some(last) = self.line.last_element_child()
        {
            last.remove();
        }
    }

    fn run(&mut self, row: u32, scene: &Scene<'_>) -> Done {
        if !matches!(self.body, Body::Run { .. }) {
            self.clear();
            let choose: HtmlInputElement = element("input", "choose")?.unchecked_into();
            choose.set_type("checkbox");
            choose.set_tab_index(-1);
            let link = element("a", "name clip")?;
            link.set_tab_index(-1);
            link.set_dir("auto");
            self.line.append_child(&choose)?;
            self.line.append_child(&link)?;
            self.body = Body::Run {
                choose,
                link,
                name: String::new(),
                run: String::new(),
            };
        }
        let Body::Run { choose, link, name, run } = &mut self.body else {
            return Ok(());
        };
        let id = scene.store.run_id(row);
        let called = match scene.store.cell(row, &Attribute::Name.name()) {
            Value::Text(name) if !name.is_empty() => name,
            _ => id.get(..8).unwrap_or(id),
        };
        if name != called {
            called.clone_into(name);
            choose.set_attribute("aria-label", &format!("Select {called}"))?;
            link.set_text_content(Some(called));
            link.remove_attribute("title")?;
        }
        if run != id {
            id.clone_into(run);
            let experiment = match scene.store.cell(row, &Attribute::Experiment.name()) {
                Value::Text(id) => id.to_owned(),
                _ => String::new(),
            };
            let run = id.to_owned();
            link.set_attribute("href", &Route::Run { experiment, run }.href())?;
        }
        Ok(())
    }

    fn group(&mut self, at: usize, scene: &Scene<'_>) -> Done {
        if !matches!(self.body, Body::Group { .. }) {
            self.clear();
            let part = |tag: &str, class: &str| {
                let part = element(tag, class)?;
                self.line.append_child(&part)?;
                Ok::<Element, JsValue>(part.into())
            };
            self.body = Body::Group {
                key: part("span", "faint clip")?,
                value: part("bdi", "name clip")?,
                count: part("span", "count")?,
            };
        }
        let Body::Group { key, value, count: many } = &self.body else {
            return Ok(());
        };
        let by = &scene.lines.by[scene.lines.groups.groups[at].level];
        let rows = scene.lines.members(at);
        let label = super::column_of(by).map_or_else(|| by.key.clone(), |column| column.label().to_owned());
        key.set_text_content(Some(&label));
        value.set_text_content(Some(&common(rows[0], by, scene)));
        many.set_text_content(Some(&count(rows.len())));
        Ok(())
    }
}

/// What all runs of a group have in common, that of `row`, as a cell says it: an experiment or a run by its name, a dataset without its digest.
fn common(row: u32, by: &Name, scene: &Scene<'_>) -> String {
    match (scene.store.cell(row, by), super::column_of(by)) {
        (Value::Text(""), _) => "empty".into(),
        (Value::Missing, _) => "none".into(),
        (Value::Text(text), None) => text.to_owned(),
        (_, column) => column.map_or_else(String::new, |column| cell(scene.store, row, &column, &scene.look).text),
    }
}

// === impl Cell ===

impl Cell {
    fn of(cell: Node) -> Done<Self> {
        let cell: HtmlElement = cell.unchecked_into();
        let data = cell.first_element_child().ok_or(JsValue::NULL)?;
        let text = data.first_child().ok_or(JsValue::NULL)?;
        Ok(Self {
            cell,
            index: 0,
            pinned: None,
            data,
            text,
            icon: None,
            beside: None,
            says: Drawn::default(),
            is_titled: false,
            is_exact: false,
            is_long: false,
        })
    }

    /// Where it is among the columns.
    fn place(&mut self, shown: &Shown) -> Done {
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

    /// `width`: of its column.
    fn write(&mut self, new: Drawn, width: u32) -> Done {
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
        if self.is_titled && old.title != new.title {
            self.is_titled = false;
            self.cell.remove_attribute("title")?;
        }
        if self.is_exact && old.exact != new.exact {
            self.is_exact = false;
            self.data.remove_attribute("class")?;
        }
        if old.text != new.text {
            // Letters of scripts that run from right to left are none of these.
            if old.text.is_ascii() != new.text.is_ascii() {
                match new.text.is_ascii() {
                    true => self.data.remove_attribute("dir")?,
                    false => self.data.set_attribute("dir", "auto")?,
                }
            }
            self.text.set_node_value(Some(&new.text));
        }
        if old.icon.map(|icon| icon.data) != new.icon.map(|icon| icon.data) {
            if let Some(old) = self.icon.take() {
                old.remove();
            }
            if let Some(new) = new.icon {
                let icon = picture(new)?;
                self.cell.insert_before(&icon, Some(&self.data))?;
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

fn element(tag: &str, class: &str) -> Done<HtmlElement> {
    let element: HtmlElement = document().create_element(tag)?.unchecked_into();
    if !class.is_empty() {
        element.set_class_name(class);
    }
    Ok(element)
}

/// A row with so many columns, and of them pinned ones; the first is the name.
fn mould((columns, pinned): (usize, usize)) -> Done<Node> {
    let row = element("tr", "")?;
    // A browser sees no table where rows are laid out as grids.
    row.set_attribute("role", "row")?;
    let name = element("th", "pinned")?;
    name.set_attribute("scope", "row")?;
    name.set_attribute("role", "rowheader")?;
    name.set_attribute("aria-colindex", "1")?;
    name.append_child(&*element("div", "line")?)?;
    row.append_child(&name)?;
    let gap = || {
        let gap = element("td", "gap")?;
        gap.set_attribute("aria-hidden", "true")?;
        row.append_child(&gap)
    };
    for at in 1..columns {
        if at == pinned {
            gap()?;
        }
        let cell = blank(at < pinned)?;
        row.append_child(&cell)?;
    }
    if pinned >= columns {
        gap()?;
    }
    gap()?;
    Ok(row.into())
}

/// A cell without anything in it.
fn blank(pinned: bool) -> Done<Node> {
    let cell = element("td", if pinned { "pinned" } else { "" })?;
    cell.set_attribute("role", "gridcell")?;
    let data = document().create_element("data")?;
    data.append_child(&document().create_text_node(""))?;
    cell.append_child(&data)?;
    Ok(cell.into())
}

fn twister(open: bool) -> Done<Element> {
    let twist = element("button", "twist")?;
    let (icon, says) = if open {
        (icon::ChevronDown, "Close")
    } else {
        (icon::ChevronRight, "Open")
    };
    twist.set_attribute("type", "button")?;
    twist.set_tab_index(-1);
    twist.set_attribute("aria-label", says)?;
    twist.set_attribute("aria-expanded", if open { "true" } else { "false" })?;
    twist.append_child(&*picture(icon)?)?;
    Ok(twist.into())
}

fn picture(icon: &IconData) -> Done<Element> {
    let picture = document().create_element_ns(Some("http://www.w3.org/2000/svg"), "svg")?;
    picture.set_attribute("class", "icon")?;
    picture.set_attribute("viewBox", "0 0 24 24")?;
    picture.set_attribute("aria-hidden", "true")?;
    picture.set_inner_html(icon.data);
    Ok(picture)
}
