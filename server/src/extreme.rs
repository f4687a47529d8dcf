//! The extremes of metrics: the least and the greatest of all values that a run has logged, and the first and the last.

pub mod cache;
pub mod find;
pub mod rest;

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use self::cache::Cache;
use crate::{
    limit::share::Shares,
    mlflow::history::{self, Point},
};

/// What one metric of one run has been. Numbers that JSON has no number for are `"NaN"`, `"Infinity"` and `"-Infinity"`. NaN is counted,
/// and can be the first or the last, but is neither the least nor the greatest; where all values are NaN, there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Extremes {
    pub count: u64,
    #[schema(value_type = Option<f64>)]
    pub min: Option<Number>,
    /// The first step at which it was the least.
    pub min_step: Option<i64>,
    #[schema(value_type = Option<f64>)]
    pub max: Option<Number>,
    pub max_step: Option<i64>,
    /// At the lowest step.
    #[schema(value_type = f64)]
    pub first: Number,
    /// At the highest step: what MLflow shows as the metric's value.
    #[schema(value_type = f64)]
    pub last: Number,
}

/// A number as MLflow writes it into JSON.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Number(#[serde(deserialize_with = "history::value")] pub f64);

/// What serves them: what is known already, and a line for the calls of each party.
pub struct Service {
    pub cache: Cache,
    lines: Arc<Shares>,
}

/// The extremes of the points so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Folded {
    count: u64,
    min: Option<Point>,
    max: Option<Point>,
    first: Option<Point>,
    last: Option<Point>,
}

// === impl Service ===

impl Service {
    pub fn new(cache: Cache) -> Self {
        Self {
            cache,
            lines: Arc::default(),
        }
    }
}

// === impl Folded ===

impl Folded {
    pub fn add(&mut self, point: Point) {
        self.count += 1;
        let value = point.value;
        let better = |best: &Point, is_better: bool| is_better || (value == best.value && point.step < best.step);
        if !value.is_nan() {
            self.min = self.min.filter(|best| !better(best, value < best.value)).or(Some(point));
            self.max = self.max.filter(|best| !better(best, value > best.value)).or(Some(point));
        }
        // As MLflow finds a run's latest value.
        let order = |point: &Point| (point.step, point.timestamp);
        let is_first = |first: &Point| order(&point).cmp(&order(first)).then(value.total_cmp(&first.value)).is_lt();
        let is_last = |last: &Point| order(&point).cmp(&order(last)).then(value.total_cmp(&last.value)).is_gt();
        self.first = self.first.filter(|first| !is_first(first)).or(Some(point));
        self.last = self.last.filter(|last| !is_last(last)).or(Some(point));
    }

    pub fn last(&self) -> Option<Point> {
        self.last
    }

    /// `None` where there was no point.
    pub fn extremes(&self) -> Option<Extremes> {
        let number = |point: Point| Number(point.value);
        Some(Extremes {
            count: self.count,
            min: self.min.map(number),
            min_step: self.min.map(|point| point.step),
            max: self.max.map(number),
            max_step: self.max.map(|point| point.step),
            first: self.first.map(number)?,
            last: self.last.map(number)?,
        })
    }
}

// === impl Number ===

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            value => serializer.serialize_f64(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Extremes, Folded};
    use crate::mlflow::history::Point;

    fn of(points: &[(i64, f64)]) -> Option<Extremes> {
        let mut folded = Folded::default();
        for (number, (step, value)) in points.iter().enumerate() {
            folded.add(Point {
                value: *value,
                step: *step,
                timestamp: number as i64,
            });
        }
        folded.extremes()
    }

    #[test]
    fn the_first_of_equals_counts_whatever_the_order() {
        let expected = json!({
            "count": 5, "min": -1.0, "min_step": 1, "max": 7.0, "max_step": 3, "first": 2.0, "last": 7.0,
        });
        let points = [(0, 2.0), (1, -1.0), (2, -1.0), (3, 7.0), (4, 7.0)];
        assert_eq!(json!(of(&points)), expected);
        let turned: Vec<_> = points.into_iter().rev().collect();
        assert_eq!(json!(of(&turned)), expected);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn nan_counts_and_is_no_extreme_and_infinity_is_one() {
        let told = json!(of(&[(0, f64::NAN), (1, f64::INFINITY), (2, f64::NEG_INFINITY), (3, f64::NAN)]));
        let expected = json!({
            "count": 4, "min": "-Infinity", "min_step": 2, "max": "Infinity", "max_step": 1, "first": "NaN", "last": "NaN",
        });
        assert_eq!(told, expected);
        let back: Extremes = serde_json::from_value(told.clone()).unwrap();
        assert_eq!(json!(back), told);
        let only = json!(of(&[(0, f64::NAN)]));
        assert_eq!(
            (&only["count"], &only["min"], &only["max_step"]),
            (&json!(1), &json!(null), &json!(null))
        );
    }

    #[test]
    fn of_one_step_the_later_value_is_the_last() {
        let told = of(&[(5, 1.0), (5, 2.0)]).unwrap();
        assert_eq!((told.first.0, told.last.0), (1.0, 2.0));
    }
}
