//! `cargo xtask check`: everything that needs no test to be run.

#[cfg(test)]
mod asvs;
mod house;

use anyhow::{Context as _, bail};

use crate::{
    budget, dist,
    folders::Folders,
    process::{output, run as run_program, succeeds},
    setup,
    test::Total,
    wasm,
};

/// Only works on the server.
const SERVER_CRATES: &[&str] = &["axum", "hyper", "reqwest", "sqlx", "tokio"];

/// Too large for the browser. leptos names some of them, which costs nothing as long as nobody calls them.
const LARGE_CRATES: &[&str] = &["chrono", "regex", "url", "uuid"];

type Check = fn(&Folders) -> anyhow::Result<()>;

const CHECKS: &[(&str, Check)] = &[
    ("formatting", formatting),
    ("house rules", house::rules),
    ("the browser's crates", browser_crates),
    ("lints on the server", server_lints),
    ("lints in the browser", browser_lints),
    ("advisories and licences", deny),
    ("size budget", size),
];

pub fn run(folders: &Folders) -> anyhow::Result<()> {
    setup::console(folders)?;
    dist::build(folders)?;
    match all(folders).failed {
        0 => Ok(()),
        failed => bail!("{failed} of {} checks failed", CHECKS.len()),
    }
}

/// Runs every check, also after one failed; expects the browser's files to be there.
pub fn all(folders: &Folders) -> Total {
    let mut total = Total::default();
    for (name, check) in CHECKS {
        match check(folders) {
            Ok(()) => {
                println!("check {name}: ok");
                total.passed += 1;
            }
            Err(error) => {
                println!("check {name}: {error:#}");
                total.failed += 1;
            }
        }
    }
    total
}

fn formatting(folders: &Folders) -> anyhow::Result<()> {
    run_program(&mut folders.cargo(&["fmt", "--all", "--check"]))
}

fn server_lints(folders: &Folders) -> anyhow::Result<()> {
    let packages = [
        "-p",
        "app",
        "-p",
        "server",
        "-p",
        "view",
        "-p",
        "xtask",
        "--features",
        "app/ssr",
        "--all-targets",
    ];
    run_program(
        folders
            .cargo(&["clippy", "--quiet", "--locked"])
            .args(packages)
            .args(["--", "-D", "warnings"]),
    )
}

/// Never together with the server: cargo would unify leptos's `ssr` and `hydrate`.
fn browser_lints(folders: &Folders) -> anyhow::Result<()> {
    let packages = ["-p", "app", "-p", "frontend", "--features", "app/hydrate", "--target", wasm::TARGET];
    run_program(
        folders
            .cargo(&["clippy", "--quiet", "--locked"])
            .args(packages)
            .args(["--", "-D", "warnings"]),
    )
}

fn browser_crates(folders: &Folders) -> anyhow::Result<()> {
    let packages = ["-p", "app", "-p", "frontend", "--features", "app/hydrate", "--target", wasm::TARGET];
    let holds = |forbidden: &[&str], depth: &str| -> anyhow::Result<()> {
        let mut tree = folders.cargo(&[
            "tree",
            "--locked",
            "-e",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "--depth",
            depth,
        ]);
        let tree = output(tree.args(packages))?;
        match tree
            .lines()
            .find(|line| line.split_whitespace().next().is_some_and(|name| forbidden.contains(&name)))
        {
            Some(found) => bail!("the console in the browser depends on {found}"),
            None => Ok(()),
        }
    };
    holds(SERVER_CRATES, "100")?;
    holds(LARGE_CRATES, "1")
}

fn deny(folders: &Folders) -> anyhow::Result<()> {
    if !succeeds(&mut folders.cargo(&["deny", "--version"])) {
        println!("cargo-deny is not installed: advisories and licences are not looked at");
        return Ok(());
    }
    run_program(&mut folders.cargo(&["deny", "check"]))
}

fn size(folders: &Folders) -> anyhow::Result<()> {
    let budget = budget::measure(&folders.site).context("the browser's files")?;
    println!("{budget}");
    budget.hold()
}
