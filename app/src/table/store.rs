//! Runs by columns. A run keeps its row as long as it is here.

mod copied;

use super::{
    bits::Bits,
    cells::Value as _,
    column::{Attribute, Cell, Column, Family, Name, Stat, Text},
    dict::Dict,
};

#[derive(Debug)]
pub struct Store {
    columns: Vec<Column>,
    /// The keys of each family, and their columns.
    keys: [Keys; Family::COUNT],
    rows: Bits,
    /// Rows of runs that were removed.
    free: Vec<u32>,
    end: u32,
    /// By code of the run id.
    row_of: Vec<u32>,
    /// How many columns have a value in a row, without derived ones.
    filled: Vec<u32>,
    /// By code of the run id: the generation when what MLflow says of the run changed last, or the run was removed.
    changed: Vec<u64>,
    generation: u64,
    /// The generation that was read from a copy.
    copied: u64,
}

#[derive(Debug, Default)]
struct Keys {
    dict: Dict,
    /// By code of the key.
    columns: Vec<u32>,
}

/// What replaces the cells of one run. Texts lie one after another, so that nothing is allocated for a run.
#[derive(Debug, Default)]
pub(super) struct Staged {
    cells: Vec<(u32, StagedCell)>,
    text: String,
}

#[derive(Clone, Copy, Debug)]
enum StagedCell {
    Number(f64),
    Text { begin: usize, end: usize },
}

/// Whether a run was here before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Added,
    Changed,
    Same,
}

const NO_ROW: u32 = u32::MAX;

/// What is calculated, and not in a run that MLflow answers.
fn is_derived(family: Family) -> bool {
    matches!(family, Family::Metric(Stat::First | Stat::Min | Stat::Max) | Family::Folder)
}

// === impl Store ===

impl Default for Store {
    fn default() -> Self {
        let mut store = Self::bare();
        for attribute in Attribute::ALL {
            store.column_for(Family::Attribute, attribute.key());
        }
        store.column_for(Family::Dataset, "");
        store
    }
}

impl Store {
    /// Without any column.
    fn bare() -> Self {
        Self {
            columns: Vec::new(),
            keys: Default::default(),
            rows: Bits::default(),
            free: Vec::new(),
            end: 0,
            row_of: Vec::new(),
            filled: Vec::new(),
            changed: Vec::new(),
            generation: 0,
            copied: 0,
        }
    }

    /// Another number after each change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Forgets all runs and columns.
    pub fn clear(&mut self) {
        let generation = self.generation + 1;
        *self = Self {
            generation,
            ..Self::default()
        };
    }

    /// Begins anew with all that `copy` has.
    pub fn begin_with(&mut self, copy: Self) {
        let generation = self.generation + 1;
        *self = copy;
        self.columns.iter_mut().for_each(|column| column.changed = generation);
        (self.generation, self.copied) = (generation, generation);
    }

    /// The number of the run in this row: it keeps it for good, and has it in copies too.
    pub fn number(&self, row: u32) -> Option<u32> {
        self.run_ids().map(|ids| ids.codes.get(row)).filter(|code| !code.is_none())
    }

    /// The number of a run that is or was here.
    pub(super) fn number_of(&self, run_id: &str) -> Option<u32> {
        self.run_ids()?.dict.find(run_id)
    }

    /// The id of the run that has or had this number.
    pub(super) fn numbered(&self, number: u32) -> Option<&str> {
        let ids = self.run_ids()?;
        (number < ids.dict.len()).then(|| ids.dict.text(number))
    }

    /// Whether what MLflow says of a run is not what it was at that generation, or the run was removed since.
    pub fn changed_since(&self, run_id: &str, generation: u64) -> bool {
        let code = self.number_of(run_id);
        code.is_some_and(|code| self.changed.get(code as usize).is_some_and(|changed| *changed > generation))
    }

    /// The same, since the store began with a copy.
    pub(super) fn changed_since_copied(&self, run_id: &str) -> bool {
        self.changed_since(run_id, self.copied)
    }

    /// The run in this row is another one now.
    fn mark_changed(&mut self, row: u32) {
        let place = self.number(row).and_then(|number| self.changed.get_mut(number as usize));
        if let Some(changed) = place {
            *changed = self.generation;
        }
    }

    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.end as usize - self.free.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows that hold runs.
    pub fn rows(&self) -> &Bits {
        &self.rows
    }

    /// All columns, those of attributes first. New ones come at the end.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn column(&self, name: &Name) -> Option<&Column> {
        self.find(name.family, &name.key)
    }

    pub fn find(&self, family: Family, key: &str) -> Option<&Column> {
        self.index(family, key).map(|index| &self.columns[index])
    }

    /// Its place in [`Store::columns`].
    pub fn index(&self, family: Family, key: &str) -> Option<usize> {
        let keys = &self.keys[family.index()];
        keys.dict.find(key).map(|code| keys.columns[code as usize] as usize)
    }

    pub fn attribute(&self, attribute: Attribute) -> &Column {
        &self.columns[attribute as usize]
    }

    pub fn cell(&self, row: u32, name: &Name) -> Cell<'_> {
        self.column(name).map_or(Cell::Missing, |column| column.cell(row))
    }

    pub fn run_id(&self, row: u32) -> &str {
        self.run_ids().and_then(|ids| ids.get(row)).unwrap_or_default()
    }

    pub fn row(&self, run_id: &str) -> Option<u32> {
        self.row_of_code(self.number_of(run_id)?)
    }

    /// The ids of runs. An id keeps its code for good, also while its run is removed.
    pub(super) fn run_ids(&self) -> Option<&Text> {
        self.attribute(Attribute::RunId).text()
    }

    pub(super) fn row_of_code(&self, code: u32) -> Option<u32> {
        self.row_of.get(code as usize).copied().filter(|row| *row != NO_ROW)
    }

    /// Changes one cell of a run; a column that is not there yet is made. Whether anything changed.
    pub fn set(&mut self, row: u32, name: &Name, cell: Cell<'_>) -> bool {
        if !self.rows.contains(row) || *name == Attribute::RunId.name() {
            return false;
        }
        let column = self.column_for(name.family, &name.key) as usize;
        let changed = self.put_cell(column, row, cell, self.generation + 1);
        self.generation += u64::from(changed);
        if changed && !is_derived(name.family) {
            self.mark_changed(row);
        }
        changed
    }

    /// Takes a run away. Whether it was here.
    pub fn remove(&mut self, run_id: &str) -> bool {
        let Some(row) = self.row(run_id) else { return false };
        let code = self.number_of(run_id);
        self.generation += 1;
        self.mark_changed(row);
        for column in &mut self.columns {
            if column.set(row, Cell::Missing) {
                column.changed = self.generation;
            }
        }
        self.filled[row as usize] = 0;
        self.rows.remove(row);
        self.free.push(row);
        if let Some(place) = code.and_then(|code| self.row_of.get_mut(code as usize)) {
            *place = NO_ROW;
        }
        true
    }

    /// In bytes, about.
    pub fn memory(&self) -> usize {
        let keys: usize = self.keys.iter().map(|keys| keys.dict.memory() + keys.columns.capacity() * 4).sum();
        let columns: usize = self.columns.iter().map(Column::memory).sum();
        keys + columns
            + self.rows.memory()
            + (self.free.capacity() + self.row_of.capacity() + self.filled.capacity()) * 4
            + self.changed.capacity() * 8
    }

    /// The place of a column, which is made where it is not there yet.
    pub(super) fn column_for(&mut self, family: Family, key: &str) -> u32 {
        let keys = &mut self.keys[family.index()];
        let code = keys.dict.code(key) as usize;
        if code == keys.columns.len() {
            keys.columns.push(self.columns.len() as u32);
            self.columns.push(Column::new(Name::new(family, key)));
        }
        keys.columns[code]
    }

    /// Adds a run, or replaces all that MLflow says of it. What was calculated from histories stays.
    pub(super) fn put(&mut self, run_id: &str, staged: &Staged) -> (u32, Put) {
        let (row, added) = match self.row(run_id) {
            Some(row) => (row, false),
            None => (self.add(run_id), true),
        };
        let generation = self.generation + 1;
        let mut changed = added;
        let mut named = Bits::default();
        named.insert(Attribute::RunId as u32);
        for (column, cell) in &staged.cells {
            named.insert(*column);
            changed |= self.put_cell(*column as usize, row, staged.cell(*cell), generation);
        }
        // Mostly nothing has been taken away, and then not every column has to be looked at.
        if self.filled[row as usize] as usize > named.count() {
            for column in 0..self.columns.len() {
                if !named.contains(column as u32) && !is_derived(self.columns[column].name.family) {
                    changed |= self.put_cell(column, row, Cell::Missing, generation);
                }
            }
        }
        if changed {
            self.generation = generation;
            self.mark_changed(row);
        }
        let put = match (added, changed) {
            (true, _) => Put::Added,
            (false, true) => Put::Changed,
            (false, false) => Put::Same,
        };
        (row, put)
    }

    fn put_cell(&mut self, column: usize, row: u32, cell: Cell<'_>, generation: u64) -> bool {
        let column = &mut self.columns[column];
        let before = column.filled();
        let changed = column.set(row, cell);
        if changed {
            column.changed = generation;
            if !is_derived(column.name.family) {
                let filled = &mut self.filled[row as usize];
                *filled = *filled + u32::from(column.filled() > before) - u32::from(column.filled() < before);
            }
        }
        changed
    }

    fn add(&mut self, run_id: &str) -> u32 {
        let row = self.free.pop().unwrap_or_else(|| {
            self.end += 1;
            self.end - 1
        });
        self.rows.insert(row);
        self.filled.resize(self.end as usize, 0);
        self.put_cell(Attribute::RunId as usize, row, Cell::Text(run_id), self.generation + 1);
        if let Some(code) = self.run_ids().map(|ids| ids.codes.get(row) as usize) {
            if code >= self.row_of.len() {
                self.row_of.resize(code + 1, NO_ROW);
                self.changed.resize(code + 1, 0);
            }
            self.row_of[code] = row;
        }
        row
    }
}

// === impl Staged ===

impl Staged {
    pub fn clear(&mut self) {
        self.cells.clear();
        self.text.clear();
    }

    pub fn number(&mut self, column: u32, value: f64) {
        self.cells.push((column, StagedCell::Number(value)));
    }

    pub fn text(&mut self, column: u32, text: &str) {
        let begin = self.text.len();
        self.text.push_str(text);
        let end = self.text.len();
        self.cells.push((column, StagedCell::Text { begin, end }));
    }

    fn cell(&self, cell: StagedCell) -> Cell<'_> {
        match cell {
            StagedCell::Number(value) => Cell::Number(value),
            StagedCell::Text { begin, end } => Cell::Text(&self.text[begin..end]),
        }
    }
}
