//! Which rows of a store a query means.

use super::{
    Query,
    ast::{Best, Expr, Field, Subject, Test},
    like::Like,
};
use crate::table::{
    bits::Bits,
    cells::Value,
    column::{Attribute, Data, Dataset, Family, Text},
    natural,
    store::Store,
};

// === impl Query ===

impl Query {
    /// The rows of `scope` that are meant.
    pub fn rows(&self, store: &Store, scope: &Bits) -> Bits {
        match &self.expr {
            Some(expr) => rows(expr, store, scope),
            None => scope.clone(),
        }
    }
}

fn rows(expr: &Expr, store: &Store, scope: &Bits) -> Bits {
    match expr {
        Expr::And(parts) => {
            let mut left = scope.clone();
            for part in parts.iter().filter(|part| !part.has_best()) {
                left = rows(part, store, &left);
            }
            // The best are looked for among what all else leaves.
            let among = left.clone();
            for part in parts.iter().filter(|part| part.has_best()) {
                left.keep(&rows(part, store, &among));
            }
            left
        }
        Expr::Or(parts) => {
            let mut any = Bits::default();
            parts.iter().for_each(|part| any.add(&rows(part, store, scope)));
            any
        }
        Expr::Not(part) => {
            let mut others = scope.clone();
            others.drop(&rows(part, store, scope));
            others
        }
        Expr::Best(best) => self::best(best, store, scope),
        Expr::Compare(subject, test) => {
            let mut found = compare(subject, test, store);
            found.keep(scope);
            found
        }
        Expr::Named(text) => {
            let like = Like::holds(text);
            let mut room = String::new();
            let names = store.attribute(Attribute::Name).text();
            let mut found = names
                .map(|names| texts(names, &mut |name| like.matches(name, &mut room)))
                .unwrap_or_default();
            found.keep(scope);
            found
        }
    }
}

fn best(best: &Best, store: &Store, scope: &Bits) -> Bits {
    let Some(cells) = store.column(&best.metric).and_then(|column| column.number()) else {
        return Bits::default();
    };
    let key = |row| match cells.get(row) {
        value if value.is_none() || value.is_nan() => None,
        value if best.smallest => Some(natural::ordered(value)),
        value => Some(!natural::ordered(value)),
    };
    let mut keys: Vec<(u64, u32)> = scope.iter().filter_map(|row| Some((key(row)?, row))).collect();
    let Some(last) = best.count.min(keys.len()).checked_sub(1) else {
        return Bits::default();
    };
    // The kind of pairs that rows are sorted by everywhere: compiled once.
    keys.sort_unstable();
    let worst = keys[last].0;
    let mut rows = Bits::default();
    keys.iter()
        .take_while(|(key, _)| *key <= worst)
        .for_each(|(_, row)| rows.insert(*row));
    rows
}

fn compare(subject: &Subject, test: &Test, store: &Store) -> Bits {
    let column = match subject {
        Subject::Column(name) => store.column(name),
        Subject::Dataset(_) => store.find(Family::Dataset, ""),
    };
    let data = column.map(|column| &column.data);
    match (subject, data, test) {
        (_, None, Test::Missing) => store.rows().clone(),
        (_, None, _) => Bits::default(),
        (Subject::Dataset(field), Some(Data::Text(text)), test) => datasets(text, *field, test, store),
        (_, Some(Data::Text(text)), Test::Missing) => without(store, &text.codes.matching(&mut |_| true)),
        (_, Some(Data::Number(cells)), Test::Missing) => without(store, &cells.matching(&mut |_| true)),
        (_, Some(Data::Text(text)), test) => texts(text, &mut text_test(test)),
        (_, Some(Data::Number(cells)), Test::Present) => cells.matching(&mut |_| true),
        (_, Some(Data::Number(cells)), Test::Number(operator, wanted)) => cells.matching(&mut |value| operator.holds(value, *wanted)),
        (_, Some(Data::Number(_)), _) => Bits::default(),
    }
}

fn without(store: &Store, found: &Bits) -> Bits {
    let mut rows = store.rows().clone();
    rows.drop(found);
    rows
}

/// The rows whose text passes; each distinct text is tried once.
fn texts(text: &Text, test: &mut dyn FnMut(&str) -> bool) -> Bits {
    let passes: Vec<bool> = text.dict.iter().map(|(_, text)| test(text)).collect();
    text.codes.matching(&mut |code| passes.get(code as usize) == Some(&true))
}

/// A comparison holds if it does for any of the datasets; `IS NULL`, if none has the field.
fn datasets(text: &Text, field: Field, test: &Test, store: &Store) -> Bits {
    let mut holds = text_test(if *test == Test::Missing { &Test::Present } else { test });
    let found = texts(text, &mut |cell| {
        Dataset::read(cell).any(|dataset| {
            let value = match field {
                Field::Name => Some(dataset.name),
                Field::Digest => Some(dataset.digest),
                Field::Context => dataset.context,
            };
            value.is_some_and(&mut holds)
        })
    });
    if *test == Test::Missing { without(store, &found) } else { found }
}

/// What a text that is there has to pass.
fn text_test(test: &Test) -> Box<dyn FnMut(&str) -> bool + '_> {
    let like = |pattern: &str, any_case: bool| {
        let like = Like::new(pattern, any_case);
        let mut room = String::new();
        Box::new(move |text: &str| like.matches(text, &mut room))
    };
    match test {
        Test::Number(operator, wanted) => Box::new(|text| operator.holds(natural::number(text).unwrap_or(f64::NAN), *wanted)),
        Test::Equal(wanted) => Box::new(move |text| text == wanted),
        Test::Unequal(wanted) => Box::new(move |text| text != wanted),
        Test::Like(pattern) => like(pattern, false),
        Test::Ilike(pattern) => like(pattern, true),
        Test::In(list) => Box::new(|text| list.iter().any(|wanted| wanted == text)),
        Test::NotIn(list) => Box::new(|text| list.iter().all(|wanted| wanted != text)),
        Test::Missing => Box::new(|_| false),
        Test::Present => Box::new(|_| true),
        Test::Matches(pattern) => Box::new(|text| pattern.is_in(text)),
    }
}
