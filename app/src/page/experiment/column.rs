//! The columns of the runs table, and how MLflow sorts by them.

use serde::{Deserialize, Serialize};

use crate::{
    api::mlflow::run::tag,
    table::{
        column::{Attribute, Family, Name, Stat},
        folder::Folder,
    },
};

/// A column. Written in addresses as a word, or as `m:`, `p:` or `t:` and the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Column {
    /// The first one, always there.
    Name,
    Status,
    Start,
    End,
    Duration,
    User,
    Source,
    Commit,
    Id,
    /// Where runs of several are in one table.
    Experiment,
    Dataset,
    /// The run that it belongs to, by its id.
    Parent,
    Param(String),
    Metric(String),
    Tag(String),
    /// Not shown, but grouped by.
    Folder(Folder),
    /// Of a metric's whole history: its least, largest or first value.
    Stat(Stat, String),
}

/// What of a metric's history can be a column, besides its last value.
pub const STATS: [Stat; 3] = [Stat::Min, Stat::Max, Stat::First];

/// The columns that every run has, in the order of the panel.
pub const FIXED: [Column; 11] = [
    Column::Status,
    Column::Start,
    Column::End,
    Column::Duration,
    Column::User,
    Column::Source,
    Column::Commit,
    Column::Experiment,
    Column::Dataset,
    Column::Parent,
    Column::Id,
];

/// Which column, and which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

// === impl Column ===

impl Column {
    /// As in addresses.
    pub fn id(&self) -> String {
        match self {
            Self::Param(key) => format!("p:{key}"),
            Self::Metric(key) => format!("m:{key}"),
            Self::Tag(key) => format!("t:{key}"),
            Self::Stat(..) | Self::Folder(_) => self.name().id(),
            fixed => fixed.word().into(),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Status => "status",
            Self::Start => "start",
            Self::End => "end",
            Self::Duration => "duration",
            Self::User => "user",
            Self::Source => "source",
            Self::Commit => "commit",
            Self::Id => "id",
            Self::Experiment => "experiment",
            Self::Dataset => "dataset",
            Self::Parent => "parent",
            Self::Param(_) | Self::Metric(_) | Self::Tag(_) | Self::Stat(..) | Self::Folder(_) => "",
        }
    }

    /// The opposite of [`Column::id`].
    pub fn read(id: &str) -> Option<Self> {
        match id.split_once(':') {
            Some(("p", key)) => return Some(Self::Param(key.into())),
            Some(("m", key)) => return Some(Self::Metric(key.into())),
            Some(("t", key)) => return Some(Self::Tag(key.into())),
            Some(_) => {
                return match Name::read(id) {
                    Some(Name {
                        family: Family::Metric(stat),
                        key,
                    }) if STATS.contains(&stat) => Some(Self::Stat(stat, key)),
                    Some(Name {
                        family: Family::Folder,
                        key,
                    }) => Folder::read(&key).map(Self::Folder),
                    _ => None,
                };
            }
            None => {}
        }
        if id == "name" {
            Some(Self::Name)
        } else {
            FIXED.into_iter().find(|column| column.word() == id)
        }
    }

    /// The heading.
    pub fn label(&self) -> &str {
        match self {
            Self::Name => "Run",
            Self::Status => "Status",
            Self::Start => "Started",
            Self::End => "Ended",
            Self::Duration => "Duration",
            Self::User => "User",
            Self::Source => "Source",
            Self::Commit => "Commit",
            Self::Id => "Run id",
            Self::Experiment => "Experiment",
            Self::Dataset => "Dataset",
            Self::Parent => "Parent",
            Self::Folder(Folder::Experiment) => "Folder",
            Self::Folder(Folder::TopOfExperiment) => "Top folder",
            Self::Folder(Folder::Run) => "Folder in name",
            Self::Folder(Folder::TopOfRun) => "Top folder in name",
            Self::Param(key) | Self::Metric(key) | Self::Tag(key) | Self::Stat(_, key) => key,
        }
    }

    /// What the heading says beside the label: a param and a metric may have the same key.
    pub fn family(&self) -> Option<&'static str> {
        match self {
            Self::Param(_) => Some("param"),
            Self::Tag(_) => Some("tag"),
            Self::Stat(Stat::Min, _) => Some("min"),
            Self::Stat(Stat::Max, _) => Some("max"),
            Self::Stat(..) => Some("first"),
            _ => None,
        }
    }

    /// Numbers and times stand at the right.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Duration | Self::Metric(_) | Self::Stat(..))
    }

    /// What it is called where runs lie in columns.
    pub fn name(&self) -> Name {
        let of_tag = |key| Name::new(Family::Tag, key);
        match self {
            Self::Name => Attribute::Name.name(),
            Self::Status => Attribute::Status.name(),
            Self::Start => Attribute::Start.name(),
            Self::End => Attribute::End.name(),
            Self::Duration => Attribute::Duration.name(),
            Self::Id => Attribute::RunId.name(),
            Self::User => of_tag(tag::USER),
            Self::Source => of_tag(tag::SOURCE),
            Self::Commit => of_tag(tag::COMMIT),
            Self::Param(key) => Name::new(Family::Param, key),
            Self::Metric(key) => Name::new(Family::Metric(Stat::Last), key),
            Self::Tag(key) => of_tag(key),
            Self::Experiment => Attribute::Experiment.name(),
            Self::Dataset => Name::new(Family::Dataset, ""),
            Self::Parent => of_tag(tag::PARENT),
            Self::Stat(stat, key) => Name::new(Family::Metric(*stat), key),
            Self::Folder(folder) => folder.name(),
        }
    }

    /// What MLflow calls it in `order_by`; `None`: it cannot sort by it.
    pub fn mlflow(&self) -> Option<String> {
        let quoted = |family: &str, key: &str| (!key.contains('`')).then(|| format!("{family}.`{key}`"));
        match self {
            Self::Name => Some("attributes.run_name".into()),
            Self::Status => Some("attributes.status".into()),
            Self::Start => Some("attributes.start_time".into()),
            Self::End => Some("attributes.end_time".into()),
            Self::User => Some("tags.`mlflow.user`".into()),
            Self::Source => Some("tags.`mlflow.source.name`".into()),
            Self::Commit => Some("tags.`mlflow.source.git.commit`".into()),
            Self::Id => Some("attributes.run_id".into()),
            Self::Parent => Some("tags.`mlflow.parentRunId`".into()),
            Self::Duration | Self::Experiment | Self::Dataset | Self::Folder(_) | Self::Stat(..) => None,
            Self::Param(key) => quoted("params", key),
            Self::Metric(key) => quoted("metrics", key),
            Self::Tag(key) => quoted("tags", key),
        }
    }

    /// What one ought to know before sorting by it.
    pub fn sort_hint(&self) -> &'static str {
        match self {
            Self::Duration => "MLflow cannot sort by duration; sort by Started or Ended",
            Self::Experiment | Self::Dataset | Self::Folder(_) | Self::Stat(..) => "MLflow cannot sort by this",
            Self::Metric(_) => "Sort by the last value; NaN and runs without it come last",
            Self::Param(_) => "Sort as text; runs without it come last",
            Self::Tag(_) | Self::User | Self::Source | Self::Commit => "Sort; runs without it come last",
            Self::End => "Sort; running runs come last",
            _ => "Sort",
        }
    }
}

impl From<Column> for String {
    fn from(column: Column) -> Self {
        column.id()
    }
}

impl From<String> for Column {
    fn from(id: String) -> Self {
        Self::read(&id).unwrap_or(Self::Tag(id))
    }
}

// === impl Sort ===

impl Sort {
    /// MLflow's own order.
    pub const DEFAULT: Self = Self {
        column: Column::Start,
        descending: true,
    };

    /// As in addresses: `-m:loss` is descending.
    pub fn id(&self) -> String {
        let id = self.column.id();
        if self.descending { format!("-{id}") } else { id }
    }

    /// The opposite of [`Sort::id`].
    pub fn read(id: &str) -> Option<Self> {
        let (descending, id) = id.strip_prefix('-').map_or((false, id), |rest| (true, rest));
        Column::read(id).map(|column| Self { column, descending })
    }

    /// One entry of `order_by`.
    pub fn mlflow(&self) -> Option<String> {
        self.column
            .mlflow()
            .map(|name| format!("{name} {}", if self.descending { "DESC" } else { "ASC" }))
    }

    /// The order that a click on `column` brings. `before`: which way it is sorted by it now. Numbers and times begin with the largest, words with A.
    pub fn clicked(before: Option<bool>, column: &Column) -> Self {
        let descending = match before {
            Some(descending) => !descending,
            None => matches!(
                column,
                Column::Start | Column::End | Column::Duration | Column::Metric(_) | Column::Stat(..)
            ),
        };
        Self {
            column: column.clone(),
            descending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_again() {
        let keys = [
            Column::Metric("train/loss: x".into()),
            Column::Param("with space".into()),
            Column::Tag("a:b".into()),
            Column::Stat(Stat::Min, "train/loss: x".into()),
            Column::Folder(Folder::TopOfRun),
            Column::Name,
        ];
        for column in FIXED.into_iter().chain(keys) {
            assert_eq!(Column::read(&column.id()), Some(column.clone()));
            let sort = Sort { column, descending: true };
            assert_eq!(Sort::read(&sort.id()), Some(sort));
        }
        assert_eq!(Column::read("nonsense"), None);
        assert_eq!(Column::read(""), None);
    }

    #[test]
    fn mlflow_gets_quoted_keys() {
        assert_eq!(
            Sort::read("-m:train/loss").unwrap().mlflow().as_deref(),
            Some("metrics.`train/loss` DESC")
        );
        assert_eq!(Sort::read("p:a b").unwrap().mlflow().as_deref(), Some("params.`a b` ASC"));
        assert_eq!(Sort::read("m:a`b").unwrap().mlflow(), None);
        assert_eq!(Sort::read("duration").unwrap().mlflow(), None);
    }
}
