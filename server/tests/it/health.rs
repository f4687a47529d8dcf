//! Health, its history, and the metrics, before a real MLflow.

use std::{
    net::TcpListener,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{StatusCode, Url};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use server::health::history;

use crate::app::{TestApp, python};

const TOKEN: &str = "a-token-for-prometheus";

/// An MLflow as people start it: its credential cache is off.
struct Stock {
    child: Child,
    url: Url,
    _folder: tempfile::TempDir,
}

// === impl Stock ===

impl Stock {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let ini = format!("[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{path}/auth.db\nauth_cache_ttl_seconds = 0\n");
        std::fs::write(folder.path().join("auth.ini"), ini).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(python())
            .args([
                "-m",
                "mlflow",
                "server",
                "--app-name",
                "basic-auth",
                "--host",
                "127.0.0.1",
                "--workers",
                "1",
            ])
            .args(["--port", &port.to_string()])
            .args(["--backend-store-uri", &format!("sqlite:///{path}/mlflow.db")])
            .args(["--artifacts-destination", &format!("{path}/artifacts")])
            .current_dir(folder.path())
            .env("MLFLOW_AUTH_CONFIG_PATH", folder.path().join("auth.ini"))
            .env("MLFLOW_AUTH_ADMIN_USERNAME", "admin")
            .env("MLFLOW_AUTH_ADMIN_PASSWORD", "correct horse battery")
            .env("MLFLOW_FLASK_SERVER_SECRET_KEY", "for this test")
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let stock = Self {
            child,
            url: format!("http://127.0.0.1:{port}").parse().unwrap(),
            _folder: folder,
        };
        let healthy = async {
            while !reqwest::get(stock.url.join("/health").unwrap())
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(240), healthy)
            .await
            .expect("MLflow comes up");
        stock
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        kill_process_group(group, Signal::KILL).ok();
        self.child.wait().ok();
    }
}

async fn health(app: &TestApp) -> Value {
    app.anonymous().get("/health/mlflow").await.json().await.unwrap()
}

/// Until it is known whether MLflow remembers whom it has checked.
async fn known(app: &TestApp) -> Value {
    let known = async {
        loop {
            let health = health(app).await;
            if !health["credential_cache"].is_null() {
                return health;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), known)
        .await
        .expect("it is found out")
}

#[tokio::test]
async fn an_mlflow_with_a_credential_cache_is_told_from_one_without() {
    let app = TestApp::start().await;
    let before = health(&app).await;
    assert_eq!(before["reachable"], true);
    assert!(before["latency_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(before["auth"], "basic-auth");
    for unknown in ["version", "credential_cache", "advice"] {
        assert!(before[unknown].is_null(), "{before}");
    }
    assert_eq!(app.admin().get("/version").await.status(), StatusCode::OK);
    let with = known(&app).await;
    assert_eq!(with["credential_cache"], true, "{with}");
    assert_eq!((&with["version"], &with["advice"]), (&json!("3.17.2"), &Value::Null));

    let stock = Stock::start().await;
    let app = TestApp::before(stock.url.clone(), &[]).await;
    app.sign_in("admin", "correct horse battery").await.get("/version").await;
    let without = known(&app).await;
    assert_eq!(without["credential_cache"], false, "{without}");
    let advice = without["advice"].as_str().unwrap();
    assert!(
        advice.contains("auth_cache_ttl_seconds = 60") && advice.contains("MLFLOW_AUTH_CONFIG_PATH"),
        "{advice}"
    );
}

#[tokio::test]
async fn an_mlflow_that_is_away_is_told() {
    let app = TestApp::before("http://127.0.0.1:1".parse().unwrap(), &[]).await;
    let answer = app.anonymous().get("/health/mlflow").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "reachable": false }));
    let answer = app.anonymous().get("/health/ready").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({ "ready": false, "database": true, "mlflow": false })
    );
    assert_eq!(app.anonymous().get("/health").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn owners_see_the_history() {
    let app = TestApp::start().await;
    let path = "/api/flowdeck/v1/health/history";
    let user = app.session().await;
    assert_eq!(user.get("/version").await.status(), StatusCode::OK);
    for _ in 0..2 {
        history::point(&app.state).await;
    }
    assert_eq!(app.anonymous().get(path).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(user.get(path).await.status(), StatusCode::FORBIDDEN);
    // A request is counted when the last of its answer has gone.
    let history = loop {
        history::point(&app.state).await;
        let history: Value = app.admin().get(path).await.json().await.unwrap();
        let requests = |point: &Value| point["requests"].as_u64().unwrap();
        if history["points"].as_array().unwrap().iter().map(requests).sum::<u64>() >= 5 {
            break history;
        }
    };
    assert_eq!(history["step_ms"], 60_000);
    let points = history["points"].as_array().unwrap();
    assert!(points.is_sorted_by_key(|point| point["at"].as_i64()), "{history}");
    for point in points {
        let [p50, p95] = ["p50_ms", "p95_ms"].map(|name| point[name].as_f64().unwrap());
        assert!(p50 <= p95 && (p50 > 0.0) == (point["requests"] != 0), "{point}");
        assert!(point["mlflow_ms"].is_number() && point["mlflow_up"] == true, "{point}");
        assert_eq!((&point["errors"], &point["refused"]), (&json!(0), &json!(0)), "{point}");
        assert_eq!((&point["sessions"], &point["calls_open"]), (&json!(1), &json!(0)), "{point}");
    }
}

#[tokio::test]
async fn owners_and_prometheus_read_the_metrics() {
    let app = TestApp::with(&["--metrics-token", TOKEN]).await;
    let user = app.session().await;
    user.get("/api/2.0/mlflow/experiments/search?max_results=1")
        .await
        .bytes()
        .await
        .unwrap();
    user.get("/api/2.0/mlflow/experiments/get?experiment_id=nothing")
        .await
        .bytes()
        .await
        .unwrap();

    let nobody = app.anonymous();
    assert_eq!(nobody.get("/metrics").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(user.get("/metrics").await.status(), StatusCode::FORBIDDEN);
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a-token-for-prometheu",
        "Bearer a-token-for-prometheus2",
        "Basic a-token-for-prometheus",
    ] {
        let answer = nobody
            .request("GET", "/metrics")
            .header("authorization", wrong)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
    }
    assert_eq!(app.admin().get("/metrics").await.status(), StatusCode::OK);
    let lines = [
        r#"flowdeck_requests_total{route="experiments",method="read",status="2xx",way="session"} 1"#,
        r#"flowdeck_requests_total{route="experiments",method="read",status="4xx",way="session"} 1"#,
        r#"flowdeck_requests_total{route="page",method="write",status="3xx",way="none"} 1"#,
        r#"flowdeck_requests_total{route="users",method="write",status="2xx",way="basic"} 1"#,
        r#"flowdeck_upstream_seconds_count{route="experiments"} 2"#,
        r#"flowdeck_body_bytes_total{direction="in"} "#,
        r#"flowdeck_body_bytes_total{direction="out"} "#,
        "flowdeck_sessions 1",
        "process_resident_memory_bytes ",
    ];
    // A request is counted when the last of its answer has gone.
    let counted = async {
        loop {
            let answer = nobody.request("GET", "/metrics").bearer_auth(TOKEN).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            let media_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
            assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
            let text = answer.text().await.unwrap();
            assert!(text.ends_with("# EOF\n") && !text.contains(&user.user), "{text}");
            match lines.iter().find(|start| !text.lines().any(|line| line.starts_with(**start))) {
                None => return,
                Some(missing) => println!("not yet: {missing}\n{text}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), counted)
        .await
        .expect("all of it is counted");
}

#[tokio::test]
async fn without_a_token_only_owners_read_the_metrics() {
    let app = TestApp::start().await;
    for sent in ["Bearer ", "Bearer x"] {
        let answer = app
            .anonymous()
            .request("GET", "/metrics")
            .header("authorization", sent)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
}
