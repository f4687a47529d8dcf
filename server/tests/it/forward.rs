//! The proxy before a real MLflow: who may call what, what comes back, and what a file costs on its way.

use futures::stream;
use reqwest::{Body, Response, StatusCode};
use serde_json::{Value, json};

use crate::app::{Caller, Mlflow, TestApp, fresh};

const MIB: usize = 1024 * 1024;

async fn json(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"))
}

/// A new experiment of the caller's, and a run in it.
async fn run(caller: &Caller) -> (String, String) {
    let made = json(
        caller
            .post("/api/2.0/mlflow/experiments/create", json!({ "name": fresh("forward") }))
            .await,
    )
    .await;
    let experiment = made["experiment_id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let made = json(
        caller
            .post("/api/2.0/mlflow/runs/create", json!({ "experiment_id": experiment }))
            .await,
    )
    .await;
    let run = made["run"]["info"]["run_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{made}"))
        .to_owned();
    (experiment, run)
}

#[tokio::test]
async fn a_session_and_a_program_do_the_same() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    for caller in [app.session().await, app.basic().await] {
        let (experiment, run) = run(&caller).await;
        let batch = json!({ "run_id": run, "metrics": [{ "key": "loss", "value": 0.5, "timestamp": 1, "step": 3 }] });
        assert_eq!(
            caller.post("/ajax-api/2.0/mlflow/runs/log-batch", batch).await.status(),
            StatusCode::OK
        );
        let found = json(
            caller
                .post("/api/2.0/mlflow/runs/search", json!({ "experiment_ids": [experiment] }))
                .await,
        )
        .await;
        assert_eq!(found["runs"][0]["data"]["metrics"][0]["value"], 0.5);
        assert_eq!(caller.get("/version").await.text().await.unwrap(), "3.17.2");
    }
}

#[tokio::test]
async fn nobody_gets_nothing_but_the_public_route() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    for path in [
        "/api/2.0/mlflow/experiments/search?max_results=1",
        "/version",
        "/get-artifact?run_id=1&path=x",
        "/gateway/mlflow/v1/models",
    ] {
        let answer = nobody.get(path).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert!(!answer.headers().contains_key("www-authenticate"));
        assert_eq!(json(answer).await["error_code"], "UNAUTHENTICATED");
    }
    assert_eq!(
        json(nobody.get("/api/3.0/mlflow/server-info").await).await["store_type"],
        "SqlStore"
    );
    let wrong = nobody
        .request("GET", "/version")
        .basic_auth("admin", Some("wrong"))
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(!wrong.headers().contains_key("www-authenticate"));
    assert_eq!(json(wrong).await["message"], "MLflow does not know this user name and password");
}

/// MLflow refuses before it has read the body; that must not look like a broken connection.
#[tokio::test]
async fn a_large_upload_with_a_wrong_password_is_told_so() {
    let app = TestApp::start().await;
    for (name, password) in [("admin", "wrong"), ("", "")] {
        let pieces = stream::iter((0..80).map(|_| Ok::<_, std::convert::Infallible>(vec![0_u8; MIB / 4])));
        let request = app
            .anonymous()
            .request("PUT", "/api/2.0/mlflow-artifacts/artifacts/refused/file.bin");
        let request = request.header("content-length", 20 * MIB).body(Body::wrap_stream(pieces));
        let request = if name.is_empty() {
            request
        } else {
            request.basic_auth(name, Some(password))
        };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(json(answer).await["error_code"], "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn the_assistant_is_closed_to_everybody() {
    let app = TestApp::start().await;
    for caller in [app.admin(), app.session().await] {
        for (method, path) in [
            ("GET", "/ajax-api/3.0/mlflow/assistant/config"),
            ("PUT", "/ajax-api/3.0/mlflow/assistant/config"),
            ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
            ("POST", "/ajax-api/3.0/mlflow/%61ssistant/message"),
            ("POST", "/ajax-api/3.0/mlflow/experiments/%2e%2e/assistant/message"),
            ("POST", "/ajax-api/3.0/mlflow%2fassistant/message"),
        ] {
            let answer = caller.request(method, path).json(&json!({})).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_retired_list_answers() {
    let app = TestApp::with(&["--base-path", "/mlflow"]).await;
    let caller = app.basic().await;
    let (experiment, _) = run(&caller).await;
    for path in [
        "/api/2.0/mlflow/experiments/list",
        "/ajax-api/2.0/mlflow/experiments/list?view_type=ACTIVE_ONLY",
    ] {
        let found = json(caller.get(path).await).await;
        let ids: Vec<_> = found["experiments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| &found["experiment_id"])
            .collect();
        assert!(ids.contains(&&json!(experiment)), "{path}: {found}");
    }
    let deleted = json(caller.get("/api/2.0/mlflow/experiments/list?view_type=DELETED_ONLY").await).await;
    assert!(
        !deleted.to_string().contains(&format!("\"experiment_id\":\"{experiment}\"")),
        "{deleted}"
    );
}

#[tokio::test]
async fn errors_are_json_and_give_nothing_away() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin(), app.basic().await);
    let twice = json!({ "username": user.user, "password": "correct horse battery" });
    let answer = admin.post("/api/2.0/mlflow/users/create", twice).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let told = json(answer).await;
    assert_eq!(
        told,
        json!({ "error_code": "RESOURCE_ALREADY_EXISTS", "message": "there is one of that name already" })
    );

    let wrong = json!({ "username": user.user, "is_admin": "maybe" });
    let answer = admin
        .request("PATCH", "/api/2.0/mlflow/users/update-admin")
        .json(&wrong)
        .send()
        .await
        .unwrap();
    let told = json(answer).await.to_string().to_lowercase();
    assert!(!told.contains("sql") && !told.contains("update users"), "{told}");

    let denied = user.get("/api/2.0/mlflow/runs/get?run_id=none").await;
    assert_eq!(denied.status(), StatusCode::FORBIDDEN);
    assert_eq!(json(denied).await["error_code"], "PERMISSION_DENIED");
    let missing = admin.get("/api/2.0/mlflow/runs/get?run_id=none").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(json(missing).await["error_code"], "RESOURCE_DOES_NOT_EXIST");
    // MLflow answers this one with a web page.
    let off = admin.get("/api/3.0/mlflow/workspaces").await;
    assert_eq!(off.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json(off).await["error_code"], "TEMPORARILY_UNAVAILABLE");
    let outside = admin
        .get("/api/2.0/mlflow-artifacts/artifacts/%252e%252e/%252e%252e/etc/passwd")
        .await;
    assert!(outside.status().is_client_error(), "{}", outside.status());
    assert!(json(outside).await["error_code"].is_string());
}

#[tokio::test]
async fn a_head_works_for_whoever_may_get() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let (_, run) = run(&user).await;
    let answer = user
        .request("HEAD", &format!("/api/2.0/mlflow/runs/get?run_id={run}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.unwrap().is_empty());
}

#[tokio::test]
async fn artifacts_come_back_whole_in_part_and_harmless() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let (experiment, run) = run(&user).await;
    let page = format!("<script>parent.document.title = 'taken'</script>{}", "text ".repeat(2000));
    let place = format!("{experiment}/{run}/artifacts/reports/a%20report%C3%A9.html");
    let stored = user
        .request("PUT", &format!("/api/2.0/mlflow-artifacts/artifacts/{place}"))
        .body(page.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(stored.status(), StatusCode::OK, "{:?}", stored.text().await);

    let listed = json(user.get(&format!("/api/2.0/mlflow/artifacts/list?run_id={run}&path=reports")).await).await;
    assert_eq!(listed["files"][0]["path"], "reports/a reporté.html");

    let download = format!("/get-artifact?run_id={run}&path=reports/a%20report%C3%A9.html");
    for path in [download.clone(), format!("/api/2.0/mlflow-artifacts/artifacts/{place}")] {
        let answer = user
            .request("GET", &path)
            .header("accept-encoding", "gzip, br")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let headers = answer.headers();
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("sandbox; default-src 'none'"),
            "{headers:?}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(
            headers["content-disposition"].to_str().unwrap().starts_with("attachment"),
            "{headers:?}"
        );
        assert!(
            !headers.contains_key("content-encoding") && !headers.contains_key("x-frame-options"),
            "{headers:?}"
        );
        assert_eq!(headers.get_all("date").iter().count(), 1);
        assert_eq!(answer.text().await.unwrap(), page, "{path}");
    }
    let answer = user
        .request("GET", &download)
        .header("range", "bytes=8-14")
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.headers()["content-range"], format!("bytes 8-14/{}", page.len()));
    assert_eq!(answer.headers()["content-length"], "7");
    assert_eq!(answer.text().await.unwrap(), &page[8..15]);

    let whole = user.get(&download).await;
    assert_eq!(whole.headers()["content-length"], page.len().to_string());
    let etag = whole.headers()["etag"].clone();
    let again = user.request("GET", &download).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

/// A name can neither end its quotes nor its line.
#[tokio::test]
async fn a_files_name_stays_in_its_field() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let (experiment, run) = run(&user).await;
    for name in [
        "a;filename=b.html",
        "a\"; filename=\"b.html",
        "a'b%25.html",
        "a\u{e9}\u{202e}b.html",
    ] {
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let place = format!("/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{escaped}");
        let stored = user.request("PUT", &place).body("text").send().await.unwrap();
        assert_eq!(stored.status(), StatusCode::OK, "{name:?}");
        for path in [place, format!("/get-artifact?run_id={run}&path={escaped}")] {
            let answer = user.get(&path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{name:?}");
            let fields: Vec<_> = answer.headers().get_all("content-disposition").iter().collect();
            let [field] = fields[..] else { panic!("{fields:?}") };
            let parts = parameters(field.to_str().unwrap());
            assert_eq!(parts[0], "attachment", "{parts:?}");
            let names: Vec<_> = parts[1..].iter().map(|part| part.split('=').next().unwrap()).collect();
            assert!(matches!(names[..], ["filename"] | ["filename", "filename*"]), "{parts:?}");
        }
    }
}

/// The parts between semicolons, of which those in quotes are none (RFC 9110 section 5.6.4).
fn parameters(field: &str) -> Vec<String> {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for letter in field.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(letter);
    }
    assert!(!quoted, "{field}");
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

#[tokio::test]
async fn the_gateway_takes_the_credentials_that_it_gets() {
    let app = TestApp::start().await;
    for caller in [app.basic().await, app.session().await] {
        let models = caller.get("/gateway/mlflow/v1/models").await;
        assert_eq!(models.status(), StatusCode::OK);
        assert_eq!(json(models).await["object"], "list");
        let none = caller.post("/gateway/nowhere/mlflow/invocations", json!({ "messages": [] })).await;
        assert!(
            none.status().is_client_error() && none.status() != StatusCode::UNAUTHORIZED,
            "{}",
            none.status()
        );
        assert!(json(none).await.is_object());
    }
}

#[tokio::test]
async fn traces_arrive_over_opentelemetry() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let (experiment, _) = run(&user).await;
    let span = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "root",
        "startTimeUnixNano": "1795198199230338019", "endTimeUnixNano": "1795198199330338019",
    });
    let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] });
    let answer = user
        .request("POST", "/v1/traces")
        .header("X-Mlflow-Experiment-Id", &experiment)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
    let place = json!([{ "type": "MLFLOW_EXPERIMENT", "mlflow_experiment": { "experiment_id": experiment } }]);
    let found = json(user.post("/api/3.0/mlflow/traces/search", json!({ "locations": place })).await).await;
    assert_eq!(found["traces"].as_array().map(Vec::len), Some(1), "{found}");
}

/// The server as a process of its own, so that its memory can be looked at.
mod large {
    use std::{
        io::{BufRead as _, BufReader},
        process::{Child, Command, Stdio},
    };

    use super::*;

    const SIZE: usize = 200 * MIB;
    const PIECE: usize = 256 * 1024;

    struct Server {
        process: Child,
        origin: String,
    }

    impl Drop for Server {
        fn drop(&mut self) {
            self.process.kill().ok();
            self.process.wait().ok();
        }
    }

    impl Server {
        fn start(mlflow: &Mlflow, folder: &std::path::Path) -> Self {
            let mut process = Command::new(env!("CARGO_BIN_EXE_flowdeck"))
                .env_remove("FLOWDECK_MLFLOW_PYTHON")
                .env("FLOWDECK_MLFLOW_URL", mlflow.url.as_str())
                .env("FLOWDECK_DATA_DIR", folder.join("data"))
                .env("FLOWDECK_SITE_DIR", crate::app::SITE)
                .env("FLOWDECK_LISTEN", "127.0.0.1:0")
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
            let origin = lines
                .find_map(|line| Some(line.split_once("ready at ")?.1.trim().trim_end_matches('/').to_owned()))
                .unwrap();
            Self { process, origin }
        }

        /// Resident memory at its highest so far, in bytes.
        fn peak(&self) -> usize {
            let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
        }
    }

    fn piece(number: usize) -> Vec<u8> {
        vec![(number % 251) as u8; PIECE]
    }

    #[tokio::test]
    async fn a_file_of_200_mb_goes_up_and_down_without_being_held() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_owned();
        let (mlflow, server) = tokio::task::spawn_blocking(move || (Mlflow::shared(), Server::start(Mlflow::shared(), &place)))
            .await
            .unwrap();
        let http = reqwest::Client::new();
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/{}/file.bin", fresh("large"));
        let call = |method| {
            http.request(method, format!("{}{path}", server.origin))
                .basic_auth("admin", Some(&mlflow.admin_password))
        };

        let before = server.peak();
        let pieces = stream::iter((0..SIZE / PIECE).map(|number| Ok::<_, std::convert::Infallible>(piece(number))));
        let request = call(reqwest::Method::PUT)
            .header("content-length", SIZE)
            .body(Body::wrap_stream(pieces));
        let stored = request.send().await.unwrap();
        assert_eq!(stored.status(), StatusCode::OK, "{:?}", stored.text().await);
        let up = server.peak() - before;

        let mut answer = call(reqwest::Method::GET).send().await.unwrap();
        assert_eq!(answer.headers()["content-length"], SIZE.to_string());
        let mut place = 0;
        while let Some(bytes) = answer.chunk().await.unwrap() {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let count = rest.len().min(PIECE - place % PIECE);
                assert!(rest[..count] == piece(place / PIECE)[..count], "wrong bytes at {place}");
                place += count;
                rest = &rest[count..];
            }
        }
        assert_eq!(place, SIZE);
        let both = server.peak() - before;
        assert!(both < 32 * MIB, "memory grew by {up} bytes on the way up, {both} in all");
        eprintln!("memory grew by {} KiB on the way up, {} KiB in all", up / 1024, both / 1024);
    }
}
