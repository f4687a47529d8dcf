//! One line of a history: the same, done by the same person in the same way, one time after the other.

use serde::{Deserialize, Serialize};

use super::words::words;
use crate::api::flowdeck::audit::Row;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub what: String,
    pub about: Option<About>,
    pub user: Option<String>,
    /// Where only one person's are told of: the way in, the id of the key, the address.
    pub from: Option<(String, Option<String>, Option<String>)>,
    /// The answer, where nothing came of it.
    pub refused: Option<u16>,
    pub times: usize,
    /// The last and the first of them, ms since 1970.
    pub last: i64,
    pub first: i64,
}

/// What it was done to, where the page does not say that already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum About {
    Experiment(String),
    Run(String),
    Model(String),
}

/// What the page of a history says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Experiment,
    Run,
    User,
}

/// `rows` are sorted by time.
pub fn group(rows: impl IntoIterator<Item = Row>, known: Known) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for row in rows {
        let change = Change::of(row, known);
        match changes.last_mut() {
            Some(last) if last.is_like(&change) => {
                last.times += 1;
                last.first = change.first;
            }
            _ => changes.push(change),
        }
    }
    changes
}

// === impl Change ===

impl Change {
    fn of(row: Row, known: Known) -> Self {
        let is_one = known == Known::User;
        let run = row.runs.into_iter().next().filter(|_| known != Known::Run).map(About::Run);
        let experiment = row.experiments.into_iter().next().filter(|_| is_one).map(About::Experiment);
        let model = row.models.into_iter().next().filter(|_| is_one).map(About::Model);
        Self {
            what: words(&row.method, &row.route),
            about: run.or(experiment).or(model),
            user: row.user,
            from: is_one.then_some((row.way, row.key, row.address)),
            refused: (row.status >= 400).then_some(row.status),
            times: 1,
            last: row.at,
            first: row.at,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        let same = |change: &Self| {
            (
                change.what.clone(),
                change.about.clone(),
                change.user.clone(),
                change.from.clone(),
                change.refused,
            )
        };
        same(self) == same(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: i64, user: &str, route: &str, status: u16) -> Row {
        let text = format!(
            r#"{{"id":{at},"at":{at},"user":"{user}","method":"POST","route":"{route}","runs":["r"],"experiments":["7"],"status":{status},"way":"key","key":"k"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_same_by_the_same_person_is_one_line() {
        let metric = "/2.0/mlflow/runs/log-metric";
        let rows = [
            row(9, "ada", metric, 200),
            row(8, "ada", metric, 200),
            row(7, "ada", metric, 403),
            row(6, "bob", metric, 200),
            row(5, "bob", "/3.0/mlflow/something", 200),
        ];
        let found = group(rows, Known::Run);
        let short: Vec<_> = found
            .iter()
            .map(|change| (change.what.as_str(), change.times, change.first, change.refused))
            .collect();
        assert_eq!(
            short,
            [
                ("logged a metric", 2, 8, None),
                ("logged a metric", 1, 7, Some(403)),
                ("logged a metric", 1, 6, None),
                ("POST /3.0/mlflow/something", 1, 5, None),
            ]
        );
    }

    #[test]
    fn a_page_repeats_nothing_that_it_says_already() {
        let about = |known| group([row(1, "ada", "/x", 200)], known).remove(0);
        assert_eq!((about(Known::Run).about, about(Known::Run).from), (None, None));
        assert_eq!(about(Known::Experiment).about, Some(About::Run("r".into())));
        let one = about(Known::User);
        assert_eq!(one.about, Some(About::Run("r".into())));
        assert_eq!(one.from, Some(("key".into(), Some("k".into()), None)));
        let other = row(2, "ada", "/x", 200);
        let by_password = Row {
            way: "basic".into(),
            key: None,
            ..other.clone()
        };
        assert_eq!(group([by_password, other], Known::User).len(), 2);
    }
}
