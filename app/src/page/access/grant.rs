//! A grant to somebody who is not in the list yet.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{error_elsewhere, error_of, later};
use crate::{
    api::{
        self, Client,
        flowdeck::{
            access::{self, Access},
            grant::{Level, Subject, Target},
            role,
        },
    },
    page::review::{Asked, Review, words::Names},
    part::{dynamic::dynamic, face::sentence, field::FieldError},
    state::query::Query,
};

/// How many names are offered.
const OFFERED: &str = "8";

/// Where one looks for the name that was typed.
#[derive(Clone)]
struct Desk {
    client: Client,
    on: Target,
    /// Roles with what they have on it.
    roles: Vec<(String, Option<Level>)>,
}

pub fn form(review: Review, access: &Access, names: Names) -> AnyView {
    let desk = Desk {
        client: expect_context::<Client>(),
        on: access.on.clone(),
        roles: access.roles.iter().map(|role| (role.role.clone(), role.direct)).collect(),
    };
    let desk = StoredValue::new(desk);
    let name = RwSignal::new(String::new());
    let is_role = RwSignal::new(false);
    let level = RwSignal::new(Level::Read);
    let error = RwSignal::new(None::<(&'static str, String)>);
    let offered = RwSignal::new(Vec::<String>::new());
    let busy = RwSignal::new(false);
    let offer = later(move || {
        spawn_local(async move {
            let Some(desk) = desk.try_get_value() else { return };
            let text = name.get_untracked();
            if let Ok(found) = desk.offered(text.trim(), is_role.get_untracked()).await
                && name.try_get_untracked().is_some_and(|now| now == text)
            {
                offered.try_set(found);
            }
        });
    });
    let typed = move |event: ev::Event| {
        name.set(event_target_value(&event));
        error.set(None);
        offer();
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        if wanted.is_empty() {
            return error.set(Some(("who", "Say to whom.".into())));
        }
        let to = if is_role.get_untracked() {
            Subject::Role(wanted)
        } else {
            Subject::User(wanted)
        };
        let (will, names) = (level.get_untracked(), names.clone());
        busy.set(true);
        spawn_local(async move {
            let Some(desk) = desk.try_get_value() else { return };
            let was = desk.has(&to).await;
            busy.try_set(false);
            match was {
                Ok(Some(was)) if was == Some(will) => drop(error.try_set(Some(("who", format!("Has {} on it already.", will.name()))))),
                Ok(Some(was)) => {
                    error.try_set(None);
                    review.ask(Asked::grant(to, desk.on, was, Some(will), names));
                }
                Ok(None) => {
                    let what = if matches!(to, Subject::User(_)) { "user" } else { "role" };
                    error.try_set(Some(("who", format!("There is no {what} of this name."))));
                }
                Err(refused) => drop(error.try_set(Some(("", sentence(&refused.message))))),
            }
        });
    };
    let who = access.complete.then(|| {
        let turn = move |event: ev::Event| {
            is_role.set(event_target_value(&event) == "role");
            offered.set(Vec::new());
            error.set(None);
        };
        view! { <select class="input" aria-label="To whom" on:change=turn><option value="user">"Person"</option><option value="role">"Role"</option></select> }
    });
    let option = |level: &Level| view! { <option value=level.name() title=level.means()>{level.name()}</option> }.into_any();
    let options = access.on.kind.levels().iter().map(option).collect_view();
    let refused = error_of(error, "who");
    let suggestions = move || {
        offered
            .get()
            .into_iter()
            .map(|name| view! { <option value=name></option> }.into_any())
            .collect_view()
    };
    let chosen = move |event: ev::Event| level.set(Level::named(&event_target_value(&event)).unwrap_or(Level::Read));
    view! {
        <form class="toolbar grant needs-script" aria-label="Grant access" on:submit=submit>
            <b>"Grant to"</b>
            {who}
            <div class="field">
                <input class="input" id="grant-who" list="grant-offered" aria-label="Name" placeholder="Name" autocomplete="off" spellcheck="false" dir="auto" maxlength="200"
                    prop:value=name on:input=typed aria-invalid=move || refused.get().map(|_| "true") aria-describedby="grant-about"/>
                <datalist id="grant-offered">{dynamic(suggestions)}</datalist>
                <div id="grant-about"><FieldError error=refused/></div>
            </div>
            <select class="input" aria-label="Level" on:change=chosen>{options}</select>
            <button type="submit" class="button primary" disabled=busy>"Review…"</button>
            {error_elsewhere(error)}
        </form>
    }
    .into_any()
}

// === impl Desk ===

impl Desk {
    async fn offered(&self, text: &str, is_role: bool) -> api::Result<Vec<String>> {
        let query = Query::default().with("q", text).with("limit", OFFERED);
        if is_role {
            let found = role::list(&self.client, &query).await?;
            return Ok(found.roles.into_iter().map(|role| role.name).collect());
        }
        let found = access::of(&self.client, &self.on, &query.with("everyone", "true")).await?;
        Ok(found.people.into_iter().map(|person| person.user).collect())
    }

    /// What somebody has on it by a grant; `None`: there is nobody of this name.
    async fn has(&self, to: &Subject) -> api::Result<Option<Option<Level>>> {
        match to {
            Subject::Role(name) => {
                if let Some((_, level)) = self.roles.iter().find(|role| role.0 == *name) {
                    return Ok(Some(*level));
                }
                match role::get(&self.client, name).await {
                    Ok(_) => Ok(Some(None)),
                    Err(error) if error.status == 404 => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Subject::User(name) => {
                let query = Query::default().with("q", name).with("limit", "500").with("everyone", "true");
                let found = access::of(&self.client, &self.on, &query).await?;
                let told = found.people.len();
                let known = found.people.into_iter().find(|person| person.user == *name);
                match known {
                    Some(person) => Ok(Some(person.direct)),
                    // Among so many others of such a name that the server has to say.
                    None if told < found.total => Ok(Some(None)),
                    None => Ok(None),
                }
            }
        }
    }
}
