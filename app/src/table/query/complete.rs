//! What could stand at a place of a query.

use std::ops::Range;

use super::{
    ast::{Field, Subject},
    lex::{self, Kind},
    parse::{self, Expected},
    write,
};
use crate::{
    order::sort_by,
    table::{
        cells::Value,
        column::{Attribute, Dataset, Family, Stat},
        store::Store,
    },
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The bytes that an offer replaces: what is typed of the word at the cursor.
    pub span: Range<usize>,
    pub offers: Vec<Offer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub text: String,
    pub kind: Offered,
    /// How many runs have it.
    pub runs: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    Key,
    Operator,
    Value,
    /// `and`, `or`, `not`, `best(`.
    Word,
}

/// More are not offered: the list is drawn with each key.
const MOST: usize = 20;

/// What could stand at `cursor`, a place in bytes; the likeliest first.
pub fn complete(store: &Store, query: &str, cursor: usize) -> Completion {
    let Some(before) = query.get(..cursor) else {
        return Completion::default();
    };
    let tokens = lex::lex(before);
    let typed = tokens.last().filter(|token| {
        let cut = matches!(token.kind, Kind::Word | Kind::Sign | Kind::Unclosed) && token.span.end == cursor;
        cut && !(token.kind == Kind::Sign)
    });
    let begin = typed.map_or(cursor, |token| token.span.start);
    let typed = &before[begin..];
    let mut offers = match parse::expected(&before[..begin]) {
        Expected::Term => terms(store, typed),
        Expected::More => {
            let mut offers = words(&["and", "or"], typed);
            offers.extend(if typed.is_empty() { Vec::new() } else { terms(store, typed) });
            offers
        }
        Expected::Operator(subject) => operators(&subject, typed),
        Expected::Value(subject) => values(store, &subject, typed),
        Expected::Metric => keys(store, typed, &[Family::Metric(Stat::Last)]),
        Expected::Nothing => Vec::new(),
    };
    offers.truncate(MOST);
    // There is nothing to choose where all is typed.
    if offers.len() == 1 && offers[0].text == typed {
        offers.clear();
    }
    Completion {
        span: begin..cursor,
        offers,
    }
}

fn offer(text: impl Into<String>, kind: Offered) -> Offer {
    Offer {
        text: text.into(),
        kind,
        runs: None,
    }
}

fn begins(text: &str, typed: &str) -> bool {
    text.get(..typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
}

fn words(words: &[&str], typed: &str) -> Vec<Offer> {
    words
        .iter()
        .filter(|word| begins(word, typed))
        .map(|word| offer(*word, Offered::Word))
        .collect()
}

fn terms(store: &Store, typed: &str) -> Vec<Offer> {
    let families = [
        Family::Metric(Stat::Last),
        Family::Param,
        Family::Tag,
        Family::Attribute,
        Family::Dataset,
    ];
    let mut offers = Vec::new();
    if !typed.contains('.') {
        let prefixes = families.map(prefix);
        let prefixes = prefixes.into_iter().filter(|prefix| begins(prefix, typed));
        offers.extend(prefixes.map(|prefix| offer(prefix, Offered::Key)));
        offers.extend(words(&["not", "best(", "min(", "max("], typed));
    }
    // Nothing typed yet: the whole list of keys would hide the rest.
    if !typed.is_empty() {
        offers.extend(keys(store, typed, &families));
    }
    offers
}

fn prefix(family: Family) -> &'static str {
    match family {
        Family::Attribute => "attributes.",
        Family::Param => "params.",
        Family::Tag => "tags.",
        Family::Metric(_) => "metrics.",
        Family::Dataset => "datasets.",
        Family::Folder => "folders.",
    }
}

/// The keys that hold what is typed; first those that begin with it, then those that more runs have.
fn keys(store: &Store, typed: &str, families: &[Family]) -> Vec<Offer> {
    let (typed_family, typed_key) = match typed.split_once('.') {
        Some((family, key)) => (family, key),
        None => ("", typed),
    };
    let wanted = typed_key.trim_matches(['`', '"']).to_lowercase();
    let mut found: Vec<(bool, usize, Offer)> = Vec::new();
    let mut add = |key: &str, text: String, runs: usize| {
        let lower = key.to_lowercase();
        if lower.contains(&wanted) {
            let offer = Offer {
                text,
                kind: Offered::Key,
                runs: Some(runs),
            };
            found.push((!lower.starts_with(&wanted), usize::MAX - runs, offer));
        }
    };
    let in_family = |family: Family| families.contains(&family) && begins(prefix(family), typed_family);
    for column in store.columns() {
        let (family, key) = (column.name.family, &column.name.key);
        if family == Family::Attribute || family == Family::Dataset || !in_family(family) || column.filled() == 0 {
            continue;
        }
        add(key, format!("{}{}", prefix(family), write::key(key)), column.filled());
    }
    if in_family(Family::Attribute) {
        for attribute in Attribute::ALL {
            add(
                attribute.key(),
                format!("attributes.{}", attribute.key()),
                store.attribute(attribute).filled(),
            );
        }
    }
    if in_family(Family::Dataset)
        && let Some(column) = store.find(Family::Dataset, "").filter(|column| column.filled() > 0)
    {
        for field in Field::ALL {
            add(field.key(), format!("datasets.{}", field.key()), column.filled());
        }
    }
    sort_by(&mut found, |a, b| (a.0, a.1, &a.2.text).cmp(&(b.0, b.1, &b.2.text)));
    found.into_iter().map(|(_, _, offer)| offer).collect()
}

fn operators(subject: &Subject, typed: &str) -> Vec<Offer> {
    let all: &[&str] = if parse::is_number(subject) {
        &["<", "<=", ">", ">=", "=", "!=", "IS NULL", "IS NOT NULL"]
    } else {
        &["=", "!=", "LIKE", "ILIKE", "~", "IN", "NOT IN", "IS NULL", "IS NOT NULL"]
    };
    let fitting = all.iter().filter(|operator| begins(operator, typed));
    fitting.map(|operator| offer(*operator, Offered::Operator)).collect()
}

/// The texts of a column that hold what is typed, the most frequent first.
fn values(store: &Store, subject: &Subject, typed: &str) -> Vec<Offer> {
    let column = match subject {
        Subject::Column(name) => store.column(name),
        Subject::Dataset(_) => store.find(Family::Dataset, ""),
    };
    let Some(text) = column.and_then(|column| column.text()) else {
        return Vec::new();
    };
    let mut counts = vec![0_usize; text.dict.len() as usize];
    text.codes.for_each(&mut |_, code| {
        if !code.is_none() {
            counts[code as usize] += 1;
        }
    });
    let wanted = typed.trim_matches(['\'', '"']).to_lowercase();
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (code, value) in text.dict.iter().filter(|(code, _)| counts[*code as usize] > 0) {
        let count = counts[code as usize];
        match subject {
            Subject::Column(_) => found.push((count, value)),
            Subject::Dataset(field) => {
                let fields = Dataset::read(value).filter_map(|dataset| match field {
                    Field::Name => Some(dataset.name),
                    Field::Digest => Some(dataset.digest),
                    Field::Context => dataset.context,
                });
                for value in fields {
                    match found.iter_mut().find(|(_, other)| *other == value) {
                        Some((sum, _)) => *sum += count,
                        None => found.push((count, value)),
                    }
                }
            }
        }
    }
    found.retain(|(_, value)| value.to_lowercase().contains(&wanted));
    sort_by(&mut found, |a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let found = found.into_iter().take(MOST);
    found
        .map(|(runs, value)| Offer {
            text: write::quoted(value, '\''),
            kind: Offered::Value,
            runs: Some(runs),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let mut store = Store::default();
        let page = br#"{"runs":[
            {"info":{"run_id":"1","status":"FINISHED"},"data":{"metrics":[{"key":"loss","value":1},{"key":"val loss","value":1}],"params":[{"key":"lr","value":"it's"}]}},
            {"info":{"run_id":"2","status":"RUNNING"},"data":{"metrics":[{"key":"loss","value":1}],"params":[{"key":"lr","value":"0.1"}]}},
            {"info":{"run_id":"3","status":"FINISHED"},"data":{"params":[{"key":"lr","value":"0.1"}],"tags":[{"key":"lost","value":"x"}]},
             "inputs":{"dataset_inputs":[{"dataset":{"name":"toy","digest":"d"}}]}}]}"#;
        store.load(page).unwrap();
        store
    }

    /// What is offered at `|`, and what that would replace.
    fn offered(query: &str) -> (String, Vec<String>) {
        let cursor = query.find('|').unwrap();
        let query = query.replace('|', "");
        let Completion { span, offers } = complete(&store(), &query, cursor);
        (query[span].to_owned(), offers.into_iter().map(|offer| offer.text).collect())
    }

    #[test]
    fn keys_and_words_are_offered() {
        let (typed, texts) = offered("status = 'x' and lo|ss");
        assert_eq!(
            (typed.as_str(), texts),
            ("lo", vec!["metrics.loss".into(), "tags.lost".into(), "metrics.`val loss`".into()])
        );
        assert_eq!(offered("not metrics.v|").1, ["metrics.`val loss`"]);
        assert_eq!(offered("best(|").1, ["metrics.loss", "metrics.`val loss`"]);
        assert_eq!(offered("params.lr = '0.1' a|").1[0], "and");
        assert_eq!(offered("|").1[..2], ["metrics.", "params."]);
        assert_eq!(offered("datasets.na|").1, ["datasets.name"]);
        assert!(offered("tags.lost|").1.is_empty());
    }

    #[test]
    fn operators_and_values_are_offered() {
        assert_eq!(offered("params.lr n|").1, ["NOT IN"]);
        assert!(offered("metrics.loss |").1.contains(&"<=".to_owned()));
        assert_eq!(offered("params.lr = |").1, ["'0.1'", "'it''s'"]);
        assert_eq!(offered("params.lr = 'IT|"), ("'IT".into(), vec!["'it''s'".into()]));
        assert_eq!(offered("(status in ('FINISHED', |").1, ["'FINISHED'", "'RUNNING'"]);
        assert_eq!(offered("datasets.name = 't|").1, ["'toy'"]);
        assert!(offered("metrics.loss > |").1.is_empty());
        assert!(offered("foo = |").1.is_empty());
        let status = complete(&store(), "status = ", 9).offers;
        assert_eq!((status[0].text.as_str(), status[0].runs), ("'FINISHED'", Some(2)));
    }
}
