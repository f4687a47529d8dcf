//! The managed MLflow: it starts, comes back, and leaves nothing behind, whoever is killed.

use std::{
    env,
    fs::File,
    io::{BufRead as _, BufReader},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Url;
use rustix::process::{Pid, Signal, kill_process};
use server::{
    data::{self, DataDir},
    mlflow::{
        SignInError, VERSION, check_password,
        external::{self, Inspection},
        managed::{ADMIN, Managed, PASSWORD_FILE},
        user,
    },
    upstream::Upstream,
};
use tokio::{sync::watch, task::spawn_blocking, time::timeout};

/// Set for the test that plays Flowdeck in a process of its own.
const PARENT_DATA: &str = "MANAGED_TEST_DATA";
/// Generous: the machine may be busy with other tests.
const LONG: Duration = Duration::from_secs(240);

fn python() -> PathBuf {
    env::var_os("FLOWDECK_MLFLOW_PYTHON")
        .expect("FLOWDECK_MLFLOW_PYTHON names a Python with MLflow")
        .into()
}

async fn address(watched: &mut watch::Receiver<Option<Url>>) -> Url {
    let url = timeout(LONG, watched.wait_for(Option::is_some))
        .await
        .expect("MLflow comes up in time")
        .unwrap();
    url.clone().unwrap()
}

async fn absence(watched: &mut watch::Receiver<Option<Url>>) {
    timeout(LONG, watched.wait_for(Option::is_none))
        .await
        .expect("the end of MLflow is noticed")
        .unwrap();
}

async fn until(what: &str, limit: Duration, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn read(data: &Path, name: &str) -> String {
    std::fs::read_to_string(data.join(name)).unwrap().trim().to_owned()
}

fn group(data: &Path) -> Pid {
    Pid::from_raw(read(data, "mlflow/mlflow.pid").parse().unwrap()).unwrap()
}

/// Every living process of a group, with its command line.
fn members(group: Pid) -> Vec<(Pid, String)> {
    let output = Command::new("ps").args(["-axo", "pid=,pgid=,stat=,args="]).output().unwrap();
    let mut members = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words[1] == group.to_string() && !words[2].starts_with('Z') {
            members.push((Pid::from_raw(words[0].parse().unwrap()).unwrap(), words[3..].join(" ")));
        }
    }
    members
}

fn uvicorn(group: Pid) -> Pid {
    members(group).into_iter().find(|(_, line)| line.contains("-m uvicorn")).unwrap().0
}

async fn sign_in(watched: &watch::Receiver<Option<Url>>, data: &DataDir) -> Upstream {
    let upstream = Upstream::new(watched.clone()).unwrap();
    let who = check_password(&upstream, ADMIN, &read(data.path(), PASSWORD_FILE)).await.unwrap();
    assert!(who.is_admin);
    upstream
}

/// Plays Flowdeck: holds the data folder, runs MLflow, and waits to be killed.
#[tokio::test]
#[ignore = "a part of the tests below"]
async fn parent() {
    let Some(folder) = env::var_os(PARENT_DATA) else { return };
    let data = data::open(Path::new(&folder)).unwrap();
    let (mut watched, _managed) = Managed::start(&python(), &data).unwrap();
    println!("address {}", address(&mut watched).await);
    // The tests hold the other end: a test that fails takes this process along.
    spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await.unwrap().unwrap();
}

struct Parent(Child);

impl Parent {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "managed::parent", "--ignored", "--nocapture"])
            .env(PARENT_DATA, data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let parent = Self(child);
        assert!(
            output.lines().map_while(Result::ok).any(|line| line.contains("address http")),
            "the other Flowdeck's MLflow comes up"
        );
        parent
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn it_starts_and_comes_back_and_stops() {
    let folder = tempfile::Builder::new().prefix("flow deck é").tempdir().unwrap();
    let data = data::open(folder.path()).unwrap();
    let (mut watched, managed) = Managed::start(&python(), &data).unwrap();
    let first = address(&mut watched).await;

    let upstream = sign_in(&watched, &data).await;
    assert_eq!(
        check_password(&upstream, ADMIN, "not the password").await,
        Err(SignInError::WrongPassword)
    );
    assert_eq!(external::inspect(&upstream).await, Ok(Inspection::Recent));
    let password = read(data.path(), PASSWORD_FILE);
    let authorization = user::basic(ADMIN, &password).unwrap();
    assert_eq!(external::version(&upstream, &authorization).await.unwrap().to_string(), VERSION);
    assert!(password.len() >= 20);
    for name in [PASSWORD_FILE, "mlflow/flask-secret-key", "mlflow/mlflow.log"] {
        let mode = data.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    let killed = group(data.path());
    kill_process(uvicorn(killed), Signal::KILL).unwrap();
    absence(&mut watched).await;
    assert_eq!(address(&mut watched).await, first, "the address stays");
    assert!(members(killed).is_empty());
    sign_in(&watched, &data).await;

    let killed = group(data.path());
    kill_process(killed, Signal::KILL).unwrap();
    absence(&mut watched).await;
    address(&mut watched).await;
    assert!(members(killed).is_empty());
    sign_in(&watched, &data).await;

    let last = group(data.path());
    managed.stop().await;
    assert!(members(last).is_empty());
    assert!(watched.borrow().is_none());
    assert!(!data.path().join("mlflow/mlflow.pid").exists());
}

#[tokio::test]
async fn nothing_outlives_a_killed_flowdeck() {
    let folder = tempfile::tempdir().unwrap();
    let parent = Parent::start(folder.path());
    let left = group(folder.path());
    assert_eq!(members(left).len(), 2, "{:?}", members(left));
    let error = data::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("in use by another Flowdeck"), "{error}");

    parent.kill();
    // At once, while the old MLflow may still be ending.
    let data = data::open(folder.path()).unwrap();
    let (mut watched, managed) = Managed::start(&python(), &data).unwrap();
    until("the old MLflow is gone", Duration::from_secs(15), || members(left).is_empty()).await;
    address(&mut watched).await;
    sign_in(&watched, &data).await;
    managed.stop().await;
}

/// A part of an MLflow that nothing reaches: it has the log open, and neither the end of a pipe nor SIGHUP ends it.
#[tokio::test]
async fn a_leftover_that_does_not_end_by_itself_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let data = data::open(folder.path()).unwrap();
    data::make_folder(&folder.path().join("mlflow")).unwrap();
    let log = File::create(folder.path().join("mlflow/mlflow.log")).unwrap();
    log.lock().unwrap();
    let mut leftover = Command::new("sh")
        .args(["-c", "trap '' HUP TERM; while :; do sleep 600; done"])
        .stdin(Stdio::null())
        .stdout(log)
        .process_group(0)
        .spawn()
        .unwrap();
    let left = Pid::from_child(&leftover);
    std::fs::write(folder.path().join("mlflow/mlflow.pid"), leftover.id().to_string()).unwrap();

    let (mut watched, managed) = Managed::start(&python(), &data).unwrap();
    address(&mut watched).await;
    assert!(members(left).is_empty(), "{:?}", members(left));
    leftover.wait().unwrap();
    managed.stop().await;
}

/// With nobody left to supervise: on Linux the kernel ends uvicorn with its launcher.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_outlives_flowdeck_and_launcher_killed_together() {
    let folder = tempfile::tempdir().unwrap();
    let parent = Parent::start(folder.path());
    let left = group(folder.path());
    kill_process(Pid::from_raw(parent.0.id().cast_signed()).unwrap(), Signal::STOP).unwrap();
    kill_process(left, Signal::KILL).unwrap();
    parent.kill();
    until("uvicorn is gone", Duration::from_secs(15), || members(left).is_empty()).await;
}
