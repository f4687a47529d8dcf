//! API keys before a real MLflow: ways in, scopes, narrowing, life and death of a key.

use futures::StreamExt as _;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use server::proxy::table::{Family, ROWS, What};

use crate::app::{Caller, TestApp, fresh};

const KEYS: &str = "/api/flowdeck/v1/keys";
const SERVICE: &str = "/api/flowdeck/v1/service-accounts";
const SEARCH: &str = "/api/2.0/mlflow/experiments/search?max_results=5";

async fn json(answer: Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"))
}

async fn told(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    (status, json(answer).await["message"].as_str().unwrap_or_default().to_owned())
}

/// Status and sentence contain what is expected.
async fn refused(answer: Response, status: u16, part: &str) {
    let (was, sentence) = told(answer).await;
    assert!(
        was == status && sentence.contains(part),
        "{was} {sentence}, expected {status} …{part}…"
    );
}

async fn make(caller: &Caller, wanted: Value) -> Value {
    let answer = caller.post(KEYS, wanted).await;
    assert_eq!(answer.status(), StatusCode::CREATED, "{:?}", answer.text().await);
    json(answer).await
}

/// A key of the caller's, and whoever uses it.
async fn with_key(app: &TestApp, caller: &Caller, mut wanted: Value) -> (Value, Caller) {
    wanted["name"] = json!("test");
    let key = make(caller, wanted).await;
    let program = app.key(&caller.user, key["key"].as_str().unwrap());
    (key, program)
}

async fn experiment(caller: &Caller) -> String {
    let made = caller
        .post("/api/2.0/mlflow/experiments/create", json!({ "name": fresh("key") }))
        .await;
    json(made).await["experiment_id"].as_str().unwrap().to_owned()
}

async fn run(caller: &Caller, experiment: &str) -> String {
    let made = caller
        .post("/api/2.0/mlflow/runs/create", json!({ "experiment_id": experiment }))
        .await;
    json(made).await["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

fn path(key: &Value) -> String {
    format!("{KEYS}/{}", key["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_stands_for_its_user_in_both_headers() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    let user = app.session().await;
    let key = make(&user, json!({ "name": "laptop" })).await;
    let text = key["key"].as_str().unwrap();
    assert!(
        text.starts_with("fd_") && text.len() == 52 && text.starts_with(key["start"].as_str().unwrap()),
        "{key}"
    );
    assert_eq!(key["scopes"], json!(["read", "write"]));
    assert_eq!(key["state"], "active");

    let nobody = app.anonymous();
    for (name, value) in [
        ("authorization", format!("Bearer {text}")),
        ("authorization", format!("bearer  {text}")),
        ("x-api-key", text.to_owned()),
    ] {
        let answer = nobody
            .request("GET", "/api/2.0/mlflow/users/current")
            .header(name, value)
            .send()
            .await
            .unwrap();
        assert_eq!(json(answer).await["user"]["username"], user.user);
    }
    let listed = json(user.get(KEYS).await).await;
    assert_eq!(listed["keys"][0]["id"], key["id"]);
    assert!(listed["keys"][0].get("key").is_none(), "{listed}");
    assert_eq!(listed["keys"][0]["last_used_address"], "127.0.0.1");
    assert!(
        !std::fs::read(app.folder.path().join("flowdeck.db"))
            .unwrap()
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    );
}

#[tokio::test]
async fn a_program_with_a_password_makes_its_own_key() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let (_, program) = with_key(&app, &user, json!({})).await;
    let experiment = experiment(&program).await;
    run(&program, &experiment).await;
    let wrong = app
        .anonymous()
        .request("POST", KEYS)
        .basic_auth(&user.user, Some("wrong"))
        .json(&json!({ "name": "x" }));
    refused(wrong.send().await.unwrap(), 401, "does not know this user name").await;
}

#[tokio::test]
async fn credentials_that_disagree_are_refused() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.session().await, app.session().await);
    let (alices, _) = with_key(&app, &alice, json!({})).await;
    let (bobs, _) = with_key(&app, &bob, json!({})).await;
    let (alices, bobs) = (alices["key"].as_str().unwrap(), bobs["key"].as_str().unwrap());
    let nobody = app.anonymous();

    let both = |a: &str, b: &str| nobody.request("GET", SEARCH).bearer_auth(a).header("x-api-key", b).send();
    refused(both(alices, bobs).await.unwrap(), 400, "two credentials").await;
    assert_eq!(both(alices, alices).await.unwrap().status(), StatusCode::OK);
    let twice = nobody.request("GET", SEARCH).header("x-api-key", alices).header("x-api-key", bobs);
    refused(twice.send().await.unwrap(), 400, "two credentials").await;
    let with_basic = nobody
        .request("GET", SEARCH)
        .header("x-api-key", alices)
        .basic_auth(&bob.user, Some(&bob.password));
    refused(with_basic.send().await.unwrap(), 400, "two credentials").await;
    let with_cookie = bob.request("GET", SEARCH).bearer_auth(alices);
    refused(with_cookie.send().await.unwrap(), 400, "two credentials").await;
    let own = alice.request("GET", SEARCH).bearer_auth(alices);
    assert_eq!(own.send().await.unwrap().status(), StatusCode::OK);
    for odd in ["Digest x", "Bearer", "", "Negotiate YII="] {
        let answer = nobody.request("GET", SEARCH).header("authorization", odd).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{odd}");
    }
}

#[tokio::test]
async fn each_state_of_a_key_is_told_to_whoever_holds_it() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let (key, program) = with_key(&app, &user, json!({})).await;
    let set = |change: Value| user.request("PATCH", &path(&key)).json(&change).send();

    let text = key["key"].as_str().unwrap().to_owned();
    let unknown = app.key("x", server::key::token::Token::generate().expose());
    let mistyped = app.key("x", &format!("{}{}", &text[..51], if text.ends_with('x') { 'y' } else { 'x' }));
    refused(unknown.get(SEARCH).await, 401, "does not know this API key").await;
    // Its checksum tells, which anybody can look at.
    refused(mistyped.get(SEARCH).await, 401, "a letter is wrong or missing").await;

    assert_eq!(json(set(json!({ "state": "disabled" })).await.unwrap()).await["state"], "disabled");
    refused(program.get(SEARCH).await, 401, "is disabled").await;
    set(json!({ "state": "active", "allowed_networks": ["192.0.2.0/24"] }))
        .await
        .unwrap();
    refused(program.get(SEARCH).await, 403, "may not be used from 127.0.0.1").await;
    set(json!({ "allowed_networks": ["192.0.2.0/24", "127.0.0.1"] })).await.unwrap();
    assert_eq!(program.get(SEARCH).await.status(), StatusCode::OK);

    let rotated = json(user.post(&format!("{}/rotate", path(&key)), json!({ "grace_seconds": 600 })).await).await;
    let newer = app.key(&user.user, rotated["key"].as_str().unwrap());
    assert!(rotated["previous_until"].is_i64());
    for program in [&program, &newer] {
        assert_eq!(program.get(SEARCH).await.status(), StatusCode::OK);
    }
    let rotated = json(user.post(&format!("{}/rotate", path(&key)), json!({ "grace_seconds": 0 })).await).await;
    refused(program.get(SEARCH).await, 401, "copied whole").await;
    refused(newer.get(SEARCH).await, 401, "was rotated").await;
    let newest = app.key(&user.user, rotated["key"].as_str().unwrap());

    let revoked = user.request("DELETE", &path(&key)).send().await.unwrap();
    assert_eq!(json(revoked).await["state"], "revoked");
    refused(newest.get(SEARCH).await, 401, "was revoked").await;
    refused(set(json!({ "state": "active" })).await.unwrap(), 400, "stays as it is").await;
}

#[tokio::test]
async fn bad_wishes_are_refused_by_field() {
    let app = TestApp::start().await;
    let user = app.session().await;
    for (wanted, field) in [
        (json!({}), "`name`"),
        (json!({ "name": "  " }), "`name`"),
        (json!({ "name": "x".repeat(101) }), "`name`"),
        (json!({ "name": "x", "scopes": [] }), "`scopes`"),
        (json!({ "name": "x", "scopes": ["root"] }), "a scope is"),
        (json!({ "name": "x", "families": ["nonsense"] }), "nonsense"),
        (json!({ "name": "x", "experiments": ["a"] }), "`experiments`"),
        (json!({ "name": "x", "allowed_networks": ["10.0.0.0/33"] }), "`allowed_networks`"),
        (json!({ "name": "x", "rate_per_second": 0 }), "`rate_per_second`"),
        (json!({ "name": "x", "rate_per_second": -1.0 }), "`rate_per_second`"),
        (json!({ "name": "x", "burst": 0 }), "`burst`"),
        (json!({ "name": "x", "expires_at": 1_700_000_000 }), "`expires_at`"),
        (json!({ "name": "x", "state": "disabled" }), "`state`"),
        (json!({ "name": "x", "colour": "red" }), "colour"),
        (json!(["name"]), "invalid"),
    ] {
        let (status, sentence) = told(user.post(KEYS, wanted.clone()).await).await;
        assert!(status == 400 && sentence.contains(field), "{wanted}: {status} {sentence}");
    }
    let not_json = user
        .request("POST", KEYS)
        .header("content-type", "application/json")
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(not_json.status(), StatusCode::BAD_REQUEST);
    refused(user.get(&format!("{KEYS}/none")).await, 404, "no such API key").await;
    assert_eq!(json(user.get(KEYS).await).await["keys"], json!([]));
}

#[tokio::test]
async fn keys_of_others_are_not_there_but_for_owners() {
    let app = TestApp::start().await;
    let (alice, bob, admin) = (app.session().await, app.session().await, app.admin());
    let (key, program) = with_key(&app, &alice, json!({})).await;
    refused(bob.get(&path(&key)).await, 404, "no such").await;
    refused(bob.request("DELETE", &path(&key)).send().await.unwrap(), 404, "no such").await;
    refused(bob.post(&format!("{}/rotate", path(&key)), json!({})).await, 404, "no such").await;
    refused(bob.get(&format!("{KEYS}?all=true")).await, 403, "only owners").await;
    refused(bob.get(&format!("{KEYS}?user={}", alice.user)).await, 403, "only owners").await;
    refused(bob.post(KEYS, json!({ "name": "x", "user": alice.user })).await, 403, "only owners").await;
    refused(app.anonymous().get(KEYS).await, 401, "sign in").await;

    let all = json(admin.get(&format!("{KEYS}?all=true")).await).await;
    assert!(all["keys"].as_array().unwrap().iter().any(|listed| listed["id"] == key["id"]));
    // Alice has signed in, so that the owner can make her a key; of a stranger Flowdeck has no password.
    let for_alice = make(&admin, json!({ "name": "made for her", "user": alice.user })).await;
    let who = app
        .key(&alice.user, for_alice["key"].as_str().unwrap())
        .get("/api/2.0/mlflow/users/current")
        .await;
    assert_eq!(json(who).await["user"]["username"], alice.user);
    refused(
        admin.post(KEYS, json!({ "name": "x", "user": "nobody-yet" })).await,
        400,
        "sign in once",
    )
    .await;
    assert_eq!(admin.request("DELETE", &path(&key)).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(program.get(SEARCH).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_service_account_has_keys_and_no_password() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin(), app.session().await);
    refused(user.get(SERVICE).await, 403, "only owners").await;
    refused(user.post(SERVICE, json!({ "name": fresh("svc") })).await, 403, "only owners").await;
    let name = fresh("svc");
    assert_eq!(admin.post(SERVICE, json!({ "name": name })).await.status(), StatusCode::CREATED);
    refused(admin.post(SERVICE, json!({ "name": name })).await, 400, "of that name already").await;
    refused(admin.post(SERVICE, json!({ "name": user.user })).await, 400, "of that name already").await;
    for bad in ["", "a:b", "é", "a b", "../x", ".."] {
        refused(admin.post(SERVICE, json!({ "name": bad })).await, 400, "`name`").await;
    }
    let key = make(&admin, json!({ "name": "nightly", "user": name })).await;
    let program = app.key(&name, key["key"].as_str().unwrap());
    let experiment = experiment(&program).await;
    run(&program, &experiment).await;
    let accounts = json(admin.get(SERVICE).await).await["accounts"].clone();
    let account = accounts
        .as_array()
        .unwrap()
        .iter()
        .find(|account| account["name"] == name.as_str())
        .unwrap();
    assert_eq!(account["keys"], 1);

    // It is a user like those of the list of users, and what becomes of it is a change.
    let listed = json(admin.get(&format!("/api/flowdeck/v1/users?q={name}")).await).await;
    assert_eq!((&listed["total"], &listed["users"][0]["service"]), (&json!(1), &json!(true)));
    let deleted = admin.request("DELETE", &format!("{SERVICE}/{name}")).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    refused(program.get(SEARCH).await, 401, "was revoked").await;
    assert_eq!(json(admin.get(&format!("/api/flowdeck/v1/users?q={name}")).await).await["total"], 0);
    let changes = json(admin.get(&format!("/api/flowdeck/v1/changes?user={name}")).await).await;
    assert_eq!(changes["changes"].as_array().unwrap().len(), 2, "{changes}");
    let users = admin.get(&format!("/api/2.0/mlflow/users/get?username={name}")).await;
    assert_eq!(users.status(), StatusCode::NOT_FOUND);
    refused(
        admin.request("DELETE", &format!("{SERVICE}/{}", user.user)).send().await.unwrap(),
        404,
        "no such service",
    )
    .await;
}

#[tokio::test]
async fn a_key_makes_no_key_that_goes_further() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let (plain, program) = with_key(&app, &user, json!({})).await;
    refused(program.get(KEYS).await, 403, "lacks the scope `admin`").await;
    refused(program.post(KEYS, json!({ "name": "x" })).await, 403, "lacks the scope `admin`").await;
    let keeper = json!({ "scopes": ["read", "admin"], "allowed_networks": ["127.0.0.0/8"], "expires_at": 4_000_000_000_000_i64 });
    let (own, keeper) = with_key(&app, &user, keeper).await;
    let further = "goes further than itself";
    let end = json!(3_999_999_999_999_i64);
    refused(keeper.post(KEYS, json!({ "name": "x", "scopes": ["write"] })).await, 403, further).await;
    refused(keeper.post(KEYS, json!({ "name": "x", "scopes": ["read"] })).await, 403, further).await;
    refused(
        keeper
            .post(KEYS, json!({ "name": "x", "scopes": ["read"], "expires_at": end }))
            .await,
        403,
        further,
    )
    .await;
    let within = json!({ "name": "x", "scopes": ["read"], "expires_at": end, "allowed_networks": ["127.0.0.1"] });
    make(&keeper, within).await;
    refused(keeper.post(&format!("{}/rotate", path(&plain)), json!({})).await, 403, further).await;
    let wider = keeper.request("PATCH", &path(&own)).json(&json!({ "allowed_networks": [] }));
    refused(wider.send().await.unwrap(), 403, further).await;
    let (slow, slowly) = with_key(&app, &user, json!({ "scopes": ["admin"], "rate_per_second": 5, "burst": 50 })).await;
    refused(slowly.post(KEYS, json!({ "name": "x", "scopes": ["admin"] })).await, 403, further).await;
    for quicker in [json!({ "rate_per_second": null }), json!({ "burst": 51 })] {
        let quicker = slowly.request("PATCH", &path(&slow)).json(&quicker);
        refused(quicker.send().await.unwrap(), 403, further).await;
    }
    make(
        &slowly,
        json!({ "name": "x", "scopes": ["admin"], "rate_per_second": 5, "burst": 10 }),
    )
    .await;
    let narrowed = with_key(&app, &user, json!({ "scopes": ["admin"], "experiments": ["1"] })).await.1;
    refused(narrowed.get(KEYS).await, 403, "for a part of MLflow only").await;
}

#[tokio::test]
async fn changes_of_a_key_at_the_same_moment_are_all_made() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let (key, _) = with_key(&app, &user, json!({})).await;
    let change = async |wanted: Value| json(user.request("PATCH", &path(&key)).json(&wanted).send().await.unwrap()).await;
    for round in 1..6 {
        let (name, network) = (format!("round {round}"), format!("10.{round}.0.0/16"));
        tokio::join!(
            change(json!({ "name": name })),
            change(json!({ "allowed_networks": [network] })),
            change(json!({ "burst": round })),
        );
        let told = json(user.get(&path(&key)).await).await;
        assert_eq!(
            (&told["name"], &told["allowed_networks"], &told["burst"]),
            (&json!(name), &json!([network]), &json!(round))
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_one_form() {
    let app = TestApp::start().await;
    let user = app.session().await;
    refused(user.get(&format!("{KEYS}/%ff")).await, 400, "UTF-8").await;
    let large = "x".repeat(3 * 1024 * 1024);
    refused(user.post(KEYS, json!({ "name": large })).await, 413, "larger than").await;
    let redeem = "/api/flowdeck/v1/invites/redeem";
    refused(app.anonymous().post(redeem, json!({ "token": large })).await, 413, "larger than").await;
}

/// Whatever the route, the verb or the twin.
#[tokio::test]
async fn a_read_key_changes_nothing() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let experiment = experiment(&user).await;
    let run = run(&user, &experiment).await;
    let (_, reader) = with_key(&app, &user, json!({ "scopes": ["read"] })).await;
    assert_eq!(
        reader.get(&format!("/api/2.0/mlflow/runs/get?run_id={run}")).await.status(),
        StatusCode::OK
    );
    let search = reader
        .post("/api/2.0/mlflow/runs/search", json!({ "experiment_ids": [experiment] }))
        .await;
    assert_eq!(search.status(), StatusCode::OK);

    for row in ROWS {
        let What::Open(family, ..) = row.what else { continue };
        let reads = row.scope() == server::scope::Scope::Read;
        if reads || family == Family::GatewayCalls && row.method == "GET" {
            continue;
        }
        for place in row.paths() {
            let place = place.replace(['{', '}', '*'], "").replace(":path", "");
            let answer = reader
                .request(row.method.as_str(), &place)
                .json(&json!({ "run_id": run }))
                .send()
                .await
                .unwrap();
            let status = answer.status();
            refused(answer, 403, "lacks the scope").await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{} {place}", row.method);
        }
    }
    let tag = json!({ "run_id": run, "key": "taken", "value": "x" });
    for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
        let get = reader
            .request("GET", "/api/2.0/mlflow/runs/set-tag")
            .header(name, "POST")
            .json(&tag);
        assert_eq!(get.send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED, "{name}");
        let post = reader.request("POST", "/api/2.0/mlflow/runs/search").header(name, "DELETE");
        let search = json!({ "experiment_ids": [experiment] });
        assert_eq!(post.json(&search).send().await.unwrap().status(), StatusCode::OK, "{name}");
    }
    let mutation = json!({ "query": "mutation { mlflowDeleteRun(input: {}) { apiError { message } } }" });
    assert_eq!(
        reader.post("/graphql", mutation.clone()).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(
        reader.post("/ajax-api/2.0/mlflow/graphql", mutation).await.status(),
        StatusCode::NOT_FOUND
    );
    let stored = format!("/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/x.txt");
    refused(
        reader.request("PUT", &stored).body("x").send().await.unwrap(),
        403,
        "lacks the scope `write`",
    )
    .await;

    let now = json(user.get(&format!("/api/2.0/mlflow/runs/get?run_id={run}")).await).await;
    assert!(!now.to_string().contains("taken"), "{now}");
}

/// The rows that a reading key may POST to, one by one: a new one has to be looked at.
#[test]
fn what_reads_by_post_is_known() {
    let mut reading: Vec<_> = ROWS
        .iter()
        .filter(|row| matches!(row.what, What::Open(..)) && row.method != "GET" && row.scope() == server::scope::Scope::Read)
        .map(|row| row.path)
        .collect();
    reading.sort_unstable();
    assert_eq!(
        reading,
        [
            "/2.0/mlflow/artifacts/presigned-download-url",
            "/2.0/mlflow/experiments/search",
            "/2.0/mlflow/experiments/search-datasets",
            "/2.0/mlflow/logged-models/search",
            "/2.0/mlflow/registered-models/get-latest-versions",
            "/2.0/mlflow/runs/search",
            "/3.0/mlflow/datasets/search",
            "/3.0/mlflow/issues/search",
            "/3.0/mlflow/prompt-optimization/jobs/search",
            "/3.0/mlflow/traces/batchGetInfos",
            "/3.0/mlflow/traces/calculate-filter-correlation",
            "/3.0/mlflow/traces/metrics",
            "/3.0/mlflow/traces/search",
        ]
    );
}

#[tokio::test]
async fn a_narrowed_key_stays_with_its_experiments() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let (own, other) = (experiment(&user).await, experiment(&user).await);
    let (own_run, other_run) = (run(&user, &own).await, run(&user, &other).await);
    let (key, program) = with_key(&app, &user, json!({ "experiments": [own] })).await;

    let made = run(&program, &own).await;
    let batch = |run: &str| json!({ "run_id": run, "metrics": [{ "key": "loss", "value": 1.0, "timestamp": 1, "step": 0 }] });
    for run in [&own_run, &made] {
        assert_eq!(
            program.post("/api/2.0/mlflow/runs/log-batch", batch(run)).await.status(),
            StatusCode::OK
        );
    }
    let file = |experiment: &str| format!("/api/2.0/mlflow-artifacts/artifacts/{experiment}/{own_run}/artifacts/x.txt");
    assert_eq!(
        program.request("PUT", &file(&own)).body("x").send().await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(program.get(&file(&own)).await.text().await.unwrap(), "x");
    let by_name = |id: &str| {
        let (user, id) = (&user, id.to_owned());
        async move {
            let found = json(user.get(&format!("/api/2.0/mlflow/experiments/get?experiment_id={id}")).await).await;
            let name = found["experiment"]["name"].as_str().unwrap().to_owned();
            format!("/api/2.0/mlflow/experiments/get-by-name?experiment_name={name}")
        }
    };
    assert_eq!(program.get(&by_name(&own).await).await.status(), StatusCode::OK);
    refused(program.get(&by_name(&other).await).await, 403, "is not for experiment").await;
    assert_eq!(program.get("/api/2.0/mlflow/users/current").await.status(), StatusCode::OK);

    refused(program.get(SEARCH).await, 403, "does not tell which").await;
    refused(
        program.post("/api/2.0/mlflow/experiments/create", json!({ "name": "x" })).await,
        403,
        "does not tell which",
    )
    .await;
    refused(
        program.get("/api/2.0/mlflow/registered-models/get?name=m").await,
        403,
        "registered model",
    )
    .await;
    let not_for = "is not for experiment";
    refused(program.get(&file(&other)).await, 403, not_for).await;
    refused(
        program.get(&format!("/get-artifact?run_uuid={other_run}&path=x")).await,
        403,
        not_for,
    )
    .await;
    for (query, status) in [
        (format!("run_uuid={own_run}"), 200),
        (format!("run_uuid={other_run}"), 403),
        (format!("run_uuid={own_run}&run_uuid={other_run}"), 403),
        (format!("run_id={own_run}"), 403),
    ] {
        let path = format!("/ajax-api/2.0/mlflow/upload-artifact?path=y.txt&{query}");
        let answer = program.request("POST", &path).body(format!("{{\"run_uuid\": \"{own_run}\"}}"));
        assert_eq!(answer.send().await.unwrap().status(), status, "{query}");
    }
    let mixed = json!({ "run_id": own_run, "metrics": [], "runUuid": other_run });
    for (path, body) in [
        ("/api/2.0/mlflow/runs/create", json!({ "experiment_id": other })),
        ("/api/2.0/mlflow/runs/search", json!({ "experiment_ids": [own, other] })),
        ("/ajax-api/2.0/mlflow/runs/search", json!({ "experimentIds": [other] })),
        ("/api/2.0/mlflow/runs/log-batch", batch(&other_run)),
        ("/api/2.0/mlflow/runs/log-batch", mixed),
        ("/api/2.0/mlflow/runs/log-batch", json!(batch(&other_run).to_string())),
        ("/api/2.0/mlflow/runs/delete", json!({ "run_uuid": other_run })),
    ] {
        refused(program.post(path, body.clone()).await, 403, not_for).await;
    }
    // Without a word about it, MLflow would take its default experiment.
    let default = program
        .post(&format!("/api/2.0/mlflow/runs/create?experiment_id={own}"), json!({}))
        .await;
    refused(default, 403, "does not tell which").await;
    let odd = program
        .request("POST", "/api/2.0/mlflow/runs/log-batch")
        .header("content-type", "application/json");
    let utf16: Vec<u8> = batch(&other_run).to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused(odd.body(utf16).send().await.unwrap(), 403, "does not tell which").await;
    let version = json!({ "name": "m", "source": format!("runs:/{other_run}/model") });
    let both = json!({ "experiments": [own], "models": ["m"] });
    user.request("PATCH", &path(&key)).json(&both).send().await.unwrap();
    refused(program.post("/api/2.0/mlflow/model-versions/create", version).await, 403, not_for).await;
    let outside = json!({ "name": "m", "source": "file:///etc" });
    refused(
        program.post("/api/2.0/mlflow/model-versions/create", outside).await,
        403,
        "does not tell which",
    )
    .await;
    refused(
        program
            .post("/api/2.0/mlflow/registered-models/create", json!({ "name": "n" }))
            .await,
        403,
        "registered model",
    )
    .await;
}

#[tokio::test]
async fn families_narrow_too_and_shadow_mode_only_counts() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let (key, program) = with_key(&app, &user, json!({ "families": ["runs"], "scopes": ["read"] })).await;
    refused(program.get(SEARCH).await, 403, "not for the routes of the family \"experiments\"").await;
    user.request("PATCH", &path(&key))
        .json(&json!({ "shadow": true }))
        .send()
        .await
        .unwrap();
    assert_eq!(program.get(SEARCH).await.status(), StatusCode::OK);
    let experiment = experiment(&program).await;
    run(&program, &experiment).await;
    assert_eq!(json(user.get(&path(&key)).await).await["would_refuse"], 3);
    let listed = format!(
        "/api/flowdeck/v1/audit?user={}&key={}&shadow=yes",
        user.user,
        key["id"].as_str().unwrap()
    );
    let listed = json(user.get(&listed).await).await["rows"].clone();
    let reasons: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["status"].as_u64().unwrap(), row["shadow"].as_str().unwrap()))
        .collect();
    assert_eq!(reasons.len(), 3, "{listed}");
    assert!(
        reasons
            .iter()
            .all(|(status, reason)| *status == 200 && reason.contains("the API key \"test\"")),
        "{listed}"
    );
}

#[tokio::test]
async fn a_revoked_key_ends_what_it_has_begun() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let experiment = experiment(&user).await;
    let run = run(&user, &experiment).await;
    let place = format!("/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/big.bin");
    let stored = user.request("PUT", &place).body(vec![7_u8; 64 << 20]).send().await.unwrap();
    assert_eq!(stored.status(), StatusCode::OK);
    let (key, program) = with_key(&app, &user, json!({})).await;
    let answer = program.get(&place).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut pieces = answer.bytes_stream();
    pieces.next().await.unwrap().unwrap();
    user.request("DELETE", &path(&key)).send().await.unwrap();
    let mut got = 0;
    let broken = loop {
        match pieces.next().await {
            Some(Ok(piece)) => got += piece.len(),
            Some(Err(_)) => break true,
            None => break false,
        }
    };
    assert!(broken, "{got} bytes came, and then an end that looks whole");
}

#[tokio::test]
async fn a_stale_password_is_told_in_words() {
    let app = TestApp::start().await;
    let (user, admin) = (app.session().await, app.admin());
    let (_, program) = with_key(&app, &user, json!({})).await;
    let change = json!({ "username": user.user, "password": "another long password" });
    let changed = admin
        .request("PATCH", "/api/2.0/mlflow/users/update-password")
        .json(&change)
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    // MLflow's own cache forgets the old password at the change.
    refused(program.get(SEARCH).await, 401, "sign in to Flowdeck once").await;
    app.sign_in(&user.user, "another long password").await;
    assert_eq!(program.get(SEARCH).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn all_keys_of_a_user_are_revoked_at_once() {
    let app = TestApp::start().await;
    let (user, other, admin) = (app.session().await, app.session().await, app.admin());
    let (first, program) = with_key(&app, &user, json!({})).await;
    let (second, _) = with_key(&app, &user, json!({})).await;
    let disabled = user.request("PATCH", &path(&second)).json(&json!({ "state": "disabled" }));
    assert_eq!(disabled.send().await.unwrap().status(), StatusCode::OK);
    let (_, spared) = with_key(&app, &other, json!({})).await;
    let whole = json!({ "scopes": ["read", "write", "admin"], "experiments": ["1"] });
    let (_, narrow) = with_key(&app, &other, whole).await;

    let all_of = |caller: &Caller, name: &str| caller.request("DELETE", &format!("{KEYS}?user={name}")).send();
    for (caller, status) in [(&other, 403), (&program, 403), (&narrow, 403), (&app.anonymous(), 401)] {
        assert_eq!(all_of(caller, &user.user).await.unwrap().status(), status);
    }
    for bad in [
        KEYS.to_owned(),
        format!("{KEYS}?all=true"),
        format!("{KEYS}?user={}&all=true", user.user),
    ] {
        let answer = admin.request("DELETE", &bad).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
    }
    assert_eq!(program.get(SEARCH).await.status(), StatusCode::OK, "nothing has happened so far");

    // The user's password is reset; the keys would come back with the next sign-in.
    let change = json!({ "username": user.user, "password": "another long password" });
    let reset = admin.request("PATCH", "/api/2.0/mlflow/users/update-password").json(&change);
    assert_eq!(reset.send().await.unwrap().status(), StatusCode::OK);
    let done = json(all_of(&admin, &user.user).await.unwrap()).await;
    assert_eq!(done, json!({ "revoked": 2 }));
    let again = app.sign_in(&user.user, "another long password").await;
    refused(program.get(SEARCH).await, 401, "was revoked").await;
    let kept = json(again.get(&path(&first)).await).await;
    assert_eq!(kept["state"], "revoked", "they stay in the list");
    assert_eq!(spared.get(SEARCH).await.status(), StatusCode::OK, "of this user only");

    assert_eq!(json(all_of(&admin, &user.user).await.unwrap()).await, json!({ "revoked": 0 }));
    assert_eq!(
        json(all_of(&admin, "nobody-of-this-name").await.unwrap()).await,
        json!({ "revoked": 0 })
    );
    assert_eq!(
        json(all_of(&other, &other.user).await.unwrap()).await,
        json!({ "revoked": 2 }),
        "one's own"
    );
    refused(spared.get(SEARCH).await, 401, "was revoked").await;
}
