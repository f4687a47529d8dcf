//! The key under which the vault is sealed, and the word that opens the metrics.

use std::fmt;

use zeroize::Zeroizing;

#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Secrets")]
pub struct Secret {
    /// 32 random bytes in base64; the first of several seals, all open (put a new one first to rotate). Without it, the file secret.key of the data folder, made at the first start
    #[arg(
        long,
        env = "FLOWDECK_SECRET_KEY",
        value_name = "KEYS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub secret_key: Vec<SecretText>,

    /// What Prometheus sends as a bearer token to read /metrics; without it, only owners can
    #[arg(long, env = "FLOWDECK_METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true, value_parser = parse_token)]
    pub metrics_token: Option<SecretText>,
}

/// Text that is wiped when dropped and never shown.
#[derive(Clone, Default)]
pub struct SecretText(Zeroizing<String>);

// === impl Secret ===

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} keys)", self.secret_key.len())
    }
}

/// A short one could be guessed.
fn parse_token(text: &str) -> Result<SecretText, String> {
    if text.len() < 16 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("expected at least 16 letters, digits and signs, without spaces".into());
    }
    Ok(text.into())
}

// === impl SecretText ===

impl SecretText {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}
