//! The order that people expect of texts: numbers by value and before words, `run-9` before `run-10`.

use std::cmp::Ordering;

use super::dict::Dict;
use crate::api::mlflow::number::read;

/// What does not read as a number.
const WORD: u64 = u64::MAX;

/// Orders texts that are numbers by value, and before all others, which have the same key.
pub fn number_key(text: &str) -> u64 {
    number(text).map_or(WORD, ordered)
}

/// The number that the whole of `text` is. Python's spelling of infinity and NaN is not among them.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let last = text.bytes().last()?;
    // Cheaper than to try: most texts are words.
    (last.is_ascii_digit() || last == b'.').then(|| read(text)).flatten()
}

/// A whole number that is in the same order as `value`, which is not NaN. 0 and −0 are the same.
pub fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The order that this module is about.
pub fn order(a: &str, b: &str) -> Ordering {
    number_key(a).cmp(&number_key(b)).then_with(|| compare(a, b))
}

/// All codes of `dict` in [`order`]. Many texts are sorted faster by keys whose bytes have that order.
pub fn sorted(dict: &Dict) -> Vec<u32> {
    let mut keys = Vec::new();
    let mut ends = Vec::with_capacity(dict.len() as usize);
    // What reads as a number, the first bytes of the key, and the code.
    let mut entries: Vec<(u64, u64, u32)> = Vec::with_capacity(dict.len() as usize);
    for (code, text) in dict.iter() {
        let begin = keys.len();
        push_key(text, &mut keys);
        ends.push(keys.len());
        let mut first = [0; 8];
        let length = (keys.len() - begin).min(8);
        first[..length].copy_from_slice(&keys[begin..begin + length]);
        entries.push((number_key(text), u64::from_be_bytes(first), code));
    }
    let key = |code: u32| {
        let begin = (code as usize).checked_sub(1).map_or(0, |before| ends[before]);
        &keys[begin..ends[code as usize]]
    };
    entries.sort_unstable_by(|a, b| {
        let by_first = (a.0, a.1).cmp(&(b.0, b.1));
        by_first
            .then_with(|| key(a.2).cmp(key(b.2)))
            .then_with(|| dict.text(a.2).cmp(dict.text(b.2)))
    });
    entries.into_iter().map(|entry| entry.2).collect()
}

/// Bytes in the order of [`compare`], but for what is the same without regard to case and leading zeros.
fn push_key(text: &str, key: &mut Vec<u8>) {
    let text = text.as_bytes();
    let mut at = 0;
    while at < text.len() {
        if text[at].is_ascii_digit() {
            let digits = digits(text, at);
            // Stands among other letters as any digit would; then more digits are more.
            key.push(b'0');
            key.extend(std::iter::repeat_n(u8::MAX, digits.len() / 255));
            key.push((digits.len() % 255) as u8);
            key.extend(digits);
            at = end_of_digits(text, at);
        } else {
            key.push(text[at].to_ascii_lowercase());
            at += 1;
        }
    }
}

/// Letter by letter without regard to case, but runs of digits by value; what is the same then, by its bytes.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (left, right) = (a.as_bytes(), b.as_bytes());
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let (x, y) = (left[i].to_ascii_lowercase(), right[j].to_ascii_lowercase());
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (one, other) = (digits(left, i), digits(right, j));
            let order = one.len().cmp(&other.len()).then_with(|| one.cmp(other));
            if order.is_ne() {
                return order;
            }
            i = end_of_digits(left, i);
            j = end_of_digits(right, j);
        } else if x != y {
            return x.cmp(&y);
        } else {
            i += 1;
            j += 1;
        }
    }
    (left.len() - i).cmp(&(right.len() - j)).then_with(|| left.cmp(right))
}

/// The digits that begin at `at`, without leading zeros.
fn digits(text: &[u8], at: usize) -> &[u8] {
    let all = &text[at..end_of_digits(text, at)];
    let zeros = all.iter().take_while(|digit| **digit == b'0').count();
    &all[zeros..]
}

fn end_of_digits(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_count_by_value() {
        let mut names = vec!["run-10", "Run-9", "run-009b", "run", "a", "run-9", "run-09"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["a", "run", "Run-9", "run-09", "run-9", "run-009b", "run-10"]);
        assert_eq!(compare("x", "x"), Ordering::Equal);
    }

    #[test]
    fn numbers_come_first_and_by_value() {
        let mut texts = vec!["1e-3", "word", "0.01", "-5", "1e3", "  2 ", "nan", "inf", "3."];
        texts.sort_by_key(|text| number_key(text));
        assert_eq!(texts, ["-5", "1e-3", "0.01", "  2 ", "3.", "1e3", "word", "nan", "inf"]);
        assert_eq!(ordered(0.0), ordered(-0.0));
    }
}
