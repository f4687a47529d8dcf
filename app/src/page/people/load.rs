//! What these pages ask for. One kind of question and one of answer for all of them: each kind of its own would be compiled anew.

use serde::{Deserialize, Serialize};

use super::user;
use crate::{
    api::{
        Client, Result,
        flowdeck::{
            group::{self, Group, Groups},
            role::{self, RoleDetail, RolePage},
            setting::{self, Settings},
            user::{self as users, UserPage},
        },
    },
    state::query::Query,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Users(Query),
    /// The names of roles and groups, to choose from.
    Choices,
    User(String),
    Roles(Query),
    Role(String),
    Groups,
    Group(String),
    Settings,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Loaded {
    Users(UserPage),
    Choices { roles: Vec<String>, groups: Vec<String> },
    User(Box<user::Shown>),
    Roles(RolePage),
    Role(Box<RoleDetail>),
    Groups(Groups),
    Group(Group),
    Settings(Settings),
}

// === impl Asked ===

impl Asked {
    /// The same, of what MLflow says at this moment.
    pub fn fresh(self) -> Self {
        match self {
            Self::Users(query) => Self::Users(query.with("fresh", "true")),
            Self::Roles(query) => Self::Roles(query.with("fresh", "true")),
            asked => asked,
        }
    }
}

pub async fn load(client: &Client, asked: &Asked) -> Result<Loaded> {
    Ok(match asked {
        Asked::Users(query) => Loaded::Users(users::list(client, query).await?),
        Asked::Choices => {
            let roles = role::list(client, &Query::default().with("limit", "200")).await?.roles;
            let groups = group::list(client).await?.groups;
            Loaded::Choices {
                roles: roles.into_iter().map(|role| role.name).collect(),
                groups: groups.into_iter().map(|group| group.name).collect(),
            }
        }
        Asked::User(name) => Loaded::User(Box::new(user::read(client, name).await?)),
        Asked::Roles(query) => Loaded::Roles(role::list(client, query).await?),
        Asked::Role(name) => Loaded::Role(Box::new(role::get(client, name).await?)),
        Asked::Groups => Loaded::Groups(group::list(client).await?),
        Asked::Group(name) => Loaded::Group(group::get(client, name).await?),
        Asked::Settings => Loaded::Settings(setting::list(client).await?),
    })
}
