//! API keys: one's own, and for administrators everybody's with the service accounts.

mod account;
mod change;
mod form;
mod fresh;
mod list;
mod question;
mod snippet;

use crate::prelude::*;

use self::change::{Changes, Opened};
use super::{
    account::{AccountTab, AccountTabs},
    admin::AdminTabs,
    trouble::Trouble,
};
use crate::{
    Site,
    api::{
        Client,
        flowdeck::key::{self, Account, Key, State},
    },
    part::{
        button::Button,
        crumbs::{Crumb, Crumbs},
        dialog::Dialog,
        dynamic::dynamic,
        face::{Loading, Notice},
        icon,
        number::count,
        title::Title,
    },
    route::Route,
};

#[component]
pub fn Keys(all: bool) -> impl IntoView {
    let client = expect_context::<Client>();
    let attempt = RwSignal::new(0);
    let found = Resource::new(
        move || attempt.get(),
        move |_| {
            let client = client.clone();
            async move {
                let keys = key::list(&client, all).await?;
                let accounts = if all { key::accounts(&client).await? } else { Vec::new() };
                crate::api::Result::Ok((keys, accounts))
            }
        },
    );
    let again = Callback::new(move |()| attempt.update(|times| *times += 1));
    let (title, way, what) = if all {
        (
            "All API keys",
            vec![Crumb::link("Admin", Route::Admin.href()), Crumb::here("API keys")],
            "the keys of others",
        )
    } else {
        (
            "API keys",
            vec![Crumb::link("Account", Route::Account.href()), Crumb::here("API keys")],
            "your keys",
        )
    };
    view! {
        <Title text=title/>
        <Crumbs way=way/>
        <div class="page keyring">
            <Suspense fallback=|| view! { <Loading/> }>
                {dynamic(move || Suspend::new(async move {
                    match found.await {
                        Ok((keys, accounts)) => known(all, keys, accounts),
                        Err(error) => view! { <Trouble whole=true what=what error=error retry=again/> }.into_any(),
                    }
                }))}
            </Suspense>
        </div>
    }
}

fn known(all: bool, keys: Vec<Key>, accounts: Vec<Account>) -> AnyView {
    let changes = Changes::new(keys, accounts);
    let facts = move || {
        changes.keys.with(|keys| {
            let of = |state: State| keys.iter().filter(|key| key.state == state).count();
            let named = [
                (State::Active, "active"),
                (State::Disabled, "disabled"),
                (State::Expired, "expired"),
            ];
            let named = named
                .iter()
                .map(|(state, word)| (of(*state), word))
                .filter(|(number, _)| *number > 0);
            named
                .map(|(number, word)| format!("{} {word}", count(number)))
                .collect::<Vec<_>>()
                .join(" · ")
        })
    };
    let new = (!all).then(|| {
        let make = move |_| changes.open(Opened::New(None));
        view! { <span class="needs-script"><Button class="primary" icon=icon::Plus attr:data-key="n" press=make>"New key"</Button></span> }
    });
    let reference = Site::expect().href("/api/flowdeck/v1/docs");
    view! {
        <div class="title">
            <h1>{if all { "All API keys" } else { "API keys" }}</h1>
            <span class="facts">{facts}</span>
            <div class="actions">{new}</div>
        </div>
        {match all {
            true => view! { <AdminTabs here=Route::AllKeys/> }.into_any(),
            false => view! { <AccountTabs here=AccountTab::Keys/> }.into_any(),
        }}
        <p class="lead muted">
            {if all {
                "Every key of this Flowdeck. A key acts as its user: revoking it stops the programs that use it, and nobody else. When you have set somebody a new password in MLflow, their keys stop until they sign in with it, and then work again: who should lose them needs them revoked."
            } else {
                "A key lets a program act as you without your password: the MLflow client, the mlflow command, curl. Give each program its own, so that one can be ended without the others."
            }}
        </p>
        <div class="without-script lead"><Notice>"Making and changing keys needs JavaScript. A program can do it too: see the "<a href=reference>"REST API"</a>"."</Notice></div>
        {fresh::fresh(changes)}
        {list::list(all, changes)}
        {all.then(|| account::accounts(changes))}
        <Dialog open=changes.shown class="wide" title=Signal::derive(move || changes.title())>{move || changes.opened.get().map(|opened| question::ask(changes, opened))}</Dialog>
    }
    .into_any()
}
