//! All that was logged of a metric, as MLflow tells a caller of it.

use std::borrow::Cow;

use axum::http::{HeaderValue, Method};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    Fault,
    ask::{NotTold, ask, escape, get, question},
};
use crate::upstream::Upstream;

/// MLflow gives no more points in one answer; of many runs' it leaves out the rest without a word.
pub const MOST: usize = 25_000;

/// One logged value.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Point {
    #[serde(deserialize_with = "value")]
    pub value: f64,
    #[serde(default)]
    pub step: i64,
    #[serde(default)]
    pub timestamp: i64,
}

/// One logged value of one of several runs.
#[derive(Clone, Debug, Deserialize)]
pub struct Of {
    pub run_id: String,
    #[serde(flatten)]
    pub point: Point,
}

// === impl Point ===

impl Point {
    /// NaN is the same as NaN.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.step, self.timestamp, self.value.to_bits()) == (other.step, other.timestamp, other.value.to_bits())
    }
}

/// One page of a run's points, and how to ask for the next. `None` where there is nothing that the caller may read.
///
/// # Errors
/// [`NotTold`].
pub async fn page(
    upstream: &Upstream,
    authorization: &HeaderValue,
    run: &str,
    metric: &str,
    token: Option<&str>,
) -> Result<Option<(Vec<Point>, Option<String>)>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        metrics: Vec<Point>,
        next_page_token: Option<String>,
    }
    let token = token.map(|token| format!("&page_token={}", escape(token))).unwrap_or_default();
    let (run, metric) = (escape(run), escape(metric));
    let path = format!("/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key={metric}&max_results={MOST}{token}");
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    Ok(answer.map(|answer| (answer.metrics, answer.next_page_token.filter(|token| !token.is_empty()))))
}

/// The points of at most 100 runs, run by run, at most [`MOST`] together. `None` where the caller may not read one of them.
///
/// # Errors
/// [`NotTold`].
pub async fn bulk(upstream: &Upstream, authorization: &HeaderValue, runs: &[String], metric: &str) -> Result<Option<Vec<Of>>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        metrics: Vec<Of>,
    }
    let runs: Vec<String> = runs.iter().map(|run| format!("run_id={}", escape(run))).collect();
    let (runs, metric) = (runs.join("&"), escape(metric));
    let path = format!("/ajax-api/2.0/mlflow/metrics/get-history-bulk?{runs}&metric_key={metric}&max_results={MOST}");
    let Some(answer) = ask(question(upstream, authorization, Method::GET, &path)?).await? else {
        return Ok(None);
    };
    let bytes = answer.bytes().await.map_err(|_| Fault::Unreachable)?;
    let answer: Answer = serde_json::from_slice(&quoted(&bytes)).map_err(|_| Fault::NotMlflow)?;
    Ok(Some(answer.metrics))
}

/// A number, or the name of one that JSON has no number for.
pub fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Number(f64),
        Name(String),
    }
    match Value::deserialize(deserializer)? {
        Value::Number(number) => Ok(number),
        Value::Name(name) => match name.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => Err(D::Error::custom("no number")),
        },
    }
}

/// JSON as it should be: this route of MLflow's writes `NaN` without quotes.
fn quoted(json: &[u8]) -> Cow<'_, [u8]> {
    const NAMES: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    let mut out: Option<Vec<u8>> = None;
    let (mut copied, mut at, mut is_text) = (0, 0, false);
    while let Some(byte) = json.get(at) {
        match byte {
            b'\\' if is_text => at += 1,
            b'"' => is_text = !is_text,
            b'N' | b'I' | b'-' if !is_text => {
                if let Some(name) = NAMES.into_iter().find(|name| json[at..].starts_with(name)) {
                    let out = out.get_or_insert_with(|| Vec::with_capacity(json.len() + json.len() / 8));
                    out.extend_from_slice(&json[copied..at]);
                    out.push(b'"');
                    out.extend_from_slice(name);
                    out.push(b'"');
                    at += name.len();
                    copied = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    match out {
        None => Cow::Borrowed(json),
        Some(mut out) => {
            out.extend_from_slice(&json[copied..]);
            Cow::Owned(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Of, quoted};

    #[test]
    fn names_of_numbers_are_quoted_and_texts_stay() {
        let json = br#"[NaN, {"key": "NaN \" NaN", "value":-Infinity}, Infinity, -1, "\\", NaN]"#;
        let quoted = String::from_utf8(quoted(json).into_owned()).unwrap();
        assert_eq!(
            quoted,
            r#"["NaN", {"key": "NaN \" NaN", "value":"-Infinity"}, "Infinity", -1, "\\", "NaN"]"#
        );
    }

    #[test]
    fn points_are_read_whatever_their_value() {
        let read = |text: &str| serde_json::from_str::<Of>(text).unwrap().point.value;
        assert!(read(r#"{"key":"a","run_id":"r","step":1,"timestamp":2,"value":"NaN"}"#).is_nan());
        assert_eq!(read(r#"{"run_id":"r","value":"-Infinity"}"#), f64::NEG_INFINITY);
        assert_eq!(read(r#"{"run_id":"r","value":1.7976931348623157e308}"#), f64::MAX);
        assert_eq!(read(r#"{"run_id":"r","value":3}"#), 3.0);
        assert!(serde_json::from_str::<Of>(r#"{"run_id":"r","value":"many"}"#).is_err());
    }
}
