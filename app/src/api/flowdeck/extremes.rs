//! The least, largest and first values of metrics, from their whole histories.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{ApiError, Client, Method, Result, json, mlflow::number};

/// Of one metric of one run.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Extremes {
    /// `None` where all values are NaN.
    #[serde(default, deserialize_with = "maybe_float")]
    pub min: Option<f64>,
    #[serde(default, deserialize_with = "maybe_float")]
    pub max: Option<f64>,
    #[serde(deserialize_with = "number::float")]
    pub first: f64,
}

/// What was found of a run. `None`: the history is too long to be read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Found {
    pub run: String,
    pub metrics: BTreeMap<String, Option<Extremes>>,
}

/// Runs of an experiment that are asked for at once.
pub const MOST: usize = 50;
/// Metrics that are asked for at once.
pub const METRICS: usize = 50;

/// Runs that one may not see are left out.
///
/// # Errors
/// MLflow's, also where only part of the answer came.
pub async fn ask(client: &Client, experiments: &[String], runs: &[String], metrics: &[String]) -> Result<Vec<Found>> {
    #[derive(Serialize)]
    struct Ask<'a> {
        experiments: &'a [String],
        runs: &'a [String],
        metrics: &'a [String],
    }
    let body = Ask {
        experiments,
        runs,
        metrics,
    };
    let body = serde_json::to_string(&body).map_err(|error| ApiError::unreadable(&error))?;
    read(&client.text(Method::Post, "/api/flowdeck/v1/metrics/extremes", Some(body)).await?)
}

/// One run a line.
fn read(text: &str) -> Result<Vec<Found>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Line {
        Found(Found),
        Failed { error: Failure },
    }
    #[derive(Deserialize)]
    struct Failure {
        #[serde(default)]
        message: String,
    }
    let lines = text.lines().filter(|line| !line.is_empty());
    let read = |line: &str| match json::from_str(line).map_err(|error| ApiError::unreadable(&error))? {
        Line::Found(found) => Ok(found),
        Line::Failed { error } => Err(ApiError::unreachable(error.message)),
    };
    lines.map(read).collect()
}

fn maybe_float<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    struct Float(#[serde(deserialize_with = "number::float")] f64);
    Ok(Option::<Float>::deserialize(from)?.map(|float| float.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let text = concat!(
            r#"{"run":"a","metrics":{"loss":{"count":5,"min":0.5,"min_step":1,"max":"Infinity","max_step":0,"first":"NaN","last":2.0},"long":null}}"#,
            "\n",
            r#"{"run":"b","metrics":{"x":{"count":1,"min":null,"min_step":null,"max":null,"max_step":null,"first":"NaN","last":"NaN"}}}"#,
            "\n"
        );
        let found = read(text).unwrap();
        let loss = found[0].metrics["loss"].unwrap();
        assert_eq!((loss.min, loss.max), (Some(0.5), Some(f64::INFINITY)));
        assert!(loss.first.is_nan() && found[0].metrics["long"].is_none());
        assert_eq!(found[1].metrics["x"].unwrap().min, None);
        let failed = format!("{text}{}", r#"{"error":{"error_code":"X","message":"MLflow is away"}}"#);
        assert_eq!(read(&failed).unwrap_err().message, "MLflow is away");
    }
}
