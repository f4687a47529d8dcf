//! Settings: some change at run time, the others are read where Flowdeck starts.

use serde::{Deserialize, Serialize};

use crate::{
    api::{Client, Method, Result},
    route::escape,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Setting {
    pub name: String,
    /// As text; a secret's is `set` or empty.
    pub value: String,
    pub says: String,
    /// Where it comes from: `here` (changed at run time), `default`, or the option's own words.
    pub source: String,
    /// Can be changed at run time.
    pub live: bool,
    /// What it is without a change at run time.
    pub started_with: String,
    pub version: i64,
    pub changed_at: Option<i64>,
    pub changed_by: Option<String>,
}

/// One change at run time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SettingChange {
    pub name: String,
    pub at: i64,
    pub by: String,
    pub was: Option<String>,
    pub will: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = LiveSettings))]
pub struct Settings {
    pub settings: Vec<Setting>,
    /// The newest first, at most 100.
    pub history: Vec<SettingChange>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SettingWish {
    /// `null`: what Flowdeck was started with.
    pub value: Option<String>,
    /// The one that was read.
    pub version: i64,
}

/// # Errors
/// 403 where one is no administrator.
pub async fn list(client: &Client) -> Result<Settings> {
    client.get("/api/flowdeck/v1/settings").await
}

/// # Errors
/// 400 for a value that cannot be, 409 where it was changed meanwhile.
pub async fn change(client: &Client, name: &str, wish: &SettingWish) -> Result<Setting> {
    client
        .send(Method::Patch, &format!("/api/flowdeck/v1/settings/{}", escape(name)), wish)
        .await
}
