//! What narrows the table: a word in the keys, only differences, a baseline. A form, so it works without a script.

use std::sync::Arc;

use crate::prelude::*;
use leptos::ev;

use super::{
    bring::Known,
    view::{Place, View},
};
use crate::{
    part::{
        dynamic::dynamic,
        icon::{self, Icon},
        number::count,
    },
    state::{address::Screen as _, query::Query},
};

/// `keys`: how many keys are shown, of how many.
pub fn toolbar(known: Arc<Known>, place: Place, keys: Memo<(usize, usize)>) -> AnyView {
    let view = place.view;
    let find = move |event: ev::Event| {
        let typed = event_target_value(&event);
        place.replace(&View { typed, ..place.now() });
    };
    let only = move |event: ev::Event| {
        let differing = event_target_checked(&event);
        place.go(&View { differing, ..place.now() });
    };
    let against = move |event: ev::Event| {
        let id = event_target_value(&event);
        place.go(&place.now().against(Some(id.as_str()).filter(|id| !id.is_empty())));
    };
    let submit = |event: ev::SubmitEvent| event.prevent_default();
    let runs = Memo::new(move |_| view.read().shown().to_vec());
    let baseline = Memo::new(move |_| view.read().baseline().map(str::to_owned));
    let choices = move || {
        let chosen = baseline.get_untracked();
        let option = |id: &String| view! { <option value=id.clone() selected=chosen.as_ref() == Some(id)>{known.name(id)}</option> };
        let options = runs.read().iter().map(option).collect_view();
        view! {
            <select class="input" name="baseline" aria-label="Baseline" on:change=against prop:value=move || baseline.get().unwrap_or_default()>
                <option value="">"No baseline"</option>{options}
            </select>
        }
    };
    // What else the address says.
    let kept = move || kept(&view.read().query(), &["q", "only", "baseline"]);
    let says = move || match keys.get() {
        (shown, all) if shown == all => format!("{} keys", count(all)),
        (shown, all) => format!("{} of {} keys", count(shown), count(all)),
    };
    view! {
        <form class="toolbar" role="search" method="get" action=place.path() on:submit=submit>
            {dynamic(kept)}
            <div class="search">
                <Icon icon=icon::Search/>
                <input class="input" type="search" name="q" data-key="/" aria-label="Find a key" placeholder="Find a key" autocomplete="off"
                    value=view.get_untracked().typed prop:value=move || view.read().typed.clone() on:input=find/>
                <kbd>"/"</kbd>
            </div>
            <label class="line"><input type="checkbox" role="switch" name="only" value="differing" checked=view.get_untracked().differing prop:checked=move || view.read().differing on:change=only/>"Only differences"</label>
            <label class="line"><span class="muted">"Baseline"</span>{dynamic(choices)}</label>
            <button type="submit" class="button without-script">"Show"</button>
            <span class="spread faint" role="status">{says}</span>
        </form>
    }
    .into_any()
}

/// Fields for what a form leaves as it is: all but `changed`.
pub fn kept(query: &Query, changed: &[&str]) -> AnyView {
    let pairs = query.pairs().filter(|(name, value)| !value.is_empty() && !changed.contains(name));
    pairs
        .map(|(name, value)| view! { <input type="hidden" name=name.to_owned() value=value.to_owned()/> })
        .collect_view()
        .into_any()
}
