//! Rules over names: what is called like this, a role gets so much of. What each produced, and what has drifted from it.

mod form;

use std::{future::Future, pin::Pin};

use crate::prelude::*;
use leptos::task::spawn_local;

use super::{
    href_of,
    load::{Asked, Loaded, ask},
    needs_script,
};
use crate::{
    api::{
        self, Client,
        flowdeck::rule::{self, Keep, Produced, ProducedState, Rule, RuleDetail, Rules},
    },
    page::{admin::AdminTabs, review::words},
    part::{
        button::Button,
        crumbs::{Crumb, Crumbs},
        dialog::Dialog,
        face::{Empty, quoted, sentence},
        icon::{self, Icon},
        link::Link,
        number::count,
        question::question,
        time::Time,
        title::Title,
        toast::Toasts,
    },
    route::Route,
    state::address::Address,
};

/// Of what a rule produced so many are shown.
const SHOWN: usize = 500;

/// What the dialog is about.
#[derive(Clone)]
enum Opened {
    /// A new one, or another.
    Form(Option<Rule>),
    Delete(Rule),
}

/// What the page's handlers call.
#[derive(Clone, Copy)]
struct Desk {
    client: StoredValue<Client>,
    toasts: Toasts,
    opened: RwSignal<Option<Opened>>,
    shown: RwSignal<bool>,
    /// Loads the page's data anew.
    again: Callback<()>,
}

pub fn rules() -> AnyView {
    let address = Address::here();
    let open = address.memo("rule");
    let found = ask(Memo::new(move |_| Asked::Rules(open.get())));
    let desk = Desk {
        client: StoredValue::new(expect_context::<Client>()),
        toasts: Toasts::expect(),
        opened: RwSignal::new(None),
        shown: RwSignal::new(false),
        again: Callback::new(move |()| found.again()),
    };
    let list = found.view("the rules", move |loaded| {
        Ok(match loaded? {
            Loaded::Rules(rules, detail) => known(address, desk, rules, detail),
            _ => AnyView::Nothing,
        })
    });
    let title = move || {
        desk.opened.with(|opened| match opened {
            None => String::new(),
            Some(Opened::Form(None)) => "New rule".into(),
            Some(Opened::Form(Some(rule))) => format!("Edit {}", quoted(&rule.pattern)),
            Some(Opened::Delete(rule)) => format!("Delete {}?", quoted(&rule.pattern)),
        })
    };
    let body = move || match desk.opened.get() {
        Some(Opened::Form(rule)) => form::form(desk, rule),
        Some(Opened::Delete(rule)) => delete(desk, rule),
        None => ().into_any(),
    };
    view! {
        <Title text="Rules"/>
        <Crumbs way=vec![Crumb::link("Admin", Route::Admin.href()), Crumb::here("Rules")]/>
        <div class="page access rules">
            <div class="title">
                <h1>"Rules"</h1><span class="facts">"over names"</span>
                <div class="actions needs-script"><Button class="primary" icon=icon::Plus attr:data-key="n" press=move |_| desk.open(Opened::Form(None))>"New rule"</Button></div>
            </div>
            <AdminTabs here=Route::Rules/>
            <p class="lead muted">"What is called like the pattern, the role gets so much of: kept as MLflow's own grants, also for what is made or renamed later. Flowdeck looks once a minute. What somebody changes by hand is told here and left alone until you repair it."</p>
            {needs_script()}
            {list}
            <Dialog open=desk.shown title=Signal::derive(title)>{body}</Dialog>
        </div>
    }
    .into_any()
}

fn known(address: Address, desk: Desk, rules: Rules, detail: Option<RuleDetail>) -> AnyView {
    if rules.rules.is_empty() {
        return view! {
            <Empty title="No rules yet" icon=icon::Tag><p>"For example: everything that is called "<code>"team-a/*"</code>", the role team-a may EDIT."</p></Empty>
        }
        .into_any();
    }
    let open = detail.as_ref().map(|detail| detail.rule.id.clone());
    let rows = rules.rules.into_iter().map(|rule| {
        let is_open = open.as_deref() == Some(&*rule.id);
        row(address, desk, rule, is_open)
    });
    let rows = rows.collect_view();
    view! {
        <div class="grid-scroll">
            <table class="grid cards">
                <caption class="unseen">"Rules"</caption>
                <thead><tr><th scope="col">"What is called"</th><th scope="col">"Role"</th><th scope="col">"Gets"</th><th scope="col">"Grants"</th><th scope="col">"Kept"</th><th scope="col"><span class="unseen">"Actions"</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {detail.map(|detail| produced(desk, detail))}
    }
    .into_any()
}

fn row(address: Address, desk: Desk, rule: Rule, is_open: bool) -> AnyView {
    let id = rule.id.clone();
    let href = move || address.with(&[("rule", if is_open { None } else { Some(&id) })]);
    let kept = match (&rule.trouble, rule.enabled, rule.kept_at) {
        (Some(trouble), ..) => view! { <span class="danger">{sentence(trouble)}</span> }.into_any(),
        (None, false, _) => view! { <span class="muted">"disabled"</span> }.into_any(),
        (None, true, Some(at)) => view! { <Time at=at/> }.into_any(),
        (None, true, None) => view! { <span class="muted">"not yet"</span> }.into_any(),
    };
    let (edit, gone) = (rule.clone(), rule.clone());
    let (to, role) = (Route::Role { name: rule.role.clone() }, rule.role.clone());
    let (edit_label, delete_label) = (format!("Edit {}", rule.pattern), format!("Delete {}", rule.pattern));
    view! {
        <tr>
            <th scope="row"><a href=href class="open" aria-expanded=is_open.to_string() data-noscroll=""><Icon icon=icon::ChevronRight/><span class="muted">{words::kind(rule.kind)}" "</span><code>{rule.pattern.clone()}</code></a></th>
            <td data-label="Role"><Link to=to><bdi>{role}</bdi></Link></td>
            <td data-label="Gets">{words::level(Some(rule.level))}</td>
            <td data-label="Grants">{counts(&rule)}</td>
            <td data-label="Kept">{kept}</td>
            <td class="act"><span class="needs-script">
                <Button class="quiet small" icon=icon::Pencil label=edit_label press=move |_| desk.open(Opened::Form(Some(edit.clone())))/>
                <Button class="quiet small" icon=icon::Trash label=delete_label press=move |_| desk.open(Opened::Delete(gone.clone()))/>
            </span></td>
        </tr>
    }
    .into_any()
}

fn counts(rule: &Rule) -> AnyView {
    let counts = rule.counts;
    let one = |number: usize, word: &'static str, class: &'static str| {
        (number > 0).then(|| view! { <span class=class>{format!(" · {} {word}", count(number))}</span> }.into_any())
    };
    view! { <span>{format!("{} kept", count(counts.kept))}{one(counts.missing, "missing", "warning")}{one(counts.drifted, "drifted", "danger")}{one(counts.stray, "stray", "warning")}</span> }
        .into_any()
}

/// What the open rule is about, thing by thing.
fn produced(desk: Desk, detail: RuleDetail) -> AnyView {
    let (rule, total) = (detail.rule, detail.produced.len());
    let row = |one: Produced| {
        let (class, says) = match one.state {
            ProducedState::Kept => ("status positive", "kept"),
            ProducedState::Missing => ("status warning", "to be granted"),
            ProducedState::Drifted => ("status danger", "changed by hand"),
            ProducedState::Stray => ("status warning", "to be taken away: it is called otherwise now"),
        };
        let icon = if one.state == ProducedState::Kept {
            icon::CircleCheck
        } else {
            icon::Warning
        };
        view! { <tr><th scope="row"><a href=href_of(&one.on)><bdi>{one.name}</bdi></a></th><td data-label="Has">{words::level(one.level)}</td><td data-label="State"><span class=class><Icon icon=icon/>{says}</span></td></tr> }
            .into_any()
    };
    // What needs a look comes first.
    let (mut listed, kept): (Vec<_>, Vec<_>) = detail.produced.into_iter().partition(|one| one.state != ProducedState::Kept);
    listed.extend(kept);
    let rows = listed.into_iter().take(SHOWN).map(row).collect_view();
    let more = (total > SHOWN).then(|| view! { <p class="body muted">{format!("and {} more", count(total - SHOWN))}</p> });
    let (number, drifted) = (rule.counts.missing + rule.counts.stray, rule.counts.drifted);
    let act = |id: &str, repair: bool, label: &'static str| {
        let id = id.to_owned();
        view! { <Button class="small" icon=icon::Retry press=move |_| desk.keep(id.clone(), repair)>{label}</Button> }.into_any()
    };
    let keep = (number > 0).then(|| act(&rule.id, false, "Keep up now"));
    let repair = (drifted > 0).then(|| act(&rule.id, true, "Repair what was changed by hand"));
    let body = if total == 0 {
        view! { <p class="body muted">"Nothing is called like this at the moment."</p> }.into_any()
    } else {
        view! {
            <table class="grid cards"><caption class="unseen">"What the rule produced"</caption>
                <thead><tr><th scope="col">"What"</th><th scope="col">"The role has"</th><th scope="col">"State"</th></tr></thead>
                <tbody>{rows}</tbody></table>{more}
        }
        .into_any()
    };
    let title = format!("What {} produced", quoted(&rule.pattern));
    view! {
        <section class="card produced" aria-label=title.clone()>
            <header><h2>{title}</h2><span class="spread line needs-script">{keep}{repair}</span></header>
            {body}
        </section>
    }
    .into_any()
}

fn delete(desk: Desk, rule: Rule) -> AnyView {
    let leave = RwSignal::new(false);
    let says = match rule.counts.kept {
        1 => "It has made or found 1 grant.".to_owned(),
        kept => format!("It has made or found {} grants.", count(kept)),
    };
    let about = view! {
        <p>{says}" What it has made goes with it, unless you leave it where it is."</p>
        <label class="line"><input type="checkbox" on:change=move |event| leave.set(event_target_checked(&event))/>"Leave its grants"</label>
    };
    let act = move || -> Pin<Box<dyn Future<Output = api::Result<()>>>> {
        let (client, id, leave) = (desk.client.get_value(), rule.id.clone(), leave.get_untracked());
        Box::pin(async move {
            rule::delete(&client, &id, leave).await?;
            desk.toasts.say("Deleted");
            desk.again.try_run(());
            Ok(())
        })
    };
    question(
        desk.shown,
        about,
        "Delete".into(),
        "danger primary",
        Signal::stored(true),
        Box::new(act),
    )
}

// === impl Desk ===

impl Desk {
    fn open(self, opened: Opened) {
        self.opened.set(Some(opened));
        self.shown.set(true);
    }

    fn keep(self, id: String, repair: bool) {
        spawn_local(async move {
            let Some(client) = self.client.try_get_value() else { return };
            match rule::keep(&client, &id, Keep { repair }).await {
                Ok(_) => self.toasts.say("MLflow agrees with the rule"),
                Err(error) => self.toasts.failed("MLflow was not brought in step", &error),
            }
            self.again.try_run(());
        });
    }
}
