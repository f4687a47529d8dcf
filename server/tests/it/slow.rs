//! Callers who take their time, in their hundreds and thousands, while others go on being served.

use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};

use reqwest::StatusCode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

use crate::{
    app::{CALM, TestApp},
    audit::stand_in,
};

/// Calls as any program makes them; each is answered.
async fn one_of_each(app: &TestApp) {
    let program = app.known("admin", "secret");
    assert_eq!(program.get("/health").await.status(), StatusCode::OK);
    assert_eq!(program.get("/api/2.0/mlflow/runs/get?run_id=r").await.status(), StatusCode::OK);
    let change = program.post("/api/2.0/mlflow/runs/set-tag", json!({ "run_id": "r" })).await;
    assert_eq!(change.status(), StatusCode::OK);
    assert_eq!(program.get("/login").await.status(), StatusCode::OK);
}

/// Slow heads, slow bodies, slow readers and many ranges all at once, by the tool that is made for it. It has a caller of its own, who
/// asks each second whether anybody is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slowhttptest_keeps_nobody_from_being_served() {
    let Some(program) = std::env::var_os("SLOWHTTPTEST") else {
        println!("slowhttptest is not there: nothing is shown");
        return;
    };
    let _storm = CALM.write().await;
    let app = TestApp::before(stand_in(Default::default()).await, &[]).await;
    let modes = [
        ("-H", "/login", &["-i", "1"][..]),
        ("-B", "/login", &["-i", "1"]),
        ("-X", "/api/flowdeck/v1/openapi.json", &["-k", "3", "-w", "1", "-y", "64"]),
        ("-R", "/assets/main-0.css", &["-t", "HEAD"]),
    ];
    let mut attacks = JoinSet::new();
    for (mode, path, more) in modes {
        let mut command = Command::new(&program);
        command.args([mode, "-c", "400", "-r", "200", "-l", "8", "-p", "5", "-u"]);
        command.arg(format!("http://{}{path}", app.address)).args(more);
        command.env("TERM", "dumb").stdin(Stdio::null());
        attacks.spawn_blocking(move || (mode, command.output().unwrap()));
    }
    let mut ended = Vec::<(&str, Output)>::new();
    while ended.len() < modes.len() {
        one_of_each(&app).await;
        while let Some(attack) = attacks.try_join_next() {
            ended.push(attack.unwrap());
        }
    }
    for (mode, output) in ended {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("service available:") && text.contains("YES"), "{mode}: {text}");
        assert!(!text.contains("NO"), "{mode}: {text}");
        // It has tried, and was neither refused nor broken.
        let is_whole = text.contains("Hit test time limit") || text.contains("No open connections left");
        assert!(is_whole, "{mode}: {text}");
    }
    one_of_each(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_idle_connections_keep_nobody_out() {
    let _storm = CALM.write().await;
    const COUNT: usize = 3000;
    // Both ends are files of this process.
    let files = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: files.maximum,
        ..files
    };
    setrlimit(Resource::Nofile, wanted).unwrap();
    let app = TestApp::before(stand_in(Default::default()).await, &[]).await;
    let mut idle = Vec::new();
    for number in 0..COUNT {
        let mut stream = from([127, 0, 0, 2 + (number % 2) as u8], &app).await;
        match number % 3 {
            0 => {}
            1 => stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.unwrap(),
            _ => stream.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap(),
        }
        idle.push(stream);
        if number % 500 == 0 {
            one_of_each(&app).await;
        }
    }
    for _ in 0..10 {
        one_of_each(&app).await;
    }
    assert_eq!(idle.len(), COUNT);
}

async fn from(address: [u8; 4], app: &TestApp) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((address, 0).into()).unwrap();
    let connected = tokio::time::timeout(Duration::from_secs(10), socket.connect(app.address)).await;
    connected.expect("a connection is taken").unwrap()
}
