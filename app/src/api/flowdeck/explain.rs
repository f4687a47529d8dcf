//! Why somebody may see a thing, or may not.

use serde::{Deserialize, Serialize};

use super::grant::{Level, Target};
use crate::{
    api::{Client, Result},
    route::escape,
};

/// What a user may do with one thing, and each step that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Explanation {
    pub user: String,
    pub on: Target,
    pub name: Option<String>,
    /// What MLflow reckons with in the end; `null` is nothing.
    pub level: Option<Level>,
    pub can: Can,
    /// In MLflow's order. The first that decides ends it; what comes later is told as what would have counted.
    pub steps: Vec<Step>,
    /// Whether the user can sign in at all.
    pub active: bool,
    /// MLflow's default could be learned; else it is taken to be nothing.
    pub default_known: bool,
    pub read_at: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Can {
    pub read: bool,
    pub edit: bool,
    pub delete: bool,
    /// Say who else may.
    pub manage: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Step {
    pub why: Why,
    /// Whether the level, or what is said of `delete`, comes from this.
    pub decides: bool,
    pub level: Option<Level>,
    /// The grant's, `*` where it is on all of the kind.
    pub on: Option<Target>,
    /// The groups through which the user has the role.
    pub groups: Vec<String>,
    /// A sentence.
    pub says: String,
    /// Where it is changed.
    pub change: Option<Place>,
}

/// What kind of step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Why {
    /// Administrators pass every check.
    Admin,
    /// Who manages the workspace manages all in it, whatever is denied.
    Workspace,
    /// A DENY, direct or of a role: wins over all other grants.
    Deny,
    /// A grant to the user.
    Direct,
    /// A grant of a role.
    Role,
    /// Nothing is granted: MLflow's `default_permission` holds.
    Default,
    /// A grant below the default is raised to it.
    Floor,
    /// A grant on what lies within (runs, versions …) decides whether it may be deleted with all that.
    Within,
    /// The user is deactivated in Flowdeck.
    Inactive,
}

/// Where something is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Place {
    User(String),
    Role(String),
    Group(String),
    /// MLflow's own configuration.
    Mlflow(String),
}

/// # Errors
/// 403 for somebody else where one is no administrator, 404 where there is no such user.
pub async fn explain(client: &Client, user: &str, on: &Target) -> Result<Explanation> {
    let (user, kind, id) = (escape(user), on.kind.name(), escape(&on.id));
    client
        .get(&format!("/api/flowdeck/v1/explain?user={user}&kind={kind}&id={id}"))
        .await
}

/// For oneself.
///
/// # Errors
/// As all calls.
pub async fn explain_own(client: &Client, on: &Target) -> Result<Explanation> {
    let (kind, id) = (on.kind.name(), escape(&on.id));
    client.get(&format!("/api/flowdeck/v1/explain?kind={kind}&id={id}")).await
}
