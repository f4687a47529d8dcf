//! Settings: what can be changed while Flowdeck runs, who changed what, and where the rest comes from.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{
    desk::Desk,
    load::{Asked, Loaded},
    way,
};
use crate::{
    api::flowdeck::setting::{self, Setting, SettingChange, SettingWish, Settings},
    page::admin::AdminTabs,
    part::{
        button::Button,
        crumbs::Crumbs,
        face::{quoted, sentence},
        field::FieldError,
        link::Link,
        time::Time,
        title::Title,
    },
    route::Route,
};

pub fn page() -> AnyView {
    let desk = Desk::new();
    view! {
        <Title text="Settings"/>
        <Crumbs way=way(None, "Settings".into())/>
        <div class="page people settings">
            <div class="title"><h1>"Settings"</h1></div>
            <AdminTabs here=Route::Settings/>
            {desk.show("the settings", Signal::stored(Asked::Settings), move |loaded| match loaded {
                Loaded::Settings(settings) => known(desk, settings),
                _ => ().into_any(),
            })}
        </div>
    }
}

fn known(desk: Desk, Settings { settings, history }: Settings) -> AnyView {
    let (live, fixed): (Vec<_>, Vec<_>) = settings.into_iter().partition(|setting| setting.live);
    let live = live.into_iter().map(|setting| changeable(desk, setting)).collect_view();
    let fixed = fixed.into_iter().map(fact).collect_view();
    let past = match history.is_empty() {
        true => view! { <p class="body muted">"Nothing has been changed yet."</p> },
        false => {
            let rows = history.into_iter().map(change).collect_view();
            view! { <ul class="named">{rows}</ul> }
        }
    };
    view! {
        <div class="columns">
            <div class="stack">
                <section class="card" aria-labelledby="live-title">
                    <header><h2 id="live-title">"While it runs"</h2></header>
                    <p class="body muted">"A change holds at once and outlasts a restart."</p>
                    {live}
                </section>
            </div>
            <div class="stack">
                <section class="card" aria-labelledby="past-title"><header><h2 id="past-title">"Who changed what"</h2></header>{past}</section>
            </div>
        </div>
        <h2 class="over" id="fixed-title">"As Flowdeck was started"</h2>
        <div class="grid-scroll">
            <table class="grid cards" aria-labelledby="fixed-title">
                <thead><tr><th scope="col">"Setting"</th><th scope="col">"Value"</th><th scope="col">"Comes from"</th></tr></thead>
                <tbody>{fixed}</tbody>
            </table>
        </div>
    }
}

fn changeable(desk: Desk, setting: Setting) -> AnyView {
    let Setting {
        name,
        value,
        says,
        started_with,
        version,
        changed_at,
        changed_by,
        ..
    } = setting;
    let draft = RwSignal::new(value.clone());
    let error = RwSignal::new(None::<String>);
    // Somebody else has changed it since this was read.
    let late = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let named = StoredValue::new(name.clone());
    let send = move |value: Option<String>| {
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let name = named.get_value();
            let changed = setting::change(&desk.client(), &name, &SettingWish { value, version }).await;
            busy.try_set(false);
            match changed {
                Ok(setting) => {
                    desk.toasts.say(format!("{} is {}", setting.name, quoted(&setting.value)));
                    desk.again();
                }
                Err(refused) => {
                    late.try_set(refused.status == 409);
                    error.try_set(Some(sentence(refused.message.trim_start_matches("`value`: "))));
                }
            }
        });
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        send(Some(draft.get_untracked().trim().to_owned()));
    };
    let (id, about) = (format!("setting-{name}"), format!("setting-{name}-about"));
    let by = changed_by.zip(changed_at).map(|(by, at)| {
        let to = Route::User { name: by.clone() };
        view! { <span>"changed "<Time at=at/>" by "<Link to=to><bdi>{by}</bdi></Link></span> }
    });
    let is_changed = value != started_with;
    let back = is_changed.then(|| {
        let label = format!("Back to {started_with}");
        view! { <Button class="quiet" press=move |_| send(None)>{label}</Button> }
    });
    let started = is_changed.then(|| view! { <span>{format!("started with {started_with}")}</span> });
    let now = value.clone();
    let same = Memo::new(move |_| draft.with(|draft| draft.trim() == now));
    let anew = move || {
        late.get()
            .then(|| view! { <div class="line"><Button class="small" press=move |_| desk.again()>"Look at it as it is now"</Button></div> })
    };
    view! {
        <form class="body field setting" on:submit=submit novalidate>
            <label for=id.clone()><code>{name}</code></label>
            <div class="line">
                <input class="input" id=id autocomplete="off" maxlength="200" value=value prop:value=draft on:input=move |event| draft.set(event_target_value(&event))
                    aria-invalid=move || error.read().as_ref().map(|_| "true") aria-describedby=about.clone()/>
                <span class="line needs-script"><button type="submit" class="button" disabled=move || same.get() || busy.get()>"Save"</button>{back}</span>
            </div>
            <div id=about><span class="hint">{sentence(&says)}</span><FieldError error=Signal::derive(move || error.get())/>{crate::part::dynamic::dynamic(anew)}</div>
            <p class="muted small line">{started}{by}</p>
        </form>
    }
}

fn fact(setting: Setting) -> AnyView {
    let value = match setting.value.as_str() {
        "" => view! { <span class="faint">"none"</span> },
        value => view! { <code>{value}</code> },
    };
    let source = match setting.source.as_str() {
        "default" => view! { <span class="muted">"default"</span> },
        source => view! { <code>{source}</code> },
    };
    let says = (!setting.says.is_empty()).then(|| view! { <div class="muted small">{setting.says}</div> });
    view! { <tr><th scope="row"><code>{setting.name}</code>{says}</th><td data-label="Value">{value}</td><td data-label="From">{source}</td></tr> }
}

fn change(change: SettingChange) -> AnyView {
    let to = Route::User { name: change.by.clone() };
    let of = |value: Option<String>| value.unwrap_or_else(|| "what it was started with".into());
    let says = format!(": {} → {}", of(change.was), of(change.will));
    view! { <li><span><code>{change.name}</code>{says}<div class="muted small"><Time at=change.at/>" by "<Link to=to><bdi>{change.by}</bdi></Link></div></span></li> }
}
