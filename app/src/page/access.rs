//! Who may do what, and why: of one thing, of all, by rules over names, and one's own; and what was changed of it.

mod changes;
mod grant;
mod load;
mod matrix;
mod of;
mod own;
mod rules;
mod why;

use std::time::Duration;

use crate::prelude::*;
use leptos::ev;

use crate::{
    Site,
    api::flowdeck::{
        access::query_of,
        grant::{Kind, Level, Target},
    },
    part::{
        dynamic::dynamic,
        face::Notice,
        icon::{self, Icon},
    },
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

/// What MLflow's default permission means for who may see what.
fn about_default(default: Option<Level>, known: bool) -> AnyView {
    match default {
        _ if !known => {
            view! { <Notice class="careful">"MLflow's default permission could not be learned: what people have without any grant is not counted."</Notice> }
                .into_any()
        }
        None | Some(Level::Deny) => {
            view! { <p class="muted">"Where nothing is granted, nobody but administrators gets in."</p> }.into_any()
        }
        Some(level) => {
            let says = format!(
                "MLflow's default permission is {}: everybody may {} where nothing is granted. Lower grants mean nothing, and only DENY hides a thing.",
                level.name(),
                level.means()
            );
            view! { <Notice class="careful">{says}</Notice> }.into_any()
        }
    }
}

/// `act`, when nothing more was typed for a moment.
fn later(act: impl Fn() + Clone + 'static) -> impl Fn() + Clone {
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let clear = move || {
        if let Some(Some(timer)) = timer.try_update_value(Option::take) {
            timer.clear();
        }
    };
    on_cleanup(clear);
    move || {
        clear();
        timer.try_set_value(set_timeout_with_handle(act.clone(), Duration::from_millis(200)).ok());
    }
}

/// A search field whose text is `key` in the address; `turned`: what goes from the address with it.
fn search(address: Address, key: &'static str, label: &'static str, turned: &'static [(&'static str, Option<&'static str>)]) -> AnyView {
    let query = address.memo(key);
    let typed = RwSignal::new(String::new());
    let go = later(move || {
        let text = typed.get_untracked();
        let mut changes = vec![(key, Some(text.as_str()))];
        changes.extend_from_slice(turned);
        address.replace(&changes);
    });
    let input = move |event: ev::Event| {
        typed.set(event_target_value(&event));
        go();
    };
    view! {
        <div class="search">
            <Icon icon=icon::Search/>
            <input class="input" type="search" name=key aria-label=label placeholder=label autocomplete="off" spellcheck="false" dir="auto"
                value=query.get_untracked() prop:value=move || query.get().unwrap_or_default() on:input=input/>
        </div>
    }
    .into_any()
}

/// A choice that is `key` in the address.
fn choice(
    address: Address,
    key: &'static str,
    label: &'static str,
    options: Vec<(&'static str, &'static str)>,
    turned: &'static [(&'static str, Option<&'static str>)],
) -> AnyView {
    let chosen = address.memo(key);
    let change = move |event: ev::Event| {
        let value = event_target_value(&event);
        let mut changes = vec![(key, Some(value.as_str()))];
        changes.extend_from_slice(turned);
        address.go(&changes);
    };
    let option = move |(value, label): (&'static str, &'static str)| {
        view! { <option value=value selected=move || chosen.get().unwrap_or_default() == value>{label}</option> }.into_any()
    };
    view! { <select class="input" name=key aria-label=label on:change=change>{options.into_iter().map(option).collect_view()}</select> }
        .into_any()
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
