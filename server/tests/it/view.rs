//! Named views before a real MLflow: where they are offered, to whom, and who may change them.

use futures::StreamExt as _;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::app::{Caller, TestApp, fresh};

const VIEWS: &str = "/api/flowdeck/v1/views";

async fn json(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"))
}

async fn refused(answer: Response, status: u16, part: &str) {
    let was = answer.status().as_u16();
    let sentence = json(answer).await["message"].as_str().unwrap_or_default().to_owned();
    assert!(
        was == status && sentence.contains(part),
        "{was} {sentence}, expected {status} …{part}…"
    );
}

async fn make(caller: &Caller, wanted: Value) -> Value {
    let answer = caller.post(VIEWS, wanted).await;
    assert_eq!(answer.status(), StatusCode::CREATED, "{:?}", answer.text().await);
    json(answer).await
}

async fn change(caller: &Caller, view: &Value, wanted: Value) -> Response {
    let path = format!("{VIEWS}/{}", view["id"].as_str().unwrap());
    caller.request("PATCH", &path).json(&wanted).send().await.unwrap()
}

async fn delete(caller: &Caller, view: &Value) -> Response {
    let path = format!("{VIEWS}/{}", view["id"].as_str().unwrap());
    caller.request("DELETE", &path).send().await.unwrap()
}

/// The names of the views that are offered, and the name of the one to open with.
async fn offered(caller: &Caller, experiment: &str) -> (Vec<String>, Option<String>) {
    let told = json(caller.get(&format!("{VIEWS}?experiment={experiment}")).await).await;
    let views = told["views"].as_array().unwrap_or_else(|| panic!("{told}"));
    let name = |view: &Value| view["name"].as_str().unwrap().to_owned();
    let default = views.iter().find(|view| view["id"] == told["default"]).map(name);
    (views.iter().map(name).collect(), default)
}

async fn experiment(caller: &Caller, name: &str) -> String {
    let made = caller.post("/api/2.0/mlflow/experiments/create", json!({ "name": name })).await;
    json(made).await["experiment_id"].as_str().unwrap().to_owned()
}

async fn allow(app: &TestApp, user: &str, experiment: &str, permission: &str) {
    let wanted = json!({ "username": user, "resource_type": "experiment", "resource_id": experiment, "permission": permission });
    let answer = app.admin().post("/api/3.0/mlflow/users/permissions/grant", wanted).await;
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
}

#[tokio::test]
async fn views_are_offered_at_their_place_to_their_owner_and_shared_ones_to_all() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.session().await, app.session().await);
    let team = fresh("team");
    let here = experiment(&alice, &format!("{team}/vision/{}", fresh("e"))).await;
    let beside = experiment(&alice, &format!("{team}/{}", fresh("e"))).await;
    let words = [fresh("near"), fresh("folder"), fresh("wide"), fresh("secret")];
    let [near, folder, wide, secret] = &words;
    let vision = json!({ "folder": format!("{team}/vision") });
    make(
        &alice,
        json!({ "name": near, "state": "q=1", "place": { "experiment": here }, "shared": true }),
    )
    .await;
    make(&alice, json!({ "name": folder, "place": vision, "shared": true })).await;
    make(&alice, json!({ "name": wide, "shared": true })).await;
    make(&alice, json!({ "name": secret, "place": { "experiment": here } })).await;

    // Others share views that are offered everywhere: only these are looked at.
    let among = |(names, _): (Vec<String>, _)| names.into_iter().filter(|name| words.contains(name)).collect::<Vec<_>>();
    assert_eq!(among(offered(&alice, &here).await), [folder, near, secret, wide].map(String::clone));
    assert_eq!(among(offered(&bob, &here).await), [folder, near, wide].map(String::clone));
    assert_eq!(among(offered(&bob, &beside).await), std::slice::from_ref(wide));
    let own = json(alice.get(VIEWS).await).await;
    assert_eq!(own["views"].as_array().unwrap().len(), 4);
    assert_eq!(json(bob.get(VIEWS).await).await["views"], json!([]));

    // An experiment that moves takes nothing along: its new folder counts.
    let moved = json!({ "experiment_id": here, "new_name": fresh("elsewhere") });
    assert_eq!(
        alice.post("/api/2.0/mlflow/experiments/update", moved).await.status(),
        StatusCode::OK
    );
    assert_eq!(among(offered(&bob, &here).await), [near, wide].map(String::clone));
}

#[tokio::test]
async fn who_may_not_read_the_experiment_is_told_of_no_view() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.session().await, app.session().await);
    let team = fresh("team");
    let id = experiment(&alice, &format!("{team}/{}", fresh("e"))).await;
    allow(&app, &mallory.user, &id, "DENY").await;
    let view = make(&alice, json!({ "name": "ours", "place": { "experiment": id }, "shared": true })).await;

    let nothing = "no such experiment, or MLflow does not let you read it";
    refused(mallory.get(&format!("{VIEWS}?experiment={id}")).await, 404, nothing).await;
    refused(mallory.get(&format!("{VIEWS}?experiment=999999999")).await, 404, nothing).await;
    let mine = json!({ "name": "mine", "place": { "experiment": id }, "shared": true });
    refused(mallory.post(VIEWS, mine).await, 404, nothing).await;
    let in_folder = json!({ "name": "mine", "place": { "folder": team }, "shared": true });
    refused(mallory.post(VIEWS, in_folder).await, 404, "no experiment in this folder").await;
    // With a wildcard of MLflow's for a name, neither.
    let wildcard = json!({ "name": "mine", "place": { "folder": "%" }, "shared": true });
    refused(mallory.post(VIEWS, wildcard).await, 404, "no experiment in this folder").await;
    refused(delete(&mallory, &view).await, 404, "no such view of yours").await;
    refused(
        change(&mallory, &view, json!({ "name": "x", "version": 1 })).await,
        404,
        "no such view of yours",
    )
    .await;
    refused(app.anonymous().get(VIEWS).await, 401, "sign in").await;
    let wrong = app.known(&alice.user, "wrong password");
    refused(wrong.get(&format!("{VIEWS}?experiment={id}")).await, 401, "does not know").await;
    refused(wrong.get(VIEWS).await, 401, "does not know").await;
    refused(mallory.get(&format!("{VIEWS}?all=true")).await, 403, "only owners").await;
}

#[tokio::test]
async fn of_two_who_change_a_view_the_second_is_told() {
    let app = TestApp::start().await;
    let alice = app.session().await;
    let view = make(&alice, json!({ "name": "a", "state": "x=1" })).await;
    let first = change(&alice, &view, json!({ "state": "x=2", "version": 1 })).await;
    assert_eq!(json(first).await["version"], 2);
    refused(change(&alice, &view, json!({ "name": "b", "version": 1 })).await, 409, "meanwhile").await;
    refused(change(&alice, &view, json!({ "name": "b" })).await, 400, "version").await;
    let second = json(change(&alice, &view, json!({ "name": "b", "version": 2 })).await).await;
    assert_eq!((second["name"].as_str(), second["state"].as_str()), (Some("b"), Some("x=2")));

    // What is deleted can be made again from what was told.
    let deleted = json(delete(&alice, &view).await).await;
    refused(delete(&alice, &view).await, 404, "no such view").await;
    let fields = ["name", "state", "place", "shared", "default_for", "owner"];
    let wanted = fields.map(|field| (field.to_owned(), deleted[field].clone()));
    let again = make(&alice, Value::Object(wanted.into_iter().collect())).await;
    assert_eq!((&again["name"], &again["state"]), (&second["name"], &second["state"]));
}

#[tokio::test]
async fn ones_own_default_counts_before_everyones_which_editors_set() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.session().await, app.session().await);
    let id = experiment(&alice, &fresh("e")).await;
    let place = json!({ "experiment": id });
    let everyone = |name: &str| json!({ "name": name, "place": place, "shared": true, "default_for": "everyone" });
    refused(bob.post(VIEWS, everyone("bobs")).await, 403, "those who may edit").await;
    refused(
        alice
            .post(VIEWS, json!({ "name": "x", "place": place, "default_for": "everyone" }))
            .await,
        400,
        "not shared",
    )
    .await;
    refused(
        alice
            .post(VIEWS, json!({ "name": "x", "shared": true, "default_for": "everyone" }))
            .await,
        403,
        "owners of this MLflow",
    )
    .await;
    let teams = make(&alice, everyone("teams")).await;
    assert_eq!(offered(&bob, &id).await.1.as_deref(), Some("teams"));
    make(&bob, json!({ "name": "mine", "place": place, "default_for": "owner" })).await;
    assert_eq!(offered(&bob, &id).await.1.as_deref(), Some("mine"));

    // A new default of everyone's takes the place of the old one, which stays its owner's.
    allow(&app, &bob.user, &id, "EDIT").await;
    make(&bob, everyone("newer")).await;
    assert_eq!(offered(&bob, &id).await.1.as_deref(), Some("newer"));
    assert_eq!(offered(&app.basic().await, &id).await.1.as_deref(), Some("newer"));
    assert_eq!(offered(&alice, &id).await.1.as_deref(), Some("teams"));
    // What its owner has open is out of date then, and does not take the place back.
    refused(change(&alice, &teams, json!({ "name": "x", "version": 1 })).await, 409, "meanwhile").await;
}

#[tokio::test]
async fn owners_look_after_the_views_of_others() {
    let app = TestApp::start().await;
    let (alice, bob, admin) = (app.session().await, app.session().await, app.admin());
    let view = make(&alice, json!({ "name": fresh("a"), "shared": true })).await;
    let all = json(admin.get(&format!("{VIEWS}?all=true")).await).await;
    assert!(all["views"].as_array().unwrap().iter().any(|other| other["id"] == view["id"]));
    let changed = json(change(&admin, &view, json!({ "shared": false, "version": 1 })).await).await;
    assert_eq!((&changed["owner"], &changed["shared"]), (&json!(alice.user), &json!(false)));
    let deleted = json(delete(&admin, &view).await).await;
    let again = json!({ "name": deleted["name"], "owner": deleted["owner"] });
    refused(bob.post(VIEWS, again.clone()).await, 403, "only owners").await;
    assert_eq!(make(&admin, again).await["owner"], json!(alice.user));
}

#[tokio::test]
async fn views_are_bounded_and_bad_wishes_refused_by_field() {
    let app = TestApp::start().await;
    let alice = app.basic().await;
    for (wanted, part) in [
        (json!({}), "`name`"),
        (json!({ "name": "  " }), "`name`"),
        (json!({ "name": "x".repeat(101) }), "`name`"),
        (json!({ "name": "a\u{0}b" }), "`name`"),
        (json!({ "name": "x", "state": "x".repeat(8193) }), "`state`"),
        (json!({ "name": "x", "state": "a\nb" }), "`state`"),
        (json!({ "name": "x", "place": { "experiment": "../1" } }), "`place`"),
        (json!({ "name": "x", "place": { "folder": "" } }), "`place`"),
        (json!({ "name": "x", "place": { "folder": "f".repeat(501) } }), "`place`"),
        (json!({ "name": "x", "place": { "experiment": "1", "folder": "f" } }), "place"),
        (json!({ "name": "x", "default_for": "bob" }), "default_for"),
        (json!({ "name": "x", "version": 1 }), "`version`"),
        (json!({ "name": "x", "id": "1" }), "unknown field"),
    ] {
        refused(alice.post(VIEWS, wanted).await, 400, part).await;
    }
    let most = json!({ "name": "é".repeat(100), "state": "s".repeat(8192) });
    let most = make(&alice, most).await;
    assert_eq!(most["state"].as_str().unwrap().len(), 8192);
    let rest = (1..500).map(|number| make(&alice, json!({ "name": format!("{number}") })));
    futures::stream::iter(rest).buffer_unordered(16).collect::<Vec<_>>().await;
    refused(alice.post(VIEWS, json!({ "name": "x" })).await, 400, "500 views already").await;
    assert_eq!(delete(&alice, &most).await.status(), StatusCode::OK);
    make(&alice, json!({ "name": "x" })).await;
}

#[tokio::test]
async fn a_read_key_sees_views_and_changes_none() {
    let app = TestApp::start().await;
    let alice = app.session().await;
    let key = |settings: Value| async {
        let made = json(alice.post("/api/flowdeck/v1/keys", settings).await).await;
        app.key(&alice.user, made["key"].as_str().unwrap())
    };
    make(&alice, json!({ "name": "a" })).await;
    let reader = key(json!({ "name": "reader", "scopes": ["read"] })).await;
    assert_eq!(json(reader.get(VIEWS).await).await["views"][0]["name"], "a");
    refused(reader.post(VIEWS, json!({ "name": "b" })).await, 403, "lacks the scope `write`").await;
    let narrow = key(json!({ "name": "narrow", "experiments": ["1"] })).await;
    refused(narrow.get(VIEWS).await, 403, "for a part of MLflow only").await;
}

#[tokio::test]
async fn a_service_accounts_own_views_go_with_it() {
    let app = TestApp::start().await;
    let (admin, name) = (app.admin(), fresh("service"));
    let accounts = "/api/flowdeck/v1/service-accounts";
    assert_eq!(admin.post(accounts, json!({ "name": name })).await.status(), StatusCode::CREATED);
    let (own, ours) = (fresh("own"), fresh("ours"));
    make(&admin, json!({ "name": own, "owner": name })).await;
    make(&admin, json!({ "name": ours, "owner": name, "shared": true })).await;
    let path = format!("{accounts}/{name}");
    assert_eq!(
        admin.request("DELETE", &path).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let all = json(admin.get(&format!("{VIEWS}?all=true")).await).await;
    let left = all["views"].as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap());
    let left: Vec<_> = left.filter(|left| *left == own || *left == ours).collect();
    assert_eq!(left, [ours]);
}

#[tokio::test]
async fn a_page_is_drawn_with_the_view_that_opens_first() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    let alice = app.session().await;
    let here = experiment(&alice, &fresh("first")).await;
    for name in ["good", "bad"] {
        let run = json!({ "experiment_id": here, "run_name": name, "start_time": 1 });
        alice.post("/api/2.0/mlflow/runs/create", run).await;
    }
    let page = format!("/experiments/{here}");
    let html = async |path: &str| {
        let answer = alice.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    };
    assert!(html(&page).await.contains(">bad<"));
    let wanted = json!({ "name": "Good ones", "state": "q=good", "place": { "experiment": here }, "default_for": "owner" });
    let view = make(&alice, wanted).await;
    let answer = alice.get(&page).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["cache-control"], "private, no-store");
    let to = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(to, format!("/services/mlflow{page}?q=good&saved={}", view["id"].as_str().unwrap()));
    let drawn = html(to.strip_prefix("/services/mlflow").unwrap()).await;
    assert!(drawn.contains(">good<") && !drawn.contains(">bad<"));
    // Who says what they want gets that.
    for said in ["?saved=-", "?sort=name", "?tab=about"] {
        html(&format!("{page}{said}")).await;
    }
    // It is alice's alone.
    assert_eq!(app.session().await.get(&page).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_page_of_all_runs_has_the_views_that_are_offered_everywhere() {
    let app = TestApp::start().await;
    let alice = app.session().await;
    let (word, other) = (fresh("everywhere"), fresh("there"));
    let (here, there) = (experiment(&alice, &fresh("one")).await, experiment(&alice, &fresh("two")).await);
    for (experiment, name) in [(&here, format!("{word}-a")), (&there, format!("{word}-b"))] {
        let run = json!({ "experiment_id": experiment, "run_name": name, "start_time": 1 });
        alice.post("/api/2.0/mlflow/runs/create", run).await;
    }
    let page = alice.get(&format!("/experiments/all?q={word}")).await;
    assert_eq!(page.status(), StatusCode::OK);
    let html = page.text().await.unwrap();
    for (experiment, name) in [(&here, "a"), (&there, "b")] {
        assert!(html.contains(&format!(">{word}-{name}<")) && html.contains(&format!("/experiments/{experiment}/runs/")));
    }
    make(&alice, json!({ "name": word })).await;
    make(&alice, json!({ "name": other, "place": { "experiment": here } })).await;
    let (views, default) = offered(&alice, "all").await;
    assert!(views.contains(&word) && !views.contains(&other) && default.is_none(), "{views:?}");
    assert_eq!(
        app.anonymous().get(&format!("{VIEWS}?experiment=all")).await.status(),
        StatusCode::UNAUTHORIZED
    );
}
