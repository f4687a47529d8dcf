//! The console's pages, rendered here with their data and hydrated in the browser.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{
    Site,
    api::{self, ApiError, Client, Transport},
    document,
    page::{Elsewhere, StatusSetter, experiment::EVERY, module::Module},
    route,
};
use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderName, HeaderValue, Method, Request, StatusCode, header},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use leptos::{nonce::Nonce, prelude::*};
use leptos_router::location::RequestUrl;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceExt as _;

use crate::{
    address::ClientAddress,
    audit::{Note, Resource},
    clock,
    error::{Error, Result},
    layer::REQUEST_ID,
    limit::OfPage,
    log, login,
    principal::Principal,
    state,
};

/// A page waits so long for each of its calls, then goes out without it and the browser asks again.
const DEADLINE: Duration = Duration::from_secs(2);
/// More than this is no first screen.
const LARGEST: usize = 32 << 20;

/// What rendering needs: the state, and the same routes that a program calls.
#[derive(Clone)]
pub struct Pages {
    state: state::State,
    data: Router,
    /// Drawing takes milliseconds, for which the other connections of a thread should not wait.
    studio: Handle,
}

// === impl Pages ===

impl Pages {
    /// To be called in the runtime that is to draw.
    pub fn new(state: state::State, data: Router) -> Self {
        let studio = Handle::current();
        Self { state, data, studio }
    }

    /// The console's way to data while it renders: our own routes, called in process as the visitor.
    fn client(&self, visitor: &Request<Body>) -> Client {
        let router = self.data.clone();
        let address = ClientAddress::of(visitor);
        let kept = [header::COOKIE, header::HOST, REQUEST_ID];
        let kept = kept.map(|name| (name.clone(), visitor.headers().get(&name).cloned()));
        Client::new(Transport::new(move |request| {
            let (mut parts, body) = request.into_parts();
            for (name, value) in &kept {
                if let Some(value) = value {
                    parts.headers.insert(name.clone(), value.clone());
                }
            }
            parts.headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
            parts.extensions.insert(ClientAddress(address));
            parts.extensions.insert(OfPage);
            let answer = answer(router.clone(), Request::from_parts(parts, Body::from(body)));
            Box::pin(async move {
                tokio::time::timeout(DEADLINE, answer)
                    .await
                    .unwrap_or_else(|_| Err(ApiError::deferred()))
            })
        }))
    }
}

async fn answer(router: Router, request: Request<Body>) -> api::Result<api::Answer> {
    // The call has the id of the page that it is for.
    let request_id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let response = router.oneshot(request).await.map_err(|never| match never {})?;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), LARGEST)
        .await
        .map_err(|error| ApiError::unreachable(error.to_string()))?;
    Ok(api::Answer {
        status,
        body: body.into(),
        request_id,
    })
}

/// Any address that is nothing else is a page, perhaps the one that says so.
pub async fn render(
    State(pages): State<Pages>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    request: Request<Body>,
) -> Result<Response> {
    let id = request.headers().get(REQUEST_ID).cloned().unwrap_or(HeaderValue::from_static("-"));
    let studio = pages.studio.clone();
    let drawing = studio.spawn(log::within(id, draw(pages, principal, note, request)));
    Ok(AbortOnDropHandle::new(drawing).await.map_err(anyhow::Error::from)?)
}

async fn draw(pages: Pages, principal: Principal, note: Note, request: Request<Body>) -> Response {
    about(&note, request.uri().path());
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = "GET, HEAD".to_owned();
        return Error::MethodNotAllowed { allow }.into_response();
    }
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let base = pages.state.config.listen.base_path.clone();
    let Principal::Session(session) = principal else {
        return Redirect::to(&login::address(&base, &here, None)).into_response();
    };

    let site = Site {
        base: base.as_str().to_owned().into(),
        is_owner: pages.state.owners.known(&session.user).is_some(),
        user: session.user,
        drawn_at: clock::now(),
    };
    let client = pages.client(&request);
    let nonce = nonce();
    let status = Arc::new(Mutex::new(StatusCode::OK));
    let elsewhere = Arc::new(Mutex::new(None::<String>));
    let context = {
        let (nonce, status, url) = (nonce.clone(), Arc::clone(&status), base.join(&here));
        let elsewhere = Arc::clone(&elsewhere);
        move || {
            let (status, elsewhere) = (Arc::clone(&status), Arc::clone(&elsewhere));
            // Leptos must see the browser's address, base path included, or hydration finds another page.
            provide_context(RequestUrl::new(&format!("http://flowdeck{url}")));
            provide_context(Nonce::from_value(nonce.clone()));
            provide_context(StatusSetter(Arc::new(move |code| {
                if let Ok(code) = StatusCode::from_u16(code) {
                    *status.lock().unwrap_or_else(PoisonError::into_inner) = code;
                }
            })));
            provide_context(Elsewhere(Arc::new(move |to| {
                *elsewhere.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
            })));
            provide_context(site.clone());
            provide_context(client.clone());
        }
    };
    let assets = pages.state.assets.names.clone();
    let modules: Vec<Module> = route::modules(request.uri().path_and_query().map_or("", |whole| whole.as_str())).collect();
    let rendered = leptos_axum::render_app_async_with_context(context, move || document::document(&assets, &modules))(request).await;
    // The whole document or an error, never a part: a panic in here is still an answer.
    let html = match to_bytes(rendered.into_body(), LARGEST).await {
        Ok(html) => whole(&String::from_utf8_lossy(&html)),
        Err(error) => return Error::Internal(anyhow::Error::new(error).context("rendering a page")).into_response(),
    };

    let status = *status.lock().unwrap_or_else(PoisonError::into_inner);
    if status == StatusCode::UNAUTHORIZED {
        return Redirect::to(&login::address(&base, &here, Some(login::Why::Ended))).into_response();
    }
    let to = elsewhere.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut response = match to {
        Some(to) => Redirect::to(&to).into_response(),
        None => (status, Html(html)).into_response(),
    };
    finish(&mut response, &nonce, &pages.state.config.page.frame_ancestors);
    response
}

/// Notes what a page shows.
fn about(note: &Note, path: &str) {
    let (experiment, run) = match path.split('/').skip(1).collect::<Vec<_>>()[..] {
        // Those of all are no experiment.
        ["experiments", EVERY] | ["experiments", EVERY, "compare"] => (None, None),
        ["experiments", experiment] | ["experiments", experiment, "compare"] => (Some(experiment), None),
        ["experiments", experiment, "runs", run] => (Some(experiment), Some(run)),
        ["runs", run] => (None, Some(run)),
        _ => (None, None),
    };
    for (kind, id) in [(Resource::Experiment, experiment), (Resource::Run, run)] {
        if let Some(id) = id {
            note.about(kind, id);
        }
    }
}

/// A page that needs no script, for example sign-in.
pub fn plain(state: &state::State, status: StatusCode, title: &'static str, body: impl FnOnce(&str) -> app::view::AnyView) -> Response {
    let nonce = nonce();
    let owner = Owner::new();
    let html = owner.with(|| {
        provide_context(Site {
            base: state.config.listen.base_path.as_str().to_owned().into(),
            user: String::new(),
            is_owner: false,
            drawn_at: clock::now(),
        });
        provide_context(Nonce::from_value(nonce.clone()));
        document::plain_document(&state.assets.names, title, body(&nonce)).to_html()
    });
    let mut response = (status, Html(html)).into_response();
    finish(&mut response, &nonce, &state.config.page.frame_ancestors);
    response
}

fn finish(response: &mut Response, nonce: &str, frame_ancestors: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; font-src 'self'; media-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors {frame_ancestors}"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // A page shows what one person may see.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("cookie"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
}

/// Leptos writes the data of the resources behind the document's end, where HTML allows nothing.
fn whole(html: &str) -> String {
    let parts = html
        .split_once("</body>")
        .and_then(|(document, rest)| Some((document, rest.split_once("</html>")?.1)));
    match parts {
        Some((document, data)) => format!("{document}{}</body></html>", data.trim_start_matches("<!>")),
        None => html.to_owned(),
    }
}

fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}
