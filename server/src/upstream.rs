//! The MLflow behind: its address, and the one HTTP client that speaks to it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{Client, Url, redirect::Policy};
use tokio::sync::watch;

use crate::mlflow::Version;

/// How to reach MLflow. Cheap to clone.
#[derive(Clone)]
pub struct Upstream {
    pub http: Client,
    address: Arc<watch::Receiver<Option<Url>>>,
    /// MLflow's version, once it has told one that may stand behind Flowdeck.
    pub vetted: Arc<OnceLock<Version>>,
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
    pub fn new(address: watch::Receiver<Option<Url>>) -> reqwest::Result<Self> {
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
            address: Arc::new(address),
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
