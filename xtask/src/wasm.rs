//! The WebAssembly target: from rustup, or else built from Debian's sources of the same Rust.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::{
    debian, file,
    folders::Folders,
    process::{doing, find, output, run, succeeds},
};

pub const TARGET: &str = "wasm32-unknown-unknown";

pub fn setup(folders: &Folders) -> anyhow::Result<()> {
    if compiles(folders, &[])? {
        return Ok(());
    }
    let lib = sysroot(folders)?.join("lib/rustlib");
    // A target that is there and does not compile is half of one, or two that lie on top of each other.
    succeeds(folders.command("rustup").args(["target", "remove", TARGET]));
    file::remove_folder(&lib.join(TARGET))?;

    if find("rustup").is_some() {
        doing("fetching the WebAssembly target", "half a minute, once");
        if succeeds(folders.command("rustup").args(["target", "add", TARGET])) && compiles(folders, &[])? {
            return Ok(());
        }
    }
    build(folders, &lib).with_context(|| format!("rustup has no {TARGET} target to give here, and building it failed"))?;
    if !compiles(folders, &[])? {
        bail!("the {TARGET} target was built, but does not compile; `rustup target add {TARGET}` on a machine with rustup's server works");
    }
    Ok(())
}

/// Whether link-time optimisation works, for which the target's library has to hold bitcode.
pub fn has_bitcode(folders: &Folders) -> anyhow::Result<bool> {
    compiles(folders, &["-C", "lto=fat"])
}

/// What lets cargo compile the standard library along with the console, for size and without what a panic would say: that takes 7 %
/// off the module. A panic ends the console then without a word; a debug build of it still tells.
pub fn for_size(folders: &Folders) -> anyhow::Result<Vec<(&'static str, OsString)>> {
    let own = sysroot(folders)?.join("lib/rustlib/src/rust");
    if !own.is_dir() && find("rustup").is_some() {
        doing("fetching the sources of Rust's standard library", "seconds, once");
        succeeds(folders.command("rustup").args(["component", "add", "rust-src"]));
    }
    let tree = if own.is_dir() { own } else { source(folders)? };
    Ok(vec![
        // `-Z` on a stable compiler.
        ("RUSTC_BOOTSTRAP", "1".into()),
        ("__CARGO_TESTS_ONLY_SRC_ROOT", tree.join("library").into()),
        ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort".into()),
        ("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size".into()),
        // Names as a compiler without `-Z` gives them: `dist::snip` knows those.
        (
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            "-Csymbol-mangling-version=legacy -Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none".into(),
        ),
    ])
}

/// The only proof of a complete target is a program that links.
fn compiles(folders: &Folders, flags: &[&str]) -> anyhow::Result<bool> {
    let probe = folders.target.join("wasm-probe");
    file::make_folder(&probe)?;
    let source = probe.join("probe.rs");
    file::write(&source, "#[unsafe(no_mangle)] pub extern \"C\" fn probe() { println!(); }")?;
    let mut rustc = folders.command("rustc");
    rustc.args([
        "--edition",
        "2024",
        "--crate-type",
        "cdylib",
        "--target",
        TARGET,
        "-C",
        "panic=abort",
    ]);
    Ok(succeeds(rustc.args(flags).arg("-o").arg(probe.join("probe.wasm")).arg(source)))
}

fn sysroot(folders: &Folders) -> anyhow::Result<PathBuf> {
    Ok(output(folders.command("rustc").args(["--print", "sysroot"]))?.trim().into())
}

/// Builds the target's standard library and puts it where rustc looks for it.
fn build(folders: &Folders, lib: &Path) -> anyhow::Result<()> {
    let source = source(folders)?;
    doing("building the WebAssembly target from source", "half a minute to a minute, once");
    let package = folders.rust_src.join("build");
    file::fresh_folder(&package.join("src"))?;
    file::write(&package.join("src/lib.rs"), "")?;
    let manifest = "[package]\nname = \"empty\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    file::write(&package.join("Cargo.toml"), manifest)?;
    let mut cargo = folders.cargo(&[
        "build",
        "--quiet",
        "--release",
        "-Z",
        "build-std=std,panic_abort",
        "--target",
        TARGET,
    ]);
    cargo.arg("--target-dir").arg(package.join("target")).current_dir(&package);
    // `-Z` on a stable compiler; cargo would otherwise look for the sources in the sysroot. Without bitcode a later `lto = "fat"` fails.
    cargo
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", source.join("library"));
    run(cargo.env(
        "RUSTFLAGS",
        format!("-C embed-bitcode=yes --remap-path-prefix={}=/rustc", source.display()),
    ))?;

    let part = lib.join(format!("{TARGET}.part"));
    file::fresh_folder(&part.join("lib"))?;
    for library in file::entries(&package.join("target").join(TARGET).join("release/deps"))? {
        if library.extension().is_some_and(|name| name == "rlib") {
            let name = library.file_name().unwrap_or_default();
            std::fs::copy(&library, part.join("lib").join(name)).with_context(|| format!("cannot write to {}", part.display()))?;
        }
    }
    file::replace_folder(&part, &lib.join(TARGET))?;
    file::remove_folder(&package)
}

/// Debian's `rust-src` of exactly this compiler's version, unpacked. The machine's own apt stays as it is.
fn source(folders: &Folders) -> anyhow::Result<PathBuf> {
    let said = output(folders.command("rustc").arg("--version"))?;
    let version = said.split_whitespace().nth(1).context("`rustc --version` says nothing")?;
    let unpacked = folders.rust_src.join(version);
    let tree = unpacked.join(format!("usr/src/rustc-{version}"));
    if tree.is_dir() {
        return Ok(tree);
    }

    let (Some(_), Some(_), Some(mirror)) = (find("apt-get"), find("dpkg-deb"), debian::mirror()?) else {
        bail!("this is no Debian whose packages could help; run `rustup target add {TARGET}` where rustup's server can be reached");
    };
    doing("fetching the Rust sources from the Debian mirror", "under a minute, once");
    let apt = Apt::new(&folders.rust_src.join("apt"), &mirror)?;
    run(apt.command(folders, "apt-get").args(["update", "-qq"]))?;
    let offered = output(apt.command(folders, "apt-cache").args(["madison", "rust-src"]))?;
    let package = pick(&offered, version).with_context(|| format!("the Debian mirror has no rust-src of version {version}"))?;
    let download = folders.rust_src.join("download");
    file::fresh_folder(&download)?;
    run(apt
        .command(folders, "apt-get")
        .args(["download", "-qq", &format!("rust-src={package}")])
        .current_dir(&download))?;
    let archive = file::entries(&download)?.pop().context("apt-get downloaded nothing")?;
    let part = folders.rust_src.join("part");
    file::remove_folder(&part)?;
    run(folders.command("dpkg-deb").arg("-x").arg(&archive).arg(&part))?;
    file::replace_folder(&part, &unpacked)?;
    file::remove_folder(&download)?;
    Ok(tree)
}

/// The first package version of exactly this Rust in what `apt-cache madison` prints.
fn pick<'a>(offered: &'a str, version: &str) -> Option<&'a str> {
    let mut versions = offered.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.find(|package| package.strip_prefix(version).is_some_and(|rest| rest.starts_with(['+', '-', '~'])))
}

/// apt with sources, lists and cache of its own.
struct Apt {
    folder: PathBuf,
}

// === impl Apt ===

impl Apt {
    fn new(folder: &Path, mirror: &str) -> anyhow::Result<Self> {
        for name in ["sources", "lists/partial", "cache/archives/partial"] {
            file::make_folder(&folder.join(name))?;
        }
        let keys = ["gpg", "pgp"].map(|kind| format!("/usr/share/keyrings/debian-archive-keyring.{kind}"));
        let key = keys
            .iter()
            .find(|key| Path::new(key).is_file())
            .context("install debian-archive-keyring, then try again")?;
        let source = format!("Types: deb\nURIs: {mirror}\nSuites: trixie-backports sid\nComponents: main\nSigned-By: {key}\n");
        file::write(&folder.join("sources/debian.sources"), source)?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn command(&self, folders: &Folders, program: &str) -> std::process::Command {
        let mut command = folders.command(program);
        let at = |name: &str| self.folder.join(name).display().to_string();
        for option in [
            "Dir::Etc::sourcelist=/dev/null".to_owned(),
            format!("Dir::Etc::sourceparts={}", at("sources")),
            format!("Dir::State::lists={}", at("lists")),
            format!("Dir::Cache={}", at("cache")),
            // Root's apt would otherwise write as another user, who may not write here.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::pick;

    #[test]
    fn only_the_same_version_of_rust_will_do() {
        let offered = "  rust-src | 1.97.1+dfsg1-1 | http://x sid/main\n  rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://x y/main\n";
        assert_eq!(pick(offered, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(pick(offered, "1.9"), None);
        assert_eq!(pick("", "1.95.0"), None);
    }
}
