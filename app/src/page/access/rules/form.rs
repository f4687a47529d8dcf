//! A new rule, or another text of one that is there.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::Desk;
use crate::{
    api::{
        ApiError,
        flowdeck::{
            grant::{Kind, Level},
            role,
            rule::{self, Rule, RuleWish},
        },
    },
    page::access::{KINDS, error_elsewhere, error_of},
    part::{
        button::Button,
        dynamic::dynamic,
        face::sentence,
        field::{FieldError, TextField},
    },
    state::query::Query,
};

/// Roles that are offered.
const OFFERED: &str = "200";

pub fn form(desk: Desk, rule: Option<Rule>) -> AnyView {
    let kind = RwSignal::new(rule.as_ref().map_or(Kind::Experiment, |rule| rule.kind));
    let pattern = RwSignal::new(rule.as_ref().map(|rule| rule.pattern.clone()).unwrap_or_default());
    let role = RwSignal::new(rule.as_ref().map(|rule| rule.role.clone()).unwrap_or_default());
    let level = RwSignal::new(rule.as_ref().map_or(Level::Edit, |rule| rule.level));
    let enabled = RwSignal::new(rule.as_ref().is_none_or(|rule| rule.enabled));
    let error = RwSignal::new(None::<(&'static str, String)>);
    let busy = RwSignal::new(false);
    let offered = RwSignal::new(Vec::<String>::new());
    spawn_local(async move {
        let Some(client) = desk.client.try_get_value() else { return };
        if let Ok(found) = role::list(&client, &Query::default().with("limit", OFFERED)).await {
            offered.try_set(found.roles.into_iter().map(|role| role.name).collect());
        }
    });
    let known = rule.as_ref().map(|rule| (rule.id.clone(), rule.version));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let wish = RuleWish {
            kind: kind.get_untracked(),
            pattern: pattern.get_untracked().trim().to_owned(),
            role: role.get_untracked().trim().to_owned(),
            level: level.get_untracked(),
            enabled: enabled.get_untracked(),
            version: known.as_ref().map(|known| known.1),
        };
        let empty = [
            ("pattern", wish.pattern.is_empty(), "Say what things are called."),
            ("role", wish.role.is_empty(), "Say which role."),
        ];
        if let Some((field, _, says)) = empty.into_iter().find(|(_, empty, _)| *empty) {
            return error.set(Some((field, says.into())));
        }
        error.set(None);
        busy.set(true);
        let id = known.as_ref().map(|known| known.0.clone());
        spawn_local(async move {
            let Some(client) = desk.client.try_get_value() else { return };
            let answer = match id {
                Some(id) => rule::change(&client, &id, &wish).await,
                None => rule::create(&client, &wish).await,
            };
            busy.try_set(false);
            match answer {
                Ok(made) => {
                    desk.shown.try_set(false);
                    match made.rule.trouble {
                        Some(trouble) => desk.toasts.say(format!("Saved, but not kept up yet: {trouble}")),
                        None => desk.toasts.say("Saved"),
                    }
                    desk.again.try_run(());
                }
                Err(refused) => drop(error.try_set(Some(field(&refused)))),
            }
        });
    };
    let kind_option = move |(value, label): (Kind, &'static str)| {
        view! { <option value=value.name() selected=value == kind.get_untracked()>{label}</option> }.into_any()
    };
    let level_option = move |value: Level| {
        let says = format!("{}: {}", value.name(), value.means());
        view! { <option value=value.name() selected=value == level.get_untracked()>{says}</option> }.into_any()
    };
    let set_kind = move |event: ev::Event| kind.set(Kind::named(&event_target_value(&event)).unwrap_or(Kind::Experiment));
    let set_level = move |event: ev::Event| level.set(Level::named(&event_target_value(&event)).unwrap_or(Level::Edit));
    let refused = error_of(error, "role");
    let roles = move || {
        offered
            .get()
            .into_iter()
            .map(|name| view! { <option value=name></option> }.into_any())
            .collect_view()
    };
    view! {
        <form class="stack" novalidate on:submit=submit>
            {error_elsewhere(error)}
            <div class="field"><label for="rule-kind">"What"</label><select class="input" id="rule-kind" on:change=set_kind>{KINDS.map(kind_option).collect_view()}</select></div>
            <TextField id="rule-pattern" label="That is called" value=pattern error=error_of(error, "pattern") hint="* stands for any letters, ? for one: team-a/*" autocomplete="off" autofocus=true/>
            <div class="field">
                <label for="rule-role">"The role"</label>
                <input class="input" id="rule-role" list="rule-roles" autocomplete="off" spellcheck="false" dir="auto" prop:value=role on:input=move |event| role.set(event_target_value(&event))
                    aria-invalid=move || refused.get().map(|_| "true") aria-describedby="rule-role-about"/>
                <datalist id="rule-roles">{dynamic(roles)}</datalist>
                <div id="rule-role-about"><FieldError error=refused/></div>
            </div>
            <div class="field"><label for="rule-level">"Gets"</label><select class="input" id="rule-level" on:change=set_level>{Level::ALL.map(level_option).collect_view()}</select></div>
            <label class="line"><input type="checkbox" prop:checked=enabled on:change=move |event| enabled.set(event_target_checked(&event))/>"Kept up"</label>
            <div class="buttons">
                <Button press=move |_| desk.shown.set(false)>"Cancel"</Button>
                <button type="submit" class="button primary" disabled=busy>"Save"</button>
            </div>
        </form>
    }
    .into_any()
}

/// The server names the field in front.
fn field(error: &ApiError) -> (&'static str, String) {
    let named = error.message.strip_prefix('`').and_then(|rest| rest.split_once("`: "));
    match named {
        Some(("pattern", says)) => ("pattern", sentence(says)),
        Some(("role", says)) => ("role", sentence(says)),
        _ => ("", sentence(&error.message)),
    }
}
