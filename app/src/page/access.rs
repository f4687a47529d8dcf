//! Who may do what, and why: of one thing, of all, by rules over names, and one's own; and what was changed of it.

mod changes;
mod grant;
mod load;
mod matrix;
mod of;
mod own;
mod rules;
mod why;

use crate::prelude::*;

use super::{
    admin::default::notice as about_default,
    filter::{choice, later, search},
};
use crate::{
    Site,
    api::flowdeck::{
        access::query_of,
        grant::{Kind, Target},
    },
    part::{dynamic::dynamic, face::Notice},
    route::{Route, escape},
    state::address::Address,
};

/// What this module draws.
#[derive(Clone, Debug)]
pub enum Part {
    /// Who has access to one thing, as the address says.
    Page,
    /// The same within the page of that thing, which has this name.
    Panel(Target, String),
    Why,
    Permissions,
    Rules,
    Changes,
    /// One's own.
    Own,
}

pub fn draw(part: Part) -> AnyView {
    match part {
        Part::Page => of::page(),
        Part::Panel(on, name) => of::panel(on, name),
        Part::Why => why::why(),
        Part::Permissions => matrix::permissions(),
        Part::Rules => rules::rules(),
        Part::Changes => changes::changes(),
        Part::Own => own::own(),
    }
}

/// Kinds that have ids, and what people call them.
const KINDS: [(Kind, &str); 3] = [
    (Kind::Experiment, "Experiment"),
    (Kind::RegisteredModel, "Model"),
    (Kind::Prompt, "Prompt"),
];

/// The thing that the address names.
fn target(address: Address) -> Memo<Option<Target>> {
    let query = address.query();
    Memo::new(move |_| {
        query.with(|query| {
            let kind = query.get("kind").and_then(Kind::named)?;
            Some(Target::new(kind, query.get("id")?))
        })
    })
}

/// Where one sees who has access to a thing, and changes it.
fn href_of(on: &Target) -> String {
    match on.kind {
        Kind::Experiment if !on.is_all() => Route::Experiment { id: on.id.clone() }.href() + "?tab=access",
        kind => format!("{}?{}", Route::Access.href(), query_of(kind, &on.id)),
    }
}

/// Where one sees why a user may do what with a thing; without a user oneself.
pub fn href_why(user: Option<&str>, on: &Target) -> String {
    let user = user.map(|user| format!("user={}&", escape(user))).unwrap_or_default();
    format!("{}?{user}{}", Route::Why.href(), query_of(on.kind, &on.id))
}

/// The kinds of things, as [`choice`] takes them.
fn kinds(any: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
    let any = any.map(|label| ("", label));
    any.into_iter().chain(KINDS.map(|(kind, label)| (kind.name(), label))).collect()
}

/// A remark of a page that needs a script to change anything.
fn needs_script() -> AnyView {
    let reference = Site::expect().href("/api/flowdeck/v1/docs");
    view! { <div class="without-script lead"><Notice>"Changing this needs JavaScript. A program can do it too: see the "<a href=reference>"REST API"</a>"."</Notice></div> }
        .into_any()
}

/// The sentence below a field that was refused, where it is this one's.
fn error_of(error: RwSignal<Option<(&'static str, String)>>, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || error.with(|error| error.as_ref().filter(|error| error.0 == field).map(|error| error.1.clone())))
}

/// What went wrong with none of the fields.
fn error_elsewhere(error: RwSignal<Option<(&'static str, String)>>) -> AnyView {
    let general = error_of(error, "");
    dynamic(move || general.get().map(|text| view! { <Notice class="failed">{text}</Notice> }))
}
