//! Writes a query again: for people, and for MLflow.

use std::fmt;

use super::{
    Query,
    ast::{Best, Expr, Operator, Subject, Test},
};
use crate::table::column::{Attribute, Family, Stat};

/// More in a list are too many for the parser that MLflow uses.
const LONGEST_LIST: usize = 200;

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.as_ref().map_or(Ok(()), |expr| write!(f, "{expr}"))
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => joined(f, parts, " and "),
            Self::Or(parts) => joined(f, parts, " or "),
            Self::Not(part) => write!(f, "not {}", Inner(part)),
            Self::Compare(subject, test) => f.write_str(&compared(subject, test)),
            Self::Best(Best { metric, smallest, count }) => {
                write!(f, "best(metrics.{}", key(&metric.key))?;
                if *smallest {
                    f.write_str(", min")?;
                }
                if *count != 1 {
                    write!(f, ", {count}")?;
                }
                f.write_str(")")
            }
            Self::Named(text) => f.write_str(&named(text)),
        }
    }
}

/// In parentheses, if it needs them.
struct Inner<'a>(&'a Expr);

impl fmt::Display for Inner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::And(_) | Expr::Or(_) => write!(f, "({})", self.0),
            plain => write!(f, "{plain}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expr], join: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(join)?;
        }
        write!(f, "{}", Inner(part))?;
    }
    Ok(())
}

fn named(text: &str) -> String {
    let reserved = ["and", "or", "not"].into_iter().any(|word| text.eq_ignore_ascii_case(word));
    let plain = text.starts_with(char::is_alphanumeric) && text.chars().all(|letter| letter.is_alphanumeric() || "-_/".contains(letter));
    // One that could be read as something else is put in quotes.
    if plain && !reserved { text.to_owned() } else { quoted(text, '\'') }
}

fn compared(subject: &Subject, test: &Test) -> String {
    let sign = |sign: &str, text: &str| format!("{} {sign} {}", subject_text(subject), quoted(text, '\''));
    let list = |word: &str, texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text, '\'')).collect();
        format!("{} {word} ({})", subject_text(subject), texts.join(", "))
    };
    match test {
        Test::Number(operator, value) => format!("{} {} {}", subject_text(subject), operator.sign(), number(*value)),
        Test::Equal(text) => sign("=", text),
        Test::Unequal(text) => sign("!=", text),
        Test::Like(text) => sign("LIKE", text),
        Test::Ilike(text) => sign("ILIKE", text),
        Test::Matches(pattern) => sign("~", pattern.text()),
        Test::In(texts) => list("IN", texts),
        Test::NotIn(texts) => list("NOT IN", texts),
        Test::Missing => format!("{} IS NULL", subject_text(subject)),
        Test::Present => format!("{} IS NOT NULL", subject_text(subject)),
    }
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Dataset(field) => format!("datasets.{}", field.key()),
        Subject::Column(name) => match name.family {
            Family::Attribute | Family::Folder => name.key.clone(),
            Family::Param => format!("params.{}", key(&name.key)),
            Family::Tag => format!("tags.{}", key(&name.key)),
            Family::Dataset => "datasets.name".into(),
            Family::Metric(stat) => {
                let metric = format!("metrics.{}", key(&name.key));
                match stat {
                    Stat::Last => metric,
                    Stat::First => format!("first({metric})"),
                    Stat::Min => format!("min({metric})"),
                    Stat::Max => format!("max({metric})"),
                    Stat::Step => format!("step({metric})"),
                }
            }
        },
    }
}

pub fn key(key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    if plain { key.to_owned() } else { quoted(key, '`') }
}

pub fn quoted(text: &str, quote: char) -> String {
    let text = text.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{text}{quote}")
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "1e999".into(),
        f64::NEG_INFINITY => "-1e999".into(),
        _ if value == 0.0 || (1e-5..1e15).contains(&value.abs()) => format!("{value}"),
        _ => format!("{value:e}"),
    }
}

/// What MLflow is told in place of a condition.
pub struct ForMlflow {
    pub filter: String,
    /// It finds these runs and no others.
    pub exact: bool,
}

/// `None`: MLflow has no way to say it.
pub fn for_mlflow(subject: &Subject, test: &Test) -> Option<ForMlflow> {
    let Subject::Column(name) = subject else {
        return text_for_mlflow(subject, test, true);
    };
    match name.family {
        Family::Metric(Stat::Last) => number_for_mlflow(subject, test),
        Family::Attribute => match Attribute::read(&name.key)? {
            attribute if !attribute.is_searchable() => None,
            attribute if attribute.is_number() => number_for_mlflow(subject, test),
            attribute => text_for_mlflow(subject, test, attribute == Attribute::RunId),
        },
        Family::Param | Family::Tag => match test {
            Test::Missing => exact(format!("{} IS NULL", strict(subject)?)),
            Test::Present => exact(format!("{} IS NOT NULL", strict(subject)?)),
            _ => text_for_mlflow(subject, test, false),
        },
        Family::Metric(_) | Family::Dataset | Family::Folder => None,
    }
}

/// As [`for_mlflow`], for a part of the name. Of what databases do not agree about, anything is let through.
pub fn named_for_mlflow(text: &str) -> Option<ForMlflow> {
    let pattern: String = text
        .chars()
        .map(|letter| if "%_".contains(letter) { '_' } else { letter })
        .collect();
    let mut written = like("attributes.run_name".into(), "ILIKE", &format!("%{pattern}%"))?;
    written.exact &= !text.contains(['%', '_']);
    Some(written)
}

fn number_for_mlflow(subject: &Subject, test: &Test) -> Option<ForMlflow> {
    match test {
        Test::Number(operator, value) if value.is_finite() => exact(format!("{} {} {}", strict(subject)?, operator.sign(), number(*value))),
        _ => None,
    }
}

fn text_for_mlflow(subject: &Subject, test: &Test, lists: bool) -> Option<ForMlflow> {
    let name = strict(subject)?;
    let equal = |operator: Operator, text| exact(format!("{name} {} {}", operator.sign(), text_strict(text)?));
    let list = |word, texts: &[String]| {
        // What is in a list is read as Python reads it.
        let plain = |text: &&String| !text.contains('\\') && !text.chars().any(char::is_control);
        let texts: Vec<String> = texts.iter().take_while(plain).filter_map(|text| text_strict(text)).collect();
        (texts.len() <= LONGEST_LIST)
            .then(|| format!("{name} {word} ({})", texts.join(", ")))
            .map(|filter| (filter, texts.len()))
    };
    match test {
        Test::Equal(text) => equal(Operator::Equal, text),
        Test::Unequal(text) => equal(Operator::Unequal, text),
        Test::Like(pattern) => like(name, "LIKE", pattern),
        Test::Ilike(pattern) => like(name, "ILIKE", pattern),
        Test::In(texts) | Test::NotIn(texts) if lists => {
            let word = if matches!(test, Test::In(_)) { "IN" } else { "NOT IN" };
            let (filter, count) = list(word, texts)?;
            if count == texts.len() { exact(filter) } else { None }
        }
        _ => None,
    }
}

/// Backslashes, and the case of letters beyond ASCII, mean different things to different databases.
fn like(name: String, word: &str, pattern: &str) -> Option<ForMlflow> {
    let vague = |letter: char| letter == '\\' || (word == "ILIKE" && !letter.is_ascii());
    let exact = !pattern.contains(vague);
    let pattern = pattern.replace(vague, "%");
    Some(ForMlflow {
        filter: format!("{name} {word} {}", text_strict(&pattern)?),
        exact,
    })
}

fn exact(filter: String) -> Option<ForMlflow> {
    Some(ForMlflow { filter, exact: true })
}

/// As MLflow reads it; `None` where it would read something else.
fn strict(subject: &Subject) -> Option<String> {
    let Subject::Column(name) = subject else {
        return Some(subject_text(subject));
    };
    let family = match name.family {
        Family::Metric(_) => "metrics",
        Family::Param => "params",
        Family::Tag => "tags",
        Family::Attribute | Family::Dataset | Family::Folder => return Some(format!("attributes.{}", name.key)),
    };
    // No key of MLflow's has a backtick in it.
    (!name.key.contains(['`', '\0'])).then(|| format!("{family}.`{}`", name.key))
}

/// MLflow knows no way to write a quote in a text of the same quotes, and a backslash may hide the end.
fn text_strict(text: &str) -> Option<String> {
    let quote = ['\'', '"'].into_iter().find(|quote| !text.contains(*quote))?;
    (!text.contains(['\\', '\0'])).then(|| format!("{quote}{text}{quote}"))
}
