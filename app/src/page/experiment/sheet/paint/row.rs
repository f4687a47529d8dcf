//! A row of the table's body, and the line that it stands for.

use std::sync::Arc;

use leptos::{
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{HtmlElement, Node},
};

use super::{
    Done, Scene, Stamp,
    cell::Cell,
    head::{Body, Head},
    make::blank,
};
use crate::page::experiment::sheet::{
    cell::{cell, of_group},
    draw::Shown,
    lines::Line,
};

pub struct Row {
    pub row: HtmlElement,
    pub head: Head,
    /// In the order of the columns.
    pub cells: Vec<Cell>,
    /// The line that it stands for; `None`: it is new.
    says: Option<(Line, Stamp)>,
    /// Those of its cells.
    pub columns: Arc<Vec<Shown>>,
    /// Others are to be seen by now.
    pub is_late: bool,
    /// Some of its cells have to be written anew.
    is_stale: bool,
    index: usize,
    class: &'static str,
    selected: Option<bool>,
}

/// What of other columns is written before the browser draws.
pub struct AtOnce<'a> {
    /// So many columns stay where they are, the name among them.
    pub pinned: usize,
    /// So many cells may still be written.
    pub room: usize,
    /// How wide the columns were that are late.
    pub before: &'a str,
    /// Nothing is late.
    pub is_all: bool,
}

const TEMPLATE: &str = "grid-template-columns";

/// What becomes of the cells of a row with other columns.
pub struct Turn {
    /// So many columns after the name are pinned.
    pub pinned: usize,
    /// So many cells behind those go from their begin to their end, or the other way round.
    pub by: isize,
    /// Whether a cell stands for what it stood for before, then.
    pub stays: Vec<bool>,
}

/// Cells are moved to the side by a part of a row at most: one of so many.
const MOST_TURNED: usize = 2;

// === impl Turn ===

impl Turn {
    /// From `old` columns to `new` ones, of which as many are pinned, the name among them.
    pub fn new(old: &[Shown], new: &[Shown], pinned: usize) -> Self {
        let kept = pinned.saturating_sub(1);
        let begin = |shown: &[Shown]| shown.get(pinned).map(|shown| shown.index as isize);
        let by = begin(new).zip(begin(old)).map_or(0, |(new, old)| new - old);
        // Cells that stand somewhere else cost the browser more than those that say something else.
        let by = if by.unsigned_abs() * MOST_TURNED > old.len() { 0 } else { by };
        let stays = |at: usize| {
            let before = match at < kept {
                true => Some(at),
                false => at.checked_add_signed(by).filter(|before| *before >= kept),
            };
            before.and_then(|before| old.get(before + 1)) == new.get(at + 1)
        };
        Self {
            pinned: kept,
            by,
            stays: (0..new.len().saturating_sub(1)).map(stays).collect(),
        }
    }

    /// What columns have in `row` stays with them as long as they are in sight; as many as there are columns now.
    pub fn apply<T>(&self, row: &Node, all: &mut Vec<T>, node: fn(&T) -> &Node, make: fn() -> Done<T>) -> Done {
        let free = &mut all[self.pinned..];
        let by = self.by.unsigned_abs().min(free.len());
        let end = row.last_child();
        if self.by > 0 {
            for cell in &free[..by] {
                row.insert_before(node(cell), end.as_ref())?;
            }
            free.rotate_left(by);
        } else if by > 0 {
            let first = free.first().map(|cell| node(cell).clone());
            free.rotate_right(by);
            for cell in &free[..by] {
                row.insert_before(node(cell), first.as_ref())?;
            }
        }
        while all.len() > self.stays.len() {
            if let Some(gone) = all.pop() {
                row.remove_child(node(&gone))?;
            }
        }
        while all.len() < self.stays.len() {
            let cell = make()?;
            row.insert_before(node(&cell), end.as_ref())?;
            all.push(cell);
        }
        Ok(())
    }
}

// === impl Row ===

impl Row {
    /// `mould`: with cells for these columns.
    pub fn new(mould: &Node, columns: &Arc<Vec<Shown>>, pinned: usize) -> Done<Self> {
        let row: HtmlElement = mould.clone_node_with_deep(true)?.unchecked_into();
        let mut child = row.first_child();
        let mut next = || {
            let found = child.take();
            child = found.as_ref().and_then(Node::next_sibling);
            found.ok_or(JsValue::NULL)
        };
        let head = Head::of(next()?)?;
        let mut cells = Vec::with_capacity(columns.len());
        for at in 1..columns.len() {
            if at == pinned {
                next()?;
            }
            cells.push(Cell::of(next()?)?);
        }
        Ok(Self {
            row,
            head,
            cells,
            says: None,
            columns: Arc::clone(columns),
            is_late: false,
            is_stale: false,
            index: usize::MAX,
            class: "",
            selected: None,
        })
    }

    /// Other columns than its own, where that is not too much for now.
    fn turn(&mut self, must: bool, scene: &Scene<'_>, at_once: &mut AtOnce<'_>) -> Done {
        if Arc::ptr_eq(&self.columns, scene.columns) {
            return Ok(());
        }
        let turn = Turn::new(&self.columns, scene.columns, at_once.pinned);
        let cells = turn.stays.iter().filter(|stays| !**stays).count();
        if !must && cells > at_once.room {
            at_once.is_all = false;
            if !self.is_late {
                self.is_late = true;
                // It stands where its columns are.
                self.row.style().set_property(TEMPLATE, at_once.before)?;
            }
            return Ok(());
        }
        at_once.room = at_once.room.saturating_sub(cells);
        if self.is_late {
            self.is_late = false;
            self.row.style().remove_property(TEMPLATE)?;
        }
        turn.apply(&self.row, &mut self.cells, |cell| &cell.cell, || Cell::of(blank(false)?))?;
        for (cell, stays) in self.cells.iter_mut().zip(&turn.stays) {
            cell.is_stale |= !stays;
        }
        self.columns = Arc::clone(scene.columns);
        self.is_stale = true;
        Ok(())
    }

    pub fn write(&mut self, index: usize, stamp: Stamp, scene: &Scene<'_>, at_once: &mut AtOnce<'_>) -> Done {
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
        let is_other = self.says.as_ref() != Some(&now);
        if is_other {
            self.head.write(line, scene)?;
            self.says = Some(now);
        }
        self.turn(is_other || index == scene.at.0, scene, at_once)?;
        if is_other || self.is_stale {
            self.is_stale = false;
            for ((shown, data), cell) in scene.columns[1..].iter().zip(scene.data).zip(&mut self.cells) {
                if !is_other && !cell.is_stale {
                    continue;
                }
                cell.is_stale = false;
                cell.place(shown)?;
                let says = match line {
                    Line::Run { row, .. } => self::cell(scene.store, *row, &shown.column, *data, &scene.look),
                    Line::Group { at, .. } => of_group(*data, scene.lines.members(*at), &shown.column, scene.look.aggregate),
                };
                cell.write(says, shown.width)?;
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::experiment::column::Column;

    /// The name, a pinned column, and those from `first` on.
    fn shown(first: usize, count: usize) -> Vec<Shown> {
        let shown = |index: usize, pinned| Shown {
            index,
            column: Column::Metric(index.to_string()),
            width: 120,
            pinned,
        };
        [shown(1, Some(0)), shown(2, Some(120))]
            .into_iter()
            .chain((first..first + count).map(|at| shown(at, None)))
            .collect()
    }

    fn turned(from: (usize, usize), to: (usize, usize)) -> (isize, String) {
        let turn = Turn::new(&shown(from.0, from.1), &shown(to.0, to.1), 2);
        (turn.by, turn.stays.iter().map(|stays| if *stays { '=' } else { '.' }).collect())
    }

    #[test]
    fn cells_stay_with_their_columns() {
        assert_eq!(turned((3, 6), (3, 6)), (0, "=======".into()));
        assert_eq!(turned((3, 6), (5, 6)), (2, "=====..".into()));
        assert_eq!(turned((5, 6), (3, 6)), (-2, "=..====".into()));
        assert_eq!(turned((5, 6), (3, 8)), (-2, "=..======".into()));
        assert_eq!(turned((3, 6), (5, 4)), (2, "=====".into()));
    }

    #[test]
    fn far_away_all_is_written_anew_where_it_stands() {
        assert_eq!(turned((3, 6), (90, 6)), (0, "=......".into()));
        assert_eq!(turned((90, 4), (3, 6)), (0, "=......".into()));
    }
}
