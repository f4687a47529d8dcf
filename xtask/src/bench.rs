//! `cargo xtask bench`: Flowdeck beside MLflow's own console, measured by `end2end/bench`.

use crate::{
    dist,
    folders::Folders,
    process::{self, doing},
    setup, test,
};

pub fn run(folders: &Folders) -> anyhow::Result<()> {
    setup::console(folders)?;
    setup::tests(folders)?;
    dist::build(folders)?;
    doing(
        "building the server with optimisations",
        "5 to 10 minutes the first time, then seconds",
    );
    process::run(&mut folders.cargo(&["build", "--locked", "--release", "-p", "server", "--bin", "flowdeck"]))?;
    let mut node = folders.command("node");
    node.arg(folders.end2end.join("bench/main.mjs"));
    process::run(test::environment(&mut node, folders, "release"))
}
