//! Roles, as MLflow keeps them. They are made, changed and deleted by [`super::change`].

use serde::{Deserialize, Serialize};

use super::grant::{Grant, Level};
use crate::{
    api::{Client, Result},
    route::escape,
    state::query::Query,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleRow {
    pub name: String,
    pub description: String,
    pub members: usize,
    pub grants: usize,
    /// Flowdeck's groups whose members have it.
    pub groups: Vec<String>,
    /// The patterns of the rules over names that fill it.
    pub rules: Vec<String>,
    /// Of its members, as MLflow's administrators of the workspace: may manage everything.
    pub manages_all: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RolePage {
    pub roles: Vec<RoleRow>,
    pub total: usize,
    pub all: usize,
    /// What everybody has where nothing is granted; `null` is nothing.
    pub default: Option<Level>,
    /// Whether the default could be learned.
    pub default_known: bool,
    pub read_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleDetail {
    pub role: RoleRow,
    pub members: Vec<RoleMember>,
    pub grants: Vec<Grant>,
    pub default: Option<Level>,
    pub default_known: bool,
    pub read_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleMember {
    pub user: String,
    /// The groups that they have it through; empty: it was given to them.
    pub groups: Vec<String>,
}

/// `q`, `sort` (`name`, `members`, `grants`, with a `-` in front for the other way round), `offset`, `limit` (50, at most 200), `fresh=true` to have MLflow
/// asked at this moment.
///
/// # Errors
/// 403 where one is no administrator.
pub async fn list(client: &Client, query: &Query) -> Result<RolePage> {
    client.get(&format!("/api/flowdeck/v1/roles{}", query.href())).await
}

/// # Errors
/// 404 where there is none of that name.
pub async fn get(client: &Client, name: &str) -> Result<RoleDetail> {
    client.get(&format!("/api/flowdeck/v1/roles/{}", escape(name))).await
}
