//! What the dialog asks before something is done to a key or an account.

use std::future::Future;

use crate::prelude::*;

use super::{
    change::{Changes, Opened},
    form::form,
};
use crate::{
    api::{
        self,
        flowdeck::key::{self, Account, Key},
    },
    part::{
        face::{Notice, quoted},
        number::count,
        question::{self, Act},
        time::Time,
    },
};

pub fn ask(changes: Changes, opened: Opened) -> AnyView {
    match opened {
        Opened::New(user) => form(changes, None, user),
        Opened::Edit(key) => form(changes, Some(key), None),
        Opened::Rotate(key) => rotate(changes, key),
        Opened::Revoke(key) => revoke(changes, key),
        Opened::RevokeAll(user, keys) => revoke_all(changes, user, keys),
        Opened::Delete(account) => delete(changes, account),
    }
}

fn rotate(changes: Changes, key: Key) -> AnyView {
    let grace = RwSignal::new("3600".to_owned());
    let option = |value: &'static str, label: &'static str| {
        let chosen = grace.get_untracked() == value;
        view! { <option value=value selected=chosen>{label}</option> }
    };
    // Two secrets work at the same time, and never three.
    let oldest = key
        .previous_until
        .map(|until| view! { <Notice class="careful">"It was rotated before: that earlier secret, which would work until "<Time at=until/>", ends now."</Notice> });
    let about = view! {
        <p>"The key gets another secret, which is shown once. Limits and name stay."</p>
        {oldest}
        <div class="field">
            <label for="key-grace">"The present secret works on for"</label>
            <select class="input" id="key-grace" autofocus on:change=move |event| grace.set(event_target_value(&event))>
                {option("0", "no longer: it ends now")}{option("3600", "an hour")}{option("86400", "a day")}{option("604800", "a week")}
            </select>
        </div>
    }
    .into_any();
    question(changes, about, "Rotate", "primary", move || {
        let id = key.id.clone();
        async move {
            let grace = grace.get_untracked().parse().unwrap_or_default();
            let made = key::rotate(&changes.client(), &id, grace).await?;
            changes.tell(made);
            Ok(())
        }
    })
}

fn revoke(changes: Changes, key: Key) -> AnyView {
    let whose = format!(
        "{}, {}…, of {}: whatever uses it is refused from now on. This is for good; to stop it for a while, disable it.",
        quoted(&key.name),
        key.start,
        quoted(&key.user)
    );
    question(
        changes,
        view! { <p>{whose}</p> }.into_any(),
        "Revoke",
        "danger primary",
        move || {
            let (id, name) = (key.id.clone(), key.name.clone());
            async move {
                let key = key::revoke(&changes.client(), &id).await?;
                changes.put(key);
                changes.toasts.say(format!("Revoked {}", quoted(&name)));
                Ok(())
            }
        },
    )
}

fn revoke_all(changes: Changes, user: String, keys: usize) -> AnyView {
    let (whole, label) = match keys {
        1 => ("The one key".to_owned(), "Revoke the key".to_owned()),
        keys => (format!("All {} keys", count(keys)), format!("Revoke {} keys", count(keys))),
    };
    let about = format!(
        "{whole} of {} that still work or could work again: whatever uses them is refused from now on, also after {} has signed in again. This is for good and cannot be undone.",
        quoted(&user),
        quoted(&user)
    );
    question(changes, view! { <p>{about}</p> }.into_any(), label, "danger primary", move || {
        let user = user.clone();
        async move {
            let revoked = match key::revoke_all(&changes.client(), &user).await? {
                1 => "1 key".to_owned(),
                keys => format!("{} keys", count(keys)),
            };
            changes.toasts.say(format!("Revoked {revoked} of {}", quoted(&user)));
            changes.refresh_keys().await?;
            changes.refresh_accounts().await
        }
    })
}

fn delete(changes: Changes, account: Account) -> AnyView {
    let keys = match account.keys {
        0 => "It has no keys.".to_owned(),
        1 => "Its key ends with it.".to_owned(),
        keys => format!("Its {} keys end with it.", count(keys as usize)),
    };
    let about = format!(
        "The user {} goes from MLflow, with all permissions it was given. {keys} This is for good.",
        quoted(&account.name)
    );
    question(
        changes,
        view! { <p>{about}</p> }.into_any(),
        "Delete",
        "danger primary",
        move || {
            let name = account.name.clone();
            async move {
                key::delete_account(&changes.client(), &name).await?;
                changes.refresh_accounts().await?;
                changes.refresh_keys().await?;
                changes.toasts.say(format!("Deleted {}", quoted(&name)));
                Ok(())
            }
        },
    )
}

/// `act` closes the dialog where it succeeds; where it does not, the dialog says why.
fn question<F>(changes: Changes, about: AnyView, label: impl Into<String>, class: &'static str, act: impl Fn() -> F + 'static) -> AnyView
where
    F: Future<Output = api::Result<()>> + 'static,
{
    let act: Act = Box::new(move || Box::pin(act()));
    question::question(changes.shown, about, label.into(), class, Signal::stored(true), act)
}
