//! A user's life: made with a one-time link, reset, deactivated and back again, deleted with a report. For owners.

use std::{collections::BTreeSet, sync::Arc};

use app::api::flowdeck::{
    change::{Account, Edit},
    invite::Link,
    user::{Belongings, UserMade, UserWish},
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use zeroize::Zeroizing;

use super::{gone, what_they_have};
use crate::{
    admin::{
        change::rest::{owner, request_id},
        index::{self, Changing},
        invite,
        journal::{self, Author, Wanted},
        world::{User, World},
    },
    clock,
    db::{self, user::Inactive},
    error::{Error, Result},
    extract, key,
    mlflow::{
        self, UserError,
        roster::{self, NotDone},
    },
    principal::Principal,
    state,
    whole::whole,
};

/// `POST /api/flowdeck/v1/users` → 201 and the one-time link by which the person sets the password
#[utoipa::path(post, path = "/users", tag = "Users", request_body = UserWish, responses((status = 201, body = UserMade)))]
pub async fn create(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    extract::Json(wish): extract::Json<UserWish>,
) -> Result<Response> {
    let made = whole(async move { make(&state, &principal, &headers, &wish).await }).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// A new user, with all that belongs to it.
pub async fn make(state: &state::State, principal: &Principal, headers: &HeaderMap, wish: &UserWish) -> Result<UserMade> {
    state.audit.can_write()?;
    let author = owner(state, principal).await?;
    let name = wish.name.trim();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    if !(1..=100).contains(&name.len()) || !name.bytes().all(good) || matches!(name, "." | "..") {
        return Err(Error::BadRequest("`name`: 1 to 100 ASCII letters, digits, and - _ . @".into()));
    }
    let password = invite::unknown_password();
    let made = mlflow::create_user(&state.upstream, &author.authorization, name, &password).await;
    made.map_err(|error| match error {
        UserError::Taken => Error::BadRequest("`name`: MLflow has a user of that name already".into()),
        UserError::Refused => Error::Forbidden(error.to_string()),
        error => Error::Upstream(error.to_string()),
    })?;
    let by = author.who.user.clone();
    let finished = finish(state, &author, headers, name, &password, wish).await;
    let link = match finished {
        Ok(link) => link,
        Err(error) => {
            // Half a user is none.
            let deleted = mlflow::delete_user(&state.upstream, &author.authorization, name).await;
            if let Err(left) = deleted {
                tracing::error!(name, "a user who was not finished could not be deleted again: {left}");
            }
            state.vault.forget(name).await?;
            state.db.forget_user(name).await?;
            state.index.touch();
            return Err(error);
        }
    };
    let account = Account {
        active: true,
        service: wish.service,
    };
    let edit = Edit::Account {
        user: name.to_owned(),
        was: None,
        will: Some(account),
    };
    journal::note_account(state, &by, request_id(headers), "", edit).await?;
    tracing::info!(name, by, "a user was made");
    Ok(UserMade {
        name: name.to_owned(),
        link,
    })
}

/// What makes a new user more than a name.
async fn finish(
    state: &state::State,
    author: &Author,
    headers: &HeaderMap,
    name: &str,
    password: &Zeroizing<String>,
    wish: &UserWish,
) -> Result<Option<Link>> {
    let mut edits = Vec::new();
    for role in wish.roles.iter().collect::<BTreeSet<_>>() {
        edits.push(Edit::Member {
            role: role.clone(),
            user: name.to_owned(),
            was: false,
            will: true,
            group: None,
        });
    }
    if wish.admin {
        edits.push(Edit::Admin {
            user: name.to_owned(),
            was: false,
            will: true,
        });
    }
    if !edits.is_empty() {
        let wanted = Wanted {
            edits,
            whole: true,
            reason: format!("For {name}, who is new"),
            request_id: request_id(headers),
            undoes: None,
        };
        journal::apply(state, author.clone(), wanted).await?;
    }
    let service = wish.service;
    state.index.amend(|world| {
        let user = world.users.entry(name.to_owned()).or_default();
        let user = Arc::make_mut(user);
        user.active = true;
        user.service = service;
    });
    if !wish.service {
        return invite::make(state, headers, name, password, &author.who.user, true).await.map(Some);
    }
    state.vault.put(name, password.as_bytes()).await?;
    let account = db::key::Account {
        name: name.to_owned(),
        created_at: clock::now(),
        created_by: author.who.user.clone(),
    };
    state.db.put_service_account(&account).await?;
    Ok(None)
}

/// `DELETE /api/flowdeck/v1/users/{name}` → what the user had; grants, sessions and own views go, keys are revoked
#[utoipa::path(delete, path = "/users/{name}", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = Belongings)))]
pub async fn delete(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
    headers: HeaderMap,
) -> Result<Json<Belongings>> {
    whole(async move {
        let spared = spared(&state, &principal, &name).await?;
        if !spared.world.users.contains_key(&name) {
            return Err(gone());
        }
        let had = what_they_have(&state, &spared.world, &name).await?;
        remove(&state, &spared, &headers, &name).await?;
        Ok(Json(had))
    })
    .await
}

/// Takes a user, with all that is theirs, out of MLflow, where they are still there, and out of Flowdeck.
pub async fn remove(state: &state::State, spared: &Spared<'_>, headers: &HeaderMap, name: &str) -> Result<()> {
    let Spared { author, world, .. } = spared;
    match mlflow::delete_user(&state.upstream, &author.authorization, name).await {
        Ok(()) | Err(UserError::Missing) => {}
        Err(UserError::Refused) => return Err(Error::Forbidden("MLflow does not allow it".into())),
        Err(error) => return Err(Error::Upstream(error.to_string())),
    }
    state.keys.revoke_all(name).await?;
    state.vault.forget(name).await?;
    state.db.forget_user(name).await?;
    state.doubt(name);
    state.index.amend(|world| {
        index::leave(world, name);
    });
    let edit = Edit::Account {
        user: name.to_owned(),
        was: world.users.get(name).map(|user| account(user)),
        will: None,
    };
    journal::note_account(state, &author.who.user, request_id(headers), "", edit).await?;
    tracing::info!(name, by = author.who.user, "a user was deleted");
    Ok(())
}

/// An owner who is about to take somebody's sign-in away, and a world to look at first. As long as it is there, nobody else does so.
pub struct Spared<'a> {
    author: Author,
    world: Arc<World>,
    _one: Changing<'a>,
}

/// Whose sign-in it is must not be the last administrator, nor the owner.
pub async fn spared<'a>(state: &'a state::State, principal: &Principal, name: &str) -> Result<Spared<'a>> {
    state.audit.can_write()?;
    // Two who put each other out at the same moment: the second is none any more.
    let one = state.index.change().await;
    let author = owner(state, principal).await?;
    let world = state.index.with_admins(state, &author.authorization, name).await;
    let world = world.map_err(|error| index::told(principal, &error))?;
    if world.is_last_admin(name) {
        let sentence = "this is the last administrator who can sign in: make somebody else one first";
        return Err(Error::Conflict(sentence.into()));
    }
    if name == author.who.user {
        return Err(Error::Conflict("this is yourself: let another administrator do it".into()));
    }
    Ok(Spared { author, world, _one: one })
}

fn account(user: &User) -> Account {
    Account {
        active: user.active,
        service: user.service,
    }
}

/// `POST /api/flowdeck/v1/users/{name}/reset` → a one-time link that sets a new password; the old one and all sessions end at once
#[utoipa::path(post, path = "/users/{name}/reset", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserMade)))]
pub async fn reset(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
    headers: HeaderMap,
) -> Result<Json<UserMade>> {
    whole(async move {
        state.audit.can_write()?;
        let author = owner(&state, &principal).await?;
        if name == author.who.user {
            let sentence = "this is yourself: change your password under Account";
            return Err(Error::Conflict(sentence.into()));
        }
        let _one = state.index.change().await;
        let world = state.index.world(&state, &principal).await?;
        let user = world.users.get(&name).ok_or_else(gone)?;
        if !user.active {
            return Err(Error::Conflict("this user is deactivated: reactivate them first".into()));
        }
        let link = new_password(&state, &author, &headers, &name, user.service).await?;
        state.db.end_sessions(&name).await?;
        state.doubt(&name);
        let account = Some(account(user));
        let edit = Edit::Account {
            user: name.clone(),
            was: account,
            will: account,
        };
        journal::note_account(&state, &author.who.user, request_id(&headers), "Reset the password", edit).await?;
        Ok(Json(UserMade { name, link }))
    })
    .await
}

/// A password that nobody knows: a service account's lies in the vault, a person's is changed by a link.
async fn new_password(state: &state::State, author: &Author, headers: &HeaderMap, name: &str, service: bool) -> Result<Option<Link>> {
    let password = invite::unknown_password();
    set_password(state, author, name, &password).await?;
    if service {
        state.vault.put(name, password.as_bytes()).await?;
        return Ok(None);
    }
    state.vault.forget(name).await?;
    invite::make(state, headers, name, &password, &author.who.user, false)
        .await
        .map(Some)
}

async fn set_password(state: &state::State, author: &Author, name: &str, password: &str) -> Result<()> {
    let set = roster::set_password(&state.upstream, &author.authorization, name, password).await;
    set.map_err(|error| match error {
        NotDone::Missing => gone(),
        NotDone::Refused => Error::Forbidden(error.to_string()),
        error => Error::Upstream(error.to_string()),
    })
}

/// `POST /api/flowdeck/v1/users/{name}/deactivate`: sessions, keys and the password stop at once
#[utoipa::path(post, path = "/users/{name}/deactivate", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserMade)))]
pub async fn deactivate(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
    headers: HeaderMap,
) -> Result<Json<UserMade>> {
    whole(async move {
        let Spared { author, world, _one } = spared(&state, &principal, &name).await?;
        let user = world.users.get(&name).ok_or_else(gone)?;
        if !user.active {
            return Err(Error::Conflict("this user is deactivated already".into()));
        }
        set_password(&state, &author, &name, &invite::unknown_password()).await?;
        state.vault.forget(&name).await?;
        state.db.end_sessions(&name).await?;
        state.doubt(&name);
        state.db.delete_invite_of(&name).await?;
        let worked = state.keys.list(|key| key.user == name && key.state == key::State::Active);
        let ids: Vec<&str> = worked.iter().map(|key| key.id.as_str()).collect();
        let row = Inactive {
            name: name.clone(),
            at: clock::now(),
            by: author.who.user.clone(),
            keys: serde_json::to_string(&ids).map_err(anyhow::Error::from)?,
        };
        state.db.put_inactive_user(&row).await?;
        for key in &worked {
            let disable = |key: &mut key::Key| {
                key.state = key::State::Disabled;
                Ok::<_, Error>(())
            };
            state.keys.change(&key.id, disable).await?;
        }
        set_active(&state, &author, &headers, &name, user.service, false).await?;
        tracing::info!(name, by = author.who.user, "a user was deactivated");
        Ok(Json(UserMade { name, link: None }))
    })
    .await
}

/// `POST /api/flowdeck/v1/users/{name}/reactivate` → a one-time link that sets a new password; keys that worked before work again
#[utoipa::path(post, path = "/users/{name}/reactivate", tag = "Users", params(("name" = String, Path)), responses((status = 200, body = UserMade)))]
pub async fn reactivate(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(name): extract::Path<String>,
    headers: HeaderMap,
) -> Result<Json<UserMade>> {
    whole(async move {
        state.audit.can_write()?;
        let author = owner(&state, &principal).await?;
        let _one = state.index.change().await;
        let world = state.index.world(&state, &principal).await?;
        let user = world.users.get(&name).ok_or_else(gone)?;
        let Some(row) = state.db.inactive_user(&name).await? else {
            return Err(Error::Conflict("this user is not deactivated".into()));
        };
        let link = new_password(&state, &author, &headers, &name, user.service).await?;
        let ids: Vec<String> = serde_json::from_str(&row.keys).unwrap_or_default();
        for id in ids {
            let enable = |key: &mut key::Key| {
                if key.state == key::State::Disabled {
                    key.state = key::State::Active;
                }
                Ok::<_, Error>(())
            };
            state.keys.change(&id, enable).await?;
        }
        state.db.delete_inactive_user(&name).await?;
        set_active(&state, &author, &headers, &name, user.service, true).await?;
        tracing::info!(name, by = author.who.user, "a user was reactivated");
        Ok(Json(UserMade { name, link }))
    })
    .await
}

async fn set_active(state: &state::State, author: &Author, headers: &HeaderMap, name: &str, service: bool, active: bool) -> Result<()> {
    state.index.amend(|world| {
        if let Some(user) = world.users.get_mut(name) {
            Arc::make_mut(user).active = active;
        }
    });
    let account = |active| Some(Account { active, service });
    let edit = Edit::Account {
        user: name.to_owned(),
        was: account(!active),
        will: account(active),
    };
    journal::note_account(state, &author.who.user, request_id(headers), "", edit).await
}
