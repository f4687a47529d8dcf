//! What narrows a list, in forms whose fields are in the address: they work without a script too.

use std::time::Duration;

use crate::prelude::*;
use leptos::{ev, leptos_dom::helpers::TimeoutHandle};

use crate::{
    part::icon::{self, Icon},
    state::address::Address,
};

/// Keys that leave the address with a change: what was on screen for what was asked before.
pub type Turned = &'static [(&'static str, Option<&'static str>)];

/// `act`, when nothing more was typed for a moment.
pub fn later(act: impl Fn() + Clone + 'static) -> impl Fn() + Clone {
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

/// A search field whose text is `key` in the address, a moment after the last letter. The one of `q` is reached by a slash.
pub fn search(address: Address, key: &'static str, label: &'static str, turned: Turned) -> AnyView {
    let query = address.memo(key);
    let typed = RwSignal::new(query.get_untracked().unwrap_or_default());
    let sent = StoredValue::new(typed.get_untracked());
    // Back and forward; what comes back of what was typed is older than what is typed.
    Effect::new(move |_| {
        let now = query.get().unwrap_or_default();
        if now != sent.get_value() {
            sent.set_value(now.clone());
            typed.set(now);
        }
    });
    let go = later(move || {
        let Some(text) = typed.try_get_untracked() else { return };
        let text = text.trim();
        sent.set_value(text.to_owned());
        let mut changes = vec![(key, Some(text))];
        changes.extend_from_slice(turned);
        address.replace(&changes);
    });
    let input = move |event: ev::Event| {
        typed.set(event_target_value(&event));
        go();
    };
    let slash = key == "q";
    let hint = slash.then(|| view! { <kbd class="needs-script">"/"</kbd> });
    view! {
        <div class="search">
            <Icon icon=icon::Search/>
            <input class="input" type="search" name=key data-key=slash.then_some("/") aria-label=label placeholder=label autocomplete="off" spellcheck="false" dir="auto"
                maxlength="255" value=typed.get_untracked() prop:value=typed on:input=input/>
            {hint}
        </div>
    }
}

/// A choice that is `key` in the address: values and what they are called, the first one where nothing is said.
pub fn choice<T: Into<String>>(address: Address, key: &'static str, label: &'static str, options: Vec<(T, T)>, turned: Turned) -> AnyView {
    let options = options.into_iter().map(|(value, label)| (value.into(), label.into())).collect();
    choice_of(address, key, label, options, turned)
}

fn choice_of(address: Address, key: &'static str, label: &'static str, options: Vec<(String, String)>, turned: Turned) -> AnyView {
    let chosen = address.memo(key);
    let change = move |event: ev::Event| {
        let value = event_target_value(&event);
        let mut changes = vec![(key, Some(value.as_str()))];
        changes.extend_from_slice(turned);
        address.go(&changes);
    };
    let option = move |(value, label): (String, String)| {
        let own = value.clone();
        view! { <option value=value selected=move || chosen.get().unwrap_or_default() == own>{label}</option> }
    };
    view! { <select class="input" name=key aria-label=label on:change=change>{options.into_iter().map(option).collect_view()}</select> }
}
