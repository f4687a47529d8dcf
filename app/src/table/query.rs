//! The query line: which runs are meant.
//!
//! [`Query::read`] parses it ([`lex`], [`parse`]) into an [`ast::Expr`], [`eval`] finds the rows of a store that it means,
//! [`split`] says what of it MLflow can search for, [`complete`] what could stand at a place, and [`write`] writes it again.
//!
//! The language is MLflow's filter language with `or`, `not`, parentheses, `~` for regular expressions, `best(metrics.x)`,
//! `min`, `max`, `first`, `last` and `step` of a metric, and words that are looked for in names. Two conditions beside each
//! other are joined by `and`. `not` means all other runs, so also those that have no value; a comparison never holds for
//! a run without the value.

pub mod ast;
pub mod complete;
pub mod eval;
mod lex;
mod like;
mod parse;
#[cfg(test)]
mod random;
#[cfg(test)]
mod reference;
pub mod split;
mod write;

use std::ops::Range;

/// Why a query cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The bytes that are wrong; at the end of the query it may be empty.
    pub span: Range<usize>,
    /// A sentence.
    pub message: String,
}

/// A query that was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// `None`: all runs.
    pub expr: Option<ast::Expr>,
}

// === impl Query ===

impl Query {
    /// # Errors
    /// It is not understood.
    pub fn read(text: &str) -> Result<Self, Error> {
        parse::parse(text).map(|expr| Self { expr })
    }
}
