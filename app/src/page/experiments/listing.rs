//! Which experiments and folders are on screen, in which order: plain functions of the experiments and the wish.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use super::folder;
use crate::{api::mlflow::experiment::Experiment, letter::lower, order::sort_by};

/// An experiment and what searching needs of it. Replaced whole when it changes.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub experiment: Experiment,
    /// The name in lower case.
    lower: String,
}

pub type Rows = Vec<Arc<Row>>;

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub query: String,
    pub sort: Sort,
    pub folder: String,
    pub tags: Vec<String>,
    /// All experiments below the folder in one list.
    pub flat: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: By,
    pub down: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Name,
    Created,
    Updated,
}

/// What is on screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub folders: Vec<FolderRow>,
    pub rows: Rows,
    /// How many experiments match, those in the folders included.
    pub matching: usize,
    /// How many there are in this folder and below it.
    pub total: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FolderRow {
    pub name: String,
    pub path: String,
    pub count: usize,
    pub created: Option<i64>,
    pub updated: Option<i64>,
}

// === impl Wish ===

impl Wish {
    /// Whether it leaves out experiments of the folder.
    pub fn narrows(&self) -> bool {
        !self.query.trim().is_empty() || !self.tags.is_empty()
    }
}

// === impl Row ===

impl Row {
    pub fn new(experiment: Experiment) -> Arc<Self> {
        let lower = lower(&experiment.name);
        Arc::new(Self { experiment, lower })
    }

    pub fn id(&self) -> &str {
        &self.experiment.experiment_id
    }
}

// === impl Sort ===

impl Default for Sort {
    fn default() -> Self {
        Self {
            by: By::Updated,
            down: true,
        }
    }
}

impl Sort {
    /// Reads `name` or `-name`.
    pub fn parse(text: &str) -> Self {
        let (down, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let by = match name {
            "name" => By::Name,
            "created" => By::Created,
            "updated" => By::Updated,
            _ => return Self::default(),
        };
        Self { by, down }
    }

    /// As the address spells it; the usual order is not spelt.
    pub fn spell(self) -> &'static str {
        match (self.by, self.down) {
            (By::Name, false) => "name",
            (By::Name, true) => "-name",
            (By::Created, false) => "created",
            (By::Created, true) => "-created",
            (By::Updated, false) => "updated",
            (By::Updated, true) => "",
        }
    }

    /// The order that a click on the head of a column asks for.
    pub fn pressed(self, by: By) -> Self {
        let down = if self.by == by { !self.down } else { by != By::Name };
        Self { by, down }
    }

    fn compare(self, a: (&str, Option<i64>, Option<i64>), b: (&str, Option<i64>, Option<i64>)) -> Ordering {
        let order = match self.by {
            By::Name => a.0.cmp(b.0),
            By::Created => a.1.cmp(&b.1),
            By::Updated => a.2.cmp(&b.2),
        };
        let order = if self.down { order.reverse() } else { order };
        order.then_with(|| a.0.cmp(b.0))
    }
}

/// How the address spells the wish for a tag: `key=value`, with `%` and `=` in the key escaped.
pub fn spell_tag(key: &str, value: &str) -> String {
    format!("{}={value}", key.replace('%', "%25").replace('=', "%3D"))
}

/// The opposite of [`spell_tag`].
pub fn parse_tag(text: &str) -> (String, &str) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (key.replace("%3D", "=").replace("%25", "%"), value)
}

/// What `wish` shows of `all`.
pub fn arrange(all: &Rows, wish: &Wish) -> Listing {
    let words: Vec<String> = lower(&wish.query).split_whitespace().map(str::to_owned).collect();
    let tags: Vec<(String, &str)> = wish.tags.iter().map(|tag| parse_tag(tag)).collect();
    let matches = |row: &Row| {
        let found = words.iter().all(|word| row.lower.contains(word.as_str())) || row.id() == wish.query.trim();
        found && tags.iter().all(|(key, value)| row.experiment.tag(key) == Some(value))
    };
    let one_list = wish.flat || !words.is_empty() || !tags.is_empty();
    let mut listing = Listing::default();
    let mut folders: BTreeMap<&str, FolderRow> = BTreeMap::new();
    for row in all {
        let experiment = &row.experiment;
        let Some(rest) = folder::below(&wish.folder, &experiment.name) else {
            continue;
        };
        listing.total += 1;
        if !matches(row) {
            continue;
        }
        listing.matching += 1;
        match folder::split(rest) {
            Some((first, behind)) if !one_list => {
                let path = &experiment.name[..experiment.name.len() - behind.len() - 1];
                let folder = folders.entry(first).or_insert_with(|| FolderRow {
                    name: first.to_owned(),
                    path: path.to_owned(),
                    count: 0,
                    created: None,
                    updated: None,
                });
                folder.count += 1;
                folder.created = folder.created.max(experiment.creation_time);
                folder.updated = folder.updated.max(experiment.last_update_time);
            }
            _ => listing.rows.push(Arc::clone(row)),
        }
    }
    listing.folders = folders.into_values().collect();
    let sort = wish.sort;
    sort_by(&mut listing.folders, |a, b| {
        sort.compare((&a.name, a.created, a.updated), (&b.name, b.created, b.updated))
    });
    sort_by(&mut listing.rows, |a, b| {
        let order = sort.compare(
            (&a.lower, a.experiment.creation_time, a.experiment.last_update_time),
            (&b.lower, b.experiment.creation_time, b.experiment.last_update_time),
        );
        order.then_with(|| a.id().cmp(b.id()))
    });
    listing
}

/// What `wish` asks of MLflow itself, in its filter language: at least the experiments that [`arrange`] will show, found by name and tags.
/// Empty where nothing is narrowed or MLflow has no words for it.
pub fn filter(wish: &Wish) -> String {
    let mut parts = Vec::new();
    if !wish.folder.is_empty() {
        parts.extend(quote(&format!("{}/%", wish.folder)).map(|name| format!("name LIKE {name}")));
    }
    for word in wish.query.split_whitespace() {
        parts.extend(quote(&format!("%{word}%")).map(|name| format!("name ILIKE {name}")));
    }
    for (key, value) in wish.tags.iter().map(|tag| parse_tag(tag)) {
        if !key.contains(['`', '\\']) {
            parts.extend(quote(value).map(|value| format!("tags.`{key}` = {value}")));
        }
    }
    parts.join(" AND ")
}

/// `text` as a string of the filter language, which has two kinds of quotes and no escapes.
fn quote(text: &str) -> Option<String> {
    let quote = ['\'', '"'].into_iter().find(|quote| !text.contains(*quote))?;
    (!text.contains('\\')).then(|| format!("{quote}{text}{quote}"))
}

/// The tags that most experiments have, at most `limit`, with how many: for choosing one.
pub fn common_tags(all: &Rows, limit: usize) -> Vec<(String, String, usize)> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in all {
        for tag in row.experiment.own_tags() {
            *counts.entry((&tag.key, &tag.value)).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|((key, value), count)| (key.to_owned(), value.to_owned(), count))
        .collect();
    sort_by(&mut counts, |a, b| b.2.cmp(&a.2));
    counts.truncate(limit);
    sort_by(&mut counts, Ord::cmp);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::mlflow::run::Pair;

    fn rows(names: &[&str]) -> Rows {
        let row = |(index, name): (usize, &&str)| {
            let time = Some(index as i64);
            let tags = vec![Pair {
                key: "team".into(),
                value: if index % 2 == 0 { "even" } else { "odd" }.into(),
            }];
            let experiment = Experiment {
                experiment_id: index.to_string(),
                name: (*name).into(),
                artifact_location: String::new(),
                lifecycle_stage: String::new(),
                creation_time: time,
                last_update_time: time,
                tags,
            };
            Row::new(experiment)
        };
        names.iter().enumerate().map(row).collect()
    }

    fn names(listing: &Listing) -> Vec<&str> {
        let folders = listing.folders.iter().map(|folder| folder.path.as_str());
        folders.chain(listing.rows.iter().map(|row| row.experiment.name.as_str())).collect()
    }

    #[test]
    fn folders_come_first_and_count() {
        let all = rows(&["b", "vision/a", "vision/resnet/x", "A", "text/y", "vision"]);
        let by_name = Wish {
            sort: Sort::parse("name"),
            ..Wish::default()
        };
        let listing = arrange(&all, &by_name);
        assert_eq!(names(&listing), ["text", "vision", "A", "b", "vision"]);
        assert_eq!((listing.folders[1].count, listing.matching, listing.total), (2, 6, 6));
        let listing = arrange(
            &all,
            &Wish {
                folder: "vision".into(),
                ..by_name
            },
        );
        assert_eq!(names(&listing), ["vision/resnet", "vision/a"]);
    }

    #[test]
    fn a_search_looks_into_folders() {
        let all = rows(&["vision/ResNet/sweep", "vision/vit", "resnet"]);
        let listing = arrange(
            &all,
            &Wish {
                query: "RES net".into(),
                ..Wish::default()
            },
        );
        assert_eq!(names(&listing), ["resnet", "vision/ResNet/sweep"]);
        let listing = arrange(
            &all,
            &Wish {
                query: "resnet".into(),
                folder: "vision".into(),
                ..Wish::default()
            },
        );
        assert_eq!((names(&listing), listing.total), (vec!["vision/ResNet/sweep"], 2));
        assert_eq!(
            names(&arrange(
                &all,
                &Wish {
                    query: "1".into(),
                    ..Wish::default()
                }
            )),
            ["vision/vit"]
        );
    }

    #[test]
    fn tags_narrow() {
        let all = rows(&["a", "b", "c"]);
        let listing = arrange(
            &all,
            &Wish {
                tags: vec![spell_tag("team", "odd")],
                ..Wish::default()
            },
        );
        assert_eq!(names(&listing), ["b"]);
        assert_eq!(parse_tag(&spell_tag("a=%b", "c=d")), ("a=%b".into(), "c=d"));
        assert_eq!(common_tags(&all, 1), [("team".into(), "even".into(), 2)]);
    }

    #[test]
    fn a_wish_is_said_to_mlflow() {
        let wish = Wish {
            query: "Res it's a\\b".into(),
            folder: "vision/x".into(),
            tags: vec![spell_tag("team", "a \"b\"")],
            ..Wish::default()
        };
        assert_eq!(
            filter(&wish),
            "name LIKE 'vision/x/%' AND name ILIKE '%Res%' AND name ILIKE \"%it's%\" AND tags.`team` = 'a \"b\"'"
        );
        assert_eq!(filter(&Wish::default()), "");
    }

    #[test]
    fn an_order_is_read_as_it_is_spelt() {
        for text in ["name", "-name", "created", "-created", "updated", ""] {
            assert_eq!(Sort::parse(text).spell(), text);
        }
        assert_eq!(Sort::parse("nonsense"), Sort::default());
        assert_eq!(Sort::default().pressed(By::Updated).spell(), "updated");
        assert_eq!(Sort::default().pressed(By::Name).spell(), "name");
    }
}
