//! What can be configured: one struct per concern, each field says what sets it.
//!
//! A setting has one name in three spellings: `--base-path`, `FLOWDECK_BASE_PATH`, and `base_path` in the TOML
//! file. The command line wins over the environment, the environment over the file, the file over the default.

pub mod audit;
pub mod base;
pub mod data;
pub mod limit;
pub mod listen;
pub mod load;
pub mod mlflow;
pub mod page;
pub mod secret;
pub mod session;

pub use self::{
    audit::Audit, base::BasePath, data::Data, limit::Limit, listen::Listen, load::load, mlflow::Mlflow, page::Page, secret::Secret,
    session::Session,
};

/// Everything that can be set, read once at start.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    #[command(flatten)]
    pub listen: Listen,
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub mlflow: Mlflow,
    #[command(flatten)]
    pub secret: Secret,
    #[command(flatten)]
    pub session: Session,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub audit: Audit,
}
