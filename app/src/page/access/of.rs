//! Who has access to one thing: people and roles, how much, and where it comes from; changed right there.

use crate::prelude::*;
use leptos::{ev, web_sys};

use super::{
    about_default, grant, href_why, kinds,
    load::{self, Loaded, ask},
    needs_script, search, target,
};
use crate::{
    Site,
    api::flowdeck::{
        access::{Access, Person, RoleAccess, Source, query_of},
        explain::Explanation,
        grant::{Level, Subject, Target},
    },
    page::review::{
        Asked, Review,
        words::{self, Names},
    },
    part::{
        button::Button,
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::{Empty, Notice, sentence},
        icon,
        link::Link,
        number::count,
        time::Time,
        title::Title,
    },
    route::Route,
    state::{address::Address, query::Query},
};

const PAGE: usize = 100;

/// The page of one thing that has no page of its own.
pub fn page() -> AnyView {
    let address = Address::here();
    let on = target(address);
    let name = move || on.with(|on| on.as_ref().map_or_else(|| "Access".to_owned(), |on| words::thing(on, &Vec::new())));
    view! {
        <Title text=name/>
        <Crumbs way=Signal::derive(move || vec![Crumb::link("Admin", Route::Admin.href()), Crumb::here(name())])/>
        <div class="page access">
            <div class="title"><h1>"Who has access"</h1><span class="facts">{name}</span></div>
            <form class="toolbar" method="get" role="search">
                {super::choice(address, "kind", "Kind", kinds(None), &[("id", None), ("who", None), ("from", None)])}
                <input class="input which" name="id" aria-label="Id of the experiment, or name" placeholder="Id of the experiment, or name" required=true autocomplete="off" dir="auto" value=address.get_untracked("id")/>
                <button class="button" type="submit">"Show"</button>
            </form>
            {dynamic(move || match on.get() {
                Some(on) => list(on, Vec::new()),
                None => view! { <Empty title="Of what?" icon=icon::Lock><p>"An experiment is named by its id, a model or a prompt by its name; * stands for all of them."</p></Empty> }.into_any(),
            })}
        </div>
    }
    .into_any()
}

/// A part of the page of `on`, which is called `name`.
pub fn panel(on: Target, name: String) -> AnyView {
    let names = vec![(on.clone(), name)];
    view! { <section class="access" aria-label="Who has access">{list(on, names)}</section> }.into_any()
}

fn list(on: Target, names: Names) -> AnyView {
    let address = Address::here();
    let wanted = address.query();
    let wanted = Memo::new(move |_| {
        wanted.with(|query| {
            let get = |key| query.get(key).unwrap_or_default();
            let whole = if query.get("everyone").is_some() { "true" } else { "" };
            let limit = PAGE.to_string();
            Query::default()
                .with("q", get("who"))
                .with("everyone", whole)
                .with("offset", get("from"))
                .with("limit", &limit)
        })
    });
    let asked = on.clone();
    let found = ask(Memo::new(move |_| load::Asked::Of(asked.clone(), wanted.get())));
    let review = Review::new(move || found.again());
    let list = found.view("who has access", move |loaded| match loaded {
        Ok(Loaded::Of(access)) => Ok(known(address, review, access, names.clone())),
        Ok(Loaded::Refused(message, own)) => Ok(not_for_you(&on, &message, own)),
        Ok(_) => Ok(AnyView::Nothing),
        Err(error) => Err(error),
    });
    view! { {list}{review.dialog()} }.into_any()
}

/// Who may not manage it sees at least what they may do themselves.
fn not_for_you(on: &Target, message: &str, own: Option<Explanation>) -> AnyView {
    let own = own.map(|told| {
        let why = href_why(None, on);
        view! { <p class="line">"You have "{words::level(told.level)}<a href=why>"Why"</a></p> }
    });
    let says = sentence(message);
    view! {
        <Empty title="Only who may manage it sees who has access" icon=icon::Lock>
            <p>{says}" Ask somebody who may manage it, or an administrator."</p>
            {own}
        </Empty>
    }
    .into_any()
}

fn known(address: Address, review: Review, access: Access, names: Names) -> AnyView {
    let on = access.on.clone();
    let mut names = names;
    names.extend(access.name.clone().map(|name| (on.clone(), name)));
    let (roles, people) = (access.roles.clone(), access.people.clone());
    let row = Row {
        review,
        on: on.clone(),
        names: names.clone(),
        complete: access.complete,
    };
    let partial = (!access.complete).then(|| {
        view! { <Notice>"MLflow tells only administrators who has which role. Who gets in through a role alone is not listed here by name."</Notice> }
    });
    let everyone = access.others > 0;
    let everyone = everyone.then(|| {
        let label = match access.others {
            1 => "Also the one who has only the default".to_owned(),
            others => format!("Also the {} who have only the default", count(others)),
        };
        let turned = move |event: ev::Event| {
            let on = event_target_checked(&event).then_some("1");
            address.go(&[("everyone", on), ("from", None)]);
        };
        view! { <label class="line"><input type="checkbox" name="everyone" value="1" checked=address.get_untracked("everyone").is_some() on:change=turned/>{label}</label> }
    });
    let history = access.complete.then(|| {
        let href = format!("{}?{}", Route::Changes.href(), query_of(on.kind, &on.id));
        view! { <a href=href>"What was changed"</a> }
    });
    let first = address.get_untracked("from").and_then(|from| from.parse().ok()).unwrap_or(0usize);
    let none = people.is_empty() && roles.is_empty();
    let table = move || {
        let roles = roles.iter().filter(|_| first == 0).map(|role| row.role(role)).collect_view();
        let people = people.iter().map(|person| row.person(person)).collect_view();
        view! {
            <div class="grid-scroll">
                <table class="grid cards">
                    <caption class="unseen">"Who has access"</caption>
                    <thead><tr>
                        <th scope="col">"Who"</th><th scope="col">"Has"</th><th scope="col">"From"</th><th scope="col">"Granted on it"</th>
                        <th scope="col"><span class="unseen">"Actions"</span></th>
                    </tr></thead>
                    <tbody>{roles}{people}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <div class="lead stack">{about_default(access.default, access.default_known)}{partial}</div>
        {needs_script()}
        {grant::form(review, &access, names)}
        <form class="toolbar" role="search" method="get" on:submit=|event: ev::SubmitEvent| event.prevent_default()>
            {search(address, "who", "Name of a person", &[("from", None)])}
            {everyone}
            <span class="spread line">{history}<span class="muted">"as of "<Time at=access.read_at/></span></span>
        </form>
        {if none {
            view! { <Empty title="Nobody is named here" icon=icon::User><p>"Nothing is granted on it to anybody of this name."</p></Empty> }.into_any()
        } else {
            table()
        }}
        {turn(address, first, access.total)}
    }
    .into_any()
}

/// The pages of the list.
fn turn(address: Address, first: usize, total: usize) -> Option<AnyView> {
    if total <= PAGE {
        return None;
    }
    let link = |to: usize, label: &'static str| {
        view! { <a class="button" href=move || address.with(&[("from", Some(&to.to_string()))]) data-noscroll="">{label}</a> }
    };
    let before = (first > 0).then(|| link(first.saturating_sub(PAGE), "Before"));
    let after = (first + PAGE < total).then(|| link(first + PAGE, "After"));
    let says = format!("{} to {} of {}", count(first + 1), count((first + PAGE).min(total)), count(total));
    Some(view! { <div class="statusbar"><span>{says}</span>{before}{after}</div> }.into_any())
}

/// What all rows have in common.
struct Row {
    review: Review,
    on: Target,
    names: Names,
    complete: bool,
}

// === impl Row ===

impl Row {
    fn role(&self, role: &RoleAccess) -> AnyView {
        let kind = words::kind(self.on.kind);
        let members = role.members.map(|members| match members {
            1 => "1 member".to_owned(),
            members => format!("{} members", count(members)),
        });
        let (level, from) = match (role.direct, role.all) {
            (Some(Level::Deny), _) => (role.direct, "granted on it".to_owned()),
            (_, Some(Level::Deny)) => (role.all, format!("granted on every {kind}")),
            (Some(direct), Some(all)) if all.rank() > direct.rank() => (role.all, format!("granted on every {kind}")),
            (Some(_), _) => (role.direct, "granted on it".to_owned()),
            (None, all) => (all, format!("granted on every {kind}")),
        };
        let name = if self.complete {
            let (to, label) = (Route::Role { name: role.role.clone() }, role.role.clone());
            view! { <Link to=to><bdi>{label}</bdi></Link> }.into_any()
        } else {
            view! { <bdi>{role.role.clone()}</bdi> }.into_any()
        };
        view! {
            <tr>
                <th scope="row"><span class="muted">"role "</span>{name}</th>
                <td data-label="Has">{words::level(level)}</td>
                <td data-label="From">{from}{members.map(|members| view! { <span class="muted">" · "{members}</span> })}</td>
                <td data-label="On it">{self.choose(Subject::Role(role.role.clone()), role.direct)}</td>
                <td class="act">{self.revoke(Subject::Role(role.role.clone()), role.direct)}</td>
            </tr>
        }
        .into_any()
    }

    fn person(&self, person: &Person) -> AnyView {
        let kind = words::kind(self.on.kind);
        let from = match person.source {
            Source::Admin => "is an administrator".to_owned(),
            Source::Workspace => "manages the whole workspace".to_owned(),
            Source::Direct => "granted on it".to_owned(),
            Source::Role => format!("role {}", person.roles.join(", ")),
            Source::All if person.roles.is_empty() => format!("granted on every {kind}"),
            Source::All => format!("on every {kind}; role {}", person.roles.join(", ")),
            Source::Default => "MLflow's default".to_owned(),
        };
        let (user, own) = (person.user.clone(), Site::expect().user == person.user);
        let name = if self.complete || own {
            let (to, label) = (Route::User { name: user.clone() }, user.clone());
            view! { <Link to=to><bdi>{label}</bdi></Link> }.into_any()
        } else {
            view! { <bdi>{user.clone()}</bdi> }.into_any()
        };
        let mark = match (person.active, person.service) {
            (false, _) => Some(" · deactivated"),
            (true, true) => Some(" · for programs"),
            _ => None,
        };
        let why = (self.complete || own).then(|| {
            let label = format!("Why {user} has it");
            view! { <a class="button quiet small" href=href_why(Some(&user), &self.on) aria-label=label>"Why"</a> }
        });
        view! {
            <tr>
                <th scope="row">{name}{mark.map(|mark| view! { <span class="muted">{mark}</span> })}</th>
                <td data-label="Has">{words::level(person.level)}</td>
                <td data-label="From">{from}</td>
                <td data-label="On it">{self.choose(Subject::User(user.clone()), person.direct)}</td>
                <td class="act">{why}{self.revoke(Subject::User(user.clone()), person.direct)}</td>
            </tr>
        }
        .into_any()
    }

    /// What of this very thing is granted, to be changed.
    fn choose(&self, to: Subject, was: Option<Level>) -> AnyView {
        if !self.may_change(&to) {
            return words::level(was);
        }
        let levels = self.on.kind.levels();
        let label = format!("Granted to {}", words::subject(&to));
        let ask = self.asking(to, was);
        let turn = move |event: ev::Event| {
            let will = Level::named(&event_target_value(&event));
            // Until it is made, this says what is so.
            event_target::<web_sys::HtmlSelectElement>(&event).set_value(was.map_or("", Level::name));
            ask(will);
        };
        let option = |level: Option<Level>| {
            let (value, label) = level.map_or(("", "–"), |level| (level.name(), level.name()));
            view! { <option value=value selected=level == was title=level.map(Level::means)>{label}</option> }.into_any()
        };
        let options = std::iter::once(None)
            .chain(levels.iter().copied().map(Some))
            .map(option)
            .collect_view();
        view! {
            <span class="without-script">{words::level(was)}</span>
            <select class="input small needs-script" aria-label=label prop:value=was.map_or("", Level::name) on:change=turn>{options}</select>
        }
        .into_any()
    }

    fn revoke(&self, to: Subject, was: Option<Level>) -> Option<AnyView> {
        was.filter(|_| self.may_change(&to))?;
        let label = format!("Revoke what {} has on it", words::subject(&to));
        let ask = self.asking(to, was);
        Some(
            view! { <span class="needs-script"><Button class="quiet small" icon=icon::Close label=label press=move |_| ask(None)/></span> }
                .into_any(),
        )
    }

    /// Roles are the owners' business.
    fn may_change(&self, to: &Subject) -> bool {
        self.complete || matches!(to, Subject::User(_))
    }

    fn asking(&self, to: Subject, was: Option<Level>) -> impl Fn(Option<Level>) + Send + Sync + 'static {
        let (review, on, names) = (self.review, self.on.clone(), self.names.clone());
        move |will| {
            if will != was {
                review.ask(Asked::grant(to.clone(), on.clone(), was, will, names.clone()));
            }
        }
    }
}
