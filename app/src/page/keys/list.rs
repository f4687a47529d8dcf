//! The keys, one a row.

use crate::prelude::*;
use icondata_core::IconData;
use leptos::ev;

use super::change::{Changes, Opened};
use crate::{
    api::flowdeck::key::{Key, State},
    letter::lower,
    order::sort_by,
    part::{
        button::Button,
        dynamic::dynamic,
        face::Empty,
        icon::{self, Icon},
        link::Link,
        menu::Menu,
        number::{count, short},
        time::Time,
    },
    route::{Route, escape},
    state::address::Address,
};

/// Who has a key for this long may want another one soon.
const SOON: i64 = 7 * 86_400_000;

pub fn list(all: bool, changes: Changes) -> AnyView {
    let address = Address::here();
    let words = address.memo("q");
    let state = address.memo("state");
    let user = address.memo("user");
    let found = Memo::new(move |_| {
        let words = lower(&words.get().unwrap_or_default());
        let state = state.get();
        let user = user.get().filter(|_| all);
        let mut found = changes.keys.get();
        found.retain(|key| user.as_ref().is_none_or(|user| key.user == *user));
        found.retain(|key| {
            let texts = [&key.name, &key.user, &key.start, &key.id];
            let named = words.is_empty() || texts.iter().any(|text| lower(text).contains(&words));
            named && state.as_deref().is_none_or(|state| state == word(key.state))
        });
        // What works comes first, then what was made last.
        sort_by(&mut found, |a, b| {
            rank(a.state).cmp(&rank(b.state)).then(b.created_at.cmp(&a.created_at))
        });
        found
    });
    let target = RwSignal::new(None::<Key>);
    let row = move |key: Key| row(all, key, target);
    let table = move || {
        view! {
            <div class="grid-scroll">
                <table class="grid cards">
                    <caption class="unseen">"API keys"</caption>
                    <thead><tr>
                        <th scope="col">"Key"</th>
                        {all.then(|| view! { <th scope="col">"User"</th> })}
                        <th scope="col">"May"</th><th scope="col">"Expires"</th><th scope="col">"Last used"</th><th scope="col">"State"</th>
                        <th scope="col"><span class="unseen">"Actions"</span></th>
                    </tr></thead>
                    <tbody>{each(move || found.get(), fingerprint, row)}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let shown = Memo::new(move |_| (changes.keys.read().is_empty(), found.read().is_empty()));
    view! {
        {all.then(|| search(address))}
        {dynamic(move || user.get().filter(|_| all).map(|user| of_user(address, changes, user)))}
        {dynamic(move || match shown.get() {
            (true, _) if all => view! { <Empty icon=icon::Key title="Nobody has a key yet"><p>"People make their own at Account, API keys. For programs that belong to nobody there are service accounts, below."</p></Empty> }.into_any(),
            (true, _) => view! {
                <Empty icon=icon::Key title="No keys yet">
                    <p>"Make one, paste what is shown into a shell, and the MLflow client logs here."</p>
                    <div class="actions needs-script"><Button class="primary" icon=icon::Plus press=move |_| changes.open(Opened::New(None))>"New key"</Button></div>
                </Empty>
            }.into_any(),
            (_, true) => view! {
                <Empty icon=icon::Search title="No key matches">
                    <p>"Looked in names, users, ids and the first letters of the keys."</p>
                    <div class="actions"><a class="button" href=move || address.with(&[("q", None), ("state", None), ("user", None)]) data-noscroll="">"Show all"</a></div>
                </Empty>
            }.into_any(),
            _ => table(),
        })}
        {menu(all, changes, target)}
    }
    .into_any()
}

/// Says that only this user's keys are shown, and offers to end them all.
fn of_user(address: Address, changes: Changes, user: String) -> AnyView {
    let (to, name, whose) = (Route::User { name: user.clone() }, user.clone(), user.clone());
    let living = Memo::new(move |_| {
        changes
            .keys
            .with(|keys| keys.iter().filter(|key| key.user == whose && key.state != State::Revoked).count())
    });
    let revoke = move || {
        let user = user.clone();
        let ask = move |_| changes.open(Opened::RevokeAll(user.clone(), living.get_untracked()));
        (living.get() > 0).then(|| {
            view! { <span class="needs-script"><Button class="danger small" icon=icon::Trash press=ask>"Revoke all of them…"</Button></span> }
        })
    };
    view! {
        <div class="statusbar of-user">
            <span>"Only the keys of "<Link to=to><bdi>{name}</bdi></Link></span>
            <a class="button small" href=move || address.with(&[("user", None)]) data-noscroll="">"Show everybody's"</a>
            {dynamic(revoke)}
        </div>
    }
    .into_any()
}

/// By name, user or first letters, and by state: a form, so that it works without a script.
fn search(address: Address) -> AnyView {
    let query = address.memo("q");
    let state = address.memo("state");
    let user = address.get_untracked("user");
    let typed = move |event: ev::Event| address.replace(&[("q", Some(&event_target_value(&event)))]);
    let chosen = move |event: ev::Event| address.go(&[("state", Some(&event_target_value(&event)))]);
    let option = |value: &'static str, label: &'static str| {
        let chosen = move || state.get().unwrap_or_default() == value;
        view! { <option value=value selected=chosen>{label}</option> }
    };
    view! {
        <form class="toolbar" role="search" method="get" on:submit=|event: ev::SubmitEvent| event.prevent_default()>
            <div class="search">
                <Icon icon=icon::Search/>
                <input class="input" type="search" name="q" aria-label="Search keys" placeholder="Name, user or fd_…" autocomplete="off" spellcheck="false" dir="auto" data-key="/"
                    value=query.get_untracked() prop:value=move || query.get().unwrap_or_default() on:input=typed/>
                <kbd class="needs-script">"/"</kbd>
            </div>
            <select class="input" name="state" aria-label="State" on:change=chosen>
                {option("", "Any state")}{option("active", "Active")}{option("disabled", "Disabled")}{option("expired", "Expired")}{option("revoked", "Revoked")}
            </select>
            {user.map(|user| view! { <input type="hidden" name="user" value=user/> })}
            <button class="button without-script" type="submit">"Search"</button>
        </form>
    }
    .into_any()
}

fn row(all: bool, key: Key, target: RwSignal<Option<Key>>) -> AnyView {
    let over = matches!(key.state, State::Revoked);
    let (own, label) = (key.clone(), format!("Actions for {}", key.name));
    let expires = match key.expires_at {
        Some(at) => {
            let soon = key.state == State::Active && at - crate::part::clock::Clock::expect().minute.get_untracked() < SOON;
            view! { <span class:warning=soon><Time at=at/></span> }.into_any()
        }
        None => view! { <span class="muted">"never"</span> }.into_any(),
    };
    let used = match key.last_used_at {
        Some(at) => view! { <Time at=at/>{key.last_used_address.clone().map(|from| view! { <span class="faint">" from "<bdi>{from}</bdi></span> })} }.into_any(),
        None => view! { <span class="muted">"not yet"</span> }.into_any(),
    };
    let still = key.previous_until.filter(|_| !over);
    let (to, name) = (Route::User { name: key.user.clone() }, key.user.clone());
    let user = all.then(|| view! { <td data-label="User"><Link to=to><bdi>{name}</bdi></Link></td> });
    view! {
        <tr class:over=over>
            <th scope="row"><bdi class="name">{key.name.clone()}</bdi>" "<code class="faint">{format!("{}…", key.start)}</code>
                {still.map(|until| view! { <div class="faint small">"the secret before works until "<Time at=until/></div> })}
            </th>
            {user}
            <td data-label="May">{may(&key)}</td>
            <td data-label="Expires">{expires}</td>
            <td data-label="Last used">{used}</td>
            <td data-label="State">{state(&key)}</td>
            <td class="act"><button type="button" class="button quiet small square needs-script" popovertarget="key-menu" aria-haspopup="true" aria-label=label title="Actions"
                on:click=move |_| target.set(Some(own.clone()))><Icon icon=icon::More/></button></td>
        </tr>
    }
    .into_any()
}

/// The scopes, and what makes the key less than that.
fn may(key: &Key) -> AnyView {
    let scopes = key
        .scopes
        .iter()
        .map(|scope| view! { <span class="tag"><span class="value">{scope.name()}</span></span> });
    let number = |list: &[String], one: &str, many: &str| match list.len() {
        0 => None,
        1 => Some((format!("1 {one}"), list.join("\n"))),
        number => Some((format!("{} {many}", count(number)), list.join("\n"))),
    };
    let limits = [
        number(&key.experiments, "experiment", "experiments"),
        number(&key.models, "model", "models"),
        number(&key.families, "family", "families"),
        number(&key.allowed_networks, "network", "networks"),
        key.rate_per_second
            .map(|rate| (format!("{} a second", short(rate)), "How many calls it may make".to_owned())),
    ];
    let limits = limits
        .into_iter()
        .flatten()
        .map(|(text, title)| view! { <span class="tag" title=title><span class="key">{text}</span></span> });
    view! { <span class="tags">{scopes.collect_view()}{limits.collect_view()}</span> }.into_any()
}

fn state(key: &Key) -> AnyView {
    let (icon, class, label) = match key.state {
        State::Active => (icon::CircleCheck, "status positive", "Active"),
        State::Disabled => (icon::Ban, "status warning", "Disabled"),
        State::Expired => (icon::Clock, "status warning", "Expired"),
        State::Revoked => (icon::CircleX, "status faint", "Revoked"),
    };
    let shadow = key.shadow.then(|| {
        let href = format!("{}?key={}&shadow=yes", Route::Audit.href(), escape(&key.id));
        let text = match key.would_refuse {
            0 => "shadow mode: all within its limits".to_owned(),
            1 => "shadow mode: 1 call would have been refused".to_owned(),
            number => format!("shadow mode: {} calls would have been refused", count(number as usize)),
        };
        view! { <div class="small"><a href=href>{text}</a></div> }
    });
    view! { <span class=class><Icon icon=icon/>{label}</span>{shadow} }.into_any()
}

/// One menu for all rows: the button that opens it says for which.
fn menu(all: bool, changes: Changes, target: RwSignal<Option<Key>>) -> AnyView {
    let item = move |icon: &'static IconData, label: &'static str, open: fn(Key) -> Opened| {
        let open = move |_| {
            if let Some(key) = target.get_untracked() {
                changes.open(open(key));
            }
        };
        view! { <button type="button" class="item" on:click=open><Icon icon=icon/>{label}</button> }
    };
    let items = move || {
        let key = target.get()?;
        let calls = format!("{}?key={}&shadow=yes", Route::Audit.href(), escape(&key.id));
        let calls = view! { <a class="item" href=calls><Icon icon=icon::Search/>"Its calls"</a> };
        if key.state == State::Revoked {
            return Some(calls.into_any());
        }
        let (on, own) = (key.state == State::Disabled, key.clone());
        let label = if on { "Enable" } else { "Disable" };
        let turn = (key.state != State::Expired).then(|| {
            view! { <button type="button" class="item" on:click=move |_| changes.enable(own.clone(), on)><Icon icon=if on { icon::Check } else { icon::Ban }/>{label}</button> }
        });
        // Whoever sees another secret could act as that person; nobody is a service account.
        let own_or_nobodys = !all || changes.accounts.read().iter().any(|account| account.name == key.user);
        let change =
            own_or_nobodys.then(|| view! { {item(icon::Pencil, "Edit…", Opened::Edit)}{item(icon::Retry, "Rotate…", Opened::Rotate)} });
        let revoke = move |_| changes.open(Opened::Revoke(key.clone()));
        Some(
            view! {
                {change}{turn}{calls}
                <hr/>
                <button type="button" class="item danger" on:click=revoke><Icon icon=icon::Trash/>"Revoke…"</button>
            }
            .into_any(),
        )
    };
    view! { <Menu id="key-menu" label="Actions for the key">{dynamic(items)}</Menu> }.into_any()
}

/// A row is drawn anew when anything in it changes.
fn fingerprint(key: &Key) -> String {
    serde_json::to_string(key).unwrap_or_default()
}

fn word(state: State) -> &'static str {
    match state {
        State::Active => "active",
        State::Disabled => "disabled",
        State::Expired => "expired",
        State::Revoked => "revoked",
    }
}

fn rank(state: State) -> u8 {
    match state {
        State::Active => 0,
        State::Disabled => 1,
        State::Expired => 2,
        State::Revoked => 3,
    }
}
