//! Runs as a table: what the page of an experiment keeps in the browser. Pure calculation, without network or document.
//!
//! [`store::Store`] holds runs by [`column`]; [`load`] reads MLflow's answers into it, a page of runs at a time or one run
//! anew. A run is known by its row, a number that stays while the run is here. [`walk`] goes through all of an experiment. Everything else takes rows and gives rows:
//! [`order`] sorts them, [`group`] and [`tree`] put them into groups (also by [`folder`]) or below their parents, [`differ`] tells what they do
//! not have in common, [`select`] remembers some, and [`query`] finds those that a line of text means. Sets of rows are [`bits`], rows in an order are `Vec<u32>`.
//!
//! Texts are kept once per column and rows hold their codes ([`dict`], [`cells`]), so that a condition is tried once for
//! each distinct text, and sorting compares numbers.

pub mod bits;
pub mod cells;
pub mod column;
pub mod copy;
pub mod dict;
pub mod differ;
pub mod folder;
pub mod group;
pub mod load;
mod natural;
pub mod order;
pub mod query;
pub mod select;
pub mod store;
pub mod tree;
pub mod walk;
