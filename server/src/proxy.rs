//! To MLflow and back: a route of the table, the caller's own credentials, bodies streamed both ways.

pub mod about;
pub mod body;
pub mod credential;
pub mod header;
pub mod lookup;
pub mod named;
pub mod narrow;
pub mod rescue;
pub mod table;
pub mod together;

use std::{
    borrow::Cow,
    error::Error as _,
    net::IpAddr,
    pin::{Pin, pin},
    time::Duration,
};

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{self, Request},
    response::{IntoResponse as _, Response},
};
use http::{
    Method, StatusCode, Uri,
    header::{HOST, RANGE},
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::{
    body::{Fault, Progress},
    credential::Credential,
    lookup::{Match, NoMatch},
    table::{Family, Row},
    together::{Question, Turn},
};
use crate::{
    address::ClientAddress,
    admin::guard,
    audit::Note,
    error::{Error, Result},
    key::body::WhileValid,
    metrics,
    path::Admitted,
    principal::Principal,
    scope::Scope,
    stall::Stall,
    state::State,
    upstream::{
        NoTarget, Starting, Upstream,
        door::{Answer, Failure},
    },
};

/// How long MLflow may take. The clock for the beginning of an answer runs from the last piece of the request.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until a JSON answer begins.
    pub json: Duration,
    /// Until a file or the answer of an LLM begins.
    pub slow: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
}

/// One request to MLflow, ready but for its body.
pub struct Call {
    pub found: Match,
    pub credential: Credential,
    pub client: IpAddr,
    /// When this is cancelled, an answer that is still on its way ends.
    pub ended: Option<CancellationToken>,
}

/// Marks an answer to be handed on byte by byte: compressing a file would cost it its length, and a stream its promptness.
#[derive(Clone, Copy, Debug)]
pub struct Verbatim;

/// More than a run that was just made: its tags have bounds.
const SMALL: usize = 8 << 20;

/// The retired `experiments/list` returned everything; `experiments/search` demands a number.
const LIST_PAGE: &str = "1000";

/// [`forward`] as a handler.
pub async fn handle(
    extract::State(state): extract::State<State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    mut request: Request,
) -> Response {
    forward(&state, &principal, &note, &mut request).await
}

/// Answers at every address that is MLflow's.
///
/// 404 and 405 for what is not forwarded, 401 for callers whom MLflow would not know, 413 for large bodies, 502 and 504 for an MLflow that
/// does not answer. What MLflow answers, errors too, goes to the caller.
pub async fn forward(state: &State, principal: &Principal, note: &Note, request: &mut Request) -> Response {
    match find(request.method(), request.uri()) {
        Ok(found) => forward_to(found, state, principal, note, request)
            .await
            .unwrap_or_else(Error::into_response),
        Err(error) => error.into_response(),
    }
}

async fn forward_to(found: Match, state: &State, principal: &Principal, note: &Note, request: &mut Request) -> Result<Response> {
    let row = found.row;
    let client = ClientAddress::of(request);
    if let Some(counted) = request.extensions().get::<metrics::Note>() {
        counted.forwarded(row.family());
    }
    note.route(row.path);
    // A search by POST changes nothing; and what an LLM says comes piece by piece, and nothing is kept of it.
    if row.scope() == Scope::Read || row.family() == Some(Family::GatewayCalls) {
        note.changes(false);
    }
    let told = named::Told::new(note.clone(), &found, request, state.homes.clone());
    let mut passed = guard::Passed::default();
    let answer = async {
        if note.is_change(request.method()) {
            state.audit.can_write()?;
        }
        passed = Box::pin(guard::pass(state, principal, row.path, request)).await?;
        let credential = Credential::of(principal, row, state).await?;
        let Principal::Key(key) = principal else {
            let call = Call {
                found,
                credential,
                client,
                ended: None,
            };
            return match principal {
                Principal::Session(_) => Box::pin(ask_together(state, call, request)).await,
                _ => ask(state, call, request).await,
            };
        };
        let reason = narrow::judge(key, &found, request, credential.authorization.as_ref(), state).await?;
        narrow::enforce(key, reason, note)?;
        let call = Call {
            found,
            credential,
            client,
            ended: Some(key.ended.clone()),
        };
        tokio::select! {
            response = ask(state, call, request) => response,
            () = key.ended.cancelled() => Err(Error::Unauthenticated("this API key was disabled, revoked or rotated meanwhile".into())),
        }
    };
    let response = answer.await.unwrap_or_else(|error| rescue::own(error, row));
    if note.is_change(&row.method) {
        state.together.forget();
        if response.status().is_success() {
            state.index.heard(row.family());
            if row.family() == Some(Family::Users) {
                state.owners.forget_all();
                Box::pin(passed.done(state)).await;
            }
        }
    }
    if !is_new(row) || !response.status().is_success() {
        // What stands in the body is known only now.
        drop(told);
        if response.status().is_success() && note.is_change(&row.method) {
            state.live.touched(&note.runs(), &state.homes);
        }
        return Ok(response);
    }
    // What was made has its id only now.
    let (parts, body) = response.into_parts();
    let broken = |_| Error::Upstream("MLflow broke off in the middle of its answer".into());
    let body = to_bytes(body, SMALL).await.map_err(broken)?;
    told.made(&body);
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Whether a call makes an experiment or a run; the answer is small.
fn is_new(row: &Row) -> bool {
    matches!(row.path, "/2.0/mlflow/experiments/create" | "/2.0/mlflow/runs/create")
}

/// [`ask`], once for all pages of a person that ask the same.
async fn ask_together(state: &State, call: Call, request: &mut Request) -> Result<Response> {
    let Some(question) = Question::of(&call, request).await? else {
        return ask(state, call, request).await;
    };
    match state.together.turn(question) {
        Turn::Ask(asking) => asking.share(ask(state, call, request).await?).await,
        Turn::Wait(answer) => {
            state.metrics.upstream_shared();
            match answer.await {
                Ok(shared) => Ok(shared.into()),
                Err(_) => ask(state, call, request).await,
            }
        }
    }
}

/// [`exchange`], and what is to be learned from how it went.
async fn ask(state: &State, call: Call, request: &mut Request) -> Result<Response> {
    let open = state.metrics.upstream(call.found.row.family());
    let response = exchange(&state.upstream, Patience::default(), &call, request).await;
    match &response {
        Ok(response) => {
            open.answered();
            if let Some(authorization) = call.credential.authorization.as_ref().filter(|_| response.status().is_success()) {
                state.health.cache.taken(&state.upstream, authorization);
            }
        }
        Err(error) => {
            state.metrics.upstream_failed(error);
            if matches!(error, Error::Upstream(_)) {
                state.health.cache.look_again();
            }
        }
    }
    response
}

/// The route that a request asks for.
///
/// # Errors
/// 404 and 405.
pub fn find(method: &Method, uri: &Uri) -> Result<Match> {
    let nothing = || Error::NotFound("there is nothing at this address".into());
    let path = Admitted::parse(uri.path()).map_err(|_| nothing())?;
    lookup::find(method, &path).map_err(|no| match no {
        NoMatch::Path => nothing(),
        NoMatch::Method(allow) => Error::MethodNotAllowed { allow },
    })
}

/// Sends one request on and brings the answer back. Its header fields and its body are used up by it.
///
/// Nothing is ever sent twice. When the caller goes away this future is dropped, and with it the connection to MLflow.
///
/// # Errors
/// 400 and 413 for the request's body, 502 and 504 for MLflow.
pub async fn exchange(upstream: &Upstream, patience: Patience, call: &Call, request: &mut Request) -> Result<Response> {
    let row = call.found.row;
    let only_head = request.method() == Method::HEAD;
    let (outgoing, progress) = outgoing(upstream, call, request)?;
    let sending = pin!(upstream.door.send(outgoing));
    let answer = tokio::select! {
        biased;
        answer = first(sending, &progress, patience.beginning(row)) => answer,
        () = upstream.gone() => Err(Error::Upstream(Starting.to_string())),
    };
    let answer = answer.map_err(|failure| match (progress.fault(body::limit(row)), failure) {
        (Some(fault), _) => fault.into(),
        (None, error) => error,
    })?;
    let status = answer.status();
    if status.is_client_error() || status.is_server_error() {
        let response = Box::pin(rescue::rescue(answer, row, call.credential.refused)).await;
        return Ok(if only_head { rescue::without_content(response) } else { response });
    }
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        tracing::warn!(%status, path = row.path, "MLflow answered with a redirect, which is not followed");
        return Err(Error::Upstream(
            "MLflow answered with a redirect: check the address under which Flowdeck calls it".into(),
        ));
    }
    let (parts, mut body) = answer.into_parts();
    let mut response = Response::new(if only_head {
        Body::empty()
    } else {
        match body.whole() {
            Some(whole) => Body::from(whole),
            None => {
                let body = Stall::new(body, patience.idle);
                match &call.ended {
                    Some(ended) => Body::new(WhileValid::new(body, ended.clone())),
                    None => Body::new(body),
                }
            }
        }
    });
    *response.status_mut() = status;
    *response.headers_mut() = header::response(parts.headers, row);
    if row.body() != table::Body::Json {
        response.extensions_mut().insert(Verbatim);
    }
    Ok(response)
}

/// What MLflow is sent.
///
/// # Errors
/// As [`exchange`].
fn outgoing(upstream: &Upstream, call: &Call, request: &mut Request) -> Result<(Request, Progress)> {
    let Match { row, path, retired } = &call.found;
    let query = if *retired {
        Some(Cow::Owned(list_query(request.uri())))
    } else {
        request.uri().query().map(Cow::Borrowed)
    };
    let target = upstream.target(path, query.as_deref()).map_err(|none| match none {
        NoTarget::Starting(error) => Error::Upstream(error.to_string()),
        NoTarget::TooLong => Error::BadRequest(none.to_string()),
    })?;
    let fields = std::mem::take(request.headers_mut());
    let mut headers = header::request(fields, row, call.client, call.credential.authorization.clone());
    headers.insert(HOST, target.host);
    if request.method() == Method::HEAD {
        // A range is defined for GET alone (RFC 9110 §14.2).
        headers.remove(RANGE);
    }
    let (body, progress) = body::outgoing(std::mem::take(request.body_mut()), body::limit(row)).map_err(Error::from)?;
    // MLflow's permission check knows exact methods only and refuses HEAD; a HEAD is a GET whose content nobody reads.
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = row.method.clone();
    *outgoing.uri_mut() = target.uri;
    *outgoing.headers_mut() = headers;
    Ok((outgoing, progress))
}

// === impl Patience ===

impl Patience {
    fn beginning(self, row: &Row) -> Duration {
        let quick = row.body() == table::Body::Json && row.family() != Some(Family::Artifacts);
        if quick { self.json } else { self.slow }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            json: Duration::from_secs(60),
            // MLflow gives up on an LLM after 300 s; what it then says shall still be heard.
            slow: Duration::from_secs(310),
            idle: Duration::from_secs(310),
        }
    }
}

// === impl Fault ===

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLarge { limit } => Self::TooLarge { limit },
            Fault::Broken => Self::BadRequest("the request's body broke off".into()),
        }
    }
}

/// Waits for the head of the answer.
async fn first(
    mut sending: Pin<&mut impl Future<Output = Result<http::Response<Answer>, Failure>>>,
    progress: &Progress,
    limit: Duration,
) -> Result<http::Response<Answer>> {
    loop {
        let deadline = progress.last() + limit;
        tokio::select! {
            biased;
            answer = &mut sending => return answer.map_err(failure),
            () = sleep_until(deadline) => if progress.last() + limit <= Instant::now() {
                return Err(Error::UpstreamTimeout);
            },
        }
    }
}

fn failure(failure: Failure) -> Error {
    let mut causes = failure.to_string();
    let mut cause = failure.source();
    while let Some(next) = cause {
        causes = format!("{causes}: {next}");
        cause = next.source();
    }
    tracing::warn!("MLflow did not answer: {causes}");
    let told = match failure {
        Failure::Connect(_) => "MLflow cannot be reached",
        Failure::Broken(_) => "MLflow broke off before it answered",
    };
    Error::Upstream(told.into())
}

/// What `experiments/list` could be asked, in the words of `experiments/search`.
fn list_query(uri: &Uri) -> String {
    let mut asked = vec![("max_results".to_owned(), LIST_PAGE.to_owned())];
    let url = uri
        .query()
        .and_then(|query| reqwest::Url::parse(&format!("http://localhost/?{query}")).ok());
    for (name, value) in url.iter().flat_map(reqwest::Url::query_pairs) {
        match &*name {
            "max_results" => asked[0].1 = value.into_owned(),
            "view_type" | "page_token" => asked.push((name.into_owned(), value.into_owned())),
            _ => {}
        }
    }
    let escape = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    asked
        .iter()
        .map(|(name, value)| format!("{name}={}", escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}
