//! A page, or a part of one, whose data did not come: the face, and the status of the document.

use crate::prelude::*;

use super::set_status;
use crate::{
    api::ApiError,
    part::face::{Failed, Loading},
};

/// `what` was wanted, for example "the experiments". `retry` asks again; it runs by itself where the server had left the asking to the browser. `whole`: nothing else is on the page, so this holds its heading.
#[component]
pub fn Trouble(
    #[prop(into)] what: String,
    error: ApiError,
    #[prop(into)] retry: Callback<()>,
    #[prop(optional)] whole: bool,
) -> impl IntoView {
    if error.is_deferred() {
        Effect::new(move |_| retry.run(()));
        return view! { <Loading/> }.into_any();
    }
    set_status(status(&error));
    view! { <Failed what=what error=error retry=retry whole=whole/> }.into_any()
}

/// The status of a document that could not show what it is for.
fn status(error: &ApiError) -> u16 {
    match error.status {
        401 | 403 | 404 | 429 | 503 | 504 => error.status,
        400..500 => 404,
        _ => 502,
    }
}
