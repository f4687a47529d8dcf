//! Reads MLflow's answer to `runs/search` straight into a store. What the store has from a copy already, Flowdeck tells by the run's number.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::de::SliceRead;

use super::{
    column::{Attribute, Dataset, Family, Stat},
    store::{Put, Staged, Store},
};
use crate::api::mlflow::{number, run::tag::CONTEXT};

/// What came with one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Where the next answer begins; `None` on the last one.
    pub next: Option<String>,
    /// The rows of the runs in the answer, in its order.
    pub rows: Vec<u32>,
    /// How many of them are new.
    pub added: usize,
    /// How many others are not as they were.
    pub changed: usize,
    /// The ids of runs that have become others here, or have gone, since the question was asked, or since the copy that the answer takes for
    /// known: what they are has to be asked.
    pub doubtful: Vec<String>,
    /// The bytes of what MLflow has answered, where the answer says so.
    pub size: Option<usize>,
}

/// An answer that is read a few runs at a time, so that the browser can do other things in between.
pub struct Reading {
    json: Vec<u8>,
    /// The store's generation when the question was asked.
    asked: u64,
    /// Where the next run begins, or what comes after the last one; `None`: nothing has been looked at.
    at: Option<usize>,
    loaded: Loaded,
}

// === impl Store ===

impl Store {
    /// Adds the runs of an answer that knows better than what is here, and replaces those that are. What comes before an error stays.
    ///
    /// # Errors
    /// It is not JSON of the kind that MLflow answers.
    pub fn load(&mut self, json: &[u8]) -> Result<Loaded, serde_json::Error> {
        let mut reader = Reader::new(self, u64::MAX, Loaded::default());
        reader.whole(json, Place::Page)?;
        Ok(reader.loaded)
    }
}

// === impl Reading ===

impl Reading {
    /// `asked`: the store's generation when the question was asked.
    pub fn new(json: Vec<u8>, asked: u64) -> Self {
        Self {
            json,
            asked,
            at: None,
            loaded: Loaded::default(),
        }
    }

    /// Adds runs to the store until `enough` says so after one of them, and replaces those that are there, but for those that have become
    /// others since the question was asked. Whether all have been read.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub fn go_on(&mut self, store: &mut Store, enough: &mut dyn FnMut() -> bool) -> Result<bool, serde_json::Error> {
        let mut reader = Reader::new(store, self.asked, std::mem::take(&mut self.loaded));
        let Some(mut at) = self.at.or_else(|| first_run(&self.json)) else {
            reader.whole(&self.json, Place::Page)?;
            self.loaded = reader.loaded;
            return Ok(true);
        };
        let all = loop {
            at += spaces(&self.json[at..]);
            if !matches!(self.json.get(at), Some(b'{' | b'0'..=b'9')) {
                // What is left looks like the end of an answer without runs.
                let rest = [BEGIN, &self.json[at..]].concat();
                reader.whole(&rest, Place::Page)?;
                break true;
            }
            let mut from = serde_json::Deserializer::from_slice(&self.json[at..]);
            reader.some(&mut from, Place::Run)?;
            at += from.into_iter::<IgnoredAny>().byte_offset();
            at += spaces(&self.json[at..]);
            // A comma after the last one would be an error that nobody has to notice.
            at += usize::from(self.json.get(at) == Some(&b','));
            if enough() {
                break false;
            }
        };
        self.at = Some(at);
        self.loaded = reader.loaded;
        Ok(all)
    }

    /// What has come so far.
    pub fn loaded(self) -> Loaded {
        self.loaded
    }
}

/// How MLflow's answers begin, spaces apart.
const BEGIN: &[u8] = b"{\"runs\":[";

/// Where the first run begins. `None`: something else comes first.
fn first_run(json: &[u8]) -> Option<usize> {
    let mut at = 0;
    for part in [&BEGIN[..1], &BEGIN[1..7], &BEGIN[7..8], &BEGIN[8..]] {
        at += spaces(&json[at..]);
        at += json[at..].starts_with(part).then_some(part.len())?;
    }
    Some(at)
}

fn spaces(json: &[u8]) -> usize {
    json.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// A place in the answer. There is one visitor for all of them, which is compiled once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Page,
    Runs,
    Run,
    Info,
    Data,
    Metrics,
    Metric,
    Params,
    Param,
    Tags,
    Tag,
    Inputs,
    DatasetInputs,
    DatasetInput,
    Dataset,
    DatasetTags,
    DatasetTag,
    /// A text or a number.
    Scalar,
}

/// A field that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Runs,
    NextPageToken,
    Size,
    Info,
    Data,
    Inputs,
    Metrics,
    Params,
    Tags,
    Key,
    Value,
    Step,
    DatasetInputs,
    Dataset,
    Name,
    Digest,
    Attribute(Attribute),
    Other,
}

/// What has been read so far.
struct Reader<'a> {
    store: &'a mut Store,
    asked: u64,
    loaded: Loaded,
    run: Staged,
    run_id: String,
    start: Option<f64>,
    end: Option<f64>,
    /// The last one.
    scalar: Scalar,
    /// Of a metric, param or tag.
    key: String,
    value: Scalar,
    step: f64,
    /// The cell of the dataset column.
    datasets: String,
    /// Name, digest and context.
    dataset: (String, String, Option<String>),
}

/// A text or a number; neither for `null`.
#[derive(Default)]
struct Scalar {
    text: String,
    number: Option<f64>,
}

struct At<'r, 'a> {
    place: Place,
    reader: &'r mut Reader<'a>,
}

// === impl Place ===

impl Place {
    /// What a field of this place holds; `None`: nothing that matters.
    fn inside(self, field: Field) -> Option<Self> {
        match (self, field) {
            (Self::Page, Field::Runs) => Some(Self::Runs),
            (Self::Run, Field::Info) => Some(Self::Info),
            (Self::Run, Field::Data) => Some(Self::Data),
            (Self::Run, Field::Inputs) => Some(Self::Inputs),
            (Self::Data, Field::Metrics) => Some(Self::Metrics),
            (Self::Data, Field::Params) => Some(Self::Params),
            (Self::Data, Field::Tags) => Some(Self::Tags),
            (Self::Inputs, Field::DatasetInputs) => Some(Self::DatasetInputs),
            (Self::DatasetInput, Field::Dataset) => Some(Self::Dataset),
            (Self::DatasetInput, Field::Tags) => Some(Self::DatasetTags),
            (Self::Page, Field::NextPageToken | Field::Size)
            | (Self::Info, Field::Attribute(_))
            | (Self::Metric | Self::Param | Self::Tag | Self::DatasetTag, Field::Key | Field::Value)
            | (Self::Metric, Field::Step)
            | (Self::Dataset, Field::Name | Field::Digest) => Some(Self::Scalar),
            _ => None,
        }
    }

    /// What this list holds.
    fn element(self) -> Option<Self> {
        match self {
            Self::Runs => Some(Self::Run),
            Self::Metrics => Some(Self::Metric),
            Self::Params => Some(Self::Param),
            Self::Tags => Some(Self::Tag),
            Self::DatasetInputs => Some(Self::DatasetInput),
            Self::DatasetTags => Some(Self::DatasetTag),
            _ => None,
        }
    }
}

// === impl Scalar ===

impl Scalar {
    fn clear(&mut self) {
        self.text.clear();
        self.number = None;
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.number.is_none()
    }

    fn float<E: de::Error>(&self) -> Result<f64, E> {
        match self.number {
            Some(number) => Ok(number),
            None => number::float(de::value::StrDeserializer::new(&self.text)),
        }
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn new(store: &'a mut Store, asked: u64, loaded: Loaded) -> Self {
        Self {
            store,
            asked,
            loaded,
            run: Staged::default(),
            run_id: String::new(),
            start: None,
            end: None,
            scalar: Scalar::default(),
            key: String::new(),
            value: Scalar::default(),
            step: 0.0,
            datasets: String::new(),
            dataset: Default::default(),
        }
    }

    /// Reads what `json` is, to its end.
    fn whole(&mut self, json: &[u8], place: Place) -> Result<(), serde_json::Error> {
        let mut from = serde_json::Deserializer::from_slice(json);
        self.some(&mut from, place)?;
        from.end()
    }

    fn some(&mut self, from: &mut serde_json::Deserializer<SliceRead<'_>>, place: Place) -> Result<(), serde_json::Error> {
        At { place, reader: self }.deserialize(from)
    }

    fn begin(&mut self, place: Place) {
        match place {
            Place::Run => {
                self.run.clear();
                self.run_id.clear();
                self.datasets.clear();
                (self.start, self.end) = (None, None);
            }
            Place::Metric | Place::Param | Place::Tag | Place::DatasetTag => {
                self.key.clear();
                self.value.clear();
                self.step = 0.0;
            }
            Place::DatasetInput => self.dataset = Default::default(),
            _ => {}
        }
    }

    /// A field has been read.
    fn field<E: de::Error>(&mut self, place: Place, field: Field) -> Result<(), E> {
        let scalar = &mut self.scalar;
        match (place, field) {
            (Place::Page, Field::NextPageToken) => self.loaded.next = Some(scalar.text.clone()).filter(|token| !token.is_empty()),
            (Place::Page, Field::Size) => self.loaded.size = scalar.number.map(|size| size as usize),
            (Place::Info, Field::Attribute(Attribute::RunId)) => self.run_id.clone_from(&scalar.text),
            // MLflow answers so where a run has no name; a run that goes on has no end.
            (Place::Info, Field::Attribute(Attribute::Name | Attribute::Start | Attribute::End)) if scalar.is_empty() => {}
            (Place::Info, Field::Attribute(Attribute::Start)) => self.start = Some(scalar.float()?),
            (Place::Info, Field::Attribute(Attribute::End)) => self.end = Some(scalar.float()?),
            // It is calculated.
            (Place::Info, Field::Attribute(Attribute::Duration)) => {}
            (Place::Info, Field::Attribute(attribute)) => self.run.text(attribute as u32, &scalar.text),
            (_, Field::Key) => std::mem::swap(&mut self.key, &mut scalar.text),
            (_, Field::Value) => std::mem::swap(&mut self.value, scalar),
            (Place::Metric, Field::Step) => self.step = scalar.float()?,
            (Place::Dataset, Field::Name) => self.dataset.0.clone_from(&scalar.text),
            (Place::Dataset, Field::Digest) => self.dataset.1.clone_from(&scalar.text),
            _ => {}
        }
        Ok(())
    }

    /// All fields have been read.
    fn end<E: de::Error>(&mut self, place: Place) -> Result<(), E> {
        match place {
            Place::Metric => {
                let value = self.value.float()?;
                let column = self.store.column_for(Family::Metric(Stat::Last), &self.key);
                self.run.number(column, value);
                if self.step != 0.0 {
                    let column = self.store.column_for(Family::Metric(Stat::Step), &self.key);
                    self.run.number(column, self.step);
                }
            }
            Place::Param | Place::Tag => {
                let family = if place == Place::Param { Family::Param } else { Family::Tag };
                let column = self.store.column_for(family, &self.key);
                self.run.text(column, &self.value.text);
            }
            Place::DatasetTag if self.key == CONTEXT => self.dataset.2 = Some(self.value.text.clone()),
            Place::DatasetInput => {
                let (name, digest, context) = &self.dataset;
                let context = context.as_deref();
                Dataset { name, digest, context }.write(&mut self.datasets);
            }
            Place::Run => self.put()?,
            _ => {}
        }
        Ok(())
    }

    /// A run that is as it was in the copy that this store began with.
    fn known<E: de::Error>(&mut self, number: u64) -> Result<(), E> {
        let id = u32::try_from(number).ok().and_then(|number| self.store.numbered(number));
        let id = id.ok_or_else(|| E::custom("no run has this number"))?;
        let row = self.store.row(id);
        self.loaded.rows.extend(row);
        if row.is_none() || self.store.changed_since_copied(id) {
            self.loaded.doubtful.push(id.to_owned());
        }
        Ok(())
    }

    fn put<E: de::Error>(&mut self) -> Result<(), E> {
        if self.run_id.is_empty() {
            return Err(E::missing_field("run_id"));
        }
        if self.store.changed_since(&self.run_id, self.asked) {
            self.loaded.rows.extend(self.store.row(&self.run_id));
            self.loaded.doubtful.push(self.run_id.clone());
            return Ok(());
        }
        let duration = self.start.zip(self.end).map(|(start, end)| end - start);
        let times = [
            (Attribute::Start, self.start),
            (Attribute::End, self.end),
            (Attribute::Duration, duration),
        ];
        for (attribute, value) in times {
            if let Some(value) = value {
                self.run.number(attribute as u32, value);
            }
        }
        if !self.datasets.is_empty() {
            let column = self.store.column_for(Family::Dataset, "");
            self.run.text(column, &self.datasets);
        }
        let (row, put) = self.store.put(&self.run_id, &self.run);
        self.loaded.rows.push(row);
        match put {
            Put::Added => self.loaded.added += 1,
            Put::Changed => self.loaded.changed += 1,
            Put::Same => {}
        }
        Ok(())
    }
}

// === impl At ===

impl<'de> DeserializeSeed<'de> for At<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl At<'_, '_> {
    fn scalar<E: de::Error>(self, found: Unexpected<'_>) -> Result<(), E> {
        if let (Place::Run, Unexpected::Unsigned(number)) = (self.place, found) {
            return self.reader.known(number);
        }
        if self.place != Place::Scalar {
            return Err(E::invalid_type(found, &self));
        }
        let scalar = &mut self.reader.scalar;
        scalar.clear();
        match found {
            Unexpected::Str(text) => scalar.text.push_str(text),
            Unexpected::Float(value) => scalar.number = Some(value),
            Unexpected::Signed(value) => scalar.number = Some(value as f64),
            Unexpected::Unsigned(value) => scalar.number = Some(value as f64),
            _ => {}
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for At<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.place)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { place, reader } = self;
        if place == Place::Scalar || place.element().is_some() {
            return Err(de::Error::invalid_type(Unexpected::Map, &Self { place, reader }));
        }
        reader.begin(place);
        while let Some(field) = map.next_key_seed(Key)? {
            match place.inside(field) {
                Some(place) => map.next_value_seed(At {
                    place,
                    reader: &mut *reader,
                })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
            reader.field(place, field)?;
        }
        reader.end(place)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { place, reader } = self;
        let Some(place) = place.element() else {
            return Err(de::Error::invalid_type(Unexpected::Seq, &Self { place, reader }));
        };
        while list
            .next_element_seed(At {
                place,
                reader: &mut *reader,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.scalar(Unexpected::Str(value))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Unexpected::Float(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Unexpected::Signed(value))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.scalar(Unexpected::Unsigned(value))
    }

    /// As if it were not there.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.reader.scalar.clear();
        Ok(())
    }
}

/// Reads the name of a field.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Field, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "runs" => Field::Runs,
            "next_page_token" => Field::NextPageToken,
            "size" => Field::Size,
            "info" => Field::Info,
            "data" => Field::Data,
            "inputs" => Field::Inputs,
            "metrics" => Field::Metrics,
            "params" => Field::Params,
            "tags" => Field::Tags,
            "key" => Field::Key,
            "value" => Field::Value,
            "step" => Field::Step,
            "dataset_inputs" => Field::DatasetInputs,
            "dataset" => Field::Dataset,
            "name" => Field::Name,
            "digest" => Field::Digest,
            _ => Attribute::ALL
                .into_iter()
                .find(|attribute| attribute.key() == name)
                .map_or(Field::Other, Field::Attribute),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::{Cell, Name};
    use super::*;

    const PAGE: &str = include_str!("../api/mlflow/testdata/runs.json");

    fn metric(key: &str) -> Name {
        Name::new(Family::Metric(Stat::Last), key)
    }

    #[test]
    fn a_page_of_mlflow_is_read() {
        let mut store = Store::default();
        let loaded = store.load(PAGE.as_bytes()).unwrap();
        assert_eq!(
            (loaded.rows, loaded.added, loaded.changed, loaded.next),
            (vec![0, 1, 2], 3, 0, None)
        );
        assert_eq!(store.len(), 3);
        let row = store.row("d87a5f6facbe4449a6a76bcb04b54c17").unwrap();
        assert_eq!(store.cell(row, &Attribute::Name.name()), Cell::Text("run-005"));
        assert_eq!(store.cell(row, &Attribute::Start.name()), Cell::Number(1_794_782_657_856.0));
        assert_eq!(store.cell(row, &Attribute::Duration.name()), Cell::Number(1_747_102.0));
        assert!(matches!(store.cell(row, &metric("train/loss")), Cell::Number(value) if value.is_nan()));
        assert_eq!(
            store.cell(row, &Name::new(Family::Metric(Stat::Step), "val_acc")),
            Cell::Number(2.0)
        );
        assert_eq!(store.cell(row, &Name::new(Family::Param, "empty")), Cell::Text(""));
        assert!(store.cell(2, &Attribute::End.name()).is_missing());
        assert!(store.cell(0, &Name::new(Family::Param, "none such")).is_missing());
    }

    #[test]
    fn an_answer_is_read_run_by_run() {
        let broken = [
            PAGE.replace("\"runs\"", "\"run\""),
            PAGE[..PAGE.len() - 30].to_owned(),
            format!("{PAGE}x"),
        ];
        for page in [PAGE, "{}", " { \"runs\" : [ ] , \"next_page_token\" : \"t\" } "]
            .map(str::to_owned)
            .iter()
            .chain(&broken)
        {
            let (mut whole, mut parts) = (Store::default(), Store::default());
            let expected = whole.load(page.as_bytes());
            let mut reading = Reading::new(page.clone().into_bytes(), u64::MAX);
            let mut turns = 0;
            let read = loop {
                turns += 1;
                match reading.go_on(&mut parts, &mut || true) {
                    Ok(true) => break Ok(reading.loaded()),
                    Ok(false) => {}
                    Err(error) => break Err(error),
                }
            };
            assert_eq!(read.as_ref().ok(), expected.as_ref().ok(), "{page}");
            assert_eq!(parts.len(), whole.len());
            if page == PAGE {
                assert_eq!(turns, 4);
            }
        }
    }

    #[test]
    fn a_dataset_is_read() {
        let run = include_str!("../api/mlflow/testdata/run.json");
        let page = format!(
            "{{\"runs\":[{}]}}",
            &run.trim()[1..run.trim().len() - 1].trim().strip_prefix("\"run\":").unwrap()
        );
        let mut store = Store::default();
        store.load(page.as_bytes()).unwrap();
        let Cell::Text(cell) = store.cell(0, &Name::new(Family::Dataset, "")) else {
            panic!("no dataset");
        };
        let dataset = Dataset::read(cell).next().unwrap();
        assert_eq!((dataset.name, dataset.context), ("toy", Some("training")));
    }

    #[test]
    fn a_run_that_comes_again_changes_in_place() {
        let mut store = Store::default();
        store.load(PAGE.as_bytes()).unwrap();
        let generation = store.generation();
        assert_eq!(store.load(PAGE.as_bytes()).unwrap().changed, 0);
        assert_eq!(store.generation(), generation);

        let min = Name::new(Family::Metric(Stat::Min), "val_acc");
        assert!(store.set(0, &min, Cell::Number(0.1)));
        let news = r#"{"runs":[{"data":{"metrics":[{"step":"3","value":"-Infinity","key":"val_acc"}]},
            "info":{"run_id":"d87a5f6facbe4449a6a76bcb04b54c17","start_time":"5","end_time":null,"status":"RUNNING"}}],"next_page_token":"t"}"#;
        let loaded = store.load(news.as_bytes()).unwrap();
        assert_eq!(
            (loaded.rows, loaded.added, loaded.changed, loaded.next.as_deref()),
            (vec![0], 0, 1, Some("t"))
        );
        assert_eq!(store.cell(0, &metric("val_acc")), Cell::Number(f64::NEG_INFINITY));
        assert_eq!(store.cell(0, &Attribute::Start.name()), Cell::Number(5.0));
        assert!(store.cell(0, &Name::new(Family::Param, "lr")).is_missing());
        assert_eq!(store.cell(0, &min), Cell::Number(0.1));
        assert!(store.generation() > generation);
    }

    #[test]
    fn the_same_runs_after_others_are_another_generation() {
        let mut store = Store::default();
        store.load(PAGE.as_bytes()).unwrap();
        let generation = store.generation();
        store.clear();
        assert!(store.is_empty());
        store.load(PAGE.as_bytes()).unwrap();
        assert!(store.generation() > generation);
    }

    #[test]
    fn runs_that_are_as_in_the_copy_are_told_by_their_numbers() {
        let run = |id: &str, name: &str| format!(r#"{{"info":{{"run_id":"{id}","run_name":"{name}"}}}}"#);
        let mut first = Store::default();
        first
            .load(format!(r#"{{"runs":[{},{},{}]}}"#, run("a", "1"), run("b", "1"), run("c", "1")).as_bytes())
            .unwrap();
        let mut store = Store::default();
        store.begin_with(first);
        store.load(format!(r#"{{"runs":[{}]}}"#, run("b", "2")).as_bytes()).unwrap();
        store.remove("c");
        let page = format!(r#"{{"runs":[0, 1, {} , 2], "next_page_token":"t","size":77}}"#, run("d", "1"));
        let mut reading = Reading::new(page.clone().into_bytes(), u64::MAX);
        while !reading.go_on(&mut store, &mut || true).unwrap() {}
        let loaded = reading.loaded();
        assert_eq!((loaded.rows, loaded.added, loaded.changed), (vec![0, 1, 2], 1, 0));
        assert_eq!((loaded.doubtful, loaded.size), (vec!["b".into(), "c".into()], Some(77)));
        assert_eq!(store.load(page.as_bytes()).unwrap().rows, [0, 1, 2]);
        assert!(store.load(br#"{"runs":[77]}"#).is_err() && store.load(br#"{"runs":[-1]}"#).is_err());
    }

    #[test]
    fn what_became_another_since_it_was_asked_for_stays_and_is_doubtful() {
        let page = |name: &str| {
            let run = |id: &str| format!(r#"{{"info":{{"run_id":"{id}","run_name":"{name}"}}}}"#);
            format!(r#"{{"runs":[{},{},{}]}}"#, run("a"), run("b"), run("c"))
        };
        let mut store = Store::default();
        store.load(page("1").as_bytes()).unwrap();
        let asked = store.generation();
        let news = r#"{"runs":[{"info":{"run_id":"a","run_name":"3"}}]}"#;
        store.load(news.as_bytes()).unwrap();
        store.remove("b");
        let mut reading = Reading::new(page("2").into_bytes(), asked);
        while !reading.go_on(&mut store, &mut || true).unwrap() {}
        let loaded = reading.loaded();
        assert_eq!((loaded.doubtful, loaded.rows), (vec!["a".into(), "b".into()], vec![0, 2]));
        let name = |row| store.cell(row, &Attribute::Name.name());
        assert_eq!((store.len(), name(0), name(2)), (2, Cell::Text("3"), Cell::Text("2")));
    }

    #[test]
    fn a_removed_run_leaves_its_row_to_another() {
        let mut store = Store::default();
        store.load(PAGE.as_bytes()).unwrap();
        let id = store.run_id(1).to_owned();
        assert!(store.remove(&id) && !store.remove(&id));
        assert_eq!((store.len(), store.row(&id), store.rows().to_vec()), (2, None, vec![0, 2]));
        store.load(br#"{"runs":[{"info":{"run_id":"new"}}]}"#).unwrap();
        assert_eq!((store.row("new"), store.run_id(1)), (Some(1), "new"));
        assert!(store.cell(1, &Attribute::Name.name()).is_missing());
        store.load(PAGE.as_bytes()).unwrap();
        assert_eq!((store.len(), store.row(&id)), (4, Some(3)));
    }

    #[test]
    fn nothing_found_is_an_empty_object() {
        assert_eq!(Store::default().load(b"{}").unwrap(), Loaded::default());
    }

    #[test]
    fn what_is_not_an_answer_is_an_error() {
        let broken = [
            "",
            "[]",
            "{\"runs\":{}}",
            "{\"runs\":[\"1\"]}",
            "{\"runs\":[{}]}",
            "{} x",
            "{\"runs\":[{\"info\":{\"run_id\":[]}}]}",
            r#"{"runs":[{"info":{"run_id":"a"},"data":{"metrics":[{"key":"m","value":"x"}]}}]}"#,
        ];
        for text in broken {
            assert!(Store::default().load(text.as_bytes()).is_err(), "{text}");
        }
    }
}
