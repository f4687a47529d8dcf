//! The runs that are selected. They stay so whatever is sorted, filtered or loaded anew.

use super::{bits::Bits, cells::Value, store::Store};

/// By the codes of run ids, which runs keep also while they are not in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    codes: Bits,
    /// The run that was toggled last: a range begins there.
    anchor: Option<u32>,
}

// === impl Selection ===

impl Selection {
    /// Whether no run is selected, here or not.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    pub fn contains(&self, store: &Store, row: u32) -> bool {
        code(store, row).is_some_and(|code| self.codes.contains(code))
    }

    /// Selects the run, or no longer.
    pub fn toggle(&mut self, store: &Store, row: u32) {
        let selected = !self.contains(store, row);
        self.put(store, row, selected);
        self.anchor = code(store, row);
    }

    /// Does with all lines from the anchor to `row` what was done with the anchor. `view` are the rows as they are shown.
    pub fn extend(&mut self, store: &Store, view: &[u32], row: u32) {
        let place = |row| view.iter().position(|shown| *shown == row);
        let anchor = self.anchor.and_then(|code| place(store.row_of_code(code)?));
        let (Some(anchor), Some(end)) = (anchor, place(row)) else {
            return self.toggle(store, row);
        };
        let selected = self.contains(store, view[anchor]);
        for row in &view[anchor.min(end)..=anchor.max(end)] {
            self.put(store, *row, selected);
        }
    }

    pub fn add(&mut self, store: &Store, rows: &[u32]) {
        rows.iter().for_each(|row| self.put(store, *row, true));
    }

    pub fn drop(&mut self, store: &Store, rows: &[u32]) {
        rows.iter().for_each(|row| self.put(store, *row, false));
    }

    /// Toggles each of `rows`.
    pub fn invert(&mut self, store: &Store, rows: &[u32]) {
        for row in rows {
            let selected = self.contains(store, *row);
            self.put(store, *row, !selected);
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many of the selected runs are in the store.
    pub fn count(&self, store: &Store) -> usize {
        self.codes.iter().filter(|code| store.row_of_code(*code).is_some()).count()
    }

    /// The rows of those that are in the store, in ascending order.
    pub fn rows(&self, store: &Store) -> Bits {
        let mut rows = Bits::default();
        self.codes
            .iter()
            .filter_map(|code| store.row_of_code(code))
            .for_each(|row| rows.insert(row));
        rows
    }

    fn put(&mut self, store: &Store, row: u32, selected: bool) {
        match code(store, row) {
            Some(code) if selected => self.codes.insert(code),
            Some(code) => self.codes.remove(code),
            None => {}
        }
    }
}

fn code(store: &Store, row: u32) -> Option<u32> {
    let code = store.run_ids()?.codes.get(row);
    (!code.is_none()).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(store: &mut Store, ids: &[&str]) {
        for id in ids {
            store
                .load(format!(r#"{{"runs":[{{"info":{{"run_id":"{id}"}}}}]}}"#).as_bytes())
                .unwrap();
        }
    }

    #[test]
    fn a_range_follows_what_is_shown() {
        let mut store = Store::default();
        load(&mut store, &["a", "b", "c", "d", "e"]);
        let mut selection = Selection::default();
        let view = [4, 2, 0, 3, 1];
        selection.toggle(&store, 2);
        selection.extend(&store, &view, 3);
        assert_eq!(selection.rows(&store).to_vec(), [0, 2, 3]);
        selection.extend(&store, &view, 4);
        assert_eq!(selection.rows(&store).to_vec(), [0, 2, 3, 4]);
        selection.invert(&store, &view[..2]);
        assert_eq!(selection.rows(&store).to_vec(), [0, 3]);
        selection.add(&store, &view);
        selection.toggle(&store, 4);
        selection.extend(&store, &view, 0);
        assert_eq!(selection.rows(&store).to_vec(), [1, 3]);
        selection.clear();
        selection.extend(&store, &view, 1);
        assert_eq!((selection.rows(&store).to_vec(), selection.count(&store)), (vec![1], 1));
    }

    #[test]
    fn a_selected_run_that_comes_back_is_selected() {
        let mut store = Store::default();
        load(&mut store, &["a", "b", "c"]);
        let mut selection = Selection::default();
        selection.add(&store, &[0, 1]);
        store.remove("a");
        assert_eq!(selection.count(&store), 1);
        load(&mut store, &["d", "a"]);
        assert_eq!(store.row("d"), Some(0));
        assert!(!selection.contains(&store, 0));
        assert_eq!(selection.rows(&store).to_vec(), [1, 3]);
    }
}
