//! `GET /api/flowdeck/v1/audit`, `/audit/own` and `/audit/export`: who may see which rows.

use axum::{
    Extension, Json,
    extract::{Query, State},
    http::Uri,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    entry::{Shown, Way},
    export::{self, Format},
    search::{self, Filter, Start},
};
use crate::{
    caller,
    error::{Error, Result},
    mlflow,
    principal::Principal,
    state,
};

const PAGE: usize = 100;
const LARGEST: usize = 500;
/// No column holds a longer text.
const LONGEST: usize = 255;

/// The query. An empty value asks for nothing.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The id of an API key.
    #[param(max_length = 255)]
    key: String,
    /// Not for one's own, which name nobody.
    #[param(max_length = 255)]
    user: String,
    #[param(max_length = 255)]
    route: String,
    /// `404`, or `4xx`.
    #[param(pattern = "^([0-9]{3}|[0-9]xx)?$")]
    status: String,
    #[param(max_length = 255)]
    method: String,
    #[param(pattern = "^(session|key|basic|none)?$")]
    way: String,
    /// An experiment's id.
    #[param(max_length = 255)]
    experiment: String,
    /// A run's id.
    #[param(max_length = 255)]
    run: String,
    /// A registered model's name.
    #[param(max_length = 255)]
    model: String,
    /// `yes`: only what a key in shadow mode would have been refused.
    shadow: String,
    /// `yes`: only what changed something.
    changes: String,
    /// Ms since 1970.
    #[param(value_type = Option<i64>, minimum = 0)]
    from: String,
    #[param(value_type = Option<i64>, minimum = 0)]
    to: String,
    /// A part of any text of a row.
    #[param(max_length = 255)]
    q: String,
    /// 1 to 500; 100 where nothing is said. Not for an export.
    #[param(value_type = Option<i64>, minimum = 0)]
    limit: String,
    /// `next` of the page before. Not for an export.
    #[param(value_type = Option<i64>, minimum = 0)]
    cursor: String,
    /// The id of a row, for what is newer. Not for an export.
    #[param(value_type = Option<i64>, minimum = 0)]
    after: String,
    /// `csv` or `jsonl`, for an export only.
    format: String,
    /// `yes`, for an export only: how far it is stands between the rows, in lines of U+001E, the number of rows so far, of calls that were
    /// looked at, and of calls to look at.
    progress: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditRows)]
pub struct Rows<'a> {
    rows: Vec<Shown<'a>>,
    /// What to ask next, as `cursor` or as `after`.
    next: Option<String>,
    /// The page ended here since it had looked for long enough; `next` leads on.
    searched_to: Option<i64>,
}

/// `GET /api/flowdeck/v1/audit` → `{"rows":[…],"next":cursor|null,"searched_to":ms|null}`, newest first.
///
/// `after=ID` gives what is newer than that row, oldest first; `next` is then what to ask after next. Owners see everything, everybody their
/// own calls (`user=`), and whoever may read an experiment or a run (`experiment=`, `run=`) the changes to it.
///
/// # Errors
/// 400 for a query that cannot be understood, 401, 403.
#[utoipa::path(get, path = "/audit", tag = "Audit", params(Asked), responses((status = 200, body = Rows<'_>)))]
pub async fn rows(State(state): State<state::State>, Extension(principal): Extension<Principal>, uri: Uri) -> Result<Response> {
    let asked = Asked::parse(&uri)?;
    let filter = permitted(&state, &principal, asked.filter()?).await?;
    listed(&state, &asked, &filter).await
}

/// `GET /api/flowdeck/v1/audit/own`: the caller's own calls, whichever way they came in, and nobody else's; asked and answered as `/audit`.
///
/// # Errors
/// 400 for a query that cannot be understood or names a user, 401.
#[utoipa::path(get, path = "/audit/own", tag = "Audit", params(Asked), responses((status = 200, body = Rows<'_>)))]
pub async fn own(State(state): State<state::State>, Extension(principal): Extension<Principal>, uri: Uri) -> Result<Response> {
    let asked = Asked::parse(&uri)?;
    if !asked.user.is_empty() {
        return Err(Error::BadRequest("audit/own has your own calls: user= is for audit".into()));
    }
    let mut filter = asked.filter()?;
    filter.user = Some(caller::who(&state, &principal).await?.user);
    listed(&state, &asked, &filter).await
}

async fn listed(state: &state::State, asked: &Asked, filter: &Filter) -> Result<Response> {
    if ![&asked.format, &asked.progress].iter().all(|text| text.is_empty()) {
        return Err(Error::BadRequest("format= and progress= are for audit/export".into()));
    }
    let start = match (number("cursor", &asked.cursor)?, number("after", &asked.after)?) {
        (None, None) => Start::Newest,
        (Some(id), None) => Start::Before(id),
        (None, Some(id)) => Start::After(id),
        (Some(_), Some(_)) => return Err(Error::BadRequest("cursor= and after= go in two directions; give one".into())),
    };
    let limit = number("limit", &asked.limit)?.map_or(PAGE, |limit| usize::try_from(limit).unwrap_or_default().clamp(1, LARGEST));
    let page = search::page(state.audit.readers(), filter, start, limit).await?;
    Ok(Json(Rows {
        rows: page.rows.iter().map(|row| row.shown(!filter.changes_only)).collect(),
        next: page.next.map(|id| id.to_string()),
        searched_to: page.searched_to,
    })
    .into_response())
}

/// `GET /api/flowdeck/v1/audit/export?format=csv|jsonl` with the filters of [`rows`]: all rows, newest first, as a file.
///
/// # Errors
/// 400 for a query that cannot be understood, 401, 403.
#[utoipa::path(
    get,
    path = "/audit/export",
    tag = "Audit",
    params(Asked),
    responses((status = 200, description = "All rows", content((String = "text/csv"), (String = "application/jsonl"))))
)]
pub async fn export(State(state): State<state::State>, Extension(principal): Extension<Principal>, uri: Uri) -> Result<Response> {
    let asked = Asked::parse(&uri)?;
    if ![&asked.limit, &asked.cursor, &asked.after].iter().all(|text| text.is_empty()) {
        return Err(Error::BadRequest(
            "an export has all rows: limit=, cursor= and after= are for audit".into(),
        ));
    }
    let format = match asked.format.as_str() {
        "csv" => Format::Csv,
        "jsonl" => Format::Jsonl,
        _ => return Err(Error::BadRequest("format= is csv or jsonl".into())),
    };
    let progress = yes("progress", &asked.progress)?;
    let filter = permitted(&state, &principal, asked.filter()?).await?;
    Ok(export::response(state.audit.clone(), filter, format, progress).await?)
}

/// The filter, narrowed to what the caller may see.
async fn permitted(state: &state::State, principal: &Principal, mut filter: Filter) -> Result<Filter> {
    let who = caller::who(state, principal).await?;
    if who.is_admin || filter.user.as_deref() == Some(&who.user) {
        return Ok(filter);
    }
    let path = match (&filter.run, &filter.experiment) {
        (Some(run), _) => format!("/api/2.0/mlflow/runs/get?run_id={}", app::route::escape(run)),
        (None, Some(experiment)) => format!("/api/2.0/mlflow/experiments/get?experiment_id={}", app::route::escape(experiment)),
        (None, None) => {
            return Err(Error::Forbidden(
                "only owners see everybody's calls: ask for your own with user=, or for an experiment's or a run's changes".into(),
            ));
        }
    };
    if filter.key.is_some() || filter.shadow {
        return Err(Error::Forbidden(
            "only owners may look for calls by what is not theirs to see: a key, or its shadow mode".into(),
        ));
    }
    let authorization = caller::authorization(state, principal).await?;
    let may_read = mlflow::may_read(&state.upstream, &authorization, &path).await;
    if !may_read.map_err(|fault| Error::Upstream(fault.to_string()))? {
        return Err(Error::Forbidden("there is nothing here that MLflow lets you read".into()));
    }
    filter.changes_only = true;
    Ok(filter)
}

fn number(name: &str, text: &str) -> Result<Option<i64>> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(number) if number >= 0 => Ok(Some(number)),
        _ => Err(Error::BadRequest(format!("{name}= is a whole number"))),
    }
}

fn yes(name: &str, text: &str) -> Result<bool> {
    match text {
        "" => Ok(false),
        "yes" => Ok(true),
        _ => Err(Error::BadRequest(format!("{name}= is yes, or nothing"))),
    }
}

// === impl Asked ===

impl Asked {
    fn parse(uri: &Uri) -> Result<Self> {
        Query::try_from_uri(uri)
            .map(|Query(asked)| asked)
            .map_err(|error| Error::BadRequest(error.body_text()))
    }

    fn filter(&self) -> Result<Filter> {
        let word = |name: &str, text: &str| match text {
            "" => Ok(None),
            text if text.len() > LONGEST || text.chars().any(char::is_control) => Err(Error::BadRequest(format!(
                "{name}= has at most {LONGEST} letters, digits and signs"
            ))),
            text => Ok(Some(text.to_owned())),
        };
        let status = word("status", &self.status)?;
        if let Some(status) = &status {
            let digits = status.strip_suffix("xx").map_or((status.as_str(), 3), |class| (class, 1));
            if digits.0.len() != digits.1 || !digits.0.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Error::BadRequest("status= is like 404 or 4xx".into()));
            }
        }
        let way = match self.way.as_str() {
            "" => None,
            "session" => Some(Way::Session),
            "key" => Some(Way::Key),
            "basic" => Some(Way::Basic),
            "none" => Some(Way::None),
            _ => return Err(Error::BadRequest("way= is session, key, basic or none".into())),
        };
        Ok(Filter {
            key: word("key", &self.key)?,
            user: word("user", &self.user)?,
            route: word("route", &self.route)?,
            status,
            method: word("method", &self.method)?,
            way,
            experiment: word("experiment", &self.experiment)?,
            run: word("run", &self.run)?,
            model: word("model", &self.model)?,
            shadow: yes("shadow", &self.shadow)?,
            changes: yes("changes", &self.changes)?,
            from: number("from", &self.from)?,
            to: number("to", &self.to)?,
            q: word("q", &self.q)?,
            changes_only: false,
        })
    }
}
