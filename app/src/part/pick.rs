//! Picking out of many: search, choose, and what is chosen as chips.

use std::{future::Future, pin::Pin, time::Duration};

use crate::prelude::*;
use leptos::{ev, leptos_dom::helpers::TimeoutHandle, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use super::{
    dynamic::dynamic,
    icon::{self, Icon},
};
use crate::{
    api::{self, Client},
    browser,
};

/// An id and its name.
pub type Pair = (String, String);

/// What finds pairs by a part of their names.
pub type Find = fn(Client, String) -> Pin<Box<dyn Future<Output = api::Result<Vec<Pair>>>>>;

/// How many are offered.
pub const MOST: usize = 8;

/// `id` is unique on the page; `hint` may be empty.
pub fn pick(id: &'static str, label: &'static str, hint: &'static str, client: Client, chosen: RwSignal<Vec<Pair>>, find: Find) -> AnyView {
    let typed = RwSignal::new(String::new());
    let offered = RwSignal::new(None::<api::Result<Vec<Pair>>>);
    let client = StoredValue::new(client);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let clear = move || {
        if let Some(Some(timer)) = timer.try_update_value(Option::take) {
            timer.clear();
        }
    };
    on_cleanup(clear);
    let ask = move || {
        let words = typed.get_untracked();
        spawn_local(async move {
            let Some(client) = client.try_get_value() else { return };
            let found = find(client, words.trim().to_owned()).await;
            // Only what was typed last counts.
            if typed.try_get_untracked().is_some_and(|now| now == words) {
                offered.try_set(Some(found));
            }
        });
    };
    let later = move || {
        clear();
        timer.set_value(set_timeout_with_handle(ask, Duration::from_millis(200)).ok());
    };
    // The next focus is our own doing.
    let quiet = StoredValue::new(false);
    let choose = move |pair: Pair| {
        chosen.update(|chosen| {
            if chosen.iter().all(|known| known.0 != pair.0) {
                chosen.push(pair);
            }
        });
        typed.set(String::new());
        offered.set(None);
        quiet.set_value(true);
        browser::focus(&format!("#{id}"));
    };
    let focused = move |_| {
        if !quiet.try_update_value(std::mem::take).unwrap_or_default() {
            later();
        }
    };
    // What is offered goes when the focus does.
    let left = move |event: ev::FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if !to.is_some_and(|to| to.closest(&format!("#{id}, #{id}-offered")).is_ok_and(|found| found.is_some())) {
            clear();
            offered.set(None);
            quiet.set_value(false);
        }
    };
    let listed = format!("#{id}, #{id}-offered button");
    let keys = move |event: ev::KeyboardEvent| {
        let done = match event.key().as_str() {
            "ArrowDown" => browser::step_focus(&listed, true),
            "ArrowUp" => browser::step_focus(&listed, false),
            // Enter would send the form.
            "Enter" if browser::press(&format!("#{id}:focus ~ div button")) => true,
            "Enter" => offered.read_untracked().is_none(),
            "Escape" if offered.read_untracked().is_some() => {
                offered.set(None);
                browser::focus(&format!("#{id}"))
            }
            _ => false,
        };
        if done {
            event.prevent_default();
        }
    };
    let chip = move |(key, name): Pair| {
        let gone = key.clone();
        let remove = move |_| {
            chosen.update(|chosen| chosen.retain(|pair| pair.0 != gone));
            quiet.set_value(true);
            browser::focus(&format!("#{id}"));
        };
        let title = if key == name { key } else { format!("{name} ({key})") };
        view! {
            <span class="tag on" title=title><bdi class="value">{name.clone()}</bdi>
                <button type="button" class="remove" aria-label=format!("Remove {name}") on:click=remove><Icon icon=icon::Close/></button></span>
        }
    };
    let offer = move |found: &api::Result<Vec<Pair>>| match found {
        Err(error) => view! { <p class="hint" role="alert">{error.message.clone()}</p> }.into_any(),
        Ok(found) if found.is_empty() => view! { <p class="hint" role="status">"Nothing of that name."</p> }.into_any(),
        Ok(found) => {
            let found = found.iter().take(MOST).cloned().map(|pair| {
                let name = pair.1.clone();
                view! { <li><button type="button" class="item" on:click=move |_| choose(pair.clone())><bdi>{name}</bdi></button></li> }
            });
            view! { <ul>{found.collect_view()}</ul> }.into_any()
        }
    };
    let about = (!hint.is_empty()).then(|| format!("{id}-about"));
    let hint = about.clone().map(|id| view! { <span class="hint" id=id>{hint}</span> });
    view! {
        <div class="field pick" on:keydown=keys on:focusout=left>
            <label for=id>{label}</label>
            <span class="tags">{dynamic(move || chosen.get().into_iter().map(chip).collect_view())}</span>
            <input class="input" id=id type="search" dir="auto" autocomplete="off" spellcheck="false" placeholder="Search by name" aria-describedby=about
                prop:value=typed on:input=move |event| { typed.set(event_target_value(&event)); later() } on:focus=focused/>
            <div id=format!("{id}-offered") on:mousedown=|event: ev::MouseEvent| event.prevent_default()>{dynamic(move || offered.read().as_ref().map(offer))}</div>
            {hint}
        </div>
    }
    .into_any()
}
