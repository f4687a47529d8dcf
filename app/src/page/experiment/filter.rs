//! The query line: MLflow's filter language, or plain words that are looked for in run names.

use crate::api::ApiError;

/// What MLflow is asked for. Words without any comparison look for runs with them in their name.
pub fn filter(typed: &str) -> String {
    let typed = typed.trim();
    if typed.is_empty() || is_condition(typed) {
        return typed.to_owned();
    }
    format!("attributes.run_name ILIKE '%{typed}%'")
}

/// Whether `typed` is looked for in names.
pub fn is_name(typed: &str) -> bool {
    let typed = typed.trim();
    !typed.is_empty() && !is_condition(typed)
}

fn is_condition(typed: &str) -> bool {
    let known = ["metric", "param", "tag", "attribute", "attr", "run", "dataset"];
    let family = typed.split_once('.').is_some_and(|(family, _)| {
        let family = family.trim_end_matches('s');
        known.iter().any(|known| known.trim_end_matches('s').eq_ignore_ascii_case(family))
    });
    family
        || typed.contains(['=', '<', '>', '\'', '"', '`', '('])
        || typed
            .split_whitespace()
            .any(|word| is_word(word, &["like", "ilike", "in", "and", "or", "is"]))
}

fn is_word(word: &str, of: &[&str]) -> bool {
    of.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// What is wrong with the filter, in plain words. `None`: the error is not about the filter.
pub fn explain(typed: &str, error: &ApiError) -> Option<String> {
    if error.status != 400 || typed.trim().is_empty() {
        return None;
    }
    let message = error.message.as_str();
    if message.contains("page token") || message.contains("order_by") || message.contains("max_results") {
        return None;
    }
    let said = if let Some(rest) = message.strip_prefix("Invalid comparator '") {
        let (found, rest) = rest.split_once('\'').unwrap_or((rest, ""));
        let mut known: Vec<_> = rest
            .split('\'')
            .filter(|part| part.chars().any(|c| c.is_ascii_uppercase() || "=<>".contains(c)))
            .collect();
        known.sort_by_key(|word| (word.len(), *word));
        format!("“{found}” does not compare here; use {}.", known.join(", "))
    } else if message.contains("Invalid clause") {
        if typed.split_whitespace().any(|word| is_word(word, &["or"])) {
            "MLflow joins conditions by “and” only; it knows no “or”.".into()
        } else if let Some(part) = quoted(message) {
            format!("“{part}” is not a condition; one is for example metrics.accuracy > 0.9.")
        } else {
            "Part of this is not a condition; one is for example metrics.accuracy > 0.9.".into()
        }
    } else if message.contains("Invalid entity type") {
        let found = quoted(message).unwrap_or_default();
        format!("Runs have no “{found}”; begin with metrics., params., tags., attributes. or datasets.")
    } else if message.contains("Expected a quoted string value") || message.contains("Expected a string value") {
        let found = message.rsplit_once("Got value ").map_or("value", |(_, value)| value);
        format!(
            "Params, tags and attributes compare with text: put it in quotes, '{}'.",
            found.trim_matches(['\'', '"'])
        )
    } else if message.contains("Expected numeric value type") || message.contains("Expected a numeric value") {
        "Metrics and times compare with numbers, without quotes.".into()
    } else if message.contains("Invalid attribute key") {
        let found = quoted(message).unwrap_or_default();
        format!("Runs have no attribute “{found}”; they have run_name, run_id, status, user_id, start_time, end_time and artifact_uri.")
    } else {
        format!("MLflow cannot read this: {}.", message.trim_end_matches('.'))
    };
    Some(said)
}

/// The first part in single quotes.
fn quoted(message: &str) -> Option<&str> {
    message.split('\'').nth(1).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(typed: &str, message: &str) -> String {
        let error = ApiError {
            status: 400,
            code: "INVALID_PARAMETER_VALUE".into(),
            message: message.into(),
            request_id: None,
        };
        explain(typed, &error).unwrap()
    }

    #[test]
    fn plain_words_are_looked_for_in_names() {
        assert_eq!(filter("  swift otter "), "attributes.run_name ILIKE '%swift otter%'");
        assert_eq!(filter("run-005"), "attributes.run_name ILIKE '%run-005%'");
        assert_eq!(filter("v1.2"), "attributes.run_name ILIKE '%v1.2%'");
        assert_eq!(filter(""), "");
        for condition in [
            "metrics.a > 1",
            "params.m",
            "status = 'FAILED'",
            "run_name LIKE '%a%'",
            "a or b",
            "tags.`x`",
            "it's",
        ] {
            assert_eq!(filter(condition), condition);
        }
    }

    // What MLflow 3.17.2 answers.
    #[test]
    fn errors_are_said_plainly() {
        let said = explained(
            "metric.val_acc => 3",
            "Invalid comparator '=>' not one of '{'!=', '<', '=', '>=', '>', '<='}",
        );
        assert_eq!(said, "“=>” does not compare here; use <, =, >, !=, <=, >=.");
        let said = explained(
            "attributes.run_name >= 'x'",
            "Invalid comparator '>=' not one of '{'!=', '=', 'LIKE', 'IN', 'ILIKE', 'NOT IN'}'",
        );
        assert_eq!(said, "“>=” does not compare here; use =, !=, IN, LIKE, ILIKE, NOT IN.");
        let said = explained(
            "foo.bar = 3",
            "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
        );
        assert!(said.starts_with("Runs have no “foo”"));
        let said = explained("metrics.a > 1 or metrics.b > 2", "Invalid clause(s) in filter string: 'or'");
        assert!(said.contains("no “or”"));
        let said = explained("metrics.a > 1 b", "Invalid clause(s) in filter string: 'b'");
        assert!(said.starts_with("“b” is not a condition"));
        let said = explained(
            "params.lr = 0.1",
            "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 0.1",
        );
        assert!(said.ends_with("put it in quotes, '0.1'."));
        let said = explained("metrics.a > 'x'", "Expected numeric value type for metric. Found 'x'");
        assert!(said.contains("without quotes"));
        let said = explained(
            "attributes.foo = 'x'",
            "Invalid attribute key 'foo' specified. Valid keys are '{'Created', 'run_name'}'",
        );
        assert!(said.starts_with("Runs have no attribute “foo”"));
        assert_eq!(explained("x =", "Something new."), "MLflow cannot read this: Something new.");
    }

    #[test]
    fn other_errors_are_not_the_filters() {
        let error = ApiError {
            status: 400,
            code: String::new(),
            message: "Invalid page token, could not base64-decode".into(),
            request_id: None,
        };
        assert_eq!(explain("a = 1", &error), None);
        assert_eq!(
            explain(
                "",
                &ApiError {
                    message: "x".into(),
                    ..error.clone()
                }
            ),
            None
        );
        assert_eq!(explain("a = 1", &ApiError { status: 500, ..error }), None);
    }
}
