//! The MLflow that Flowdeck runs itself: a supervised process group on loopback, gone when Flowdeck is.
//!
//! Three things keep it from being left behind. The launcher ([`LAUNCHER`]) ends its group when its standard input, a pipe
//! that this process holds, ends; uvicorn dies with the launcher (Linux); and every process of the group has the
//! log open, which is locked: as long as somebody of an earlier start lives, the next start sees the lock and ends them first.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    net::{Ipv4Addr, TcpListener},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rand::{Rng as _, distr::Alphanumeric};
use reqwest::Url;
use rustix::{
    fs::{FlockOperation, flock},
    process::{Pid, Signal, kill_process_group},
};
use tokio::{
    process::{Child, ChildStdin, Command},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::data::{self, DataDir};

const LAUNCHER: &str = include_str!("launch.py");
/// The user name of the administrator that the first start makes.
pub const ADMIN: &str = "admin";
/// Below the data folder: the password that [`ADMIN`] gets at the first start.
pub const PASSWORD_FILE: &str = "mlflow/admin-password";

/// The first start migrates two databases, on a busy machine for a minute and more.
const START_LIMIT: Duration = Duration::from_secs(240);
const STOP_LIMIT: Duration = Duration::from_secs(8);
/// Longer than the launcher's own grace, after which it has killed its group.
const LEFTOVER_LIMIT: Duration = Duration::from_secs(7);
const KILL_LIMIT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// So long in health, and the next failure is a new one.
const STEADY: Duration = Duration::from_secs(60);
const LOG_LIMIT: u64 = 10 << 20;

/// The supervision of the MLflow process. Dropped without [`Managed::stop`], MLflow ends with Flowdeck's process.
pub struct Managed {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What every start of MLflow is made from.
struct Plan {
    python: PathBuf,
    folder: PathBuf,
    /// Held for as long as Flowdeck runs, so that the address stays ours while MLflow is away.
    listener: TcpListener,
    url: Url,
    password: String,
    flask_key: String,
    http: reqwest::Client,
}

/// One running process group.
struct Process {
    child: Child,
    group: Pid,
    /// Taken out of `child`, which closes it when it is waited for.
    _lifeline: ChildStdin,
}

// === impl Managed ===

impl Managed {
    /// Writes what MLflow needs below the data folder and starts it. The address is there while MLflow is healthy.
    ///
    /// # Errors
    /// When the data folder cannot be written, or has a name that MLflow cannot deal with.
    pub fn start(python: &Path, data: &DataDir) -> anyhow::Result<(watch::Receiver<Option<Url>>, Self)> {
        let plan = Plan::new(python, data)?;
        let (address, receiver) = watch::channel(None);
        let stop = CancellationToken::new();
        let task = tokio::spawn(supervise(plan, address, stop.clone()));
        Ok((receiver, Self { stop, task }))
    }

    /// Asks MLflow to end, kills it after 8 s, and returns when it is gone.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!("the supervision of MLflow failed: {error}");
        }
    }
}

async fn supervise(plan: Plan, address: watch::Sender<Option<Url>>, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let spawned = tokio::select! {
            spawned = plan.spawn() => spawned,
            () = stop.cancelled() => return,
        };
        let healthy = match spawned {
            Ok(process) => match plan.attend(process, &address, &stop).await {
                Some(healthy) => healthy,
                None => return,
            },
            Err(error) => {
                tracing::error!("MLflow could not be started: {error:#}");
                Duration::ZERO
            }
        };
        if healthy >= STEADY {
            pause = FIRST_PAUSE;
        }
        tracing::info!("starting MLflow again in {} s", pause.as_secs_f32());
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

// === impl Plan ===

impl Plan {
    fn new(python: &Path, data: &DataDir) -> anyhow::Result<Self> {
        let folder = data.path().join("mlflow");
        let text = folder
            .to_str()
            .context("the data folder's path is not Unicode; choose another with --data-dir")?;
        if text.contains(['?', '#', '%', '\n']) {
            bail!("MLflow cannot keep its data in {text}: choose a data folder without ? # % in its path with --data-dir");
        }
        data::make_folder(&folder).with_context(|| format!("cannot make {text}"))?;
        let password = data.secret_file(PASSWORD_FILE, || random(24))?;
        let flask_key = data.secret_file("mlflow/flask-secret-key", || random(48))?;
        fs::write(folder.join("launch.py"), LAUNCHER).with_context(|| format!("cannot write in {text}"))?;
        fs::write(folder.join("auth.ini"), auth_ini(text)).with_context(|| format!("cannot write in {text}"))?;

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?))?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self {
            python: python.to_owned(),
            folder,
            listener,
            url,
            password,
            flask_key,
            http,
        })
    }

    fn log(&self) -> PathBuf {
        self.folder.join("mlflow.log")
    }

    async fn spawn(&self) -> anyhow::Result<Process> {
        let log = self.locked_log().await?;
        let pid_file = self.folder.join("mlflow.pid");
        fs::remove_file(&pid_file).ok();

        let folder = self.folder.display();
        let mut command = Command::new(&self.python);
        command
            .arg(self.folder.join("launch.py"))
            .args(["--app-name", "basic-auth", "--host", "127.0.0.1", "--workers", "1"])
            .args(["--port", &self.url.port().unwrap_or_default().to_string()])
            .args(["--backend-store-uri", &format!("sqlite:///{folder}/mlflow.db")])
            .args(["--artifacts-destination", &format!("{folder}/artifacts"), "--serve-artifacts"])
            .current_dir(&self.folder);
        without_settings(&mut command);
        command
            .env("MLFLOW_AUTH_CONFIG_PATH", self.folder.join("auth.ini"))
            .env("MLFLOW_AUTH_ADMIN_USERNAME", ADMIN)
            .env("MLFLOW_AUTH_ADMIN_PASSWORD", &self.password)
            .env("MLFLOW_FLASK_SERVER_SECRET_KEY", &self.flask_key)
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("DO_NOT_TRACK", "true")
            .env("PYTHONUNBUFFERED", "1")
            .stdin(std::process::Stdio::piped())
            .stdout(OwnedFd::from(self.listener.try_clone()?))
            .stderr(log)
            .process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot run {}", self.python.display()))?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().ok()?))
            .context("MLflow ended at once")?;
        fs::write(&pid_file, group.to_string()).with_context(|| format!("cannot write {}", pid_file.display()))?;
        let lifeline = child.stdin.take().context("MLflow has no standard input")?;
        Ok(Process {
            child,
            group,
            _lifeline: lifeline,
        })
    }

    /// Watches one process until it ends, and says how long it was healthy; `None` when it was stopped.
    async fn attend(&self, mut process: Process, address: &watch::Sender<Option<Url>>, stop: &CancellationToken) -> Option<Duration> {
        tokio::select! {
            ended = process.ended() => {
                tracing::error!("MLflow did not start ({ended}). The end of {}:\n{}", self.log().display(), last_lines(&self.log(), 8));
                return Some(Duration::ZERO);
            }
            () = stop.cancelled() => {
                self.end(process).await;
                return None;
            }
            up = timeout(START_LIMIT, self.health()) => if up.is_err() {
                tracing::error!("MLflow did not answer within {} s. The end of {}:\n{}", START_LIMIT.as_secs(), self.log().display(), last_lines(&self.log(), 8));
                self.end(process).await;
                return Some(Duration::ZERO);
            }
        }
        let since = Instant::now();
        address.send_replace(Some(self.url.clone()));
        tracing::info!("MLflow answers at {}", self.url);
        tokio::select! {
            ended = process.ended() => {
                address.send_replace(None);
                tracing::error!("MLflow ended ({ended}). The end of {}:\n{}", self.log().display(), last_lines(&self.log(), 8));
                Some(since.elapsed())
            }
            () = stop.cancelled() => {
                address.send_replace(None);
                self.end(process).await;
                None
            }
        }
    }

    /// Connections wait at the socket until MLflow takes them, so this returns at the first moment of health.
    async fn health(&self) {
        let mut url = self.url.clone();
        url.set_path("/health");
        // The socket takes connections before MLflow does, and after it has died: such a request would wait for ever.
        let ask = || self.http.get(url.clone()).timeout(Duration::from_secs(5)).send();
        while !matches!(ask().await, Ok(response) if response.status().is_success()) {
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn end(&self, mut process: Process) {
        process.signal(Signal::TERM);
        if timeout(STOP_LIMIT, process.child.wait()).await.is_err() {
            tracing::warn!("MLflow did not end within {} s; killing it", STOP_LIMIT.as_secs());
        }
        process.signal(Signal::KILL);
        process.child.wait().await.ok();
        match File::open(self.log()) {
            Ok(log) if lock_within(&log, KILL_LIMIT).await => {
                fs::remove_file(self.folder.join("mlflow.pid")).ok();
            }
            _ => tracing::error!(
                "a part of MLflow is still there after it was killed (process group {})",
                process.group
            ),
        }
    }

    /// The log, for a process group to inherit: its lock is held until the last of the group has ended.
    async fn locked_log(&self) -> anyhow::Result<File> {
        let path = self.log();
        let open = || {
            OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(&path)
                .with_context(|| format!("cannot write {}", path.display()))
        };
        let log = open()?;
        if !lock_within(&log, Duration::ZERO).await {
            tracing::info!("an MLflow of an earlier start has not ended yet; waiting for it");
            if !lock_within(&log, LEFTOVER_LIMIT).await {
                self.kill_leftover();
                if !lock_within(&log, KILL_LIMIT).await {
                    bail!(
                        "another process still writes {}: stop it (an MLflow of an earlier start?)",
                        path.display()
                    );
                }
            }
        }
        if log.metadata()?.len() <= LOG_LIMIT {
            return Ok(log);
        }
        fs::rename(&path, path.with_extension("log.old")).with_context(|| format!("cannot rename {}", path.display()))?;
        let log = open()?;
        flock(&log, FlockOperation::NonBlockingLockExclusive)?;
        Ok(log)
    }

    /// Called only while the lock shows that somebody of that group lives: its number cannot be another's yet.
    fn kill_leftover(&self) {
        let group = fs::read_to_string(self.folder.join("mlflow.pid"))
            .ok()
            .and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
        if let Some(group) = group {
            tracing::warn!("killing the MLflow of an earlier start (process group {group})");
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

// === impl Process ===

impl Process {
    /// Returns when the launcher has ended, and takes the rest of its group along.
    async fn ended(&mut self) -> String {
        let status = self.child.wait().await;
        self.signal(Signal::KILL);
        status.as_ref().map_or_else(ToString::to_string, ExitStatus::to_string)
    }

    /// It is not an error that nobody is left to hear it.
    fn signal(&self, signal: Signal) {
        kill_process_group(self.group, signal).ok();
    }
}

async fn lock_within(file: &File, limit: Duration) -> bool {
    let start = Instant::now();
    loop {
        if flock(file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Every member may read everything unless told otherwise, as MLflow does by itself; checked passwords are remembered for a minute, without which each call costs MLflow a tenth of a second and more.
fn auth_ini(folder: &str) -> String {
    format!(
        "[mlflow]\n\
         default_permission = READ\n\
         database_uri = sqlite:///{folder}/auth.db\n\
         admin_username = {ADMIN}\n\
         auth_cache_ttl_seconds = 60\n"
    )
}

fn random(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

/// MLflow is configured here and nowhere else, and Flowdeck's own secrets are none of its business.
pub(super) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["MLFLOW_", "_MLFLOW_", "FLOWDECK_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
}

/// The end of a log, for an error message.
pub(crate) fn last_lines(log: &Path, count: usize) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(log) {
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        file.seek(SeekFrom::Start(length.saturating_sub(8192))).ok();
        file.read_to_end(&mut bytes).ok();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Plan, auth_ini, last_lines, random};
    use crate::data;

    #[test]
    fn the_end_of_a_log_is_its_last_lines_with_text() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, format!("{}\nlast but one\n\n  \nlast\n", "x".repeat(20_000))).unwrap();
        assert_eq!(last_lines(file.path(), 2), "last but one\nlast");
        assert_eq!(last_lines("/nowhere".as_ref(), 2), "");
    }

    #[test]
    fn passwords_are_long_and_plain() {
        let password = random(24);
        assert_eq!(password.len(), 24);
        assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(password, random(24));
    }

    #[test]
    fn the_credential_cache_is_on_and_the_database_absolute() {
        let ini = auth_ini("/a b/mlflow");
        assert!(ini.contains("\nauth_cache_ttl_seconds = 60\n"), "{ini}");
        assert!(ini.contains("\ndatabase_uri = sqlite:////a b/mlflow/auth.db\n"), "{ini}");
    }

    #[test]
    fn a_folder_that_mlflow_cannot_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let data = data::open(&folder.path().join("100%")).unwrap();
        let error = Plan::new("python3".as_ref(), &data).err().unwrap().to_string();
        assert!(error.contains("without ? # %"), "{error}");
    }
}
