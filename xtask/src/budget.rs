//! The size budget: what a first, cold visit may transfer, and what all pages together.

use std::{fmt, path::Path};

use anyhow::{Context as _, bail};

use crate::dist::{Manifest, compress};

/// What all of a first page may be, brotli-compressed.
const LIMIT: u64 = 300_000;
/// What all pages together may be: what has been reached, so that it does not grow unseen.
const WHOLE: u64 = 920_000;
/// Set aside for the document itself, whose size the browser tests hold below this.
const DOCUMENT: u64 = 16_000;

/// The sizes of the files that a first page loads.
pub struct Budget {
    parts: Vec<Part>,
    /// What other pages load on top.
    later: Part,
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
    let manifest = Manifest::read(site)?;
    let part = |name: &'static str, files: &[&str]| {
        let mut part = Part { name, ..Part::default() };
        for file in files {
            let size = |kind: &str| {
                let path = site.join(format!("{file}{kind}"));
                let file = path.metadata().with_context(|| format!("{} is missing", path.display()))?;
                anyhow::Ok(file.len())
            };
            part.raw += size("")?;
            let small = |copy: &str| size(compress::kind(Path::new(file)).map_or("", |_| copy));
            part.gzip += small(".gz")?;
            part.brotli += small(".br")?;
        }
        anyhow::Ok(part)
    };
    Ok(Budget {
        parts: vec![
            part("wasm", &[&manifest.wasm])?,
            part("js", &[&manifest.script, &manifest.loader])?,
            part("css", &[&manifest.style])?,
            part("icons, fonts", &[&manifest.icon])?,
        ],
        later: part("later pages", &manifest.later().into_iter().collect::<Vec<_>>())?,
    })
}

impl Budget {
    fn total(&self) -> u64 {
        self.parts.iter().map(|part| part.brotli).sum::<u64>() + DOCUMENT
    }

    fn whole(&self) -> u64 {
        self.total() + self.later.brotli
    }

    pub fn hold(&self) -> anyhow::Result<()> {
        if self.total() > LIMIT {
            bail!("the first page is {} bytes over its budget", self.total() - LIMIT);
        }
        if self.whole() > WHOLE {
            bail!("all pages together are {} bytes over their budget", self.whole() - WHOLE);
        }
        Ok(())
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<13}{:>10}{:>10}{:>10}", "first page", "raw", "gzip", "brotli")?;
        for part in &self.parts {
            writeln!(out, "{part}")?;
        }
        writeln!(out, "{:<13}{:>30}", "the document", DOCUMENT)?;
        writeln!(out, "{:<13}{:>30} of {LIMIT} allowed", "total", self.total())?;
        writeln!(out, "{}", self.later)?;
        write!(out, "{:<13}{:>30} of {WHOLE} allowed", "all pages", self.whole())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, raw, gzip, brotli } = self;
        write!(out, "{name:<13}{raw:>10}{gzip:>10}{brotli:>10}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, DOCUMENT, LIMIT, Part, WHOLE};

    fn wasm(brotli: u64) -> Budget {
        pages(brotli, 0)
    }

    fn pages(brotli: u64, later: u64) -> Budget {
        Budget {
            parts: vec![Part {
                name: "wasm",
                brotli,
                ..Part::default()
            }],
            later: Part {
                brotli: later,
                ..Part::default()
            },
        }
    }

    #[test]
    fn later_pages_count_for_all_of_them() {
        let most = WHOLE - DOCUMENT - 1000;
        assert!(pages(1000, most).hold().is_ok());
        assert_eq!(
            pages(1000, most + 1).hold().unwrap_err().to_string(),
            "all pages together are 1 bytes over their budget"
        );
    }

    #[test]
    fn the_document_counts() {
        let most = LIMIT - DOCUMENT;
        assert!(wasm(most).hold().is_ok());
        assert!(
            wasm(most).to_string().contains(&format!("{LIMIT} of {LIMIT} allowed")),
            "{}",
            wasm(most)
        );
        assert_eq!(
            wasm(most + 1).hold().unwrap_err().to_string(),
            "the first page is 1 bytes over its budget"
        );
    }
}
