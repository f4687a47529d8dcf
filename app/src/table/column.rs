//! A column: its name, and a text or a number for some of the rows.

use std::cell::{Ref, RefCell};

use super::{
    bits::Bits,
    cells::{Cells, Value},
    copy::{Reader, Writer},
    dict::{Dict, Ranks},
    folder::Folder,
};

/// What kind of thing a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    Attribute,
    Param,
    Tag,
    Metric(Stat),
    /// One column, whose key is empty: all datasets of a run, see [`Dataset`].
    Dataset,
    /// What [`super::folder`] makes of names.
    Folder,
}

/// Which of the values of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stat {
    /// The value that MLflow answers.
    #[default]
    Last,
    First,
    Min,
    Max,
    /// The step of the last value; none where it is 0.
    Step,
}

/// What each run has. The discriminant is the column's place in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attribute {
    RunId,
    Name,
    Status,
    /// Ms since 1970, as `End`.
    Start,
    End,
    /// Ms; none while it runs.
    Duration,
    User,
    Experiment,
    Lifecycle,
    Artifacts,
}

/// A column's name. Written in addresses as `m:loss`, `min:loss`, `p:lr`, `t:team`, `a:status`, `d:`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    pub family: Family,
    pub key: String,
}

#[derive(Debug)]
pub struct Column {
    pub name: Name,
    pub data: Data,
    /// The store's generation at the last change.
    pub changed: u64,
}

#[derive(Debug)]
pub enum Data {
    Text(Text),
    Number(Cells<f64>),
}

/// Texts, each distinct one kept once.
#[derive(Debug, Default)]
pub struct Text {
    pub dict: Dict,
    pub codes: Cells<u32>,
    ranks: RefCell<Ranks>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Missing,
    Number(f64),
    Text(&'a str),
}

/// A dataset that a run used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dataset<'a> {
    pub name: &'a str,
    pub digest: &'a str,
    /// What it was used for, such as `training`.
    pub context: Option<&'a str>,
}

// === impl Family ===

impl Family {
    pub const COUNT: usize = 10;

    pub const ALL: [Self; Self::COUNT] = [
        Self::Attribute,
        Self::Param,
        Self::Tag,
        Self::Dataset,
        Self::Metric(Stat::Last),
        Self::Metric(Stat::First),
        Self::Metric(Stat::Min),
        Self::Metric(Stat::Max),
        Self::Metric(Stat::Step),
        Self::Folder,
    ];

    /// Its place in [`Family::ALL`].
    pub fn index(self) -> usize {
        match self {
            Self::Attribute => 0,
            Self::Param => 1,
            Self::Tag => 2,
            Self::Dataset => 3,
            Self::Metric(Stat::Last) => 4,
            Self::Metric(Stat::First) => 5,
            Self::Metric(Stat::Min) => 6,
            Self::Metric(Stat::Max) => 7,
            Self::Metric(Stat::Step) => 8,
            Self::Folder => 9,
        }
    }

    pub fn is_metric(self) -> bool {
        matches!(self, Self::Metric(_))
    }

    fn prefix(self) -> &'static str {
        ["a", "p", "t", "d", "m", "first", "min", "max", "step", "f"][self.index()]
    }
}

// === impl Attribute ===

impl Attribute {
    pub const ALL: [Self; 10] = [
        Self::RunId,
        Self::Name,
        Self::Status,
        Self::Start,
        Self::End,
        Self::Duration,
        Self::User,
        Self::Experiment,
        Self::Lifecycle,
        Self::Artifacts,
    ];

    /// As in queries; MLflow's word where it has one.
    pub fn key(self) -> &'static str {
        match self {
            Self::RunId => "run_id",
            Self::Name => "run_name",
            Self::Status => "status",
            Self::Start => "start_time",
            Self::End => "end_time",
            Self::Duration => "duration",
            Self::User => "user_id",
            Self::Experiment => "experiment_id",
            Self::Lifecycle => "lifecycle_stage",
            Self::Artifacts => "artifact_uri",
        }
    }

    /// The opposite of [`Attribute::key`]; knows MLflow's other spellings.
    pub fn read(key: &str) -> Option<Self> {
        match key {
            "created" | "Created" => Some(Self::Start),
            "run name" | "Run name" | "Run Name" => Some(Self::Name),
            _ => Self::ALL.into_iter().find(|attribute| attribute.key() == key),
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Self::Start | Self::End | Self::Duration)
    }

    /// Whether MLflow can search by it.
    pub fn is_searchable(self) -> bool {
        !matches!(self, Self::Duration | Self::Experiment | Self::Lifecycle)
    }

    pub fn name(self) -> Name {
        Name::new(Family::Attribute, self.key())
    }
}

// === impl Name ===

impl Name {
    pub fn new(family: Family, key: &str) -> Self {
        Self {
            family,
            key: key.to_owned(),
        }
    }

    /// As in addresses.
    pub fn id(&self) -> String {
        format!("{}:{}", self.family.prefix(), self.key)
    }

    /// The opposite of [`Name::id`].
    pub fn read(id: &str) -> Option<Self> {
        let (prefix, key) = id.split_once(':')?;
        let family = Family::ALL.into_iter().find(|family| family.prefix() == prefix)?;
        let known = match family {
            Family::Attribute => Attribute::ALL.iter().any(|attribute| attribute.key() == key),
            Family::Dataset => key.is_empty(),
            Family::Folder => Folder::read(key).is_some(),
            _ => true,
        };
        known.then(|| Self::new(family, key))
    }
}

// === impl Column ===

impl Column {
    pub fn new(name: Name) -> Self {
        let number = match name.family {
            Family::Metric(_) => true,
            Family::Attribute => Attribute::read(&name.key).is_some_and(Attribute::is_number),
            _ => false,
        };
        let data = if number {
            Data::Number(Cells::default())
        } else {
            Data::Text(Text::default())
        };
        Self { name, data, changed: 0 }
    }

    pub fn cell(&self, row: u32) -> Cell<'_> {
        match &self.data {
            Data::Text(text) => text.get(row).map_or(Cell::Missing, Cell::Text),
            Data::Number(cells) => match cells.get(row) {
                value if value.is_none() => Cell::Missing,
                value => Cell::Number(value),
            },
        }
    }

    pub fn text(&self) -> Option<&Text> {
        match &self.data {
            Data::Text(text) => Some(text),
            Data::Number(_) => None,
        }
    }

    pub fn number(&self) -> Option<&Cells<f64>> {
        match &self.data {
            Data::Number(cells) => Some(cells),
            Data::Text(_) => None,
        }
    }

    /// Calls `see` for each row that has a value, in ascending order.
    pub fn for_each(&self, see: &mut dyn FnMut(u32)) {
        match &self.data {
            Data::Text(text) => text.codes.for_each(&mut |row, _| see(row)),
            Data::Number(cells) => cells.for_each(&mut |row, _| see(row)),
        }
    }

    /// How many rows have a value.
    pub fn filled(&self) -> usize {
        match &self.data {
            Data::Text(text) => text.codes.filled(),
            Data::Number(cells) => cells.filled(),
        }
    }

    /// Whether `a` and `b` have the same value, or none both. NaN is the same as NaN.
    pub fn same(&self, a: u32, b: u32) -> bool {
        match &self.data {
            Data::Text(text) => text.codes.get(a) == text.codes.get(b),
            Data::Number(cells) => cells.get(a).same(cells.get(b)),
        }
    }

    /// Whether that changed anything. A text in a column of numbers takes the value away.
    pub fn set(&mut self, row: u32, cell: Cell<'_>) -> bool {
        match (&mut self.data, cell) {
            (Data::Text(column), Cell::Text(text)) => {
                let code = column.dict.code(text);
                column.codes.set(row, code)
            }
            (Data::Text(column), _) => column.codes.set(row, u32::NONE),
            // There is one NaN, which is not the mark of a missing value, and one zero.
            (Data::Number(cells), Cell::Number(value)) => cells.set(row, if value.is_nan() { f64::NAN } else { value + 0.0 }),
            (Data::Number(cells), _) => cells.set(row, f64::NONE),
        }
    }

    pub fn write(&self, out: &mut Writer) {
        out.text(&self.name.id());
        match &self.data {
            Data::Text(text) => {
                text.dict.write(&text.used(), out);
                text.codes.write(out);
            }
            Data::Number(cells) => cells.write(out),
        }
    }

    pub fn read(from: &mut Reader<'_>) -> Option<Self> {
        let mut column = Self::new(Name::read(from.text()?)?);
        match &mut column.data {
            Data::Text(text) => {
                text.dict = Dict::read(from)?;
                text.codes = Cells::read(from)?;
                let mut known = true;
                text.codes.for_each(&mut |_, code| known &= code < text.dict.len());
                known.then_some(())?;
            }
            Data::Number(cells) => *cells = Cells::read(from)?,
        }
        Some(column)
    }

    /// In bytes.
    pub fn memory(&self) -> usize {
        let data = match &self.data {
            Data::Text(text) => text.dict.memory() + text.codes.memory() + text.ranks.borrow().memory(),
            Data::Number(cells) => cells.memory(),
        };
        size_of::<Self>() + self.name.key.capacity() + data
    }
}

// === impl Text ===

impl Text {
    pub fn get(&self, row: u32) -> Option<&str> {
        match self.codes.get(row) {
            u32::NONE => None,
            code => Some(self.dict.text(code)),
        }
    }

    /// The codes that some row has.
    pub fn used(&self) -> Bits {
        let mut used = Bits::default();
        self.codes.for_each(&mut |_, code| used.insert(code));
        used
    }

    /// The place of each code in natural order; kept until the dictionary grows.
    pub fn ranks(&self) -> Ref<'_, [u32]> {
        self.ranks.borrow_mut().catch_up(&self.dict);
        Ref::map(self.ranks.borrow(), Ranks::places)
    }
}

// === impl Cell ===

impl Cell<'_> {
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

// === impl Dataset ===

/// Apart datasets of one run, and the fields of a dataset.
const DATASET: char = '\u{1e}';
const FIELD: char = '\u{1f}';

impl<'a> Dataset<'a> {
    /// Those in a cell of the dataset column.
    pub fn read(cell: &'a str) -> impl Iterator<Item = Self> {
        cell.split(DATASET).map(|one| {
            let mut fields = one.split(FIELD);
            Self {
                name: fields.next().unwrap_or_default(),
                digest: fields.next().unwrap_or_default(),
                context: fields.next(),
            }
        })
    }

    /// Adds it to what will be a cell.
    pub fn write(&self, cell: &mut String) {
        if !cell.is_empty() {
            cell.push(DATASET);
        }
        let fields = [Some(self.name), Some(self.digest), self.context];
        for (index, field) in fields.into_iter().flatten().enumerate() {
            if index > 0 {
                cell.push(FIELD);
            }
            cell.extend(field.chars().filter(|letter| ![DATASET, FIELD].contains(letter)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_again() {
        for family in Family::ALL {
            let name = match family {
                Family::Attribute => Attribute::Start.name(),
                Family::Dataset => Name::new(family, ""),
                Family::Folder => Folder::Run.name(),
                _ => Name::new(family, "a:b, c"),
            };
            assert_eq!(Name::read(&name.id()), Some(name));
            assert_eq!(Family::ALL[family.index()], family);
        }
        assert_eq!(Name::read("a:nonsense").or(Name::read("loss")).or(Name::read("x:y")), None);
    }

    #[test]
    fn datasets_are_read_again() {
        let toy = Dataset {
            name: "toy",
            digest: "1",
            context: Some("training"),
        };
        let bare = Dataset {
            name: "",
            digest: "",
            context: None,
        };
        let mut cell = String::new();
        toy.write(&mut cell);
        bare.write(&mut cell);
        assert_eq!(Dataset::read(&cell).collect::<Vec<_>>(), [toy, bare]);
    }

    #[test]
    fn a_cell_says_whether_it_changed() {
        let mut column = Column::new(Name::new(Family::Metric(Stat::Last), "loss"));
        assert!(column.set(3, Cell::Number(f64::NAN)) && !column.set(3, Cell::Number(-f64::NAN)));
        assert!(column.same(3, 3) && column.same(0, 1) && !column.same(0, 3));
        assert!(matches!(column.cell(3), Cell::Number(value) if value.is_nan()));
        assert!(column.set(3, Cell::Missing) && column.cell(3).is_missing());
        let mut column = Column::new(Attribute::Status.name());
        assert!(column.set(0, Cell::Text("RUNNING")) && column.set(0, Cell::Text("FINISHED")));
        assert_eq!((column.cell(0), column.filled()), (Cell::Text("FINISHED"), 1));
    }
}
