//! Changes: tried out, made all or none, told apart from what somebody else has done, taken back, and gone on with after MLflow was away.

use serde_json::{Value, json};
use server::admin::{journal, rule};

use super::{
    V1, apply, delete, experiment,
    flaky::{ALL, Flaky},
    get, good, grant, held, member, post, refused, role,
};
use crate::app::{Mlflow, TestApp, fresh};

fn direct(user: &str) -> Value {
    json!({ "user": user })
}

#[tokio::test]
async fn edits_are_made_all_or_none_and_taken_back() {
    let app = TestApp::start().await;
    let (admin, ada, bob) = (app.admin(), app.basic().await, app.basic().await);
    let (one, two) = (experiment(&admin, &fresh("e")).await, experiment(&admin, &fresh("e")).await);
    let team = role(&admin).await;
    let edits = json!([
        grant(direct(&ada.user), "experiment", &one, None, Some("EDIT")),
        grant(json!({ "role": team }), "experiment", &two, None, Some("DENY")),
        member(&team, &bob.user, true),
    ]);

    // Tried out, nothing is changed.
    let preview = good(post(&admin, "/changes/preview", json!({ "edits": edits })).await).await;
    assert_eq!(
        (&preview["gains"]["count"], &preview["losses"]["count"]),
        (&json!(1), &json!(1)),
        "{preview}"
    );
    let gain = &preview["gains"]["listed"][0];
    assert_eq!(
        (&gain["user"], &gain["was"], &gain["will"]),
        (&json!(ada.user), &json!("READ"), &json!("EDIT"))
    );
    let loss = &preview["losses"]["listed"][0];
    assert_eq!(
        (&loss["user"], &loss["on"]["id"], &loss["will"]),
        (&json!(bob.user), &json!(two), &json!("DENY"))
    );
    assert!(held(&admin, &ada.user).await.is_empty());

    let change = apply(&admin, edits.clone()).await;
    assert_eq!((&change["state"], &change["by"]), (&json!("applied"), &json!("admin")));
    assert_eq!(held(&admin, &ada.user).await, [("experiment".into(), one.clone(), "EDIT".into())]);
    let two_path = format!("/api/2.0/mlflow/experiments/get?experiment_id={two}");
    assert_eq!(bob.get(&two_path).await.status(), 403);

    // Who has seen it as it was before is told, and changes nothing.
    refused(
        post(&admin, "/changes", json!({ "edits": edits })).await,
        409,
        "has EDIT on experiment",
    )
    .await;
    let stale = json!([grant(direct(&ada.user), "experiment", &one, Some("READ"), Some("MANAGE"))]);
    refused(
        post(&admin, "/changes", json!({ "edits": stale })).await,
        409,
        "Nothing was changed",
    )
    .await;
    let preview = good(post(&admin, "/changes/preview", json!({ "edits": stale })).await).await;
    assert_eq!(preview["conflicts"][0]["edit"], 0);

    // The level of a grant changes at one stroke; MLflow's own client sees it.
    apply(
        &admin,
        json!([grant(direct(&ada.user), "experiment", &one, Some("EDIT"), Some("MANAGE"))]),
    )
    .await;
    assert_eq!(held(&admin, &ada.user).await, [("experiment".into(), one.clone(), "MANAGE".into())]);

    // What was changed since is not overwritten by taking back what came before.
    let undo = format!("/changes/{}/undo", change["id"].as_str().unwrap());
    refused(post(&admin, &undo, json!(null)).await, 409, "has MANAGE").await;
    apply(
        &admin,
        json!([grant(direct(&ada.user), "experiment", &one, Some("MANAGE"), Some("EDIT"))]),
    )
    .await;
    // First looked at, which changes nothing.
    let way_back = json!({ "edits": [], "undoes": change["id"] });
    let seen = good(post(&admin, "/changes/preview", way_back.clone()).await).await;
    assert_eq!((&seen["conflicts"], &seen["refused"]), (&json!([]), &Value::Null), "{seen}");
    assert!(seen["losses"]["people"].as_u64() > Some(0), "{seen}");
    assert!(!held(&admin, &ada.user).await.is_empty());
    refused(post(&ada, "/changes/preview", way_back.clone()).await, 403, "owners").await;
    refused(post(&admin, "/changes", way_back).await, 400, "`undoes`").await;
    let both = json!({ "edits": [grant(direct(&ada.user), "experiment", &one, None, Some("READ"))], "undoes": change["id"] });
    refused(post(&admin, "/changes/preview", both).await, 400, "not both").await;
    let undone = good(post(&admin, &undo, json!(null)).await).await;
    assert_eq!(undone["undoes"], change["id"]);
    assert!(held(&admin, &ada.user).await.is_empty());
    assert_eq!(bob.get(&two_path).await.status(), 200);
    refused(post(&admin, &undo, json!(null)).await, 409, "taken back already").await;

    let told = get(&admin, &format!("/changes?user={}", ada.user)).await;
    let states: Vec<&Value> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["undone_by"])
        .collect();
    assert_eq!(states.len(), 4, "{told}");
    assert_eq!(*states[3], undone["id"]);
    let page = get(&admin, &format!("/changes?role={team}&limit=1")).await;
    assert_eq!(page["changes"][0]["id"], undone["id"]);
    let named = page["names"].as_array().unwrap().iter().find(|named| named["on"]["id"] == *one);
    assert!(named.unwrap()["name"].as_str().unwrap().starts_with("e-"), "{page}");
    let next = page["next"].as_str().unwrap();
    let page = get(&admin, &format!("/changes?role={team}&limit=1&before={next}")).await;
    assert_eq!(page["changes"][0]["id"], change["id"]);
}

#[tokio::test]
async fn who_manages_a_thing_takes_back_their_own_change_and_nobody_elses() {
    let app = TestApp::start().await;
    let (admin, manager, ada) = (app.admin(), app.basic().await, app.basic().await);
    let id = experiment(&manager, &fresh("e")).await;
    let undo = |change: &Value| format!("/changes/{}/undo", change["id"].as_str().unwrap());
    let own = apply(&manager, json!([grant(direct(&ada.user), "experiment", &id, None, Some("EDIT"))])).await;
    refused(post(&ada, &undo(&own), json!(null)).await, 403, "administrators").await;
    good(post(&manager, &undo(&own), json!(null)).await).await;
    assert!(held(&admin, &ada.user).await.is_empty());
    let others = apply(&admin, json!([grant(direct(&ada.user), "experiment", &id, None, Some("READ"))])).await;
    refused(post(&manager, &undo(&others), json!(null)).await, 403, "administrators").await;
}

#[tokio::test]
async fn a_deleted_role_comes_back_whole() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin(), app.basic().await);
    let id = experiment(&admin, &fresh("e")).await;
    let team = role(&admin).await;
    apply(
        &admin,
        json!([
            grant(json!({ "role": team }), "experiment", &id, None, Some("EDIT")),
            member(&team, &ada.user, true),
        ]),
    )
    .await;
    let other = fresh("role");
    apply(&admin, json!([{ "edit": "role_name", "was": team, "will": other }])).await;
    let gone = json!([{ "edit": "role", "role": other, "was": { "description": "" }, "will": null }]);
    let change = apply(&admin, gone).await;
    assert_eq!(change["edits"].as_array().unwrap().len(), 3, "{change}");
    refused(admin.get(&format!("{V1}/roles/{other}")).await, 404, "no such role").await;
    good(post(&admin, &format!("/changes/{}/undo", change["id"].as_str().unwrap()), json!(null)).await).await;
    let told = get(&admin, &format!("/roles/{other}")).await;
    assert_eq!(
        (&told["members"][0]["user"], &told["grants"][0]["level"]),
        (&json!(ada.user), &json!("EDIT"))
    );
    let edit = ada
        .post(
            "/api/2.0/mlflow/experiments/set-experiment-tag",
            json!({ "experiment_id": id, "key": "k", "value": "v" }),
        )
        .await;
    assert_eq!(edit.status(), 200);
    let listed = get(&admin, &format!("/roles?q={other}&sort=-members")).await;
    assert_eq!((&listed["total"], &listed["roles"][0]["members"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn who_is_in_a_group_has_its_roles_as_long_as_they_are() {
    let app = TestApp::start().await;
    let (admin, ada, bob) = (app.admin(), app.basic().await, app.basic().await);
    let (team, lab, crew) = (role(&admin).await, fresh("lab"), fresh("crew"));
    let new = |group: &str| json!({ "edit": "group", "group": group, "was": null, "will": { "description": "people" } });
    let of =
        |group: &str, user: &str, will: bool| json!({ "edit": "group_member", "group": group, "user": user, "was": !will, "will": will });
    let gives = |group: &str, will: bool| json!({ "edit": "group_role", "group": group, "role": team, "was": !will, "will": will });
    // Bob had the role before, and keeps it.
    apply(&admin, json!([member(&team, &bob.user, true)])).await;
    let made = apply(
        &admin,
        json!([
            new(&lab),
            new(&crew),
            of(&lab, &ada.user, true),
            of(&lab, &bob.user, true),
            gives(&lab, true),
            gives(&crew, true)
        ]),
    )
    .await;
    assert_eq!(made["edits"].as_array().unwrap().len(), 7, "{made}");
    let has = async |user: &str| {
        let told = get(&admin, &format!("/users/{user}")).await;
        told["roles"].as_array().unwrap().iter().any(|role| role["role"] == json!(team))
    };
    assert!(has(&ada.user).await && has(&bob.user).await);
    let told = get(&admin, &format!("/users/{}", ada.user)).await;
    assert_eq!((&told["groups"], &told["roles"][0]["groups"]), (&json!([lab]), &json!([lab])));

    // Taken away elsewhere, it is told as drift.
    let own = good(admin.get("/api/3.0/mlflow/roles/list").await).await;
    let id = own["roles"]
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["name"] == json!(team))
        .unwrap()["id"]
        .clone();
    let body = json!({ "username": ada.user, "role_id": id });
    let taken = admin
        .request("DELETE", "/api/3.0/mlflow/roles/unassign")
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(taken.status(), 200);
    app.state.index.touch();
    let told = get(&admin, &format!("/groups/{lab}")).await;
    assert_eq!(told["drift"], json!([{ "user": ada.user, "role": team }]));
    apply(&admin, json!([member(&team, &ada.user, true)])).await;

    apply(
        &admin,
        json!([of(&crew, &ada.user, true), of(&lab, &ada.user, false), of(&lab, &bob.user, false)]),
    )
    .await;
    assert!(has(&ada.user).await && has(&bob.user).await);
    let gone = json!([{ "edit": "group", "group": crew, "was": { "description": "people" }, "will": null }]);
    let gone = apply(&admin, gone).await;
    // By hand it was given back, so it does not go with the group.
    assert!(has(&ada.user).await);
    good(post(&admin, &format!("/changes/{}/undo", gone["id"].as_str().unwrap()), json!(null)).await).await;
    assert_eq!(get(&admin, &format!("/groups/{crew}")).await["members"], json!([ada.user]));
}

#[tokio::test]
async fn a_rule_follows_names_and_tells_what_was_changed_by_hand() {
    let app = TestApp::start().await;
    let (ada, team) = (app.basic().await, fresh("team"));
    // Who has signed in can be acted for.
    let admin = app.sign_in("admin", &Mlflow::shared().admin_password).await;
    let crew = role(&admin).await;
    apply(&admin, json!([member(&crew, &ada.user, true)])).await;
    let first = experiment(&admin, &format!("{team}/first")).await;
    app.state.index.touch();
    let wish = |level: &str, version: Value| json!({ "kind": "experiment", "pattern": format!("{team}/*"), "role": crew, "level": level, "version": version });
    let made = good(post(&admin, "/rules", wish("EDIT", json!(null))).await).await;
    assert_eq!(
        (&made["rule"]["counts"]["kept"], &made["produced"][0]["on"]["id"]),
        (&json!(1), &json!(first)),
        "{made}"
    );
    let path = format!("/rules/{}", made["rule"]["id"].as_str().unwrap());
    let may_edit = async |id: &str| {
        let body = json!({ "experiment_id": id, "key": "k", "value": "v" });
        ada.post("/api/2.0/mlflow/experiments/set-experiment-tag", body).await.status() == 200
    };
    assert!(may_edit(&first).await);

    // A new one, and one that moves away, are followed without anybody.
    let second = experiment(&admin, &format!("{team}/second")).await;
    let moved = json!({ "experiment_id": first, "new_name": fresh("elsewhere") });
    assert_eq!(admin.post("/api/2.0/mlflow/experiments/update", moved).await.status(), 200);
    app.state.index.touch();
    assert!(!may_edit(&second).await);
    rule::keep_all(&app.state).await.unwrap();
    assert!(may_edit(&second).await && !may_edit(&first).await);

    // What is changed by hand is told, and repaired only where that is asked for.
    apply(
        &admin,
        json!([grant(json!({ "role": crew }), "experiment", &second, Some("EDIT"), None)]),
    )
    .await;
    rule::keep_all(&app.state).await.unwrap();
    let told = get(&admin, &path).await;
    assert_eq!(
        (&told["rule"]["counts"]["drifted"], &told["produced"][0]["state"]),
        (&json!(1), &json!("drifted")),
        "{told}"
    );
    assert!(!may_edit(&second).await);
    good(post(&admin, &format!("{path}/keep"), json!({ "repair": true })).await).await;
    assert!(may_edit(&second).await);

    let patch = async |body: Value| admin.request("PATCH", &format!("{V1}{path}")).json(&body).send().await.unwrap();
    refused(patch(wish("READ", json!(7))).await, 409, "meanwhile").await;
    refused(patch(wish("READ", json!(null))).await, 400, "version").await;
    good(patch(wish("READ", told["rule"]["version"].clone())).await).await;
    assert!(!may_edit(&second).await);
    assert_eq!(delete(&admin, &path).await.status(), 200);
    assert_eq!(get(&admin, &format!("/roles/{crew}")).await["grants"], json!([]));
    refused(admin.get(&format!("{V1}{path}")).await, 404, "no such rule").await;
    let bad = json!({ "kind": "run", "pattern": "*", "role": crew, "level": "READ" });
    refused(post(&admin, "/rules", bad).await, 400, "`kind`").await;
}

#[tokio::test]
async fn a_step_that_fails_takes_the_others_back() {
    let (flaky, url) = Flaky::start().await;
    let app = TestApp::before(url, &[]).await;
    let (admin, ada) = (app.admin(), app.basic().await);
    let (one, team) = (experiment(&admin, &fresh("e")).await, role(&admin).await);
    let edits = json!([
        grant(direct(&ada.user), "experiment", &one, None, Some("EDIT")),
        grant(json!({ "role": team }), "experiment", &one, None, Some("EDIT")),
        member(&team, &ada.user, true),
    ]);
    flaky.fail_after(2, 403, ALL);
    refused(
        post(&admin, "/changes", json!({ "edits": edits })).await,
        502,
        "taking it back failed",
    )
    .await;
    // Not even that was possible: as soon as it is, it is done.
    flaky.fail_after(ALL, 403, 0);
    assert!(!held(&admin, &ada.user).await.is_empty());
    let told = get(&admin, "/changes?limit=1").await;
    assert_eq!(told["changes"][0]["state"], "interrupted", "{told}");
    let id = told["changes"][0]["id"].as_str().unwrap();
    let change = good(post(&admin, &format!("/changes/{id}/resume"), json!(null)).await).await;
    assert_eq!(change["state"], "reverted", "{change}");
    assert!(held(&admin, &ada.user).await.is_empty());
    assert_eq!(get(&admin, &format!("/roles/{team}")).await["grants"], json!([]));

    // Where it is possible, it is done at once.
    for (status, answer, part) in [
        (403, 403, "does not allow"),
        (404, 409, "not there any more"),
        (500, 502, "answered 500"),
    ] {
        flaky.fail_after(2, status, 1);
        let failed = post(&admin, "/changes", json!({ "edits": edits })).await;
        refused(failed, answer, part).await;
        assert!(held(&admin, &ada.user).await.is_empty());
    }
    let told = get(&admin, "/changes?limit=1").await;
    assert_eq!(told["changes"][0]["state"], "reverted");
    assert_eq!(apply(&admin, edits).await["state"], "applied");
}

#[tokio::test]
async fn a_change_goes_on_when_mlflow_is_back() {
    let (flaky, url) = Flaky::start().await;
    let app = TestApp::before(url, &[]).await;
    let ada = app.basic().await;
    let admin = app.sign_in("admin", &Mlflow::shared().admin_password).await;
    let (one, two) = (experiment(&admin, &fresh("e")).await, experiment(&admin, &fresh("e")).await);
    let edits = json!([
        grant(direct(&ada.user), "experiment", &one, None, Some("EDIT")),
        grant(direct(&ada.user), "experiment", &two, None, Some("EDIT")),
    ]);
    flaky.fail_after(1, 503, ALL);
    refused(post(&admin, "/changes", json!({ "edits": edits })).await, 502, "interrupted").await;
    assert_eq!(held(&admin, &ada.user).await.len(), 1);
    assert_eq!(get(&admin, "/overview").await["interrupted"].as_array().unwrap().len(), 1);
    // Still away.
    journal::resume_all(&app.state).await.unwrap();
    assert_eq!(held(&admin, &ada.user).await.len(), 1);
    flaky.fail_after(ALL, 503, 0);
    journal::resume_all(&app.state).await.unwrap();
    assert_eq!(held(&admin, &ada.user).await.len(), 2);
    let told = get(&admin, &format!("/changes?user={}", ada.user)).await;
    assert_eq!(
        (&told["changes"][0]["state"], &told["changes"][0]["trouble"]),
        (&json!("applied"), &Value::Null)
    );
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let app = TestApp::start().await;
    let admin = app.admin();
    // Others may have made administrators: none of them, and not oneself, is left.
    let all = get(&admin, "/users?kind=admin&limit=200").await;
    let edits: Vec<Value> = all["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| json!({ "edit": "admin", "user": user["name"], "was": true, "will": false }))
        .collect();
    let wish = json!({ "edits": edits });
    let preview = good(post(&admin, "/changes/preview", wish.clone()).await).await;
    assert!(preview["refused"].as_str().unwrap().contains("last administrator"), "{preview}");
    refused(post(&admin, "/changes", wish).await, 409, "last administrator").await;
    // Nor by MLflow's own route.
    let body = json!({ "username": "admin", "is_admin": false });
    let own = admin
        .request("PATCH", "/api/2.0/mlflow/users/update-admin")
        .json(&body)
        .send()
        .await
        .unwrap();
    refused(own, 409, "last administrator").await;
    let (yourself, deactivate) = (format!("{V1}/users/admin"), format!("{V1}/users/admin/deactivate"));
    let kept = admin.request("DELETE", &yourself).send().await.unwrap();
    assert_eq!(kept.status(), 409);
    assert_eq!(admin.post(&deactivate, json!(null)).await.status(), 409);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_number() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin(), app.basic().await);
    for (edit, part) in [
        (
            grant(direct("nobody"), "experiment", "1", None, Some("READ")),
            "there is no user nobody",
        ),
        (
            grant(json!({ "role": "none" }), "experiment", "1", None, Some("READ")),
            "no role none",
        ),
        (grant(direct(&ada.user), "run", "1", None, Some("READ")), "on all of them"),
        (grant(direct(&ada.user), "workspace", "*", None, Some("USE")), "roles only"),
        (grant(direct(&ada.user), "experiment", "", None, Some("READ")), "`id`"),
        (
            json!({ "edit": "role", "role": "__user_1__", "was": null, "will": {} }),
            "does not begin with",
        ),
        (json!({ "edit": "role", "role": "a/b", "was": null, "will": {} }), "no slash"),
        (
            json!({ "edit": "group_member", "group": "none", "user": "admin", "was": false, "will": true }),
            "no group none",
        ),
        (
            json!({ "edit": "account", "user": "admin", "was": null, "will": null }),
            "routes of their own",
        ),
        (json!({ "edit": "grant", "to": { "user": "admin" } }), "on"),
        (json!({ "edit": "planet" }), "planet"),
    ] {
        refused(post(&admin, "/changes", json!({ "edits": [edit] })).await, 400, part).await;
    }
    refused(post(&admin, "/changes", json!({ "edits": [] })).await, 400, "nothing to change").await;
    // Letters are counted, not bytes.
    let reason = |letters| json!({ "edits": [], "reason": "я".repeat(letters) });
    refused(post(&admin, "/changes", reason(500)).await, 400, "nothing to change").await;
    refused(post(&admin, "/changes", reason(501)).await, 400, "at most 500").await;
    for half in ["kind=experiment", "id=1"] {
        let all = admin.get(&format!("{V1}/changes?{half}")).await;
        refused(all, 400, "without the other").await;
    }
    let many: Vec<Value> = (0..2001).map(|_| member("none", "admin", true)).collect();
    refused(post(&admin, "/changes", json!({ "edits": many })).await, 400, "at most 2000").await;
}
