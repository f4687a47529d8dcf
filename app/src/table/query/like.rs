//! `LIKE` patterns, and looking for a text in others.

/// A pattern, ready to be tried on many texts.
pub struct Like {
    pattern: Shape,
    any_case: bool,
}

enum Shape {
    Equal(String),
    Begins(String),
    Ends(String),
    Holds(String),
    Any(Vec<Step>),
}

#[derive(PartialEq)]
enum Step {
    Letter(char),
    /// `_`
    One,
    /// `%`
    Many,
}

// === impl Like ===

impl Like {
    pub fn new(pattern: &str, any_case: bool) -> Self {
        let pattern = fold(pattern, any_case);
        let inner = pattern.trim_matches('%');
        let shape = if inner.contains(['%', '_']) {
            Shape::Any(steps(&pattern))
        } else {
            match (pattern.starts_with('%'), pattern.ends_with('%')) {
                (true, true) => Shape::Holds(inner.into()),
                (true, false) => Shape::Ends(inner.into()),
                (false, true) => Shape::Begins(inner.into()),
                (false, false) => Shape::Equal(inner.into()),
            }
        };
        Self { pattern: shape, any_case }
    }

    /// Holds `text` as it is, in any case.
    pub fn holds(text: &str) -> Self {
        Self {
            pattern: Shape::Holds(fold(text, true)),
            any_case: true,
        }
    }

    pub fn matches(&self, text: &str, room: &mut String) -> bool {
        let text = if self.any_case {
            room.clear();
            if text.is_ascii() {
                room.push_str(text);
                room.make_ascii_lowercase();
            } else {
                room.push_str(&text.to_lowercase());
            }
            room
        } else {
            text
        };
        match &self.pattern {
            Shape::Equal(part) => text == part,
            Shape::Begins(part) => text.starts_with(part),
            Shape::Ends(part) => text.ends_with(part),
            Shape::Holds(part) => text.contains(part),
            Shape::Any(steps) => follows(steps, text),
        }
    }
}

fn fold(text: &str, any_case: bool) -> String {
    if any_case { text.to_lowercase() } else { text.to_owned() }
}

fn steps(pattern: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = pattern
        .chars()
        .map(|letter| match letter {
            '%' => Step::Many,
            '_' => Step::One,
            letter => Step::Letter(letter),
        })
        .collect();
    steps.dedup_by(|a, b| *a == Step::Many && *b == Step::Many);
    steps
}

/// Goes back to the last `%` only, so that the time is at most the product of both lengths.
fn follows(steps: &[Step], text: &str) -> bool {
    let mut rest = text.chars();
    let mut at = 0;
    // After the last `%`, and from where it was tried.
    let mut back: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        if steps.get(at) == Some(&Step::Many) {
            at += 1;
            back = Some((at, rest.clone()));
            continue;
        }
        let mut next = rest.clone();
        let fits = match (next.next(), steps.get(at)) {
            (None, None) => return true,
            (Some(letter), Some(Step::Letter(wanted))) => letter == *wanted,
            (Some(_), Some(Step::One)) => true,
            _ => false,
        };
        if fits {
            rest = next;
            at += 1;
            continue;
        }
        let Some((after, from)) = &mut back else { return false };
        if from.next().is_none() {
            return false;
        }
        at = *after;
        rest = from.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::Like;

    #[test]
    fn patterns_match_as_sql_has_them() {
        let like = |pattern: &str, text: &str| Like::new(pattern, false).matches(text, &mut String::new());
        let cases = [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("_", "", false),
            ("_", "ü", true),
            ("a%", "abc", true),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("a%c%e", "abcde", true),
            ("a%c%e", "abcdf", false),
            ("%a_c%", "xxabac", false),
            ("%a_c%", "xxabacabcx", true),
            ("a_", "A_", false),
            ("%%x%%", "x", true),
            ("a\\%", "a\\b", true),
            ("%ab", "aab\nab", true),
        ];
        for (pattern, text, matches) in cases {
            assert_eq!(like(pattern, text), matches, "{pattern} {text}");
        }
        let ilike = |pattern: &str, text: &str| Like::new(pattern, true).matches(text, &mut String::new());
        assert!(ilike("A_c%", "aBCd") && ilike("%ÄPFEL%", "äpfel") && !ilike("a", "b"));
        assert!(Like::holds("5%_").matches("X5%_y", &mut String::new()) && !Like::holds("_").matches("x", &mut String::new()));
    }
}
