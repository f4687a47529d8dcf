//! The lines of the table: the runs that are meant, in their order, in groups or below the runs that they belong to.

use crate::{
    api::mlflow::run::tag::PARENT,
    page::experiment::folded::Folded,
    table::{
        bits::Bits,
        cells::Value,
        column::{Cell, Family, Name},
        group::{Groups, group},
        order::{self, Sort},
        query::Query,
        store::Store,
        tree::tree,
    },
};

#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Run {
        row: u32,
        depth: u32,
        /// It is not meant itself, but stands above runs that are.
        dimmed: bool,
        children: u32,
        open: bool,
    },
    Group {
        /// Its place in [`Lines::groups`].
        at: usize,
        open: bool,
    },
}

/// How runs are to be laid out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    pub sort: Vec<Sort>,
    pub group: Vec<Name>,
    pub flat: bool,
    /// Also runs that were moved out of sight.
    pub hidden: bool,
    /// Of runs by their ids, of groups by their [`key`]s.
    pub closed: Folded,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    pub lines: Vec<Line>,
    /// The runs that are meant, sorted.
    pub rows: Vec<u32>,
    pub groups: Groups,
    /// What runs are grouped by.
    pub by: Vec<Name>,
    /// How many runs are meant, but out of sight.
    pub hidden: usize,
}

/// Runs with this tag are out of sight.
pub const HIDDEN: &str = "flowdeck.hidden";

// === impl Line ===

impl Line {
    pub fn row(&self) -> Option<u32> {
        match self {
            Self::Run { row, .. } => Some(*row),
            Self::Group { .. } => None,
        }
    }
}

// === impl Lines ===

impl Lines {
    pub fn new(store: &Store, query: &Query, layout: &Layout) -> Self {
        let mut found: Bits = query.rows(store, store.rows());
        let mut hidden = 0;
        if !layout.hidden
            && let Some(out) = out_of_sight(store)
        {
            let before = found.count();
            found.drop(&out);
            hidden = before - found.count();
        }
        let rows = order::sorted(store, &found, &layout.sort);
        // What no run has makes no groups.
        let by: Vec<Name> = layout.group.iter().filter(|name| store.column(name).is_some()).cloned().collect();
        if !by.is_empty() {
            let groups = group(store, &rows, &by);
            let lines = grouped(store, &groups, &by, &layout.closed);
            return Self {
                lines,
                rows,
                groups,
                by,
                hidden,
            };
        }
        let lines = if layout.flat || !has_parents(store) {
            let plain = |row: &u32| Line::Run {
                row: *row,
                depth: 0,
                dimmed: false,
                children: 0,
                open: false,
            };
            rows.iter().map(plain).collect()
        } else {
            let tree = tree(store, &rows, &|row, _| layout.closed.is_open(|| store.run_id(row).to_owned()));
            let line = |line: crate::table::tree::Line| Line::Run {
                row: line.row,
                depth: line.depth,
                dimmed: line.dimmed,
                children: line.children,
                open: line.open,
            };
            tree.into_iter().map(line).collect()
        };
        Self {
            lines,
            rows,
            hidden,
            ..Self::default()
        }
    }

    /// The rows of a group.
    pub fn members(&self, group: usize) -> &[u32] {
        let group = &self.groups.groups[group];
        &self.groups.rows[group.begin..group.end]
    }

    /// The rows as they are shown, from the top.
    pub fn shown(&self) -> Vec<u32> {
        self.lines.iter().filter_map(Line::row).collect()
    }
}

/// Whether any run belongs to another.
fn has_parents(store: &Store) -> bool {
    store.find(Family::Tag, PARENT).is_some_and(|parents| parents.filled() > 0)
}

fn out_of_sight(store: &Store) -> Option<Bits> {
    let text = store.find(Family::Tag, HIDDEN)?.text()?;
    Some(text.codes.matching(&mut |code| code != u32::NONE))
}

fn grouped(store: &Store, groups: &Groups, by: &[Name], closed: &Folded) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut hidden = vec![false; groups.groups.len()];
    for (at, group) in groups.groups.iter().enumerate() {
        if group.parent.is_some_and(|parent| hidden[parent]) {
            hidden[at] = true;
            continue;
        }
        let open = closed.is_open(|| key(store, groups, by, at));
        hidden[at] = !open;
        lines.push(Line::Group { at, open });
        if open && group.level + 1 == by.len() {
            lines.extend(groups.rows[group.begin..group.end].iter().map(|row| Line::Run {
                row: *row,
                depth: by.len() as u32,
                dimmed: false,
                children: 0,
                open: false,
            }));
        }
    }
    lines
}

/// What a group is remembered by: the values of its level and of those around it.
pub fn key(store: &Store, groups: &Groups, by: &[Name], at: usize) -> String {
    let group = &groups.groups[at];
    let row = groups.rows[group.begin];
    let mut key = String::from("group");
    for name in &by[..=group.level] {
        key.push('\u{1f}');
        match store.cell(row, name) {
            Cell::Text(text) => key.push_str(text),
            Cell::Number(value) => key.push_str(&value.to_string()),
            Cell::Missing => key.push('\u{1e}'),
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let mut store = Store::default();
        let run = |id: &str, model: &str, parent: &str| {
            let tags = match parent {
                "" => String::new(),
                parent => format!(r#"{{"key":"mlflow.parentRunId","value":"{parent}"}}"#),
            };
            format!(
                r#"{{"info":{{"run_id":"{id}","run_name":"{id}"}},"data":{{"params":[{{"key":"model","value":"{model}"}}],"tags":[{tags}]}}}}"#
            )
        };
        let runs = [run("a", "x", ""), run("b", "y", "a"), run("c", "x", "a"), run("d", "y", "")];
        store.load(format!(r#"{{"runs":[{}]}}"#, runs.join(",")).as_bytes()).unwrap();
        store
    }

    fn drawn(query: &str, layout: &Layout) -> String {
        let store = store();
        let lines = Lines::new(&store, &Query::read(query).unwrap(), layout);
        let words: Vec<String> = lines
            .lines
            .iter()
            .map(|line| match line {
                Line::Group { at, open } => format!("{}{}", lines.members(*at).len(), if *open { ":" } else { "+" }),
                Line::Run {
                    row,
                    depth,
                    dimmed,
                    open,
                    children,
                } => {
                    let closed = if *children > 0 && !open { "+" } else { "" };
                    let dim = if *dimmed { "?" } else { "" };
                    format!("{}{}{dim}{closed}", "-".repeat(*depth as usize), store.run_id(*row))
                }
            })
            .collect();
        words.join(" ")
    }

    fn closed(key: &str) -> Folded {
        Folded::default().turned(key).unwrap()
    }

    #[test]
    fn runs_stand_below_their_own() {
        assert_eq!(drawn("", &Layout::default()), "a -b -c d");
        assert_eq!(drawn("params.model = 'y'", &Layout::default()), "a? -b d");
        let layout = Layout {
            closed: closed("a"),
            ..Layout::default()
        };
        assert_eq!(drawn("", &layout), "a+ d");
        assert_eq!(drawn("", &Layout { flat: true, ..layout }), "a b c d");
    }

    #[test]
    fn groups_open_and_close() {
        let model = Name::new(Family::Param, "model");
        let layout = Layout {
            group: vec![model.clone()],
            ..Layout::default()
        };
        assert_eq!(drawn("", &layout), "2: -a -c 2: -b -d");
        let layout = Layout {
            closed: closed("group\u{1f}x"),
            ..layout
        };
        assert_eq!(drawn("", &layout), "2+ 2: -b -d");
        let both = Layout {
            group: vec![model, crate::table::column::Attribute::Name.name()],
            ..layout
        };
        assert_eq!(drawn("", &both), "2+ 2: 1: --b 1: --d");
    }
}
