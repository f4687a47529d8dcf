//! The URL space on one page; all of it lies below the base path.

use axum::{
    Router,
    routing::{any, get, post},
};

use crate::{account, asset::Assets, audit, health, layer, login, page, proxy, state::State};

/// The whole service.
pub fn service(state: &State) -> Router {
    let data = layer::inner(data().merge(forms()), state).with_state(state.clone());
    let pages = layer::inner(Router::new().fallback(page::render), state);
    let service = pages.with_state(page::Pages::new(state.clone(), data.clone()));
    layer::outer(data.merge(files(&state.assets)).fallback_service(service), state)
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
        .route("/api/flowdeck/v1/audit", get(audit::rest::rows))
        .route("/api/flowdeck/v1/audit/export", get(audit::rest::export))
        // Anyone
        .route("/health", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/mlflow", get(health::mlflow))
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
