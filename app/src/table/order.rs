//! Sorts rows by the values of columns.

use super::{
    bits::Bits,
    cells::Value,
    column::{Column, Data, Name},
    natural::ordered,
    store::Store,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    pub column: Name,
    pub descending: bool,
}

const MISSING: u64 = u64::MAX;
const NAN: u64 = u64::MAX - 1;

/// Sorts by the first column, what is equal there by the second, and so on; what is equal everywhere stays in its order.
/// Either way round, NaN comes after all numbers, and rows without a value come last.
pub fn sort(store: &Store, rows: &mut Vec<u32>, by: &[Sort]) {
    for Sort { column, descending } in by.iter().rev() {
        if let Some(column) = store.column(column) {
            sort_by_keys(rows, &keys(column, rows, *descending));
        }
    }
}

/// A number for each row: the rows have the same order as these.
pub(super) fn keys(column: &Column, rows: &[u32], descending: bool) -> Vec<u64> {
    let mut keys = Vec::with_capacity(rows.len());
    match &column.data {
        Data::Text(text) => {
            let ranks = text.ranks();
            let last = ranks.len().saturating_sub(1) as u64;
            keys.extend(rows.iter().map(|row| match text.codes.get(*row) {
                code if code.is_none() => MISSING,
                code if descending => last - u64::from(ranks[code as usize]),
                code => u64::from(ranks[code as usize]),
            }));
        }
        Data::Number(cells) => keys.extend(rows.iter().map(|row| match cells.get(*row) {
            value if value.is_none() => MISSING,
            value if value.is_nan() => NAN,
            value if descending => !ordered(value),
            value => ordered(value),
        })),
    }
    keys
}

/// Sorts `rows` as their `keys` say; stable.
fn sort_by_keys(rows: &mut Vec<u32>, keys: &[u64]) {
    if keys.is_sorted() {
        return;
    }
    let mut order: Vec<(u64, u32)> = keys.iter().zip(0..).map(|(key, at)| (*key, at)).collect();
    order.sort_unstable();
    *rows = order.into_iter().map(|(_, at)| rows[at as usize]).collect();
}

/// The rows of `set`, in the order that `sort` gives.
pub fn sorted(store: &Store, set: &Bits, by: &[Sort]) -> Vec<u32> {
    let mut rows = set.to_vec();
    sort(store, &mut rows, by);
    rows
}

#[cfg(test)]
mod tests {
    use super::super::column::{Cell, Family, Stat};
    use super::*;

    #[test]
    fn missing_values_come_last_both_ways() {
        let loss = Name::new(Family::Metric(Stat::Last), "loss");
        let lr = Name::new(Family::Param, "lr");
        let mut store = Store::default();
        let cells = [
            (Some(2.0), "0.1"),
            (None, "1e-3"),
            (Some(f64::NAN), "word"),
            (Some(-1.0), "0.01"),
            (Some(2.0), "0.003"),
            (Some(f64::INFINITY), ""),
        ];
        for (index, (value, text)) in cells.into_iter().enumerate() {
            store
                .load(format!("{{\"runs\":[{{\"info\":{{\"run_id\":\"r{index}\"}}}}]}}").as_bytes())
                .unwrap();
            store.set(index as u32, &loss, value.map_or(Cell::Missing, Cell::Number));
            store.set(index as u32, &lr, Cell::Text(text));
        }
        let order = |by: &[(&Name, bool)]| {
            let by: Vec<Sort> = by
                .iter()
                .map(|(column, descending)| Sort {
                    column: (*column).clone(),
                    descending: *descending,
                })
                .collect();
            sorted(&store, store.rows(), &by)
        };
        assert_eq!(order(&[(&loss, false)]), [3, 0, 4, 5, 2, 1]);
        assert_eq!(order(&[(&loss, true)]), [5, 0, 4, 3, 2, 1]);
        assert_eq!(order(&[(&loss, true), (&lr, false)]), [5, 4, 0, 3, 2, 1]);
        assert_eq!(order(&[(&lr, false)]), [1, 4, 3, 0, 5, 2]);
        assert_eq!(order(&[(&lr, true)]), [2, 5, 0, 3, 4, 1]);
        assert_eq!(order(&[(&Name::new(Family::Tag, "none"), true)]), [0, 1, 2, 3, 4, 5]);
    }
}
