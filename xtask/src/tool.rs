//! trunk and wasm-bindgen, installed by cargo below our own folder.

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

pub fn setup(folders: &Folders) -> anyhow::Result<()> {
    for tool in TOOLS.iter().filter(|tool| !tool.is_installed(folders)) {
        doing(&format!("installing {} {}", tool.package, tool.version), tool.how_long);
        let mut install = folders.cargo(&["install", "--quiet", tool.package, "--version", tool.version]);
        let build = folders.tools.join("build");
        install
            .args(tool.flags)
            .arg("--root")
            .arg(&folders.tools)
            .arg("--target-dir")
            .arg(&build);
        run(install.env("CARGO_PROFILE_DEV_DEBUG", "0"))?;
        file::remove_folder(&build)?;
    }
    Ok(())
}

// === impl Tool ===

impl Tool {
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
