//! Measured numbers: four significant digits, exact on hover and in the markup (so also when copied, see the frame).

use crate::prelude::*;

#[component]
pub fn Number(value: f64) -> impl IntoView {
    let exact = exact(value);
    view! { <data class="exact" value=exact.clone() title=exact>{short(value)}</data> }
}

/// The shortest text that reads back as the same number.
pub fn exact(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".into(),
        // MLflow's store keeps infinity as the largest number.
        _ if value >= f64::MAX => "∞".into(),
        _ if value <= f64::MIN => "-∞".into(),
        _ if value == 0.0 => "0".into(),
        _ if (1e-5..1e15).contains(&value.abs()) => format!("{value}"),
        _ => format!("{value:e}"),
    }
}

/// Four significant digits; whole numbers below a billion stay whole. No locale: the same on every machine.
pub fn short(value: f64) -> String {
    if !value.is_finite() || value.abs() >= f64::MAX || value == 0.0 || (value.fract() == 0.0 && value.abs() < 1e9) {
        return exact(value);
    }
    let scientific = format!("{:e}", value.abs());
    let parts = scientific
        .split_once('e')
        .and_then(|(mantissa, exponent)| Some((mantissa, exponent.parse::<i32>().ok()?)));
    let Some((mantissa, exponent)) = parts else {
        return scientific;
    };
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    // Numbers of more than four whole digits are rounded to whole ones, not further.
    let wanted = if (4..9).contains(&exponent) { exponent as usize + 1 } else { 4 };
    let (digits, exponent) = round(digits, wanted, exponent);
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", place(&digits, exponent))
}

/// Rounds half away from zero to at most `wanted` digits, without zeros at the end.
fn round(mut digits: Vec<u8>, wanted: usize, mut exponent: i32) -> (Vec<u8>, i32) {
    if digits.len() > wanted {
        let up = digits[wanted] >= 5;
        digits.truncate(wanted);
        if up {
            match digits.iter().rposition(|digit| *digit < 9) {
                Some(at) => {
                    digits[at] += 1;
                    digits.truncate(at + 1);
                }
                None => {
                    digits = vec![1];
                    exponent += 1;
                }
            }
        }
    }
    while digits.len() > 1 && digits.last() == Some(&0) {
        digits.pop();
    }
    (digits, exponent)
}

/// Writes digits whose first one counts 10^`exponent`.
fn place(digits: &[u8], exponent: i32) -> String {
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    match exponent {
        -4..0 => format!("0.{}{text}", "0".repeat((-exponent - 1) as usize)),
        0..9 => {
            let whole = exponent as usize + 1;
            match text.len() > whole {
                true => format!("{}.{}", &text[..whole], &text[whole..]),
                false => format!("{text}{}", "0".repeat(whole - text.len())),
            }
        }
        _ if text.len() > 1 => format!("{}.{}e{exponent}", &text[..1], &text[1..]),
        _ => format!("{text}e{exponent}"),
    }
}

/// `+3.1%`, of a part of one; `=` for none.
pub fn percent(part: f64) -> String {
    match part {
        0.0 => "=".into(),
        _ => format!("{}{}%", if part > 0.0 { "+" } else { "" }, short((part * 1000.0).round() / 10.0)),
    }
}

/// `12,345`: for counts.
pub fn count(number: usize) -> String {
    let text = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && (text.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::{count, exact, percent, short};

    #[test]
    fn four_digits_are_kept() {
        let table = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.779_512_3, "0.7795"),
            (0.999_96, "1"),
            (12_345.678, "12346"),
            (999_999_999.7, "1e9"),
            (123_456_789.0, "123456789"),
            (0.000_123_456, "0.0001235"),
            (0.000_012_345_6, "1.235e-5"),
            (1.5e12, "1.5e12"),
            (1e300, "1e300"),
            (1.0625, "1.063"),
            (0.1 + 0.2, "0.3"),
            (f64::NAN, "NaN"),
            (f64::MAX, "∞"),
            (f64::NEG_INFINITY, "-∞"),
        ];
        for (value, text) in table {
            assert_eq!(short(value), text, "{value:e}");
        }
    }

    #[test]
    fn the_exact_text_reads_back() {
        for value in [0.1 + 0.2, 1e-7, 123_456_789.123, 5e-324, 1e22] {
            assert_eq!(exact(value).parse::<f64>().ok(), Some(value));
        }
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1000, 12_345_678].map(count), ["0", "999", "1,000", "12,345,678"]);
    }

    #[test]
    fn differences_are_short() {
        assert_eq!([0.0, 0.0312, -0.5, 12.0].map(percent), ["=", "+3.1%", "-50%", "+1200%"]);
    }
}
