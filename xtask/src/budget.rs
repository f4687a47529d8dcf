//! The size budget: what a first, cold visit may transfer.

use std::{fmt, path::Path};

use anyhow::bail;

use crate::file;

/// What all of a first page is meant to be, brotli-compressed.
const GOAL: u64 = 300_000;
/// What it may not exceed on the way there: it only ever goes down.
const LIMIT: u64 = 560_000;
/// Set aside for the document itself, whose size the browser tests hold below this.
const DOCUMENT: u64 = 16_000;

/// The sizes of the files that a first page loads.
pub struct Budget {
    parts: Vec<Part>,
}

#[derive(Default)]
struct Part {
    name: &'static str,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

// === impl Budget ===

/// Adds up what `dist` made, part by part.
pub fn measure(site: &Path) -> anyhow::Result<Budget> {
    let mut parts = ["wasm", "js", "css", "icons, fonts"].map(|name| Part { name, ..Part::default() });
    for path in file::walk(site)? {
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let part = match kind {
            "br" | "gz" | "txt" => continue,
            "wasm" => 0,
            "js" => 1,
            "css" => 2,
            _ => 3,
        };
        let size = |kind: &str| path.with_extension(kind).metadata().map(|file| file.len());
        let raw = size(kind)?;
        parts[part].raw += raw;
        parts[part].gzip += size(&format!("{kind}.gz")).unwrap_or(raw);
        parts[part].brotli += size(&format!("{kind}.br")).unwrap_or(raw);
    }
    Ok(Budget { parts: parts.into() })
}

impl Budget {
    fn total(&self) -> u64 {
        self.parts.iter().map(|part| part.brotli).sum::<u64>() + DOCUMENT
    }

    pub fn hold(&self) -> anyhow::Result<()> {
        if self.total() > LIMIT {
            bail!("the first page is {} bytes over its budget", self.total() - LIMIT);
        }
        Ok(())
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<13}{:>10}{:>10}{:>10}", "first page", "raw", "gzip", "brotli")?;
        for Part { name, raw, gzip, brotli } in &self.parts {
            writeln!(out, "{name:<13}{raw:>10}{gzip:>10}{brotli:>10}")?;
        }
        writeln!(out, "{:<13}{:>30}", "the document", DOCUMENT)?;
        write!(out, "{:<13}{:>30} of {LIMIT} allowed and {GOAL} wanted", "total", self.total())
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, DOCUMENT, LIMIT, Part};

    fn wasm(brotli: u64) -> Budget {
        Budget {
            parts: vec![Part {
                name: "wasm",
                brotli,
                ..Part::default()
            }],
        }
    }

    #[test]
    fn the_document_counts() {
        let most = LIMIT - DOCUMENT;
        assert!(wasm(most).hold().is_ok());
        assert!(
            wasm(most)
                .to_string()
                .contains(&format!("{LIMIT} of {LIMIT} allowed and 300000 wanted")),
            "{}",
            wasm(most)
        );
        assert_eq!(
            wasm(most + 1).hold().unwrap_err().to_string(),
            "the first page is 1 bytes over its budget"
        );
    }
}
