//! Stamps: a hash of what a step was made from, left beside its result, so that the step is skipped while nothing changed.

use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::file;

/// The hash of names and contents of files and folders below `root`; one that is missing counts as empty.
pub fn of(root: &Path, paths: &[&str]) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for path in paths.iter().map(|path| root.join(path)).filter(|path| path.exists()) {
        for file in file::walk(&path)? {
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            hash.update(file.strip_prefix(root)?.to_string_lossy().as_bytes());
            hash.update([0]);
            hash.update(bytes.len().to_le_bytes());
            hash.update(bytes);
        }
    }
    Ok(hex(&hash.finalize()))
}

/// The hash of a text or of a file's bytes.
pub fn of_bytes(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

/// Whether the stamp file says that its step was done from exactly this.
pub fn is(file: &Path, stamp: &str) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text == stamp)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
