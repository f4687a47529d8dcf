//! Reads a query.

use std::ops::Range;

use super::{
    Error,
    ast::{Best, Expr, Field, Operator, Pattern, Subject, Test},
    lex::{self, Kind, Token},
};
use crate::{
    api::mlflow::number,
    table::column::{Attribute, Family, Name, Stat},
};

/// How deep parentheses and `not` may lie in each other.
const DEPTH: usize = 64;

/// What could come where a query ends too early or may go on.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// A condition.
    Term,
    /// Another condition, with or without a word before it.
    More,
    Operator(Subject),
    Value(Subject),
    /// Of `best` and the like.
    Metric,
    Nothing,
}

pub struct Parser<'q> {
    query: &'q str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// What was looked for last.
    expected: Expected,
}

pub fn parse(query: &str) -> Result<Option<Expr>, Error> {
    Parser::new(query).all()
}

/// What could stand at the end of `query`.
pub fn expected(query: &str) -> Expected {
    let mut parser = Parser::new(query);
    let failed = parser.all().is_err();
    // An error before the end says nothing of what could come there.
    if failed && parser.at < parser.tokens.len() {
        return Expected::Nothing;
    }
    parser.expected
}

impl<'q> Parser<'q> {
    fn new(query: &'q str) -> Self {
        Self {
            query,
            tokens: lex::lex(query),
            at: 0,
            depth: 0,
            expected: Expected::Term,
        }
    }

    fn all(&mut self) -> Result<Option<Expr>, Error> {
        if let Some(token) = self.tokens.iter().find(|token| token.kind == Kind::Unclosed) {
            return Err(Error::new(token.span.clone(), "This quote has no end."));
        }
        if self.tokens.is_empty() {
            return Ok(None);
        }
        let expr = self.or()?;
        match self.peek() {
            None => Ok(Some(expr)),
            Some(token) => Err(Error::new(token.span.clone(), "There is no opening parenthesis for this one.")),
        }
    }

    fn or(&mut self) -> Result<Expr, Error> {
        let mut parts = vec![self.and()?];
        while self.word("or").is_some() {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr, Error> {
        let mut parts = vec![self.term()?];
        loop {
            self.expected = Expected::More;
            if self.word("and").is_none() {
                match self.peek() {
                    None => break,
                    Some(token) if token.kind == Kind::Close || self.is_word(token, "or") => break,
                    Some(_) => {}
                }
            }
            parts.push(self.term()?);
        }
        Ok(one_or(parts, Expr::And))
    }

    fn term(&mut self) -> Result<Expr, Error> {
        self.expected = Expected::Term;
        let Some(token) = self.next() else {
            return Err(self.early("A condition is missing here."));
        };
        match token.kind {
            Kind::Open => {
                self.enter(&token)?;
                let inside = self.or()?;
                self.depth -= 1;
                self.close(&token)?;
                Ok(inside)
            }
            Kind::Text => match self.peek_kind() {
                Some(Kind::Sign) => {
                    let subject = self.attribute(&lex::unquote(&self.query[token.span.clone()]), &token.span)?;
                    self.comparison(subject)
                }
                _ => self.named(&lex::unquote(&self.query[token.span.clone()]), &token),
            },
            Kind::Word => self.term_of_word(&token),
            Kind::Close => Err(Error::new(token.span, "A condition is missing before this parenthesis.")),
            Kind::Comma => Err(Error::new(
                token.span,
                "A comma cannot stand here. Join conditions with “and” or “or”.",
            )),
            Kind::Sign | Kind::Unclosed => Err(Error::new(token.span, "What is to be compared is missing before this sign.")),
        }
    }

    fn term_of_word(&mut self, token: &Token) -> Result<Expr, Error> {
        let word = &self.query[token.span.clone()];
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "not" => {
                self.enter(token)?;
                let part = self.term()?;
                self.depth -= 1;
                return Ok(Expr::Not(Box::new(part)));
            }
            "and" | "or" => {
                let message = format!("A condition is missing before “{word}”. To look for the word, put it in quotes.");
                return Err(Error::new(token.span.clone(), message));
            }
            _ => {}
        }
        let called = self
            .peek()
            .is_some_and(|next| next.kind == Kind::Open && next.span.start == token.span.end);
        let stat = match lower.as_str() {
            _ if !called => None,
            "best" => return self.best(),
            "last" => Some(Stat::Last),
            "first" => Some(Stat::First),
            "min" => Some(Stat::Min),
            "max" => Some(Stat::Max),
            "step" => Some(Stat::Step),
            _ => None,
        };
        if let Some(stat) = stat {
            let Some(open) = self.next() else {
                return Err(self.early("A parenthesis is missing here."));
            };
            let mut metric = self.metric()?;
            self.close(&open)?;
            metric.family = Family::Metric(stat);
            return self.comparison(Subject::Column(metric));
        }

        let (family, key) = lex::name(word);
        let compared = self.peek().is_some_and(|next| match next.kind {
            Kind::Sign => true,
            Kind::Word => self.starts_comparison() || (Attribute::read(&family).is_some() && self.is_operator(next)),
            _ => false,
        });
        match key {
            Some(key) if compared || self.family(&family).is_some() => {
                let subject = self.subject(&family, &key, &token.span)?;
                self.comparison(subject)
            }
            None if compared => {
                let subject = self.attribute(&family, &token.span)?;
                self.comparison(subject)
            }
            _ => self.named(&lex::unquote(word), token),
        }
    }

    fn is_operator(&self, token: &Token) -> bool {
        ["like", "ilike", "rlike", "in", "is"]
            .into_iter()
            .any(|word| self.is_word(token, word))
    }

    /// Whether a comparison in words comes, and goes on as it must: `like`, `in` and `is` may also be looked for in names.
    fn starts_comparison(&self) -> bool {
        let word = |after: usize, word| self.tokens.get(self.at + after).is_some_and(|token| self.is_word(token, word));
        let kind = |after: usize| self.tokens.get(self.at + after).map(|token| token.kind);
        let operator = |after: usize| {
            let named = ["like", "ilike", "rlike"].into_iter().any(|name| word(after, name));
            (named && kind(after + 1) == Some(Kind::Text)) || (word(after, "in") && kind(after + 1) == Some(Kind::Open))
        };
        let null = |after: usize| word(after, "null") || (word(after, "not") && word(after + 1, "null"));
        operator(0) || (word(0, "not") && operator(1)) || (word(0, "is") && null(1))
    }

    fn named(&mut self, text: &str, token: &Token) -> Result<Expr, Error> {
        if text.is_empty() {
            return Err(Error::new(token.span.clone(), "There is nothing to look for in these quotes."));
        }
        Ok(Expr::Named(text.to_owned()))
    }

    fn best(&mut self) -> Result<Expr, Error> {
        let Some(open) = self.next() else {
            return Err(self.early("A parenthesis is missing here."));
        };
        let mut best = Best {
            metric: self.metric()?,
            smallest: false,
            count: 1,
        };
        let mut said = false;
        let mut counted = false;
        while self.kind(Kind::Comma).is_some() {
            self.expected = Expected::Nothing;
            let Some(token) = self.kind(Kind::Word) else {
                return Err(self.unexpected("Here “min”, “max” or how many runs are meant can stand."));
            };
            let word = &self.query[token.span.clone()];
            let count = word.parse().ok().filter(|count| *count > 0);
            if (self.is_word(&token, "min") || self.is_word(&token, "max")) && !said {
                best.smallest = self.is_word(&token, "min");
                said = true;
            } else if let (Some(count), false) = (count, counted) {
                best.count = count;
                counted = true;
            } else {
                return Err(Error::new(
                    token.span,
                    "Here “min”, “max” or how many runs are meant can stand, each once.",
                ));
            }
        }
        self.close(&open)?;
        Ok(Expr::Best(best))
    }

    /// The name of a metric, with or without `metrics.` before it.
    fn metric(&mut self) -> Result<Name, Error> {
        self.expected = Expected::Metric;
        let Some(token) = self.kind(Kind::Word) else {
            return Err(self.unexpected("The name of a metric is missing here, as in metrics.loss."));
        };
        let (family, key) = lex::name(&self.query[token.span.clone()]);
        match (self.family(&family), key) {
            (Some(Family::Metric(_)), Some(key)) if !key.is_empty() => Ok(Name::new(Family::Metric(Stat::Last), &key)),
            _ => Err(Error::new(
                token.span,
                "The name of a metric has to stand here, as in metrics.loss.",
            )),
        }
    }

    fn family(&self, word: &str) -> Option<Family> {
        match word.to_ascii_lowercase().as_str() {
            "metric" | "metrics" => Some(Family::Metric(Stat::Last)),
            "param" | "params" | "parameter" | "parameters" => Some(Family::Param),
            "tag" | "tags" => Some(Family::Tag),
            "attribute" | "attributes" | "attr" | "run" => Some(Family::Attribute),
            "dataset" | "datasets" => Some(Family::Dataset),
            _ => None,
        }
    }

    fn subject(&self, family: &str, key: &str, span: &Range<usize>) -> Result<Subject, Error> {
        match self.family(family) {
            Some(Family::Attribute) => self.attribute(key, span),
            Some(Family::Dataset) => match Field::ALL.into_iter().find(|field| field.key() == key) {
                Some(field) => Ok(Subject::Dataset(field)),
                None => Err(Error::new(
                    span.clone(),
                    format!("Datasets have no “{key}”. There are name, digest and context."),
                )),
            },
            Some(_) if key.is_empty() => Err(Error::new(span.clone(), "A name is missing after the dot.")),
            Some(family) => Ok(Subject::Column(Name::new(family, key))),
            None => Err(Error::new(
                span.clone(),
                format!("Runs have no “{family}”. There are metrics, params, tags, attributes and datasets, as in params.lr = '0.1'."),
            )),
        }
    }

    fn attribute(&self, key: &str, span: &Range<usize>) -> Result<Subject, Error> {
        let attribute = if key == "name" {
            Some(Attribute::Name)
        } else {
            Attribute::read(key)
        };
        attribute.map(|attribute| Subject::Column(attribute.name())).ok_or_else(|| {
            let known: Vec<&str> = Attribute::ALL.into_iter().map(Attribute::key).collect();
            let message = format!(
                "Runs have no attribute “{key}”. There are {}. Metrics, params and tags are written metrics.{key}, params.{key}, tags.{key}.",
                known.join(", ")
            );
            Error::new(span.clone(), message)
        })
    }

    /// What comes after the subject.
    fn comparison(&mut self, subject: Subject) -> Result<Expr, Error> {
        self.expected = Expected::Operator(subject.clone());
        let Some(token) = self.next() else {
            return Err(self.early("A comparison is missing here, such as = or LIKE."));
        };
        let word = &self.query[token.span.clone()];
        let is_number = is_number(&subject);
        let test = match token.kind {
            Kind::Sign => match Operator::ALL.into_iter().find(|operator| operator.sign() == word) {
                Some(operator) => self.value(&subject, operator, &token)?,
                None if word == "~" && !is_number => self.pattern(&subject)?,
                None if word == "~" => return Err(Error::new(token.span, "Numbers cannot be matched; compare them with = < or >.")),
                None if word == "==" => return Err(Error::new(token.span, "Write = in place of ==.")),
                None if word == "<>" => return Err(Error::new(token.span, "Write != in place of <>.")),
                None => {
                    return Err(Error::new(
                        token.span,
                        "This is no comparison. There are =, !=, <, <=, >, >= and ~.",
                    ));
                }
            },
            Kind::Word => match word.to_ascii_lowercase().as_str() {
                "is" => {
                    let negated = self.word("not").is_some();
                    if self.word("null").is_none() {
                        return Err(self.unexpected("After “is”, NULL or NOT NULL is missing."));
                    }
                    if negated { Test::Present } else { Test::Missing }
                }
                "like" | "ilike" | "rlike" | "in" if is_number => {
                    return Err(Error::new(token.span, "Numbers are compared with =, !=, <, <=, > or >=."));
                }
                "like" => Test::Like(self.text(&subject)?.0),
                "ilike" => Test::Ilike(self.text(&subject)?.0),
                "rlike" => self.pattern(&subject)?,
                "in" => Test::In(self.list(&subject)?),
                "not" if self.word("in").is_some() && !is_number => Test::NotIn(self.list(&subject)?),
                "not" => {
                    return Err(Error::new(
                        token.span,
                        "“not” stands before the whole condition, as in not params.a LIKE 'x%'.",
                    ));
                }
                _ => return Err(Error::new(token.span, "A comparison is missing before this, such as = or LIKE.")),
            },
            _ => return Err(Error::new(token.span, "A comparison is missing before this, such as = or LIKE.")),
        };
        Ok(Expr::Compare(subject, test))
    }

    fn value(&mut self, subject: &Subject, operator: Operator, sign: &Token) -> Result<Test, Error> {
        self.expected = Expected::Value(subject.clone());
        let number = self.peek().filter(|token| token.kind == Kind::Word).and_then(|token| {
            let text = &self.query[token.span.clone()];
            text.bytes()
                .all(|byte| b"0123456789+-.eE".contains(&byte))
                .then(|| number::read(text))?
        });
        let may_be_number = match subject {
            Subject::Column(name) => is_number(subject) || matches!(name.family, Family::Param | Family::Tag),
            Subject::Dataset(_) => false,
        };
        if let (Some(number), true) = (number, may_be_number) {
            self.at += 1;
            return Ok(Test::Number(operator, number));
        }
        if is_number(subject) {
            return Err(self.unexpected("A number without quotes has to stand here."));
        }
        let (text, _) = self.text(subject)?;
        match operator {
            Operator::Equal => Ok(Test::Equal(text)),
            Operator::Unequal => Ok(Test::Unequal(text)),
            _ => Err(Error::new(
                sign.span.clone(),
                "Texts are compared with =, !=, LIKE, ILIKE or ~; only numbers are larger or smaller.",
            )),
        }
    }

    fn text(&mut self, subject: &Subject) -> Result<(String, Range<usize>), Error> {
        self.expected = Expected::Value(subject.clone());
        match self.kind(Kind::Text) {
            Some(token) => Ok((lex::unquote(&self.query[token.span.clone()]).into_owned(), token.span)),
            None => {
                let typed = self.peek().filter(|token| token.kind == Kind::Word);
                let message = match typed.map(|token| &self.query[token.span.clone()]) {
                    Some(word) if !word.contains(['`', '"']) => format!("A text has to be in quotes: '{word}'."),
                    _ => "A text in quotes is missing here.".to_owned(),
                };
                Err(self.unexpected(&message))
            }
        }
    }

    fn pattern(&mut self, subject: &Subject) -> Result<Test, Error> {
        let (text, span) = self.text(subject)?;
        let said = |error| Error::new(span, format!("This is no regular expression that can be used: {error}."));
        Pattern::new(&text).map(Test::Matches).map_err(said)
    }

    fn list(&mut self, subject: &Subject) -> Result<Vec<String>, Error> {
        self.expected = Expected::Nothing;
        let Some(open) = self.kind(Kind::Open) else {
            return Err(self.unexpected("A list is missing here, as in ('a', 'b')."));
        };
        let mut list = vec![self.text(subject)?.0];
        while self.kind(Kind::Comma).is_some() {
            list.push(self.text(subject)?.0);
        }
        self.close(&open)?;
        Ok(list)
    }

    fn enter(&mut self, token: &Token) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Error::new(token.span.clone(), "This lies too deep in parentheses."));
        }
        Ok(())
    }

    fn close(&mut self, open: &Token) -> Result<(), Error> {
        match self.peek_kind() {
            Some(Kind::Close) => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.unexpected("A closing parenthesis is missing before this.")),
            None => Err(Error::new(open.span.clone(), "This parenthesis is not closed.")),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_kind(&self) -> Option<Kind> {
        self.peek().map(|token| token.kind)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// The next token, if it is of this kind.
    fn kind(&mut self, kind: Kind) -> Option<Token> {
        if self.peek_kind() == Some(kind) { self.next() } else { None }
    }

    /// The next token, if it is this word.
    fn word(&mut self, word: &str) -> Option<Token> {
        let found = self.peek().is_some_and(|token| self.is_word(token, word));
        if found { self.next() } else { None }
    }

    fn is_word(&self, token: &Token, word: &str) -> bool {
        token.kind == Kind::Word && self.query[token.span.clone()].eq_ignore_ascii_case(word)
    }

    /// An error at the next token, or at the end.
    fn unexpected(&self, message: &str) -> Error {
        match self.peek() {
            Some(token) => Error::new(token.span.clone(), message),
            None => self.early(message),
        }
    }

    fn early(&self, message: &str) -> Error {
        Error::new(self.query.len()..self.query.len(), message)
    }
}

/// Whether it is compared with numbers only.
pub fn is_number(subject: &Subject) -> bool {
    match subject {
        Subject::Column(name) => match name.family {
            Family::Metric(_) => true,
            Family::Attribute => Attribute::read(&name.key).is_some_and(Attribute::is_number),
            _ => false,
        },
        Subject::Dataset(_) => false,
    }
}

fn one_or(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    if parts.len() == 1 { parts.swap_remove(0) } else { join(parts) }
}

#[cfg(test)]
mod tests {
    use super::super::Query;

    /// What is wrong, as the query has it, and why.
    fn wrong(typed: &str) -> (&str, String) {
        let error = Query::read(typed).expect_err(typed);
        (&typed[error.span], error.message)
    }

    #[test]
    fn errors_say_what_and_where() {
        let cases = [
            ("foo.x = 'a'", "foo.x", "no “foo”"),
            ("status = 'x' and foo = 'a'", "foo", "no attribute “foo”"),
            ("datasets.size = 'a'", "datasets.size", "no “size”"),
            ("params.x = abc", "abc", "in quotes: 'abc'"),
            ("status = 5", "5", "in quotes: '5'"),
            ("metrics.x > '1'", "'1'", "without quotes"),
            ("metrics.x > 1 and", "", "A condition is missing"),
            ("metrics.x >", "", "A number"),
            ("metrics.x", "", "A comparison is missing"),
            ("metrics.x > 1 or or", "or", "before “or”"),
            ("metrics.x == 1", "==", "= in place of =="),
            ("params.x <> 'a'", "<>", "!= in place of <>"),
            ("params.x > 'a'", ">", "only numbers"),
            ("params.x not like 'a'", "not", "stands before"),
            ("params.x ~ '('", "'('", "no regular expression"),
            ("params.x ~ '(a{1000}){1000}'", "'(a{1000}){1000}'", "no regular expression"),
            ("metrics.x ~ '1'", "~", "Numbers cannot be matched"),
            ("(metrics.x > 1", "(", "not closed"),
            ("metrics.x > 1)", ")", "no opening"),
            ("params.x = 'a", "'a", "no end"),
            ("run_id in 'a'", "'a'", "A list is missing"),
            ("run_id in ('a' 'b')", "'b'", "closing parenthesis"),
            ("best(params.x)", "params.x", "name of a metric"),
            ("best(metrics.x, min, max)", "max", "each once"),
            ("params. = 'a'", "params.", "missing after the dot"),
            ("= 1", "=", "is missing before"),
            ("ü params.ü == 'ü'", "==", "= in place"),
        ];
        for (typed, span, why) in cases {
            let (found, said) = wrong(typed);
            assert!(found == span && said.contains(why), "{typed}: “{found}”: {said}");
        }
    }

    #[test]
    fn a_query_is_understood() {
        let cases = [
            ("", ""),
            (" ", ""),
            ("metric.a>1 AND parameter.b='x'", "metrics.a > 1 and params.b = 'x'"),
            ("a or b c", "a or (b and c)"),
            ("(a or b) not c", "(a or b) and not c"),
            ("not (a or b)", "not (a or b)"),
            ("'it''s' \"or\"", "'it''s' and 'or'"),
            ("Created >= 1e12", "start_time >= 1000000000000"),
            ("name ~ '^x'", "run_name ~ '^x'"),
            ("params.lr < 0.01", "params.lr < 0.01"),
            ("max(metrics.`a b`) is not null", "max(metrics.`a b`) IS NOT NULL"),
            ("best(metrics.loss, 3, min)", "best(metrics.loss, min, 3)"),
            ("run-005 bert/v2.1 best max", "run-005 and 'bert/v2.1' and best and max"),
            ("like is in", "like and is and in"),
        ];
        for (typed, written) in cases {
            assert_eq!(Query::read(typed).unwrap().to_string(), written, "{typed}");
        }
    }
}
