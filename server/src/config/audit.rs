//! How much of the audit is kept.

use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Audit")]
pub struct Audit {
    /// Calls are kept in the audit for so long
    #[arg(long, env = "FLOWDECK_AUDIT_KEEP", value_name = "TIME", default_value = "365days", value_parser = humantime::parse_duration)]
    pub audit_keep: Duration,

    /// The audit keeps no more calls than this, about 400 bytes each; the oldest go first
    #[arg(long, env = "FLOWDECK_AUDIT_MOST", value_name = "ROWS", default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub audit_most: u64,
}
