//! Flowdeck's groups: all of them, and one with its members and the roles that they have by it.

use crate::prelude::*;

use super::{
    desk::Desk,
    load::{Asked, Loaded},
    names::{self, Named, Names},
    role::text,
    way,
};
use crate::{
    api::flowdeck::{
        change::{Edit, Text},
        group::{Group, Groups},
    },
    page::admin::AdminTabs,
    part::{
        button::Button,
        crumbs::Crumbs,
        face::{Empty, Notice, quoted},
        icon,
        link::Link,
        number::count,
        title::Title,
    },
    route::{Route, escape},
};

pub fn all() -> AnyView {
    let desk = Desk::new();
    view! {
        <Title text="Groups"/>
        <Crumbs way=way(None, "Groups".into())/>
        <div class="page people">
            <div class="title">
                <h1>"Groups"</h1><span class="facts">"people who have the same roles"</span>
                <div class="actions"><span class="needs-script"><Button class="primary" icon=icon::Plus attr:data-key="n" press=move |_| make(desk)>"New group"</Button></span></div>
            </div>
            <AdminTabs here=Route::Groups/>
            {desk.show("the groups", Signal::stored(Asked::Groups), move |loaded| match loaded {
                Loaded::Groups(groups) => table(desk, groups),
                _ => ().into_any(),
            })}
            {desk.dialogs()}
        </div>
    }
}

fn table(desk: Desk, groups: Groups) -> AnyView {
    if groups.groups.is_empty() {
        return view! {
            <Empty icon=icon::User title="No groups yet">
                <p>"A group is kept by Flowdeck. Who comes into it gets its roles in MLflow, and who leaves it loses them."</p>
                <div class="actions needs-script"><Button class="primary" icon=icon::Plus press=move |_| make(desk)>"New group"</Button></div>
            </Empty>
        };
    }
    let row = |group: Group| {
        let to = Route::Group { name: group.name.clone() };
        let role = |name: &String| {
            let to = Route::Role { name: name.clone() };
            view! { <a class="tag" href=to.href()><bdi class="value">{name.clone()}</bdi></a> }
        };
        let members = format!("?group={}", escape(&group.name));
        let drift = (!group.drift.is_empty()).then(
            || view! { <span class="tag"><span class="value warning">{format!("{} differ", count(group.drift.len()))}</span></span> },
        );
        let described = group.description.lines().next().unwrap_or_default().to_owned();
        view! {
            <tr>
                <th scope="row"><span class="line"><Link to=to class="name"><bdi>{group.name}</bdi></Link>{drift}</span></th>
                <td data-label="For" class="described" class:zero=described.is_empty() title=group.description><bdi>{described}</bdi></td>
                <td data-label="Members" class="number"><Link to=Route::Users query=members>{count(group.members.len())}</Link></td>
                <td data-label="Roles" class:zero=group.roles.is_empty()><span class="tags one-line">{group.roles.iter().map(role).collect_view()}</span></td>
            </tr>
        }
    };
    let rows = groups.groups.into_iter().map(row).collect_view();
    view! {
        <div class="grid-scroll">
            <table class="grid cards">
                <caption class="unseen">"Groups"</caption>
                <thead><tr><th scope="col">"Name"</th><th scope="col">"What it is for"</th><th scope="col" class="number">"Members"</th><th scope="col">"Roles"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

pub fn page(name: String) -> AnyView {
    let desk = Desk::new();
    let what = format!("the group {name}");
    let asked = Signal::stored(Asked::Group(name.clone()));
    view! {
        <Title text=name.clone()/>
        <Crumbs way=way(Some(("Groups", Route::Groups)), name.clone())/>
        <div class="page people">
            <div class="title"><h1><bdi>{name}</bdi></h1><span class="facts">"group"</span></div>
            <AdminTabs here=Route::Groups/>
            {desk.show(what, asked, move |loaded| match loaded {
                Loaded::Group(group) => known(desk, group),
                _ => ().into_any(),
            })}
            {desk.dialogs()}
        </div>
    }
}

fn known(desk: Desk, group: Group) -> AnyView {
    let name = group.name.clone();
    let named = |name: String, to: fn(String) -> Route| Named {
        to: to(name.clone()),
        name,
        about: None,
        fixed: false,
    };
    let members = Names {
        id: "members",
        title: "Members",
        none: "Nobody is in it.",
        add: "Take in",
        find: names::users,
        listed: group
            .members
            .into_iter()
            .map(|user| named(user, |name| Route::User { name }))
            .collect(),
        all: Some(format!("{}?group={}", Route::Users.href(), escape(&name))),
        what: ("member", name.clone()),
        edit: names::user_of_group,
    };
    let roles = Names {
        id: "roles",
        title: "Roles",
        none: "Its members have no roles by it yet.",
        add: "Give its members",
        find: names::roles,
        listed: group
            .roles
            .into_iter()
            .map(|role| named(role, |name| Route::Role { name }))
            .collect(),
        all: None,
        what: ("role", name.clone()),
        edit: names::role_of_group,
    };
    let drift = (!group.drift.is_empty()).then(|| {
        let row = |drift: &crate::api::flowdeck::group::GroupDrift| {
            let to = Route::User { name: drift.user.clone() };
            view! { <li><a href=to.href()><bdi>{drift.user.clone()}</bdi></a>" lacks the role "<bdi>{drift.role.clone()}</bdi></li> }
        };
        let rows = group.drift.iter().take(20).map(row).collect_view();
        let put = group.drift.iter().map(|drift| Edit::Member {
            role: drift.role.clone(),
            user: drift.user.clone(),
            was: false,
            will: true,
            group: Some(name.clone()),
        });
        let put: Vec<Edit> = put.collect();
        view! {
            <Notice class="careful">
                <div class="stack">
                    <p>"Somebody took roles away past this group. It is told, and left alone."</p>
                    <ul>{rows}</ul>
                    <div class="needs-script"><Button press=move |_| desk.change("As the group says", put.clone())>"Give them back…"</Button></div>
                </div>
            </Notice>
        }
    });
    let (edited, was) = (name.clone(), group.description.clone());
    let edit = move |_| {
        let (name, was) = (edited.clone(), was.clone());
        desk.ask(format!("Edit {}", quoted(&name)), move || {
            let (group, old) = (name.clone(), was.clone());
            text(desk, name.clone(), was.clone(), false, move |_, description| {
                let edit = Edit::Group {
                    group: group.clone(),
                    was: Some(Text { description: old.clone() }),
                    will: Some(Text { description }),
                };
                match edit.is_empty() {
                    true => desk.shown.set(false),
                    false => desk.change(format!("The group {}", quoted(&group)), vec![edit]),
                }
            })
        });
    };
    let (gone, told) = (name.clone(), group.description.clone());
    let delete = move |_| {
        let was = Some(Text { description: told.clone() });
        desk.change(
            format!("Without the group {}", quoted(&gone)),
            vec![Edit::Group {
                group: gone.clone(),
                was,
                will: None,
            }],
        );
    };
    let described = match group.description.trim() {
        "" => view! { <p class="muted">"Nothing is said of it yet."</p> },
        text => view! { <p class="described" dir="auto">{text}</p> },
    };
    view! {
        <div class="columns">
            <div class="stack">{drift}{names::card(desk, members)}</div>
            <div class="stack">
                <section class="card" aria-labelledby="about-title">
                    <header><h2 id="about-title">"What it is for"</h2></header>
                    <div class="body stack">
                        {described}
                        <div class="line needs-script"><Button icon=icon::Pencil press=edit>"Edit…"</Button><Button class="danger" icon=icon::Trash press=delete>"Delete…"</Button></div>
                    </div>
                </section>
                {names::card(desk, roles)}
            </div>
        </div>
    }
}

fn make(desk: Desk) {
    desk.ask("New group", move || {
        text(desk, String::new(), String::new(), true, move |name, description| {
            let edits = vec![Edit::Group {
                group: name.clone(),
                was: None,
                will: Some(Text { description }),
            }];
            let (title, to) = (format!("The new group {}", quoted(&name)), Route::Group { name: name.clone() });
            desk.change_then(title, edits, to, Asked::Group(name));
        })
    });
}
