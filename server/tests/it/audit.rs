//! The audit before a real MLflow: what a call leaves behind, who may see it, and that nothing acknowledged is lost.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode as Status, Uri, header},
    response::{IntoResponse as _, Response as Answer},
};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::{Value, json};
use server::audit::{self, chain::Verdict};
use tokio::{net::TcpListener, time::timeout};

use crate::app::{Caller, SITE, TestApp, fresh};

const AUDIT: &str = "/api/flowdeck/v1/audit";
const LONG: Duration = Duration::from_secs(60);

async fn json(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"))
}

async fn rows(caller: &Caller, query: &str) -> Vec<Value> {
    let answer = json(caller.get(&format!("{AUDIT}?{query}")).await).await;
    answer["rows"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// Rows of reads are written a moment after their answer.
async fn at_least(count: usize, caller: &Caller, query: &str) -> Vec<Value> {
    let all = async {
        loop {
            let rows = rows(caller, query).await;
            if rows.len() >= count {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, all).await.unwrap_or_else(|_| panic!("{count} rows for {query}"))
}

async fn experiment(caller: &Caller) -> String {
    let made = caller
        .post("/api/2.0/mlflow/experiments/create", json!({ "name": fresh("audit") }))
        .await;
    json(made).await["experiment_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_write_is_a_row_before_it_is_answered() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let body = json!({ "name": fresh("audit") }).to_string();
    let request = user.request("POST", "/ajax-api/2.0/mlflow/experiments/create");
    let request = request
        .header("content-type", "application/json")
        .header("request-id", "chosen-by-me");
    let answer = request.body(body.clone()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let length = answer.content_length().unwrap();

    let rows = rows(&user, &format!("user={}&route=/2.0/mlflow/experiments/create", user.user)).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(row["user"], user.user.as_str());
    assert_eq!(
        (&row["way"], &row["method"], &row["status"], &row["address"]),
        (&json!("session"), &json!("POST"), &json!(200), &json!("127.0.0.1"))
    );
    assert_eq!(row["bytes_in"], body.len());
    assert_eq!(row["bytes_out"], length);
    assert_eq!(row["request_id"], "chosen-by-me");
    assert_eq!((&row["key"], &row["shadow"]), (&Value::Null, &Value::Null));
    assert_eq!(row["experiments"], json!([json(answer).await["experiment_id"]]));
    assert!(row["ms"].as_f64().unwrap() > 0.0 && row["at"].as_i64().unwrap() > 1_700_000_000_000);
}

#[tokio::test]
async fn a_read_is_a_row_with_what_was_sent() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default";
    let length = user.get(path).await.bytes().await.unwrap().len();
    let found = at_least(1, &user, &format!("user={}&route=/2.0/mlflow/experiments/get-by-name", user.user)).await;
    assert_eq!((&found[0]["way"], &found[0]["bytes_in"]), (&json!("basic"), &json!(0)));
    assert_eq!(found[0]["bytes_out"], length);
    assert!(!found[0].to_string().contains("Default"), "no query: {}", found[0]);
}

#[tokio::test]
async fn a_page_and_the_calls_it_makes_are_rows_of_its_visitor() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let page = user
        .request("GET", "/experiments")
        .header("request-id", "of-the-page")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    page.bytes().await.unwrap();
    let found = at_least(2, &user, &format!("user={}&q=of-the-page", user.user)).await;
    let page = found.iter().find(|row| row["route"] == "/experiments").expect("the page's row");
    let call = found.iter().find(|row| row["route"] != "/experiments").expect("its call's row");
    assert_eq!((&call["address"], &call["way"]), (&page["address"], &json!("session")));
}

#[tokio::test]
async fn refusals_are_rows_without_invented_names() {
    let app = TestApp::start().await;
    let (admin, stranger) = (app.admin(), app.anonymous());
    let wrong = |path: &str| stranger.request("GET", path).basic_auth("typed-pass-phrase", Some("x")).send();
    assert_eq!(
        wrong("/api/2.0/mlflow/experiments/search?max_results=1").await.unwrap().status(),
        401
    );
    assert_eq!(wrong("/health").await.unwrap().status(), 200);
    assert_eq!(stranger.get("/api/flowdeck/v1/session").await.status(), 401);
    let odd = stranger
        .request("GET", "/version")
        .header("authorization", "Digest typed-pass-phrase");
    assert_eq!(odd.send().await.unwrap().status(), 401);
    let failed = stranger.form("/login", &[("name", "typed-pass-phrase"), ("password", "y")]).await;
    assert_eq!(failed.status(), 401);

    let found = at_least(4, &admin, "status=401").await;
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|row| row["user"].is_null()), "{found:?}");
    let routes: Vec<&str> = found.iter().map(|row| row["route"].as_str().unwrap()).collect();
    for route in ["/login", "/api/flowdeck/v1/session", "/version", "/2.0/mlflow/experiments/search"] {
        assert!(routes.contains(&route), "{routes:?}");
    }
    assert!(rows(&admin, "q=typed-pass-phrase").await.is_empty());
}

#[tokio::test]
async fn what_anybody_may_fetch_is_no_row() {
    let app = TestApp::start().await;
    let (admin, stranger) = (app.admin(), app.anonymous());
    for path in [
        "/health",
        "/login",
        "/experiments",
        "/assets/main-0.css",
        "/api/3.0/mlflow/server-info",
    ] {
        stranger.get(path).await;
    }
    let user = app.session().await;
    assert_eq!(
        rows(&admin, &format!("route=/login&user={}", user.user)).await.len(),
        1,
        "a sign-in is one"
    );
    let nobodys = rows(&admin, "way=none").await;
    assert!(nobodys.is_empty(), "{nobodys:?}");
    let out = user.form("/logout", &[]).await;
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert_eq!(rows(&admin, &format!("route=/logout&user={}", user.user)).await.len(), 1);
}

#[tokio::test]
async fn owners_see_all_and_others_their_own_and_the_changes_to_what_they_may_read() {
    let app = TestApp::start().await;
    let (admin, one, other) = (app.admin(), app.basic().await, app.basic().await);
    let id = experiment(&one).await;
    let tag = json!({ "experiment_id": id, "key": "a", "value": "b" });
    assert_eq!(one.post("/api/2.0/mlflow/experiments/set-experiment-tag", tag).await.status(), 200);
    one.get(&format!("/api/2.0/mlflow/experiments/get?experiment_id={id}")).await;

    at_least(3, &admin, &format!("user={}", one.user)).await;
    at_least(3, &one, &format!("user={}", one.user)).await;
    for query in [String::new(), format!("user={}", one.user), "user=admin".into(), "q=runs".into()] {
        let refused = other.get(&format!("{AUDIT}?{query}")).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{query}");
        assert_eq!(json(refused).await["error_code"], "PERMISSION_DENIED");
        let export = other.get(&format!("{AUDIT}/export?format=csv&{query}")).await;
        assert_eq!(export.status(), StatusCode::FORBIDDEN, "{query}");
    }
    assert_eq!(app.anonymous().get(AUDIT).await.status(), StatusCode::UNAUTHORIZED);

    // MLflow lets everybody read, unless somebody says otherwise: so everybody sees what was changed, and not from where.
    let changes = rows(&other, &format!("experiment={id}")).await;
    let routes: Vec<&str> = changes.iter().map(|row| row["route"].as_str().unwrap()).collect();
    assert_eq!(
        routes,
        ["/2.0/mlflow/experiments/set-experiment-tag", "/2.0/mlflow/experiments/create"]
    );
    for row in &changes {
        assert_eq!((&row["user"], &row["experiments"]), (&json!(one.user), &json!([id])));
        for hidden in ["key", "address", "request_id", "shadow"] {
            assert!(row.get(hidden).is_none(), "{row}");
        }
    }
    assert!(
        rows(&other, &format!("experiment={id}&q=127.0.0.1")).await.is_empty(),
        "nothing is found by its address"
    );
    let export = other
        .get(&format!("{AUDIT}/export?format=csv&experiment={id}"))
        .await
        .text()
        .await
        .unwrap();
    assert!(
        export.lines().count() == 3 && !export.contains("127.0.0.1") && !export.contains("address"),
        "{export}"
    );
    assert_eq!(
        other.get(&format!("{AUDIT}?experiment={id}&key=k")).await.status(),
        StatusCode::FORBIDDEN
    );

    let grant =
        |permission: &str| json!({ "username": other.user, "resource_type": "experiment", "resource_id": id, "permission": permission });
    let granted = admin.post("/api/3.0/mlflow/users/permissions/grant", grant("DENY")).await;
    assert_eq!(granted.status(), StatusCode::OK);
    let refused = other.get(&format!("{AUDIT}?experiment={id}")).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

/// Else anybody could write themselves into the history of what they never touched.
#[tokio::test]
async fn what_a_caller_adds_says_nothing_of_what_was_touched() {
    let app = TestApp::start().await;
    let (one, other) = (app.basic().await, app.basic().await);
    let (theirs, own) = (experiment(&one).await, experiment(&other).await);
    let made = json(one.post("/api/2.0/mlflow/runs/create", json!({ "experiment_id": theirs })).await).await;
    let run = made["run"]["info"]["run_id"].as_str().unwrap();
    let tag =
        json!({ "experiment_id": own, "key": "a", "value": "b", "run_id": run, "experiment_ids": [theirs], "info": { "run_id": run } });
    let path = format!("/api/2.0/mlflow/experiments/set-experiment-tag?experiment_id={theirs}&run_id={run}");
    assert_eq!(other.post(&path, tag).await.status(), StatusCode::OK);
    let path = format!("/api/2.0/mlflow-artifacts/artifacts/{own}/{run}/artifacts/x.txt");
    assert_eq!(other.request("PUT", &path).body("x").send().await.unwrap().status(), StatusCode::OK);

    assert_eq!(rows(&other, &format!("experiment={own}")).await.len(), 3);
    for query in [format!("experiment={theirs}"), format!("run={run}")] {
        let found = rows(&one, &query).await;
        assert!(
            !found.is_empty() && found.iter().all(|row| row["user"] == json!(one.user)),
            "{query}: {found:?}"
        );
    }
}

#[tokio::test]
async fn ones_own_calls_are_ones_own_whoever_asks_and_however() {
    let app = TestApp::start().await;
    let (admin, one, other) = (app.admin(), app.basic().await, app.session().await);
    let (mine, theirs) = (experiment(&one).await, experiment(&other).await);
    let own = |query: &str| format!("{AUDIT}/own?{query}");
    let named = |user: &str| format!("user={user}");

    // All ways in: by a password, in a browser, with a key.
    let browser = app.sign_in(&one.user, &one.password).await;
    let made = json(
        one.post(
            "/api/flowdeck/v1/keys",
            json!({ "name": "own", "scopes": ["read", "write", "admin"] }),
        )
        .await,
    )
    .await;
    let program = app.key(&one.user, made["key"].as_str().unwrap());
    let by_key = experiment(&program).await;
    let found = at_least(2, &admin, &format!("{}&route=/2.0/mlflow/experiments/create", named(&one.user))).await;
    for caller in [&one, &browser, &program] {
        let all = json(caller.get(&own("limit=500")).await).await;
        let all = all["rows"].as_array().unwrap();
        assert!(all.iter().all(|row| row["user"] == one.user.as_str()), "{all:?}");
        let ways: Vec<&Value> = all.iter().map(|row| &row["way"]).collect();
        for way in ["basic", "session", "key"] {
            assert!(ways.contains(&&json!(way)), "{way} of {ways:?}");
        }
        let created = json(caller.get(&own("route=/2.0/mlflow/experiments/create")).await).await;
        assert_eq!(created["rows"], json!(found), "with address and key");
        let changes = json(caller.get(&own("changes=yes&limit=500")).await).await;
        let changes = changes["rows"].as_array().unwrap();
        assert!(changes.iter().any(|row| row["experiments"] == json!([by_key])));
        assert!(changes.iter().all(|row| row["method"] != "GET"), "{changes:?}");
    }

    // Nobody is asked for by name, not even oneself; and no filter leads to the rows of others.
    for caller in [&one, &other, &admin, &program] {
        for user in [&one.user, &other.user, "admin"] {
            let answer = caller.get(&own(&named(user))).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{user}");
        }
        for odd in [
            "user=&user=admin",
            "user%5B%5D=admin",
            "User=admin",
            "format=csv",
            "progress=yes",
            "changes=no",
        ] {
            assert_eq!(caller.get(&own(odd)).await.status(), StatusCode::BAD_REQUEST, "{odd}");
        }
    }
    for query in [
        format!("experiment={theirs}"),
        format!("q={}", other.user),
        "way=none".into(),
        "q=%25".into(),
        "q='%20OR%201=1".into(),
    ] {
        let answer = json(one.get(&own(&query)).await).await;
        assert_eq!(answer["rows"], json!([]), "{query}");
    }
    let seen = json(other.get(&own(&format!("experiment={mine}"))).await).await;
    assert_eq!(seen["rows"], json!([]), "not even what one may read");
    let owners = json(admin.get(&own("limit=500")).await).await;
    assert!(owners["rows"].as_array().unwrap().iter().all(|row| row["user"] == "admin"));
}

#[tokio::test]
async fn ones_own_calls_are_for_somebody_with_a_whole_key() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let id = experiment(&user).await;
    let own = format!("{AUDIT}/own");
    assert_eq!(app.anonymous().get(&own).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        app.known(&user.user, "not the password").get(&own).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.key(&user.user, "fd_nonsense").get(&own).await.status(),
        StatusCode::UNAUTHORIZED
    );
    for limits in [
        json!({ "scopes": ["read", "write"] }),
        json!({ "scopes": ["read", "write", "admin"], "experiments": [id] }),
        json!({ "scopes": ["read", "write", "admin"], "models": ["m"] }),
        json!({ "scopes": ["read", "write", "admin"], "families": ["experiments"] }),
    ] {
        let mut wanted = limits.clone();
        wanted["name"] = json!("narrow");
        let made = json(user.post("/api/flowdeck/v1/keys", wanted).await).await;
        let program = app.key(&user.user, made["key"].as_str().unwrap());
        for query in ["", "?user=admin", &format!("?experiment={id}")] {
            let answer = program.get(&format!("{own}{query}")).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{limits} {query}");
        }
    }
}

#[tokio::test]
async fn an_export_says_how_far_it_is_to_whoever_asks() {
    let app = TestApp::start().await;
    let user = app.session().await;
    for _ in 0..3 {
        experiment(&user).await;
    }
    let query = format!("user={}&route=/2.0/mlflow/experiments/create", user.user);
    for format in ["csv", "jsonl"] {
        let get = async |more: &str| {
            let answer = user.get(&format!("{AUDIT}/export?format={format}&{query}{more}")).await;
            answer.text().await.unwrap()
        };
        let (plain, marked) = (get("").await, get("&progress=yes").await);
        assert!(!plain.contains('\u{1e}'), "{plain}");
        let (marks, rows): (Vec<&str>, Vec<&str>) = marked.split_inclusive('\n').partition(|line| line.starts_with('\u{1e}'));
        assert_eq!(rows.concat(), plain, "without its marks it is the same file");
        let last: Vec<i64> = marks.last().unwrap()[1..]
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect();
        assert!(last[0] == 3 && last[1] == last[2] && last[2] >= 3, "{last:?}");
    }
    let bad = user.get(&format!("{AUDIT}/export?format=csv&{query}&progress=1")).await;
    assert_eq!(bad.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_export_has_every_row_in_both_formats() {
    let app = TestApp::start().await;
    let user = app.session().await;
    for _ in 0..3 {
        experiment(&user).await;
    }
    let query = format!("user={}&route=/2.0/mlflow/experiments/create", user.user);
    let csv = user.get(&format!("{AUDIT}/export?format=csv&{query}")).await;
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    assert!(csv.headers()["content-disposition"].to_str().unwrap().contains("audit.csv"));
    let csv = csv.text().await.unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("id,at,user,way,method,route,"), "{csv}");
    assert_eq!(lines.len(), 4, "{csv}");

    let lines = user
        .get(&format!("{AUDIT}/export?format=jsonl&{query}"))
        .await
        .text()
        .await
        .unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, rows(&user, &query).await);
    for bad in ["", "format=xml", "format=csv&limit=1"] {
        assert_eq!(
            user.get(&format!("{AUDIT}/export?{bad}")).await.status(),
            StatusCode::BAD_REQUEST,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_bad_question_is_told() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let long = format!("q={}", "x".repeat(256));
    for bad in [
        "limit=x",
        "cursor=-1",
        "status=4",
        "status=4x",
        "way=back",
        "colour=red",
        "cursor=1&after=1",
        &long,
        "q=%00",
        "from=yesterday",
    ] {
        let answer = admin.get(&format!("{AUDIT}?{bad}")).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
        assert_eq!(json(answer).await["error_code"], "INVALID_PARAMETER_VALUE", "{bad}");
    }
    for good in [
        "limit=0",
        "limit=100000",
        "status=4xx",
        "user=&q=",
        "from=0&to=9223372036854775807",
        "cursor=9223372036854775807",
        "after=9223372036854775807",
        "cursor=0",
    ] {
        assert_eq!(admin.get(&format!("{AUDIT}?{good}")).await.status(), StatusCode::OK, "{good}");
    }
}

#[tokio::test]
async fn the_audit_holds_no_secret() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let program = app.basic().await;
    let batch = json!({ "name": "a-secret-in-a-body" });
    user.post("/api/2.0/mlflow/experiments/create?password=a-secret-in-a-query", batch)
        .await;
    program
        .get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=a-secret-in-a-query")
        .await;
    user.form("/login", &[("name", &user.user), ("password", "a-secret-in-a-form")])
        .await;
    at_least(
        1,
        &app.admin(),
        &format!("user={}&route=/2.0/mlflow/experiments/get-by-name", program.user),
    )
    .await;

    let files = ["audit.db", "audit.db-wal"].map(|name| std::fs::read(app.folder.path().join(name)).unwrap());
    let holds = |needle: &str| {
        files
            .iter()
            .any(|file| file.windows(needle.len()).any(|window| window == needle.as_bytes()))
    };
    assert!(holds(&user.user), "the search finds what is there");
    let ticket = user.cookie().split_once('=').unwrap().1;
    for secret in [&user.password, ticket, "a-secret-in-a"] {
        assert!(!holds(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_caller_who_leaves_is_a_row_too() {
    let reached = Arc::new(AtomicU32::new(0));
    let app = TestApp::before(stand_in(Arc::clone(&reached)).await, &[]).await;
    let user = app.known("admin", "secret");
    let slow = user
        .request("POST", "/api/2.0/mlflow/runs/delete")
        .json(&json!({ "run_id": "slow" }));
    let call = tokio::spawn(slow.send());
    let arrived = async {
        while reached.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, arrived).await.expect("the call reaches MLflow");
    call.abort();
    let found = at_least(1, &user, "status=499").await;
    assert_eq!(found[0]["runs"], json!(["slow"]));
    assert_eq!(
        (&found[0]["route"], &found[0]["user"]),
        (&json!("/2.0/mlflow/runs/delete"), &json!("admin"))
    );
}

/// An MLflow that lets everybody be the owner, answers writes at once, and never one about the run `slow`.
pub async fn stand_in(reached: Arc<AtomicU32>) -> Url {
    let service = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: String| {
        let reached = Arc::clone(&reached);
        async move { answer(&uri, &headers, &body, &reached).await }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    url
}

async fn answer(uri: &Uri, headers: &HeaderMap, body: &str, reached: &AtomicU32) -> Answer {
    let known = headers.contains_key(header::AUTHORIZATION);
    match uri.path() {
        "/health" | "/api/3.0/mlflow/server-info" => "{}".into_response(),
        _ if !known => (Status::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"mlflow\"")]).into_response(),
        "/version" => "3.17.2".into_response(),
        "/api/2.0/mlflow/users/current" => axum::Json(json!({ "user": { "username": "admin", "is_admin": true } })).into_response(),
        _ => {
            reached.fetch_add(1, Ordering::SeqCst);
            if body.contains("slow") {
                std::future::pending::<()>().await;
            }
            axum::Json(json!({})).into_response()
        }
    }
}

/// A Flowdeck in a process of its own; killed when it is dropped.
pub struct Flowdeck {
    pub process: Child,
    pub origin: String,
}

impl Flowdeck {
    pub async fn start(data: &std::path::Path, upstream: &Url) -> Self {
        Self::ready(&mut Self::command(data, upstream)).await
    }

    pub fn command(data: &std::path::Path, upstream: &Url) -> Command {
        let mut command = Command::new("sh");
        // A file that may not grow is an error, and not the end of the program.
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_flowdeck")]);
        command
            .args(["--listen", "127.0.0.1:0", "--site-dir", SITE, "--mlflow-url", upstream.as_str()])
            .args(["--user-rate", "1000000", "--user-burst", "1000000", "--user-calls", "1000"])
            .arg("--data-dir")
            .arg(data)
            .env_remove("FLOWDECK_MLFLOW_PYTHON")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }

    /// Starts it, and waits until it says where it listens.
    pub async fn ready(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let read = tokio::task::spawn_blocking(|| {
            let mut lines = said.lines().map_while(Result::ok);
            lines.find_map(|line| Some(line.split_once("is ready at ")?.1.trim_end_matches('/').to_owned()))
        });
        let origin = timeout(LONG, read).await.expect("Flowdeck says that it is ready").unwrap();
        Self {
            process,
            origin: origin.expect("an address"),
        }
    }
}

impl Drop for Flowdeck {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

pub fn verify(data: &std::path::Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_flowdeck"))
        .args(["--data-dir", data.to_str().unwrap(), "audit", "verify"])
        .env_remove("FLOWDECK_MLFLOW_PYTHON")
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_when_flowdeck_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = stand_in(Arc::default()).await;
    let mut flowdeck = Flowdeck::start(folder.path(), &upstream).await;
    let acknowledged = Arc::new(std::sync::Mutex::new(Vec::new()));
    let http = Client::builder().no_proxy().build().unwrap();
    // Strangers get less of Flowdeck than people whom MLflow has taken.
    let known = http.get(format!("{}/version", flowdeck.origin)).basic_auth("admin", Some("secret"));
    assert_eq!(known.send().await.unwrap().status(), StatusCode::OK);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..1000 {
        let (http, origin, acknowledged) = (http.clone(), flowdeck.origin.clone(), Arc::clone(&acknowledged));
        writers.spawn(async move {
            for number in 0.. {
                let id = format!("w{writer}-{number}");
                let request = http
                    .post(format!("{origin}/api/2.0/mlflow/runs/set-tag"))
                    .basic_auth("admin", Some("secret"));
                let request = request
                    .header("request-id", &id)
                    .json(&json!({ "run_id": "r", "key": "k", "value": "v" }));
                match request.send().await {
                    Ok(answer) if answer.status() == StatusCode::OK => acknowledged.lock().unwrap().push(id),
                    _ => return,
                }
            }
        });
    }
    let enough = async {
        while acknowledged.lock().unwrap().len() < 3000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(verify(folder.path()).status.success(), "the chain is whole while it is written");
    };
    timeout(LONG, enough).await.expect("writes are acknowledged");
    // SIGKILL, in the middle of a thousand of them.
    flowdeck.process.kill().unwrap();
    flowdeck.process.wait().unwrap();
    while writers.join_next().await.is_some() {}

    let checked = verify(folder.path());
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let flowdeck = Flowdeck::start(folder.path(), &upstream).await;
    let export = format!("{}/api/flowdeck/v1/audit/export?format=jsonl", flowdeck.origin);
    let export = http.get(export).basic_auth("admin", Some("secret")).send().await.unwrap();
    let written: std::collections::HashSet<String> = export
        .text()
        .await
        .unwrap()
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["request_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let acknowledged = acknowledged.lock().unwrap();
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !written.contains(*id)).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
}

#[tokio::test]
async fn a_changed_row_is_named_and_ends_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = stand_in(Arc::default()).await;
    let flowdeck = Flowdeck::start(folder.path(), &upstream).await;
    for _ in 0..3 {
        let request = Client::new().post(format!("{}/api/2.0/mlflow/runs/set-tag", flowdeck.origin));
        assert_eq!(
            request
                .basic_auth("admin", Some("secret"))
                .json(&json!({}))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
    drop(flowdeck);
    let file = folder.path().join(audit::FILE);
    assert!(matches!(audit::verify(&file).await.unwrap(), Verdict::Whole { first: 1, last } if last.id == 3));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    sqlx::query("UPDATE call SET user = 'mallory' WHERE id = 2")
        .execute(&mut connection)
        .await
        .unwrap();
    let checked = verify(folder.path());
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&checked.stderr).contains("row 2 is not as it was written"),
        "{checked:?}"
    );
}

#[tokio::test]
async fn a_key_is_named_with_what_it_would_have_been_refused() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let wanted = json!({ "name": "shadow", "scopes": ["read"], "shadow": true });
    let key = json(user.post("/api/flowdeck/v1/keys", wanted).await).await;
    let (id, text) = (key["id"].as_str().unwrap(), key["key"].as_str().unwrap());
    experiment(&app.key(&user.user, text)).await;
    let strange = app.key("", &format!("{text}x")).get("/version").await;
    assert_eq!(strange.status(), StatusCode::UNAUTHORIZED);

    let found = rows(&user, &format!("user={}&key={id}", user.user)).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["way"], &found[0]["status"]), (&json!("key"), &json!(200)));
    assert!(
        found[0]["shadow"].as_str().unwrap().contains("lacks the scope `write`"),
        "{found:?}"
    );
    let refused = at_least(1, &app.admin(), "way=key&status=401").await;
    assert_eq!((&refused[0]["user"], &refused[0]["key"]), (&Value::Null, &Value::Null));

    let files = ["audit.db", "audit.db-wal"].map(|name| std::fs::read(app.folder.path().join(name)).unwrap());
    assert!(
        !files
            .iter()
            .any(|file| file.windows(text.len()).any(|window| window == text.as_bytes()))
    );
}

#[tokio::test]
async fn a_read_by_post_is_no_change() {
    let app = TestApp::start().await;
    let (user, other) = (app.session().await, app.basic().await);
    let id = experiment(&user).await;
    user.post("/api/2.0/mlflow/runs/search", json!({ "experiment_ids": [id] })).await;
    at_least(
        1,
        &user,
        &format!("user={}&route=/2.0/mlflow/runs/search&experiment={id}", user.user),
    )
    .await;
    let changes = rows(&other, &format!("experiment={id}")).await;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["route"], "/2.0/mlflow/experiments/create");
}
