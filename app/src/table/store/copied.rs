//! What of a store goes into a copy, and comes out of one.

use super::{NO_ROW, Store, is_derived};
use crate::table::{
    bits::Bits,
    column::{Attribute, Cell, Column},
    copy::{Reader, Writer},
};

/// A copy may have so many rows for each run.
const SPREAD: usize = 16;

// === impl Store ===

impl Store {
    /// Texts that no run has any more stay here: whoever took a tag away does not want it to be told.
    pub fn write(&self, out: &mut Writer) {
        let begin = Self::default().columns.len();
        let told = |(at, column): &(usize, &Column)| *at < begin || column.filled() > 0 && !is_derived(column.name.family);
        let columns: Vec<&Column> = self.columns.iter().enumerate().filter(told).map(|(_, column)| column).collect();
        out.u32(columns.len() as u32);
        for column in columns {
            let other = match column.name {
                // Their codes are the numbers of runs.
                ref name if *name == Attribute::RunId.name() => None,
                ref name if *name == Attribute::Artifacts.name() => Some(self.without_ids(column)),
                _ => self.with_new_codes(column),
            };
            other.as_ref().unwrap_or(column).write(out);
        }
    }

    pub fn read(from: &mut Reader<'_>) -> Option<Self> {
        let mut store = Self::bare();
        for _ in 0..from.u32()? {
            let column = Column::read(from)?;
            let keys = &mut store.keys[column.name.family.index()];
            if is_derived(column.name.family) || keys.dict.code(&column.name.key) as usize != keys.columns.len() {
                return None;
            }
            keys.columns.push(store.columns.len() as u32);
            store.columns.push(column);
        }
        let begin = Self::default().columns;
        let begins = |(column, other): (&Column, &Column)| column.name == other.name;
        if store.columns.len() < begin.len() || !store.columns.iter().zip(&begin).all(begins) {
            return None;
        }
        store.settle()
    }

    /// Finds out by the columns where runs are. `None` where one is in two rows, a row has something and no run, or few rows have any.
    fn settle(mut self) -> Option<Self> {
        let ids = self.run_ids()?;
        let mut row_of = vec![NO_ROW; ids.dict.len() as usize];
        let (mut end, mut once) = (0, true);
        ids.codes.for_each(&mut |row, code| {
            let is_free = std::mem::replace(&mut row_of[code as usize], row) == NO_ROW;
            once &= is_free && ids.dict.find(ids.dict.text(code)) == Some(code);
            end = row + 1;
        });
        if !once || end as usize > SPREAD * (ids.codes.filled() + 64) {
            return None;
        }
        let mut rows = Bits::default();
        ids.codes.for_each(&mut |row, _| rows.insert(row));
        let (mut filled, mut stray) = (vec![0; end as usize], false);
        for column in &self.columns {
            column.for_each(&mut |row| match filled.get_mut(row as usize) {
                Some(filled) if rows.contains(row) => *filled += 1,
                _ => stray = true,
            });
        }
        self.end = end;
        self.free = (0..end).rev().filter(|row| !rows.contains(*row)).collect();
        self.changed = vec![0; row_of.len()];
        (self.rows, self.row_of, self.filled) = (rows, row_of, filled);
        if stray {
            return None;
        }
        let artifacts = self.with_ids(self.attribute(Attribute::Artifacts))?;
        self.columns[Attribute::Artifacts as usize] = artifacts;
        Some(self)
    }

    /// The same with codes for the texts that are there, where it has others.
    fn with_new_codes(&self, column: &Column) -> Option<Column> {
        let text = column.text()?;
        if text.used().count() == text.dict.len() as usize {
            return None;
        }
        let mut new = Column::new(column.name.clone());
        for row in self.rows.iter() {
            new.set(row, column.cell(row));
        }
        Some(new)
    }

    /// Each text without the id of its run, and where it was: mostly they have nothing else of their own.
    fn without_ids(&self, column: &Column) -> Column {
        let mut cut = Column::new(column.name.clone());
        for row in self.rows.iter() {
            if let Cell::Text(text) = column.cell(row) {
                let (before, after) = text.split_once(self.run_id(row)).unwrap_or((text, ""));
                let at = if before.len() == text.len() {
                    String::new()
                } else {
                    before.len().to_string()
                };
                cut.set(row, Cell::Text(&format!("{at}:{before}{after}")));
            }
        }
        cut
    }

    /// The opposite.
    fn with_ids(&self, column: &Column) -> Option<Column> {
        let mut whole = Column::new(column.name.clone());
        for row in self.rows.iter() {
            if let Cell::Text(text) = column.cell(row) {
                let (at, rest) = text.split_once(':')?;
                let mut text = rest.to_owned();
                if !at.is_empty() {
                    let (before, after) = rest.split_at_checked(at.parse().ok()?)?;
                    text = format!("{before}{}{after}", self.run_id(row));
                }
                whole.set(row, Cell::Text(&text));
            }
        }
        Some(whole)
    }
}
