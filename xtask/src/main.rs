//! The project's own commands; `cargo xtask --help` lists them.
#![allow(clippy::print_stdout, reason = "a command's results belong on stdout")]

mod bench;
mod browser;
mod budget;
mod check;
mod debian;
mod demo;
mod dist;
mod file;
mod folders;
mod fuzz;
mod node;
mod process;
mod python;
mod run;
mod screenshots;
mod setup;
mod stamp;
mod test;
mod tool;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::folders::Folders;

/// Builds, runs and tests Flowdeck. Each command does its whole set-up by itself.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build Flowdeck and start it
    Run(run::Options),
    /// Run every check and test, and end with one summary
    Test(test::Options),
    /// Check formatting, lints, house rules and the size budget
    Check,
    /// Compare Flowdeck with MLflow's own console, with other proxies, and with MLflow alone
    Bench(bench::Options),
    /// Try made-up paths and API keys for as long as you like
    Fuzz(fuzz::Options),
    /// Take the pictures in docs/images anew
    Screenshots(screenshots::Options),
    /// Build the browser's files
    Dist(dist::Options),
    /// Get every tool that the other commands need
    Setup,
    /// Stand in for wasm-bindgen, to split the module before it
    #[command(hide = true, disable_help_flag = true)]
    Bindgen {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Fill a running Flowdeck with demonstration data
    #[command(hide = true)]
    Demo(demo::Options),
}

fn main() -> ExitCode {
    let folders = Folders::find();
    let done = match Cli::parse().command {
        Command::Run(options) => run::run(&folders, &options),
        Command::Test(options) => test::run(&folders, &options),
        Command::Check => check::run(&folders),
        Command::Bench(options) => bench::run(&folders, &options),
        Command::Fuzz(options) => fuzz::run(&folders, &options),
        Command::Screenshots(options) => screenshots::run(&folders, &options),
        Command::Dist(options) => dist::run(&folders, &options),
        Command::Setup => setup::all(&folders),
        Command::Bindgen { arguments } => dist::split::bindgen(&folders, &arguments),
        Command::Demo(options) => demo::run(&folders, &options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
