//! Groups of people, kept by Flowdeck: who is in one has its roles. They are made, changed and deleted by [`super::change`].

use serde::{Deserialize, Serialize};

use crate::{
    api::{Client, Result},
    route::escape,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Group {
    pub name: String,
    pub description: String,
    pub members: Vec<String>,
    pub roles: Vec<String>,
    /// Members who lack one of its roles in MLflow, as somebody took it from them elsewhere: `(user, role)`.
    pub drift: Vec<GroupDrift>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GroupDrift {
    pub user: String,
    pub role: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Groups {
    pub groups: Vec<Group>,
    pub read_at: i64,
}

/// # Errors
/// 403 where one is no administrator.
pub async fn list(client: &Client) -> Result<Groups> {
    client.get("/api/flowdeck/v1/groups").await
}

/// # Errors
/// 404 where there is none of that name.
pub async fn get(client: &Client, name: &str) -> Result<Group> {
    client.get(&format!("/api/flowdeck/v1/groups/{}", escape(name))).await
}
