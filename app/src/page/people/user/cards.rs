//! Where a user is signed in, and with which keys their programs come.

use crate::prelude::*;
use leptos::task::spawn_local;

use crate::{
    Site,
    api::flowdeck::{
        key::{Key, State},
        user::{self, UserSession},
    },
    page::{account::browser_name, people::desk::Desk},
    part::{
        button::Button,
        icon::{self, Icon},
        link::Link,
        number::count,
        time::Time,
    },
    route::{Route, escape},
};

/// Sessions that are drawn; more than that are ended together.
const SHOWN: usize = 20;

pub fn sessions(desk: Desk, name: &str, sessions: Vec<UserSession>) -> AnyView {
    // One's own are ended where the password is asked for.
    let own = Site::expect().user == name;
    let name: std::sync::Arc<str> = name.into();
    let number = sessions.len();
    let whose = name.clone();
    let end = move |id: Option<String>| {
        let name = whose.clone();
        spawn_local(async move {
            match user::end_sessions(&desk.client(), &name, id.as_deref()).await {
                Ok(ended) => desk.toasts.say(match ended.ended {
                    1 => "Ended 1 session".to_owned(),
                    ended => format!("Ended {} sessions", count(ended)),
                }),
                Err(error) => desk.toasts.failed("That session was not ended", &error),
            }
            desk.again();
        });
    };
    let all = end.clone();
    let row = move |session: UserSession| {
        let browser = browser_name(&session.user_agent);
        let label = format!("End the session of {browser} at {}", session.address);
        let (end, id) = (end.clone(), session.id);
        view! {
            <li>
                <Icon icon=icon::Monitor/>
                <div class="what">
                    <b title=session.user_agent>{browser}</b>
                    <div class="muted"><bdi>{session.address}</bdi>" · used "<Time at=session.last_used_at/>" · signed in "<Time at=session.created_at/></div>
                </div>
                {(!own).then(|| view! { <button type="button" class="button small needs-script" aria-label=label on:click=move |_| end(Some(id.clone()))>"End"</button> })}
            </li>
        }
    };
    let rows = sessions.into_iter().take(SHOWN).map(row).collect_view();
    let more = (number > SHOWN).then(|| view! { <li class="muted">{format!("and {} more", count(number - SHOWN))}</li> });
    let list = match number {
        0 => view! { <p class="body muted">"None is open."</p> },
        _ => view! { <ul>{rows}{more}</ul> },
    };
    let elsewhere = own.then(|| view! { <p class="body muted">"Your own sessions are ended at "<Link to=Route::Account>"Account"</Link>", with your password."</p> });
    let all = (!own && number > 1).then(|| {
        view! { <div class="foot needs-script"><Button class="danger" icon=icon::LogOut press=move |_| all(None)>"End all sessions"</Button></div> }
    });
    view! {
        <section class="card sessions" aria-labelledby="sessions-title">
            <header><h2 id="sessions-title">"Browser sessions"</h2></header>
            {list}{elsewhere}{all}
        </section>
    }
}

/// `service`: the user is a program, whose keys an owner makes.
pub fn keys(name: &str, keys: &[Key], service: bool) -> AnyView {
    let of = |state: State| keys.iter().filter(|key| key.state == state).count();
    let named = [
        (State::Active, "active"),
        (State::Disabled, "disabled"),
        (State::Expired, "expired"),
        (State::Revoked, "revoked"),
    ];
    let named = named
        .into_iter()
        .map(|(state, word)| (of(state), word))
        .filter(|(number, _)| *number > 0);
    let named: Vec<_> = named.map(|(number, word)| format!("{} {word}", count(number))).collect();
    let says = if named.is_empty() { "None.".to_owned() } else { named.join(" · ") };
    let used = keys.iter().filter_map(|key| key.last_used_at).max();
    let used = used.map(|at| view! { <p class="muted">"One of them was last used "<Time at=at/>"."</p> });
    let to = if Site::expect().user == name {
        view! { <Link to=Route::Keys class="button"><Icon icon=icon::Key/>"Your API keys"</Link> }
    } else {
        view! { <Link to=Route::AllKeys query=format!("?user={}", escape(name)) class="button"><Icon icon=icon::Key/>{if service { "Make and revoke them" } else { "See and revoke them" }}</Link> }
    };
    let to = (service || !keys.is_empty()).then(|| view! { <div class="line">{to}</div> });
    view! {
        <section class="card" aria-labelledby="keys-title">
            <header><h2 id="keys-title">"API keys"</h2></header>
            <div class="body stack"><p>{says}</p>{used}{to}</div>
        </section>
    }
}
