//! The URL space on one page; all of it lies below the base path.

use axum::{
    Extension, Router,
    extract::Request,
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
    routing::{MethodRouter, any, delete, get, patch, post},
};

use crate::{
    account,
    admin::{
        access,
        change::rest as change,
        explain, group, import, invite, overview, role,
        rule::rest as rule,
        service, setting,
        user::{self, life},
    },
    asset::Assets,
    audit, caller,
    error::Error,
    extreme::rest as extreme,
    health::{self, history},
    kept::rest as kept,
    key::rest,
    layer::{self, Front},
    live::rest as live,
    login, metrics, openapi, page,
    principal::Principal,
    proxy::{self, narrow},
    scope::Scope::{self, *},
    state::State,
    view::rest as view,
    welcome,
};

/// The whole service.
pub fn service(state: &State) -> Front {
    let data = layer::calls(data(), state)
        .merge(layer::pages(documents().merge(forms()), state))
        .with_state(state.clone());
    let pages = layer::pages(Router::new().fallback(page::render), state);
    // A page for owners shows how MLflow is doing.
    let look = Router::new().route("/health/mlflow", get(health::mlflow)).with_state(state.clone());
    let service = pages.with_state(page::Pages::new(state.clone(), data.clone().merge(look)));
    Front::new(
        data.merge(monitors(state)).merge(files(&state.assets)).fallback_service(service),
        mlflow,
        state,
    )
}

/// MLflow's own REST API; `proxy::table` has each of its routes.
const MLFLOW: [&str; 7] = [
    "/api/{*route}",
    "/ajax-api/{*route}",
    "/get-artifact",
    "/model-versions/get-artifact",
    "/gateway/{*route}",
    "/v1/traces",
    "/version",
];

/// Of these the one at which a path lies that cannot be ours.
fn mlflow(path: &str) -> Option<&'static str> {
    let lies = |pattern: &str| match pattern.strip_suffix("{*route}") {
        Some(folder) => path.len() > folder.len() && path.starts_with(folder),
        None => path == pattern,
    };
    MLFLOW
        .into_iter()
        .find(|pattern| lies(pattern))
        .filter(|_| !path.starts_with("/api/flowdeck"))
}

/// What programs and our own pages read and write.
fn data() -> Router<State> {
    MLFLOW
        .into_iter()
        .fold(Router::new(), |router, pattern| router.route(pattern, any(proxy::handle)))
        .route("/api/flowdeck/v1/session", of(Read, get(account::session)))
        .route("/api/flowdeck/v1/sessions", of(Admin, get(account::sessions)))
        .route(
            "/api/flowdeck/v1/keys",
            of(Admin, get(rest::list).post(rest::create).delete(rest::revoke_all)),
        )
        .route(
            "/api/flowdeck/v1/keys/{id}",
            of(Admin, get(rest::get).patch(rest::change).delete(rest::revoke)),
        )
        .route("/api/flowdeck/v1/keys/{id}/rotate", of(Admin, post(rest::rotate)))
        .route(
            "/api/flowdeck/v1/service-accounts",
            of(Admin, get(service::list).post(service::create)),
        )
        .route("/api/flowdeck/v1/service-accounts/{name}", of(Admin, delete(service::delete)))
        .route(
            "/api/flowdeck/v1/views",
            of(Read, get(view::list)).merge(of(Write, post(view::create))),
        )
        .route("/api/flowdeck/v1/views/{id}", of(Write, patch(view::change).delete(view::delete)))
        .merge(owners())
        .route("/api/flowdeck/v1/metrics/extremes", of(Read, post(extreme::extremes)))
        .route("/api/flowdeck/v1/experiments/{id}/live", of(Read, get(live::live)))
        .route("/api/flowdeck/v1/experiments/{id}/runs/copy", of(Read, get(kept::copy)))
        .route("/api/flowdeck/v1/experiments/{id}/runs/page", of(Read, post(kept::page)))
        .route("/api/flowdeck/v1/health/history", of(Admin, get(history::show)))
        .route("/api/flowdeck/v1/audit", of(Admin, get(audit::rest::rows)))
        .route("/api/flowdeck/v1/audit/own", of(Admin, get(audit::rest::own)))
        .route("/api/flowdeck/v1/audit/export", of(Admin, get(audit::rest::export)))
}

/// Who may do what, and why.
fn owners() -> Router<State> {
    Router::new()
        .route("/api/flowdeck/v1/users", of(Admin, get(user::list).post(life::create)))
        .route("/api/flowdeck/v1/users/{name}", of(Admin, get(user::get).delete(life::delete)))
        .route("/api/flowdeck/v1/users/{name}/belongings", of(Admin, get(user::belongings)))
        .route("/api/flowdeck/v1/users/{name}/reset", of(Admin, post(life::reset)))
        .route("/api/flowdeck/v1/users/{name}/deactivate", of(Admin, post(life::deactivate)))
        .route("/api/flowdeck/v1/users/{name}/reactivate", of(Admin, post(life::reactivate)))
        .route(
            "/api/flowdeck/v1/users/{name}/sessions",
            of(Admin, get(user::sessions).delete(user::end_sessions)),
        )
        .route("/api/flowdeck/v1/users/{name}/sessions/{id}", of(Admin, delete(user::end_session)))
        // For who has a link, and has no way to sign in yet.
        .route("/api/flowdeck/v1/invites/look", post(invite::look))
        .route("/api/flowdeck/v1/invites/redeem", post(invite::redeem))
        .route("/api/flowdeck/v1/roles", of(Admin, get(role::list)))
        .route("/api/flowdeck/v1/roles/{name}", of(Admin, get(role::get)))
        .route("/api/flowdeck/v1/groups", of(Admin, get(group::list)))
        .route("/api/flowdeck/v1/groups/{name}", of(Admin, get(group::get)))
        .route("/api/flowdeck/v1/access", of(Admin, get(access::of)))
        .route("/api/flowdeck/v1/access/matrix", of(Admin, get(access::matrix)))
        .route("/api/flowdeck/v1/access/own", of(Admin, get(access::own)))
        .route("/api/flowdeck/v1/access/export", of(Admin, get(import::export)))
        .route("/api/flowdeck/v1/access/import", of(Admin, post(import::import)))
        .route("/api/flowdeck/v1/explain", of(Admin, get(explain::show)))
        .route("/api/flowdeck/v1/changes", of(Admin, get(change::list).post(change::apply)))
        .route("/api/flowdeck/v1/changes/preview", of(Admin, post(change::preview)))
        .route("/api/flowdeck/v1/changes/{id}", of(Admin, get(change::get)))
        .route("/api/flowdeck/v1/changes/{id}/undo", of(Admin, post(change::undo)))
        .route("/api/flowdeck/v1/changes/{id}/resume", of(Admin, post(change::resume)))
        .route("/api/flowdeck/v1/rules", of(Admin, get(rule::list).post(rule::create)))
        .route(
            "/api/flowdeck/v1/rules/{id}",
            of(Admin, get(rule::get).patch(rule::change).delete(rule::delete)),
        )
        .route("/api/flowdeck/v1/rules/{id}/keep", of(Admin, post(rule::keep_now)))
        .route("/api/flowdeck/v1/overview", of(Admin, get(overview::show)))
        .route("/api/flowdeck/v1/settings", of(Admin, get(setting::list)))
        .route("/api/flowdeck/v1/settings/{name}", of(Admin, patch(setting::change)))
}

/// What anyone may read about the API.
fn documents() -> Router<State> {
    Router::new()
        .route("/api/flowdeck/v1/openapi.json", get(openapi::json))
        .route("/api/flowdeck/v1/docs", get(openapi::page))
}

/// What load balancers and monitors ask.
fn monitors(state: &State) -> Router {
    let metrics = Router::new().route("/metrics", of(Admin, get(metrics::show)));
    // Before anybody asks who it is: a token is no caller of MLflow's.
    let metrics = layer::pages(metrics, state).layer(from_fn_with_state(state.clone(), metrics::by_token));
    Router::new()
        .route("/health", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/mlflow", get(health::mlflow))
        .merge(metrics)
        .with_state(state.clone())
}

/// A route of our own: for somebody, and with an API key for one of this scope. None of MLflow's experiments, models or families is behind it:
/// a key that is narrowed to some stays outside.
fn of(scope: Scope, route: MethodRouter<State>) -> MethodRouter<State> {
    route.route_layer(from_fn(
        move |Extension(principal): Extension<Principal>, Extension(note): Extension<audit::Note>, request: Request, next: Next| async move {
            match &principal {
                Principal::Anonymous => return Err(Error::Unauthenticated(caller::refused(&principal).into())),
                Principal::Key(key) => narrow::enforce(key, narrow::judge_own(key, scope), &note)?,
                Principal::Session(_) | Principal::Basic(_) => {}
            }
            Ok::<Response, Error>(next.run(request).await)
        },
    ))
}

/// Forms; each answers with a page or a redirect. All but the one of a one-time link work without a script.
fn forms() -> Router<State> {
    Router::new()
        .route("/login", get(login::show).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        // Where a one-time link leads; its script calls `invites` above.
        .route("/welcome", get(welcome::show))
        .route("/account/password", post(account::change_password))
        .route("/account/sessions/end", post(account::end_sessions))
}

fn files(assets: &Assets) -> Router {
    assets.router()
}

#[cfg(test)]
mod tests {
    use super::mlflow;

    #[test]
    fn what_is_mlflows_is_known_without_a_router() {
        for (path, pattern) in [
            ("/api/2.0/mlflow/runs/get", Some("/api/{*route}")),
            ("/ajax-api/2.0/mlflow/runs/get", Some("/ajax-api/{*route}")),
            ("/gateway/e/mlflow/invocations", Some("/gateway/{*route}")),
            ("/get-artifact", Some("/get-artifact")),
            ("/version", Some("/version")),
            // Here the router says whose they are.
            ("/api/flowdeck/nothing", None),
            ("/api", None),
            ("/api/", None),
            ("/get-artifact/x", None),
            ("/versions", None),
            ("/experiments", None),
            ("/", None),
        ] {
            assert_eq!(mlflow(path), pattern, "{path}");
        }
    }
}
