//! What to look for: a form, so that it works without a script.

use crate::prelude::*;
use leptos::ev;

use super::search::SPANS;
use crate::{
    api::flowdeck::audit::FILTERS,
    browser,
    part::{
        dynamic::dynamic,
        icon::{self, Icon},
    },
    state::address::Address,
};

const METHODS: [(&str, &str); 5] = [
    ("GET", "GET"),
    ("POST", "POST"),
    ("PUT", "PUT"),
    ("PATCH", "PATCH"),
    ("DELETE", "DELETE"),
];
const STATUSES: [(&str, &str); 7] = [
    ("2xx", "Succeeded (2xx)"),
    ("4xx", "Refused (4xx)"),
    ("5xx", "Failed (5xx)"),
    ("401", "Not signed in (401)"),
    ("403", "Not allowed (403)"),
    ("404", "Not found (404)"),
    ("429", "Too many (429)"),
];
/// What a key in shadow mode was let do.
const SHADOW: [(&str, &str); 1] = [("yes", "Would have been refused")];
const WAYS: [(&str, &str); 4] = [
    ("session", "Browser"),
    ("key", "API key"),
    ("basic", "Password"),
    ("none", "Nobody"),
];
/// Where the page was: another search begins at the newest row.
const PLACE: [(&str, Option<&str>); 3] = [("cursor", None), ("after", None), ("row", None)];

pub fn form(address: Address) -> AnyView {
    let send = move |event: &leptos::web_sys::Event| {
        let values = browser::form_values(event, &names());
        let mut changes: Vec<(&str, Option<&str>)> = values.iter().map(|(name, value)| (*name, Some(value.as_str()))).collect();
        // A span that ends now and a time between two moments cannot both hold.
        if values.iter().any(|(name, value)| *name == "last" && !value.is_empty()) {
            changes.extend([("from", None), ("to", None)]);
        }
        changes.extend(PLACE);
        address.go(&changes);
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        send(&event);
    };
    let choose = move |event: ev::Event| send(&event);
    let field = move |name: &'static str, label: &'static str| {
        view! {
            <input class="input" name=name aria-label=label placeholder=label autocomplete="off" spellcheck="false" dir="auto" maxlength="255"
                value=address.get_untracked(name) prop:value=move || address.get(name).unwrap_or_default()/>
        }
    };
    let select = move |name: &'static str, label: &'static str, options: &'static [(&'static str, &'static str)]| {
        let now = address.get_untracked(name).unwrap_or_default();
        let option =
            move |(value, label): &(&'static str, &'static str)| view! { <option value=*value selected=now == *value>{*label}</option> };
        // An address may ask for what is not among the choices, such as one more status.
        let other = Memo::new(move |_| {
            address
                .get(name)
                .filter(|value| !value.is_empty() && options.iter().all(|option| option.0 != value))
        });
        let other = move || {
            other
                .get()
                .map(|value| view! { <option value=value.clone() selected=true>{value.clone()}</option> })
        };
        view! {
            <select class="input" name=name aria-label=label on:change=choose prop:value=move || address.get(name).unwrap_or_default()>
                <option value="">{label}</option>{dynamic(other)}{options.iter().map(option).collect_view()}
            </select>
        }
    };
    let now = address.get_untracked("last").unwrap_or_default();
    let span =
        move |(value, label, _): (&'static str, &'static str, i64)| view! { <option value=value selected=now == value>{label}</option> };
    let more = ["key", "experiment", "run", "model", "shadow"];
    let open = more.iter().any(|name| address.get_untracked(name).is_some()) || address.get_untracked("from").is_some();
    let any = move || names().into_iter().chain(["from", "to"]).any(|name| address.get(name).is_some());
    let clear = move || {
        let changes: Vec<(&str, Option<&str>)> = names()
            .into_iter()
            .chain(["from", "to"])
            .map(|name| (name, None))
            .chain(PLACE)
            .collect();
        view! { <a class="button quiet" href=address.with(&changes) data-noscroll=""><Icon icon=icon::Close/>"Clear"</a> }
    };
    view! {
        <form class="toolbar filters" role="search" method="get" on:submit=submit>
            <div class="search">
                <Icon icon=icon::Search/>
                <input class="input" type="search" name="q" data-key="/" aria-label="Search in all columns" placeholder="Search in all columns" autocomplete="off" spellcheck="false" dir="auto" maxlength="255"
                    value=address.get_untracked("q") prop:value=move || address.get("q").unwrap_or_default()/>
                <kbd class="needs-script">"/"</kbd>
            </div>
            {field("user", "User")}
            {field("route", "Route")}
            {select("method", "Method", &METHODS)}
            {select("status", "Status", &STATUSES)}
            {select("way", "Way in", &WAYS)}
            <select class="input" name="last" aria-label="Time" on:change=choose prop:value=move || address.get("last").unwrap_or_default()>
                <option value="">"Any time"</option>{SPANS.map(span).collect_view()}
            </select>
            <button class="button" type="submit">"Search"</button>
            {dynamic(move || any().then(clear))}
            <details open=open>
                <summary>"More"</summary>
                <div class="line">
                    {field("key", "Key id")}{field("experiment", "Experiment id")}{field("run", "Run id")}{field("model", "Model name")}
                    {select("shadow", "Shadow mode or not", &SHADOW)}
                    {moment(address, "from", "From")}{moment(address, "to", "Until")}
                </div>
            </details>
        </form>
    }
    .into_any()
}

/// A moment on the visitor's own clock; the address has it in ms, which mean the same to everybody.
fn moment(address: Address, name: &'static str, label: &'static str) -> AnyView {
    let shown = RwSignal::new(String::new());
    Effect::new(move |_| {
        let at = address.get(name).and_then(|text| text.parse().ok());
        let local = at.map(|at: i64| browser::local_time(at).replacen(' ', "T", 1));
        shown.set(local.map(|text| text.chars().take(16).collect()).unwrap_or_default());
    });
    let choose = move |event: ev::Event| {
        let at = browser::moment(&event_target_value(&event)).map(|at| at.to_string());
        let mut changes = vec![(name, at.as_deref()), ("last", None)];
        changes.extend(PLACE);
        address.go(&changes);
    };
    view! { <label class="line needs-script">{label}<input class="input" type="datetime-local" prop:value=shown on:change=choose/></label> }
        .into_any()
}

fn names() -> Vec<&'static str> {
    FILTERS.into_iter().chain(["last"]).collect()
}
