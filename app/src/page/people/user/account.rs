//! Who a user is, and what an owner does to the account: administrator or not, reset, deactivate and back, delete.

use std::pin::Pin;

use crate::prelude::*;
use leptos::task::spawn_local;

use super::Shown;
use crate::{
    Site,
    api::{
        self, Client,
        flowdeck::{
            change::Edit,
            grant::Grant,
            user::{self, Belongings, UserMade, UserRow},
        },
    },
    page::{
        people::{desk::Desk, users::state},
        review::words,
    },
    part::{
        button::Button,
        dynamic::dynamic,
        face::{Loading, Notice, quoted, sentence},
        field::TextField,
        icon,
        link::Link,
        number::count,
        question::question,
        time::Time,
    },
    route::{Route, escape},
};

/// What is listed of what somebody leaves behind.
const LISTED: usize = 10;

pub fn who(desk: Desk, shown: &Shown) -> AnyView {
    let fact = |name: &'static str, value: AnyView| view! { <dt>{name}</dt><dd>{value}</dd> };
    let admin = shown
        .detail
        .as_ref()
        .map(|detail| detail.user.admin)
        .or(shown.user.as_ref().map(|user| user.is_admin));
    let admin = admin.map(|admin| fact("Administrator", if admin { "yes, of this MLflow" } else { "no" }.into_any()));
    let now = shown
        .detail
        .as_ref()
        .map(|detail| fact("State", state(detail.user.active, detail.user.invited)));
    let account = shown.account.as_ref().map(|account| {
        let made = view! { "made "<Time at=account.created_at/>" by "<bdi>{account.created_by.clone()}</bdi>"; nobody knows the password" };
        fact("Service account", made)
    });
    let last = match &shown.last {
        Some(row) => view! { <Time at=row.at/>{row.address.clone().map(|from| view! { " from "<bdi>{from}</bdi> })} },
        None => view! { <span class="muted">"none that the audit still has"</span> },
    };
    let past = shown.detail.as_ref().map(|_| {
        let query = format!("?user={}", escape(&shown.name));
        fact(
            "Access",
            view! { <Link to=Route::Changes query=query>"what was changed of it"</Link> },
        )
    });
    let acts = shown.detail.as_ref().map(|detail| acts(desk, &detail.user, detail.last_admin));
    view! {
        <section class="card" aria-labelledby="who-title">
            <header><h2 id="who-title">"Who it is"</h2></header>
            <dl class="body facts-list">{admin}{now}{account}{fact("Last call", last)}{past}</dl>
            {acts}
        </section>
    }
}

/// What can be done to it. What the server would refuse is not offered.
fn acts(desk: Desk, user: &UserRow, last_admin: bool) -> AnyView {
    let UserRow {
        name,
        admin,
        active,
        service,
        ..
    } = user.clone();
    let own = Site::expect().user == name;
    let named = move |name: &String| name.clone();
    let flag = (!last_admin && active && (admin || !service)).then(|| {
        let name = named(&name);
        let (label, title) = match admin {
            true => ("Make no administrator…", format!("{} is no administrator any more", quoted(&name))),
            false => ("Make administrator…", format!("{} is an administrator", quoted(&name))),
        };
        let change = move |_| {
            desk.change(
                title.clone(),
                vec![Edit::Admin {
                    user: name.clone(),
                    was: admin,
                    will: !admin,
                }],
            )
        };
        view! { <Button press=change>{label}</Button> }
    });
    let reset = (active && !service && !own).then(|| {
        let name = named(&name);
        view! { <Button icon=icon::Key press=move |_| ask(desk, name.clone(), Life::Reset)>"Reset the password…"</Button> }
    });
    let turn = (!own && !last_admin).then(|| {
        let (name, label, life) = match active {
            true => (named(&name), "Deactivate…", Life::Deactivate),
            false => (named(&name), "Reactivate…", Life::Reactivate),
        };
        let icon = if active { icon::Ban } else { icon::Check };
        view! { <Button icon=icon press=move |_| ask(desk, name.clone(), life)>{label}</Button> }
    });
    let delete = (!own && !last_admin).then(|| {
        let name = named(&name);
        view! { <Button class="danger" icon=icon::Trash press=move |_| delete(desk, name.clone())>"Delete…"</Button> }
    });
    let says = match (own, last_admin) {
        (true, false) => Some("Nobody deactivates or deletes themselves: another administrator can. Your password is changed at Account."),
        (true, true) => Some("Your password is changed at Account."),
        _ => None,
    };
    let says = says.map(|says| view! { <p class="body muted">{says}</p> });
    view! { <div class="body acts needs-script">{flag}{reset}{turn}{delete}</div>{says} }
}

/// What changes whether and how somebody signs in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Reset,
    Deactivate,
    Reactivate,
}

fn ask(desk: Desk, name: String, life: Life) {
    let title = match life {
        Life::Reset => format!("Reset the password of {}?", quoted(&name)),
        Life::Deactivate => format!("Deactivate {}?", quoted(&name)),
        Life::Reactivate => format!("Reactivate {}?", quoted(&name)),
    };
    desk.ask(title, move || {
        let (says, label, class) = match life {
            Life::Reset => (
                "The password and all sessions stop at once. You get a link to pass on, by which the person sets a new one. API keys go on.",
                "Reset",
                "primary",
            ),
            Life::Deactivate => (
                "Sessions, API keys and the password stop at once. Roles and grants stay, for when the account is reactivated; then the person needs a link to set a new password.",
                "Deactivate",
                "danger primary",
            ),
            Life::Reactivate => (
                "API keys that worked before work again. A person gets a link to set a new password with.",
                "Reactivate",
                "primary",
            ),
        };
        let about = view! { <p>{says}</p> };
        let name = name.clone();
        let act = move || {
            let name = name.clone();
            Box::pin(async move {
                let made = lived(desk.client(), &name, life).await?;
                desk.again();
                match made.link {
                    Some(_) => desk.tell(made),
                    None => desk.toasts.say(match life {
                        Life::Deactivate => format!("Deactivated {}", quoted(&name)),
                        _ => format!("{} is active", quoted(&name)),
                    }),
                }
                Ok(())
            }) as Pin<Box<dyn Future<Output = api::Result<()>>>>
        };
        question(desk.shown, about, label.to_owned(), class, Signal::stored(true), Box::new(act))
    });
}

async fn lived(client: Client, name: &str, life: Life) -> api::Result<UserMade> {
    match life {
        Life::Reset => user::reset(&client, name).await,
        Life::Deactivate => user::deactivate(&client, name).await,
        Life::Reactivate => user::reactivate(&client, name).await,
    }
}

/// Asks with what they would leave behind, and wants the name typed.
fn delete(desk: Desk, name: String) {
    desk.ask(format!("Delete {}?", quoted(&name)), move || {
        let found = RwSignal::new(None::<api::Result<Belongings>>);
        let typed = RwSignal::new(String::new());
        let whose = name.clone();
        spawn_local(async move {
            let answer = user::belongings(&desk.client(), &whose).await;
            found.try_set(Some(answer));
        });
        let (same, gone) = (name.clone(), name.clone());
        let ready = Signal::derive(move || *typed.read() == same && matches!(*found.read(), Some(Ok(_))));
        let report = move || match found.get() {
            None => view! { <Loading rows=3 label="Looking at what they have…"/> },
            Some(Err(error)) => view! { <Notice class="failed">{sentence(&error.message)}</Notice> },
            Some(Ok(belongings)) => told(&belongings),
        };
        let about = view! {
            <p>"The user goes from MLflow, with all grants and roles. Experiments, runs and models stay, and so does what the audit has. Among the changes it can be taken back: then grants and roles are there again, but for password, keys, sessions and own views."</p>
            {dynamic(report)}
            <TextField id="delete-name" label=format!("Type {name} to delete it") value=typed autocomplete="off" autofocus=true/>
        };
        let act = move || {
            let name = gone.clone();
            Box::pin(async move {
                user::delete(&desk.client(), &name).await?;
                desk.toasts.say(format!("Deleted {}", quoted(&name)));
                desk.address.go_to(&Route::Users.href(), false);
                Ok(())
            }) as Pin<Box<dyn Future<Output = api::Result<()>>>>
        };
        question(desk.shown, about, "Delete".to_owned(), "danger primary", ready, Box::new(act))
    });
}

/// What somebody leaves behind.
fn told(belongings: &Belongings) -> AnyView {
    let number = |count_of: usize, one: &'static str, many: &'static str| match count_of {
        0 => None,
        1 => Some(format!("1 {one}")),
        several => Some(format!("{} {many}", count(several))),
    };
    let parts = [
        number(belongings.roles.len(), "role", "roles"),
        number(belongings.groups.len(), "group", "groups"),
        number(belongings.sessions, "session", "sessions"),
        number(belongings.keys, "API key, which is revoked", "API keys, which are revoked"),
        number(belongings.views, "view", "views"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let has = if parts.is_empty() {
        "Has no roles, sessions, keys or views.".to_owned()
    } else {
        format!("Has {}.", parts.join(", "))
    };
    let alone = (!belongings.alone.is_empty()).then(|| {
        let says = match belongings.alone.len() {
            1 => "One thing is then managed by nobody but administrators:".to_owned(),
            several => format!("{} things are then managed by nobody but administrators:", count(several)),
        };
        let things = listed(&belongings.alone);
        view! { <Notice class="careful"><div class="stack"><p>{says}</p>{things}</div></Notice> }
    });
    let others = belongings.manages.len().saturating_sub(belongings.alone.len());
    let others = number(others, "thing that others manage too", "things that others manage too")
        .map(|text| view! { <p>{format!("Manages {text}.")}</p> });
    let rules = (!belongings.rules.is_empty()).then(|| {
        let says = format!(
            "Rules over names that are kept up with their credentials stop until another owner saves them: {}.",
            belongings.rules.join(", ")
        );
        view! { <Notice class="careful">{says}</Notice> }
    });
    view! { <p>{has}</p>{others}{alone}{rules} }
}

fn listed(grants: &[Grant]) -> AnyView {
    let row = |grant: &Grant| {
        let name = grant.name.clone().unwrap_or_else(|| grant.on.id.clone());
        view! { <li>{words::kind(grant.on.kind)}" "<bdi>{name}</bdi></li> }
    };
    let rows = grants.iter().take(LISTED).map(row).collect_view();
    let more = (grants.len() > LISTED).then(|| view! { <li>{format!("and {} more", count(grants.len() - LISTED))}</li> });
    view! { <ul>{rows}{more}</ul> }
}
