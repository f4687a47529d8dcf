//! Who has access: to one thing, or as a matrix of people and roles by experiments and models; and what one has oneself.

use serde::{Deserialize, Serialize};

use super::{
    explain::Can,
    grant::{Grant, Kind, Level, Target},
};
use crate::{
    api::{Client, Method, Result},
    route::escape,
    state::query::Query,
};

/// Who may do what with one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Access {
    pub on: Target,
    pub name: Option<String>,
    /// Those whose level is not merely the default, and with `everyone=true` the rest too; by level, then by name.
    pub people: Vec<Person>,
    /// That match `q`, on all pages.
    pub total: usize,
    /// Who has nothing but the default.
    pub others: usize,
    /// With a grant on it, or on all of its kind.
    pub roles: Vec<RoleAccess>,
    /// What everybody has where nothing is granted; `null` is nothing.
    pub default: Option<Level>,
    pub default_known: bool,
    /// MLflow lets whoever asks change who may do what here.
    pub may_manage: bool,
    /// The asker is an administrator. To others MLflow tells direct grants and roles, but not who has which role: then levels of
    /// people are those of their direct grants.
    pub complete: bool,
    pub read_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Person {
    pub user: String,
    pub active: bool,
    pub service: bool,
    /// What they have in the end; `null` is nothing.
    pub level: Option<Level>,
    /// What was granted to them on this very thing.
    pub direct: Option<Level>,
    pub source: Source,
    /// The roles of theirs that say something of it.
    pub roles: Vec<String>,
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Source {
    /// An administrator may everything.
    Admin,
    /// May manage the whole workspace.
    Workspace,
    /// A grant on this very thing.
    Direct,
    /// A grant of a role of theirs.
    Role,
    /// A grant on all of the kind.
    All,
    Default,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleAccess {
    pub role: String,
    /// By a grant on this very thing.
    pub direct: Option<Level>,
    /// By a grant on all of its kind.
    pub all: Option<Level>,
    /// `None` where MLflow does not tell the asker.
    pub members: Option<usize>,
}

/// A part of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Matrix {
    pub rows: Vec<MatrixRow>,
    /// How many rows there are that match.
    pub rows_total: usize,
    pub columns: Vec<MatrixColumn>,
    pub columns_total: usize,
    pub default: Option<Level>,
    pub default_known: bool,
    pub read_at: i64,
}

/// One experiment or model at the head of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct MatrixColumn {
    pub on: Target,
    pub name: String,
}

/// One person's or role's cells: a letter for each column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct MatrixRow {
    pub subject: super::grant::Subject,
    /// What they have in the end: `R`, `U`, `E`, `M`, `D` (DENY), and `-` for nothing.
    pub levels: String,
    /// What was granted on this very thing to this very subject, in the same letters; `-` where nothing was.
    pub grants: String,
    pub admin: bool,
    pub active: bool,
}

/// What one has oneself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OwnAccess {
    pub user: String,
    pub admin: bool,
    /// Direct ones.
    pub grants: Vec<Grant>,
    pub roles: Vec<OwnRole>,
    pub default: Option<Level>,
    pub default_known: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OwnRole {
    pub role: String,
    /// Of which groups one has it.
    pub groups: Vec<String>,
    pub grants: Vec<Grant>,
}

/// What became of a file of grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Import {
    /// What the file asks for and is not so yet: to be shown by `preview` and made by `apply`.
    pub edits: Vec<super::change::Edit>,
    /// Lines that are so already.
    pub unchanged: usize,
    /// Lines that cannot be read.
    pub faulty: usize,
    /// The first of them.
    pub faults: Vec<ImportFault>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ImportFault {
    /// The first is 1.
    pub line: usize,
    pub message: String,
}

// === impl Can ===

impl Can {
    /// What a level alone allows.
    pub fn of(level: Option<Level>) -> Self {
        let rank = level.map_or(0, Level::rank);
        Self {
            read: rank >= 1,
            edit: rank >= 3,
            delete: rank >= 4,
            manage: rank >= 4,
        }
    }
}

/// The letter of a level in a matrix.
pub fn letter(level: Option<Level>) -> char {
    match level {
        None => '-',
        Some(Level::Read) => 'R',
        Some(Level::Use) => 'U',
        Some(Level::Edit) => 'E',
        Some(Level::Manage) => 'M',
        Some(Level::Deny) => 'D',
    }
}

/// The level of a letter in a matrix.
pub fn level(letter: char) -> Option<Level> {
    Level::ALL.into_iter().find(|level| self::letter(Some(*level)) == letter)
}

/// Who has access to one thing. `query`: `q` (part of a name), `everyone=true`, `offset`, `limit` (100, at most 500).
///
/// # Errors
/// 403 for who may not manage it.
pub async fn of(client: &Client, on: &Target, query: &Query) -> Result<Access> {
    let query = query.clone().with("kind", on.kind.name()).with("id", &on.id);
    client.get(&format!("/api/flowdeck/v1/access{}", query.href())).await
}

/// A part of the matrix. `query`: `kind` (`experiment`, `registered_model` or `prompt`; both first ones where it is left out),
/// `subjects` (`people`, `roles`; both), `rows` and `columns` (parts of names), `row`, `column` (the first ones to tell),
/// `height`, `width` (100, at most 500).
///
/// # Errors
/// 403 where one is no administrator.
pub async fn matrix(client: &Client, query: &Query) -> Result<Matrix> {
    client.get(&format!("/api/flowdeck/v1/access/matrix{}", query.href())).await
}

/// # Errors
/// As all calls.
pub async fn own(client: &Client) -> Result<OwnAccess> {
    client.get("/api/flowdeck/v1/access/own").await
}

/// The path of all direct grants as a file: `user,resource_type,resource,permission`.
pub const EXPORT: &str = "/api/flowdeck/v1/access/export";

/// Reads a file of grants, and changes nothing: `user,resource_type,resource,permission`, where an empty permission takes a grant away.
///
/// # Errors
/// 413 for a file that is too large; what is wrong in its lines is in the answer.
pub async fn import(client: &Client, csv: &str) -> Result<Import> {
    #[derive(Serialize)]
    struct Body<'a> {
        csv: &'a str,
    }
    client.send(Method::Post, "/api/flowdeck/v1/access/import", &Body { csv }).await
}

/// One thing's address in the query of [`of`].
pub fn query_of(kind: Kind, id: &str) -> String {
    format!("kind={}&id={}", kind.name(), escape(id))
}
