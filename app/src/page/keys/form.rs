//! What a key is called, what it may do, and for how long: for a new one and for one that is there.

use std::net::IpAddr;

use crate::prelude::*;
use leptos::{ev, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use super::change::Changes;
use crate::{
    api::{
        ApiError,
        flowdeck::key::{self, FAMILIES, Key, Scope, Wish},
        mlflow::{experiment, number, registry},
    },
    browser,
    part::{
        button::Button,
        dynamic::dynamic,
        face::{Notice, sentence},
        field::{FieldError, TextField},
        pick::{MOST, Pair, pick},
        time::{end_of_day, utc},
    },
};

const DAY: i64 = 86_400_000;

/// What is being written.
#[derive(Clone, Copy)]
struct Draft {
    name: RwSignal<String>,
    scopes: RwSignal<Vec<Scope>>,
    /// Days from now, `date`, or `never`.
    expiry: RwSignal<String>,
    date: RwSignal<String>,
    families: RwSignal<Vec<&'static str>>,
    experiments: RwSignal<Vec<Pair>>,
    models: RwSignal<Vec<Pair>>,
    networks: RwSignal<String>,
    rate: RwSignal<String>,
    burst: RwSignal<String>,
    shadow: RwSignal<bool>,
    /// The field that was refused, and why.
    error: RwSignal<Option<(&'static str, String)>>,
    /// Whether the limits are unfolded.
    more: RwSignal<bool>,
}

/// `key`: the one to change; without it a new one, for `user` or for oneself.
pub fn form(changes: Changes, key: Option<Key>, user: Option<String>) -> AnyView {
    let draft = Draft::of(key.as_ref());
    let known = key.clone();
    let names = move || {
        let client = changes.client();
        spawn_local(async move {
            for (id, _) in draft.experiments.get_untracked() {
                if let Ok(found) = experiment::get(&client, &id).await {
                    draft.experiments.try_update(|chosen| {
                        if let Some(pair) = chosen.iter_mut().find(|pair| pair.0 == id) {
                            pair.1 = found.name;
                        }
                    });
                }
            }
        });
    };
    names();
    let busy = RwSignal::new(false);
    let (label, before) = (
        if key.is_some() { "Save" } else { "Make the key" },
        key.as_ref().and_then(|key| key.expires_at),
    );
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let wish = match draft.wish(before, user.clone(), browser::now()) {
            Ok(wish) => wish,
            Err(refused) => return draft.refuse(refused),
        };
        busy.set(true);
        draft.error.set(None);
        let known = known.clone();
        spawn_local(async move {
            let client = changes.client();
            let answer = match known {
                Some(seen) => key::change(&client, &seen, &wish).await.map(|key| {
                    changes.put(key);
                    changes.shown.try_set(false);
                    changes.toasts.say("Saved");
                }),
                None => key::create(&client, &wish).await.map(|made| changes.tell(made)),
            };
            // A service account has a key more.
            if wish.user.is_some() && answer.is_ok() {
                changes.refresh_accounts().await.ok();
            }
            busy.try_set(false);
            if let Err(error) = answer {
                draft.refuse(refused(&error));
            }
        });
    };
    view! {
        <form class="stack key-form" novalidate on:submit=submit>
            {dynamic(move || draft.error_of("").map(|text| view! { <Notice class="failed">{text}</Notice> }))}
            <TextField id="key-name" label="Name" value=draft.name error=draft.error_signal("name") hint="Where it will be used: laptop, nightly training, CI" autocomplete="off" autofocus=true/>
            {scopes(draft)}
            {expiry(draft)}
            <details open=draft.more.get_untracked() prop:open=draft.more on:toggle=move |event| draft.more.set(is_open(&event))>
                <summary>"More limits"</summary>
                {move || limits(draft, changes)}
            </details>
            <div class="buttons">
                <Button press=move |_| changes.shown.set(false)>"Cancel"</Button>
                <button type="submit" class="button primary" disabled=busy>{label}</button>
            </div>
        </form>
    }
    .into_any()
}

fn scopes(draft: Draft) -> AnyView {
    let one = |scope: Scope, title: &'static str, about: &'static str| {
        let turn = move |_| draft.scopes.update(|scopes| toggle(scopes, scope));
        view! {
            <label class="choice"><input type="checkbox" prop:checked=move || draft.scopes.read().contains(&scope) on:change=turn/>
                <span><b>{title}</b><span class="hint">{about}</span></span></label>
        }
    };
    view! {
        <fieldset class="field">
            <legend class="label">"It may"</legend>
            {one(Scope::Read, "Read", "See experiments, runs, models, traces and artifacts.")}
            {one(Scope::Write, "Write", "Log runs and artifacts, register models, change and delete them.")}
            {one(Scope::Admin, "Administer", "Manage users, permissions and the server, as far as its user may.")}
            <FieldError error=draft.error_signal("scopes")/>
        </fieldset>
    }
    .into_any()
}

fn expiry(draft: Draft) -> AnyView {
    let until = move || match draft.expiry.get().as_str() {
        "never" => "It works until somebody ends it. Better give it an end.".to_owned(),
        "date" => String::new(),
        days => format!(
            "Until {}.",
            &utc(browser::now() + days.parse::<i64>().unwrap_or_default() * DAY)[..10]
        ),
    };
    let option = |value: &'static str, label: &'static str| {
        let chosen = draft.expiry.get_untracked() == value;
        view! { <option value=value selected=chosen>{label}</option> }
    };
    let date = move || {
        (*draft.expiry.read() == *"date").then(|| {
            view! { <input class="input" type="date" aria-label="Last day (UTC)" prop:value=draft.date on:input=move |event| draft.date.set(event_target_value(&event))/> }
        })
    };
    view! {
        <div class="field">
            <label for="key-expiry">"Expires"</label>
            <div class="line">
                <select class="input" id="key-expiry" aria-describedby="key-expiry-about" on:change=move |event| draft.expiry.set(event_target_value(&event))>
                    {option("7", "in 7 days")}{option("30", "in 30 days")}{option("90", "in 90 days")}{option("365", "in a year")}{option("date", "at the end of a day…")}{option("never", "never")}
                </select>
                {dynamic(date)}
            </div>
            <div id="key-expiry-about"><span class="hint">{until}</span><FieldError error=draft.error_signal("expires_at")/></div>
        </div>
    }
    .into_any()
}

fn limits(draft: Draft, changes: Changes) -> AnyView {
    let family = |family: &'static str| {
        let turn = move |_| draft.families.update(|families| toggle(families, family));
        view! { <label class="line"><input type="checkbox" prop:checked=move || draft.families.read().contains(&family) on:change=turn/>{family}</label> }
    };
    view! {
        <div class="stack">
            {pick("key-experiments", "Only these experiments", "With runs and traces in them. None: all that its user may see.", changes.client(), draft.experiments, |client, text| {
                Box::pin(async move { experiment::named(&client, &text, MOST).await })
            })}
            <FieldError error=draft.error_signal("experiments")/>
            {pick("key-models", "Only these registered models", "None: all that its user may see.", changes.client(), draft.models, |client, text| {
                Box::pin(async move {
                    let names = registry::names(&client, &text, MOST).await?;
                    Ok(names.into_iter().map(|name| (name.clone(), name)).collect())
                })
            })}
            <FieldError error=draft.error_signal("models")/>
            <fieldset class="field">
                <legend class="label">"Only these kinds of calls"</legend>
                <div class="families">{FAMILIES.map(family).collect_view()}</div>
                <span class="hint">"None: all kinds."</span>
                <FieldError error=draft.error_signal("families")/>
            </fieldset>
            <div class="field">
                <label for="key-networks">"Only from these networks"</label>
                <textarea class="input mono" id="key-networks" rows="2" spellcheck="false" placeholder="10.0.0.0/8" aria-describedby="key-networks-about"
                    aria-invalid=move || draft.error_of("allowed_networks").map(|_| "true")
                    prop:value=draft.networks on:input=move |event| draft.networks.set(event_target_value(&event))></textarea>
                <div id="key-networks-about"><span class="hint">"One a line: an address, or a network like 10.0.0.0/8 or 2001:db8::/32. None: from everywhere."</span><FieldError error=draft.error_signal("allowed_networks")/></div>
            </div>
            <div class="two">
                <TextField id="key-rate" label="Calls a second" value=draft.rate error=draft.error_signal("rate_per_second") hint="On average. Empty: as usual." autocomplete="off"/>
                <TextField id="key-burst" label="At once" value=draft.burst error=draft.error_signal("burst") hint="How many may come in one go." autocomplete="off"/>
            </div>
            <label class="choice"><input type="checkbox" prop:checked=draft.shadow on:change=move |_| draft.shadow.update(|on| *on = !*on)/>
                <span><b>"Shadow mode"</b><span class="hint">"Refuse nothing for these limits; count and list what would have been refused. For trying limits out on a program that works."</span></span></label>
        </div>
    }
    .into_any()
}

// === impl Draft ===

impl Draft {
    fn of(key: Option<&Key>) -> Self {
        let own = |list: &[String]| list.iter().map(|id| (id.clone(), id.clone())).collect::<Vec<_>>();
        let date = key.and_then(|key| key.expires_at).map(|at| utc(at)[..10].to_owned());
        let expiry = match (key, &date) {
            (None, _) => "90",
            (_, Some(_)) => "date",
            (_, None) => "never",
        };
        let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
        let families = |key: &Key| {
            let named = FAMILIES.iter().filter(|family| key.families.iter().any(|own| own == *family));
            named.copied().collect()
        };
        Self {
            name: RwSignal::new(key.map(|key| key.name.clone()).unwrap_or_default()),
            scopes: RwSignal::new(key.map_or_else(|| vec![Scope::Read, Scope::Write], |key| key.scopes.clone())),
            expiry: RwSignal::new(expiry.to_owned()),
            date: RwSignal::new(date.unwrap_or_default()),
            families: RwSignal::new(key.map(families).unwrap_or_default()),
            experiments: RwSignal::new(key.map(|key| own(&key.experiments)).unwrap_or_default()),
            models: RwSignal::new(key.map(|key| own(&key.models)).unwrap_or_default()),
            networks: RwSignal::new(key.map(|key| key.allowed_networks.join("\n")).unwrap_or_default()),
            rate: RwSignal::new(number(key.and_then(|key| key.rate_per_second))),
            burst: RwSignal::new(number(key.and_then(|key| key.burst).map(f64::from))),
            shadow: RwSignal::new(key.is_some_and(|key| key.shadow)),
            error: RwSignal::new(None),
            more: RwSignal::new(key.is_some_and(|key| key.is_narrowed() || key.shadow || key.rate_per_second.is_some())),
        }
    }

    /// `before`: when it expires as things are; the day being the same, so is the moment.
    fn wish(&self, before: Option<i64>, user: Option<String>, now: i64) -> Result<Wish, (&'static str, String)> {
        let refuse = |field, text: &str| Err((field, text.to_owned()));
        let name = self.name.get_untracked().trim().to_owned();
        if name.is_empty() {
            return refuse("name", "A key needs a name.");
        }
        let mut scopes = self.scopes.get_untracked();
        scopes.sort_by_key(|scope| *scope as u8);
        if scopes.is_empty() {
            return refuse("scopes", "A key that may do nothing is of no use: choose at least one.");
        }
        let expires_at = match self.expiry.get_untracked().as_str() {
            "never" => None,
            "date" => {
                let date = self.date.get_untracked();
                let same = before.filter(|before| utc(*before).starts_with(&date) && !date.is_empty());
                match same.or_else(|| end_of_day(&date)) {
                    None => return refuse("expires_at", "Which day? Write it as 2027-01-31."),
                    Some(at) if at <= now => return refuse("expires_at", "That day is over."),
                    at => at,
                }
            }
            days => Some(now + days.parse::<i64>().unwrap_or(90) * DAY),
        };
        let networks = self.networks.get_untracked();
        let networks = networks.split([',', ';', ' ', '\n', '\t']).filter(|text| !text.is_empty());
        let mut allowed_networks = Vec::new();
        for text in networks {
            if !is_network(text) {
                return refuse(
                    "allowed_networks",
                    &format!("{text} is no network. Write it as 10.0.0.0/8 or 2001:db8::/32."),
                );
            }
            allowed_networks.push(text.to_owned());
        }
        let rate = self.rate.get_untracked();
        let rate_per_second = match rate.trim() {
            "" => None,
            text => match number::read(text) {
                Some(rate) if rate > 0.0 && rate.is_finite() => Some(rate),
                _ => return refuse("rate_per_second", "A number above 0, like 5 or 0.5."),
            },
        };
        let burst = self.burst.get_untracked();
        let burst = match burst.trim() {
            "" => None,
            text => match text.parse::<u32>() {
                Ok(burst) if burst > 0 => Some(burst),
                _ => return refuse("burst", "A whole number, 1 or more."),
            },
        };
        let ids = |pairs: RwSignal<Vec<Pair>>| pairs.with_untracked(|pairs| pairs.iter().map(|pair| pair.0.clone()).collect());
        Ok(Wish {
            name,
            scopes,
            families: self
                .families
                .with_untracked(|families| families.iter().map(|family| (*family).to_owned()).collect()),
            experiments: ids(self.experiments),
            models: ids(self.models),
            allowed_networks,
            rate_per_second,
            burst,
            expires_at,
            shadow: self.shadow.get_untracked(),
            user,
        })
    }

    fn refuse(&self, refused: (&'static str, String)) {
        let folded = !matches!(refused.0, "" | "name" | "scopes" | "expires_at");
        if folded {
            self.more.try_set(true);
        }
        self.error.try_set(Some(refused));
        request_animation_frame(|| {
            browser::focus(".key-form [aria-invalid='true']");
        });
    }

    /// Followed.
    fn error_of(&self, field: &str) -> Option<String> {
        self.error
            .with(|error| error.as_ref().filter(|error| error.0 == field).map(|error| error.1.clone()))
    }

    fn error_signal(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.error_of(field))
    }
}

/// The field that the server's sentence is about, `""` for none, and the sentence: "`burst`: between 1 and 1000000 calls".
pub fn refused(error: &ApiError) -> (&'static str, String) {
    const FIELDS: [&str; 9] = [
        "allowed_networks",
        "rate_per_second",
        "burst",
        "expires_at",
        "scopes",
        "families",
        "experiments",
        "models",
        "name",
    ];
    let named = error.message.strip_prefix('`').and_then(|text| text.split_once("`: "));
    let field = named.and_then(|(name, text)| Some((*FIELDS.iter().find(|field| **field == name)?, text)));
    let (field, text) = field.unwrap_or(("", &error.message));
    (field, sentence(text))
}

/// An address, or a network in CIDR notation.
fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

fn toggle<T: PartialEq>(list: &mut Vec<T>, item: T) {
    match list.iter().position(|known| *known == item) {
        Some(at) => drop(list.remove(at)),
        None => list.push(item),
    }
}

fn is_open(event: &web_sys::Event) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| element.has_attribute("open"))
}

#[cfg(test)]
mod tests {
    use super::{is_network, refused};
    use crate::api::ApiError;

    #[test]
    fn the_server_says_which_field() {
        let error = |message: &str| refused(&ApiError::unreachable(message));
        assert_eq!(
            error("`burst`: between 1 and 1000000 calls"),
            ("burst", "Between 1 and 1000000 calls.".to_owned())
        );
        assert_eq!(error("no such thing"), ("", "No such thing.".to_owned()));
    }

    #[test]
    fn networks_are_recognised() {
        for text in ["10.0.0.0/8", "192.168.1.7", "2001:db8::/32", "::1", "0.0.0.0/0"] {
            assert!(is_network(text), "{text}");
        }
        for text in ["", "10.0.0.0/33", "2001:db8::/129", "10.0.0/8", "example.org", "10.0.0.0/", "/8"] {
            assert!(!is_network(text), "{text}");
        }
    }
}
