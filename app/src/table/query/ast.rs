//! What a query says.

use crate::table::column::Name;

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Subject, Test),
    Best(Best),
    /// The name holds this text; upper and lower case are the same.
    Named(String),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Column(Name),
    /// Any dataset of the run.
    Dataset(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Name,
    Digest,
    Context,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A text is compared as the number that it is; what is none is NaN.
    Number(Operator, f64),
    Equal(String),
    Unequal(String),
    /// `%` stands for any text, `_` for one letter.
    Like(String),
    /// As `Like`; upper and lower case are the same.
    Ilike(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Missing,
    Present,
    Matches(Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// The runs with the best values among those that everything else in the query leaves. Equally good ones are all meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Best {
    pub metric: Name,
    pub smallest: bool,
    /// How many values count.
    pub count: usize,
}

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: regex_lite::Regex,
}

/// The room that a compiled regular expression may take: it bounds the time for each letter that it is tried on.
const PATTERN_SIZE: usize = 32 << 10;

// === impl Expr ===

impl Expr {
    /// Whether which runs it means depends on other runs.
    pub fn has_best(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_best),
            Self::Not(part) => part.has_best(),
            Self::Best(_) => true,
            Self::Compare(..) | Self::Named(_) => false,
        }
    }
}

// === impl Field ===

impl Field {
    pub const ALL: [Self; 3] = [Self::Name, Self::Digest, Self::Context];

    pub fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Digest => "digest",
            Self::Context => "context",
        }
    }
}

// === impl Operator ===

impl Operator {
    pub const ALL: [Self; 6] = [Self::Equal, Self::Unequal, Self::Less, Self::AtMost, Self::More, Self::AtLeast];

    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    #[allow(clippy::float_cmp)]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

// === impl Pattern ===

impl Pattern {
    /// # Errors
    /// It is not a regular expression, or too large a one.
    pub fn new(text: &str) -> Result<Self, String> {
        let regex = regex_lite::RegexBuilder::new(text).size_limit(PATTERN_SIZE).build();
        let regex = regex.map_err(|error| error.to_string())?;
        Ok(Self {
            text: text.to_owned(),
            regex,
        })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches a part of `text`.
    pub fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
