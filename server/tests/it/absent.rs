//! What must not be there: files nobody means to serve, secrets in addresses, rights of other origins, fields that a form needs not,
//! people who are gone, and doors that open when something breaks.

use std::{collections::BTreeSet, fs::File};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    app::{Mlflow, TestApp, cookie, fresh},
    audit::{Flowdeck, stand_in},
};

const CURRENT: &str = "/ajax-api/2.0/mlflow/users/current";
const SESSION: &str = "/api/flowdeck/v1/session";

/// Runs one statement in the state database that a Flowdeck is using.
async fn in_database(folder: &std::path::Path, statement: &'static str) {
    let options = SqliteConnectOptions::new().filename(folder.join("flowdeck.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn no_file_but_the_consoles_is_served_and_no_folder_is_listed() {
    let app = TestApp::start().await;
    let user = app.session().await;
    assert_eq!(user.get("/assets/main-0.css").await.status(), StatusCode::OK);
    for path in [
        "/assets",
        "/assets/",
        "/assets/.git/HEAD",
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/app.rs",
        "/assets/..%2fapp.rs",
        "/.git/HEAD",
        "/.git/config",
        "/.env",
        "/.svn/entries",
        "/Cargo.toml",
        "/flowdeck.db",
        "/audit.db",
        "/secret.key",
        "/debug",
        "/debug/pprof/heap",
        "/server-status",
    ] {
        for caller in [&user, &app.anonymous()] {
            let answer = caller.get(path).await;
            let status = answer.status();
            assert!(!status.is_success(), "{path}: {status}");
            let text = answer.text().await.unwrap();
            for told in ["main-0.css</", "[core]", "ref: refs", "[workspace]", "SQLite format", "TestApp"] {
                assert!(!text.contains(told), "{path}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_secret_in_an_address_is_none() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let key: Value = user
        .post("/api/flowdeck/v1/keys", json!({ "name": "a" }))
        .await
        .json()
        .await
        .unwrap();
    let key = key["key"].as_str().unwrap();
    assert_eq!(app.key(&user.user, key).get(CURRENT).await.status(), StatusCode::OK);
    for field in ["access_token", "api_key", "apikey", "key", "token", "x-api-key", "authorization"] {
        let answer = app.anonymous().get(&format!("{CURRENT}?{field}={key}")).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{field}");
    }
    let password = user.password.replace(' ', "%20");
    let page = app.anonymous().get(&format!("/login?name={}&password={password}", user.user)).await;
    assert_eq!((page.status(), cookie(&page)), (StatusCode::OK, None));
    let page = page.text().await.unwrap();
    assert!(!page.contains(&user.password) && !page.contains(&password), "{page}");
}

#[tokio::test]
async fn another_origin_is_given_no_right() {
    let app = TestApp::start().await;
    let user = app.session().await;
    for path in [
        CURRENT,
        SESSION,
        "/api/flowdeck/v1/openapi.json",
        "/login?why=out",
        "/health",
        "/assets/main-0.css",
        "/none",
    ] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let request = user.request_bare(method.as_str(), path).header("origin", "https://evil.example");
            let request = request
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization");
            let answer = request.send().await.unwrap();
            let given: Vec<_> = answer
                .headers()
                .keys()
                .filter(|name| name.as_str().starts_with("access-control-"))
                .collect();
            assert!(given.is_empty(), "{method} {path}: {given:?}");
        }
    }
}

/// The `<input>` tags of a page, but for the search that each has.
fn inputs(page: &str) -> Vec<&str> {
    let tags = page.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
    tags.filter(|tag| !tag.contains("type=\"search\"")).collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let value = tag.split(&format!(" {name}=\"")).nth(1);
    value.and_then(|value| value.split('"').next()).unwrap_or_default()
}

/// No hints and no questions; passwords are hidden, and a password manager knows which is which.
#[tokio::test]
async fn a_form_asks_for_what_it_needs_and_hides_passwords() {
    let app = TestApp::start().await;
    let user = app.session().await;
    for (path, expected) in [
        ("/login?why=out", &["name", "next", "password"][..]),
        ("/account", &["current", "new", "repeat", "username"]),
        ("/welcome", &["new", "repeat", "username"]),
    ] {
        let page = user.get(path).await.text().await.unwrap();
        let tags = inputs(&page);
        let names: BTreeSet<_> = tags.iter().map(|tag| attribute(tag, "name")).collect();
        assert!(names.iter().eq(expected.iter()), "{path}: {names:?}");
        for tag in tags {
            let (name, kind, fill) = (attribute(tag, "name"), attribute(tag, "type"), attribute(tag, "autocomplete"));
            match name {
                "password" | "current" => assert_eq!((kind, fill), ("password", "current-password"), "{tag}"),
                "new" | "repeat" => assert_eq!((kind, fill), ("password", "new-password"), "{tag}"),
                "name" | "username" => assert_eq!(fill, "username", "{tag}"),
                _ => assert_eq!(kind, "hidden", "{tag}"),
            }
            assert!(!tag.contains("onpaste") && !tag.contains("maxlength"), "{tag}");
        }
    }
}

#[tokio::test]
async fn a_password_is_taken_as_it_is_typed() {
    let app = TestApp::start().await;
    let long = "Long enough ".repeat(12);
    for (password, wrong) in [
        ("  Spaces at both ends  ", ["Spaces at both ends", "  spaces at both ends  "]),
        (&long, [long.trim(), &long[..72]]),
    ] {
        let name = fresh("typed");
        let wanted = json!({ "username": name, "password": password });
        let made = app.admin().post("/api/2.0/mlflow/users/create", wanted).await;
        assert_eq!(made.status(), StatusCode::OK, "{}", made.text().await.unwrap());
        for wrong in wrong {
            let answer = app.anonymous().form("/login", &[("name", &name), ("password", wrong)]).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong:?}");
        }
        let session = app.sign_in(&name, password).await;
        assert_eq!(session.get(CURRENT).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn whoever_is_gone_is_out() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let key: Value = session
        .post("/api/flowdeck/v1/keys", json!({ "name": "a" }))
        .await
        .json()
        .await
        .unwrap();
    let key = app.key(&session.user, key["key"].as_str().unwrap());
    for caller in [&session, &key] {
        assert_eq!(caller.get(CURRENT).await.status(), StatusCode::OK);
    }
    let deleting = app.admin().request("DELETE", "/api/2.0/mlflow/users/delete");
    let deleted = deleting.json(&json!({ "username": session.user })).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::OK);
    for caller in [&session, &key] {
        assert_eq!(caller.get(CURRENT).await.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(caller.get(SESSION).await.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn sessions_of_others_are_ended_by_owners_alone() {
    let app = TestApp::start().await;
    let first = app.session().await;
    let second = app.sign_in(&first.user, &first.password).await;
    let stranger = app.session().await;
    let owner = app.sign_in("admin", &Mlflow::shared().admin_password).await;
    let path = format!("/api/flowdeck/v1/users/{}/sessions", first.user);
    let end = async |caller: &crate::app::Caller| caller.request("DELETE", &path).send().await.unwrap();
    assert_eq!(end(&stranger).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(end(&app.anonymous()).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(first.get(SESSION).await.status(), StatusCode::OK);
    let ended = end(&owner).await;
    assert_eq!(ended.status(), StatusCode::OK);
    assert_eq!(ended.json::<Value>().await.unwrap(), json!({ "ended": 2 }));
    for ended in [&first, &second] {
        assert_eq!(ended.get(SESSION).await.status(), StatusCode::UNAUTHORIZED);
    }
    for other in [&stranger, &owner] {
        assert_eq!(other.get(SESSION).await.status(), StatusCode::OK);
    }
    // One's own: with the password, and not because one has a session.
    let again = app.sign_in(&first.user, &first.password).await;
    assert_eq!(end(&again).await.status(), StatusCode::FORBIDDEN);
    let own = "/api/flowdeck/v1/users/admin/sessions";
    for path in [own.to_owned(), format!("{own}/any")] {
        let refused = owner.request("DELETE", &path).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(owner.get(SESSION).await.status(), StatusCode::OK);
    let basic = app.known(&first.user, &first.password);
    assert_eq!(end(&basic).await.json::<Value>().await.unwrap(), json!({ "ended": 1 }));
    assert_eq!(again.get(SESSION).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_password_does_not_wear_out() {
    let app = TestApp::before(stand_in(Default::default()).await, &[]).await;
    let session = app.sign_in("admin", "secret").await;
    in_database(app.folder.path(), "UPDATE vault SET updated_at = 0").await;
    app.state.vault.forget_unused(i64::from(u32::MAX), i64::MAX).await.unwrap();
    assert_eq!(session.get(CURRENT).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn while_sessions_cannot_be_read_nobody_comes_in() {
    let app = TestApp::before(stand_in(Default::default()).await, &[]).await;
    let session = app.sign_in("admin", "secret").await;
    assert_eq!(session.get(SESSION).await.status(), StatusCode::OK);
    in_database(app.folder.path(), "ALTER TABLE session RENAME TO away").await;
    for path in [SESSION, CURRENT, "/experiments"] {
        let status = session.get(path).await.status();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    in_database(app.folder.path(), "ALTER TABLE away RENAME TO session").await;
    assert_eq!(session.get(SESSION).await.status(), StatusCode::OK);
}

/// What MLflow has made already is taken back.
#[tokio::test]
async fn a_service_account_that_cannot_be_kept_is_not_made() {
    let app = TestApp::start().await;
    let (owner, name) = (app.admin(), fresh("service"));
    in_database(app.folder.path(), "ALTER TABLE service_account RENAME TO away").await;
    let answer = owner.post("/api/flowdeck/v1/service-accounts", json!({ "name": name })).await;
    assert!(answer.status().is_server_error(), "{}", answer.status());
    let path = format!("/api/2.0/mlflow/users/get?username={name}");
    assert_eq!(owner.get(&path).await.status(), StatusCode::NOT_FOUND);
    in_database(app.folder.path(), "ALTER TABLE away RENAME TO service_account").await;
    let answer = owner.post("/api/flowdeck/v1/service-accounts", json!({ "name": name })).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(owner.get(&path).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_breaks_is_logged_under_its_id_and_told_as_nothing() {
    let (data, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = logs.path().join("log");
    let upstream = stand_in(Default::default()).await;
    let mut command = Flowdeck::command(data.path(), &upstream);
    let flowdeck = Flowdeck::ready(command.stderr(File::create(&log).unwrap())).await;
    in_database(data.path(), "ALTER TABLE api_key RENAME TO away").await;
    let request = reqwest::Client::new()
        .post(format!("{}/api/flowdeck/v1/keys", flowdeck.origin))
        .basic_auth("admin", Some("very secret"));
    let answer = request.json(&json!({ "name": "a" })).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let id = answer.headers()["request-id"].to_str().unwrap().to_owned();
    let told = answer.text().await.unwrap();
    assert!(
        told.contains("something went wrong in Flowdeck") && !told.contains("api_key"),
        "{told}"
    );
    let said = std::fs::read_to_string(&log).unwrap();
    let line = said.lines().find(|line| line.contains(&id)).expect("a line of that id");
    assert!(line.contains("ERROR") && line.contains("api_key"), "{line}");
    assert!(!said.contains("very secret") && !said.contains(" at server/src"), "{said}");

    // And nowhere else.
    let files = std::fs::read_dir(data.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let known = |name: &String| {
        let stem = name.trim_end_matches("-wal").trim_end_matches("-shm");
        ["audit.db", "cache.db", "flowdeck.db", "secret.key"].contains(&stem) || name.ends_with("lock")
    };
    let others: Vec<_> = files.filter(|name| !known(name)).collect();
    assert!(others.is_empty(), "{others:?}");
}
