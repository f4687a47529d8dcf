//! `fetch`, with the visitor's cookie.

use gloo_net::http::{Request, RequestBuilder};
use leptos::prelude::window;
use send_wrapper::SendWrapper;

use super::Answer;
use crate::{
    api::{ApiError, Method, Result},
    route::escape,
};

#[derive(Clone)]
pub struct Transport {
    base: String,
}

// === impl Transport ===

impl Transport {
    pub fn new(base: &str) -> Self {
        Self { base: base.to_owned() }
    }

    pub(in crate::api) async fn call(&self, method: Method, path: &str, body: Option<String>) -> Result<Answer> {
        let request = request(method, &format!("{}{path}", self.base)).header("Accept", "application/json");
        let answer = SendWrapper::new(async move {
            let request = match body {
                Some(body) => request.header("Content-Type", "application/json").body(body),
                None => request.build(),
            };
            let response = request.map_err(|error| ApiError::unreachable(error.to_string()))?.send().await;
            let response = response.map_err(|_| ApiError::unreachable("Flowdeck does not answer; are you online?"))?;
            let body = response
                .binary()
                .await
                .map_err(|_| ApiError::unreachable("the connection broke off"))?;
            Ok(Answer {
                status: response.status(),
                body,
                request_id: response.headers().get("request-id"),
            })
        })
        .await;
        if answer.as_ref().is_ok_and(|answer: &Answer| answer.status == 401) {
            self.sign_in();
        }
        answer
    }

    /// The session has ended: sign in and come back to this page.
    fn sign_in(&self) {
        let location = window().location();
        let here = format!(
            "{}{}",
            location.pathname().unwrap_or_default(),
            location.search().unwrap_or_default()
        );
        location
            .assign(&format!("{}/login?why=ended&next={}", self.base, escape(&here)))
            .ok();
    }
}

fn request(method: Method, url: &str) -> RequestBuilder {
    match method {
        Method::Get => Request::get(url),
        Method::Post => Request::post(url),
        Method::Patch => Request::patch(url),
        Method::Delete => Request::delete(url),
    }
}
