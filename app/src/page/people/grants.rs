//! A card of grants that a user or a role has: changed, taken away, and given, on one thing or on all of a kind.

use std::sync::Arc;

use crate::prelude::*;
use leptos::ev;

use super::desk::Desk;
use crate::{
    api::{
        Client,
        flowdeck::{
            change::Edit,
            grant::{Grant, Kind, Level, Subject, Target},
        },
        mlflow::{experiment, registry},
    },
    letter::lower,
    page::{access::href_why, review::words},
    part::{
        button::Button,
        dynamic::dynamic,
        face::quoted,
        field::{FieldError, TextField},
        icon,
        number::count,
        pick::{Find, MOST, Pair, pick},
    },
    route::Route,
};

/// Grants that are drawn at once; of more one looks for some.
const SHOWN: usize = 200;
/// From so many on there is a field to look for some.
const MANY: usize = 12;

pub fn card(desk: Desk, to: Subject, grants: Vec<Grant>, rule: bool) -> AnyView {
    let number = grants.len();
    let words = RwSignal::new(String::new());
    let to = Arc::new(to);
    let whose = to.clone();
    let all = StoredValue::new(grants);
    let found = Memo::new(move |_| {
        let words = lower(words.read().trim());
        let is_meant = |grant: &&Grant| {
            let name = grant.name.as_deref().unwrap_or(&grant.on.id);
            words.is_empty() || lower(name).contains(&words) || words::kind(grant.on.kind).contains(&words)
        };
        all.with_value(|all| all.iter().filter(is_meant).take(SHOWN).cloned().collect::<Vec<_>>())
    });
    let look = (number > MANY).then(|| {
        view! {
            <div class="body needs-script"><input class="input" type="search" aria-label="Search these grants" placeholder="Search these grants" autocomplete="off" dir="auto"
                prop:value=words on:input=move |event| words.set(event_target_value(&event))/></div>
        }
    });
    let row = move |grant: Grant| row(desk, whose.clone(), grant);
    let left = move || {
        let shown = found.read().len();
        (shown < number).then(|| view! { <p class="body muted">{format!("{} of {} are shown", count(shown), count(number))}</p> })
    };
    let list = match number {
        0 => view! { <p class="body muted">"None."</p> },
        _ => view! {
            <div class="grid-scroll">
                <table class="grid cards">
                    <caption class="unseen">"Grants"</caption>
                    <thead><tr><th scope="col">"On"</th><th scope="col">"Kind"</th><th scope="col">"Level"</th><th scope="col"><span class="unseen">"Actions"</span></th></tr></thead>
                    <tbody>{each(move || found.get(), Clone::clone, row)}</tbody>
                </table>
            </div>
            {dynamic(left)}
        },
    };
    let kept = rule.then(|| view! { <p class="body muted">"Some of these are kept by a rule over names: what is changed here is then told as drift from the rule."</p> });
    let many = (number > 0).then(|| view! { <span class="muted">{count(number)}</span> });
    view! {
        <section class="card grants" aria-labelledby="grants-title">
            <header><h2 id="grants-title">"Grants"</h2>{many}</header>
            {kept}{look}{list}{give(desk, to, all)}
        </section>
    }
}

fn row(desk: Desk, to: Arc<Subject>, grant: Grant) -> AnyView {
    let Grant { on, name, level } = grant;
    let shown = if on.is_all() {
        format!("every {}", words::kind(on.kind))
    } else {
        name.clone().unwrap_or_else(|| on.id.clone())
    };
    let thing = match on.kind {
        Kind::Experiment if !on.is_all() && name.is_some() => {
            view! { <a href=Route::Experiment { id: on.id.clone() }.href()><bdi>{shown.clone()}</bdi></a> }
        }
        Kind::Workspace => view! { "the whole workspace" },
        _ => view! { <bdi>{shown.clone()}</bdi> },
    };
    let gone = (name.is_none() && !on.is_all()).then(|| view! { <span class="faint">" MLflow has nothing of this name any more"</span> });
    // A role is nobody: of who has it one asks each.
    let why = match &*to {
        Subject::User(user) => Some(view! { " "<a class="small muted" href=href_why(Some(user), &on)>"why?"</a> }),
        Subject::Role(_) => None,
    };
    let (label, remove) = (format!("Level on {shown}"), format!("Take the grant on {shown} away"));
    let options = levels(on.kind, Some(level), false);
    let kind = words::kind(on.kind);
    let change = Arc::new(move |will: Option<Level>| {
        let (to, on) = ((*to).clone(), on.clone());
        let title = match will {
            Some(will) => format!("{} on {}", will.name(), quoted(&shown)),
            None => format!("Nothing granted on {}", quoted(&shown)),
        };
        desk.change_named(
            title,
            vec![Edit::Grant {
                to,
                on: on.clone(),
                was: Some(level),
                will,
            }],
            name.clone().map(|name| (on, name)),
        );
    });
    let take = change.clone();
    // The field says what is; the dialog says what would be.
    let choose = move |event: ev::Event| {
        let will = Level::named(&event_target_value(&event));
        set_back(&event, level);
        change(will);
    };
    view! {
        <tr>
            <th scope="row"><span>{thing}{gone}{why}</span></th>
            <td data-label="Kind">{kind}</td>
            <td data-label="Level"><span class="without-script">{level.name()}</span><select class="input needs-script" aria-label=label title=level.means() on:change=choose>{options}</select></td>
            <td class="act"><span class="needs-script"><Button class="quiet small" icon=icon::Trash label=remove press=move |_| take(None)/></span></td>
        </tr>
    }
}

fn set_back(event: &ev::Event, level: Level) {
    use leptos::{wasm_bindgen::JsCast as _, web_sys::HtmlSelectElement};
    if let Some(select) = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok()) {
        select.set_value(level.name());
    }
}

/// The levels of a kind to choose from; `told`: with what they mean.
fn levels(kind: Kind, now: Option<Level>, told: bool) -> AnyView {
    let option = |level: &Level| {
        let label = if told {
            format!("{}: {}", level.name(), level.means())
        } else {
            level.name().to_owned()
        };
        view! { <option value=level.name() selected=now == Some(*level)>{label}</option> }
    };
    kind.levels().iter().map(option).collect_view().into_any()
}

/// A new grant.
fn give(desk: Desk, to: Arc<Subject>, known: StoredValue<Vec<Grant>>) -> AnyView {
    let kind = RwSignal::new(Kind::Experiment);
    let every = RwSignal::new(false);
    let picked = RwSignal::new(Vec::<Pair>::new());
    let typed = RwSignal::new(String::new());
    let level = RwSignal::new(Level::Read);
    let error = RwSignal::new(None::<String>);
    let is_user = matches!(*to, Subject::User(_));
    let kinds = Kind::ALL.into_iter().filter(|kind| !(is_user && *kind == Kind::Workspace));
    let kinds = kinds
        .map(|kind| view! { <option value=kind.name()>{words::kind(kind)}</option> })
        .collect_view();
    let choose = move |event: ev::Event| {
        if let Some(now) = Kind::named(&event_target_value(&event)) {
            kind.set(now);
            picked.set(Vec::new());
            if !now.levels().contains(&level.get_untracked()) {
                level.set(now.levels()[0]);
            }
        }
    };
    let things = move || {
        let now = kind.get();
        if !now.has_ids() {
            return view! { <p class="hint">{format!("MLflow takes grants on every {} only.", words::kind(now))}</p> };
        }
        let which = view! { <label class="line"><input type="checkbox" prop:checked=every on:change=move |_| every.update(|on| *on = !*on)/>{format!("Every {}, also those to come", words::kind(now))}</label> };
        let one = move || {
            if every.get() {
                return ().into_any();
            }
            match finder(now) {
                Some(find) => pick("grant-things", "On", "", desk.client(), picked, find),
                None => {
                    view! { <TextField id="grant-thing" label="On" value=typed hint="Its id or name, as MLflow has it" autocomplete="off"/> }
                }
            }
        };
        view! { {which}{dynamic(one)} }
    };
    let ask = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let (kind, will) = (kind.get_untracked(), level.get_untracked());
        let things: Vec<Pair> = match () {
            () if every.get_untracked() || !kind.has_ids() => vec![(Target::ALL.into(), Target::ALL.into())],
            () if finder(kind).is_some() => picked.get_untracked(),
            () => Some(typed.get_untracked().trim().to_owned())
                .filter(|id| !id.is_empty())
                .map(|id| (id.clone(), id))
                .into_iter()
                .collect(),
        };
        if things.is_empty() {
            return error.set(Some(format!("On which {}? Choose at least one.", words::kind(kind))));
        }
        error.set(None);
        let was = |on: &Target| known.with_value(|known| known.iter().find(|grant| grant.on == *on).map(|grant| grant.level));
        let edit = |(id, _): &Pair| {
            let on = Target::new(kind, id.clone());
            let (to, was) = ((*to).clone(), was(&on));
            Edit::Grant {
                to,
                on,
                was,
                will: Some(will),
            }
        };
        let edits = things.iter().map(edit).collect();
        let title = match things.as_slice() {
            [(id, _)] if id == Target::ALL => format!("{} on every {}", will.name(), words::kind(kind)),
            [(_, name)] => format!("{} on {}", will.name(), quoted(name)),
            many => format!("{} on {} {}s", will.name(), count(many.len()), words::kind(kind)),
        };
        let names = things.into_iter().map(|(id, name)| (Target::new(kind, id), name));
        desk.change_named(title, edits, names);
    };
    view! {
        <form class="body stack give needs-script" on:submit=ask>
            <h3>"Grant something"</h3>
            <div class="two">
                <div class="field"><label for="grant-kind">"Kind"</label><select class="input" id="grant-kind" on:change=choose>{kinds}</select></div>
                <div class="field"><label for="grant-level">"Level"</label>
                    <select class="input" id="grant-level" prop:value=move || level.get().name()
                        on:change=move |event| if let Some(now) = Level::named(&event_target_value(&event)) { level.set(now) }>{dynamic(move || levels(kind.get(), Some(level.get_untracked()), true))}</select></div>
            </div>
            {dynamic(things)}
            <FieldError error=Signal::derive(move || error.get())/>
            <div class="line"><button type="submit" class="button">"Grant…"</button></div>
        </form>
    }
}

/// What finds things of a kind, where MLflow lets one search for them.
fn finder(kind: Kind) -> Option<Find> {
    match kind {
        Kind::Experiment => Some(|client, text| Box::pin(async move { experiment::named(&client, &text, MOST).await })),
        Kind::RegisteredModel => Some(|client: Client, text: String| {
            Box::pin(async move {
                let names = registry::names(&client, &text, MOST).await?;
                Ok(names.into_iter().map(|name| (name.clone(), name)).collect())
            })
        }),
        _ => None,
    }
}
