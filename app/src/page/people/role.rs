//! One role: what it is for, who has it, and what it grants.

use crate::prelude::*;
use leptos::ev;

use super::{
    desk::Desk,
    grants,
    load::{Asked, Loaded},
    names::{self, Named, Names},
    roles, way,
};
use crate::{
    api::flowdeck::{
        change::{Edit, Text},
        grant::Subject,
        role::RoleDetail,
    },
    browser,
    page::admin::{AdminTabs, default},
    part::{
        button::Button,
        crumbs::Crumbs,
        face::{Notice, quoted},
        field::{FieldError, TextField},
        icon,
        link::Link,
        title::Title,
    },
    route::{Route, escape},
};

pub fn page(name: String) -> AnyView {
    let desk = Desk::new();
    let what = format!("the role {name}");
    let asked = Signal::stored(Asked::Role(name.clone()));
    view! {
        <Title text=name.clone()/>
        <Crumbs way=way(Some(("Roles", Route::Roles)), name.clone())/>
        <div class="page people">
            <div class="title"><h1><bdi>{name}</bdi></h1><span class="facts">"role"</span></div>
            <AdminTabs here=Route::Roles/>
            {desk.show(what, asked, move |loaded| match loaded {
                Loaded::Role(role) => known(desk, *role),
                _ => ().into_any(),
            })}
            {desk.dialogs()}
        </div>
    }
}

fn known(desk: Desk, detail: RoleDetail) -> AnyView {
    let RoleDetail {
        role,
        members,
        grants,
        default,
        default_known,
        ..
    } = detail;
    let name = role.name.clone();
    let member = |member: crate::api::flowdeck::role::RoleMember| Named {
        to: Route::User { name: member.user.clone() },
        name: member.user,
        fixed: !member.groups.is_empty(),
        about: through(&member.groups),
    };
    let members = Names {
        id: "members",
        title: "Members",
        none: "Nobody has it.",
        add: "Give it to",
        find: names::users,
        listed: members.into_iter().map(member).collect(),
        all: Some(format!("{}?role={}", Route::Users.href(), escape(&name))),
        what: ("member", name.clone()),
        edit: names::user_of_role,
    };
    let (edited, described) = (name.clone(), role.description.clone());
    let edit = move |_| rewrite(desk, edited.clone(), described.clone());
    let (gone, text) = (name.clone(), role.description.clone());
    let delete = move |_| {
        let was = Some(Text { description: text.clone() });
        desk.change(
            format!("Without the role {}", quoted(&gone)),
            vec![Edit::Role {
                role: gone.clone(),
                was,
                will: None,
            }],
        );
    };
    let manages = role.manages_all.then(|| view! { <Notice class="careful">"Who has this role may manage everything in the workspace, whatever is denied elsewhere."</Notice> });
    let filled = (!role.groups.is_empty() || !role.rules.is_empty())
        .then(|| view! { <p class="line">"Filled by "<span class="tags">{roles::filled(&role)}</span></p> });
    let past = format!("?role={}", escape(&name));
    let described = match role.description.trim() {
        "" => view! { <p class="muted">"Nothing is said of it yet."</p> },
        text => view! { <p class="described" dir="auto">{text}</p> },
    };
    view! {
        <div class="columns">
            <div class="stack">
                {default::notice(default, default_known)}{manages}
                {grants::card(desk, Subject::Role(name.clone()), grants, !role.rules.is_empty())}
            </div>
            <div class="stack">
                <section class="card" aria-labelledby="about-title">
                    <header><h2 id="about-title">"What it is for"</h2></header>
                    <div class="body stack">
                        {described}{filled}
                        <p><Link to=Route::Changes query=past>"What was changed of it"</Link></p>
                        <div class="line needs-script"><Button icon=icon::Pencil press=edit>"Edit…"</Button><Button class="danger" icon=icon::Trash press=delete>"Delete…"</Button></div>
                    </div>
                </section>
                {names::card(desk, members)}
            </div>
        </div>
    }
}

/// The groups by which somebody has it.
pub fn through(groups: &[String]) -> Option<String> {
    match groups {
        [] => None,
        [one] => Some(format!("by the group {one}")),
        many => Some(format!("by the groups {}", many.join(", "))),
    }
}

/// Asks for a new role.
pub fn make(desk: Desk) {
    desk.ask("New role", move || {
        text(desk, String::new(), String::new(), true, move |name, description| {
            let edits = vec![Edit::Role {
                role: name.clone(),
                was: None,
                will: Some(Text { description }),
            }];
            let (title, to) = (format!("The new role {}", quoted(&name)), Route::Role { name: name.clone() });
            desk.change_then(title, edits, to, Asked::Role(name));
        })
    });
}

/// Asks for another name and description.
fn rewrite(desk: Desk, name: String, described: String) {
    desk.ask(format!("Edit {}", quoted(&name)), move || {
        let (old, was) = (name.clone(), described.clone());
        text(desk, name.clone(), described.clone(), true, move |name, description| {
            let mut edits = vec![Edit::Role {
                role: old.clone(),
                was: Some(Text { description: was.clone() }),
                will: Some(Text { description }),
            }];
            edits.push(Edit::RoleName {
                was: old.clone(),
                will: name.clone(),
            });
            edits.retain(|edit| !edit.is_empty());
            match old == name {
                _ if edits.is_empty() => desk.shown.set(false),
                true => desk.change(format!("The role {}", quoted(&name)), edits),
                false => {
                    let (title, to) = (
                        format!("{} is called {}", quoted(&old), quoted(&name)),
                        Route::Role { name: name.clone() },
                    );
                    desk.change_then(title, edits, to, Asked::Role(name));
                }
            }
        })
    });
}

/// The form of a name and a description; `done` has both. Where the name is fixed only the description is asked for.
pub fn text(desk: Desk, name: String, described: String, named: bool, done: impl Fn(String, String) + 'static) -> AnyView {
    let name = RwSignal::new(name);
    let description = RwSignal::new(described);
    let error = RwSignal::new(None::<(bool, &'static str)>);
    let of = move |of_name: bool| Signal::derive(move || error.get().filter(|error| error.0 == of_name).map(|error| error.1.to_owned()));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let (name, description) = (
            name.get_untracked().trim().to_owned(),
            description.get_untracked().trim().to_owned(),
        );
        let wrong = problem(&name, &description);
        error.set(wrong);
        match wrong {
            Some(problem) => {
                browser::focus(if problem.0 { "#text-name" } else { "#text-description" });
            }
            // The form stays below what is asked next, and closes when something was changed.
            None => done(name, description),
        }
    };
    let field =
        named.then(|| view! { <TextField id="text-name" label="Name" value=name error=of(true) autocomplete="off" autofocus=true/> });
    view! {
        <form class="stack" novalidate on:submit=submit>
            {field}
            <div class="field">
                <label for="text-description">"What it is for"</label>
                <textarea class="input" id="text-description" rows="3" dir="auto" aria-describedby="text-description-about" autofocus=!named
                    prop:value=description on:input=move |event| description.set(event_target_value(&event))></textarea>
                <div id="text-description-about"><FieldError error=of(false)/></div>
            </div>
            <div class="buttons">
                <Button press=move |_| desk.shown.set(false)>"Cancel"</Button>
                <button type="submit" class="button primary">"Go on…"</button>
            </div>
        </form>
    }
}

/// What is wrong with a name (true) or a description, before the server is asked.
fn problem(name: &str, description: &str) -> Option<(bool, &'static str)> {
    match name {
        "" => Some((true, "It needs a name.")),
        "." | ".." => Some((true, "That is no name.")),
        _ if name.chars().count() > 100 => Some((true, "At most 100 letters.")),
        _ if name.contains(['/', '\\']) => Some((true, "A name has no slashes: it stands in addresses.")),
        _ if name.starts_with("__user_") => Some((true, "MLflow keeps names that begin with “__user_” for itself.")),
        _ if description.len() > 2000 => Some((false, "At most 2,000 letters.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{problem, through};

    #[test]
    fn names_are_judged_as_the_server_does() {
        assert_eq!(problem("team a", ""), None);
        for name in ["", "..", "a/b", "__user_7"] {
            assert!(problem(name, "").is_some_and(|(of_name, _)| of_name), "{name}");
        }
        assert!(problem("a", &"x".repeat(2001)).is_some_and(|(of_name, _)| !of_name));
    }

    #[test]
    fn groups_are_named() {
        assert_eq!(through(&[]), None);
        assert_eq!(through(&["a".into(), "b".into()]).as_deref(), Some("by the groups a, b"));
    }
}
