//! One-time links by which a person sets their password. For whoever holds one: no session is needed.

use serde::{Deserialize, Serialize};

use crate::api::{Client, Method, Result};

/// A link that was just made. Nobody can be shown it again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Link {
    /// The whole address, with the token behind the `#`, which browsers do not send.
    pub href: String,
    /// Ms since 1970.
    pub expires_at: i64,
}

#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct InviteToken {
    /// What stands behind the `#` of the link: `fdi_…`.
    pub token: String,
}

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Invited {
    pub user: String,
    pub expires_at: i64,
    /// The user is new; else the password was reset.
    pub new: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct InviteRedeem {
    pub token: String,
    /// At least 12 ASCII letters.
    #[cfg_attr(feature = "ssr", schema(min_length = 12))]
    pub password: String,
}

/// Whose password was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Redeemed {
    pub user: String,
}

/// # Errors
/// 401 for a link that was used, has expired, or never was; 429 for too many of these.
pub async fn look(client: &Client, token: &str) -> Result<Invited> {
    let body = InviteToken { token: token.into() };
    client.send(Method::Post, "/api/flowdeck/v1/invites/look", &body).await
}

/// Sets the password; the link is used up then, and the person signs in as always.
///
/// # Errors
/// As [`look`]; 400 for a password that MLflow does not take.
pub async fn redeem(client: &Client, token: &str, password: &str) -> Result<Redeemed> {
    let body = InviteRedeem {
        token: token.into(),
        password: password.into(),
    };
    client.send(Method::Post, "/api/flowdeck/v1/invites/redeem", &body).await
}

// === impl Link ===

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Link(until {})", self.expires_at)
    }
}
