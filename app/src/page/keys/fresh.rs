//! A secret that was just made: shown once, with what to paste, and guarded until it was copied.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{
    change::Changes,
    snippet::{Pastes, Place},
};
use crate::{
    Site,
    api::flowdeck::key::Made,
    browser,
    part::{
        button::Button,
        dynamic::dynamic,
        face::quoted,
        icon::{self, Icon},
        link::Link,
        time::Time,
    },
    route::Route,
};

const STAY: &str = "You have not copied the key, and it is never shown again. Leave it behind?";

pub fn fresh(changes: Changes) -> AnyView {
    let base = Site::expect().base;
    let copied = RwSignal::new(false);
    let place = RwSignal::new(Place::Shell);
    Effect::new(move |_| {
        copied.set(false);
        if changes.fresh.read().is_some() {
            // Whoever agreed to leave is not asked a second time on the way.
            let left = StoredValue::new(false);
            let unsaved = move || !copied.try_get_untracked().unwrap_or(true) && !left.try_get_value().unwrap_or(true);
            let stay = move || {
                let stays = unsaved() && !browser::confirm(STAY);
                left.try_set_value(!stays);
                stays
            };
            let guard = StoredValue::new_local(Some(browser::before_leaving(unsaved, stay)));
            on_cleanup(move || {
                if let Some(Some(unlisten)) = guard.try_update_value(Option::take) {
                    unlisten();
                }
            });
        }
    });
    dynamic(move || {
        changes
            .fresh
            .get()
            .map(|made| card(changes, made, &format!("{}{base}", browser::origin()), copied, place))
    })
}

fn card(changes: Changes, made: Made, address: &str, copied: RwSignal<bool>, place: RwSignal<Place>) -> AnyView {
    let Made { key, secret } = made;
    let close = move |_| {
        if copied.get_untracked() || browser::confirm(STAY) {
            changes.fresh.set(None);
            browser::focus("[data-key='n'], .keyring h1");
        }
    };
    let choose = |(each, label): (Place, &'static str)| {
        let pressed = move || (place.get() == each).to_string();
        view! { <button type="button" aria-pressed=pressed on:click=move |_| place.set(each)>{label}</button> }
    };
    let before = key
        .previous_until
        .map(|until| view! { " The secret before works until "<Time at=until/>"." });
    let shown = secret.clone();
    let title = format!("The key {} is ready", quoted(&key.name));
    let address = address.to_owned();
    let steps = move || {
        let Pastes {
            install,
            connect,
            first,
            logs,
        } = place.get().pastes(&address, &secret, &key);
        let last = first.map(|code| {
            let title = if logs { "Log a first run" } else { "Try it" };
            view! { <li>{paste(title, code, None)}</li> }
        });
        let seen = (last.is_some() && logs)
            .then(|| view! { <p>"Then look at "<Link to=Route::Experiments>"the experiments"</Link>": it is there."</p> });
        view! { <ol class="steps"><li>{paste("Install the client", install.to_owned(), None)}</li><li>{paste("Connect", connect, Some(copied))}</li>{last}</ol>{seen} }
    };
    view! {
        <section class="card fresh" aria-labelledby="fresh-title" on:copy=move |_| copied.set(true)>
            <header><Icon icon=icon::Key/><h2 id="fresh-title" tabindex="-1">{title}</h2></header>
            <div class="body stack">
                <p><b>"Copy it now: it is shown this once."</b>" Flowdeck keeps only what it takes to recognise it."{before}</p>
                {code("The key", shown, Some(copied))}
                <div class="segments" role="group" aria-label="Paste it into">{Place::ALL.map(choose).collect_view()}</div>
                {dynamic(steps)}
                <div class="line"><Button press=close>"Done"</Button></div>
            </div>
        </section>
    }
    .into_any()
}

fn paste(title: &'static str, text: String, copied: Option<RwSignal<bool>>) -> AnyView {
    view! { <h3>{title}</h3>{code(title, text, copied)} }.into_any()
}

/// A block of code with a button that copies it; `copied` is told.
fn code(label: &'static str, text: String, copied: Option<RwSignal<bool>>) -> AnyView {
    let done = RwSignal::new(false);
    let shown = text.clone();
    let copy = move |_: ev::MouseEvent| {
        let text = text.clone();
        spawn_local(async move {
            if browser::copy(&text).await {
                done.try_set(true);
                copied.map(|copied| copied.try_set(true));
            }
        });
    };
    view! {
        <div class="snippet">
            <pre tabindex="0" aria-label=label><code>{shown}</code></pre>
            <button type="button" class="button small copy-code" on:click=copy aria-label=format!("Copy: {label}")>
                {dynamic(move || view! { <Icon icon=if done.get() { icon::Check } else { icon::Copy }/>{if done.get() { "Copied" } else { "Copy" }} })}
            </button>
        </div>
    }
    .into_any()
}
