//! The MLflow behind: its address, a client for what Flowdeck itself asks, and the door through which calls are handed on.

pub mod door;

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use http::{
    HeaderValue, Uri,
    uri::{Authority, Scheme},
};
use percent_encoding::{CONTROLS, utf8_percent_encode};
use reqwest::{Client, Url, redirect::Policy};
use tokio::sync::watch;

use self::door::Door;
use crate::mlflow::Version;

/// How to reach MLflow. Cheap to clone.
#[derive(Clone)]
pub struct Upstream {
    pub http: Client,
    pub door: Door,
    address: Arc<watch::Receiver<Option<Url>>>,
    /// What each call needs of the address.
    place: Arc<Mutex<Option<Arc<Place>>>>,
    /// MLflow's version, once it has told one that may stand behind Flowdeck.
    pub vetted: Arc<OnceLock<Version>>,
}

/// An address, taken apart.
struct Place {
    url: Url,
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
}

/// Where one call is handed on to.
pub struct Target {
    pub uri: Uri,
    pub host: HeaderValue,
}

/// Why a call cannot be handed on.
#[derive(Debug, thiserror::Error)]
pub enum NoTarget {
    #[error(transparent)]
    Starting(#[from] Starting),
    /// Escaped, what is not ASCII takes three times its room.
    #[error("the address is too long")]
    TooLong,
}

/// MLflow's address is not known yet: the managed server has not come up.
#[derive(Debug, thiserror::Error)]
#[error("MLflow is starting; try again in a few seconds")]
pub struct Starting;

// === impl Upstream ===

impl Upstream {
    /// `address` changes when a managed MLflow comes back at another port.
    ///
    /// # Errors
    /// When the TLS roots of this machine cannot be read.
    pub fn new(address: watch::Receiver<Option<Url>>) -> anyhow::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(4))
            .build()?;
        Ok(Self {
            http,
            door: Door::new().context("the TLS roots of this machine cannot be read")?,
            address: Arc::new(address),
            place: Arc::default(),
            vetted: Arc::default(),
        })
    }

    /// `path_and_query` begins with a slash and is already percent-encoded.
    ///
    /// # Errors
    /// [`Starting`] while a managed MLflow has no address.
    pub fn url(&self, path_and_query: &str) -> Result<Url, Starting> {
        let base = self.address.borrow().clone().ok_or(Starting)?;
        let text = format!("{}{path_and_query}", base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|_| Starting)
    }

    /// As [`Upstream::url`], for the door: `path` is canonical, `query` is as the caller wrote it.
    ///
    /// # Errors
    /// [`NoTarget`].
    pub fn target(&self, path: &str, query: Option<&str>) -> Result<Target, NoTarget> {
        let address = self.address.borrow();
        let base = address.as_ref().ok_or(Starting)?;
        // The base's own path was made canonical when its URL was parsed.
        let mut target = String::with_capacity(base.path().len() + path.len() + query.map_or(0, str::len) + 1);
        target.push_str(base.path().trim_end_matches('/'));
        target.push_str(path);
        if let Some(query) = query {
            target.push('?');
            // RFC 3986 knows no bytes beyond ASCII; some clients send them all the same.
            target.extend(utf8_percent_encode(query, CONTROLS));
        }
        let place = self.place(base).ok_or(NoTarget::TooLong)?;
        let uri = Uri::builder()
            .scheme(place.scheme.clone())
            .authority(place.authority.clone())
            .path_and_query(target)
            .build();
        let host = place.host.clone();
        uri.map(|uri| Target { uri, host }).map_err(|_| NoTarget::TooLong)
    }

    /// Taken apart once for each address: with each call it would cost more than finding its route.
    fn place(&self, url: &Url) -> Option<Arc<Place>> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_none_or(|place| place.url != *url) {
            *place = Place::of(url).map(Arc::new);
        }
        place.clone()
    }

    /// Waits until a managed MLflow has ended: what it was asked and has not answered, nobody will answer.
    pub async fn gone(&self) {
        let mut address = watch::Receiver::clone(&self.address);
        if address.wait_for(Option::is_none).await.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until MLflow answers.
    pub async fn ready(&self) {
        loop {
            if let Ok(url) = self.url("/health")
                && self
                    .http
                    .get(url)
                    .timeout(Duration::from_secs(2))
                    .send()
                    .await
                    .is_ok_and(|response| response.status().is_success())
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

// === impl Place ===

impl Place {
    fn of(url: &Url) -> Option<Self> {
        let host = url.host_str().unwrap_or_default();
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Some(Self {
            url: url.clone(),
            scheme: url.scheme().parse().ok()?,
            authority: authority.parse().ok()?,
            host: HeaderValue::try_from(authority).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::{NoTarget, Upstream};

    #[test]
    fn a_target_lies_below_the_base_and_is_ascii() {
        let at = |base: &str| Upstream::new(watch::channel(Some(base.parse().unwrap())).1).unwrap();
        for (base, query, uri, host) in [
            ("http://mlflow:5000", None, "http://mlflow:5000/api/x", "mlflow:5000"),
            (
                "https://ml.example.org/mlflow/",
                Some("a=%2F"),
                "https://ml.example.org/mlflow/api/x?a=%2F",
                "ml.example.org",
            ),
            ("http://[::1]:80", Some("a=é"), "http://[::1]/api/x?a=%C3%A9", "[::1]"),
        ] {
            let target = at(base).target("/api/x", query).unwrap();
            assert_eq!((target.uri.to_string().as_str(), target.host.to_str().unwrap()), (uri, host));
        }
        let long = "é".repeat(20_000);
        assert!(matches!(at("http://mlflow").target("/x", Some(&long)), Err(NoTarget::TooLong)));
        let starting = Upstream::new(watch::channel(None).1).unwrap();
        assert!(matches!(starting.target("/x", None), Err(NoTarget::Starting(_))));
    }
}
