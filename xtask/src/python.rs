//! Python for the tests: one virtual environment with MLflow, pytest and schemathesis, shared by all of them.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::{
    debian, file,
    folders::Folders,
    process::{doing, run, succeeds},
    stamp,
};

const PACKAGES: &str = "pytest==9.2.0 schemathesis==4.32.5";

/// A Python that can make virtual environments, before half an hour is spent on building.
pub fn check(folders: &Folders) -> anyhow::Result<()> {
    let python = |code: &str| succeeds(folders.command("python3").args(["-c", code]));
    if !python("import sys; sys.exit(sys.version_info < (3, 10))") {
        bail!("Python 3.10 or newer is missing (`python3`)");
    }
    if !python("import venv, ensurepip") {
        debian::install("python3-venv", "half a minute, once").context("Python's venv module is missing")?;
    }
    Ok(())
}

/// MLflow comes from the server, which knows the version that it runs itself; what the tests need is added.
pub fn setup(folders: &Folders) -> anyhow::Result<()> {
    run(folders
        .command(folders.server("debug"))
        .arg("install-mlflow")
        .arg("--venv")
        .arg(&folders.venv))?;
    let marker = folders.venv.join(".packages");
    if !stamp::is(&marker, PACKAGES) {
        doing("installing pytest and schemathesis", "half a minute, once");
        run(folders
            .command(interpreter(folders))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(PACKAGES.split(' ')))?;
        file::write(&marker, PACKAGES)?;
    }
    Ok(())
}

/// The Python that has MLflow.
pub fn interpreter(folders: &Folders) -> PathBuf {
    folders.venv.join("bin/python")
}
