//! How long a sign-in lasts.

use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Sessions")]
pub struct Session {
    /// A session ends when it was not used for so long
    #[arg(long, env = "FLOWDECK_SESSION_IDLE", value_name = "TIME", default_value = "3days", value_parser = humantime::parse_duration)]
    pub session_idle: Duration,

    /// A session ends so long after the sign-in, used or not
    #[arg(long, env = "FLOWDECK_SESSION_LIFETIME", value_name = "TIME", default_value = "30days", value_parser = humantime::parse_duration)]
    pub session_lifetime: Duration,
}
