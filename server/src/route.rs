//! The URL space on one page; all of it lies below the base path.

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{any, get, post},
};

use crate::{
    account,
    asset::Assets,
    health::{self, history},
    layer, login, metrics, page, proxy,
    state::State,
};

/// The whole service.
pub fn service(state: &State) -> Router {
    let data = layer::inner(layer::calls(data(), state).merge(forms()), state).with_state(state.clone());
    let pages = layer::inner(Router::new().fallback(page::render), state);
    let service = pages.with_state(page::Pages::new(state.clone(), data.clone()));
    layer::outer(
        data.merge(monitors(state)).merge(files(&state.assets)).fallback_service(service),
        state,
    )
}

/// What programs and our own pages read and write.
fn data() -> Router<State> {
    Router::new()
        // MLflow's own REST API; `proxy::table` has each of its routes
        .route("/api/{*route}", any(proxy::forward))
        .route("/ajax-api/{*route}", any(proxy::forward))
        .route("/get-artifact", any(proxy::forward))
        .route("/model-versions/get-artifact", any(proxy::forward))
        .route("/gateway/{*route}", any(proxy::forward))
        .route("/v1/traces", any(proxy::forward))
        .route("/version", any(proxy::forward))
        // Flowdeck's own
        .route("/api/flowdeck/v1/session", get(account::session))
        .route("/api/flowdeck/v1/sessions", get(account::sessions))
        .route("/api/flowdeck/v1/health/history", get(history::show))
}

/// What load balancers and monitors ask.
fn monitors(state: &State) -> Router {
    let metrics = layer::inner(Router::new().route("/metrics", get(metrics::show)), state)
        // Before anybody asks who it is: a token is no caller of MLflow's.
        .layer(from_fn_with_state(state.clone(), metrics::by_token));
    Router::new()
        .route("/health", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/mlflow", get(health::mlflow))
        .merge(metrics)
        .with_state(state.clone())
}

/// Forms that work without a script; each answers with a page or a redirect.
fn forms() -> Router<State> {
    Router::new()
        .route("/login", get(login::show).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/account/password", post(account::change_password))
        .route("/account/sessions/end", post(account::end_sessions))
}

fn files(assets: &Assets) -> Router {
    assets.router()
}
