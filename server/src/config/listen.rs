//! Where Flowdeck answers.

use std::{net::SocketAddr, time::Duration};

use super::BasePath;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Address")]
pub struct Listen {
    /// The address and port to answer at; port 0 takes a free one
    #[arg(long, env = "FLOWDECK_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:5050")]
    pub listen: SocketAddr,

    /// The path below which everything lives, for example /mlflow or /services/mlflow
    #[arg(long, env = "FLOWDECK_BASE_PATH", value_name = "PATH", default_value = "/")]
    pub base_path: BasePath,

    /// The origin that browsers see, for example https://ml.example.org; with https, cookies are marked Secure
    #[arg(long, env = "FLOWDECK_PUBLIC_ORIGIN", value_name = "ORIGIN", value_parser = parse_origin)]
    pub public_origin: Option<String>,

    /// Networks whose X-Forwarded-For is believed, for example 10.0.0.0/8,127.0.0.1/32
    #[arg(long, env = "FLOWDECK_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',')]
    pub trusted_proxies: Vec<ipnet::IpNet>,

    /// How long open requests may go on after a stop was asked for
    #[arg(long, env = "FLOWDECK_DRAIN", value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
}

// === impl Listen ===

impl Listen {
    pub fn is_https(&self) -> bool {
        self.public_origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }
}

fn parse_origin(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
    let origin = url.origin();
    if !matches!(url.scheme(), "http" | "https") || !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err("an origin is a scheme, a host and perhaps a port: https://ml.example.org".into());
    }
    Ok(origin.ascii_serialization())
}
