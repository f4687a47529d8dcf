//! What stands where data should be: it is loading, there is none, it failed, it is not for you, it is old.

use crate::prelude::*;
use icondata_core::IconData;

use super::{
    copy::Snippet,
    health::Health,
    icon::{self, Icon},
    time::Time,
};
use crate::{
    api::{ApiError, OWNERS_ONLY},
    browser,
    route::Route,
    state::address::Address,
};

/// Grey rows in the place of the real ones; they appear after 150 ms.
#[component]
pub fn Loading(#[prop(default = 8)] rows: usize, #[prop(default = "Loading…")] label: &'static str) -> impl IntoView {
    let rows = (0..rows).map(|_| view! { <div><i></i><i></i><i></i><i></i></div> }).collect_view();
    view! { <div class="skeleton" role="status"><span class="unseen">{label}</span>{rows}</div> }
}

/// What this is, how it gets filled, and perhaps code that does it.
#[component]
pub fn Empty(
    #[prop(into)] title: String,
    #[prop(default = icon::Flask)] icon: &'static IconData,
    #[prop(optional, into)] snippet: Option<String>,
    /// It is the whole page: the title is the page's heading.
    #[prop(optional)]
    whole: bool,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <section class="face">
            <Icon icon=icon/>
            {heading(title, whole)}
            {children.map(|children| children())}
            {snippet.map(|code| view! { <Snippet code=code/> })}
        </section>
    }
}

/// What failed, why, and a way to try again. A refusal, something missing and an MLflow that is down have their own words.
#[component]
pub fn Failed(
    /// What was wanted: "the experiments".
    #[prop(into)]
    what: String,
    error: ApiError,
    /// Runs on "Try again"; without it the page is loaded anew.
    #[prop(optional, into)]
    retry: Option<Callback<()>>,
    /// It is the whole page: the title is the page's heading.
    #[prop(optional)]
    whole: bool,
) -> impl IntoView {
    let health = Health::expect();
    let (icon, title, why) = words(&what, &error);
    let noticed = error.clone();
    Effect::new(move |before: Option<u32>| {
        let recoveries = health.recoveries();
        match (before, retry) {
            (None, _) => health.report(&noticed),
            (Some(before), Some(retry)) if before != recoveries => retry.run(()),
            _ => {}
        }
        recoveries
    });
    // A page for owners has nothing for others: its style shows the refusal alone.
    let alone = error.status == 403 && error.message == OWNERS_ONLY;
    let whole = whole || alone;
    // Asking again would not help.
    let is_final = matches!(error.status, 403 | 404);
    let address = Address::here();
    let act = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        match retry {
            Some(retry) => retry.run(()),
            None => browser::reload(),
        }
    };
    let way = match (is_final, whole) {
        // Without a script the link loads the page again.
        (false, _) => Some(view! { <a class="button" href=move || address.with(&[]) on:click=act><Icon icon=icon::Retry/>"Try again"</a> }),
        (true, _) if alone => Some(view! { <a class="button" href=Route::OwnAccess.href()>"Your own access"</a> }),
        (true, true) => Some(view! { <a class="button" href=Route::Experiments.href()>"Go to the experiments"</a> }),
        (true, false) => None,
    };
    let way = way.map(|way| view! { <div class="actions">{way}</div> });
    let request = error
        .request_id
        .map(|id| view! { <p class="request">"request "<code>{id}</code></p> });
    view! {
        <section class="face" class:failed=error.status != 404 class:alone=alone role="alert">
            <Icon icon=icon/>
            {heading(title, whole)}
            <p dir="auto">{why}</p>
            {way}
            {request}
        </section>
    }
}

fn heading(title: String, whole: bool) -> AnyView {
    match whole {
        true => view! { <h1 dir="auto">{title}</h1> }.into_any(),
        false => view! { <h2 dir="auto">{title}</h2> }.into_any(),
    }
}

fn words(what: &str, error: &ApiError) -> (&'static IconData, String, String) {
    match error.status {
        401 => (icon::Lock, "Your session has ended".into(), "Sign in again to go on.".into()),
        403 => {
            let whom = match error.message == OWNERS_ONLY {
                true => "one of them",
                false => "its owner or an administrator of this MLflow",
            };
            (
                icon::Lock,
                format!("You may not see {what}"),
                format!("{} Ask {whom} for permission.", sentence(&error.message)),
            )
        }
        404 => (icon::Search, format!("Not found: {what}"), sentence(&error.message)),
        502..=504 => {
            let known = ["MLflow does not answer", "MLflow is starting", "MLflow cannot be reached"];
            let is_known = known.iter().any(|words| error.message.starts_with(words));
            let why = if is_known { String::new() } else { sentence(&error.message) + " " };
            let title = format!("MLflow does not answer, so {what} cannot be shown");
            (
                icon::CircleAlert,
                title,
                format!("{why}It may be starting. This page asks again every few seconds."),
            )
        }
        _ => (icon::CircleAlert, format!("Could not load {what}"), sentence(&error.message)),
    }
}

/// `text` as a sentence: a capital letter, a full stop.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let first: String = letters.next().map(|letter| letter.to_ascii_uppercase().into()).unwrap_or_default();
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", letters.as_str())
}

/// “name”, kept apart from the sentence around it whatever its direction.
pub fn quoted(name: &str) -> String {
    format!("“\u{2068}{name}\u{2069}”")
}

/// "as of 3 min ago", for data that is shown although a newer answer did not come.
#[component]
pub fn Stale(since: i64) -> impl IntoView {
    view! { <span class="stale">"as of "<Time at=since/></span> }
}

/// A remark in a coloured box; `class` is `failed`, `done` or `careful`.
#[component]
pub fn Notice(#[prop(optional)] class: &'static str, children: Children) -> impl IntoView {
    let icon = match class {
        "failed" => icon::CircleAlert,
        "done" => icon::CircleCheck,
        "careful" => icon::Warning,
        _ => icon::Info,
    };
    let role = if class == "failed" { "alert" } else { "status" };
    view! { <div class=format!("notice {class}") role=role><Icon icon=icon/><div class="text">{children()}</div></div> }
}
