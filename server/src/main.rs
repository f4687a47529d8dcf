//! Reads the settings, builds the service, serves, drains.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::{Arg, Command, value_parser};
use server::{
    admin::{self, index::Index, journal, setting},
    asset::Assets,
    audit::{self, Audit, chain::Verdict},
    config::{self, Config, secret::SecretText},
    data::{self, DataDir},
    db::Db,
    extreme::{self, cache::Cache},
    health::{self, Health},
    kept::Kept,
    key::Keys,
    limit::Limits,
    listen,
    live::{Live, Pace},
    log,
    metrics::Metrics,
    mlflow::{self, managed::Managed},
    owners::Owners,
    proxy::{narrow::Homes, together::Together},
    route,
    session::Store,
    state::{Inner, State},
    upstream::Upstream,
    vault::{KeyRing, Vault, hex},
};
use tokio::{net::TcpListener, sync::watch};
use tracing_subscriber::EnvFilter;

/// A call makes some hundred small allocations, and frees many of them on another thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flowdeck: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    let environment: Vec<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let loaded = config::load(command(), std::env::args_os(), &environment)?;
    // Leptos has been seen to stall on a runtime of one worker (leptos#4647).
    let workers = std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?;
    match loaded.command {
        Some((name, _)) if name == "check-config" => {
            print(&loaded.report);
            Ok(())
        }
        Some((name, matches)) if name == "install-mlflow" => {
            start_log(&loaded.config)?;
            let venv = matches.get_one::<PathBuf>("venv").context("--venv is needed")?;
            runtime.block_on(mlflow::install::install(venv))
        }
        Some((name, _)) if name == "audit" => runtime.block_on(verify(&loaded.config)),
        _ => {
            start_log(&loaded.config)?;
            runtime.block_on(serve(loaded.config, loaded.report))
        }
    }
}

fn command() -> Command {
    Command::new("flowdeck")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The console and front door of an MLflow server")
        .subcommand(Command::new("check-config").about("Tells what is set and where it comes from, secrets hidden, and ends"))
        .subcommand(
            Command::new("audit")
                .about("Looks after the audit of the data folder")
                .subcommand_required(true)
                .subcommand(
                    Command::new("verify").about("Checks that no row was changed, removed or added, and ends with 1 at the first that was"),
                ),
        )
        .subcommand(
            Command::new("install-mlflow")
                .about("Makes a virtual environment with the MLflow that Flowdeck runs, and ends")
                .arg(
                    Arg::new("venv")
                        .long("venv")
                        .value_name("FOLDER")
                        .required(true)
                        .value_parser(value_parser!(PathBuf))
                        .help("Where to make it"),
                ),
        )
}

/// `flowdeck audit verify`: goes along the chain, while a Flowdeck may be writing to its end.
async fn verify(config: &Config) -> anyhow::Result<()> {
    let file = config.data.data_dir.join(audit::FILE);
    match audit::verify(&file).await? {
        Verdict::Whole { first, last } if last.id < first => print("the audit is empty\n"),
        Verdict::Whole { first, last } => print(&format!(
            "rows {first} to {} are whole and in order; the last one's hash is {}\n",
            last.id,
            hex(&last.hash)
        )),
        Verdict::Broken(at) => bail!("{}: {at}", file.display()),
    }
    Ok(())
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.data.log).context("the log filter cannot be read")?;
    log::start(filter);
    Ok(())
}

async fn serve(config: Config, report: String) -> anyhow::Result<()> {
    // Without this, the first resource that a page loads would panic.
    any_spawner::Executor::init_tokio().context("the page renderer was started twice")?;
    let data_dir = data::open(&config.data.data_dir)?;
    let vault_keys = key_ring(&config, &data_dir)?;
    let assets = Assets::open(&config.page.site_dir)?;
    let listener = TcpListener::bind(config.listen.listen)
        .await
        .with_context(|| format!("cannot listen at {}", config.listen.listen))?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() && !config.listen.is_https() {
        tracing::warn!("passwords and cookies cross the network in the clear: put TLS in front and set --public-origin https://…");
    }

    let db = Db::open(&data_dir.path().join("flowdeck.db")).await?;
    let audit = Audit::open(&data_dir.path().join(audit::FILE), &config.audit).await?;
    let cache = Cache::open(&data_dir.path().join(extreme::cache::FILE)).await?;
    let vault = Vault::new(db.clone(), vault_keys);
    vault.reseal().await?;
    tokio::spawn(vault.clone().close());
    tokio::spawn(Store::new(db.clone(), config.session.clone()).sweep(vault.clone()));
    let keys = Keys::load(db.clone()).await?;
    tokio::spawn(keys.clone().keep_use());

    let (upstream, managed) = upstream(&config, &data_dir).await?;
    let state = State::new(Inner {
        limits: Limits::new(config.limit.clone()),
        extremes: extreme::Service::new(cache),
        health: Health::new(managed.is_some()),
        metrics: Metrics::default(),
        index: Index::default(),
        owners: Owners::default(),
        settings: setting::Live::new(report),
        config,
        upstream,
        db: db.clone(),
        audit: audit.clone(),
        vault,
        keys: keys.clone(),
        homes: Homes::default(),
        together: Together::default(),
        live: Live::new(Pace::default()),
        kept: Kept::default(),
        assets,
    });
    setting::restore(&state).await?;
    journal::restore(&state).await?;
    tokio::spawn(admin::keep(state.clone()));
    tokio::spawn(health::history::keep(state.clone()));
    tokio::spawn({
        let state = state.clone();
        async move { state.kept.sweep().await }
    });
    tokio::spawn(announce(state.clone(), address, managed.is_some()));
    let mut bounds = listen::Bounds::default();
    if !state.config.listen.trusted_proxies.is_empty() {
        // Everybody comes from the proxy's address.
        bounds.per_address = bounds.connections;
    }
    let served = listen::serve_within(bounds, listener, route::service(&state), stop_asked(), state.config.listen.drain).await;

    tracing::info!("stopping");
    if let Some(managed) = managed {
        managed.stop().await;
    }
    keys.write_use().await;
    audit.close().await;
    db.close().await;
    served.context("cannot serve")
}

fn key_ring(config: &Config, data_dir: &DataDir) -> anyhow::Result<KeyRing> {
    let configured = &config.secret.secret_key;
    if !configured.is_empty() {
        return KeyRing::parse(configured).context("FLOWDECK_SECRET_KEY");
    }
    let text = data_dir.secret_file("secret.key", || KeyRing::generate().to_string())?;
    let lines: Vec<SecretText> = text.lines().filter(|line| !line.trim().is_empty()).map(SecretText::from).collect();
    KeyRing::parse(&lines).with_context(|| format!("{}", data_dir.path().join("secret.key").display()))
}

async fn upstream(config: &Config, data_dir: &DataDir) -> anyhow::Result<(Upstream, Option<Managed>)> {
    if let Some(url) = &config.mlflow.mlflow_url {
        // The sender may go: the address never changes.
        let (_, fixed) = watch::channel(Some(url.clone()));
        let upstream = Upstream::new(fixed)?;
        mlflow::external::check(&upstream).await?;
        return Ok((upstream, None));
    }
    let python = mlflow::install::python(&config.mlflow, data_dir.path()).await?;
    let (address, managed) = Managed::start(&python, data_dir)?;
    let upstream = Upstream::new(address)?;
    if let (None, Ok(version)) = (&config.mlflow.mlflow_python, mlflow::VERSION.parse()) {
        // Flowdeck has chosen it itself.
        upstream.vetted.get_or_init(|| version);
    }
    Ok((upstream, Some(managed)))
}

/// Tells the person at the terminal where to go, as soon as there is something to see.
async fn announce(state: State, address: std::net::SocketAddr, is_managed: bool) {
    let (listen, data) = (&state.config.listen, &state.config.data);
    let origin = listen.public_origin.clone().unwrap_or_else(|| format!("http://{address}"));
    tracing::info!("listening at {address}");
    state.upstream.ready().await;
    let sign_in = if is_managed {
        format!(
            "as admin, with the password in {}",
            data.data_dir.join("mlflow/admin-password").display()
        )
    } else {
        "with a user name and password of your MLflow".to_owned()
    };
    print(&format!(
        "\n  Flowdeck is ready at {origin}{}\n  Sign in {sign_in}\n\n",
        listen.base_path.join("/")
    ));
}

/// Ctrl-C, or the SIGTERM of a service manager.
async fn stop_asked() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => return tracing::error!("cannot listen for signals: {error}"),
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// For the person at the terminal; a closed pipe is no reason to end.
fn print(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}
