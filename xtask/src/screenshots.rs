//! `cargo xtask screenshots`: the pictures in `docs/images` anew, taken by `end2end/screenshots`.

use std::path::PathBuf;

use crate::{
    debian, dist,
    folders::Folders,
    process::{self, output},
    setup, test,
};

/// A letter that only fonts with emoji have: the demonstration data uses some.
const EMOJI: &str = ":charset=1f99c";

#[derive(clap::Args)]
pub struct Options {
    /// A Flowdeck that is running and has the demonstration data, instead of a fresh one
    #[arg(long, requires = "password_file")]
    url: Option<String>,
    /// Who signs in there
    #[arg(long, default_value = "admin", requires = "url")]
    user: String,
    /// The file with their password
    #[arg(long, value_name = "FILE", requires = "url")]
    password_file: Option<PathBuf>,
}

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    setup::console(folders)?;
    setup::tests(folders)?;
    dist::build(folders)?;
    if output(folders.command("fc-list").arg(EMOJI)).is_ok_and(|fonts| fonts.trim().is_empty())
        && let Err(error) = debian::install("fonts-noto-color-emoji", "half a minute, once")
    {
        eprintln!("warning: {error:#}; emoji will be empty boxes");
    }
    let mut node = folders.command("node");
    node.arg(folders.end2end.join("screenshots/main.mjs"));
    if let (Some(url), Some(file)) = (&options.url, &options.password_file) {
        // Node runs in the clone's root, wherever this was called.
        let file = std::path::absolute(file)?;
        node.args(["--url", url, "--user", &options.user, "--password-file"]).arg(file);
    }
    process::run(test::environment(&mut node, folders, "debug"))
}
