//! What of a query MLflow can search for.

use super::{
    Query,
    ast::{Expr, Test},
    write::{ForMlflow, for_mlflow, named_for_mlflow},
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// A filter for MLflow. It finds all runs that are meant, and others where `local` is set.
    pub filter: String,
    /// The whole query has still to be tried on the runs that the filter finds.
    pub local: bool,
    /// Which runs are meant is known only when all that the filter finds are here.
    pub all: bool,
}

// === impl Query ===

impl Query {
    pub fn split(&self) -> Split {
        let Some(expr) = &self.expr else { return Split::default() };
        let mut conditions = Vec::new();
        let exact = push(expr, false, &mut conditions);
        Split {
            filter: conditions.join(" and "),
            local: !exact,
            all: expr.has_best(),
        }
    }
}

/// Adds conditions that hold for all runs that `expr` means, or the opposite of it. Whether they say all of it.
fn push(expr: &Expr, negated: bool, conditions: &mut Vec<String>) -> bool {
    let written = match (expr, negated) {
        (Expr::And(parts), false) | (Expr::Or(parts), true) => {
            let mut exact = true;
            for part in parts {
                exact &= push(part, negated, conditions);
            }
            return exact;
        }
        (Expr::Not(part), _) => return push(part, !negated, conditions),
        (Expr::Compare(subject, test), false) => for_mlflow(subject, test),
        // The only comparisons of which each holds where the other does not.
        (Expr::Compare(subject, Test::Missing), true) => for_mlflow(subject, &Test::Present),
        (Expr::Compare(subject, Test::Present), true) => for_mlflow(subject, &Test::Missing),
        (Expr::Named(text), false) => named_for_mlflow(text),
        _ => None,
    };
    let Some(ForMlflow { filter, exact }) = written else { return false };
    conditions.push(filter);
    exact
}
