//! Programs that cargo installs below our own folder: trunk and wasm-bindgen for the console, and cargo-fuzz.

use crate::{
    file,
    folders::Folders,
    process::{doing, output, run},
};

struct Tool {
    /// The program, as it names itself in `--version`.
    program: &'static str,
    package: &'static str,
    version: &'static str,
    flags: &'static [&'static str],
    how_long: &'static str,
}

const TOOLS: &[Tool] = &[
    // A debug build takes half the time and loses nothing: trunk only starts other programs here.
    Tool {
        program: "trunk",
        package: "trunk",
        version: "0.21.14",
        flags: &["--locked", "--debug", "--no-default-features"],
        how_long: "3 to 6 minutes, once",
    },
    // Not --locked: its lock file asks for a release that not every registry has.
    Tool {
        program: "wasm-bindgen",
        package: "wasm-bindgen-cli",
        version: "0.2.130",
        flags: &[],
        how_long: "2 to 4 minutes, once",
    },
];

const FUZZ: Tool = Tool {
    program: "cargo-fuzz",
    package: "cargo-fuzz",
    version: "0.13.2",
    flags: &["--locked", "--debug"],
    how_long: "a minute, once",
};

/// For the console.
pub fn setup(folders: &Folders) -> anyhow::Result<()> {
    TOOLS.iter().try_for_each(|tool| tool.install(folders))
}

/// For `cargo xtask fuzz` alone.
pub fn fuzz(folders: &Folders) -> anyhow::Result<()> {
    FUZZ.install(folders)
}

// === impl Tool ===

impl Tool {
    fn install(&self, folders: &Folders) -> anyhow::Result<()> {
        if self.is_installed(folders) {
            return Ok(());
        }
        doing(&format!("installing {} {}", self.package, self.version), self.how_long);
        let mut install = folders.cargo(&["install", "--quiet", self.package, "--version", self.version]);
        let build = folders.tools.join("build");
        install
            .args(self.flags)
            .arg("--root")
            .arg(&folders.tools)
            .arg("--target-dir")
            .arg(&build);
        run(install.env("CARGO_PROFILE_DEV_DEBUG", "0"))?;
        file::remove_folder(&build)
    }

    fn is_installed(&self, folders: &Folders) -> bool {
        let mut version = std::process::Command::new(folders.tools.join("bin").join(self.program));
        output(version.arg("--version")).is_ok_and(|said| said.trim() == format!("{} {}", self.program, self.version))
    }
}

#[cfg(test)]
mod tests {
    use super::TOOLS;

    #[test]
    fn the_command_line_tool_matches_the_library() {
        let lock = include_str!("../../Cargo.lock").replace("\r\n", "\n");
        assert!(lock.contains(&format!("name = \"wasm-bindgen\"\nversion = \"{}\"", TOOLS[1].version)));
        assert!(include_str!("../../Trunk.toml").contains(&format!("wasm_bindgen = \"{}\"", TOOLS[1].version)));
    }
}
