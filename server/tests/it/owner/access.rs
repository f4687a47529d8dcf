//! Who has access to one thing, also as somebody who manages it and is no administrator; the matrix; files of grants; settings.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{V1, apply, experiment, get, good, grant, held, member, model, post, refused, role};
use crate::app::{TestApp, fresh};

const LONG: Duration = Duration::from_secs(60);

fn person<'a>(told: &'a Value, user: &str) -> &'a Value {
    let people = told["people"].as_array().unwrap();
    people
        .iter()
        .find(|person| person["user"] == user)
        .unwrap_or_else(|| panic!("{user}: {told}"))
}

#[tokio::test]
async fn who_has_access_is_told_with_what_it_comes_from() {
    let app = TestApp::start().await;
    let (admin, ada, bob, eve) = (app.admin(), app.basic().await, app.basic().await, app.basic().await);
    let (id, team) = (experiment(&ada, &fresh("who")).await, role(&admin).await);
    apply(
        &admin,
        json!([
            grant(json!({ "role": team }), "experiment", &id, None, Some("EDIT")),
            member(&team, &bob.user, true),
            grant(json!({ "user": eve.user }), "experiment", &id, None, Some("DENY")),
        ]),
    )
    .await;
    let path = format!("/access?kind=experiment&id={id}");
    let told = get(&admin, &path).await;
    let says = |user: &str| {
        let person = person(&told, user);
        (person["level"].clone(), person["source"].clone(), person["direct"].clone())
    };
    assert_eq!(says(&ada.user), (json!("MANAGE"), json!("direct"), json!("MANAGE")));
    assert_eq!(says(&bob.user), (json!("EDIT"), json!("role"), Value::Null));
    assert_eq!(says(&eve.user), (json!("DENY"), json!("direct"), json!("DENY")));
    assert_eq!(says("admin"), (json!("MANAGE"), json!("admin"), Value::Null));
    assert_eq!((&told["complete"], &told["default"]), (&json!(true), &json!("READ")));
    assert_eq!(
        told["roles"][0],
        json!({ "role": team, "direct": "EDIT", "all": null, "members": 1 })
    );
    let plain = app.basic().await;
    app.state.index.touch();
    let all = get(&admin, &format!("{path}&everyone=true&q={}", plain.user)).await;
    assert_eq!(
        (&all["people"][0]["level"], &all["people"][0]["source"]),
        (&json!("READ"), &json!("default"))
    );

    // Who manages it sees direct grants, and changes them as far as MLflow lets them.
    let told = get(&ada, &path).await;
    assert_eq!((&told["complete"], &told["may_manage"]), (&json!(false), &json!(true)));
    assert_eq!(person(&told, &eve.user)["direct"], "DENY");
    let edits = json!([
        grant(json!({ "user": eve.user }), "experiment", &id, Some("DENY"), Some("READ")),
        grant(json!({ "user": plain.user }), "experiment", &id, None, Some("EDIT")),
    ]);
    let preview = good(post(&ada, "/changes/preview", json!({ "edits": edits })).await).await;
    assert_eq!(preview["gains"]["count"], 2, "{preview}");
    assert_eq!(apply(&ada, edits).await["by"], json!(ada.user));
    assert_eq!(held(&admin, &eve.user).await, [("experiment".into(), id.clone(), "READ".into())]);
    let elsewhere = experiment(&admin, &fresh("other")).await;
    let edits = json!([
        grant(json!({ "user": plain.user }), "experiment", &id, Some("EDIT"), None),
        grant(json!({ "user": plain.user }), "experiment", &elsewhere, None, Some("EDIT")),
    ]);
    refused(post(&ada, "/changes", json!({ "edits": edits })).await, 403, "nothing was changed").await;
    assert_eq!(held(&admin, &plain.user).await, [("experiment".into(), id.clone(), "EDIT".into())]);
    let of_role = json!([grant(json!({ "role": team }), "experiment", &id, Some("EDIT"), None)]);
    refused(post(&ada, "/changes", json!({ "edits": of_role })).await, 403, "only owners").await;
    refused(bob.get(&format!("{V1}{path}")).await, 403, "only who may manage it").await;
}

#[tokio::test]
async fn the_matrix_is_told_in_parts() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin(), app.basic().await);
    let (word, team) = (fresh("matrix"), role(&admin).await);
    let one = experiment(&admin, &format!("{word}/one")).await;
    let two = experiment(&admin, &format!("{word}/two")).await;
    model(&admin, &format!("{word}-model"), false).await;
    apply(
        &admin,
        json!([
            grant(json!({ "role": team }), "experiment", &two, None, Some("EDIT")),
            grant(json!({ "user": ada.user }), "experiment", &one, None, Some("DENY")),
            member(&team, &ada.user, true),
        ]),
    )
    .await;
    app.state.index.touch();
    let part = async |rest: &str| get(&admin, &format!("/access/matrix?columns={word}&{rest}")).await;
    // Where MLflow takes long, what was known before is told until it has answered.
    let known = async {
        loop {
            let told = part(&format!("rows={}", ada.user)).await;
            if told["columns_total"] == 3 {
                return told;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let told = timeout(LONG, known).await.expect("both experiments and the model are columns");
    let row = |told: &Value, name: &str| {
        let rows = told["rows"].as_array().unwrap().iter();
        let mut found = rows.filter(|row| row["subject"]["user"] == name || row["subject"]["role"] == name);
        found.next().unwrap_or_else(|| panic!("{name}: {told}")).clone()
    };
    let of_ada = row(&told, &ada.user);
    assert_eq!((&of_ada["levels"], &of_ada["grants"]), (&json!("DER"), &json!("D--")));
    let of_team = row(&part(&format!("subjects=roles&rows={team}")).await, &team);
    assert_eq!((&of_team["levels"], &of_team["grants"]), (&json!("-E-"), &json!("-E-")));
    let narrow = part(&format!("kind=experiment&column=1&width=1&rows={}", ada.user)).await;
    assert_eq!(
        (&narrow["columns"][0]["on"]["id"], &narrow["columns_total"]),
        (&json!(two), &json!(2))
    );
    assert_eq!(narrow["rows"][0]["levels"], "E");
    refused(admin.get(&format!("{V1}/access/matrix?width=501")).await, 400, "`width`").await;
}

#[tokio::test]
async fn a_file_of_grants_is_read_as_edits_and_written_again() {
    let app = TestApp::start().await;
    let (admin, ada, name) = (app.admin(), app.basic().await, fresh("csv/one"));
    let id = experiment(&admin, &name).await;
    app.state.index.touch();
    let file = format!(
        "user,resource_type,resource,permission\n{},experiment,{name},EDIT\nnobody,experiment,1,READ\n",
        ada.user
    );
    let read = good(post(&admin, "/access/import", json!({ "csv": file })).await).await;
    assert_eq!(
        (&read["faults"][0]["line"], &read["edits"][0]["on"]["id"]),
        (&json!(3), &json!(id)),
        "{read}"
    );
    assert!(held(&admin, &ada.user).await.is_empty());
    apply(&admin, read["edits"].clone()).await;
    assert_eq!(held(&admin, &ada.user).await.len(), 1);
    let written = admin.get(&format!("{V1}/access/export")).await;
    assert_eq!(written.headers()["content-type"], "text/csv; charset=utf-8");
    let line = format!("{},experiment,{name},EDIT\r\n", ada.user);
    assert!(written.text().await.unwrap().contains(&line));
    let read = good(post(&admin, "/access/import", json!({ "csv": line })).await).await;
    assert_eq!((&read["edits"], &read["unchanged"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn a_setting_holds_at_once_and_the_second_of_two_is_told() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let set = async |name: &str, value: Value, version: u64| {
        let body = json!({ "value": value, "version": version });
        admin
            .request("PATCH", &format!("{V1}/settings/{name}"))
            .json(&body)
            .send()
            .await
            .unwrap()
    };
    let told = get(&admin, "/settings").await;
    let rate = told["settings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|setting| setting["name"] == "user_calls")
        .unwrap();
    assert_eq!(
        (&rate["live"], &rate["value"], &rate["version"]),
        (&json!(true), &json!("32"), &json!(0))
    );
    let set_once = good(set("user_calls", json!("5"), 0).await).await;
    assert_eq!((&set_once["source"], &set_once["changed_by"]), (&json!("here"), &json!("admin")));
    assert_eq!(app.state.limits.config().user_calls.get(), 5);
    refused(set("user_calls", json!("6"), 0).await, 409, "meanwhile").await;
    refused(set("user_calls", json!("0"), 1).await, 400, "`value`").await;
    refused(set("base_path", json!("/x"), 0).await, 404, "no setting").await;
    let back = good(set("user_calls", Value::Null, 1).await).await;
    assert_eq!((&back["value"], app.state.limits.config().user_calls.get()), (&json!("32"), 32));
    let history = get(&admin, "/settings").await["history"].clone();
    assert_eq!((&history[0]["was"], &history[1]["will"]), (&json!("5"), &json!("5")));
}

#[tokio::test]
async fn the_overview_has_figures_of_now() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin(), app.session().await);
    let id = experiment(&ada, &fresh("busy")).await;
    for _ in 0..12 {
        ada.get(&format!("/api/2.0/mlflow/experiments/get?experiment_id={id}")).await;
    }
    app.state.index.touch();
    // What only reads is written down a moment later.
    let start = Instant::now();
    let told = loop {
        let told = get(&admin, "/overview").await;
        if !told["slowest_routes"].as_array().unwrap().is_empty() {
            break told;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{told}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(
        (&told["mlflow_up"], &told["people"]["default"], &told["sessions"]),
        (&json!(true), &json!("READ"), &json!(1)),
        "{told}"
    );
    assert!(told["people"]["experiments_by_day"][29].as_u64() > Some(0), "{told}");
    let named = |list: &str, name: &str| {
        told[list]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["name"] == name || one["on"]["id"] == name)
    };
    assert!(named("busiest_users", &ada.user) && named("busiest_experiments", &id), "{told}");
}
