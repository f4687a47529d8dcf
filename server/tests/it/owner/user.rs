//! A user's life: made by a link, reset, deactivated, back again, and deleted with a report.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{V1, apply, body, delete, experiment, get, good, grant, member, post, refused, role};
use crate::app::{Caller, Mlflow, TestApp, fresh};

const PASSWORD: &str = "correct horse battery staple";

/// The token of a link.
fn token(made: &Value) -> String {
    let href = made["link"]["href"].as_str().unwrap_or_else(|| panic!("{made}"));
    href.split_once("/welcome#").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_link_sets_a_password_that_no_owner_knows_and_works_once() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    let (admin, anybody) = (app.admin(), app.anonymous());
    let (name, team) = (fresh("new"), role(&admin).await);
    let made = good(post(&admin, "/users", json!({ "name": name, "roles": [team] })).await).await;
    assert!(
        made["link"]["href"].as_str().unwrap().contains("/services/mlflow/welcome#fdi_"),
        "{made}"
    );
    let token = token(&made);
    let told = get(&admin, &format!("/users/{name}")).await;
    assert_eq!((&told["user"]["invited"], &told["roles"][0]["role"]), (&json!(true), &json!(team)));

    let look = async |token: &str| post(&anybody, "/invites/look", json!({ "token": token })).await;
    let redeem =
        async |token: &str, password: &str| post(&anybody, "/invites/redeem", json!({ "token": token, "password": password })).await;
    let told = good(look(&token).await).await;
    assert_eq!((&told["user"], &told["new"]), (&json!(name), &json!(true)));
    refused(redeem(&token, "short").await, 400, "at least 12").await;
    refused(redeem("fdi_wrong", PASSWORD).await, 401, "ask the owner").await;
    assert_eq!(good(redeem(&token, PASSWORD).await).await["user"], json!(name));
    refused(redeem(&token, PASSWORD).await, 401, "was used").await;
    refused(look(&token).await, 401, "was used").await;
    let person = app.sign_in(&name, PASSWORD).await;
    assert_eq!(get(&person, "/session").await["user"], json!(name));
    assert_eq!(get(&admin, &format!("/users/{name}")).await["user"]["invited"], false);

    // A newer link is the only one.
    let first = good(post(&admin, &format!("/users/{name}/reset"), json!(null)).await).await;
    assert_eq!(person.get(&format!("{V1}/session")).await.status(), 401);
    assert_eq!(app.known(&name, PASSWORD).get(&format!("{V1}/session")).await.status(), 401);
    let second = good(post(&admin, &format!("/users/{name}/reset"), json!(null)).await).await;
    refused(look(&self::token(&first)).await, 401, "was used").await;
    assert_eq!(good(look(&self::token(&second)).await).await["new"], false);

    // Of those who use it at the same moment, one sets the password, and the others learn that it was used.
    let link = self::token(&good(post(&admin, &format!("/users/{name}/reset"), json!(null)).await).await);
    let passwords = [
        "the first of three passwords",
        "the second of three passwords",
        "the third of three passwords",
    ];
    let answers = tokio::join!(
        redeem(&link, passwords[0]),
        redeem(&link, passwords[1]),
        redeem(&link, passwords[2])
    );
    for (answer, password) in [answers.0, answers.1, answers.2].into_iter().zip(passwords) {
        let works = app.known(&name, password).get(&format!("{V1}/session")).await.status() == 200;
        assert_eq!(answer.status(), if works { 200 } else { 401 }, "{password}");
    }

    // Names that cannot be, and one that is taken; half a user is none.
    refused(post(&admin, "/users", json!({ "name": name })).await, 400, "already").await;
    for bad in ["", "a b", "a:b", "é", ".."] {
        refused(post(&admin, "/users", json!({ "name": bad })).await, 400, "`name`").await;
    }
    let half = fresh("half");
    refused(
        post(&admin, "/users", json!({ "name": half, "roles": ["no such role"] })).await,
        400,
        "no role",
    )
    .await;
    assert_eq!(get(&admin, &format!("/users?q={half}")).await["total"], 0);
}

#[tokio::test]
async fn who_guesses_links_waits() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    let mut waits = false;
    for _ in 0..30 {
        let answer = post(&anybody, "/invites/look", json!({ "token": "fdi_guess" })).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            waits = true;
            break;
        }
    }
    assert!(waits);
}

#[tokio::test]
async fn a_deactivated_user_is_out_within_a_second_and_comes_back_with_their_keys() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin(), app.session().await);
    let mine = experiment(&ada, &fresh("mine")).await;
    let key = good(ada.post(&format!("{V1}/keys"), json!({ "name": "job" })).await).await;
    let program = app.key(&ada.user, key["key"].as_str().unwrap());
    let basic = app.known(&ada.user, &ada.password);
    let path = format!("/api/2.0/mlflow/experiments/get?experiment_id={mine}");
    for caller in [&ada, &program, &basic] {
        assert_eq!(caller.get(&path).await.status(), 200);
    }
    let user = format!("/users/{}", ada.user);
    let sessions = get(&admin, &format!("{user}/sessions")).await;
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);

    let start = Instant::now();
    good(post(&admin, &format!("{user}/deactivate"), json!(null)).await).await;
    for caller in [&ada, &program, &basic] {
        assert_eq!(caller.get(&path).await.status(), 401);
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let told = get(&admin, &user).await;
    assert_eq!((&told["user"]["active"], &told["user"]["sessions"]), (&json!(false), &json!(0)));
    let page = get(&admin, &format!("/users?q={}&state=inactive", ada.user)).await;
    assert_eq!(page["total"], 1);
    let why = get(&admin, &format!("/explain?user={}&kind=experiment&id={mine}", ada.user)).await;
    assert_eq!((&why["active"], &why["steps"][0]["why"]), (&json!(false), &json!("inactive")));
    refused(post(&admin, &format!("{user}/reset"), json!(null)).await, 409, "deactivated").await;
    refused(post(&admin, &format!("{user}/deactivate"), json!(null)).await, 409, "already").await;

    let back = good(post(&admin, &format!("{user}/reactivate"), json!(null)).await).await;
    let anybody = app.anonymous();
    let redeem = json!({ "token": token(&back), "password": PASSWORD });
    good(post(&anybody, "/invites/redeem", redeem).await).await;
    assert_eq!(program.get(&path).await.status(), 200);
    app.sign_in(&ada.user, PASSWORD).await;
    assert_eq!(good(delete(&admin, &format!("{user}/sessions")).await).await["ended"], 1);
    refused(delete(&admin, &format!("{user}/sessions/none")).await, 404, "ended already").await;

    // What they had is told before it is gone.
    let (team, bob) = (role(&admin).await, app.basic().await);
    apply(&admin, json!([member(&team, &ada.user, true)])).await;
    let had = get(&admin, &format!("{user}/belongings")).await;
    assert_eq!(
        (&had["manages"][0]["on"]["id"], &had["roles"], &had["keys"]),
        (&json!(mine), &json!([team]), &json!(1))
    );
    apply(
        &admin,
        json!([grant(json!({ "user": bob.user }), "experiment", &mine, None, Some("MANAGE"))]),
    )
    .await;
    assert_eq!(get(&admin, &format!("{user}/belongings")).await["alone"], json!([]));
    assert_eq!(good(delete(&admin, &user).await).await["manages"][0]["on"]["id"], json!(mine));
    assert_eq!(program.get(&path).await.status(), 401);
    refused(admin.get(&format!("{V1}{user}")).await, 404, "no such user").await;
    assert_eq!(get(&admin, &format!("/roles/{team}")).await["members"], json!([]));
    let history = get(&admin, &format!("/changes?user={}", ada.user)).await;
    let history = history["changes"].as_array().unwrap();
    assert_eq!(history[0]["edits"].as_array().unwrap().last().unwrap()["will"], Value::Null);
}

/// MLflow may take anybody away by its own routes, through Flowdeck or past it.
#[tokio::test]
async fn who_gets_a_name_again_gets_nothing_of_who_had_it() {
    let app = TestApp::start().await;
    let admin = app.admin();
    for past_flowdeck in [false, true] {
        let ada = app.session().await;
        let key = good(ada.post(&format!("{V1}/keys"), json!({ "name": "job" })).await).await;
        let program = app.key(&ada.user, key["key"].as_str().unwrap());
        let path = "/api/2.0/mlflow/experiments/get?experiment_id=0";
        assert_eq!(program.get(path).await.status(), 200);

        let (user, password) = (json!({ "username": ada.user }), "another person's password");
        if past_flowdeck {
            let mlflow = Mlflow::shared();
            let delete = reqwest::Client::builder().no_proxy().build().unwrap();
            let delete = delete.delete(mlflow.url.join("/api/2.0/mlflow/users/delete").unwrap());
            good(
                delete
                    .basic_auth("admin", Some(&mlflow.admin_password))
                    .json(&user)
                    .send()
                    .await
                    .unwrap(),
            )
            .await;
            let made = good(post(&admin, "/users", json!({ "name": ada.user })).await).await;
            let redeem = json!({ "token": token(&made), "password": password });
            good(post(&app.anonymous(), "/invites/redeem", redeem).await).await;
        } else {
            let gone = admin.request("DELETE", "/api/2.0/mlflow/users/delete").json(&user).send().await;
            good(gone.unwrap()).await;
            assert_eq!(program.get(path).await.status(), 401);
            let create = json!({ "username": ada.user, "password": password });
            good(admin.post("/api/2.0/mlflow/users/create", create).await).await;
        }
        let other = app.sign_in(&ada.user, password).await;
        assert_eq!(other.get(path).await.status(), 200);
        for caller in [&ada, &program] {
            assert_eq!(caller.get(path).await.status(), 401, "past Flowdeck: {past_flowdeck}");
        }
        let kept = get(&other, "/keys").await;
        assert!(
            kept["keys"].as_array().unwrap().iter().all(|key| key["state"] == "revoked"),
            "{kept}"
        );
    }
}

/// What was done last about a user, taken back: the change that does it.
async fn taken_back(admin: &Caller, user: &str) -> Value {
    let history = get(admin, &format!("/changes?user={user}&limit=1")).await;
    let last = &history["changes"][0];
    assert_eq!(last["can_undo"], true, "{last}");
    let undo = format!("/changes/{}/undo", last["id"].as_str().unwrap());
    let done = good(post(admin, &undo, json!(null)).await).await;
    refused(post(admin, &undo, json!(null)).await, 409, "taken back already").await;
    done
}

#[tokio::test]
async fn a_deletion_is_taken_back_with_grants_roles_and_groups() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin(), app.session().await);
    let mine = experiment(&ada, &fresh("mine")).await;
    let (team, held, group) = (role(&admin).await, role(&admin).await, fresh("group"));
    apply(
        &admin,
        json!([
            member(&team, &ada.user, true),
            { "edit": "group", "group": group, "was": null, "will": { "description": "" } },
            { "edit": "group_role", "group": group, "role": held, "was": false, "will": true },
            { "edit": "group_member", "group": group, "user": ada.user, "was": false, "will": true },
            { "edit": "admin", "user": ada.user, "was": false, "will": true },
        ]),
    )
    .await;
    let user = format!("/users/{}", ada.user);
    let had = get(&admin, &user).await;
    let what = |told: &Value| {
        let grants = told["grants"].as_array().unwrap().iter();
        let grants: Vec<_> = grants.map(|grant| (grant["on"].clone(), grant["level"].clone())).collect();
        (told["user"]["admin"].clone(), grants, told["roles"].clone(), told["groups"].clone())
    };
    assert_eq!(
        (&had["groups"], had["roles"].as_array().unwrap().len(), &had["user"]["admin"]),
        (&json!([group]), 2, &json!(true))
    );

    good(delete(&admin, &user).await).await;
    let gone = &get(&admin, &format!("/changes?user={}&limit=1", ada.user)).await["changes"][0];
    let look = json!({ "edits": [], "undoes": gone["id"] });
    let seen = good(post(&admin, "/changes/preview", look).await).await;
    assert!(
        seen["warnings"][0].as_str().unwrap().contains("made anew, without password"),
        "{seen}"
    );
    assert!(
        seen["gains"]["listed"]
            .as_array()
            .unwrap()
            .iter()
            .any(|gain| gain["on"]["id"] == json!(mine))
    );
    let back = taken_back(&admin, &ada.user).await;
    assert_eq!(what(&get(&admin, &user).await), what(&had));
    // MLflow says so too.
    let theirs = admin.get(&format!("/api/2.0/mlflow/users/get?username={}", ada.user)).await;
    assert_eq!(theirs.json::<Value>().await.unwrap()["user"]["is_admin"], true);
    let link = good(post(&admin, &format!("{user}/reset"), json!(null)).await).await;
    let redeem = json!({ "token": token(&link), "password": PASSWORD });
    good(post(&app.anonymous(), "/invites/redeem", redeem).await).await;
    let again = app.sign_in(&ada.user, PASSWORD).await;
    // Nobody takes themselves away, not even by taking back how they came to be.
    let undo = format!("/changes/{}/undo", back["id"].as_str().unwrap());
    refused(post(&again, &undo, json!(null)).await, 409, "yourself").await;
    assert_eq!(
        again
            .get(&format!("/api/2.0/mlflow/experiments/get?experiment_id={mine}"))
            .await
            .status(),
        200
    );

    // And the taking back is taken back, with all that has come to them since.
    good(post(&admin, &undo, json!(null)).await).await;
    refused(admin.get(&format!("{V1}{user}")).await, 404, "no such user").await;
    assert_eq!(get(&admin, &format!("/roles/{team}")).await["members"], json!([]));
    taken_back(&admin, &ada.user).await;
    assert_eq!(what(&get(&admin, &user).await), what(&had));
    good(delete(&admin, &user).await).await;
}

#[tokio::test]
async fn what_else_became_of_an_account_is_taken_back() {
    let app = TestApp::start().await;
    let (admin, bob) = (app.admin(), app.session().await);
    let user = format!("/users/{}", bob.user);
    good(bob.post(&format!("{V1}/keys"), json!({ "name": "job" })).await).await;
    let path = "/api/2.0/mlflow/experiments/search?max_results=1";
    let now = async || {
        let told = get(&admin, &user).await;
        let keys = get(&admin, &format!("/keys?user={}", bob.user)).await;
        (told["user"]["active"] == true, keys["keys"][0]["state"] == "active")
    };
    good(post(&admin, &format!("{user}/deactivate"), json!(null)).await).await;
    assert_eq!(
        (now().await, bob.get(path).await.status()),
        ((false, false), StatusCode::UNAUTHORIZED)
    );
    taken_back(&admin, &bob.user).await;
    assert_eq!(now().await, (true, true));
    taken_back(&admin, &bob.user).await;
    assert_eq!(now().await, (false, false));

    // What somebody else has changed meanwhile stays as they left it.
    good(post(&admin, &format!("{user}/reactivate"), json!(null)).await).await;
    let told = get(&admin, &format!("/changes?user={}&limit=2", bob.user)).await;
    let before_last = told["changes"][1]["id"].as_str().unwrap();
    let undo = format!("/changes/{before_last}/undo");
    refused(post(&admin, &undo, json!(null)).await, 409, "is active by now").await;
    // A password is not put back.
    good(post(&admin, &format!("{user}/reset"), json!(null)).await).await;
    let told = get(&admin, &format!("/changes?user={}&limit=1", bob.user)).await;
    let undo = format!("/changes/{}/undo", told["changes"][0]["id"].as_str().unwrap());
    refused(post(&admin, &undo, json!(null)).await, 409, "password cannot be put back").await;

    let (robot, name) = (fresh("robot"), fresh("new"));
    for (name, service) in [(&robot, true), (&name, false)] {
        good(post(&admin, "/users", json!({ "name": name, "service": service })).await).await;
        taken_back(&admin, name).await;
        refused(admin.get(&format!("{V1}/users/{name}")).await, 404, "no such user").await;
        taken_back(&admin, name).await;
        assert_eq!(get(&admin, &format!("/users/{name}")).await["user"]["service"], service);
    }
    let key = good(admin.post(&format!("{V1}/keys"), json!({ "name": "job", "user": robot })).await).await;
    assert_eq!(app.key(&robot, key["key"].as_str().unwrap()).get(path).await.status(), 200);
    for name in [&robot, &name] {
        good(delete(&admin, &format!("/users/{name}")).await).await;
    }
}

#[tokio::test]
async fn service_accounts_have_no_link_and_keep_working() {
    let app = TestApp::start().await;
    let (admin, name) = (app.admin(), fresh("robot"));
    let made = good(post(&admin, "/users", json!({ "name": name, "service": true })).await).await;
    assert_eq!(made["link"], Value::Null);
    let key = good(admin.post(&format!("{V1}/keys"), json!({ "name": "job", "user": name })).await).await;
    let program = app.key(&name, key["key"].as_str().unwrap());
    let path = "/api/2.0/mlflow/experiments/search?max_results=1";
    assert_eq!(program.get(path).await.status(), 200);
    let user = format!("/users/{name}");
    good(post(&admin, &format!("{user}/reset"), json!(null)).await).await;
    assert_eq!(program.get(path).await.status(), 200);
    good(post(&admin, &format!("{user}/deactivate"), json!(null)).await).await;
    assert_eq!(program.get(path).await.status(), 401);
    good(post(&admin, &format!("{user}/reactivate"), json!(null)).await).await;
    assert_eq!(program.get(path).await.status(), 200);
    let page = get(&admin, &format!("/users?q={name}&kind=service")).await;
    assert_eq!((&page["users"][0]["service"], &page["users"][0]["keys"]), (&json!(true), &json!(1)));
    good(delete(&admin, &user).await).await;
}

#[tokio::test]
async fn users_are_found_sorted_and_paged() {
    let app = TestApp::start().await;
    let (admin, word) = (app.admin(), fresh("page"));
    let mut names = Vec::new();
    get(&admin, "/users?limit=1").await;
    for number in 0..3 {
        let name = format!("{word}-{number}");
        let body = json!({ "username": name, "password": PASSWORD });
        assert_eq!(admin.post("/api/2.0/mlflow/users/create", body).await.status(), 200);
        names.push(name);
    }
    // Made past Flowdeck, and told where MLflow is asked anew.
    let page = get(&admin, &format!("/users?q={word}&fresh=true")).await;
    assert_eq!(page["total"], 3, "{page}");
    let found = async |query: &str| {
        let page = get(&admin, &format!("/users?q={}&{query}", word.to_uppercase())).await;
        let names = page["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), page["total"].as_u64().unwrap())
    };
    assert_eq!(found("").await, (names.clone(), 3));
    assert_eq!(found("sort=-name&limit=1&offset=1").await, (vec![names[1].clone()], 3));
    app.known(&names[1], PASSWORD).get(&format!("{V1}/session")).await;
    app.sign_in(&names[2], PASSWORD).await;
    let seen = get(&admin, &format!("/users/{}", names[1])).await;
    assert!(seen["user"]["last_seen"].is_number(), "{seen}");
    assert_eq!(found("sort=-sessions&limit=1").await.0, [names[2].clone()]);
    assert_eq!(found("sort=last_seen&limit=1").await.0, [names[0].clone()]);
    refused(admin.get(&format!("{V1}/users?sort=x")).await, 400, "`sort`").await;
    refused(admin.get(&format!("{V1}/users?limit=0")).await, 400, "`limit`").await;
    let page = body(admin.get(&format!("{V1}/users?limit=1")).await).await;
    assert!(page["all"].as_u64() >= Some(4) && page["read_at"].is_number());
}
