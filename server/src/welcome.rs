//! Where a one-time link leads. The page is the same for everybody: the server never sees what stands behind the `#`.

use app::page::welcome;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use crate::{page, state};

const TITLE: &str = "Set your password · Flowdeck";

pub async fn show(State(state): State<state::State>) -> Response {
    let mut page = page::plain(&state, StatusCode::OK, TITLE, |nonce| welcome::view(nonce.to_owned()));
    let headers = page.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    page
}
