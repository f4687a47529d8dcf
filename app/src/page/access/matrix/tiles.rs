//! The matrix as far as it was fetched: in square parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::api::flowdeck::{
    access::{Matrix, MatrixColumn, MatrixRow, level},
    grant::{Level, Subject},
};

/// Rows and columns of a part.
pub const SIDE: usize = 64;

/// So many are kept.
const MOST: usize = 48;

/// Which part: counted downwards, and to the right.
pub type Key = (usize, usize);

#[derive(Default)]
pub struct Tiles {
    /// Rows and columns that there are.
    pub size: (usize, usize),
    parts: BTreeMap<Key, Matrix>,
    /// Fetched before the last change: shown until newer ones are here.
    old: BTreeSet<Key>,
    /// Asked for.
    pending: BTreeSet<Key>,
    /// Counts changes: an answer from before one is not kept.
    pub age: u32,
    news: News,
}

/// What is known otherwise than it was.
#[derive(Debug, Default)]
pub struct News {
    pub rows: Vec<Range<usize>>,
    /// The names of columns.
    pub heads: bool,
}

/// One row and column.
pub type At = (usize, usize);

// === impl Tiles ===

impl Tiles {
    pub fn new(first: Matrix) -> Self {
        let mut tiles = Self::default();
        tiles.put((0, 0), first);
        tiles.news();
        tiles
    }

    pub fn put(&mut self, key: Key, part: Matrix) {
        self.size = (part.rows_total, part.columns_total);
        self.pending.remove(&key);
        self.old.remove(&key);
        let known = self.parts.iter().find(|(other, _)| other.1 == key.1);
        self.news.heads |= known.is_none_or(|(_, known)| known.columns != part.columns);
        self.news.rows.push(key.0 * SIDE..(key.0 + 1) * SIDE);
        self.parts.insert(key, part);
    }

    /// What has come since this was asked last.
    pub fn news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// All of it may be different now.
    pub fn age(&mut self) {
        self.age += 1;
        self.old = self.parts.keys().copied().collect();
        self.pending.clear();
    }

    pub fn failed(&mut self, key: Key) {
        self.pending.remove(&key);
    }

    /// The next part to ask for, to show `rows` and `columns`; it counts as asked for. A few at a time.
    pub fn next(&mut self, rows: &Range<usize>, columns: &Range<usize>) -> Option<Key> {
        if self.pending.len() >= 3 {
            return None;
        }
        let seen = keys(rows, columns);
        let missing = |key: &Key| !self.pending.contains(key) && (!self.parts.contains_key(key) || self.old.contains(key));
        let key = seen.iter().copied().find(missing)?;
        if self.parts.len() >= MOST {
            self.parts.retain(|key, _| seen.contains(key));
        }
        self.pending.insert(key);
        Some(key)
    }

    /// A part that is not here, or is old, among those of some cells.
    pub fn missing<'a>(&self, cells: impl Iterator<Item = &'a At>) -> Option<Key> {
        let mut keys = cells.map(|at| (at.0 / SIDE, at.1 / SIDE));
        keys.find(|key| !self.parts.contains_key(key) || self.old.contains(key))
    }

    pub fn row(&self, row: usize) -> Option<&MatrixRow> {
        let side = row / SIDE;
        let part = self.parts.range((side, 0)..(side + 1, 0)).next()?.1;
        part.rows.get(row % SIDE)
    }

    pub fn column(&self, column: usize) -> Option<&MatrixColumn> {
        let side = column / SIDE;
        let part = self.parts.iter().find(|(key, _)| key.1 == side)?.1;
        part.columns.get(column % SIDE)
    }

    /// The letters of a row in the columns of one part.
    pub fn letters(&self, row: usize, side: usize) -> Option<(&[u8], &[u8])> {
        let row = self.parts.get(&(row / SIDE, side))?.rows.get(row % SIDE)?;
        Some((row.levels.as_bytes(), row.grants.as_bytes()))
    }

    /// What a cell says: what they have, and what of it is granted on this very thing.
    pub fn cell(&self, at: At) -> Option<(Option<Level>, Option<Level>)> {
        let (levels, grants) = self.letters(at.0, at.1 / SIDE)?;
        let read = |letters: &[u8]| letters.get(at.1 % SIDE).map(|letter| level(char::from(*letter)));
        Some((read(levels)?, read(grants)?))
    }

    pub fn subject(&self, row: usize) -> Option<&Subject> {
        self.row(row).map(|row| &row.subject)
    }
}

/// The parts that some rows and columns lie in.
fn keys(rows: &Range<usize>, columns: &Range<usize>) -> Vec<Key> {
    let sides = |range: &Range<usize>| range.start / SIDE..range.end.div_ceil(SIDE);
    let (down, across) = (sides(rows), sides(columns));
    down.flat_map(|down| across.clone().map(move |across| (down, across))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::flowdeck::grant::{Kind, Target};

    fn part(first: At, rows: usize, columns: usize) -> Matrix {
        let row = |row: usize| MatrixRow {
            subject: Subject::User(format!("user-{}", first.0 + row)),
            levels: "E".repeat(columns),
            grants: "-".repeat(columns),
            admin: false,
            active: true,
        };
        let column = |column: usize| MatrixColumn {
            on: Target::new(Kind::Experiment, (first.1 + column).to_string()),
            name: String::new(),
        };
        Matrix {
            rows: (0..rows).map(row).collect(),
            rows_total: 200,
            columns: (0..columns).map(column).collect(),
            columns_total: 100,
            default: None,
            default_known: true,
            read_at: 0,
        }
    }

    #[test]
    fn parts_are_asked_for_once_and_found_by_row_and_column() {
        let mut tiles = Tiles::new(part((0, 0), SIDE, SIDE));
        assert_eq!(tiles.next(&(0..30), &(0..40)), None);
        assert_eq!(tiles.next(&(60..80), &(60..90)), Some((0, 1)));
        assert_eq!(tiles.next(&(60..80), &(60..90)), Some((1, 0)));
        tiles.put((1, 0), part((SIDE, 0), SIDE, SIDE));
        assert_eq!(tiles.next(&(60..80), &(60..90)), Some((1, 1)));
        assert_eq!(tiles.next(&(60..80), &(60..90)), None);
        assert_eq!(tiles.subject(70), Some(&Subject::User("user-70".into())));
        assert_eq!(tiles.cell((70, 3)), Some((Some(Level::Edit), None)));
        assert_eq!(tiles.cell((70, 99)), None);
        assert_eq!(tiles.missing([(1, 1), (70, 70)].iter()), Some((1, 1)));
    }

    #[test]
    fn after_a_change_all_is_asked_for_anew_and_shown_meanwhile() {
        let mut tiles = Tiles::new(part((0, 0), SIDE, SIDE));
        tiles.age();
        assert!(tiles.cell((0, 0)).is_some());
        assert_eq!(tiles.next(&(0..30), &(0..40)), Some((0, 0)));
        tiles.failed((0, 0));
        assert_eq!(tiles.next(&(0..30), &(0..40)), Some((0, 0)));
    }
}
