//! A disk that takes nothing more: changes are refused before they are made, and reads go on.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, RequestBuilder, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::audit::{Flowdeck, stand_in, verify};

const LONG: Duration = Duration::from_secs(60);

/// Lets no file of a process grow beyond so many bytes, its programs neither; `None` takes that back.
fn limit_files(process: &std::process::Child, bytes: Option<u64>) {
    let process = Pid::from_child(process);
    let maximum = rustix::process::getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit {
        current: bytes.or(maximum),
        maximum,
    };
    prlimit(Some(process), Resource::Fsize, limit).unwrap();
}

async fn told(request: RequestBuilder) -> (u16, String) {
    let answer = request.basic_auth("admin", Some("secret")).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn while_the_audit_cannot_be_written_nothing_is_changed_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let reached = Arc::new(AtomicU32::new(0));
    let upstream = stand_in(Arc::clone(&reached)).await;
    // Its log could be a file too.
    let flowdeck = Flowdeck::ready(Flowdeck::command(folder.path(), &upstream).stderr(Stdio::null())).await;
    let http = Client::builder().no_proxy().timeout(LONG).build().unwrap();
    let change = || {
        let request = http.post(format!("{}/api/2.0/mlflow/runs/set-tag", flowdeck.origin));
        told(request.json(&json!({ "run_id": "r", "key": "k", "value": "v" })))
    };
    let read = || told(http.get(format!("{}/api/2.0/mlflow/runs/get?run_id=r", flowdeck.origin)));
    assert_eq!(change().await.0, 200);
    assert_eq!(read().await.0, 200);

    limit_files(&flowdeck.process, Some(0));
    // Whoever comes first finds out, and is told that it was done.
    let (status, message) = change().await;
    assert_eq!(status, 503);
    assert!(message.contains("this was done, but Flowdeck could not write it"), "{message}");
    let before = reached.load(Ordering::SeqCst);
    for _ in 0..5 {
        let (status, message) = change().await;
        assert_eq!(status, 503);
        assert!(message.contains("so nothing may be changed"), "{message}");
    }
    assert_eq!(reached.load(Ordering::SeqCst), before, "a refused change reached MLflow");
    for _ in 0..5 {
        assert_eq!(read().await.0, 200);
    }
    assert_eq!(reached.load(Ordering::SeqCst), before + 5);
    let own = http.get(format!("{}/api/flowdeck/v1/audit?route=/2.0/mlflow/runs/set-tag", flowdeck.origin));
    assert_eq!(told(own).await.0, 200);

    limit_files(&flowdeck.process, None);
    let again = async {
        while change().await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, again).await.expect("changes are taken again once there is room");
    let found = http.get(format!("{}/api/flowdeck/v1/audit?status=503", flowdeck.origin));
    let found = found.basic_auth("admin", Some("secret")).send().await.unwrap();
    assert_eq!(found.status(), StatusCode::OK);
    let found: Value = found.json().await.unwrap();
    assert!(
        found["rows"].as_array().unwrap().len() >= 6,
        "what was refused is written too: {found}"
    );
    let checked = verify(folder.path());
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
