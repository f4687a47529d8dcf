//! The stages that run tests: how each runner is called, and where its totals are.

use std::path::PathBuf;

use super::{Total, environment};
use crate::{
    debian, file,
    folders::Folders,
    process::{run, tee},
    python,
};

/// What pytest says by its exit code when no test matches.
const NO_TESTS: Option<i32> = Some(5);

/// Everything that needs neither MLflow nor a browser.
pub fn unit(folders: &Folders, names: &[String]) -> anyhow::Result<Total> {
    let packages = [
        "-p",
        "app",
        "-p",
        "server",
        "-p",
        "xtask",
        "--features",
        "app/ssr",
        "--lib",
        "--bins",
    ];
    cargo(folders, &packages, names, false)
}

/// The server against a real MLflow.
pub fn server(folders: &Folders, names: &[String]) -> anyhow::Result<Total> {
    cargo(folders, &["-p", "server", "--test", "it"], names, true)
}

/// The stock Python client through Flowdeck.
pub fn client(folders: &Folders, names: &[String]) -> anyhow::Result<Total> {
    let mut pytest = folders.command(python::interpreter(folders));
    pytest.args(["-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "server/tests/client"]);
    if !names.is_empty() {
        pytest.arg("-k").arg(names.join(" or "));
    }
    let (code, text) = tee(environment(pytest.env("PYTHONDONTWRITEBYTECODE", "1"), folders, "debug"))?;
    let total = Total::of_pytest(&text);
    Ok(total.or_failed(code == Some(0) || code == NO_TESTS && !names.is_empty()))
}

/// People's paths through the console, in Chromium.
pub fn browser(folders: &Folders, names: &[String]) -> anyhow::Result<Total> {
    let report = folders.target.join("playwright.json");
    file::write(&report, "")?;
    let mut playwright = folders.command("playwright");
    playwright.args(["test", "--reporter=list,json"]).current_dir(&folders.end2end);
    if !names.is_empty() {
        playwright.args(["--pass-with-no-tests", "--grep"]).arg(names.join("|"));
    }
    playwright.env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report);
    let (code, _) = tee(environment(&mut playwright, folders, "debug"))?;
    Ok(Total::of_playwright(&file::read(&report)?).or_failed(code == Some(0)))
}

/// Builds the tests first, so that an error says whether a test failed or the code does not compile. Cargo's own runner and no other:
/// it runs the tests of a binary in one process, which starts one MLflow for all of them.
fn cargo(folders: &Folders, what: &[&str], names: &[String], is_whole: bool) -> anyhow::Result<Total> {
    let command = || {
        let mut command = folders.cargo(&["test"]);
        // The totals are read from the output.
        command.arg("--locked").args(what).env("CARGO_TERM_COLOR", "never");
        command
    };
    run(command().arg("--no-run"))?;
    let mut tests = command();
    tests.args(["--no-fail-fast", "--"]).args(names);
    if is_whole {
        environment(&mut tests, folders, "debug");
        match slowhttptest(folders) {
            Ok(program) => drop(tests.env("SLOWHTTPTEST", program)),
            Err(error) => eprintln!("warning: {error:#}; what slowhttptest would try is not tried"),
        }
    }
    let (code, text) = tee(&mut tests)?;
    Ok(Total::of_cargo(&text).or_failed(code == Some(0)))
}

fn slowhttptest(folders: &Folders) -> anyhow::Result<PathBuf> {
    let folder = folders.tools.join("slowhttptest");
    debian::unpack(&["slowhttptest"], &folder)?;
    Ok(folder.join("usr/bin/slowhttptest"))
}
