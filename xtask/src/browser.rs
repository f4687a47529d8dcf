//! Chromium, for the tests only.

use std::{env, path::PathBuf};

use anyhow::Context as _;

use crate::{debian, process::find};

pub fn setup() -> anyhow::Result<()> {
    if chromium().is_none() {
        debian::install("chromium", "a minute, once").context("the browser tests need Chromium (or FLOWDECK_CHROMIUM=its path)")?;
    }
    Ok(())
}

/// The browser that the tests use.
pub fn chromium() -> Option<PathBuf> {
    let named = env::var_os("FLOWDECK_CHROMIUM").map(PathBuf::from);
    named.or_else(|| ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| find(name)))
}
