//! What is explained is what MLflow answers: for many states of users, roles, grants, DENY and the default, a real read, edit and delete.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::{V1, apply, experiment, get, grant, member, model, role};
use crate::app::{Caller, TestApp, fresh, python};

/// With each of the two defaults.
const STATES: usize = 100;
const SEED: u64 = 0x5DEE_CE66_D1CE_4E5B;

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What is granted by this test, to tell an edit what it finds.
#[derive(Default)]
struct Held {
    /// By subject (as in an edit), kind and id.
    grants: BTreeMap<(String, String, String), String>,
    members: BTreeSet<(String, String)>,
    admins: BTreeSet<String>,
}

struct Scene {
    app: TestApp,
    admin: Caller,
    users: Vec<Caller>,
    roles: Vec<String>,
    /// Kind and id.
    things: Vec<(&'static str, String)>,
    held: Held,
    /// Whether to make administrators: in an MLflow that is shared, others would notice.
    alone: bool,
}

// === impl Scene ===

impl Scene {
    async fn new(app: TestApp, admin: Caller, alone: bool) -> Self {
        let mut users = Vec::new();
        for _ in 0..4 {
            let (name, password) = (fresh("user"), "correct horse battery");
            let made = admin
                .post("/api/2.0/mlflow/users/create", json!({ "username": name, "password": password }))
                .await;
            assert_eq!(made.status(), StatusCode::OK);
            users.push(app.known(&name, password));
        }
        let roles = vec![role(&admin).await, role(&admin).await];
        let mut things = Vec::new();
        for _ in 0..2 {
            things.push(("experiment", experiment(&admin, &fresh("explain")).await));
            let name = fresh("explain-model");
            model(&admin, &name, false).await;
            things.push(("registered_model", name));
        }
        let name = fresh("explain-prompt");
        model(&admin, &name, true).await;
        things.push(("prompt", name));
        Self {
            app,
            admin,
            users,
            roles,
            things,
            held: Held::default(),
            alone,
        }
    }

    /// Some edits, whatever they make of it.
    fn edits(&mut self, numbers: &mut Numbers) -> Vec<Value> {
        const LEVELS: [&str; 5] = ["READ", "USE", "EDIT", "MANAGE", "DENY"];
        const WITHIN: [&str; 6] = [
            "run",
            "trace",
            "logged_model",
            "registered_model_version",
            "prompt_version",
            "scorer",
        ];
        let mut touched = BTreeSet::new();
        let mut edits = Vec::new();
        for _ in 0..2 + numbers.below(5) {
            let user = numbers.one_of(&self.users).user.clone();
            let role = numbers.one_of(&self.roles).clone();
            match numbers.below(10) {
                0..=6 => {
                    let to_role = numbers.below(2) == 0;
                    let to = if to_role {
                        json!({ "role": role })
                    } else {
                        json!({ "user": user })
                    };
                    let (kind, id) = numbers.one_of(&self.things).clone();
                    let (kind, id) = match numbers.below(12) {
                        0..=6 => (kind, id),
                        7..=9 => (kind, "*".to_owned()),
                        10 => (*numbers.one_of(&WITHIN), "*".to_owned()),
                        _ if to_role => ("workspace", "*".to_owned()),
                        _ => continue,
                    };
                    let levels = if kind == "workspace" { &["USE", "MANAGE"][..] } else { &LEVELS };
                    let key = (to.to_string(), kind.to_owned(), id.clone());
                    if !touched.insert(format!("{key:?}")) {
                        continue;
                    }
                    let was = self.held.grants.remove(&key);
                    let will = (numbers.below(4) > 0).then(|| (*numbers.one_of(levels)).to_owned());
                    if was != will {
                        edits.push(grant(to, kind, &id, was.as_deref(), will.as_deref()));
                    }
                    self.held.grants.extend(will.map(|will| (key, will)));
                }
                7 | 8 => {
                    let pair = (role, user);
                    if touched.insert(format!("{pair:?}")) {
                        let will = self.held.members.insert(pair.clone()) || {
                            self.held.members.remove(&pair);
                            false
                        };
                        edits.push(member(&pair.0, &pair.1, will));
                    }
                }
                _ => {
                    // Seldom: an administrator hides all else.
                    if self.alone && (self.held.admins.contains(&user) || numbers.below(4) == 0) {
                        let was = self.held.admins.contains(&user);
                        if touched.insert(user.clone()) {
                            edits.push(json!({ "edit": "admin", "user": user, "was": was, "will": !was }));
                            if was {
                                self.held.admins.remove(&user);
                            } else {
                                self.held.admins.insert(user);
                            }
                        }
                    }
                }
            }
        }
        edits
    }

    /// A real read, edit and delete by a user, against what is explained.
    async fn check(&mut self, user: usize, thing: usize, seen: &str) {
        let (kind, id) = self.things[thing].clone();
        let caller = &self.users[user];
        let path = format!("/explain?user={}&kind={kind}&id={id}", caller.user);
        let told = get(&self.admin, &path).await;
        assert_eq!(told["default_known"], true, "{told}");
        let can = |what: &str| told["can"][what].as_bool().unwrap();
        let status = |allowed: bool| if allowed { StatusCode::OK } else { StatusCode::FORBIDDEN };
        let context = || format!("{seen}\n{} {kind} {id}\n{told:#}", caller.user);
        let (read, edit, delete) = match kind {
            "experiment" => (
                caller.get(&format!("/api/2.0/mlflow/experiments/get?experiment_id={id}")).await,
                caller
                    .post(
                        "/api/2.0/mlflow/experiments/set-experiment-tag",
                        json!({ "experiment_id": id, "key": "k", "value": "v" }),
                    )
                    .await,
                caller
                    .post("/api/2.0/mlflow/experiments/delete", json!({ "experiment_id": id }))
                    .await,
            ),
            _ => (
                caller.get(&format!("/api/2.0/mlflow/registered-models/get?name={id}")).await,
                caller
                    .request("PATCH", "/api/2.0/mlflow/registered-models/update")
                    .json(&json!({ "name": id, "description": "d" }))
                    .send()
                    .await
                    .unwrap(),
                caller
                    .request("DELETE", "/api/2.0/mlflow/registered-models/delete")
                    .json(&json!({ "name": id }))
                    .send()
                    .await
                    .unwrap(),
            ),
        };
        assert_eq!(read.status(), status(can("read")), "read {}", context());
        assert_eq!(edit.status(), status(can("edit")), "edit {}", context());
        assert_eq!(delete.status(), status(can("delete")), "delete {}", context());
        // Nobody else may be the reason than what is said to be.
        let decides = told["steps"].as_array().unwrap().iter().find(|step| step["decides"] == true);
        assert_eq!(decides.unwrap()["level"], told["level"], "{}", context());
        if delete.status() != StatusCode::OK {
            return;
        }
        if kind == "experiment" {
            let restored = self
                .admin
                .post("/api/2.0/mlflow/experiments/restore", json!({ "experiment_id": id }))
                .await;
            assert_eq!(restored.status(), StatusCode::OK);
            return;
        }
        // MLflow takes direct grants away with the model.
        model(&self.admin, &id, kind == "prompt").await;
        self.held
            .grants
            .retain(|(to, held, on), _| !(to.contains("\"user\"") && held == kind && *on == id));
        self.app.state.index.touch();
    }

    async fn holds(mut self, states: usize) -> [usize; 3] {
        let mut numbers = Numbers(SEED);
        let mut counts = [0; 3];
        for number in 0..states {
            let edits = self.edits(&mut numbers);
            if !edits.is_empty() {
                apply(&self.admin, json!(edits)).await;
            }
            let seen = format!(
                "state {number}: {:?} {:?} {:?}",
                self.held.grants, self.held.members, self.held.admins
            );
            let (user, thing) = (numbers.below(self.users.len()), numbers.below(self.things.len()));
            self.check(user, thing, &seen).await;
            let (kind, id) = &self.things[thing];
            let path = format!("/explain?user={}&kind={kind}&id={id}", self.users[user].user);
            let told = get(&self.admin, &path).await;
            for (count, what) in counts.iter_mut().zip(["read", "edit", "delete"]) {
                *count += usize::from(told["can"][what] == true);
            }
        }
        counts
    }
}

#[tokio::test]
async fn an_explanation_is_what_mlflow_answers_where_everybody_may_read() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let counts = Scene::new(app, admin, false).await.holds(STATES).await;
    assert!(counts.iter().all(|count| *count > 5 && *count < STATES), "{counts:?}");
}

#[tokio::test]
async fn an_explanation_is_what_mlflow_answers_where_nobody_may_anything() {
    let folder = tempfile::tempdir().unwrap();
    let mlflow = Closed::start(folder.path()).await;
    let app = TestApp::before(mlflow.url.clone(), &[]).await;
    let admin = app.known("admin", PASSWORD);
    let nothing = get(&admin, "/roles").await;
    assert_eq!((&nothing["default"], &nothing["default_known"]), (&Value::Null, &json!(true)));
    let counts = Scene::new(app, admin, true).await.holds(STATES).await;
    assert!(counts.iter().all(|count| *count > 5 && *count < STATES), "{counts:?}");
}

/// Somebody sees why they may see something themselves, and nobody else's.
#[tokio::test]
async fn one_asks_for_oneself_and_owners_for_everybody() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin(), app.basic().await);
    let id = experiment(&admin, &fresh("explain")).await;
    let path = format!("/explain?kind=experiment&id={id}");
    let told = get(&ada, &path).await;
    assert_eq!((&told["level"], &told["can"]["edit"]), (&json!("READ"), &json!(false)));
    assert_eq!(told["steps"][0]["why"], "default");
    let team = role(&admin).await;
    apply(
        &admin,
        json!([
            grant(json!({ "role": team }), "experiment", &id, None, Some("EDIT")),
            member(&team, &ada.user, true)
        ]),
    )
    .await;
    let told = get(&ada, &path).await;
    assert_eq!(
        (&told["level"], &told["steps"][0]["change"]["role"]),
        (&json!("EDIT"), &json!(team))
    );
    let own = get(&ada, "/access/own").await;
    assert_eq!((&own["user"], &own["roles"][0]["role"]), (&json!(ada.user), &json!(team)));
    assert_eq!(own["roles"][0]["grants"][0]["level"], "EDIT");
    let others = ada.get(&format!("{V1}{path}&user=admin")).await;
    super::refused(others, 403, "only owners").await;
    let nobody = admin.get(&format!("{V1}{path}&user=nobody")).await;
    super::refused(nobody, 404, "no such user").await;
    let admins = get(&ada, &format!("{path}&user={}", ada.user)).await;
    assert_eq!(admins["level"], "EDIT");
}

const PASSWORD: &str = "a password for the test";

/// An MLflow of the test's own, which gives nobody anything by default.
struct Closed {
    url: Url,
    child: Child,
}

// === impl Closed ===

impl Closed {
    async fn start(folder: &Path) -> Self {
        let shown = folder.display();
        let ini = format!(
            "[mlflow]\ndefault_permission = NO_PERMISSIONS\ndatabase_uri = sqlite:///{shown}/auth.db\nauth_cache_ttl_seconds = 60\n"
        );
        std::fs::write(folder.join("auth.ini"), ini).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(python())
            .args([
                "-m",
                "mlflow",
                "server",
                "--app-name",
                "basic-auth",
                "--workers",
                "1",
                "--host",
                "127.0.0.1",
            ])
            .args(["--port", &port.to_string()])
            .args(["--backend-store-uri", &format!("sqlite:///{shown}/mlflow.db")])
            .args(["--artifacts-destination", &format!("{shown}/artifacts")])
            .env("MLFLOW_AUTH_CONFIG_PATH", folder.join("auth.ini"))
            .env("MLFLOW_AUTH_ADMIN_USERNAME", "admin")
            .env("MLFLOW_AUTH_ADMIN_PASSWORD", PASSWORD)
            .env("MLFLOW_FLASK_SERVER_SECRET_KEY", "not a secret")
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let closed = Self { url, child };
        let start = Instant::now();
        let health = closed.url.join("/health").unwrap();
        while !reqwest::get(health.clone()).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(start.elapsed() < Duration::from_secs(240), "MLflow does not start");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        closed
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        // `mlflow server` becomes the server, or has it as its child: both end with the signal that a terminal would send.
        let pid = self.child.id();
        let own = pid.to_string();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        for pid in children.split_whitespace().chain([own.as_str()]) {
            if let Some(pid) = pid.parse().ok().and_then(rustix::process::Pid::from_raw) {
                rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
            }
        }
        self.child.wait().ok();
    }
}
