//! Rules over names: what is called like this, a role gets this much of. Flowdeck keeps MLflow's grants in step with them.

use serde::{Deserialize, Serialize};

use super::grant::{Kind, Level, Target};
use crate::{
    api::{Client, Method, Result},
    route::escape,
};

/// A rule. Times are ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Rule {
    pub id: String,
    /// `experiment`, `registered_model` or `prompt`.
    pub kind: Kind,
    /// `*` stands for any letters, `?` for one; all else for itself: `team-a/*`.
    pub pattern: String,
    pub role: String,
    pub level: Level,
    pub enabled: bool,
    /// Whose credentials it is kept up with.
    pub by: String,
    pub changed_at: i64,
    pub kept_at: Option<i64>,
    /// Why it cannot be kept up at the moment.
    pub trouble: Option<String>,
    /// Another one with each change.
    pub version: i64,
    pub counts: RuleCounts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RuleCounts {
    pub kept: usize,
    /// Grants to be made.
    pub missing: usize,
    /// Grants that somebody has changed or taken away by hand.
    pub drifted: usize,
    /// Grants to be taken away, since the name is another one now.
    pub stray: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Rules {
    pub rules: Vec<Rule>,
    pub read_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RuleDetail {
    pub rule: Rule,
    pub produced: Vec<Produced>,
    pub read_at: i64,
}

/// One thing that a rule is about, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Produced {
    pub on: Target,
    pub name: String,
    pub state: ProducedState,
    /// What the role has of it by its own grant at the moment.
    pub level: Option<Level>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ProducedState {
    Kept,
    Missing,
    Drifted,
    Stray,
}

/// What a rule is made with, or changed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RuleWish {
    pub kind: Kind,
    pub pattern: String,
    pub role: String,
    pub level: Level,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The one that was read, to change a rule.
    #[serde(default)]
    pub version: Option<i64>,
}

fn yes() -> bool {
    true
}

/// How to bring MLflow in step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Keep {
    /// Also what somebody has changed by hand.
    #[serde(default)]
    pub repair: bool,
}

const RULES: &str = "/api/flowdeck/v1/rules";

/// # Errors
/// 403 where one is no administrator.
pub async fn list(client: &Client) -> Result<Rules> {
    client.get(RULES).await
}

/// # Errors
/// 404 where there is none of that id.
pub async fn get(client: &Client, id: &str) -> Result<RuleDetail> {
    client.get(&format!("{RULES}/{}", escape(id))).await
}

/// Makes a rule, and its grants at once.
///
/// # Errors
/// 400 for a pattern or a role that cannot be.
pub async fn create(client: &Client, wish: &RuleWish) -> Result<RuleDetail> {
    client.send(Method::Post, RULES, wish).await
}

/// # Errors
/// As [`create`]; 409 where it has another version by now.
pub async fn change(client: &Client, id: &str, wish: &RuleWish) -> Result<RuleDetail> {
    client.send(Method::Patch, &format!("{RULES}/{}", escape(id)), wish).await
}

/// Deletes a rule and takes its grants away, or leaves them where they are.
///
/// # Errors
/// 404 where there is none of that id.
pub async fn delete(client: &Client, id: &str, leave_grants: bool) -> Result<Rule> {
    let path = format!("{RULES}/{}?leave_grants={leave_grants}", escape(id));
    client.send(Method::Delete, &path, &()).await
}

/// Brings MLflow in step with a rule now.
///
/// # Errors
/// As [`super::change::apply`].
pub async fn keep(client: &Client, id: &str, keep: Keep) -> Result<RuleDetail> {
    client.send(Method::Post, &format!("{RULES}/{}/keep", escape(id)), &keep).await
}
