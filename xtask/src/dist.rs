//! The browser's files: trunk builds them, wasm-opt shrinks them, and each gets its compressed copies.

pub mod compress;
mod manifest;
mod merge;
mod snip;
pub mod split;
mod style;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

pub use self::manifest::Manifest;
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
    "view",
    "style",
    "public",
    ".cargo",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "rust-toolchain.toml",
    "end2end/package-lock.json",
    "xtask/src/dist.rs",
    "xtask/src/dist",
];

#[derive(clap::Args)]
pub struct Options {
    /// Also copy the files into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Soon instead of small, for trying things out: without what makes the files small
    #[arg(long)]
    quick: bool,
}

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    setup::console(folders)?;
    make(folders, options.quick)?;
    if let Some(out) = &options.out {
        file::copy_all(&folders.site, out)?;
    }
    if !options.quick {
        println!("{}", budget::measure(&folders.site)?);
    }
    Ok(())
}

/// Makes the files anew where anything that they are made from has changed.
pub fn build(folders: &Folders) -> anyhow::Result<()> {
    make(folders, false)
}

fn make(folders: &Folders, quick: bool) -> anyhow::Result<()> {
    let _alone = file::lock(&folders.target.join("dist.lock"))?;
    let optimiser = node::wasm_opt(folders).filter(|_| !quick);
    let sources = stamp::of(&folders.root, SOURCES)?;
    let stamp = format!("{sources} wasm-opt: {}{}", optimiser.is_some(), if quick { " quick" } else { "" });
    let marker = ".stamp";
    if stamp::is(&folders.site.join(marker), &stamp) {
        return Ok(());
    }
    doing(
        "building the console for the browser",
        "2 to 4 minutes the first time, then under one",
    );
    let made = folders.target.join("trunk");
    file::fresh_folder(&made)?;
    file::remove_folder(&split::modules(folders))?;
    trunk(folders, &made, quick)?;

    let new = folders.site.with_extension("new");
    file::fresh_folder(&new)?;
    let manifest = lay_out(folders, &made, &new, optimiser.as_deref(), !quick)?;
    file::write(&new.join(Manifest::FILE), serde_json::to_string_pretty(&manifest)?)?;
    if !quick {
        compress::all(&new)?;
    }
    file::write(&new.join(marker), stamp)?;
    file::replace_folder(&new, &folders.site)
}

fn trunk(folders: &Folders, to: &Path, quick: bool) -> anyhow::Result<()> {
    let for_size = if quick { Ok(Vec::new()) } else { wasm::for_size(folders) };
    let for_size = for_size.unwrap_or_else(|error| {
        eprintln!("warning: {error:#}; the console works, but is 7 % larger");
        Vec::new()
    });
    // trunk works offline, so what the lock files name has to be here already.
    process::run(folders.cargo(&["fetch", "--quiet", "--locked"]).envs(for_size.clone()))?;
    let mut trunk = folders.command("trunk");
    let before = std::iter::once(split::programs(folders)?);
    trunk.env("PATH", std::env::join_paths(before.chain(folders.path()))?);
    trunk.args(["build", "--quiet", "--release", "--dist"]).arg(to);
    // trunk takes only `true` and `false` for an answer, where other programs set NO_COLOR=1.
    trunk.env_remove("NO_COLOR");
    // Cargo has said what does not compile; where in trunk that was noticed helps nobody.
    trunk.env("RUST_BACKTRACE", "0");
    if quick || for_size.is_empty() && !wasm::has_bitcode(folders)? {
        trunk.env("CARGO_PROFILE_WASM_RELEASE_LTO", "off");
    }
    if quick {
        trunk.env("CARGO_PROFILE_WASM_RELEASE_CODEGEN_UNITS", "16");
        trunk.env("CARGO_PROFILE_WASM_RELEASE_INCREMENTAL", "true");
    }
    process::run(trunk.envs(for_size))
}

/// Gives every file its name: a hash of its bytes, so that browsers keep it for good.
fn lay_out(folders: &Folders, made: &Path, new: &Path, optimiser: Option<&Path>, merged: bool) -> anyhow::Result<Manifest> {
    let put = |name: &str, kind: &str, bytes: &[u8]| {
        let name = format!("{name}-{}.{kind}", &stamp::of_bytes(bytes)[..16]);
        file::write(&new.join(&name), bytes).map(|()| name)
    };
    let shrunk = |wasm: &Path| {
        if let Some(wasm_opt) = optimiser {
            optimise(folders, wasm_opt, wasm)?;
        }
        std::fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))
    };

    let folder = split::modules(folders);
    let mut modules: BTreeMap<String, Vec<String>> = serde_json::from_str(&file::read(&folder.join("modules.json"))?)?;
    let mut parts = BTreeMap::new();
    for part in modules.values().flatten() {
        if !parts.contains_key(part) {
            parts.insert(part.clone(), shrunk(&folder.join(format!("{part}.wasm")))?);
        }
    }
    if merged {
        merge::merge_small(&mut parts, &mut modules)?;
    }
    for (part, bytes) in &parts {
        let name = put(part, "wasm", bytes)?;
        let used = modules.values_mut().flatten().filter(|used| *used == part);
        used.for_each(|used| used.clone_from(&name));
    }
    let loader = split::loader(modules.iter().map(|(name, files)| (name.as_str(), files.as_slice())))?;
    let loader = put("loader", "js", loader.as_bytes())?;
    // Where the script gets it from changes; the name under which it hands it on does not.
    let from = |name: &str| format!("from \"{name}\"");
    let script = file::read(&only(made, "frontend-", ".js")?)?;
    if !script.contains(&from(split::LOADER)) {
        bail!(
            "wasm-bindgen's script does not import {} in the way that this expects",
            split::LOADER
        );
    }
    let script = script.replace(&from(split::LOADER), &from(&format!("./{loader}")));

    let icon = folders.root.join("public/favicon.png");
    let icon = std::fs::read(&icon).with_context(|| format!("cannot read {}", icon.display()))?;
    Ok(Manifest {
        script: put("frontend", "js", script.as_bytes())?,
        wasm: put("frontend", "wasm", &shrunk(&only(made, "frontend-", "_bg.wasm")?)?)?,
        loader,
        style: put("main", "css", style::bundle(&folders.root.join("style/main.css"))?.as_bytes())?,
        icon: put("favicon", "png", &icon)?,
        modules,
    })
}

fn optimise(folders: &Folders, wasm_opt: &Path, wasm: &Path) -> anyhow::Result<()> {
    let smaller = wasm.with_extension("smaller");
    // Silently: of names that it does not know it says so, file by file.
    process::output(
        folders
            .command(wasm_opt)
            // Structured anew, the code is 1 % smaller. Nothing lies below address 1024 but the end of the stack.
            .args(["--low-memory-unused", "--flatten", "--rereloop", "-Oz", "-Oz"])
            .args(["--strip-producers", "--strip-target-features"])
            .args(FEATURES)
            .arg(wasm)
            .arg("-o")
            .arg(&smaller),
    )?;
    std::fs::rename(&smaller, wasm).with_context(|| format!("cannot replace {}", wasm.display()))
}

/// The one file of this name.
fn only(folder: &Path, start: &str, end: &str) -> anyhow::Result<PathBuf> {
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
