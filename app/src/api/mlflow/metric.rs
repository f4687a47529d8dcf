//! Metrics: the last value of each is part of a run.

use serde::{Deserialize, Serialize};

use super::number;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub key: String,
    #[serde(deserialize_with = "number::float", serialize_with = "number::write_float")]
    pub value: f64,
    /// When it was logged, ms since 1970.
    #[serde(default, deserialize_with = "number::whole")]
    pub timestamp: i64,
    #[serde(default, deserialize_with = "number::whole")]
    pub step: i64,
}

// === impl Metric ===

impl Metric {
    /// The value that was logged: [`number::logged`].
    pub fn logged(&self) -> f64 {
        number::logged(self.value)
    }
}
