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
        account,
        change::{
            before,
            rest::{owner, request_id},
        },
        index::{self, Changing},
        invite,
        journal::{self, Author, Wanted},
        world::World,
    },
    caller,
    error::{Error, Result},
    extract,
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
    let account = Account {
        active: true,
        service: wish.service,
    };
    let password = account::make(state, &author, name, account).await?;
    let edit = Edit::Account {
        user: name.to_owned(),
        was: None,
        will: Some(account),
    };
    state.index.amend(|world| world.make(&edit, None));
    let by = author.who.user.clone();
    let finished = finish(state, &author, headers, name, &password, wish).await;
    let link = match finished {
        Ok(link) => link,
        Err(error) => {
            account::take_back(state, &author, name).await;
            state.index.amend(|world| world.leave(name));
            return Err(error);
        }
    };
    journal::note_account(state, &by, request_id(headers), "", vec![edit]).await?;
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
    if wish.service {
        return Ok(None);
    }
    invite::make(state, headers, name, password, &author.who.user, true).await.map(Some)
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
        remove(&state, spared, &headers, &name).await?;
        Ok(Json(had))
    })
    .await
}

/// Takes a user, with all that is theirs, out of MLflow, where they are still there, and out of Flowdeck.
pub async fn remove(state: &state::State, spared: Spared<'_>, headers: &HeaderMap, name: &str) -> Result<()> {
    let Spared { author, world, one } = spared;
    let edit = Edit::Account {
        user: name.to_owned(),
        was: world.users.get(name).map(|user| user.account()),
        will: None,
    };
    // MLflow takes all of it at one stroke.
    let mut edits = before(&world, &edit);
    edits.push(edit);
    let wanted = Wanted {
        edits,
        whole: false,
        reason: String::new(),
        request_id: request_id(headers),
        undoes: None,
    };
    journal::apply_at_one_stroke(state, &author, one, World::clone(&world), wanted).await?;
    tracing::info!(name, by = author.who.user, "a user was deleted");
    Ok(())
}

/// An owner who is about to take somebody's sign-in away, and a world to look at first. As long as it is there, nobody else does so.
pub struct Spared<'a> {
    author: Author,
    world: Arc<World>,
    one: Changing<'a>,
}

/// Whose sign-in it is must not be the last administrator, nor the owner.
pub async fn spared<'a>(state: &'a state::State, principal: &Principal, name: &str) -> Result<Spared<'a>> {
    state.audit.can_write()?;
    // Who is no owner is told so at once, and holds none up.
    caller::reader(state, principal).await?;
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
    Ok(Spared { author, world, one })
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
        let password = account::replace_password(&state, &author, &name, user.service).await?;
        let link = link(&state, &author, &headers, &name, password).await?;
        state.db.end_sessions(&name).await?;
        state.doubt(&name);
        let account = Some(user.account());
        let edit = Edit::Account {
            user: name.clone(),
            was: account,
            will: account,
        };
        journal::note_account(&state, &author.who.user, request_id(&headers), "Reset the password", vec![edit]).await?;
        Ok(Json(UserMade { name, link }))
    })
    .await
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
        let Spared { author, world, one: _one } = spared(&state, &principal, &name).await?;
        let user = world.users.get(&name).ok_or_else(gone)?;
        if !user.active {
            return Err(Error::Conflict("this user is deactivated already".into()));
        }
        account::stop(&state, &author, &name).await?;
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
        let Some(stopped) = state.db.inactive_user(&name).await? else {
            return Err(Error::Conflict("this user is not deactivated".into()));
        };
        let password = account::begin_again(&state, &author, &name, user.service, Some(stopped)).await?;
        let link = link(&state, &author, &headers, &name, password).await?;
        set_active(&state, &author, &headers, &name, user.service, true).await?;
        tracing::info!(name, by = author.who.user, "a user was reactivated");
        Ok(Json(UserMade { name, link }))
    })
    .await
}

async fn set_active(state: &state::State, author: &Author, headers: &HeaderMap, name: &str, service: bool, active: bool) -> Result<()> {
    let account = |active| Some(Account { active, service });
    let edit = Edit::Account {
        user: name.to_owned(),
        was: account(!active),
        will: account(active),
    };
    state.index.amend(|world| world.make(&edit, None));
    journal::note_account(state, &author.who.user, request_id(headers), "", vec![edit]).await
}

/// A one-time link that replaces the password; a service account has none.
async fn link(
    state: &state::State,
    author: &Author,
    headers: &HeaderMap,
    name: &str,
    password: Option<Zeroizing<String>>,
) -> Result<Option<Link>> {
    match password {
        Some(password) => invite::make(state, headers, name, &password, &author.who.user, false)
            .await
            .map(Some),
        None => Ok(None),
    }
}
