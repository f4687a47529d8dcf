//! Nested runs: the runs that a filter leaves, each below its parent.
//!
//! A parent that the filter does not leave is shown dimmed, so that one sees where a run belongs. It stands where the first
//! of its children stands. A run whose parent is not in the store is a root.

use super::{bits::Bits, cells::Value, column::Family, store::Store};
use crate::api::mlflow::run::tag::PARENT;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub row: u32,
    /// 0 for a root.
    pub depth: u32,
    /// It is here only for its children.
    pub dimmed: bool,
    /// How many children could be shown.
    pub children: u32,
    /// Whether they are.
    pub open: bool,
}

const NONE: u32 = u32::MAX;

/// The lines of a tree of `rows`, which are sorted as siblings shall be. `open` is asked for each line with children that
/// is to be shown: its row, and whether it is dimmed.
pub fn tree(store: &Store, rows: &[u32], open: &dyn Fn(u32, bool) -> bool) -> Vec<Line> {
    let parents = parents(store);
    let mut left = Bits::default();
    rows.iter().for_each(|row| left.insert(*row));

    // All that is shown: a dimmed line before the first one that it is there for.
    let mut shown = Vec::with_capacity(rows.len());
    let mut dimmed = Bits::default();
    for row in rows {
        let begin = shown.len();
        shown.push(*row);
        let mut parent = parents[*row as usize];
        while parent != NONE && !left.contains(parent) && !dimmed.contains(parent) {
            dimmed.insert(parent);
            shown.push(parent);
            parent = parents[parent as usize];
        }
        shown[begin..].reverse();
    }

    let mut first_child = vec![NONE; parents.len()];
    let mut next_sibling = vec![NONE; parents.len()];
    let mut children = vec![0; parents.len()];
    let mut first_root = NONE;
    for row in shown.iter().rev() {
        let head = match parents[*row as usize] {
            NONE => &mut first_root,
            parent => {
                children[parent as usize] += 1;
                &mut first_child[parent as usize]
            }
        };
        next_sibling[*row as usize] = std::mem::replace(head, *row);
    }

    let mut lines = Vec::with_capacity(shown.len());
    // What comes next: the rest of the roots, and of the children of each open line.
    let mut path = vec![first_root];
    while let Some(row) = path.pop() {
        if row == NONE {
            continue;
        }
        let depth = path.len() as u32;
        path.push(next_sibling[row as usize]);
        let dimmed = dimmed.contains(row);
        let children = children[row as usize];
        let open = children > 0 && open(row, dimmed);
        lines.push(Line {
            row,
            depth,
            dimmed,
            children,
            open,
        });
        if open {
            path.push(first_child[row as usize]);
        }
    }
    lines
}

/// The row of each row's parent. Runs whose tags lead in a circle have one of them as a root.
fn parents(store: &Store) -> Vec<u32> {
    let mut parents = vec![NONE; store.rows().end() as usize];
    let Some(tags) = store.find(Family::Tag, PARENT).and_then(|column| column.text()) else {
        return parents;
    };
    let by_code: Vec<u32> = tags.dict.iter().map(|(_, id)| store.row(id).unwrap_or(NONE)).collect();
    tags.codes.for_each(&mut |row, code| {
        if !code.is_none() {
            parents[row as usize] = by_code[code as usize];
        }
    });
    // Each walk upwards marks what it meets; one that meets its own mark has gone in a circle.
    let mut marks = vec![NONE; parents.len()];
    for start in 0..parents.len() as u32 {
        let mut row = start;
        while marks[row as usize] == NONE {
            marks[row as usize] = start;
            match parents[row as usize] {
                NONE => break,
                parent if marks[parent as usize] == start => {
                    parents[row as usize] = NONE;
                    break;
                }
                parent => row = parent,
            }
        }
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run `r<n>` is the child of `r<parents[n]>`.
    fn store(parents: &[Option<usize>]) -> Store {
        let mut store = Store::default();
        for (index, parent) in parents.iter().enumerate() {
            let tags = parent.map_or(String::new(), |parent| {
                format!(r#"{{"key":"mlflow.parentRunId","value":"r{parent}"}}"#)
            });
            let run = format!(r#"{{"runs":[{{"info":{{"run_id":"r{index}"}},"data":{{"tags":[{tags}]}}}}]}}"#);
            store.load(run.as_bytes()).unwrap();
        }
        store
    }

    /// `-` for each level, `()` for dimmed, `+` for closed.
    fn drawn(store: &Store, rows: &[u32], closed: &[u32]) -> String {
        let lines = tree(store, rows, &|row, _| !closed.contains(&row));
        let words: Vec<String> = lines
            .iter()
            .map(|line| {
                let text = if line.dimmed {
                    format!("({})", line.row)
                } else {
                    line.row.to_string()
                };
                let mark = if line.children > 0 && !line.open { "+" } else { "" };
                format!("{}{text}{mark}", "-".repeat(line.depth as usize))
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn children_stand_below_their_parent() {
        let store = store(&[None, Some(0), Some(1), Some(0), None, Some(99)]);
        assert_eq!(drawn(&store, &[0, 1, 2, 3, 4, 5], &[]), "0 -1 --2 -3 4 5");
        assert_eq!(drawn(&store, &[5, 4, 3, 2, 1, 0], &[]), "5 4 0 -3 -1 --2");
        assert_eq!(drawn(&store, &[0, 1, 2, 3, 4, 5], &[1]), "0 -1+ -3 4 5");
        assert_eq!(drawn(&store, &[0, 1, 2, 3, 4, 5], &[0]), "0+ 4 5");
        assert_eq!(drawn(&store, &[], &[]), "");
    }

    #[test]
    fn a_parent_that_is_filtered_out_is_dimmed() {
        let store = store(&[None, Some(0), Some(1), Some(0), None]);
        assert_eq!(drawn(&store, &[4, 2, 3], &[]), "4 (0) -(1) --2 -3");
        assert_eq!(drawn(&store, &[3, 4, 1], &[]), "(0) -3 -1 4");
        assert_eq!(drawn(&store, &[2, 0], &[0]), "0+");
    }

    #[test]
    fn circles_end() {
        let store = store(&[Some(2), Some(0), Some(1), Some(3), Some(0)]);
        let all = tree(&store, &[0, 1, 2, 3, 4], &|_, _| true);
        let mut rows: Vec<u32> = all.iter().map(|line| line.row).collect();
        rows.sort_unstable();
        assert_eq!(rows, [0, 1, 2, 3, 4]);
        assert_eq!(drawn(&store, &[4], &[]).matches('4').count(), 1);
    }

    #[test]
    fn a_long_chain_is_no_deep_call() {
        let chain: Vec<Option<usize>> = (0..50_000_usize).map(|index| index.checked_sub(1)).collect();
        let store = store(&chain);
        let lines = tree(&store, &[49_999], &|_, _| true);
        assert_eq!((lines.len(), lines[49_999].depth), (50_000, 49_999));
    }
}
