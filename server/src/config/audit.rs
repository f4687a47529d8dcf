//! How much of the audit is kept.

use std::{str::FromStr, time::Duration};

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Audit")]
pub struct Audit {
    /// Calls are kept in the audit for so long
    #[arg(long, env = "FLOWDECK_AUDIT_KEEP", value_name = "TIME", default_value = "365days", value_parser = humantime::parse_duration)]
    pub audit_keep: Duration,

    /// The audit keeps no more calls than this, about 400 bytes each; the oldest go first
    #[arg(long, env = "FLOWDECK_AUDIT_MOST", value_name = "ROWS", default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub audit_most: u64,

    /// Nor more than fill so much of its file, for example 500MiB; what becomes free in the file is used again
    #[arg(long, env = "FLOWDECK_AUDIT_SIZE", value_name = "BYTES", default_value = "8GiB")]
    pub audit_size: Bytes,
}

/// A size: a number of bytes, or of `KiB`, `MiB`, `GiB` or `TiB`. At least 1 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

const LEAST: u64 = 1 << 20;

// === impl Bytes ===

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let shift = match unit.trim_start() {
            "" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            "TiB" => 40,
            _ => return Err("expected a number of bytes, or of KiB, MiB, GiB or TiB".into()),
        };
        let number: u64 = number.parse().map_err(|_| "expected a whole number first, like 500MiB")?;
        number
            .checked_mul(1 << shift)
            .filter(|bytes| *bytes >= LEAST)
            .map(Self)
            .ok_or_else(|| "expected at least 1MiB, and less than 16777216TiB".into())
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1048576", 1 << 20),
            ("1MiB", 1 << 20),
            ("2048 KiB", 2 << 20),
            ("8GiB", 8 << 30),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for bad in [
            "",
            "MiB",
            "0",
            "1MB",
            "1mib",
            "-1GiB",
            "1.5GiB",
            "1048575",
            "16777216TiB",
            "99999999999999999999",
        ] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
    }
}
