//! What Flowdeck asks of an MLflow that somebody else runs: is it one, and is it recent enough.

use std::{fmt, str::FromStr, time::Duration};

use anyhow::bail;
use axum::http::{HeaderValue, Method, StatusCode, header};
use reqwest::{RequestBuilder, Response};

use crate::upstream::Upstream;

const PATIENCE: Duration = Duration::from_secs(10);
/// Before it, every installation has an administrator whose password is public.
const OLDEST: Version = Version(3, 16, 1);
/// Before it, there are known holes that Flowdeck in front does not close.
const SAFE: Version = Version(3, 17, 2);

/// A release of MLflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

/// What a look at MLflow without credentials tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// 3.17 or newer: since then `server-info` answers anyone.
    Recent,
    /// Older than 3.17; only somebody who signs in can learn the exact version.
    Older,
}

/// Why an MLflow cannot stand behind Flowdeck, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("MLflow cannot be reached")]
    Unreachable,
    #[error("what answers at MLflow's address is not MLflow; check FLOWDECK_MLFLOW_URL")]
    NotMlflow,
    #[error("this MLflow does not ask for a name and a password; it has to be started with --app-name basic-auth")]
    NoAuth,
    #[error("{0}")]
    TooOld(String),
}

/// Whether a version may stand behind Flowdeck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Refused(String),
    Warned(String),
    Good,
}

/// The look before Flowdeck starts. An MLflow that is away may come back: that is no reason to stay away oneself.
///
/// # Errors
/// What answers is not an MLflow that asks for a password.
pub async fn check(upstream: &Upstream) -> anyhow::Result<()> {
    match inspect(upstream).await {
        Ok(Inspection::Recent) => {}
        Ok(Inspection::Older) => tracing::warn!("this MLflow is older than 3.17; its exact version is judged when somebody signs in"),
        Err(Fault::Unreachable) => tracing::warn!("MLflow cannot be reached yet; Flowdeck goes on trying"),
        Err(fault) => bail!(fault),
    }
    Ok(())
}

/// What can be known without credentials. The version cannot: `/version` wants a password, and the bundle of MLflow's own UI names it
/// only somewhere in megabytes of minified script.
///
/// # Errors
/// Why this cannot work.
pub async fn inspect(upstream: &Upstream) -> Result<Inspection, Fault> {
    let ask = |path| async move { send(request(upstream, Method::GET, path, None)?).await };
    let health = ask("/health").await?.status();
    if matches!(health.as_u16(), 502..=504) {
        return Err(Fault::Unreachable);
    }
    if !health.is_success() {
        return Err(Fault::NotMlflow);
    }
    let version = ask("/version").await?;
    match version.status() {
        StatusCode::UNAUTHORIZED if asks_for_password(&version) => {}
        StatusCode::OK if text(version).await?.parse::<Version>().is_ok() => return Err(Fault::NoAuth),
        _ => return Err(Fault::NotMlflow),
    }
    let info = ask("/api/3.0/mlflow/server-info").await?.status();
    Ok(if info.is_success() { Inspection::Recent } else { Inspection::Older })
}

/// The version of MLflow, as it tells those who sign in.
///
/// # Errors
/// When it does not tell.
pub async fn version(upstream: &Upstream, authorization: &HeaderValue) -> Result<Version, Fault> {
    read_version(send(request(upstream, Method::GET, "/version", Some(authorization))?).await?).await
}

async fn read_version(response: Response) -> Result<Version, Fault> {
    if response.status().is_server_error() {
        return Err(Fault::Unreachable);
    }
    text(response).await?.parse().map_err(|BadVersion| Fault::NotMlflow)
}

/// Whether callers may be let through to this MLflow. It tells its version only to those whom it knows, so it is asked with each
/// caller's credentials until one of them learns it.
///
/// # Errors
/// [`Fault::TooOld`], and why the version cannot be had. Whom MLflow does not know passes: it refuses them itself.
pub async fn vet(upstream: &Upstream, authorization: &HeaderValue) -> Result<(), Fault> {
    if upstream.vetted.get().is_some() {
        return Ok(());
    }
    // On the heap, since it is large and each call has to carry it along.
    Box::pin(learn(upstream, authorization)).await
}

async fn learn(upstream: &Upstream, authorization: &HeaderValue) -> Result<(), Fault> {
    let response = send(request(upstream, Method::GET, "/version", Some(authorization))?).await?;
    if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Ok(());
    }
    let version = read_version(response).await?;
    match judge(version) {
        Judgement::Refused(sentence) => return Err(Fault::TooOld(sentence)),
        Judgement::Warned(sentence) if upstream.vetted.set(version).is_ok() => tracing::warn!("{sentence}"),
        Judgement::Warned(_) | Judgement::Good => drop(upstream.vetted.set(version)),
    }
    Ok(())
}

/// What is to be said of an MLflow of this version.
pub fn judge(version: Version) -> Judgement {
    if version < OLDEST {
        let why = "its administrator may have a public password (GHSA-gq3w-7jj3-x7gr)";
        Judgement::Refused(format!(
            "MLflow {version} is too old: {why}; Flowdeck needs {OLDEST} or newer, best {SAFE}"
        ))
    } else if version < SAFE {
        let mut holes = "CVE-2026-53995 (path traversal by trace ids)".to_owned();
        if version < Version(3, 17, 0) {
            holes.push_str(" and GHSA-h7x2-h6g9-p789 (requests forged by the gateway)");
        }
        Judgement::Warned(format!("MLflow {version} is open to {holes}; update it to {SAFE} or newer"))
    } else {
        Judgement::Good
    }
}

pub(super) fn request(
    upstream: &Upstream,
    method: Method,
    path: &str,
    authorization: Option<&HeaderValue>,
) -> Result<RequestBuilder, Fault> {
    let url = upstream.url(path).map_err(|_| Fault::Unreachable)?;
    let request = upstream.http.request(method, url).timeout(PATIENCE);
    Ok(match authorization {
        Some(value) => request.header(header::AUTHORIZATION, value),
        None => request,
    })
}

pub(super) async fn send(request: RequestBuilder) -> Result<Response, Fault> {
    request.send().await.map_err(|_| Fault::Unreachable)
}

/// A version is a short line: more than that is not read.
async fn text(mut response: Response) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Fault::Unreachable)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > 100 {
            return Err(Fault::NotMlflow);
        }
    }
    String::from_utf8(bytes).map_err(|_| Fault::NotMlflow)
}

/// Whether a refusal is HTTP Basic's.
pub fn asks_for_password(response: &Response) -> bool {
    let mut schemes = response.headers().get_all(header::WWW_AUTHENTICATE).iter();
    schemes.any(|value| value.as_bytes().starts_with(b"Basic"))
}

// === impl Version ===

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Not three numbers with dots between.
#[derive(Debug, PartialEq, Eq)]
pub struct BadVersion;

impl FromStr for Version {
    type Err = BadVersion;

    /// `3.17.2`, and what Python appends to it: `3.18.0rc1`, `3.18.0.dev0`.
    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let mut parts = text.trim().splitn(3, '.');
        let mut next = || parts.next().ok_or(BadVersion);
        let (major, minor, rest) = (next()?, next()?, next()?);
        let patch = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        let number = |part: &str| part.parse().map_err(|_| BadVersion);
        Ok(Self(number(major)?, number(minor)?, number(patch)?))
    }
}

/// A stand-in for MLflow, for the tests here and of [`super::user`].
#[cfg(test)]
pub(super) mod mock {
    use std::collections::BTreeMap;

    use axum::{
        Router,
        http::{HeaderMap, StatusCode, Uri, header},
        response::IntoResponse as _,
    };
    use tokio::{net::TcpListener, sync::watch};

    use crate::upstream::Upstream;

    type Answer = (u16, &'static str);
    /// By path: what it says without and with a password.
    pub type Script = BTreeMap<&'static str, (Answer, Answer)>;

    pub const OPEN: (Answer, Answer) = ((200, "OK"), (200, "OK"));
    pub const CLOSED: Answer = (401, "You are not authenticated.");
    const MISSING: Answer = (404, "<h1>Not Found</h1>");
    const ADMIN: &str = r#"{"user":{"id":1,"username":"admin","is_admin":true},"is_basic_auth":true}"#;

    pub fn mlflow() -> Script {
        Script::from([
            ("/health", OPEN),
            ("/version", (CLOSED, (200, "3.17.2"))),
            ("/api/3.0/mlflow/server-info", ((200, "{}"), (200, "{}"))),
            ("/api/2.0/mlflow/users/current", (CLOSED, (200, ADMIN))),
        ])
    }

    pub fn with(path: &'static str, answers: (Answer, Answer)) -> Script {
        let mut script = mlflow();
        script.insert(path, answers);
        script
    }

    pub async fn server(script: Script) -> Upstream {
        let app = Router::new().fallback(async move |uri: Uri, headers: HeaderMap| {
            let (without, with) = script.get(uri.path()).copied().unwrap_or((MISSING, MISSING));
            let (status, body) = if headers.contains_key(header::AUTHORIZATION) {
                with
            } else {
                without
            };
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            if status == 401 {
                let challenge = "Basic realm=\"mlflow\"".parse().unwrap();
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Upstream::new(watch::channel(Some(url)).1).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use tokio::sync::watch;

    use super::{
        BadVersion, Fault, Inspection, Judgement, Version, check, inspect, judge,
        mock::{CLOSED, OPEN, Script, mlflow, server, with},
        version, vet,
    };
    use crate::upstream::Upstream;

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!("3.17.2".parse(), Ok(Version(3, 17, 2)));
        assert_eq!("3.18.0rc1\n".parse(), Ok(Version(3, 18, 0)));
        assert_eq!("3.18.0.dev0".parse(), Ok(Version(3, 18, 0)));
        for text in ["", "3.17", "OK", "<html>", "a.b.c", "3.17.x"] {
            assert_eq!(text.parse::<Version>(), Err(BadVersion), "{text}");
        }
        assert!(Version(3, 9, 9) < Version(3, 16, 1));
    }

    #[test]
    fn old_versions_are_refused_and_leaky_ones_warned_about() {
        let Judgement::Refused(text) = judge(Version(3, 16, 0)) else {
            panic!()
        };
        assert!(text.contains("3.16.0 is too old") && text.contains("GHSA-gq3w-7jj3-x7gr"), "{text}");
        let Judgement::Warned(text) = judge(Version(3, 16, 1)) else {
            panic!()
        };
        assert!(text.contains("CVE-2026-53995") && text.contains("GHSA-h7x2-h6g9-p789"), "{text}");
        let Judgement::Warned(text) = judge(Version(3, 17, 1)) else {
            panic!()
        };
        assert!(text.contains("CVE-2026-53995") && !text.contains("GHSA"), "{text}");
        assert_eq!(judge(Version(3, 17, 2)), Judgement::Good);
        assert_eq!(judge(Version(4, 0, 0)), Judgement::Good);
    }

    #[tokio::test]
    async fn an_inspection_tells_the_cases_apart() {
        assert_eq!(inspect(&server(mlflow()).await).await, Ok(Inspection::Recent));
        let older = with("/api/3.0/mlflow/server-info", (CLOSED, (200, "{}")));
        assert_eq!(inspect(&server(older).await).await, Ok(Inspection::Older));
        let open = with("/version", ((200, "3.17.2"), (200, "3.17.2")));
        assert_eq!(inspect(&server(open).await).await, Err(Fault::NoAuth));
        assert_eq!(inspect(&server(Script::new()).await).await, Err(Fault::NotMlflow));
        assert_eq!(inspect(&server(with("/version", OPEN)).await).await, Err(Fault::NotMlflow));
        let broken = with("/health", ((502, ""), (502, "")));
        assert_eq!(inspect(&server(broken).await).await, Err(Fault::Unreachable));
        let starting = Upstream::new(watch::channel(None).1).unwrap();
        assert_eq!(inspect(&starting).await, Err(Fault::Unreachable));
    }

    #[tokio::test]
    async fn flowdeck_waits_for_an_mlflow_that_is_away_and_refuses_what_is_none() {
        let nobody = Upstream::new(watch::channel(Some("http://127.0.0.1:1".parse().unwrap())).1).unwrap();
        check(&nobody).await.unwrap();
        check(&server(mlflow()).await).await.unwrap();
        let error = check(&server(Script::new()).await).await.unwrap_err().to_string();
        assert!(error.contains("is not MLflow"), "{error}");
    }

    #[tokio::test]
    async fn callers_are_let_through_once_the_version_is_known_to_be_good() {
        let authorization = HeaderValue::from_static("Basic YWRtaW46c2VjcmV0");
        for (told, good, known) in [
            ("3.15.0", false, false),
            ("3.16.1", true, true),
            ("3.17.2", true, true),
            ("?", false, false),
        ] {
            let upstream = server(with("/version", (CLOSED, (200, told)))).await;
            let vetted = vet(&upstream, &authorization).await;
            assert_eq!(
                (vetted.is_ok(), upstream.vetted.get().is_some()),
                (good, known),
                "{told}: {vetted:?}"
            );
        }
        // Whom it does not know, it refuses itself.
        let stranger = server(with("/version", (CLOSED, CLOSED))).await;
        assert_eq!(vet(&stranger, &authorization).await, Ok(()));
    }

    #[tokio::test]
    async fn the_version_is_told_to_those_who_sign_in() {
        let authorization = HeaderValue::from_static("Basic YWRtaW46c2VjcmV0");
        assert_eq!(version(&server(mlflow()).await, &authorization).await, Ok(Version(3, 17, 2)));
        let long = "3.17.2 and then far more than a version has to say, which nobody reads to its end, however long it goes on";
        let long = server(with("/version", (CLOSED, (200, long)))).await;
        assert_eq!(version(&long, &authorization).await, Err(Fault::NotMlflow));
    }
}
