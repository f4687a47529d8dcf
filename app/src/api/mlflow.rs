//! MLflow's own types and calls, as it spells them.

pub mod artifact;
pub mod experiment;
pub mod metric;
pub mod number;
pub mod registry;
pub mod run;
pub mod user;
