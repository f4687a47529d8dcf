//! Who was an owner a moment ago is not asked for at each page; who is none any more finds that out at once through Flowdeck, and within
//! seconds where it was done past it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{V1, apply, body, delete, experiment, flaky::Flaky, get, good, grant, post, refused};
use crate::app::{Caller, Mlflow, TestApp, fresh};

/// As long as MLflow's word counts, and a moment.
const LONGEST: Duration = Duration::from_secs(8);

/// Another administrator, with a session.
async fn owner(app: &TestApp, admin: &Caller) -> Caller {
    let bob = app.basic().await;
    apply(admin, json!([admin_edit(&bob, true)])).await;
    app.sign_in(&bob.user, &bob.password).await
}

fn admin_edit(of: &Caller, will: bool) -> Value {
    json!({ "edit": "admin", "user": of.user, "was": !will, "will": will })
}

async fn status(caller: &Caller, path: &str) -> u16 {
    caller.get(&format!("{V1}{path}")).await.status().as_u16()
}

/// Whether the pages of the console have a link to those for owners.
async fn is_led_to_admin(caller: &Caller) -> bool {
    let page = caller.get("/account").await.text().await.unwrap();
    page.contains(r#"href="/admin""#)
}

#[tokio::test]
async fn who_is_demoted_in_mlflow_reads_for_a_few_seconds_more_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let bob = owner(&app, &admin).await;
    let id = experiment(&admin, &fresh("e")).await;
    assert_eq!(status(&bob, "/users").await, 200);

    let mlflow = tokio::task::spawn_blocking(Mlflow::shared).await.unwrap();
    let demoted = reqwest::Client::new()
        .patch(mlflow.url.join("/api/2.0/mlflow/users/update-admin").unwrap())
        .basic_auth(&admin.user, Some(&admin.password))
        .json(&json!({ "username": bob.user, "is_admin": false }))
        .send();
    assert!(demoted.await.unwrap().status().is_success());
    let since = Instant::now();
    let ada = app.basic().await;
    let role = grant(json!({ "user": ada.user }), "experiment", &id, None, Some("MANAGE"));
    assert_ne!(post(&bob, "/changes", json!({ "edits": [role], "reason": "" })).await.status(), 201);
    refused(
        post(&bob, &format!("/users/{}/deactivate", ada.user), json!(null)).await,
        403,
        "owners",
    )
    .await;
    refused(post(&bob, "/users", json!({ "name": fresh("x") })).await, 403, "owners").await;
    while status(&bob, "/users").await != 403 {
        assert!(since.elapsed() < LONGEST, "they read it still");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for path in [
        "/roles",
        "/groups",
        "/changes",
        "/rules",
        "/access/matrix",
        "/overview",
        "/health/history",
    ] {
        assert_eq!(status(&bob, path).await, 403, "{path}");
    }
}

#[tokio::test]
async fn who_is_demoted_put_out_or_signed_out_through_flowdeck_reads_nothing_more() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let bob = owner(&app, &admin).await;
    assert!(is_led_to_admin(&bob).await, "since they signed in");
    for _ in 0..2 {
        assert_eq!(status(&bob, "/users").await, 200);
    }
    apply(&admin, json!([admin_edit(&bob, false)])).await;
    assert!(!is_led_to_admin(&bob).await);
    assert_eq!(status(&bob, "/users").await, 403);
    assert!(!is_led_to_admin(&bob).await);
    apply(&admin, json!([admin_edit(&bob, true)])).await;
    assert_eq!(status(&bob, "/users").await, 200);
    assert!(is_led_to_admin(&bob).await);
    // By MLflow's own route, through Flowdeck.
    let wish = json!({ "username": bob.user, "is_admin": false });
    let demoted = admin.request("PATCH", "/api/2.0/mlflow/users/update-admin").json(&wish).send();
    good(demoted.await.unwrap()).await;
    assert_eq!(status(&bob, "/users").await, 403);

    let eve = owner(&app, &admin).await;
    assert_eq!(status(&eve, "/users").await, 200);
    good(delete(&admin, &format!("/users/{}/sessions", eve.user)).await).await;
    assert_eq!(status(&eve, "/users").await, 401);
    let eve = app.sign_in(&eve.user, &eve.password).await;
    assert_eq!(status(&eve, "/users").await, 200);
    good(post(&admin, &format!("/users/{}/deactivate", eve.user), json!(null)).await).await;
    assert_eq!(status(&eve, "/users").await, 401);

    let ada = owner(&app, &admin).await;
    assert_eq!(status(&ada, "/users").await, 200);
    ada.form("/logout", &[]).await;
    assert_eq!(status(&ada, "/users").await, 401);
}

#[tokio::test]
async fn an_owner_is_told_what_flowdeck_knows_while_mlflow_is_away() {
    let (flaky, url) = Flaky::start().await;
    let app = TestApp::before(url, &[]).await;
    let admin = app.admin();
    let (bob, reader) = (owner(&app, &admin).await, app.session().await);
    assert_eq!((status(&bob, "/users").await, status(&reader, "/users").await), (200, 403));
    flaky.go_away();
    let start = Instant::now();
    let told = body(bob.get(&format!("{V1}/overview")).await).await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!((&told["mlflow_up"], told["sessions"].as_i64()), (&json!(false), Some(2)), "{told}");
    assert!(told["mlflow_down_since"].is_i64() && told["disk"].is_array(), "{told}");
    assert!(told["people"]["read_at"].is_i64(), "as it was read last: {told}");
    assert_eq!(get(&bob, "/health/history").await["step_ms"], 60_000);
    let own = ["/keys?all=true", "/service-accounts", "/settings"];
    for path in own {
        assert_eq!(status(&bob, path).await, 200, "{path}");
    }
    // Who was none is not told, nor is a name that anybody could say.
    for path in ["/overview", "/health/history"].into_iter().chain(own) {
        assert!(matches!(status(&reader, path).await, 403 | 502), "{path}");
        assert!(matches!(status(&app.known(&bob.user, "wrong"), path).await, 401 | 502), "{path}");
        assert_eq!(status(&app.anonymous(), path).await, 401, "{path}");
    }
    // What needs MLflow's word is refused when it is no longer remembered.
    let since = Instant::now();
    while status(&bob, "/users").await == 200 {
        assert!(since.elapsed() < LONGEST);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
