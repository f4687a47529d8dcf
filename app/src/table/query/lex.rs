//! Cuts a query into words, texts and signs.

use std::{borrow::Cow, ops::Range};

use super::Error;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    /// In bytes.
    pub span: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word, a number, or a name such as ``params.`a b` ``.
    Word,
    /// In `'` or `"`.
    Text,
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `~`, or what cannot be one.
    Sign,
    Open,
    Close,
    Comma,
    /// A quote that does not end.
    Unclosed,
}

const SIGNS: [u8; 5] = *b"=<>!~";

/// All tokens, also where the query is wrong.
pub fn lex(query: &str) -> Vec<Token> {
    let bytes = query.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = query[at..].chars().next() {
        let begin = at;
        let kind = match letter {
            _ if letter.is_whitespace() => {
                at += letter.len_utf8();
                continue;
            }
            '(' | ')' | ',' => {
                at += 1;
                match letter {
                    '(' => Kind::Open,
                    ')' => Kind::Close,
                    _ => Kind::Comma,
                }
            }
            '\'' | '"' => match end_of_quote(bytes, at) {
                Some(end) => {
                    at = end;
                    Kind::Text
                }
                None => {
                    at = bytes.len();
                    Kind::Unclosed
                }
            },
            _ if SIGNS.contains(&bytes[at]) => {
                at += 1;
                // `a=~b` is no sign of three letters, but `==` is one, that an error can name.
                while at < bytes.len() && bytes[at] == b'=' {
                    at += 1;
                }
                if &bytes[begin..at] == b"<" && bytes.get(at) == Some(&b'>') {
                    at += 1;
                }
                Kind::Sign
            }
            _ => match end_of_word(query, at) {
                Some(end) => {
                    at = end;
                    Kind::Word
                }
                None => {
                    at = bytes.len();
                    Kind::Unclosed
                }
            },
        };
        tokens.push(Token { kind, span: begin..at });
    }
    tokens
}

/// After the quote that begins at `at`; a doubled quote stands for itself.
fn end_of_quote(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = bytes[at];
    let mut end = at + 1;
    loop {
        end += bytes[end..].iter().position(|byte| *byte == quote)? + 1;
        if bytes.get(end) != Some(&quote) {
            return Some(end);
        }
        end += 1;
    }
}

/// After the word that begins at `at`. A key after a dot may be quoted, and then ends the word.
fn end_of_word(query: &str, at: usize) -> Option<usize> {
    let bytes = query.as_bytes();
    let mut end = at;
    if bytes[at] == b'`' {
        end = end_of_quote(bytes, at)?;
    }
    for letter in query[end..].chars() {
        if letter.is_whitespace() || "()'\"`,=<>!~".contains(letter) {
            break;
        }
        end += letter.len_utf8();
    }
    let quoted = bytes.get(end).is_some_and(|byte| b"`\"".contains(byte));
    if quoted && end > at && bytes[end - 1] == b'.' {
        return end_of_quote(bytes, end);
    }
    Some(end)
}

/// What is in quotes of whichever kind; what is not quoted is left as it is.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(quote) = text.chars().next().filter(|letter| "'\"`".contains(*letter)) else {
        return text.into();
    };
    let inside = text.get(1..text.len() - 1).unwrap_or_default();
    if inside.contains(quote) {
        inside.replace(&format!("{quote}{quote}"), quote.encode_utf8(&mut [0; 4])).into()
    } else {
        inside.into()
    }
}

/// The part before the first dot that is not quoted, without quotes, and the key after it.
pub fn name(word: &str) -> (Cow<'_, str>, Option<Cow<'_, str>>) {
    let begin = match word.starts_with('`') {
        true => end_of_quote(word.as_bytes(), 0).unwrap_or(word.len()),
        false => word.find('.').unwrap_or(word.len()),
    };
    match word[begin..].strip_prefix('.') {
        Some(key) => (unquote(&word[..begin]), Some(unquote(key))),
        None => (unquote(word), None),
    }
}

// === impl Error ===

impl Error {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(query: &str) -> Vec<&str> {
        lex(query).into_iter().map(|token| &query[token.span]).collect()
    }

    #[test]
    fn a_query_is_cut() {
        assert_eq!(
            words(r#"params.`a b`='it''s' and(metrics."x.y">=-1e-5,<>"q""r"=~'x' run-7/ü)"#),
            [
                "params.`a b`",
                "=",
                "'it''s'",
                "and",
                "(",
                "metrics.\"x.y\"",
                ">=",
                "-1e-5",
                ",",
                "<>",
                "\"q\"\"r\"",
                "=",
                "~",
                "'x'",
                "run-7/ü",
                ")"
            ]
        );
        let open = lex("a 'b");
        assert_eq!((open[1].kind, open[1].span.clone()), (Kind::Unclosed, 2..4));
        assert_eq!(lex("params.`x")[0].kind, Kind::Unclosed);
        assert!(lex(" \u{a0}\n").is_empty());
    }

    #[test]
    fn names_have_parts() {
        let read = |word| {
            let (family, key) = name(word);
            (family.into_owned(), key.map(Cow::into_owned))
        };
        assert_eq!(read("metrics.a.b"), ("metrics".into(), Some("a.b".into())));
        assert_eq!(read("params.`a``b`"), ("params".into(), Some("a`b".into())));
        assert_eq!(read("`tags`.\"x\""), ("tags".into(), Some("x".into())));
        assert_eq!(read("`run name`"), ("run name".into(), None));
        assert_eq!(read("status"), ("status".into(), None));
    }
}
