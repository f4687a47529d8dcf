//! The browser's files: trunk builds them, wasm-opt shrinks them, and each gets its compressed copies.

mod compress;
mod style;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::{
    budget, file,
    folders::Folders,
    node,
    process::{self, doing},
    setup, stamp, wasm,
};

/// What rustc uses of WebAssembly; wasm-opt's own "all features" makes a module that browsers refuse.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-call-indirect-overlong",
];

/// All that the files are made from.
const SOURCES: &[&str] = &[
    "app",
    "frontend",
    "style",
    "public",
    ".cargo",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "xtask/src/dist.rs",
    "xtask/src/dist",
];

#[derive(clap::Args)]
pub struct Options {
    /// Also copy the files into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    setup::console(folders)?;
    build(folders)?;
    if let Some(out) = &options.out {
        file::copy_all(&folders.site, out)?;
    }
    println!("{}", budget::measure(&folders.site)?);
    Ok(())
}

/// Makes the files anew where anything that they are made from has changed.
pub fn build(folders: &Folders) -> anyhow::Result<()> {
    let optimiser = node::wasm_opt(folders);
    let stamp = format!("{} wasm-opt: {}", stamp::of(&folders.root, SOURCES)?, optimiser.is_some());
    let marker = ".stamp";
    if stamp::is(&folders.site.join(marker), &stamp) {
        return Ok(());
    }
    doing(
        "building the console for the browser",
        "2 to 4 minutes the first time, then under one",
    );
    let new = folders.site.with_extension("new");
    file::fresh_folder(&new)?;
    trunk(folders, &new)?;
    if let Some(wasm_opt) = optimiser {
        optimise(folders, &wasm_opt, &only(&new, "frontend-", "_bg.wasm")?)?;
    }
    let css = style::bundle(&folders.root.join("style/main.css"))?;
    file::write(&new.join(format!("main-{}.css", &stamp::of_bytes(&css)[..16])), css)?;
    file::copy_all(&folders.root.join("public"), &new)?;
    compress::all(&new)?;
    file::write(&new.join(marker), stamp)?;
    file::replace_folder(&new, &folders.site)
}

fn trunk(folders: &Folders, to: &Path) -> anyhow::Result<()> {
    // trunk works offline, so what the lock file names has to be here already.
    process::run(&mut folders.cargo(&["fetch", "--quiet", "--locked"]))?;
    let mut trunk = folders.command("trunk");
    trunk.args(["build", "--quiet", "--release", "--dist"]).arg(to);
    // trunk takes only `true` and `false` for an answer, where other programs set NO_COLOR=1.
    trunk.env_remove("NO_COLOR");
    // Cargo has said what does not compile; where in trunk that was noticed helps nobody.
    trunk.env("RUST_BACKTRACE", "0");
    if !wasm::has_bitcode(folders)? {
        trunk.env("CARGO_PROFILE_WASM_RELEASE_LTO", "off");
    }
    process::run(&mut trunk)?;
    // Never served: the server renders the document.
    let document = to.join("index.html");
    std::fs::remove_file(&document).with_context(|| format!("trunk did not make {}", document.display()))
}

fn optimise(folders: &Folders, wasm_opt: &Path, wasm: &Path) -> anyhow::Result<()> {
    let smaller = wasm.with_extension("smaller");
    process::run(
        folders
            .command(wasm_opt)
            .arg("-Oz")
            .args(FEATURES)
            .arg(wasm)
            .arg("-o")
            .arg(&smaller),
    )?;
    std::fs::rename(&smaller, wasm).with_context(|| format!("cannot replace {}", wasm.display()))
}

/// The one file of this name: the server finds its files in the same way.
pub fn only(folder: &Path, start: &str, end: &str) -> anyhow::Result<PathBuf> {
    let mut found = file::entries(folder)?;
    found.retain(|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(start) && name.ends_with(end))
    });
    match <[PathBuf; 1]>::try_from(found) {
        Ok([path]) => Ok(path),
        Err(found) => bail!("{} holds {} files {start}*{end} instead of one", folder.display(), found.len()),
    }
}
