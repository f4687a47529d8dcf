//! Compressed copies beside each file, as small as they get, so that the server never compresses while somebody waits.

use std::{io::Write as _, path::Path};

use anyhow::Context as _;

use crate::file;

/// Pictures and fonts are compressed already.
const KINDS: &[&str] = &["wasm", "js", "css", "svg", "txt", "json", "webmanifest", "ico"];

pub fn all(folder: &Path) -> anyhow::Result<()> {
    for path in file::walk(folder)? {
        let Some(kind) = kind(&path) else {
            continue;
        };
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        file::write(&path.with_extension(format!("{kind}.br")), brotli(&bytes)?)?;
        file::write(&path.with_extension(format!("{kind}.gz")), gzip(&bytes)?)?;
    }
    Ok(())
}

/// The kind of a file that has compressed copies.
pub fn kind(file: &Path) -> Option<&str> {
    file.extension().and_then(|kind| kind.to_str()).filter(|kind| KINDS.contains(kind))
}

fn brotli(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut small = Vec::new();
    let settings = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        size_hint: bytes.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut small, &settings).context("brotli")?;
    Ok(small)
}

fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).context("gzip")?;
    encoder.finish().context("gzip")
}
