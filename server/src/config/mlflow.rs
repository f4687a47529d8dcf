//! Which MLflow stands behind.

use std::path::PathBuf;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "MLflow")]
pub struct Mlflow {
    /// The MLflow server to front; without it Flowdeck installs and runs one of its own
    #[arg(long, env = "FLOWDECK_MLFLOW_URL", value_name = "URL", value_parser = parse_url)]
    pub mlflow_url: Option<reqwest::Url>,

    /// A Python that has MLflow installed, for the MLflow that Flowdeck runs itself; without it one is installed below the data folder
    #[arg(long, env = "FLOWDECK_MLFLOW_PYTHON", value_name = "FILE")]
    pub mlflow_python: Option<PathBuf>,
}

/// An upstream address without a trailing slash in its path, so that route paths can be appended.
fn parse_url(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        return Err("expected http://host:port or https://host, perhaps with a path".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave name and password out of the address: Flowdeck sends each caller's own".into());
    }
    Ok(url)
}
