//! `cargo xtask bench`: Flowdeck beside MLflow's own console, measured by `end2end/bench`.

use anyhow::bail;

use crate::{dist, folders::Folders, process, setup, test};

#[derive(clap::Args)]
pub struct Options {
    /// Given to the measuring script as they are
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    let script = folders.end2end.join("bench/main.mjs");
    if !script.is_file() {
        bail!("{} is not written yet", script.display());
    }
    setup::console(folders)?;
    setup::tests(folders)?;
    dist::build(folders)?;
    process::run(&mut folders.cargo(&["build", "--locked", "--release", "-p", "server", "--bin", "flowdeck"]))?;
    let mut node = folders.command("node");
    node.arg(script).args(&options.arguments);
    process::run(test::environment(&mut node, folders, "release"))
}
