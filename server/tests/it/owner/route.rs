//! Every route of the owner's rooms and everybody who may call it: refused or let through as MLflow itself does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{V1, body, experiment, get, good};
use crate::app::{Caller, TestApp, fresh};

/// Whom a route is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum For {
    /// Administrators of MLflow.
    Owners,
    /// Whoever may manage the experiment that it is asked about.
    Managers,
    Everybody,
    /// Who has a link; a token that is none is refused.
    Links,
}

struct Row {
    method: &'static str,
    path: &'static str,
    body: Value,
    query: String,
    is_for: For,
}

/// With names of nobody, so that nothing is changed.
fn table(managed: &str) -> Vec<Row> {
    let row = |method, path, body: Value, is_for| Row {
        method,
        path,
        body,
        query: String::new(),
        is_for,
    };
    let on = json!({ "kind": "experiment", "id": managed });
    // Refused by MLflow itself to who does not manage it; to who does, since it finds what is not there.
    let edits = json!({ "edits": [{ "edit": "grant", "to": { "user": "admin" }, "on": on, "was": "USE", "will": "USE" }] });
    let rule = json!({ "kind": "experiment", "pattern": "none", "role": "none", "level": "READ", "version": 1 });
    let wish = json!({ "value": "x", "version": 0 });
    let asked = |mut row: Row| {
        row.query = format!("?kind=experiment&id={managed}");
        row
    };
    let none = || Value::Null;
    vec![
        row("GET", "/users", none(), For::Owners),
        row("POST", "/users", json!({ "name": "" }), For::Owners),
        row("GET", "/users/{name}", none(), For::Owners),
        row("DELETE", "/users/{name}", none(), For::Owners),
        row("GET", "/users/{name}/belongings", none(), For::Owners),
        row("POST", "/users/{name}/reset", none(), For::Owners),
        row("POST", "/users/{name}/deactivate", none(), For::Owners),
        row("POST", "/users/{name}/reactivate", none(), For::Owners),
        row("GET", "/users/{name}/sessions", none(), For::Owners),
        row("DELETE", "/users/{name}/sessions", none(), For::Owners),
        row("DELETE", "/users/{name}/sessions/{id}", none(), For::Owners),
        row("POST", "/invites/look", json!({ "token": "" }), For::Links),
        row("POST", "/invites/redeem", json!({ "token": "", "password": "" }), For::Links),
        row("GET", "/roles", none(), For::Owners),
        row("GET", "/roles/{name}", none(), For::Owners),
        row("GET", "/groups", none(), For::Owners),
        row("GET", "/groups/{name}", none(), For::Owners),
        asked(row("GET", "/access", none(), For::Managers)),
        row("GET", "/access/matrix", none(), For::Owners),
        row("GET", "/access/own", none(), For::Everybody),
        row("GET", "/access/export", none(), For::Owners),
        row("POST", "/access/import", json!({ "csv": "" }), For::Owners),
        asked(row("GET", "/explain", none(), For::Everybody)),
        row("POST", "/changes/preview", edits.clone(), For::Everybody),
        row("POST", "/changes", edits, For::Everybody),
        row("GET", "/changes", none(), For::Owners),
        row("GET", "/changes/{id}", none(), For::Owners),
        row("POST", "/changes/{id}/undo", none(), For::Owners),
        row("POST", "/changes/{id}/resume", none(), For::Owners),
        row("GET", "/rules", none(), For::Owners),
        row("POST", "/rules", rule.clone(), For::Owners),
        row("GET", "/rules/{id}", none(), For::Owners),
        row("PATCH", "/rules/{id}", rule, For::Owners),
        row("DELETE", "/rules/{id}", none(), For::Owners),
        row("POST", "/rules/{id}/keep", none(), For::Owners),
        row("GET", "/overview", none(), For::Owners),
        row("GET", "/settings", none(), For::Owners),
        row("PATCH", "/settings/{name}", wish, For::Owners),
    ]
}

/// The operations that the OpenAPI document tells of these rooms.
async fn documented(app: &TestApp) -> BTreeSet<String> {
    let document = get(&app.anonymous(), "/openapi.json").await;
    let rooms = ["Users", "Roles", "Groups", "Access", "Changes", "Rules", "Overview", "Settings"];
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if rooms.iter().any(|room| operation["tags"][0] == *room) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found
}

#[tokio::test]
async fn each_route_is_for_whom_mlflow_would_let_through() {
    let app = TestApp::start().await;
    let (admin, user, manager) = (app.admin(), app.session().await, app.session().await);
    let managed = experiment(&manager, &fresh("managed")).await;
    let table = table(&managed);
    let rows: BTreeSet<String> = table.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    assert_eq!(rows, documented(&app).await);

    let key = async |of: &Caller, settings: Value| {
        let mut wish = json!({ "name": "a key" });
        wish.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let made = good(of.post(&format!("{V1}/keys"), wish).await).await;
        app.key(&of.user, made["key"].as_str().unwrap())
    };
    let scoped = |scope: &str| json!({ "scopes": [scope] });
    let narrowed = json!({ "scopes": ["admin"], "experiments": [managed] });
    // Who it is, whether the caller gets that far at all, is an owner, and manages the experiment.
    let callers = [
        ("an administrator", app.known(&admin.user, &admin.password), true, true, true),
        ("a session", user, true, false, false),
        ("a manager", app.sign_in(&manager.user, &manager.password).await, true, false, true),
        ("a manager's read key", key(&manager, scoped("read")).await, false, false, true),
        ("a manager's write key", key(&manager, scoped("write")).await, false, false, true),
        ("a manager's admin key", key(&manager, scoped("admin")).await, true, false, true),
        ("an administrator's read key", key(&admin, scoped("read")).await, false, true, true),
        (
            "an administrator's write key",
            key(&admin, scoped("write")).await,
            false,
            true,
            true,
        ),
        ("an administrator's admin key", key(&admin, scoped("admin")).await, true, true, true),
        ("an administrator's narrowed key", key(&admin, narrowed).await, false, true, true),
    ];
    for row in &table {
        let path = format!("{V1}{}{}", row.path.replace(['{', '}'], "~"), row.query);
        let call = async |caller: &Caller| {
            let answer = caller.request(row.method, &path).json(&row.body).send().await.unwrap();
            (answer.status().as_u16(), body(answer).await)
        };
        let (status, told) = call(&app.anonymous()).await;
        assert_eq!(status, 401, "anonymous {} {path}: {told}", row.method);
        for (name, caller, reaches, owns, manages) in &callers {
            let passes = match row.is_for {
                // Who shows a key or a session is nobody in particular here.
                For::Links => false,
                For::Owners => *reaches && *owns,
                For::Managers => *reaches && (*owns || *manages),
                For::Everybody => *reaches,
            };
            let answer = caller.request(row.method, &path).json(&row.body).send().await.unwrap();
            let status = answer.status().as_u16();
            let refused = match row.is_for {
                // Too many that are none make their address wait.
                For::Links => matches!(status, 401 | 429),
                _ => status == 403,
            };
            let context = || format!("{name} {} {path}: {status}", row.method);
            if row.path == "/access/export" && passes {
                assert_eq!(status, 200, "{}", context());
                continue;
            }
            let told = body(answer).await;
            assert_eq!(!refused, passes, "{} {told}", context());
        }
    }

    // What MLflow itself answers to a question that is for administrators only.
    for (name, caller, _, owns, _) in callers.iter().filter(|(_, _, reaches, ..)| *reaches) {
        let status = caller.get("/api/3.0/mlflow/roles/list").await.status().as_u16();
        assert_eq!(status, if *owns { 200 } else { 403 }, "{name}");
    }
}
