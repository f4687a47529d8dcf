//! Everything that a bare machine lacks, each step skipped where it is done.

use crate::{browser, folders::Folders, node, process::run, python, tool, wasm};

/// For the console: the WebAssembly target, trunk, wasm-bindgen; wasm-opt where there is npm.
pub fn console(folders: &Folders) -> anyhow::Result<()> {
    wasm::setup(folders)?;
    tool::setup(folders)?;
    if let Err(error) = node::setup(folders) {
        eprintln!("warning: {error:#}; the console works, but is about twice as large");
    }
    Ok(())
}

/// For the tests, on top: npm's packages, Chromium, and a virtual environment with MLflow and pytest.
pub fn tests(folders: &Folders) -> anyhow::Result<()> {
    node::setup(folders)?;
    browser::setup()?;
    python::check(folders)?;
    run(&mut folders.cargo(&["build", "--locked", "-p", "server", "--bin", "flowdeck"]))?;
    python::setup(folders)
}

pub fn all(folders: &Folders) -> anyhow::Result<()> {
    console(folders)?;
    tests(folders)?;
    eprintln!("setup: ok");
    Ok(())
}
