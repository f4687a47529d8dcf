//! `/api/flowdeck/v1/changes`: trying out, making, listing, taking back. Times are ms since 1970.

use std::collections::BTreeSet;

use app::api::flowdeck::{
    change::{Change, ChangePage, ChangeWish, Edit, Named, Preview},
    grant::Kind,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{effects, plan, warnings};
use crate::{
    admin::{
        index,
        journal::{self, Author, Wanted},
    },
    audit::{Note, Resource},
    caller,
    error::{Error, Result},
    extract,
    layer::REQUEST_ID,
    mlflow::Who,
    principal::Principal,
    state,
};

const PAGE: i64 = 50;
const LONGEST_PAGE: i64 = 200;
const LONGEST_REASON: usize = 500;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Changes of this user's account, grants, roles and groups.
    user: Option<String>,
    role: Option<String>,
    group: Option<String>,
    /// With `id`: changes of grants on this thing.
    kind: Option<Kind>,
    id: Option<String>,
    /// Who has made it.
    by: Option<String>,
    /// The `request-id` of the call that has made it, as the audit has it.
    request: Option<String>,
    /// The id of the change before which the page begins.
    before: Option<String>,
    /// 50 where nothing is said, at most 200.
    limit: Option<i64>,
}

/// `POST /api/flowdeck/v1/changes/preview` → what the edits would do; nothing is changed
#[utoipa::path(post, path = "/changes/preview", tag = "Changes", request_body = ChangeWish, responses((status = 200, body = Preview)))]
pub async fn preview(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Json(mut wish): extract::Json<ChangeWish>,
) -> Result<Json<Preview>> {
    note.changes(false);
    let who = caller::who(&state, &principal).await?;
    let whole = wish.undoes.is_none();
    if let Some(id) = wish.undoes.take() {
        if !wish.edits.is_empty() {
            return Err(Error::BadRequest("`undoes`, or `edits`: not both".into()));
        }
        wish.edits = journal::way_back(undoable(&state, &who, &id).await?)?.edits;
    }
    journal::permitted(&who, &wish.edits)?;
    let world = if who.is_admin {
        state.index.world(&state, &principal).await?
    } else {
        let authorization = caller::authorization(&state, &principal).await?;
        let partial = index::partial(&state, &authorization, &who.user).await;
        partial.map_err(|error| index::told(&principal, &error))?.into()
    };
    let told = tokio::task::spawn_blocking(move || {
        let plan = plan(&world, &wish.edits, whole)?;
        let (gains, losses, uncounted) = effects(&world, &plan.after, &plan.edits);
        let mut warnings = warnings(&world, &plan);
        warnings.extend(uncounted);
        Ok::<_, Error>(Preview {
            edits: plan.edits,
            gains,
            losses,
            conflicts: plan.conflicts,
            refused: plan.refused,
            warnings,
            read_at: world.read_at,
        })
    });
    told.await.map_err(anyhow::Error::from)?.map(Json)
}

/// `POST /api/flowdeck/v1/changes` → 201 and the change: all edits are made, or none; 409 where something is no longer as an edit has found it
#[utoipa::path(post, path = "/changes", tag = "Changes", request_body = ChangeWish, responses((status = 201, body = Change)))]
pub async fn apply(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    headers: HeaderMap,
    extract::Json(wish): extract::Json<ChangeWish>,
) -> Result<Response> {
    state.audit.can_write()?;
    let who = caller::who(&state, &principal).await?;
    if wish.undoes.is_some() {
        return Err(Error::BadRequest("`undoes`: a change is taken back by its own route".into()));
    }
    about(&note, &wish.edits);
    let reason = wish.reason.trim().to_owned();
    if reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) {
        return Err(Error::BadRequest("`reason`: at most 500 letters, on one line".into()));
    }
    let author = Author {
        who,
        authorization: caller::authorization(&state, &principal).await?,
    };
    let wanted = Wanted {
        edits: wish.edits,
        whole: true,
        reason,
        request_id: request_id(&headers),
        undoes: None,
    };
    let change = journal::apply(&state, author, wanted).await?;
    Ok((StatusCode::CREATED, Json(change)).into_response())
}

/// `GET /api/flowdeck/v1/changes` → what was changed, the newest first
#[utoipa::path(get, path = "/changes", tag = "Changes", params(Asked), responses((status = 200, body = ChangePage)))]
pub async fn list(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Query(asked): extract::Query<Asked>,
) -> Result<Json<ChangePage>> {
    caller::reader_without_mlflow(&state, &principal).await?;
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Error::BadRequest("`limit`: 1 to 200".into()));
    }
    let named = |word: &str, name: Option<String>| name.map(|name| format!("{word}:{name}"));
    if asked.kind.is_some() != asked.id.is_some() {
        return Err(Error::BadRequest("`kind`, `id`: one says nothing without the other".into()));
    }
    let thing = asked.kind.zip(asked.id).map(|(kind, id)| format!("{}:{id}", kind.name()));
    let what = [
        named("user", asked.user),
        named("role", asked.role),
        named("group", asked.group),
        thing,
    ];
    let mut what = what.into_iter().flatten();
    let first = what.next();
    if what.next().is_some() {
        return Err(Error::BadRequest(
            "`user`, `role`, `group`, `kind` with `id`: ask for one of them".into(),
        ));
    }
    let before = match asked.before {
        None => i64::MAX,
        Some(id) => {
            let row = state.db.change(&id).await?;
            row.ok_or_else(|| Error::BadRequest("`before`: the id of a change".into()))?.number
        }
    };
    let mut rows = state
        .db
        .changes(first.as_deref(), asked.by.as_deref(), asked.request.as_deref(), before, limit + 1)
        .await?;
    let is_more = rows.len() as i64 > limit;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| is_more).map(|row| row.id.clone());
    let changes = rows.into_iter().map(journal::tell).collect::<Result<Vec<_>>>()?;
    let names = names(&state, &changes);
    Ok(Json(ChangePage { changes, next, names }))
}

/// `GET /api/flowdeck/v1/changes/{id}` → one change
#[utoipa::path(get, path = "/changes/{id}", tag = "Changes", params(("id" = String, Path)), responses((status = 200, body = Change)))]
pub async fn get(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
) -> Result<Json<Change>> {
    caller::reader_without_mlflow(&state, &principal).await?;
    journal::found(&state, &id).await.map(Json)
}

/// `POST /api/flowdeck/v1/changes/{id}/undo` → 201 and the change that takes this one back, for owners and who has made it; 409 where somebody has changed it since
#[utoipa::path(post, path = "/changes/{id}/undo", tag = "Changes", params(("id" = String, Path)), responses((status = 201, body = Change)))]
pub async fn undo(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Path(id): extract::Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    state.audit.can_write()?;
    let who = caller::who(&state, &principal).await?;
    about(&note, &undoable(&state, &who, &id).await?.edits);
    let author = Author {
        who,
        authorization: caller::authorization(&state, &principal).await?,
    };
    let change = journal::undo(&state, author, &id, request_id(&headers)).await?;
    Ok((StatusCode::CREATED, Json(change)).into_response())
}

/// A change that this person may take back: any as an owner, else their own.
async fn undoable(state: &state::State, who: &Who, id: &str) -> Result<Change> {
    let found = journal::found(state, id).await;
    if !who.is_admin && !found.as_ref().is_ok_and(|change| change.by == who.user) {
        return Err(caller::not_an_owner());
    }
    found
}

/// `POST /api/flowdeck/v1/changes/{id}/resume` → the change, which goes on where it was interrupted
#[utoipa::path(post, path = "/changes/{id}/resume", tag = "Changes", params(("id" = String, Path)), responses((status = 200, body = Change)))]
pub async fn resume(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
) -> Result<Json<Change>> {
    state.audit.can_write()?;
    let author = owner(&state, &principal).await?;
    journal::resume(&state, author, &id).await.map(Json)
}

/// What things are called, as Flowdeck has read it last.
fn names(state: &state::State, changes: &[Change]) -> Vec<Named> {
    let Some(world) = state.index.last() else { return Vec::new() };
    let edits = changes.iter().flat_map(|change| &change.edits);
    let about: BTreeSet<_> = edits
        .filter_map(|edit| match edit {
            Edit::Grant { on, .. } => Some(on),
            _ => None,
        })
        .collect();
    let named = about.into_iter().filter_map(|on| {
        let name = world.things.name(on)?.to_owned();
        Some(Named { on: on.clone(), name })
    });
    named.collect()
}

/// An owner, who changes something.
///
/// # Errors
/// As [`caller::owner`].
pub async fn owner(state: &state::State, principal: &Principal) -> Result<Author> {
    let who = caller::owner(state, principal).await?;
    let authorization = caller::authorization(state, principal).await?;
    Ok(Author { who, authorization })
}

/// The call's, as the audit has it.
pub fn request_id(headers: &HeaderMap) -> String {
    let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    id.unwrap_or_default().to_owned()
}

fn about(note: &Note, edits: &[Edit]) {
    for edit in edits {
        let Edit::Grant { on, .. } = edit else { continue };
        match on.kind {
            _ if on.is_all() => {}
            Kind::Experiment => note.about(Resource::Experiment, &on.id),
            Kind::RegisteredModel | Kind::Prompt => note.about(Resource::Model, &on.id),
            _ => {}
        }
    }
}
