//! A store as bytes, for another of the same form: as the server keeps one, and a tab begins with.

use super::store::Store;

/// Another number whenever the bytes mean something else: a tab may be older than the server.
const FORM: u32 = 1;

/// All that is known of an experiment's runs.
#[derive(Debug)]
pub struct Copy {
    /// What to tell the server, so that it tells only what has changed since.
    pub mark: String,
    /// When somebody began to look at all of them, ms since 1970; `None`: some have never been seen.
    pub as_of: Option<i64>,
    pub store: Store,
}

#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

/// Reads what a [`Writer`] has written; `None` for what is something else.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

// === impl Copy ===

impl Copy {
    pub fn write(mark: &str, as_of: Option<i64>, store: &Store) -> Vec<u8> {
        let mut out = Writer::default();
        out.u32(FORM);
        out.text(mark);
        out.u64(as_of.unwrap_or_default() as u64);
        store.write(&mut out);
        out.0
    }

    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        (from.u32()? == FORM).then_some(())?;
        let copy = Self {
            mark: from.text()?.to_owned(),
            as_of: Some(from.u64()? as i64).filter(|at| *at != 0),
            store: Store::read(&mut from)?,
        };
        from.0.is_empty().then_some(copy)
    }
}

// === impl Writer ===

impl Writer {
    pub fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.u32(text.len() as u32);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub fn u32s(&mut self, numbers: &[u32]) {
        self.planes(numbers.iter().map(|number| number.to_le_bytes()));
    }

    pub fn f64s(&mut self, numbers: &[f64]) {
        self.planes(numbers.iter().map(|number| number.to_le_bytes()));
    }

    /// The first bytes of all numbers, then the second ones, and so on: what is alike stands together, and shrinks.
    fn planes<const SIZE: usize>(&mut self, numbers: impl ExactSizeIterator<Item = [u8; SIZE]> + Clone) {
        self.u32(numbers.len() as u32);
        for plane in 0..SIZE {
            self.0.extend(numbers.clone().map(|bytes| bytes[plane]));
        }
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn bytes(&mut self, many: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(many)?;
        self.0 = rest;
        Some(bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    pub fn text(&mut self) -> Option<&'a str> {
        let many = self.u32()? as usize;
        std::str::from_utf8(self.bytes(many)?).ok()
    }

    pub fn u32s(&mut self) -> Option<Vec<u32>> {
        self.planes(u32::from_le_bytes)
    }

    pub fn f64s(&mut self) -> Option<Vec<f64>> {
        self.planes(f64::from_le_bytes)
    }

    fn planes<const SIZE: usize, T>(&mut self, number: impl Fn([u8; SIZE]) -> T) -> Option<Vec<T>> {
        let many = self.u32()? as usize;
        let planes = self.bytes(many.checked_mul(SIZE)?)?;
        let bytes = |at: usize| std::array::from_fn(|plane| planes[plane * many + at]);
        Some((0..many).map(|at| number(bytes(at))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::column::{Attribute, Cell, Column, Family, Name, Stat};

    const PAGE: &str = include_str!("../api/mlflow/testdata/runs.json");

    /// By run: all that its cells say.
    fn says(store: &Store) -> Vec<String> {
        let cells = |row: u32| {
            let cell = |column: &Column| format!("{} {:?}\n", column.name.id(), column.cell(row));
            store.columns().iter().map(cell).collect::<String>()
        };
        let mut all: Vec<String> = store.rows().iter().map(cells).collect();
        all.sort();
        all
    }

    /// With runs that were removed and came again, and a column that few have.
    fn many() -> Store {
        let mut store = Store::default();
        store.load(PAGE.as_bytes()).unwrap();
        for number in 0..500 {
            let rare = if number % 100 == 0 { r#"{"key":"räre","value":"ja"}"# } else { "" };
            let run = format!(
                r#"{{"runs":[{{"info":{{"run_id":"r{number}","run_name":"{}","start_time":{number},"artifact_uri":"{}"}},"data":{{"metrics":[{{"key":"m","value":{},"step":{}}}],"tags":[{rare}]}}}}]}}"#,
                number % 7,
                ["s3://ü/x/ID/artifacts", "elsewhere:7", "ID", ""][number as usize % 4].replace("ID", &format!("r{number}")),
                f64::from(number) / 3.0,
                number % 2
            );
            store.load(run.as_bytes()).unwrap();
        }
        (0..50).for_each(|number| assert!(store.remove(&format!("r{number}"))));
        store.load(br#"{"runs":[{"info":{"run_id":"r7"}}]}"#).unwrap();
        store
    }

    #[test]
    fn a_copy_is_what_it_was_copied_from() {
        for store in [Store::default(), many()] {
            let bytes = Copy::write("mark", Some(7), &store);
            let copy = Copy::read(&bytes).unwrap();
            assert_eq!((copy.mark.as_str(), copy.as_of), ("mark", Some(7)));
            assert_eq!((copy.store.len(), says(&copy.store)), (store.len(), says(&store)));
            assert_eq!(Copy::write("mark", Some(7), &copy.store), bytes);
            assert_eq!(Copy::read(&Copy::write("", None, &store)).unwrap().as_of, None);
        }
    }

    #[test]
    fn a_copy_has_nothing_of_what_is_gone() {
        let mut store = Store::default();
        let run =
            |id: &str, tags: &str| format!(r#"{{"runs":[{{"info":{{"run_id":"{id}","run_name":"{id}"}},"data":{{"tags":[{tags}]}}}}]}}"#);
        store.load(run("a", r#"{"key":"hidden","value":"secret"}"#).as_bytes()).unwrap();
        store.load(run("gone", r#"{"key":"tag","value":"private"}"#).as_bytes()).unwrap();
        store.load(run("a", r#"{"key":"tag","value":"shown"}"#).as_bytes()).unwrap();
        store.remove("gone");
        let copy = Copy::write("", None, &store);
        let has = |text: &str| copy.windows(text.len()).any(|bytes| bytes == text.as_bytes());
        assert!(has("shown") && has("tag"));
        let gone = ["hidden", "secret", "private", "gone"].map(has);
        assert_eq!(gone, [false; 4]);
        // Those that stay keep their numbers.
        store.load(run("b", "").as_bytes()).unwrap();
        let copy = Copy::read(&Copy::write("", None, &store)).unwrap().store;
        assert_eq!(
            ["a", "b"].map(|id| copy.row(id).and_then(|row| copy.number(row))),
            [Some(0), Some(2)]
        );
    }

    #[test]
    fn a_copy_goes_on_as_the_store_would() {
        let (mut store, mut copy) = (many(), Copy::read(&Copy::write("", None, &many())).unwrap().store);
        for store in [&mut store, &mut copy] {
            assert_eq!(store.load(PAGE.as_bytes()).unwrap().changed, 0);
            assert!(store.remove("r100"));
            store
                .load(br#"{"runs":[{"info":{"run_id":"new"},"data":{"params":[{"key":"p","value":"x"}]}},{"info":{"run_id":"r101"}}]}"#)
                .unwrap();
        }
        assert_eq!(says(&copy), says(&store));
        let row = copy.row("new").unwrap();
        assert_eq!(copy.cell(row, &Name::new(Family::Param, "p")), Cell::Text("x"));
        let last = copy.row("r101").unwrap();
        assert!(copy.cell(last, &Name::new(Family::Metric(Stat::Last), "m")).is_missing());
        assert!(copy.cell(last, &Attribute::Start.name()).is_missing());
    }

    #[test]
    fn what_is_no_copy_is_refused() {
        let bytes = Copy::write("mark", Some(7), &many());
        assert!((0..bytes.len()).step_by(7).all(|end| Copy::read(&bytes[..end]).is_none()));
        assert!(Copy::read(&[&bytes[..], &[0]].concat()).is_none());
        // Whatever it says by then, nothing of it is out of bounds.
        for at in (0..bytes.len()).step_by(37) {
            let mut broken = bytes.clone();
            broken[at] ^= 0xFF;
            if let Some(copy) = Copy::read(&broken) {
                says(&copy.store);
                assert!(copy.store.rows().iter().all(|row| copy.store.row(copy.store.run_id(row)).is_some()));
            }
        }
    }
}
