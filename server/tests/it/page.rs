//! Pages as a browser without JavaScript gets them: status, headers, and what can be read.

use reqwest::{Response, StatusCode, Url};
use serde_json::{Value, json};

use crate::app::{Caller, TestApp, fresh};

async fn experiment(caller: &Caller, name: &str) -> String {
    let answer = caller.post("/api/2.0/mlflow/experiments/create", json!({ "name": name })).await;
    let answer: Value = answer.json().await.unwrap();
    answer["experiment_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn policy(answer: &Response) -> String {
    answer.headers()["content-security-policy"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_experiments_are_named_before_any_script_runs() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    let user = app.session().await;
    let name = fresh("vision/resnet/named <in> HTML & escaped");
    experiment(&user, &name).await;
    let page = user.get("/experiments?folder=vision%2Fresnet").await;
    assert_eq!(page.status(), StatusCode::OK);
    let html = page.text().await.unwrap();
    assert!(html.ends_with("</html>"), "the document is whole");
    let body = html.split("<script").next().unwrap().to_owned() + html.split("</head>").nth(1).unwrap();
    assert!(body.contains("&lt;in&gt; HTML &amp; escaped"), "{body}");
    assert!(
        html.contains(r#"href="/services/mlflow/experiments/"#) && !html.contains(r#"href="/experiments/"#),
        "links carry the base path"
    );
}

#[tokio::test]
async fn what_is_not_there_is_told_with_its_status() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let owner = app.sign_in("admin", &crate::app::Mlflow::shared().admin_password).await;
    assert_eq!(user.get("/no/such/page").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(owner.get("/experiments/987654321").await.status(), StatusCode::NOT_FOUND);
    let run = "0123456789abcdef0123456789abcdef";
    assert_eq!(owner.get(&format!("/runs/{run}")).await.status(), StatusCode::NOT_FOUND);
    // MLflow tells nobody but an owner which runs exist.
    assert_eq!(user.get(&format!("/runs/{run}")).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_denied_is_told_with_its_status() {
    let app = TestApp::start().await;
    let (owner, user) = (app.admin(), app.session().await);
    let id = experiment(&owner, &fresh("secret")).await;
    let grant = json!({ "username": user.user, "resource_type": "experiment", "resource_id": id, "permission": "DENY" });
    assert_eq!(
        owner.post("/api/3.0/mlflow/users/permissions/grant", grant).await.status(),
        StatusCode::OK
    );
    let page = user.get(&format!("/experiments/{id}")).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert!(!page.text().await.unwrap().contains("secret-"));
}

#[tokio::test]
async fn pages_go_out_when_mlflow_is_stopped() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let cookie = user.cookie();
    // The same sessions and vault before an address where nobody listens.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stopped = app.again_before(Url::parse(&format!("http://{closed}")).unwrap()).await;
    let page = stopped
        .anonymous()
        .request("GET", "/experiments")
        .header("cookie", cookie)
        .send()
        .await
        .unwrap();
    assert!(
        [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE].contains(&page.status()),
        "{}",
        page.status()
    );
    let html = page.text().await.unwrap();
    assert!(html.ends_with("</html>") && html.contains("MLflow"), "{html}");
}

#[tokio::test]
async fn scripts_run_only_with_the_nonce_of_their_answer() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let mut nonces = Vec::new();
    for path in ["/experiments", "/experiments", "/login?why=out", "/no/such/page"] {
        let page = user.get(path).await;
        let policy = policy(&page);
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert!(policy.contains("object-src") || policy.contains("default-src 'none'"), "{policy}");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let html = page.text().await.unwrap();
        for script in html.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(&format!(r#"nonce="{nonce}""#)), "{path}: <script{tag}>");
        }
        assert!(!html.contains(" style=\"") && !html.contains(" onclick="), "{path}");
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 4, "a nonce is used once");
}

/// The page knows nothing of whom a link is for: its script asks.
#[tokio::test]
async fn where_a_link_leads_is_for_everybody() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    for caller in [app.anonymous(), app.session().await] {
        let page = caller.get("/welcome").await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.headers()["cache-control"].to_str().unwrap().contains("no-store"));
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
        let policy = policy(&page);
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"),
            "{policy}"
        );
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let html = page.text().await.unwrap();
        for script in html.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(
                tag.contains(&format!(r#"nonce="{nonce}""#)) && !tag.contains("src="),
                "<script{tag}>"
            );
        }
        assert!(html.contains("This page needs JavaScript"), "{html}");
        assert!(
            html.contains(r#"data-base="/services/mlflow""#) && html.contains(r#"href="/services/mlflow/login""#),
            "{html}"
        );
    }
    let root = reqwest::get(format!("http://{}/welcome", app.address)).await.unwrap();
    assert_eq!(root.status(), StatusCode::NOT_FOUND);

    let login = app.anonymous().get("/login?name=ada%22%3E").await.text().await.unwrap();
    assert!(login.contains(r#"value="ada&quot;&gt;""#), "{login}");
}

#[tokio::test]
async fn the_owner_says_who_may_frame_the_console() {
    let app = TestApp::with(&["--frame-ancestors", "'self' https://portal.example.org"]).await;
    let page = app.anonymous().get("/login").await;
    assert!(
        policy(&page).ends_with("frame-ancestors 'self' https://portal.example.org"),
        "{}",
        policy(&page)
    );
}

#[tokio::test]
async fn every_answer_is_hardened() {
    let app = TestApp::start().await;
    let user = app.session().await;
    for path in [
        "/experiments",
        "/login?why=out",
        "/health",
        "/assets/none",
        "/api/2.0/mlflow/none",
        "/ajax-api/2.0/mlflow/users/current",
        "/api/flowdeck/v1/session",
        "/api/flowdeck/v1/keys",
    ] {
        let answer = user.get(path).await;
        assert!(answer.headers()["cache-control"].to_str().unwrap().contains("no-store"), "{path}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers()["referrer-policy"], "same-origin", "{path}");
        assert!(answer.headers().contains_key("content-security-policy"), "{path}");
        assert!(answer.headers().contains_key("request-id"), "{path}");
    }
}

#[tokio::test]
async fn files_are_kept_for_ever_under_their_hash_only() {
    let app = TestApp::start().await;
    let login = app.anonymous().get("/login").await.text().await.unwrap();
    let style = login.split(r#"rel="stylesheet" href=""#).nth(1).unwrap().split('"').next().unwrap();
    let kept = app.anonymous().get(style).await;
    assert_eq!(kept.status(), StatusCode::OK);
    assert_eq!(kept.headers()["cache-control"], "public, max-age=31536000, immutable");
    let module = app.anonymous().get("/assets/runs-0.wasm").await;
    assert_eq!(module.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(module.headers()["content-type"], "application/wasm");
    let list = app.anonymous().get("/assets/manifest.json").await;
    assert_eq!(list.headers()["cache-control"], "no-cache");
    let gone = app.anonymous().get("/assets/main-1.css").await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert!(!gone.headers().contains_key("cache-control") || gone.headers()["cache-control"] != "public, max-age=31536000, immutable");
}

#[tokio::test]
async fn only_the_base_path_is_served() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    let root = |path: &str| {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
            .get(format!("http://{}{path}", app.address))
            .send()
    };
    assert_eq!(root("/experiments").await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(root("/services/mlflowX/login").await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(
        root("/health").await.unwrap().status(),
        StatusCode::OK,
        "a load balancer asks at the root"
    );
    let bare = root("/services/mlflow?a=b").await.unwrap();
    assert_eq!(bare.headers()["location"], "/services/mlflow/?a=b");
}
