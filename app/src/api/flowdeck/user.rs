//! Users, for owners: list, create, reset, deactivate, delete, sessions, and what they have.

use serde::{Deserialize, Serialize};

use super::{grant::Grant, invite::Link};
use crate::{
    api::{Client, Method, Result},
    route::escape,
    state::query::Query,
};

/// One line of the list. Times are ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserRow {
    pub name: String,
    pub admin: bool,
    /// For programs: nobody knows its password, and nobody signs in with it.
    pub service: bool,
    /// Not deactivated.
    pub active: bool,
    /// Has a link to set a password that was not used yet.
    pub invited: bool,
    pub last_seen: Option<i64>,
    /// Browser sessions that are open.
    pub sessions: usize,
    /// Live API keys.
    pub keys: usize,
    /// By name, without what MLflow keeps for direct grants.
    pub roles: Vec<String>,
    /// Direct grants.
    pub grants: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserPage {
    pub users: Vec<UserRow>,
    /// That match, on all pages.
    pub total: usize,
    /// There are, whatever was asked for.
    pub all: usize,
    /// When MLflow was read for this, ms since 1970.
    pub read_at: i64,
}

/// A user's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserDetail {
    pub user: UserRow,
    /// Direct ones.
    pub grants: Vec<Grant>,
    pub roles: Vec<UserRole>,
    /// Flowdeck's groups.
    pub groups: Vec<String>,
    /// The one administrator who is left: is neither demoted, deactivated nor deleted.
    pub last_admin: bool,
    /// With the default permission of MLflow everybody has at least this.
    pub default: Option<super::grant::Level>,
    pub read_at: i64,
}

/// A role of a user, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserRole {
    pub role: String,
    /// The groups that give it.
    pub groups: Vec<String>,
    pub grants: usize,
}

/// What a user leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Belongings {
    /// With MANAGE by a direct grant: what they have made, and what was given to them.
    pub manages: Vec<Grant>,
    /// Of these, what nobody else but administrators may manage.
    pub alone: Vec<Grant>,
    pub roles: Vec<String>,
    pub groups: Vec<String>,
    pub keys: usize,
    pub sessions: usize,
    pub views: usize,
    /// Rules over names that are kept up with their credentials.
    pub rules: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserWish {
    /// 1 to 100 ASCII letters, digits, and `- _ . @`.
    pub name: String,
    /// For programs: no link; API keys can be made for it at once.
    #[serde(default)]
    pub service: bool,
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A user who was made, reset or reactivated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserMade {
    pub name: String,
    /// By which the person sets the password; told this once. `None` for service accounts.
    pub link: Option<Link>,
}

/// A browser session. Times are ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserSession {
    pub id: String,
    pub created_at: i64,
    pub last_used_at: i64,
    pub expires_at: i64,
    pub user_agent: String,
    pub address: String,
}

/// How many sessions were ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionsEnded {
    pub ended: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserSessions {
    pub sessions: Vec<UserSession>,
}

/// What can be asked of the list, as the query of the address; beside these `offset`, `limit` (50, at most 200) and `fresh=true`, which
/// asks MLflow at this moment.
///
/// `q`: part of the name. `role`: who has it. `group`. `kind`: `admin`, `person`, `service`. `state`: `active`, `inactive`, `invited`.
/// `sort`: `name` (first), `last_seen`, `sessions`, `keys`, `roles`, `grants`, and the same with a `-` in front for the other way round.
pub const FILTERS: [&str; 6] = ["q", "role", "group", "kind", "state", "sort"];

const USERS: &str = "/api/flowdeck/v1/users";

fn of(name: &str, rest: &str) -> String {
    format!("{USERS}/{}{rest}", escape(name))
}

/// # Errors
/// 403 where one is no administrator, as for all below.
pub async fn list(client: &Client, query: &Query) -> Result<UserPage> {
    client.get(&format!("{USERS}{}", query.href())).await
}

/// # Errors
/// 400 for a name that is taken or none.
pub async fn create(client: &Client, wish: &UserWish) -> Result<UserMade> {
    client.send(Method::Post, USERS, wish).await
}

/// # Errors
/// 404 where there is none of that name, as for all below.
pub async fn get(client: &Client, name: &str) -> Result<UserDetail> {
    client.get(&of(name, "")).await
}

/// # Errors
/// As [`get`].
pub async fn belongings(client: &Client, name: &str) -> Result<Belongings> {
    client.get(&of(name, "/belongings")).await
}

/// Deletes a user for good, with what Flowdeck keeps of them; the answer is what they had.
///
/// # Errors
/// 409 for the last administrator, and for oneself.
pub async fn delete(client: &Client, name: &str) -> Result<Belongings> {
    client.send(Method::Delete, &of(name, ""), &()).await
}

/// The old password stops at once; the link sets a new one.
///
/// # Errors
/// As [`get`]; 409 for who is deactivated.
pub async fn reset(client: &Client, name: &str) -> Result<UserMade> {
    client.send(Method::Post, &of(name, "/reset"), &()).await
}

/// Sessions, keys and the password stop at once.
///
/// # Errors
/// 409 for the last administrator, and for oneself.
pub async fn deactivate(client: &Client, name: &str) -> Result<UserMade> {
    client.send(Method::Post, &of(name, "/deactivate"), &()).await
}

/// The link sets a new password; keys that worked before work again.
///
/// # Errors
/// As [`get`].
pub async fn reactivate(client: &Client, name: &str) -> Result<UserMade> {
    client.send(Method::Post, &of(name, "/reactivate"), &()).await
}

/// # Errors
/// As [`get`].
pub async fn sessions(client: &Client, name: &str) -> Result<Vec<UserSession>> {
    Ok(client.get::<UserSessions>(&of(name, "/sessions")).await?.sessions)
}

/// Ends one session, or with `None` all.
///
/// # Errors
/// 404 where it has ended already.
pub async fn end_sessions(client: &Client, name: &str, id: Option<&str>) -> Result<SessionsEnded> {
    let rest = id.map_or_else(|| "/sessions".to_owned(), |id| format!("/sessions/{}", escape(id)));
    client.send(Method::Delete, &of(name, &rest), &()).await
}
