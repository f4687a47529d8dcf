//! `cargo xtask run`: builds everything, then becomes the server.

use std::{env, os::unix::process::CommandExt as _, path::PathBuf};

use anyhow::Context as _;

use crate::{demo, dist, folders::Folders, process, setup};

#[derive(clap::Args)]
pub struct Options {
    /// Fill it with demonstration data, once
    #[arg(long)]
    demo: bool,
    /// Build the server with optimisations
    #[arg(long)]
    release: bool,
    /// The folder of everything that Flowdeck keeps
    #[arg(long, value_name = "FOLDER", env = "FLOWDECK_DATA_DIR", default_value = "flowdeck-data")]
    data_dir: PathBuf,
    /// Given to the server as they are; `-- --help` lists them
    #[arg(last = true, value_name = "SERVER ARGUMENTS")]
    arguments: Vec<String>,
}

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    setup::console(folders)?;
    dist::build(folders)?;
    let profile = if options.release { "release" } else { "debug" };
    process::doing("building the server", "3 to 6 minutes the first time, then seconds");
    let mut build = folders.cargo(&["build", "--locked", "-p", "server", "--bin", "flowdeck"]);
    process::run(build.args(options.release.then_some("--release")))?;

    if options.demo {
        let url = address(&options.arguments);
        demo::start_when_ready(&url, &options.data_dir)?;
    }
    let server = folders.server(profile);
    let mut command = std::process::Command::new(&server);
    // Not arguments: whoever gives one of them behind `--` means it.
    command
        .env("FLOWDECK_SITE_DIR", &folders.site)
        .env("FLOWDECK_DATA_DIR", &options.data_dir)
        .args(&options.arguments);
    // The server takes this process's place, so that signals reach it and nobody else.
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", server.display()))
}

/// Where the server is going to answer.
fn address(arguments: &[String]) -> String {
    let listen = setting(arguments, "listen").unwrap_or_else(|| "127.0.0.1:5050".into());
    let base = setting(arguments, "base-path").unwrap_or_default();
    format!("http://{listen}{}", base.trim_end_matches('/'))
}

/// A setting of the server: on its command line, or else in the environment.
fn setting(arguments: &[String], name: &str) -> Option<String> {
    let flag = format!("--{name}");
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix(&flag) {
            Some("") => return words.next().cloned(),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
            _ => {}
        }
    }
    env::var(format!("FLOWDECK_{}", name.replace('-', "_").to_uppercase())).ok()
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_follows_the_servers_arguments() {
        let arguments = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(address(&arguments("")), "http://127.0.0.1:5050");
        assert_eq!(
            address(&arguments("--listen 127.0.0.1:6000 --base-path=/a/b")),
            "http://127.0.0.1:6000/a/b"
        );
        assert_eq!(address(&arguments("--base-path / --listen=[::1]:1")), "http://[::1]:1");
    }
}
