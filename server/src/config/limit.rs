//! How much one user gets.

use std::num::NonZeroU32;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct Limit {
    /// API calls per second of one user's programs, and as many of the user's browser sessions; 0.5 is one call every two seconds
    #[arg(long, env = "FLOWDECK_USER_RATE", value_name = "RATE", default_value = "500", value_parser = parse_rate)]
    pub user_rate: f64,

    /// How many API calls may come at once, after a pause, before the rate counts
    #[arg(long, env = "FLOWDECK_USER_BURST", value_name = "CALLS", default_value = "2000")]
    pub user_burst: NonZeroU32,

    /// How many API calls of one user's programs may be open at the same time; browser sessions have as many of their own
    #[arg(long, env = "FLOWDECK_USER_CALLS", value_name = "CALLS", default_value = "32")]
    pub user_calls: NonZeroU32,
}

/// # Errors
/// A sentence about what it should be.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "expected a number of calls per second")?;
    if !(1.0 / 3600.0..=1e6).contains(&rate) {
        return Err("expected between one call an hour (0.00028) and 1000000 calls a second".into());
    }
    Ok(rate)
}
