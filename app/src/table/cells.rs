//! The values of a column by row: side by side where most rows have one, in pairs with their row where few do.

use super::{
    bits::Bits,
    copy::{Reader, Writer},
};

/// What a cell may hold; one value means that there is none.
pub trait Value: Copy {
    const NONE: Self;
    fn is_none(self) -> bool;
    fn same(self, other: Self) -> bool;
    fn write(values: &[Self], out: &mut Writer);
    fn read(from: &mut Reader<'_>) -> Option<Vec<Self>>;
}

/// A code of a dictionary.
impl Value for u32 {
    const NONE: Self = Self::MAX;
    fn is_none(self) -> bool {
        self == Self::NONE
    }
    fn same(self, other: Self) -> bool {
        self == other
    }
    fn write(values: &[Self], out: &mut Writer) {
        out.u32s(values);
    }
    fn read(from: &mut Reader<'_>) -> Option<Vec<Self>> {
        from.u32s()
    }
}

/// A number. NaN is one; the NaN that stands for none has bits of its own.
impl Value for f64 {
    const NONE: Self = Self::from_bits(0x7FF8_0000_0000_0A0E);
    fn is_none(self) -> bool {
        self.to_bits() == Self::NONE.to_bits()
    }
    fn same(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }
    fn write(values: &[Self], out: &mut Writer) {
        out.f64s(values);
    }
    fn read(from: &mut Reader<'_>) -> Option<Vec<Self>> {
        from.f64s()
    }
}

#[derive(Debug)]
pub struct Cells<T> {
    layout: Layout<T>,
    /// Rows that have a value.
    filled: u32,
}

#[derive(Debug)]
enum Layout<T> {
    /// As long as the last row with a value asks for.
    Dense(Vec<T>),
    /// Rows ascend.
    Sparse { rows: Vec<u32>, values: Vec<T> },
}

// === impl Cells ===

impl<T: Value> Default for Cells<T> {
    fn default() -> Self {
        Self {
            layout: Layout::Dense(Vec::new()),
            filled: 0,
        }
    }
}

impl<T: Value> Cells<T> {
    pub fn get(&self, row: u32) -> T {
        match &self.layout {
            Layout::Dense(values) => values.get(row as usize).copied().unwrap_or(T::NONE),
            Layout::Sparse { rows, values } => rows.binary_search(&row).map_or(T::NONE, |at| values[at]),
        }
    }

    /// How many rows have a value.
    pub fn filled(&self) -> usize {
        self.filled as usize
    }

    /// Whether that changed anything. [`Value::NONE`] takes the value away.
    pub fn set(&mut self, row: u32, value: T) -> bool {
        let old = self.get(row);
        if old.same(value) {
            return false;
        }
        self.filled = self.filled + u32::from(old.is_none()) - u32::from(value.is_none());
        self.settle(row);
        match &mut self.layout {
            Layout::Dense(values) => {
                if row as usize >= values.len() {
                    values.resize(row as usize + 1, T::NONE);
                }
                values[row as usize] = value;
            }
            Layout::Sparse { rows, values } => match rows.binary_search(&row) {
                Ok(at) if value.is_none() => {
                    rows.remove(at);
                    values.remove(at);
                }
                Ok(at) => values[at] = value,
                Err(at) => {
                    rows.insert(at, row);
                    values.insert(at, value);
                }
            },
        }
        true
    }

    /// Chooses the layout before `row` is written. The bounds are apart, so that it does not change to and fro.
    fn settle(&mut self, row: u32) {
        let filled = self.filled as usize;
        match &self.layout {
            Layout::Dense(values) if row as usize >= values.len() && row as usize > 64 + filled * 4 => {
                let mut sparse = (Vec::new(), Vec::new());
                self.for_each(&mut |row, value| {
                    sparse.0.push(row);
                    sparse.1.push(value);
                });
                self.layout = Layout::Sparse {
                    rows: sparse.0,
                    values: sparse.1,
                };
            }
            Layout::Sparse { rows, .. } if rows.last().map_or(row, |last| row.max(*last)) as usize + 1 < filled * 2 => {
                let mut dense = vec![T::NONE; rows.last().map_or(0, |last| *last as usize + 1)];
                self.for_each(&mut |row, value| dense[row as usize] = value);
                self.layout = Layout::Dense(dense);
            }
            _ => {}
        }
    }

    /// Calls `see` for each row that has a value, in ascending order.
    pub fn for_each(&self, see: &mut dyn FnMut(u32, T)) {
        match &self.layout {
            Layout::Dense(values) => {
                for (row, value) in values.iter().enumerate() {
                    if !value.is_none() {
                        see(row as u32, *value);
                    }
                }
            }
            Layout::Sparse { rows, values } => {
                for (row, value) in rows.iter().zip(values) {
                    see(*row, *value);
                }
            }
        }
    }

    /// The rows with a value that passes.
    pub fn matching(&self, test: &mut dyn FnMut(T) -> bool) -> Bits {
        let mut bits = Bits::default();
        self.for_each(&mut |row, value| {
            if test(value) {
                bits.insert(row);
            }
        });
        bits
    }

    pub fn write(&self, out: &mut Writer) {
        match &self.layout {
            Layout::Dense(values) => {
                out.u32(0);
                T::write(values, out);
            }
            Layout::Sparse { rows, values } => {
                out.u32(1);
                out.u32s(rows);
                T::write(values, out);
            }
        }
    }

    pub fn read(from: &mut Reader<'_>) -> Option<Self> {
        let layout = match from.u32()? {
            0 => Layout::Dense(T::read(from)?),
            1 => Layout::Sparse {
                rows: from.u32s()?,
                values: T::read(from)?,
            },
            _ => return None,
        };
        let fits = match &layout {
            Layout::Dense(_) => true,
            Layout::Sparse { rows, values } => {
                rows.is_sorted_by(|a, b| a < b) && rows.last().is_none_or(|last| *last < u32::MAX) && rows.len() == values.len()
            }
        };
        let mut cells = Self { layout, filled: 0 };
        let mut filled = 0;
        cells.for_each(&mut |_, _| filled += 1);
        cells.filled = filled;
        fits.then_some(cells)
    }

    /// In bytes.
    pub fn memory(&self) -> usize {
        match &self.layout {
            Layout::Dense(values) => size_of::<T>() * values.capacity(),
            Layout::Sparse { rows, values } => 4 * rows.capacity() + size_of::<T>() * values.capacity(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn both_layouts_hold_the_same() {
        let mut cells = Cells::<u32>::default();
        let mut reference = BTreeMap::new();
        let mut seed = 1_u64;
        for step in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // At first few rows of many, later nearly all.
            let row = (seed >> 33) as u32 % if step < 2_000 { 20_000 } else { 5_000 };
            let value = if seed >> 60 == 0 { u32::NONE } else { (seed >> 40) as u32 % 10 };
            let changed = match value {
                u32::NONE => reference.remove(&row).is_some(),
                _ => reference.insert(row, value) != Some(value),
            };
            assert_eq!(cells.set(row, value), changed);
            assert_eq!(cells.filled(), reference.len());
        }
        let mut seen = Vec::new();
        cells.for_each(&mut |row, value| seen.push((row, value)));
        assert_eq!(seen, reference.clone().into_iter().collect::<Vec<_>>());
        assert!((0..20_000).all(|row| cells.get(row) == reference.get(&row).copied().unwrap_or(u32::NONE)));
        let sevens: Vec<u32> = reference.iter().filter(|(_, value)| **value == 7).map(|(row, _)| *row).collect();
        assert_eq!(cells.matching(&mut |value| value == 7).to_vec(), sevens);
    }

    #[test]
    fn few_cells_take_little_room() {
        let mut cells = Cells::<f64>::default();
        assert!((0..1000).all(|row| cells.set(row * 100, 1.0)));
        assert!(cells.memory() < 40_000, "{}", cells.memory());
        assert!(!cells.get(100).is_none() && cells.get(101).is_none());
        assert!(!f64::NAN.is_none());
    }
}
