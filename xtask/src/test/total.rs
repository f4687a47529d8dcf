//! How many tests passed, as each runner says it in its own words.

use std::{fmt, ops::Add};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

// === impl Total ===

impl Total {
    /// Of the `test result:` lines of cargo's own runner, one a binary.
    pub fn of_cargo(text: &str) -> Self {
        let is_total = |line: &&str| line.starts_with("test result:");
        text.lines().filter(is_total).map(counts).fold(Self::default(), Add::add)
    }

    /// Of pytest's last line with totals.
    pub fn of_pytest(text: &str) -> Self {
        text.lines()
            .map(counts)
            .rfind(|total| *total != Self::default())
            .unwrap_or_default()
    }

    /// Of Playwright's JSON report.
    pub fn of_playwright(report: &str) -> Self {
        let report: serde_json::Value = serde_json::from_str(report).unwrap_or_default();
        let count = |name: &str| report["stats"][name].as_u64().and_then(|count| count.try_into().ok()).unwrap_or(0);
        // A test that passes only when repeated has not shown that it works.
        Self {
            passed: count("expected"),
            failed: count("unexpected") + count("flaky"),
            skipped: count("skipped"),
        }
    }

    /// A runner that ends badly has failed, also where it counted nothing.
    pub fn or_failed(self, ended_well: bool) -> Self {
        let failed = if ended_well { self.failed } else { self.failed.max(1) };
        Self { failed, ..self }
    }
}

impl Add for Total {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Total {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(out, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// Every `3 passed` of a line, in the words of all runners.
fn counts(line: &str) -> Total {
    let words: Vec<&str> = line
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .collect();
    let mut total = Total::default();
    for pair in words.windows(2) {
        let Ok(count) = pair[0].parse::<u32>() else { continue };
        match pair[1] {
            "passed" => total.passed += count,
            "failed" | "error" | "errors" | "timed" | "exec" => total.failed += count,
            "skipped" | "ignored" | "xfailed" => total.skipped += count,
            _ => {}
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::Total;

    fn total(passed: u32, failed: u32, skipped: u32) -> Total {
        Total { passed, failed, skipped }
    }

    #[test]
    fn cargos_own_runner() {
        let text = "test a ... ok\ntest result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 9 filtered out; finished in 0.01s\n\
                    test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(Total::of_cargo(text), total(7, 1, 2));
    }

    #[test]
    fn pytest() {
        assert_eq!(
            Total::of_pytest("..F\n1 failed, 2 passed, 1 skipped, 3 deselected, 1 error in 0.12s\n"),
            total(2, 2, 1)
        );
        assert_eq!(
            Total::of_pytest("====== 12 passed, 1 warning in 75.31s (0:01:15) ======"),
            total(12, 0, 0)
        );
        assert_eq!(Total::of_pytest("no tests ran in 0.01s"), total(0, 0, 0));
    }

    #[test]
    fn playwright() {
        let report = r#"{"suites":[],"stats":{"expected":9,"unexpected":1,"flaky":1,"skipped":2}}"#;
        assert_eq!(Total::of_playwright(report), total(9, 2, 2));
        assert_eq!(Total::of_playwright(""), total(0, 0, 0));
    }

    #[test]
    fn a_runner_that_breaks_has_failed() {
        assert_eq!(total(0, 0, 0).or_failed(false), total(0, 1, 0));
        assert_eq!(total(2, 3, 0).or_failed(false), total(2, 3, 0));
    }

    #[test]
    fn the_last_line() {
        assert_eq!((total(2, 0, 0) + total(1, 1, 0)).to_string(), "3 passed, 1 failed");
        assert_eq!(total(2, 0, 4).to_string(), "2 passed, 0 failed, 4 skipped");
    }
}
