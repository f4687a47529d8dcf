//! Numbers as MLflow writes them: NaN is the string `"NaN"`, whole numbers may be strings.

use std::{borrow::Cow, fmt};

use serde::{Deserializer, Serializer, de};

/// What MLflow stores for +∞ (and, negated, for −∞).
const INFINITE: f64 = f64::MAX;

/// A float that may be `"NaN"`, `"Infinity"` or `"-Infinity"`.
///
/// # Errors
/// The value is no number.
pub fn float<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    from.deserialize_any(Float)
}

/// The opposite of [`float`]: what is not finite becomes a string, so that it survives the way to the browser.
///
/// # Errors
/// Those of `to`.
pub fn write_float<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    match spelled(*value) {
        Some(word) => to.serialize_str(word),
        None => to.serialize_f64(*value),
    }
}

/// A whole number, or the same as a string.
///
/// # Errors
/// The value is no whole number.
pub fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    from.deserialize_any(Whole)
}

/// As [`whole`], for a field that may be missing (with `#[serde(default)]`).
///
/// # Errors
/// As [`whole`].
pub fn maybe_whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    whole(from).map(Some)
}

/// The number that a text is: what its `parse` gives, without the 12 KB of tables that the browser would have to load for it.
pub fn read(text: &str) -> Option<f64> {
    let (sign, number) = match text.strip_prefix('-') {
        Some(number) => (-1.0, number),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = number.split_at(number.find(['e', 'E']).unwrap_or(number.len()));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let power = exponent.get(1..).map(|power| power.strip_prefix(['+', '-']).unwrap_or(power));
    let has_digits = !(whole.is_empty() && fraction.is_empty()) && power != Some("");
    if !has_digits || ![whole, fraction, power.unwrap_or_default()].into_iter().all(digits) {
        return word(number).map(|value| sign * value);
    }
    let is_json = (whole == "0" || !whole.is_empty() && !whole.starts_with('0')) && !mantissa.ends_with('.');
    let json = match is_json {
        true => Cow::Borrowed(number),
        false => Cow::Owned(format!("{:0>1}.{fraction:0<1}{exponent}", whole.trim_start_matches('0'))),
    };
    // What is a number and cannot be read is too large.
    Some(sign * serde_json::from_str(&json).unwrap_or(f64::INFINITY))
}

fn word(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => Some(f64::INFINITY),
        "nan" => Some(f64::NAN),
        _ => None,
    }
}

/// `"NaN"`, `"Infinity"` or `"-Infinity"`, for what JSON has no number for.
fn spelled(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

/// What was logged: MLflow keeps ±∞ as the largest float.
pub fn logged(value: f64) -> f64 {
    if value.abs() >= INFINITE {
        value.signum() * f64::INFINITY
    } else {
        value
    }
}

struct Float;

impl de::Visitor<'_> for Float {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or \"NaN\"")
    }

    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }
    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }
    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<f64, E> {
        match value {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => read(value).ok_or_else(|| E::invalid_value(de::Unexpected::Str(value), &self)),
        }
    }
}

struct Whole;

impl de::Visitor<'_> for Whole {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<i64, E> {
        value.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(value), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct Both {
        #[serde(deserialize_with = "float", serialize_with = "write_float")]
        value: f64,
        #[serde(default, deserialize_with = "maybe_whole")]
        time: Option<i64>,
    }

    #[test]
    fn a_text_is_read_as_rust_reads_it() {
        let same = |text: &str| {
            let parsed = text.parse::<f64>().ok();
            assert_eq!(super::read(text).map(f64::to_bits), parsed.map(f64::to_bits), "{text:?}");
        };
        for whole in [
            "",
            "0",
            "7",
            "007",
            "12",
            "123456789012345678901234567890",
            "x",
            " 1",
            "1_0",
            "inf",
            "nAn",
            "Infinity",
        ] {
            for fraction in ["", ".", ".0", ".5", ".000125", ".5.5", "."] {
                for exponent in [
                    "",
                    "e",
                    "e5",
                    "E+5",
                    "e-07",
                    "e+",
                    "e999",
                    "e-999",
                    "e5.2",
                    "e 1",
                    "e99999999999999999999",
                ] {
                    for sign in ["", "-", "+", "--", "+-"] {
                        if !(whole.eq_ignore_ascii_case("nan") && sign == "-") {
                            same(&format!("{sign}{whole}{fraction}{exponent}"));
                        }
                    }
                }
            }
        }
        let mut seed = 1_u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(seed);
            if value.is_finite() {
                same(&format!("{value}"));
                same(&format!("{value:e}"));
                same(&format!("{:.3}", value % 1000.0));
            }
        }
        assert!(super::read("-nan").is_some_and(f64::is_nan));
    }

    fn both(text: &str) -> Both {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn not_a_number_survives_both_ways() {
        let read = both(r#"{"value":"NaN"}"#);
        assert!(read.value.is_nan());
        assert_eq!(read.time, None);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"value":"NaN","time":null}"#);
    }

    #[test]
    fn infinity_is_the_largest_float() {
        assert!(logged(both(r#"{"value":1.7976931348623157e+308}"#).value).is_infinite());
        assert_eq!(logged(both(r#"{"value":-1.7976931348623157e+308}"#).value), f64::NEG_INFINITY);
        assert!((logged(-3.5) + 3.5).abs() < f64::EPSILON);
        assert!(logged(f64::NAN).is_nan());
    }

    #[test]
    fn whole_numbers_come_as_numbers_or_strings() {
        assert_eq!(both(r#"{"value":1,"time":1795198191238}"#).time, Some(1_795_198_191_238));
        assert_eq!(both(r#"{"value":1,"time":"1795198191238"}"#).time, Some(1_795_198_191_238));
        assert!(serde_json::from_str::<Both>(r#"{"value":"x"}"#).is_err());
        assert!(serde_json::from_str::<Both>(r#"{"value":1,"time":18446744073709551615}"#).is_err());
    }

    #[test]
    fn a_float_read_and_written_again_stays_the_same() {
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut off = 0;
        for _ in 0..100_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(seed);
            if value.is_finite() {
                let text = serde_json::to_string(&value).unwrap();
                off += usize::from(serde_json::from_str::<f64>(&text).unwrap().to_bits() != value.to_bits());
            }
        }
        assert_eq!(off, 0);
    }
}
