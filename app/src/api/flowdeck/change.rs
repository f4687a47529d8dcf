//! Changes of who may do what: tried out first, made all or not at all, kept, and undone.
//!
//! Each edit says what it found (`was`) and what is to be (`will`). Where somebody else has changed it meanwhile, nothing is done.

use serde::{Deserialize, Serialize};

use super::grant::{Level, Subject, Target};
use crate::{
    api::{Client, Method, Result},
    route::escape,
    state::query::Query,
};

/// One thing that is changed. `null` and `false` stand for what is not there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Edit {
    /// A grant to a user or a role.
    Grant {
        to: Subject,
        on: Target,
        was: Option<Level>,
        will: Option<Level>,
    },
    /// Whether a user has a role.
    Member {
        role: String,
        user: String,
        was: bool,
        will: bool,
        /// The group that it comes and goes with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// Whether a user is an administrator.
    Admin { user: String, was: bool, will: bool },
    /// A role is made, described or deleted. With it go its grants and its members: their edits come along by themselves.
    Role {
        role: String,
        was: Option<Text>,
        will: Option<Text>,
    },
    /// A role gets another name.
    RoleName { was: String, will: String },
    /// A group is made, described or deleted; its members lose its roles then.
    Group {
        group: String,
        was: Option<Text>,
        will: Option<Text>,
    },
    /// Whether a user is in a group, and so has its roles.
    GroupMember {
        group: String,
        user: String,
        was: bool,
        will: bool,
    },
    /// Whether who is in a group has a role.
    GroupRole {
        group: String,
        role: String,
        was: bool,
        will: bool,
    },
    /// What became of a user's account. It has routes of its own, and is taken back like the others, but for the password.
    Account {
        user: String,
        was: Option<Account>,
        will: Option<Account>,
    },
}

/// What is said of a role or a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = RoleText))]
pub struct Text {
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = AccountText))]
pub struct Account {
    pub active: bool,
    pub service: bool,
}

/// A set of edits, as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ChangeWish {
    /// At most 2000, in the order in which they are to be made.
    pub edits: Vec<Edit>,
    /// To be tried out only, instead of edits: the id of a change that is to be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// Why, for those who look later.
    #[serde(default)]
    pub reason: String,
}

/// What a set of edits would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Preview {
    /// All that would be done, with what comes along.
    pub edits: Vec<Edit>,
    /// Who gets more than they have.
    pub gains: Effects,
    /// Who gets less.
    pub losses: Effects,
    /// What is no longer as the edits found it: as they are, they would be refused.
    pub conflicts: Vec<Conflict>,
    /// Why they would be refused all the same, or what one should know before.
    pub refused: Option<String>,
    pub warnings: Vec<String>,
    pub read_at: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Effects {
    /// Pairs of a person and a thing.
    pub count: usize,
    pub people: usize,
    pub things: usize,
    /// The first 200, by person.
    pub listed: Vec<Effect>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Effect {
    pub user: String,
    pub on: Target,
    pub name: String,
    /// What they have in the end; `null` is nothing.
    pub was: Option<Level>,
    pub will: Option<Level>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Conflict {
    /// The first is 0.
    pub edit: usize,
    /// What is so now, in a sentence.
    pub says: String,
}

/// A change that was made, or tried. Times are ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Change {
    pub id: String,
    pub at: i64,
    pub by: String,
    pub reason: String,
    pub state: ChangeState,
    pub edits: Vec<Edit>,
    /// The call's, as the audit has it.
    pub request_id: String,
    /// The change that this one takes back.
    pub undoes: Option<String>,
    /// The change that has taken this one back.
    pub undone_by: Option<String>,
    /// Why it was not made, or not to its end.
    pub trouble: Option<String>,
    pub can_undo: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ChangeState {
    /// Under way.
    Applying,
    Applied,
    /// It failed, and what was done of it was taken back.
    Reverted,
    /// MLflow went away in the middle: it is resumed when both are back, or by `resume`.
    Interrupted,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ChangePage {
    /// The newest first.
    pub changes: Vec<Change>,
    /// To go on with, as `before`.
    pub next: Option<String>,
    /// What the things are called that they are about, as far as that is known at the moment.
    #[serde(default)]
    pub names: Vec<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Named {
    pub on: Target,
    pub name: String,
}

const CHANGES: &str = "/api/flowdeck/v1/changes";

// === impl Edit ===

impl Edit {
    /// The edit that takes this one back.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Grant { to, on, was, will } => Self::Grant {
                to,
                on,
                was: will,
                will: was,
            },
            Self::Member {
                role,
                user,
                was,
                will,
                group,
            } => Self::Member {
                role,
                user,
                was: will,
                will: was,
                group,
            },
            Self::Admin { user, was, will } => Self::Admin {
                user,
                was: will,
                will: was,
            },
            Self::Role { role, was, will } => Self::Role {
                role,
                was: will,
                will: was,
            },
            Self::RoleName { was, will } => Self::RoleName { was: will, will: was },
            Self::Group { group, was, will } => Self::Group {
                group,
                was: will,
                will: was,
            },
            Self::GroupMember { group, user, was, will } => Self::GroupMember {
                group,
                user,
                was: will,
                will: was,
            },
            Self::GroupRole { group, role, was, will } => Self::GroupRole {
                group,
                role,
                was: will,
                will: was,
            },
            Self::Account { user, was, will } => Self::Account {
                user,
                was: will,
                will: was,
            },
        }
    }

    /// Whether it changes anything at all.
    pub fn is_empty(&self) -> bool {
        *self == self.clone().reversed()
    }
}

/// What `wish` would do; changes nothing.
///
/// # Errors
/// 400 for an edit that cannot be, 403 for one that MLflow does not leave to whoever asks.
pub async fn preview(client: &Client, wish: &ChangeWish) -> Result<Preview> {
    client.send(Method::Post, &format!("{CHANGES}/preview"), wish).await
}

/// Makes all edits, or none.
///
/// # Errors
/// As [`preview`]; 409 where something is no longer as it was found, and for the last administrator; 502 where MLflow has gone away
/// in the middle: the change is resumed then.
pub async fn apply(client: &Client, wish: &ChangeWish) -> Result<Change> {
    client.send(Method::Post, CHANGES, wish).await
}

/// `query`: `user`, `role`, `group`, `kind` and `id` (what it was about), `by`, `request` (the `request-id` of a call, as the audit
/// has it), `before` (a change's id), `limit` (50, at most 200).
///
/// # Errors
/// 403 where one is no administrator.
pub async fn list(client: &Client, query: &Query) -> Result<ChangePage> {
    client.get(&format!("{CHANGES}{}", query.href())).await
}

/// # Errors
/// 404 where there is none of that id.
pub async fn get(client: &Client, id: &str) -> Result<Change> {
    client.get(&format!("{CHANGES}/{}", escape(id))).await
}

/// Takes a change back, by another change.
///
/// # Errors
/// As [`apply`]: what somebody has changed since is not overwritten.
pub async fn undo(client: &Client, id: &str) -> Result<Change> {
    client.send(Method::Post, &format!("{CHANGES}/{}/undo", escape(id)), &()).await
}

/// Goes on with a change that was interrupted.
///
/// # Errors
/// As [`apply`].
pub async fn resume(client: &Client, id: &str) -> Result<Change> {
    client.send(Method::Post, &format!("{CHANGES}/{}/resume", escape(id)), &()).await
}

#[cfg(test)]
mod tests {
    use super::{Edit, Subject, Target};
    use crate::api::flowdeck::grant::{Kind, Level};

    #[test]
    fn an_edit_is_what_the_server_reads() {
        let text = r#"{"edit":"grant","to":{"user":"ada"},"on":{"kind":"experiment","id":"7"},"was":null,"will":"EDIT"}"#;
        let edit: Edit = serde_json::from_str(text).unwrap();
        let grant = |was, will| Edit::Grant {
            to: Subject::User("ada".into()),
            on: Target::new(Kind::Experiment, "7"),
            was,
            will,
        };
        assert_eq!(edit, grant(None, Some(Level::Edit)));
        assert_eq!(edit.clone().reversed(), grant(Some(Level::Edit), None));
        assert!(!edit.is_empty() && grant(None, None).is_empty());
        assert_eq!(serde_json::to_string(&edit).unwrap(), text);
    }
}
