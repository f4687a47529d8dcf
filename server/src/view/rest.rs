//! `/api/flowdeck/v1/views`: keeping, listing, changing and deleting named views. Times are ms since 1970.

use app::page::experiment::EVERY;
use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{DefaultFor, Place, default, places};
use crate::{
    audit::{Note, Resource},
    caller, clock,
    db::view::Row,
    error::{Error, Result},
    extract,
    mlflow::{self, Experiment, Who},
    principal::Principal,
    state,
    vault::hex,
};

/// Of one user.
const MOST: i64 = 500;
/// That are told at one experiment.
const MOST_TOLD: i64 = 1000;
const LONGEST_NAME: usize = 100;
/// Bytes.
const LONGEST_STATE: usize = 8192;
const LONGEST_FOLDER: usize = 500;

/// The body of create and change. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ViewWanted)]
pub struct Wanted {
    /// Needed to make a view.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// The query string of the page, without its question mark.
    #[schema(max_length = 8192)]
    state: Option<String>,
    /// `null` is everywhere.
    #[serde(default, deserialize_with = "extract::given")]
    #[schema(value_type = Option<Place>)]
    place: Option<Option<Place>>,
    /// With everyone who may read the experiment that it is offered at.
    shared: Option<bool>,
    /// For whom the page opens with it. `everyone` is for those who may edit the experiment, and elsewhere for owners of this MLflow.
    #[serde(default, deserialize_with = "extract::given")]
    #[schema(value_type = Option<DefaultFor>)]
    default_for: Option<Option<DefaultFor>>,
    /// Whose view it is to be, to make one; only owners of this MLflow name somebody else.
    owner: Option<String>,
    /// The one that was read, to change a view.
    version: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// An experiment's id: one's own and the shared views that are offered there; `all`: those that are offered everywhere. Without it, all of one's own.
    experiment: Option<String>,
    /// Everybody's, for owners of this MLflow.
    #[serde(default)]
    all: bool,
}

/// A view as it is told.
#[derive(Serialize, ToSchema)]
#[schema(as = View)]
pub struct Told {
    id: String,
    owner: String,
    name: String,
    /// The query string of the page, without its question mark.
    state: String,
    /// Where it is offered; `null` is everywhere.
    place: Option<Place>,
    shared: bool,
    default_for: Option<DefaultFor>,
    created_at: i64,
    updated_at: i64,
    /// Another one with each change.
    version: i64,
}

#[derive(Serialize, ToSchema)]
pub struct Views {
    /// By name.
    views: Vec<Told>,
    /// The id of the one that the page of the experiment opens with.
    default: Option<String>,
}

/// `GET /api/flowdeck/v1/views?experiment=` → `{"views":[…],"default":id|null}`
#[utoipa::path(get, path = "/views", tag = "Views", params(Asked), responses((status = 200, body = Views)))]
pub async fn list(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Query(asked): extract::Query<Asked>,
) -> Result<Json<Views>> {
    let rows = match asked {
        Asked {
            experiment: None,
            all: true,
        } => {
            caller::owner(&state, &principal).await?;
            state.db.views().await?
        }
        Asked {
            experiment: None,
            all: false,
        } => state.db.views_of(&caller::name(&state, &principal).await?).await?,
        Asked {
            experiment: Some(id),
            all: false,
        } => {
            let (user, experiment) = if id == EVERY {
                let name = String::new();
                (caller::name(&state, &principal).await?, Experiment { id, name })
            } else {
                note.about(Resource::Experiment, &id);
                // MLflow has taken the caller's credentials when it tells of the experiment.
                let experiment = caller::experiment(&state, &principal, &id).await?;
                (principal.user().unwrap_or_default().to_owned(), experiment)
            };
            let places = serde_json::json!(places(&experiment)).to_string();
            let rows = state.db.views_at(&places, &user, MOST_TOLD).await?;
            let default = default(&rows, &user, &experiment).map(str::to_owned);
            let views = rows.into_iter().map(Told::from).collect();
            return Ok(Json(Views { views, default }));
        }
        Asked { .. } => return Err(Error::BadRequest("experiment= and all= are two questions: ask one".into())),
    };
    let views = rows.into_iter().map(Told::from).collect();
    Ok(Json(Views { views, default: None }))
}

/// `POST /api/flowdeck/v1/views` → 201 and the view
#[utoipa::path(post, path = "/views", tag = "Views", request_body = Wanted, responses((status = 201, body = Told)))]
pub async fn create(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Json(mut wanted): extract::Json<Wanted>,
) -> Result<Response> {
    state.audit.can_write()?;
    let who = caller::who(&state, &principal).await?;
    if wanted.version.is_some() {
        return Err(Error::BadRequest("`version`: a new view has none yet".into()));
    }
    if wanted.name.is_none() {
        return Err(bad_name());
    }
    let owner = wanted.owner.take().unwrap_or_else(|| who.user.clone());
    if owner != who.user && !who.is_admin {
        return Err(Error::Forbidden("only owners of this MLflow make views for others".into()));
    }
    if owner.is_empty() || owner.len() > LONGEST_FOLDER || owner.chars().any(char::is_control) {
        return Err(Error::BadRequest("`owner`: the name of a user".into()));
    }
    let now = clock::now();
    let row = wanted.applied(Row {
        id: hex(&rand::random::<[u8; 8]>()),
        owner,
        name: String::new(),
        state: String::new(),
        place: String::new(),
        shared: false,
        default_for: None,
        created_at: now,
        updated_at: now,
        version: 1,
    })?;
    about(&note, &row);
    permitted(&state, &principal, &who, &row).await?;
    if !state.db.insert_view(&row, MOST).await? {
        return Err(Error::BadRequest(format!(
            "{} has {MOST} views already: delete one first",
            row.owner
        )));
    }
    Ok((StatusCode::CREATED, Json(Told::from(row))).into_response())
}

/// `PATCH /api/flowdeck/v1/views/{id}` → the view; 409 where it has another `version` by now
#[utoipa::path(patch, path = "/views/{id}", tag = "Views", params(("id" = String, Path)), request_body = Wanted, responses((status = 200, body = Told)))]
pub async fn change(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Path(id): extract::Path<String>,
    extract::Json(wanted): extract::Json<Wanted>,
) -> Result<Json<Told>> {
    state.audit.can_write()?;
    let who = caller::who(&state, &principal).await?;
    let old = found(&state, &who, &id).await?;
    about(&note, &old);
    if wanted.owner.as_ref().is_some_and(|owner| *owner != old.owner) {
        return Err(Error::BadRequest("`owner`: a view keeps its owner; make another one".into()));
    }
    let Some(version) = wanted.version else {
        return Err(Error::BadRequest(
            "`version`: the one that was read, so that nobody's change is lost".into(),
        ));
    };
    if version != old.version {
        return Err(changed());
    }
    let mut row = wanted.applied(old.clone())?;
    about(&note, &row);
    if (&row.place, row.shared, &row.default_for) != (&old.place, old.shared, &old.default_for) {
        permitted(&state, &principal, &who, &row).await?;
    }
    row.updated_at = clock::now();
    row.version += 1;
    match state.db.update_view(&row).await? {
        true => Ok(Json(row.into())),
        false => Err(changed()),
    }
}

/// `DELETE /api/flowdeck/v1/views/{id}` → the view as it was, from which POST can make it again
#[utoipa::path(delete, path = "/views/{id}", tag = "Views", params(("id" = String, Path)), responses((status = 200, body = Told)))]
pub async fn delete(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Path(id): extract::Path<String>,
) -> Result<Json<Told>> {
    state.audit.can_write()?;
    let who = caller::who(&state, &principal).await?;
    let row = found(&state, &who, &id).await?;
    about(&note, &row);
    state.db.delete_view(&id).await?;
    Ok(Json(row.into()))
}

/// The caller's own view, or anybody's for owners. Those of others cannot be touched, and are not there.
async fn found(state: &state::State, who: &Who, id: &str) -> Result<Row> {
    let row = state.db.view(id).await?.filter(|row| row.owner == who.user || who.is_admin);
    row.ok_or_else(|| Error::NotFound("there is no such view of yours".into()))
}

/// Whether MLflow lets the caller look at the place where the view is to be offered, and set everyone's default there.
async fn permitted(state: &state::State, principal: &Principal, who: &Who, row: &Row) -> Result<()> {
    let place = Place::of_column(&row.place);
    let told = |error| caller::not_told(principal, &error);
    match &place {
        Some(Place::Experiment(id)) => drop(caller::experiment(state, principal, id).await?),
        Some(Place::Folder(folder)) if row.shared => {
            let authorization = caller::authorization(state, principal).await?;
            if !mlflow::sees_folder(&state.upstream, &authorization, folder).await.map_err(told)? {
                let sentence = "there is no experiment in this folder that MLflow lets you read";
                return Err(Error::NotFound(sentence.into()));
            }
        }
        Some(Place::Folder(_)) | None => {}
    }
    if row.default_for.as_deref() != Some(DefaultFor::Everyone.name()) || who.is_admin {
        return Ok(());
    }
    if let Some(Place::Experiment(id)) = &place {
        let authorization = caller::authorization(state, principal).await?;
        if mlflow::may_edit(&state.upstream, &authorization, &who.user, id)
            .await
            .map_err(told)?
        {
            return Ok(());
        }
    }
    let sentence = "everyone's default is set by those who may edit the experiment, and in folders and everywhere by owners of this MLflow";
    Err(Error::Forbidden(sentence.into()))
}

fn about(note: &Note, row: &Row) {
    if let Some(Place::Experiment(id)) = Place::of_column(&row.place) {
        note.about(Resource::Experiment, &id);
    }
}

fn changed() -> Error {
    Error::Conflict("this view was changed or deleted meanwhile: load it again".into())
}

fn bad_name() -> Error {
    Error::BadRequest("`name`: a view needs a name of 1 to 100 letters, to know it by".into())
}

// === impl Wanted ===

impl Wanted {
    fn applied(self, mut row: Row) -> Result<Row> {
        let bad = |field: &str, sentence: &str| Err(Error::BadRequest(format!("`{field}`: {sentence}")));
        let is_odd = |text: &str| text.chars().any(char::is_control);
        if let Some(name) = self.name {
            row.name = name.trim().to_owned();
            if row.name.is_empty() || row.name.chars().count() > LONGEST_NAME || is_odd(&row.name) {
                return Err(bad_name());
            }
        }
        if let Some(state) = self.state {
            if state.len() > LONGEST_STATE || is_odd(&state) || state.contains('#') {
                return bad("state", "the query string of the page, at most 8192 bytes");
            }
            row.state = state;
        }
        match self.place {
            Some(Some(Place::Experiment(id))) if !(1..=32).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_digit()) => {
                return bad("place", "the id of an experiment is a number");
            }
            Some(Some(Place::Folder(path))) if path.is_empty() || path.len() > LONGEST_FOLDER || is_odd(&path) => {
                return bad("place", "a folder is the beginning of experiments' names, at most 500 bytes");
            }
            Some(place) => row.place = Place::to_column(place.as_ref()),
            None => {}
        }
        row.shared = self.shared.unwrap_or(row.shared);
        if let Some(default_for) = self.default_for {
            row.default_for = default_for.map(|default_for| default_for.name().to_owned());
        }
        if row.default_for.as_deref() == Some(DefaultFor::Everyone.name()) && !row.shared {
            return bad("default_for", "what is not shared is nobody else's default");
        }
        Ok(row)
    }
}

// === impl Told ===

impl From<Row> for Told {
    fn from(row: Row) -> Self {
        Self {
            place: Place::of_column(&row.place),
            default_for: row.default_for.as_deref().and_then(DefaultFor::named),
            id: row.id,
            owner: row.owner,
            name: row.name,
            state: row.state,
            shared: row.shared,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}
