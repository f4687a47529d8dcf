//! Groups rows by the values of columns, in several levels, and sums groups up.

use super::{
    cells::Value,
    column::{Cell, Column, Name},
    order::{self, Sort},
    store::Store,
};

/// Rows in groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// All rows, those of a group side by side; within a group as they were.
    pub rows: Vec<u32>,
    /// Each group before the groups in it.
    pub groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// 0 for the outermost.
    pub level: usize,
    /// The group around it, in [`Groups::groups`].
    pub parent: Option<usize>,
    /// Its rows: from here …
    pub begin: usize,
    /// … to before here in [`Groups::rows`].
    pub end: usize,
}

/// What the numbers of some rows have in common. NaN does not count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub count: usize,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    /// Of a sample; `None` for a single number.
    pub std: Option<f64>,
}

/// Groups by the first column, within these by the second, and so on. Groups are in the natural order of their values;
/// the one of the rows without a value comes last.
pub fn group(store: &Store, rows: &[u32], by: &[Name]) -> Groups {
    let by: Vec<&Column> = by.iter().filter_map(|name| store.column(name)).collect();
    let levels: Vec<Sort> = by
        .iter()
        .map(|column| Sort {
            column: column.name.clone(),
            descending: false,
        })
        .collect();
    let mut rows = rows.to_vec();
    order::sort(store, &mut rows, &levels);

    let mut groups: Vec<Group> = Vec::new();
    // The group of each level that is still open.
    let mut open: Vec<usize> = Vec::new();
    for at in 0..=rows.len() {
        let kept = match at {
            0 => 0,
            _ if at == rows.len() => 0,
            _ => by.iter().take_while(|column| column.same(rows[at - 1], rows[at])).count(),
        };
        for closed in open.drain(kept.min(open.len())..) {
            groups[closed].end = at;
        }
        if at < rows.len() {
            for level in kept..by.len() {
                let parent = open.last().copied();
                open.push(groups.len());
                groups.push(Group {
                    level,
                    parent,
                    begin: at,
                    end: at,
                });
            }
        }
    }
    Groups { rows, groups }
}

/// Sums up a column of numbers over `rows`; `None` where none has one.
pub fn summary(column: &Column, rows: &[u32]) -> Option<Summary> {
    let cells = column.number()?;
    let mut sum = Summary {
        count: 0,
        mean: 0.0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        std: None,
    };
    // Welford's way: exact also where the numbers are large and close to each other.
    let mut squares = 0.0;
    for row in rows {
        let value = cells.get(*row);
        if value.is_none() || value.is_nan() {
            continue;
        }
        sum.count += 1;
        let off = value - sum.mean;
        sum.mean += off / sum.count as f64;
        squares += off * (value - sum.mean);
        sum.min = sum.min.min(value);
        sum.max = sum.max.max(value);
    }
    sum.std = (sum.count > 1).then(|| (squares / (sum.count - 1) as f64).sqrt());
    (sum.count > 0).then_some(sum)
}

// === impl Groups ===

impl Groups {
    /// The rows of a group.
    pub fn rows(&self, group: &Group) -> &[u32] {
        &self.rows[group.begin..group.end]
    }

    /// The value that all rows of `group` have in the column of its level.
    pub fn label<'s>(&self, store: &'s Store, by: &[Name], group: &Group) -> Cell<'s> {
        let known = by.iter().filter_map(|name| store.column(name)).nth(group.level);
        known.map_or(Cell::Missing, |column| column.cell(self.rows[group.begin]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::{Attribute, Family, Stat};
    use super::*;

    fn store() -> Store {
        let mut store = Store::default();
        let runs = [
            ("adam", "RUNNING", "1.0"),
            ("sgd", "FINISHED", "2.0"),
            ("adam", "FINISHED", "\"NaN\""),
            ("adam", "FINISHED", "4.0"),
            ("", "RUNNING", "5.0"),
        ];
        for (index, (optimizer, status, loss)) in runs.into_iter().enumerate() {
            let params = if optimizer.is_empty() {
                String::new()
            } else {
                format!(r#""params":[{{"key":"opt","value":"{optimizer}"}}],"#)
            };
            let run = format!(
                r#"{{"runs":[{{"info":{{"run_id":"r{index}","status":"{status}"}},"data":{{{params}"metrics":[{{"key":"loss","value":{loss}}}]}}}}]}}"#
            );
            store.load(run.as_bytes()).unwrap();
        }
        store
    }

    #[test]
    fn groups_lie_in_groups() {
        let store = store();
        let by = [Name::new(Family::Param, "opt"), Attribute::Status.name()];
        let groups = group(&store, &[4, 3, 2, 1, 0], &by);
        assert_eq!(groups.rows, [3, 2, 0, 1, 4]);
        let said: Vec<_> = groups
            .groups
            .iter()
            .map(|group| {
                (
                    group.level,
                    group.parent,
                    groups.label(&store, &by, group),
                    groups.rows(group).to_vec(),
                )
            })
            .collect();
        let (running, finished) = (Cell::Text("RUNNING"), Cell::Text("FINISHED"));
        let expected = [
            (0, None, Cell::Text("adam"), vec![3, 2, 0]),
            (1, Some(0), finished, vec![3, 2]),
            (1, Some(0), running, vec![0]),
            (0, None, Cell::Text("sgd"), vec![1]),
            (1, Some(3), finished, vec![1]),
            (0, None, Cell::Missing, vec![4]),
            (1, Some(5), running, vec![4]),
        ];
        assert_eq!(said, expected);
        assert!(group(&store, &[], &by).groups.is_empty());
        assert_eq!(group(&store, &[2, 1], &[Name::new(Family::Tag, "none")]).rows, [2, 1]);
    }

    #[test]
    fn numbers_are_summed_up() {
        let store = store();
        let column = store.find(Family::Metric(Stat::Last), "loss").unwrap();
        let sum = summary(column, &[0, 1, 2, 3]).unwrap();
        assert_eq!((sum.count, sum.min, sum.max), (3, 1.0, 4.0));
        assert!((sum.mean - 7.0 / 3.0).abs() < 1e-12);
        assert!((sum.std.unwrap() - (7.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(summary(column, &[4]).unwrap().std, None);
        assert_eq!(summary(column, &[2]), None);
        assert_eq!(summary(store.attribute(Attribute::Status), &[0]), None);
    }
}
