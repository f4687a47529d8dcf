//! `cargo xtask test`: every stage, fast ones first, and one summary at the end.

mod stage;
mod total;

use std::{process::Command, time::Instant};

pub use self::total::Total;
use crate::{browser, check, dist, folders::Folders, python, setup};

#[derive(clap::Args)]
pub struct Options {
    /// Stages (check, unit, server, client, browser), parts of test names, or both; nothing means everything
    filter: Vec<String>,
}

/// What a stage gives, or why nothing after it makes sense: it does not compile.
type Run = fn(&Folders, &[String]) -> anyhow::Result<Total>;

struct Stage {
    name: &'static str,
    run: Run,
    /// Whether it talks to a real MLflow.
    is_whole: bool,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "check",
        run: |folders, _| Ok(check::all(folders)),
        is_whole: false,
    },
    Stage {
        name: "unit",
        run: stage::unit,
        is_whole: false,
    },
    Stage {
        name: "server",
        run: stage::server,
        is_whole: true,
    },
    Stage {
        name: "client",
        run: stage::client,
        is_whole: true,
    },
    Stage {
        name: "browser",
        run: stage::browser,
        is_whole: true,
    },
];

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    let (stages, names) = plan(&options.filter);
    let mut lines = Vec::new();
    let mut sum = Total::default();

    let mut timed = |name: &str, run: &dyn Fn() -> anyhow::Result<Total>| {
        println!("== {name}");
        let start = Instant::now();
        let done = run();
        let total = done.as_ref().copied().unwrap_or(Total {
            failed: 1,
            ..Total::default()
        });
        let seconds = start.elapsed().as_secs_f32();
        lines.push(match &done {
            Ok(total) => format!("{name:<8} {total} in {seconds:.1} s"),
            Err(error) => format!("{name:<8} stopped after {seconds:.1} s: {error:#}"),
        });
        sum = sum + total;
        done.is_ok()
    };

    let is_whole = stages.iter().any(|stage| stage.is_whole);
    if timed("build", &|| prepare(folders, is_whole).map(|()| Total::default())) {
        for stage in &stages {
            if !timed(stage.name, &|| (stage.run)(folders, &names)) {
                break;
            }
        }
    }

    println!("== summary\n{}\n{sum}", lines.join("\n"));
    if sum.failed > 0 {
        // Not an error to be printed: the totals are the last line.
        std::process::exit(1);
    }
    Ok(())
}

fn prepare(folders: &Folders, is_whole: bool) -> anyhow::Result<()> {
    setup::console(folders)?;
    if is_whole {
        setup::tests(folders)?;
    }
    dist::build(folders)
}

/// The stages that are named, or else all; and the words that name no stage. Whoever looks for one test wants no checks.
fn plan(filter: &[String]) -> (Vec<&'static Stage>, Vec<String>) {
    let is_stage = |word: &String| STAGES.iter().any(|stage| stage.name == *word);
    let (named, names): (Vec<String>, Vec<String>) = filter.iter().cloned().partition(is_stage);
    let wanted = |stage: &&Stage| match (named.is_empty(), names.is_empty()) {
        (true, true) => true,
        (true, false) => stage.name != "check",
        (false, _) => named.iter().any(|name| name == stage.name),
    };
    (STAGES.iter().filter(wanted).collect(), names)
}

/// What tests are told of this machine: where the console's files, the server's program, MLflow's Python and the browser are.
pub fn environment<'a>(command: &'a mut Command, folders: &Folders, profile: &str) -> &'a mut Command {
    if let Some(chromium) = browser::chromium() {
        command.env("FLOWDECK_CHROMIUM", chromium);
    }
    command
        .env("FLOWDECK_SITE_DIR", &folders.site)
        .env("FLOWDECK_MLFLOW_PYTHON", python::interpreter(folders))
        // Without the prefix, because the server takes that for a setting of its own and refuses it.
        .env("SERVER_PROGRAM", folders.server(profile))
}

#[cfg(test)]
mod tests {
    use super::plan;

    fn planned(filter: &[&str]) -> (String, Vec<String>) {
        let filter: Vec<String> = filter.iter().map(|&word| word.to_owned()).collect();
        let (stages, names) = plan(&filter);
        (stages.iter().map(|stage| stage.name).collect::<Vec<_>>().join(" "), names)
    }

    #[test]
    fn words_choose_stages_and_tests() {
        assert_eq!(planned(&[]).0, "check unit server client browser");
        assert_eq!(planned(&["browser", "check"]).0, "check browser");
        assert_eq!(planned(&["sign_in"]), ("unit server client browser".into(), vec!["sign_in".into()]));
        assert_eq!(planned(&["unit", "sign_in"]), ("unit".into(), vec!["sign_in".into()]));
    }
}
