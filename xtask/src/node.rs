//! npm's packages of `end2end/`: Playwright for the tests, wasm-opt for the console.

use std::path::PathBuf;

use anyhow::bail;

use crate::{
    file,
    folders::Folders,
    process::{doing, find, run},
    stamp,
};

pub fn setup(folders: &Folders) -> anyhow::Result<()> {
    let marker = folders.end2end.join("node_modules/.stamp");
    let stamp = stamp::of_bytes(file::read(&folders.end2end.join("package-lock.json"))?);
    if stamp::is(&marker, &stamp) {
        return Ok(());
    }
    if find("npm").is_none() || find("node").is_none() {
        bail!("npm is missing (install Node.js 20 or newer)");
    }
    doing("fetching npm's packages", "half a minute, when they change");
    let mut npm = folders.command("npm");
    npm.args(["ci", "--silent", "--no-audit", "--no-fund"])
        .current_dir(&folders.end2end);
    if let Some(cache) = &folders.npm_cache {
        npm.env("npm_config_cache", cache);
    }
    // The tests use the machine's own Chromium.
    run(npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))?;
    file::write(&marker, stamp)
}

/// The optimiser, where npm could get it.
pub fn wasm_opt(folders: &Folders) -> Option<PathBuf> {
    Some(folders.end2end.join("node_modules/.bin/wasm-opt")).filter(|file| file.exists())
}
