//! MLflow's users, roles and grants, and what grants are about, read and written as a caller.

use app::api::flowdeck::grant::{Kind, Level, Target};
use axum::http::{HeaderValue, Method, StatusCode};
use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ask::{NotTold, escape, get, get_large, question},
    external::{Fault, send},
};
use crate::upstream::Upstream;

/// The workspace that everything lies in where workspaces are off.
pub const WORKSPACE: &str = "default";

/// A user with all roles, also the hidden one that holds direct grants. Of others, who is no administrator is told no roles.
#[derive(Debug, Deserialize)]
pub struct User {
    pub id: i64,
    pub username: String,
    pub is_admin: bool,
    #[serde(default)]
    pub roles: Vec<Held>,
}

/// A role that somebody has. MLflow tells its grants with each of its members; they are not read more than once.
#[derive(Debug, Deserialize)]
pub struct Held {
    pub name: String,
    pub workspace: String,
}

#[derive(Debug, Deserialize)]
pub struct Role {
    pub id: i64,
    pub name: String,
    pub workspace: String,
    pub description: Option<String>,
    #[serde(default)]
    pub permissions: Vec<Grant>,
}

#[derive(Debug, Deserialize)]
pub struct Grant {
    pub id: i64,
    pub resource_type: String,
    pub resource_pattern: String,
    pub permission: String,
}

/// What one has oneself.
#[derive(Debug, Deserialize)]
pub struct Own {
    pub is_admin: bool,
    pub permissions: Vec<OwnGrant>,
}

#[derive(Debug, Deserialize)]
pub struct OwnGrant {
    pub role_name: String,
    pub workspace: String,
    pub resource_type: String,
    pub resource_pattern: String,
    pub permission: String,
}

/// An experiment, model or prompt.
#[derive(Clone, Debug)]
pub struct Thing {
    pub on: Target,
    pub name: String,
    /// Ms since 1970.
    pub created_at: Option<i64>,
}

/// Why a write was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    #[error("MLflow does not know these credentials")]
    Unauthenticated,
    #[error("MLflow does not allow it")]
    Refused,
    #[error("it is there already")]
    Exists,
    #[error("it is not there any more")]
    Missing,
    #[error("MLflow answered {0}")]
    Failed(StatusCode),
    /// It may have been done all the same.
    #[error("{0}")]
    Away(Fault),
}

// === impl Held ===

impl Held {
    /// As of a [`Role`].
    pub fn of_user(&self) -> Option<i64> {
        of_user(&self.name)
    }
}

// === impl Role ===

impl Role {
    /// The user id whose direct grants this role holds, where it is such a one.
    pub fn of_user(&self) -> Option<i64> {
        of_user(&self.name)
    }
}

fn of_user(role: &str) -> Option<i64> {
    role.strip_prefix("__user_")?.strip_suffix("__")?.parse().ok()
}

/// Whether a role's name is one of those that MLflow keeps to itself.
pub fn is_reserved(role: &str) -> bool {
    role.starts_with("__user_")
}

// === impl Grant ===

impl Grant {
    /// `None` for a kind or a level that a newer MLflow may have.
    pub fn read(&self) -> Option<(Target, Level)> {
        read(&self.resource_type, &self.resource_pattern, &self.permission)
    }
}

// === impl OwnGrant ===

impl OwnGrant {
    pub fn read(&self) -> Option<(Target, Level)> {
        read(&self.resource_type, &self.resource_pattern, &self.permission)
    }

    pub fn is_direct(&self) -> bool {
        of_user(&self.role_name).is_some()
    }
}

fn read(kind: &str, id: &str, level: &str) -> Option<(Target, Level)> {
    Some((Target::new(Kind::named(kind)?, id), Level::named(level)?))
}

/// Everybody. To who is no administrator, without the roles of others.
///
/// # Errors
/// [`NotTold`], as for all below.
pub async fn users(upstream: &Upstream, authorization: &HeaderValue) -> Result<Option<Vec<User>>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        users: Vec<User>,
    }
    let answer: Option<Answer> = get_large(upstream, authorization, "/api/2.0/mlflow/users/list").await?;
    Ok(answer.map(|answer| answer.users))
}

/// All roles with their grants; `None` for who has no role at all. Only administrators are told without `workspace`.
///
/// # Errors
/// [`NotTold`].
pub async fn roles(upstream: &Upstream, authorization: &HeaderValue) -> Result<Option<Vec<Role>>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        roles: Vec<Role>,
    }
    let path = format!("/api/3.0/mlflow/roles/list?workspace={WORKSPACE}");
    let answer: Option<Answer> = get_large(upstream, authorization, &path).await?;
    Ok(answer.map(|answer| answer.roles))
}

/// One user; `None` where there is none.
///
/// # Errors
/// [`NotTold`].
pub async fn user(upstream: &Upstream, authorization: &HeaderValue, name: &str) -> Result<Option<User>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        user: User,
    }
    let path = format!("/api/2.0/mlflow/users/get?username={}", escape(name));
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    Ok(answer.map(|answer| answer.user))
}

/// The roles of one user, with their grants.
///
/// # Errors
/// [`NotTold`].
pub async fn roles_of(upstream: &Upstream, authorization: &HeaderValue, name: &str) -> Result<Option<Vec<Role>>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        roles: Vec<Role>,
    }
    let path = format!("/api/3.0/mlflow/users/roles/list?username={}", escape(name));
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    Ok(answer.map(|answer| answer.roles))
}

/// One role; `None` where there is none.
///
/// # Errors
/// [`NotTold`].
pub async fn role(upstream: &Upstream, authorization: &HeaderValue, id: i64) -> Result<Option<Role>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        role: Role,
    }
    let answer: Option<Answer> = get(upstream, authorization, &format!("/api/3.0/mlflow/roles/get?role_id={id}")).await?;
    Ok(answer.map(|answer| answer.role))
}

/// The ids of the users who have a role.
///
/// # Errors
/// [`NotTold`].
pub async fn members(upstream: &Upstream, authorization: &HeaderValue, role: i64) -> Result<Option<Vec<i64>>, NotTold> {
    #[derive(Deserialize)]
    struct Assignment {
        user_id: i64,
    }
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        assignments: Vec<Assignment>,
    }
    let path = format!("/api/3.0/mlflow/roles/users/list?role_id={role}");
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    Ok(answer.map(|answer| answer.assignments.iter().map(|assignment| assignment.user_id).collect()))
}

/// What the caller has.
///
/// # Errors
/// [`NotTold`].
pub async fn own(upstream: &Upstream, authorization: &HeaderValue) -> Result<Option<Own>, NotTold> {
    get(upstream, authorization, "/api/3.0/mlflow/users/current/permissions").await
}

/// What MLflow reckons with for a user; it does not ask whether they are an administrator, nor whether there is such a thing.
///
/// # Errors
/// [`NotTold`].
pub async fn permission(upstream: &Upstream, authorization: &HeaderValue, user: &str, on: &Target) -> Result<Option<String>, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        permission: String,
    }
    let (user, kind, id) = (escape(user), on.kind.name(), escape(&on.id));
    let path = format!("/api/3.0/mlflow/users/permissions/get?username={user}&resource_type={kind}&resource_id={id}");
    let answer: Option<Answer> = get(upstream, authorization, &path).await?;
    Ok(answer.map(|answer| answer.permission))
}

/// Whether this MLflow has workspaces; one before 3.17 does not tell, and has none that Flowdeck could use.
///
/// # Errors
/// [`NotTold`].
pub async fn has_workspaces(upstream: &Upstream, authorization: &HeaderValue) -> Result<bool, NotTold> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        workspaces_enabled: bool,
    }
    let answer: Option<Answer> = get(upstream, authorization, "/api/3.0/mlflow/server-info").await?;
    Ok(answer.is_some_and(|answer| answer.workspaces_enabled))
}

/// Every experiment, model and prompt that the caller may read.
///
/// # Errors
/// [`NotTold`].
pub async fn things(upstream: &Upstream, authorization: &HeaderValue) -> Result<Vec<Thing>, NotTold> {
    #[derive(Deserialize)]
    struct Experiment {
        experiment_id: String,
        name: String,
        creation_time: Option<i64>,
    }
    #[derive(Deserialize)]
    struct Model {
        name: String,
        creation_timestamp: Option<i64>,
    }
    let experiments = pages(
        upstream,
        authorization,
        "/api/2.0/mlflow/experiments/search?max_results=5000",
        "experiments",
    );
    let models = "/api/2.0/mlflow/registered-models/search?max_results=1000";
    let filter = escape("tags.`mlflow.prompt.is_prompt` = 'true'");
    let prompts = format!("{models}&filter={filter}");
    let models = pages(upstream, authorization, models, "registered_models");
    let prompts = pages(upstream, authorization, &prompts, "registered_models");
    let (experiments, models, prompts) = futures::try_join!(experiments, models, prompts)?;
    let experiments = experiments.into_iter().map(|found: Experiment| Thing {
        on: Target::new(Kind::Experiment, found.experiment_id),
        name: found.name,
        created_at: found.creation_time,
    });
    let named = |kind| {
        move |found: Model| Thing {
            on: Target::new(kind, found.name.clone()),
            name: found.name,
            created_at: found.creation_timestamp,
        }
    };
    let models = models.into_iter().map(named(Kind::RegisteredModel));
    Ok(experiments
        .chain(models)
        .chain(prompts.into_iter().map(named(Kind::Prompt)))
        .collect())
}

/// More pages than this are not read: a token that does not end would never end.
const MOST_PAGES: usize = 1000;

async fn pages<T: serde::de::DeserializeOwned>(
    upstream: &Upstream,
    authorization: &HeaderValue,
    path: &str,
    field: &str,
) -> Result<Vec<T>, NotTold> {
    let (mut found, mut token) = (Vec::new(), String::new());
    for _ in 0..MOST_PAGES {
        let path = match token.as_str() {
            "" => path.to_owned(),
            token => format!("{path}&page_token={}", escape(token)),
        };
        let Some(mut answer) = get_large::<Value>(upstream, authorization, &path).await? else {
            break;
        };
        if let Some(Value::Array(items)) = answer.get_mut(field).map(Value::take) {
            found.extend(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()));
        }
        token = answer["next_page_token"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
    }
    Ok(found)
}

async fn write(
    upstream: &Upstream,
    authorization: &HeaderValue,
    method: Method,
    path: &str,
    body: &impl Serialize,
) -> Result<Response, NotDone> {
    let question = question(upstream, authorization, method, path).map_err(|_| NotDone::Away(Fault::Unreachable))?;
    let answer = send(question.json(body)).await.map_err(NotDone::Away)?;
    match answer.status() {
        status if status.is_success() => Ok(answer),
        StatusCode::UNAUTHORIZED => Err(NotDone::Unauthenticated),
        StatusCode::FORBIDDEN => Err(NotDone::Refused),
        StatusCode::NOT_FOUND => Err(NotDone::Missing),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Err(NotDone::Away(Fault::Unreachable)),
        status => {
            // Its message may hold SQL and hashes.
            let body: Value = answer.json().await.unwrap_or_default();
            match body["error_code"].as_str() {
                Some("RESOURCE_ALREADY_EXISTS") => Err(NotDone::Exists),
                Some("RESOURCE_DOES_NOT_EXIST") => Err(NotDone::Missing),
                _ => Err(NotDone::Failed(status)),
            }
        }
    }
}

const V2: &str = "/api/2.0/mlflow";
const V3: &str = "/api/3.0/mlflow";

/// Adds a direct grant.
///
/// # Errors
/// [`NotDone`], as for all below.
pub async fn grant(upstream: &Upstream, authorization: &HeaderValue, user: &str, on: &Target, level: Level) -> Result<(), NotDone> {
    let body = json!({ "username": user, "resource_type": on.kind, "resource_id": on.id, "permission": level });
    let path = format!("{V3}/users/permissions/grant");
    write(upstream, authorization, Method::POST, &path, &body).await.map(drop)
}

/// Takes a direct grant away.
///
/// # Errors
/// [`NotDone`].
pub async fn revoke(upstream: &Upstream, authorization: &HeaderValue, user: &str, on: &Target) -> Result<(), NotDone> {
    let body = json!({ "username": user, "resource_type": on.kind, "resource_id": on.id });
    let path = format!("{V3}/users/permissions/revoke");
    write(upstream, authorization, Method::POST, &path, &body).await.map(drop)
}

/// Adds a grant to a role; the answer is its row.
///
/// # Errors
/// [`NotDone`].
pub async fn add_grant(upstream: &Upstream, authorization: &HeaderValue, role: i64, on: &Target, level: Level) -> Result<i64, NotDone> {
    let body = json!({ "role_id": role, "resource_type": on.kind, "resource_pattern": on.id, "permission": level });
    let path = format!("{V3}/roles/permissions/add");
    let answer: Value = read_answer(write(upstream, authorization, Method::POST, &path, &body).await?).await?;
    answer["role_permission"]["id"].as_i64().ok_or(NotDone::Away(Fault::NotMlflow))
}

/// Changes the level of a grant's row, a role's or a direct one, at one stroke.
///
/// # Errors
/// [`NotDone`].
pub async fn change_grant(upstream: &Upstream, authorization: &HeaderValue, row: i64, level: Level) -> Result<(), NotDone> {
    let body = json!({ "role_permission_id": row, "permission": level });
    let path = format!("{V3}/roles/permissions/update");
    write(upstream, authorization, Method::PATCH, &path, &body).await.map(drop)
}

/// # Errors
/// [`NotDone`].
pub async fn remove_grant(upstream: &Upstream, authorization: &HeaderValue, row: i64) -> Result<(), NotDone> {
    let path = format!("{V3}/roles/permissions/remove");
    let body = json!({ "role_permission_id": row });
    write(upstream, authorization, Method::DELETE, &path, &body).await.map(drop)
}

/// # Errors
/// [`NotDone`].
pub async fn assign(upstream: &Upstream, authorization: &HeaderValue, role: i64, user: &str) -> Result<(), NotDone> {
    let body = json!({ "role_id": role, "username": user });
    write(upstream, authorization, Method::POST, &format!("{V3}/roles/assign"), &body)
        .await
        .map(drop)
}

/// # Errors
/// [`NotDone`].
pub async fn unassign(upstream: &Upstream, authorization: &HeaderValue, role: i64, user: &str) -> Result<(), NotDone> {
    let body = json!({ "role_id": role, "username": user });
    write(upstream, authorization, Method::DELETE, &format!("{V3}/roles/unassign"), &body)
        .await
        .map(drop)
}

/// Makes a role; the answer is its id.
///
/// # Errors
/// [`NotDone`].
pub async fn create_role(upstream: &Upstream, authorization: &HeaderValue, name: &str, description: &str) -> Result<i64, NotDone> {
    let body = json!({ "name": name, "workspace": WORKSPACE, "description": description });
    let answer = write(upstream, authorization, Method::POST, &format!("{V3}/roles/create"), &body).await?;
    let answer: Value = read_answer(answer).await?;
    answer["role"]["id"].as_i64().ok_or(NotDone::Away(Fault::NotMlflow))
}

/// # Errors
/// [`NotDone`].
pub async fn update_role(
    upstream: &Upstream,
    authorization: &HeaderValue,
    role: i64,
    name: &str,
    description: &str,
) -> Result<(), NotDone> {
    let body = json!({ "role_id": role, "name": name, "description": description });
    write(upstream, authorization, Method::PATCH, &format!("{V3}/roles/update"), &body)
        .await
        .map(drop)
}

/// # Errors
/// [`NotDone`].
pub async fn delete_role(upstream: &Upstream, authorization: &HeaderValue, role: i64) -> Result<(), NotDone> {
    let body = json!({ "role_id": role });
    write(upstream, authorization, Method::DELETE, &format!("{V3}/roles/delete"), &body)
        .await
        .map(drop)
}

/// Makes a user, as an administrator may.
///
/// # Errors
/// [`NotDone`].
pub async fn create_user(upstream: &Upstream, authorization: &HeaderValue, user: &str, password: &str) -> Result<(), NotDone> {
    let body = json!({ "username": user, "password": password });
    match write(upstream, authorization, Method::POST, &format!("{V2}/users/create"), &body).await {
        // The only thing that can be wrong with a well-formed name.
        Err(NotDone::Failed(StatusCode::BAD_REQUEST)) => Err(NotDone::Exists),
        made => made.map(drop),
    }
}

/// Deletes a user with all their grants, as an administrator may.
///
/// # Errors
/// [`NotDone`].
pub async fn delete_user(upstream: &Upstream, authorization: &HeaderValue, user: &str) -> Result<(), NotDone> {
    let body = json!({ "username": user });
    write(upstream, authorization, Method::DELETE, &format!("{V2}/users/delete"), &body)
        .await
        .map(drop)
}

/// # Errors
/// [`NotDone`].
pub async fn set_admin(upstream: &Upstream, authorization: &HeaderValue, user: &str, admin: bool) -> Result<(), NotDone> {
    let body = json!({ "username": user, "is_admin": admin });
    write(upstream, authorization, Method::PATCH, &format!("{V2}/users/update-admin"), &body)
        .await
        .map(drop)
}

/// Sets somebody else's password, as an administrator may.
///
/// # Errors
/// [`NotDone`].
pub async fn set_password(upstream: &Upstream, authorization: &HeaderValue, user: &str, password: &str) -> Result<(), NotDone> {
    let body = json!({ "username": user, "password": password });
    write(
        upstream,
        authorization,
        Method::PATCH,
        &format!("{V2}/users/update-password"),
        &body,
    )
    .await
    .map(drop)
}

async fn read_answer<T: serde::de::DeserializeOwned>(answer: Response) -> Result<T, NotDone> {
    answer.json().await.map_err(|_| NotDone::Away(Fault::NotMlflow))
}
