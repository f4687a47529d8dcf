//! Search, tags, which experiments: a plain form, so that it works without a script.

use std::time::Duration;

use crate::prelude::*;
use leptos::{ev, leptos_dom::helpers::TimeoutHandle};

use super::listing::{Rows, common_tags, parse_tag, spell_tag};
use crate::{
    browser,
    part::{
        icon::{self, Icon},
        menu::Menu,
        tag::Tag,
    },
    state::address::Address,
};

/// The names in the address that a search keeps.
const KEPT: [&str; 4] = ["folder", "sort", "view", "list"];

#[component]
pub fn Toolbar(typed: RwSignal<String>, rows: RwSignal<Rows>, deleted: bool) -> impl IntoView {
    let address = Address::here();
    let folder = address.memo("folder");
    let flat = address.memo("list");
    follow(address, typed);
    let hidden = move || {
        let kept = KEPT.iter().filter_map(|name| Some((*name, address.get(name)?)));
        let tags = address.all("tag").into_iter().map(|tag| ("tag", tag));
        kept.chain(tags)
            .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
            .collect_view()
    };
    let submit = |event: ev::SubmitEvent| {
        event.prevent_default();
        browser::step_focus("[data-row]", true);
    };
    let placeholder = move || match folder.get() {
        Some(folder) => format!("Search in {folder}"),
        None => "Search by name or id".to_owned(),
    };
    let chosen = move || {
        let tags = address.all("tag");
        let chips = tags.iter().map(|tag| {
            let (key, value) = parse_tag(tag);
            let others: Vec<&str> = tags.iter().filter(|other| *other != tag).map(String::as_str).collect();
            let changes: Vec<(&str, Option<&str>)> = if others.is_empty() { vec![("tag", None)] } else { others.into_iter().map(|tag| ("tag", Some(tag))).collect() };
            let href = address.with(&changes);
            view! { <span class="chosen"><Tag key=key.clone() value=value.to_owned() on=true/><a class="button quiet small square" href=href data-noscroll="" aria-label=format!("Do not filter by {key}") title="Remove"><Icon icon=icon::Close/></a></span> }
        });
        chips.collect_view()
    };
    let all = move || (flat.get().as_deref() == Some("all")).then_some("true");
    let in_folders = move || (flat.get().is_none()).then_some("true");
    view! {
        <form class="toolbar" role="search" method="get" action=move || address.path() on:submit=submit>
            {hidden}
            <div class="search">
                <Icon icon=icon::Search/>
                <input class="input" type="search" name="q" aria-label="Search experiments" placeholder=placeholder autocomplete="off" spellcheck="false" dir="auto" data-key="/"
                    value=typed.get_untracked() prop:value=typed on:input=move |event| typed.set(event_target_value(&event)) on:keydown=move |event| keys(&event, typed)/>
                <kbd class="needs-script">"/"</kbd>
            </div>
            <button class="button only-plain" type="submit">"Search"</button>
            <TagMenu rows=rows/>
            {chosen}
            <span class="spread"></span>
            {(!deleted).then(|| view! {
                <nav class="segments" aria-label="Arrangement">
                    <a href=move || address.with(&[("list", None), ("show", None)]) aria-current=in_folders data-noscroll="">"Folders"</a>
                    <a href=move || address.with(&[("list", Some("all")), ("show", None)]) aria-current=all data-noscroll="">"All"</a>
                </nav>
            })}
            <nav class="segments" aria-label="Which experiments">
                <a href=move || address.with(&[("view", None), ("show", None)]) aria-current=(!deleted).then_some("true") data-noscroll="">"Active"</a>
                <a href=move || address.with(&[("view", Some("deleted")), ("show", None)]) aria-current=deleted.then_some("true") data-noscroll=""><Icon icon=icon::Trash/>"Deleted"</a>
            </nav>
        </form>
    }
}

/// Keeps what is typed and the address alike: the address a little later (browsers limit how often it may change), the field at once.
fn follow(address: Address, typed: RwSignal<String>) {
    let query = address.memo("q");
    let pending = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |before: Option<String>| {
        let now = typed.get();
        if before.as_ref().is_some_and(|before| *before != now) {
            pending.update_value(|pending| {
                if let Some(timer) = pending.take() {
                    timer.clear();
                }
                let write = move || {
                    let typed = typed.try_get_untracked().unwrap_or_default();
                    if query.try_get_untracked().is_some_and(|query| query.unwrap_or_default() != typed) {
                        address.replace(&[("q", Some(&typed)), ("show", None)]);
                    }
                };
                *pending = set_timeout_with_handle(write, Duration::from_millis(250)).ok();
            });
        }
        now
    });
    on_cleanup(move || {
        if let Some(Some(timer)) = pending.try_update_value(Option::take) {
            timer.clear();
        }
    });
    // Back and forward.
    Effect::new(move |before: Option<String>| {
        let query = query.get().unwrap_or_default();
        if before.is_some_and(|before| before != query) && typed.get_untracked() != query {
            typed.set(query.clone());
        }
        query
    });
}

/// Escape empties the field, the arrow goes to the rows.
fn keys(event: &ev::KeyboardEvent, typed: RwSignal<String>) {
    match event.key().as_str() {
        "Escape" if !typed.with_untracked(String::is_empty) => typed.set(String::new()),
        "ArrowDown" if browser::step_focus("[data-row]", true) => {}
        _ => return,
    }
    event.prevent_default();
}

/// The tags that most experiments have, to filter by.
#[component]
fn TagMenu(rows: RwSignal<Rows>) -> impl IntoView {
    let address = Address::here();
    let common = Memo::new(move |_| rows.with(|rows| common_tags(rows, 40)));
    let item = move |(key, value, count): (String, String, usize)| {
        let spelt = spell_tag(&key, &value);
        let href = move || {
            let mut tags = address.all("tag");
            match tags.iter().position(|tag| *tag == spelt) {
                Some(at) => drop(tags.remove(at)),
                None => tags.push(spelt.clone()),
            }
            let changes: Vec<(&str, Option<&str>)> = tags.iter().map(|tag| ("tag", Some(tag.as_str()))).chain([("show", None)]).collect();
            if tags.is_empty() {
                address.with(&[("tag", None), ("show", None)])
            } else {
                address.with(&changes)
            }
        };
        view! { <a class="item" href=href data-noscroll=""><Tag key=key value=value/><span class="spread faint">{count}</span></a> }
    };
    move || {
        (!common.with(Vec::is_empty)).then(|| {
            view! {
                <button type="button" class="button" popovertarget="tag-menu" aria-haspopup="true"><Icon icon=icon::Tag/>"Tags"</button>
                <Menu id="tag-menu" class="start" label="Filter by tag">
                    <div class="head">"Show experiments with"</div>
                    {common.get_untracked().into_iter().map(item).collect_view()}
                </Menu>
            }
        })
    }
}
