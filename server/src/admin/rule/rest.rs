//! `/api/flowdeck/v1/rules`: making, listing, changing, keeping up and deleting rules over names. For owners.

use app::api::flowdeck::{
    grant::Kind,
    rule::{self, Keep, RuleDetail, RuleWish, Rules},
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Rule, counts, keep, made_by};
use crate::{
    admin::{
        change::rest::{owner, request_id},
        world::World,
    },
    caller, clock,
    db::rule::{Made, Row},
    error::{Error, Result},
    extract,
    principal::Principal,
    state,
    vault::hex,
};

const MOST: usize = 1000;
const LONGEST: usize = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Left {
    /// The grants that it has made stay.
    #[serde(default)]
    leave_grants: bool,
}

/// `GET /api/flowdeck/v1/rules` → all rules over names, and how far MLflow agrees with them
#[utoipa::path(get, path = "/rules", tag = "Rules", responses((status = 200, body = Rules)))]
pub async fn list(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Json<Rules>> {
    caller::reader(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    let made = state.db.rule_grants().await?;
    let rules = state.db.rules().await?.into_iter().map(|row| {
        let made: Vec<Made> = made.iter().filter(|made| made.rule == row.id).cloned().collect();
        told(&world, row, &made).map(|detail| detail.rule)
    });
    Ok(Json(Rules {
        rules: rules.collect::<Result<_>>()?,
        read_at: world.read_at,
    }))
}

/// `POST /api/flowdeck/v1/rules` → 201 and the rule, with what it has made
#[utoipa::path(post, path = "/rules", tag = "Rules", request_body = RuleWish, responses((status = 201, body = RuleDetail)))]
pub async fn create(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    extract::Json(wish): extract::Json<RuleWish>,
) -> Result<Response> {
    state.audit.can_write()?;
    let author = owner(&state, &principal).await?;
    if state.db.rules().await?.len() >= MOST {
        return Err(Error::BadRequest(format!("there are {MOST} rules already: delete one first")));
    }
    let row = Row {
        id: hex(&rand::random::<[u8; 8]>()),
        kind: String::new(),
        pattern: String::new(),
        role: String::new(),
        level: String::new(),
        enabled: true,
        by: String::new(),
        changed_at: 0,
        kept_at: None,
        trouble: None,
        version: 1,
    };
    let world = state.index.world(&state, &principal).await?;
    let row = applied(&world, row, wish, &author.who.user)?;
    state.db.insert_rule(&row).await?;
    if let Err(error) = keep(&state, &author, &row, Keep::default(), &request_id(&headers)).await {
        // It is told with the rule, which is kept up later.
        state.db.note_rule(&row.id, None, Some(&error.to_string())).await?;
    }
    let detail = found(&state, &principal, &row.id).await?;
    Ok((StatusCode::CREATED, Json(detail)).into_response())
}

/// `GET /api/flowdeck/v1/rules/{id}` → a rule, and each thing that it is about
#[utoipa::path(get, path = "/rules/{id}", tag = "Rules", params(("id" = String, Path)), responses((status = 200, body = RuleDetail)))]
pub async fn get(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
) -> Result<Json<RuleDetail>> {
    caller::owner(&state, &principal).await?;
    found(&state, &principal, &id).await.map(Json)
}

/// `PATCH /api/flowdeck/v1/rules/{id}` → the rule; 409 where it has another `version` by now
#[utoipa::path(patch, path = "/rules/{id}", tag = "Rules", params(("id" = String, Path)), request_body = RuleWish, responses((status = 200, body = RuleDetail)))]
pub async fn change(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
    headers: HeaderMap,
    extract::Json(wish): extract::Json<RuleWish>,
) -> Result<Json<RuleDetail>> {
    state.audit.can_write()?;
    let author = owner(&state, &principal).await?;
    let old = state.db.rule(&id).await?.ok_or_else(gone)?;
    let Some(version) = wish.version else {
        return Err(Error::BadRequest(
            "`version`: the one that was read, so that nobody's change is lost".into(),
        ));
    };
    let world = state.index.world(&state, &principal).await?;
    let mut row = applied(&world, old.clone(), wish, &author.who.user)?;
    row.version += 1;
    if version != old.version || !state.db.update_rule(&row).await? {
        return Err(Error::Conflict("this rule was changed or deleted meanwhile: load it again".into()));
    }
    if let Err(error) = keep(&state, &author, &row, Keep::default(), &request_id(&headers)).await {
        state.db.note_rule(&row.id, None, Some(&error.to_string())).await?;
    }
    found(&state, &principal, &id).await.map(Json)
}

/// `POST /api/flowdeck/v1/rules/{id}/keep` → the rule, after MLflow was brought in step with it
#[utoipa::path(post, path = "/rules/{id}/keep", tag = "Rules", params(("id" = String, Path)), request_body = Option<Keep>, responses((status = 200, body = RuleDetail)))]
pub async fn keep_now(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
    headers: HeaderMap,
    extract::Body(body): extract::Body,
) -> Result<Json<RuleDetail>> {
    state.audit.can_write()?;
    let author = owner(&state, &principal).await?;
    let wanted = match &*body {
        b"" | b"null" => Keep::default(),
        body => serde_json::from_slice(body).map_err(|error| Error::BadRequest(error.to_string()))?,
    };
    let row = state.db.rule(&id).await?.ok_or_else(gone)?;
    keep(&state, &author, &row, wanted, &request_id(&headers)).await?;
    found(&state, &principal, &id).await.map(Json)
}

/// `DELETE /api/flowdeck/v1/rules/{id}` → the rule as it was; the grants that it has made go with it
#[utoipa::path(delete, path = "/rules/{id}", tag = "Rules", params(("id" = String, Path), Left), responses((status = 200, body = rule::Rule)))]
pub async fn delete(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    extract::Path(id): extract::Path<String>,
    headers: HeaderMap,
    extract::Query(left): extract::Query<Left>,
) -> Result<Json<rule::Rule>> {
    state.audit.can_write()?;
    let author = owner(&state, &principal).await?;
    let row = state.db.rule(&id).await?.ok_or_else(gone)?;
    let was = found(&state, &principal, &id).await?.rule;
    if !left.leave_grants {
        // As one that is about nothing any more.
        let row = Row { enabled: false, ..row };
        keep(&state, &author, &row, Keep::default(), &request_id(&headers)).await?;
    }
    state.db.delete_rule(&id).await?;
    Ok(Json(was))
}

async fn found(state: &state::State, principal: &Principal, id: &str) -> Result<RuleDetail> {
    let row = state.db.rule(id).await?.ok_or_else(gone)?;
    let world = state.index.world(state, principal).await?;
    told(&world, row, &made_by(state, id).await?)
}

fn told(world: &World, row: Row, made: &[Made]) -> Result<RuleDetail> {
    let rule = Rule::of(&row)?;
    let produced = rule.produced(world, made);
    Ok(RuleDetail {
        rule: rule::Rule {
            counts: counts(&produced),
            id: row.id,
            kind: rule.kind,
            pattern: row.pattern,
            role: row.role,
            level: rule.level,
            enabled: row.enabled,
            by: row.by,
            changed_at: row.changed_at,
            kept_at: row.kept_at,
            trouble: row.trouble,
            version: row.version,
        },
        produced,
        read_at: world.read_at,
    })
}

fn applied(world: &World, mut row: Row, wish: RuleWish, by: &str) -> Result<Row> {
    let bad = |field: &str, sentence: &str| Err(Error::BadRequest(format!("`{field}`: {sentence}")));
    if !matches!(wish.kind, Kind::Experiment | Kind::RegisteredModel | Kind::Prompt) {
        return bad("kind", "`experiment`, `registered_model` or `prompt`");
    }
    if wish.pattern.is_empty() || wish.pattern.len() > LONGEST || wish.pattern.chars().any(char::is_control) {
        return bad("pattern", "1 to 200 letters, of which `*` stands for any and `?` for one");
    }
    if !world.roles.contains_key(&wish.role) {
        return bad("role", "there is no such role");
    }
    row.kind = wish.kind.name().to_owned();
    row.pattern = wish.pattern;
    row.role = wish.role;
    row.level = wish.level.name().to_owned();
    row.enabled = wish.enabled;
    row.by = by.to_owned();
    row.changed_at = clock::now();
    Ok(row)
}

fn gone() -> Error {
    Error::NotFound("there is no such rule".into())
}
