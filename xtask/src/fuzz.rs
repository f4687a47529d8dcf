//! `cargo xtask fuzz`: made-up input for what reads a caller's words first, led by which code it reaches; `fuzz/` has the targets.

use clap::ValueEnum as _;

use crate::{
    file,
    folders::Folders,
    process::{self, doing},
    tool,
};

#[derive(clap::Args)]
pub struct Options {
    /// What to try; nothing means everything
    #[arg(value_enum)]
    targets: Vec<Target>,

    /// How long each is tried
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Target {
    /// The path of a request, and the route that it finds
    Path,
    /// The text of an API key
    Key,
}

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    tool::fuzz(folders)?;
    let targets = if options.targets.is_empty() {
        Target::value_variants()
    } else {
        &options.targets
    };
    for target in targets {
        let name = target.name();
        // What is found new is kept apart from what the repository has.
        let found = folders.target.join("fuzz/corpus").join(name);
        file::make_folder(&found)?;
        doing(
            &format!("trying {name} for {} s", options.seconds),
            "the first time, a minute more to build",
        );
        let mut fuzz = folders.cargo(&["fuzz", "run", "--sanitizer", "none", "--target-dir"]);
        fuzz.arg(folders.target.join("fuzz")).arg(name).arg(&found);
        fuzz.arg(folders.root.join("fuzz/corpus").join(name));
        fuzz.args(["--", "-timeout=10", "-max_len=1024"]);
        process::run(fuzz.arg(format!("-max_total_time={}", options.seconds)))?;
    }
    Ok(())
}

// === impl Target ===

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Key => "key",
        }
    }
}
