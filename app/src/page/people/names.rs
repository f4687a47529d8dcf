//! A card of names that somebody or something has: roles, groups, members. One takes a name away, or picks some to add.

use std::sync::Arc;

use crate::prelude::*;

use super::desk::Desk;
use crate::{
    api::{
        Client, Result,
        flowdeck::{change::Edit, group, role, user},
    },
    letter::lower,
    part::{
        button::Button,
        face::quoted,
        icon,
        number::count,
        pick::{Find, MOST, Pair, pick},
    },
    route::Route,
    state::query::Query,
};

/// Names that stand in the page; the others are on pages of their own.
const SHOWN: usize = 200;

pub struct Names {
    /// Unique on the page.
    pub id: &'static str,
    pub title: &'static str,
    /// Said where there are none.
    pub none: &'static str,
    /// What the field is called by which some are added.
    pub add: &'static str,
    pub find: Find,
    pub listed: Vec<Named>,
    /// Where all of them are listed.
    pub all: Option<String>,
    /// “role”, as the dialog says it, and of whom.
    pub what: (&'static str, String),
    pub edit: fn(whose: &str, name: &str, will: bool) -> Edit,
}

pub struct Named {
    pub name: String,
    pub to: Route,
    pub about: Option<String>,
    /// It goes only with something else.
    pub fixed: bool,
}

pub fn card(desk: Desk, names: Names) -> AnyView {
    let Names {
        id,
        title,
        none,
        add,
        find,
        listed,
        all,
        what: (what, whose),
        edit,
    } = names;
    let chosen = RwSignal::new(Vec::<Pair>::new());
    let number = listed.len();
    let whose: Arc<str> = whose.into();
    let remove = whose.clone();
    let row = move |named: Named| {
        let (name, label) = (named.name.clone(), format!("Take {what} {} away", named.name));
        let whose = remove.clone();
        let take = move |_| desk.change(format!("Without {what} {}", quoted(&name)), vec![edit(&whose, &name, false)]);
        let take = (!named.fixed)
            .then(|| view! { <span class="needs-script"><Button class="quiet small" icon=icon::Close label=label press=take/></span> });
        let about = named.about.map(|about| view! { <span class="muted">{about}</span> });
        view! { <li><a href=named.to.href()><bdi>{named.name}</bdi></a>{about}<span class="spread">{take}</span></li> }
    };
    let rows = listed.into_iter().take(SHOWN).map(row).collect_view();
    let more = (number > SHOWN).then(|| {
        let says = format!("and {} more", count(number - SHOWN));
        let all = all.map(|href| view! { <a href=href>{says.clone()}</a> });
        view! { <p class="body">{all}</p> }
    });
    let list = match number {
        0 => view! { <p class="body muted">{none}</p> },
        _ => view! { <ul class="named">{rows}</ul>{more} },
    };
    let give = move |_| {
        let edits: Vec<Edit> = chosen.with_untracked(|chosen| chosen.iter().map(|pair| edit(&whose, &pair.0, true)).collect());
        let title = match chosen.read_untracked().as_slice() {
            [one] => format!("With {what} {}", quoted(&one.1)),
            many => format!("With {} {what}s", count(many.len())),
        };
        desk.change(title, edits);
    };
    let heading = format!("{id}-title");
    let many = (number > 0).then(|| view! { <span class="muted">{count(number)}</span> });
    view! {
        <section class="card" aria-labelledby=heading.clone()>
            <header><h2 id=heading>{title}</h2>{many}</header>
            {list}
            <div class="body add needs-script">
                {pick(id, add, "", desk.client(), chosen, find)}
                <button type="button" class="button" disabled=move || chosen.read().is_empty() on:click=give>"Add…"</button>
            </div>
        </section>
    }
}

/// Roles by a part of their names.
pub fn roles(client: Client, text: String) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<Pair>>>>> {
    Box::pin(async move {
        let found = role::list(&client, &few(&text)).await?.roles;
        Ok(found.into_iter().map(|role| (role.name.clone(), role.name)).collect())
    })
}

/// Users by a part of their names.
pub fn users(client: Client, text: String) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<Pair>>>>> {
    Box::pin(async move {
        let found = user::list(&client, &few(&text)).await?.users;
        Ok(found.into_iter().map(|user| (user.name.clone(), user.name)).collect())
    })
}

/// Groups by a part of their names.
pub fn groups(client: Client, text: String) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<Pair>>>>> {
    Box::pin(async move {
        let text = lower(&text);
        let mut found = group::list(&client).await?.groups;
        found.retain(|group| lower(&group.name).contains(&text));
        Ok(found.into_iter().take(MOST).map(|group| (group.name.clone(), group.name)).collect())
    })
}

fn few(text: &str) -> Query {
    Query::default().with("q", text).with("limit", &MOST.to_string())
}

// Edits of who has or is in what; the first is the one whose page it is.

pub fn role_of_user(user: &str, role: &str, will: bool) -> Edit {
    Edit::Member {
        role: role.to_owned(),
        user: user.to_owned(),
        was: !will,
        will,
        group: None,
    }
}

pub fn user_of_role(role: &str, user: &str, will: bool) -> Edit {
    role_of_user(user, role, will)
}

pub fn group_of_user(user: &str, group: &str, will: bool) -> Edit {
    Edit::GroupMember {
        group: group.to_owned(),
        user: user.to_owned(),
        was: !will,
        will,
    }
}

pub fn user_of_group(group: &str, user: &str, will: bool) -> Edit {
    group_of_user(user, group, will)
}

pub fn role_of_group(group: &str, role: &str, will: bool) -> Edit {
    Edit::GroupRole {
        group: group.to_owned(),
        role: role.to_owned(),
        was: !will,
        will,
    }
}
