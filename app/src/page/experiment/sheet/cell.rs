//! What a cell of the table says.

use std::collections::BTreeMap;

use icondata_core::IconData;

use crate::{
    api::mlflow::run,
    page::experiment::{
        column::Column,
        phase,
        view::{Aggregate, Paint},
    },
    part::{clock::Clock, duration, id, number, time},
    table::{
        column::{Attribute, Cell, Column as Data, Dataset},
        differ::relative,
        group::{Summary, summary},
        store::Store,
    },
};

#[derive(Default)]
pub struct Drawn {
    pub class: &'static str,
    pub icon: Option<&'static IconData>,
    pub text: String,
    pub whole: Whole,
    /// How it differs from the baseline.
    pub beside: Option<String>,
    /// How large it is among all, 0 to 1.
    pub part: Option<(Paint, f64)>,
}

/// What a text leaves out, as it is: most is never written.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Whole {
    #[default]
    Nothing,
    Number(f64),
    /// Ms since 1970.
    Moment(i64),
    /// In ms.
    Span(i64),
    Id(String),
    /// More words, of which none are copied.
    Words(String),
    /// What some runs have in common, and whether that is a time.
    Many(Summary, bool),
}

/// The least and the largest number of a column that is painted.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub column: Column,
    pub paint: Paint,
    pub min: f64,
    pub max: f64,
}

/// What cells depend on besides the run.
pub struct Look<'a> {
    /// Ms since 1970.
    pub now: i64,
    pub baseline: Option<u32>,
    pub scales: &'a [Scale],
    pub aggregate: Aggregate,
    /// Of experiments, by their ids.
    pub names: &'a BTreeMap<String, String>,
}

/// Longer texts are cut; the run's page has them whole.
const LONGEST: usize = 200;

/// `data`: what the store has of `column`.
pub fn cell(store: &Store, row: u32, column: &Column, data: Option<&Data>, look: &Look<'_>) -> Drawn {
    let of = |row: u32| data.map_or(Cell::Missing, |data| data.cell(row));
    let found = of(row);
    match (column, found) {
        (Column::Status, Cell::Text(word)) => status(word),
        (Column::Start | Column::End, Cell::Number(at)) if at > 0.0 => moment(at as i64, look),
        (Column::Duration, Cell::Number(ms)) => span(ms as i64),
        (Column::Duration, Cell::Missing) => running(store, row, look),
        (Column::Id, Cell::Text(text)) => Drawn {
            class: "mono",
            text: id::shorten(text),
            whole: Whole::Id(text.to_owned()),
            ..Drawn::default()
        },
        (Column::User, Cell::Missing) => match store.cell(row, &Attribute::User.name()) {
            Cell::Text(user) if !user.is_empty() => words("text", user, user),
            _ => none(column),
        },
        (Column::Source, Cell::Text(source)) => words("text", source.rsplit('/').next().unwrap_or(source), source),
        (Column::Commit, Cell::Text(commit)) => words("text mono", commit.get(..8).unwrap_or(commit), commit),
        (Column::Experiment, Cell::Text(id)) => {
            let name = look.names.get(id).map_or(id, String::as_str);
            words("text", name.rsplit('/').next().unwrap_or(name), name)
        }
        (Column::Dataset, Cell::Text(text)) => datasets(text),
        (Column::Parent, Cell::Text(id)) => match store.row(id).map(|row| store.cell(row, &Attribute::Name.name())) {
            Some(Cell::Text(name)) if !name.is_empty() => words("text", name, id),
            _ => words("text mono", &id::shorten(id), id),
        },
        (Column::Param(_), Cell::Text(text)) => words("text mono", text, text),
        (_, Cell::Text(text)) => words("text", text, text),
        (_, Cell::Number(value)) => {
            let before = look.baseline.filter(|baseline| *baseline != row).map(of);
            let beside = match before {
                Some(Cell::Number(before)) => relative(value, before).map(number::percent),
                _ => None,
            };
            Drawn {
                class: if value.is_nan() { "number danger" } else { "number" },
                text: number::short(value),
                whole: Whole::Number(value),
                beside,
                part: part(value, column, look),
                ..Drawn::default()
            }
        }
        (_, Cell::Missing) => none(column),
    }
}

/// Where `value` stands between the least and the largest.
fn part(value: f64, column: &Column, look: &Look<'_>) -> Option<(Paint, f64)> {
    let scale = look.scales.iter().find(|scale| scale.column == *column)?;
    let part = (value - scale.min) / (scale.max - scale.min);
    part.is_finite().then_some((scale.paint, part.clamp(0.0, 1.0)))
}

fn datasets(cell: &str) -> Drawn {
    let mut text = String::new();
    let mut title = String::new();
    for Dataset { name, digest, context } in Dataset::read(cell) {
        let comma = if text.is_empty() { "" } else { ", " };
        text.push_str(comma);
        text.push_str(name);
        let context = context.map(|context| format!(", {context}")).unwrap_or_default();
        title.push_str(&format!("{comma}{name} ({digest}{context})"));
    }
    words("text", &text, &title)
}

fn none(column: &Column) -> Drawn {
    Drawn {
        class: if column.is_number() { "none number" } else { "none" },
        ..Drawn::default()
    }
}

fn words(class: &'static str, text: &str, title: &str) -> Drawn {
    let cut = |text: &str, end: &str| match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}{end}", &text[..at]),
        None => text.to_owned(),
    };
    Drawn {
        class,
        text: cut(text, "…"),
        whole: Whole::Words(cut(title, "…")),
        ..Drawn::default()
    }
}

fn status(word: &str) -> Drawn {
    let status = match word {
        "RUNNING" => run::Status::Running,
        "SCHEDULED" => run::Status::Scheduled,
        "FINISHED" => run::Status::Finished,
        "FAILED" => run::Status::Failed,
        "KILLED" => run::Status::Killed,
        _ => run::Status::Unknown,
    };
    let (icon, class, text) = phase(status).look();
    Drawn {
        class,
        icon: Some(icon),
        text: text.to_owned(),
        ..Drawn::default()
    }
}

fn moment(at: i64, look: &Look<'_>) -> Drawn {
    Drawn {
        class: "faint",
        text: time::relative(at, look.now),
        whole: Whole::Moment(at),
        ..Drawn::default()
    }
}

fn span(ms: i64) -> Drawn {
    Drawn {
        class: "number faint",
        text: duration::words(ms),
        whole: Whole::Span(ms),
        ..Drawn::default()
    }
}

fn running(store: &Store, row: u32, look: &Look<'_>) -> Drawn {
    let is_running = store.cell(row, &Attribute::Status.name()) == Cell::Text("RUNNING");
    match store.cell(row, &Attribute::Start.name()) {
        Cell::Number(start) if is_running => Drawn {
            whole: Whole::Words("still running".into()),
            ..span(look.now - start as i64)
        },
        _ => none(&Column::Duration),
    }
}

/// What a group of runs says in a column of numbers; `data`: what the store has of it.
pub fn of_group(data: Option<&Data>, rows: &[u32], column: &Column, aggregate: Aggregate) -> Drawn {
    let Some(found) = data.filter(|_| column.is_number()).and_then(|data| summary(data, rows)) else {
        return none(column);
    };
    let is_time = *column == Column::Duration;
    let write = |value| measure(value, is_time);
    let text = match aggregate {
        Aggregate::Mean => write(found.mean),
        Aggregate::Min => write(found.min),
        Aggregate::Max => write(found.max),
        Aggregate::Std => found.std.map(write).unwrap_or_default(),
        Aggregate::Count => number::count(found.count),
    };
    let has_range = found.count > 1 && aggregate == Aggregate::Mean;
    Drawn {
        class: "number",
        text,
        whole: Whole::Many(found, is_time),
        beside: has_range.then(|| format!("{}…{}", write(found.min), write(found.max))),
        ..Drawn::default()
    }
}

fn measure(value: f64, is_time: bool) -> String {
    match is_time {
        true => duration::words(value as i64),
        false => number::short(value),
    }
}

// === impl Drawn ===

impl Drawn {
    /// What is copied in place of the text.
    pub fn exact(&self) -> Option<String> {
        match &self.whole {
            Whole::Number(value) => Some(number::exact(*value)),
            Whole::Moment(at) => Some(time::iso(*at)),
            Whole::Id(id) => Some(id.clone()),
            Whole::Nothing | Whole::Span(_) | Whole::Words(_) | Whole::Many(..) => None,
        }
    }

    /// What it says where one points at it.
    pub fn title(&self, clock: Clock) -> String {
        match &self.whole {
            Whole::Nothing => String::new(),
            Whole::Number(value) => number::exact(*value),
            Whole::Moment(at) => clock.exact(*at),
            Whole::Span(ms) => format!("{:.3} s", (*ms).max(0) as f64 / 1000.0),
            Whole::Id(text) | Whole::Words(text) => text.clone(),
            Whole::Many(found, is_time) => {
                let write = |value| measure(value, *is_time);
                let spread = found
                    .std
                    .map(|std| format!(", standard deviation {}", write(std)))
                    .unwrap_or_default();
                let many = if found.count == 1 { "run" } else { "runs" };
                let (mean, min, max, count) = (write(found.mean), write(found.min), write(found.max), found.count);
                format!("mean {mean}, min {min}, max {max}{spread}, of {count} {many}")
            }
        }
    }
}
