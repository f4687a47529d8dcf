//! A Flowdeck of the test's own before the real MLflow that all tests share, and the people who call it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use clap::{Args as _, FromArgMatches as _};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect::Policy};
use serde_json::json;
use server::{
    admin::{index::Index, setting},
    asset::Assets,
    audit::{self, Audit},
    config::Config,
    data,
    db::Db,
    extreme::{self, cache::Cache},
    health::Health,
    kept::Kept,
    key::Keys,
    limit::Limits,
    listen,
    live::{Live, Pace},
    metrics::Metrics,
    mlflow::managed::Managed,
    proxy::{narrow::Homes, together::Together},
    route,
    state::{Inner, State},
    upstream::Upstream,
    vault::{KeyRing, Vault},
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{RwLock, watch},
};

/// Read by tests that look at a clock, written by those that take the whole machine: they would disturb each other.
pub static CALM: RwLock<()> = RwLock::const_new(());

/// Who watches an experiment does not wait long for anything.
const HASTY: Pace = Pace {
    poll: Duration::from_millis(100),
    review: Duration::from_millis(300),
    check: Duration::from_secs(1),
    beat: Duration::from_millis(300),
    linger: Duration::from_secs(2),
};

/// Stands in for the browser's files where no browser is.
pub const SITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site");

/// The MLflow that all tests of this process share. It ends with the process: its launcher sees the pipe close.
pub struct Mlflow {
    pub url: Url,
    pub admin_password: String,
}

/// A Flowdeck that ends when it is dropped.
pub struct TestApp {
    pub address: SocketAddr,
    pub base: String,
    pub state: State,
    pub folder: TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

/// Somebody who calls a [`TestApp`].
pub struct Caller {
    http: Client,
    origin: String,
    pub base: String,
    pub user: String,
    pub password: String,
    how: How,
}

enum How {
    Anonymous,
    Basic,
    /// The cookie, as `name=value`.
    Session(String),
    Key(String),
}

/// The Python that has MLflow, as `cargo xtask test` sets it.
pub fn python() -> PathBuf {
    std::env::var_os("FLOWDECK_MLFLOW_PYTHON")
        .expect("FLOWDECK_MLFLOW_PYTHON names a Python with MLflow; `cargo xtask test` sets it")
        .into()
}

/// A name that no other test uses.
pub fn fresh(word: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{word}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Removes a folder once this process has ended, however it ends: nobody drops what lives as long as the process.
fn remove_at_end(folder: &Path) -> Option<ChildStdin> {
    // MLflow ends a moment after us, and may still write.
    const SCRIPT: &str = r#"trap '' INT; cat; for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$0"; sleep 1; test -e "$0" || exit; done"#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT]).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut remover = command.spawn().unwrap();
    let until_we_end = remover.stdin.take();
    std::thread::spawn(move || remover.wait());
    until_we_end
}

// === impl Mlflow ===

impl Mlflow {
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Mlflow> = OnceLock::new();
        SHARED.get_or_init(|| {
            let (send, receive) = std::sync::mpsc::channel();
            // A runtime of its own: each test's ends with the test.
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                runtime.block_on(async move {
                    let folder = tempfile::Builder::new().prefix("flowdeck-it-mlflow").tempdir().unwrap();
                    let _until_we_end = remove_at_end(folder.path());
                    let data_dir = data::open(folder.path()).unwrap();
                    let (mut address, _managed) = Managed::start(&python(), &data_dir).unwrap();
                    let url = address.wait_for(Option::is_some).await.unwrap().clone().unwrap();
                    let admin_password = std::fs::read_to_string(folder.path().join("mlflow/admin-password"))
                        .unwrap()
                        .trim()
                        .to_owned();
                    send.send(Self { url, admin_password }).unwrap();
                    std::future::pending::<()>().await;
                });
            });
            receive
                .recv_timeout(Duration::from_secs(120))
                .expect("MLflow starts within two minutes")
        })
    }
}

// === impl TestApp ===

impl TestApp {
    /// At the root, before the shared MLflow.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With settings as on the command line.
    pub async fn with(arguments: &[&str]) -> Self {
        // Not on the runtime's own threads: it waits for MLflow.
        let mlflow = tokio::task::spawn_blocking(Mlflow::shared).await.unwrap();
        Self::before(mlflow.url.clone(), arguments).await
    }

    /// Before an MLflow of the test's choice.
    pub async fn before(upstream: Url, arguments: &[&str]) -> Self {
        any_spawner::Executor::init_tokio().ok();
        let folder = tempfile::Builder::new().prefix("flowdeck-it").tempdir().unwrap();
        let mut words = vec!["flowdeck".to_owned(), "--site-dir".into(), SITE.into()];
        words.extend(arguments.iter().map(|&word| word.to_owned()));
        let command = Config::augment_args(clap::Command::new("flowdeck"));
        let config = Config::from_arg_matches(&command.get_matches_from(words)).unwrap();

        let (_, address) = watch::channel(Some(upstream));
        let db = Db::open(&folder.path().join("flowdeck.db")).await.unwrap();
        let ring = KeyRing::parse(&[KeyRing::generate().to_string().into()]).unwrap();
        let audit = Audit::open(&folder.path().join(audit::FILE), &config.audit).await.unwrap();
        let cache = Cache::open(&folder.path().join(extreme::cache::FILE)).await.unwrap();
        let state = State::new(Inner {
            audit,
            upstream: Upstream::new(address).unwrap(),
            vault: Vault::new(db.clone(), ring),
            keys: Keys::load(db.clone()).await.unwrap(),
            homes: Homes::default(),
            together: Together::default(),
            live: Live::new(HASTY),
            kept: Kept::default(),
            assets: Assets::open(&config.page.site_dir).unwrap(),
            limits: Limits::new(config.limit.clone()),
            extremes: extreme::Service::new(cache),
            health: Health::new(false),
            metrics: Metrics::default(),
            index: Index::default(),
            owners: server::owners::Owners::default(),
            settings: setting::Live::new(String::new()),
            config,
            db,
        });
        Self::listening(state, folder).await
    }

    async fn listening(state: State, folder: TempDir) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let service = route::service(&state);
        let stopped = async move {
            stopped.await.ok();
        };
        tokio::spawn(listen::serve(listener, service, stopped, Duration::from_millis(100)));
        let base = state.config.listen.base_path.as_str().to_owned();
        Self {
            address,
            base,
            state,
            folder,
            stop: Some(stop),
        }
    }

    /// Another Flowdeck with the same sessions, vault and settings, before another MLflow.
    pub async fn again_before(&self, upstream: Url) -> Self {
        let (_, address) = watch::channel(Some(upstream));
        let cache = Cache::open(&self.folder.path().join(extreme::cache::FILE)).await.unwrap();
        let state = State::new(Inner {
            config: self.state.config.clone(),
            upstream: Upstream::new(address).unwrap(),
            db: self.state.db.clone(),
            audit: self.state.audit.clone(),
            vault: self.state.vault.clone(),
            keys: self.state.keys.clone(),
            homes: Homes::default(),
            together: Together::default(),
            live: Live::new(HASTY),
            kept: Kept::default(),
            limits: Limits::new(self.state.config.limit.clone()),
            extremes: extreme::Service::new(cache),
            health: Health::new(false),
            metrics: Metrics::default(),
            index: Index::default(),
            owners: server::owners::Owners::default(),
            settings: setting::Live::new(String::new()),
            assets: Assets::open(&self.state.config.page.site_dir).unwrap(),
        });
        Self::listening(state, tempfile::tempdir().unwrap()).await
    }

    pub fn anonymous(&self) -> Caller {
        self.caller("", "", How::Anonymous)
    }

    /// The owner, by HTTP Basic.
    pub fn admin(&self) -> Caller {
        self.caller("admin", &Mlflow::shared().admin_password, How::Basic)
    }

    /// Somebody whom MLflow knows already, by HTTP Basic.
    pub fn known(&self, user: &str, password: &str) -> Caller {
        self.caller(user, password, How::Basic)
    }

    /// A new MLflow user, by HTTP Basic.
    pub async fn basic(&self) -> Caller {
        let (name, password) = (fresh("user"), "correct horse battery".to_owned());
        let created = self
            .admin()
            .post("/api/2.0/mlflow/users/create", json!({ "username": name, "password": password }))
            .await;
        assert_eq!(created.status(), StatusCode::OK, "{:?}", created.text().await);
        self.caller(&name, &password, How::Basic)
    }

    /// A new MLflow user who has signed in.
    pub async fn session(&self) -> Caller {
        let user = self.basic().await;
        self.sign_in(&user.user, &user.password).await
    }

    /// Somebody who signs in through the form.
    pub async fn sign_in(&self, user: &str, password: &str) -> Caller {
        let answer = self.anonymous().form("/login", &[("name", user), ("password", password)]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{:?}", answer.text().await);
        let cookie = cookie(&answer).expect("a session cookie");
        self.caller(user, password, How::Session(cookie))
    }

    /// A program with an API key.
    pub fn key(&self, user: &str, key: &str) -> Caller {
        self.caller(user, "", How::Key(key.into()))
    }

    fn caller(&self, user: &str, password: &str, how: How) -> Caller {
        let http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Caller {
            http,
            origin: format!("http://{}", self.address),
            base: self.base.clone(),
            user: user.into(),
            password: password.into(),
            how,
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.take().and_then(|stop| stop.send(()).ok());
    }
}

/// The first cookie that an answer sets, as `name=value`.
pub fn cookie(answer: &Response) -> Option<String> {
    let text = answer.headers().get("set-cookie")?.to_str().ok()?;
    Some(text.split(';').next()?.to_owned())
}

// === impl Caller ===

impl Caller {
    /// The session's cookie, as `name=value`.
    pub fn cookie(&self) -> &str {
        match &self.how {
            How::Session(cookie) => cookie,
            _ => panic!("{} has no session", self.user),
        }
    }

    /// As a page of ours sends it.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.request_bare(method, path);
        if matches!(self.how, How::Session(_)) {
            request.header("sec-fetch-site", "same-origin")
        } else {
            request
        }
    }

    /// Without a word about which site it came from. `path` is below the base.
    pub fn request_bare(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{}{path}", self.origin, self.base);
        let request = self.http.request(method.parse().unwrap(), url);
        match &self.how {
            How::Anonymous => request,
            How::Basic => request.basic_auth(&self.user, Some(&self.password)),
            How::Session(cookie) => request.header("cookie", cookie),
            How::Key(key) => request.bearer_auth(key),
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: serde_json::Value) -> Response {
        self.request("POST", path).json(&body).send().await.unwrap()
    }

    /// A form of one of our own pages.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", app::route::escape(value)))
            .collect();
        let request = self.request("POST", path).header("sec-fetch-site", "same-origin");
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"))
            .send()
            .await
            .unwrap()
    }
}
