//! Where Flowdeck keeps its own state, and how much it says.

use std::path::PathBuf;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "State")]
pub struct Data {
    /// The folder of everything that Flowdeck keeps: its database, its secret key, and the MLflow that it manages
    #[arg(long, env = "FLOWDECK_DATA_DIR", value_name = "FOLDER", default_value = "flowdeck-data")]
    pub data_dir: PathBuf,

    /// What is logged, for example `info` or `server=debug,warn`
    #[arg(long, env = "FLOWDECK_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}
