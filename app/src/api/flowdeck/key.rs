//! API keys, and the service accounts that some of them are for.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    api::{ApiError, Client, Method, Result, parse},
    route::escape,
};

/// A key without its secret. Times are ms since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub id: String,
    pub name: String,
    pub user: String,
    /// The first letters of the secret, to recognise it by: `fd_Ab3d`.
    pub start: String,
    pub scopes: Vec<Scope>,
    /// What it is narrowed to; each list that is empty narrows nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub experiments: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// In CIDR notation, v4 and v6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_networks: Vec<String>,
    #[serde(default)]
    pub rate_per_second: Option<f64>,
    #[serde(default)]
    pub burst: Option<u32>,
    /// Nothing is refused for what the key may not do; it is counted in `would_refuse`.
    #[serde(default)]
    pub shadow: bool,
    pub state: State,
    pub created_at: i64,
    #[serde(default)]
    pub created_by: String,
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// After a rotation the secret before works until then.
    #[serde(default)]
    pub previous_until: Option<i64>,
    #[serde(default)]
    pub last_used_at: Option<i64>,
    #[serde(default)]
    pub last_used_address: Option<String>,
    #[serde(default)]
    pub would_refuse: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Read,
    Write,
    Admin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Active,
    Disabled,
    Expired,
    #[serde(other)]
    Revoked,
}

/// A key that was just made or rotated, with what is told only now.
#[derive(Clone)]
pub struct Made {
    pub key: Key,
    pub secret: String,
}

/// What a key is made with, or changed to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wish {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub families: Vec<String>,
    pub experiments: Vec<String>,
    pub models: Vec<String>,
    pub allowed_networks: Vec<String>,
    pub rate_per_second: Option<f64>,
    pub burst: Option<u32>,
    pub expires_at: Option<i64>,
    pub shadow: bool,
    /// Whose key it is to be, where an administrator makes it for somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// A user of MLflow whose password nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    pub created_at: i64,
    #[serde(default)]
    pub created_by: String,
    /// How many keys it has.
    #[serde(default)]
    pub keys: u64,
}

/// The groups of routes that a key can be narrowed to.
pub const FAMILIES: [&str; 17] = [
    "experiments",
    "runs",
    "metrics",
    "artifacts",
    "logged-models",
    "registry",
    "traces",
    "datasets",
    "evaluation",
    "reviews",
    "gateway",
    "gateway-calls",
    "mcp",
    "webhooks",
    "users",
    "workspaces",
    "server",
];

const KEYS: &str = "/api/flowdeck/v1/keys";
const ACCOUNTS: &str = "/api/flowdeck/v1/service-accounts";

// === impl Key ===

impl Key {
    /// Whether anything is set that makes it less than its scopes.
    pub fn is_narrowed(&self) -> bool {
        let lists = [&self.families, &self.experiments, &self.models, &self.allowed_networks];
        lists.iter().any(|list| !list.is_empty())
    }
}

// === impl Wish ===

impl Wish {
    /// A key as it is.
    fn of(key: &Key) -> Self {
        let key = key.clone();
        Self {
            name: key.name,
            scopes: key.scopes,
            families: key.families,
            experiments: key.experiments,
            models: key.models,
            allowed_networks: key.allowed_networks,
            rate_per_second: key.rate_per_second,
            burst: key.burst,
            expires_at: key.expires_at,
            shadow: key.shadow,
            user: None,
        }
    }
}

// === impl Scope ===

impl Scope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// One's own keys; with `all` everybody's.
///
/// # Errors
/// 403 for `all` where one is no administrator.
pub async fn list(client: &Client, all: bool) -> Result<Vec<Key>> {
    listed(client, if all { "?all=true" } else { "" }).await
}

/// The keys of one user.
///
/// # Errors
/// 403 for somebody else's where one is no administrator.
pub async fn list_of(client: &Client, user: &str) -> Result<Vec<Key>> {
    listed(client, &format!("?user={}", escape(user))).await
}

async fn listed(client: &Client, query: &str) -> Result<Vec<Key>> {
    #[derive(Deserialize)]
    struct Answer {
        keys: Vec<Key>,
    }
    Ok(client.get::<Answer>(&format!("{KEYS}{query}")).await?.keys)
}

/// # Errors
/// 400 with a sentence about what cannot be.
pub async fn create(client: &Client, wish: &Wish) -> Result<Made> {
    made(client, KEYS, wish).await
}

/// Makes of a key, as it was seen, what is wished. Only what differs is sent: what others change meanwhile stays.
///
/// # Errors
/// 400 with a sentence about what cannot be, 404 where there is no such key.
pub async fn change(client: &Client, seen: &Key, wish: &Wish) -> Result<Key> {
    let fields = |value: &Wish| serde_json::to_value(value).map_err(|error| ApiError::unreadable(&error));
    let (seen_as, mut wanted) = (fields(&Wish::of(seen))?, fields(wish)?);
    if let Some(wanted) = wanted.as_object_mut() {
        wanted.retain(|name, value| seen_as.get(name) != Some(value));
    }
    client.send(Method::Patch, &format!("{KEYS}/{}", escape(&seen.id)), &wanted).await
}

/// Disables a key, or puts it to work again.
///
/// # Errors
/// As [`change`].
pub async fn enable(client: &Client, id: &str, on: bool) -> Result<Key> {
    #[derive(Serialize)]
    struct Change {
        state: State,
    }
    let state = if on { State::Active } else { State::Disabled };
    client
        .send(Method::Patch, &format!("{KEYS}/{}", escape(id)), &Change { state })
        .await
}

/// Gives a key another secret; the one before works for `grace_seconds` more.
///
/// # Errors
/// As [`change`].
pub async fn rotate(client: &Client, id: &str, grace_seconds: u32) -> Result<Made> {
    #[derive(Serialize)]
    struct Rotate {
        grace_seconds: u32,
    }
    made(client, &format!("{KEYS}/{}/rotate", escape(id)), &Rotate { grace_seconds }).await
}

/// Ends a key for good.
///
/// # Errors
/// As [`change`].
pub async fn revoke(client: &Client, id: &str) -> Result<Key> {
    let text = client.text(Method::Delete, &format!("{KEYS}/{}", escape(id)), None).await?;
    parse(&text)
}

/// Ends all keys of a user for good, and says how many.
///
/// # Errors
/// 403 for somebody else's where one is no administrator.
pub async fn revoke_all(client: &Client, user: &str) -> Result<usize> {
    #[derive(Deserialize)]
    struct Answer {
        revoked: usize,
    }
    let text = client.text(Method::Delete, &format!("{KEYS}?user={}", escape(user)), None).await?;
    Ok(parse::<Answer>(&text)?.revoked)
}

/// # Errors
/// 403 where one is no administrator.
pub async fn accounts(client: &Client) -> Result<Vec<Account>> {
    #[derive(Deserialize)]
    struct Answer {
        accounts: Vec<Account>,
    }
    Ok(client.get::<Answer>(ACCOUNTS).await?.accounts)
}

/// # Errors
/// 400 where there is a user of that name.
pub async fn create_account(client: &Client, name: &str) -> Result<()> {
    #[derive(Serialize)]
    struct Create<'a> {
        name: &'a str,
    }
    let _: IgnoredAny = client.send(Method::Post, ACCOUNTS, &Create { name }).await?;
    Ok(())
}

/// Its keys go with it.
///
/// # Errors
/// 404 where there is none of that name.
pub async fn delete_account(client: &Client, name: &str) -> Result<()> {
    client
        .text(Method::Delete, &format!("{ACCOUNTS}/{}", escape(name)), None)
        .await
        .map(drop)
}

async fn made(client: &Client, path: &str, body: &impl Serialize) -> Result<Made> {
    #[derive(Deserialize)]
    struct Secret {
        key: String,
    }
    let body = serde_json::to_string(body).map_err(|error| ApiError::unreadable(&error))?;
    let text = client.text(Method::Post, path, Some(body)).await?;
    Ok(Made {
        key: parse(&text)?,
        secret: parse::<Secret>(&text)?.key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_as_the_server_gives_it() {
        let text = r#"{"id":"k1","name":"laptop","user":"ada","start":"fd_Ab3d","scopes":["read","write"],"families":[],"experiments":["7"],
            "models":[],"allowed_networks":[],"rate_per_second":null,"burst":null,"shadow":false,"state":"active","created_at":1,
            "created_by":"ada","expires_at":null,"rotated_at":null,"previous_until":null,"last_used_at":null,"last_used_address":null,"would_refuse":0}"#;
        let key: Key = serde_json::from_str(text).unwrap();
        assert_eq!(
            (key.scopes.as_slice(), key.state),
            ([Scope::Read, Scope::Write].as_slice(), State::Active)
        );
        assert!(key.is_narrowed());
        assert_eq!(serde_json::from_str::<Key>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
    }
}
