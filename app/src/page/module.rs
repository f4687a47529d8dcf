//! The pages that come in modules of their own.

use crate::prelude::*;
use leptos_router::hooks::use_params_map;
use wasm_split_helpers::wasm_split;

use super::{
    access::{self, Part},
    account::Account,
    admin::Admin,
    audit::Audit,
    compare::Compare,
    experiment::Experiment,
    keys::Keys,
    not_found::NotFound,
    people::{self, Place},
    run::Run,
};
use crate::part::{
    apart::{Drawn, SplitLoaderError, apart},
    dynamic::dynamic,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// Experiments and runs, one at a time.
    Runs,
    /// Runs side by side.
    Compare,
    Account,
    /// API keys, one's own and everybody's.
    Keys,
    /// What administrators look at: health and audit.
    Admin,
    /// Users, roles, groups, and settings.
    People,
    /// Who may do what, why, and changes of it.
    Access,
}

// === impl Module ===

impl Module {
    /// As its files are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Compare => "compare",
            Self::Account => "account",
            Self::Keys => "keys",
            Self::Admin => "admin",
            Self::People => "people",
            Self::Access => "access",
        }
    }

    /// Loads it, unless it is there.
    ///
    /// # Errors
    /// The browser could not get it; asking again tries again.
    pub async fn load(self) -> Result<(), SplitLoaderError> {
        match self {
            Self::Runs => load_runs().await,
            Self::Compare => load_compare().await,
            Self::Account => load_account().await,
            Self::Keys => load_keys().await,
            Self::Admin => load_admin().await,
            Self::People => load_people().await,
            Self::Access => load_access().await,
        }
    }
}

#[component]
pub fn ExperimentPage() -> impl IntoView {
    apart(|| Box::pin(load_runs()), || Box::pin(runs(Page::Experiment)))
}

#[component]
pub fn RunPage() -> impl IntoView {
    apart(|| Box::pin(load_runs()), || Box::pin(runs(Page::Run)))
}

/// What is below `/experiments/{id}`.
#[component]
pub fn ExperimentPages() -> impl IntoView {
    below(|page| match page.split_once('/') {
        None if page == "compare" => apart(|| Box::pin(load_compare()), || Box::pin(compare())),
        Some(("runs", run)) if !run.is_empty() && !run.contains('/') => apart(|| Box::pin(load_runs()), || Box::pin(runs(Page::Run))),
        _ => view! { <NotFound/> }.into_any(),
    })
}

/// What is at `/account` and below it.
#[component]
pub fn AccountPages() -> impl IntoView {
    below(|page| match page {
        "" => apart(|| Box::pin(load_account()), || Box::pin(account())),
        "keys" => apart(|| Box::pin(load_keys()), || Box::pin(keys(false))),
        "access" => part(Part::Own),
        _ => view! { <NotFound/> }.into_any(),
    })
}

/// What is at `/admin` and below it.
#[component]
pub fn AdminPages() -> impl IntoView {
    below(|page| match page {
        "" => apart(|| Box::pin(load_admin()), || Box::pin(admin(false))),
        "audit" => apart(|| Box::pin(load_admin()), || Box::pin(admin(true))),
        "keys" => apart(|| Box::pin(load_keys()), || Box::pin(keys(true))),
        "access" => part(Part::Page),
        "why" => part(Part::Why),
        "permissions" => part(Part::Permissions),
        "rules" => part(Part::Rules),
        "changes" => part(Part::Changes),
        page => match Place::named(page) {
            Some(place) => apart(|| Box::pin(load_people()), move || Box::pin(people(place.clone()))),
            None => view! { <NotFound/> }.into_any(),
        },
    })
}

/// What the pages of access draw, on their own or in another page.
pub fn part(part: Part) -> AnyView {
    apart(|| Box::pin(load_access()), move || Box::pin(access(part.clone())))
}

/// Routes are costly in the first module; one for each folder of pages is enough.
fn below(draw: fn(&str) -> AnyView) -> AnyView {
    let params = use_params_map();
    let page = Memo::new(move |_| params.read().get("page").unwrap_or_default());
    dynamic(move || draw(&page.read()))
}

#[derive(Clone, Copy)]
enum Page {
    Experiment,
    Run,
}

// One function a module: each knows for itself alone whether its module is there.
#[wasm_split(runs, fallible, preload(load_runs))]
fn runs(page: Page) -> Drawn {
    Ok(match page {
        Page::Experiment => view! { <Experiment/> }.into_any(),
        Page::Run => view! { <Run/> }.into_any(),
    })
}

#[wasm_split(compare, fallible, preload(load_compare))]
fn compare() -> Drawn {
    Ok(view! { <Compare/> }.into_any())
}

#[wasm_split(account, fallible, preload(load_account))]
fn account() -> Drawn {
    Ok(view! { <Account/> }.into_any())
}

/// `all`: everybody's, for administrators.
#[wasm_split(keys, fallible, preload(load_keys))]
fn keys(all: bool) -> Drawn {
    Ok(view! { <Keys all=all/> }.into_any())
}

#[wasm_split(admin, fallible, preload(load_admin))]
fn admin(audit: bool) -> Drawn {
    Ok(match audit {
        true => view! { <Audit/> }.into_any(),
        false => view! { <Admin/> }.into_any(),
    })
}

#[wasm_split(people, fallible, preload(load_people))]
fn people(place: Place) -> Drawn {
    Ok(people::page(place))
}

#[wasm_split(access, fallible, preload(load_access))]
fn access(part: Part) -> Drawn {
    Ok(access::draw(part))
}
