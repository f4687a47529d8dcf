//! Service accounts: users whose password nobody knows, for programs that belong to nobody.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{
    change::{Changes, Opened},
    form,
};
use crate::{
    api::flowdeck::key::{self, Account},
    browser,
    part::{
        dynamic::dynamic,
        face::quoted,
        field::TextField,
        icon::{self, Icon},
        link::Link,
        number::count,
        time::Time,
    },
    route::Route,
};

pub fn accounts(changes: Changes) -> AnyView {
    let name = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        if wanted.is_empty() {
            error.set(Some("A service account needs a name.".into()));
            browser::focus("#account-name");
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let made = key::create_account(&changes.client(), &wanted).await;
            let listed = match made {
                Ok(()) => changes.refresh_accounts().await,
                refused => refused,
            };
            busy.try_set(false);
            match listed {
                Ok(()) => {
                    name.try_set(String::new());
                    changes.toasts.say(format!("Made {}. Now give it a key.", quoted(&wanted)));
                }
                Err(refused) => drop(error.try_set(Some(form::refused(&refused).1))),
            }
        });
    };
    let row = move |account: Account| {
        let (user, own) = (account.name.clone(), account.clone());
        let keys = match account.keys {
            0 => "no keys".to_owned(),
            1 => "1 key".to_owned(),
            keys => format!("{} keys", count(keys as usize)),
        };
        view! {
            <li>
                <Icon icon=icon::User/>
                <div class="what"><b><Link to=Route::User { name: account.name.clone() }><bdi>{account.name}</bdi></Link></b><div class="muted">{keys}" · made "<Time at=account.created_at/>" by "<Link to=Route::User { name: account.created_by.clone() }><bdi>{account.created_by}</bdi></Link></div></div>
                <span class="line needs-script">
                    <button type="button" class="button small" aria-label=format!("New key for {user}") on:click={ let user = user.clone(); move |_| changes.open(Opened::New(Some(user.clone()))) }><Icon icon=icon::Plus/>"New key"</button>
                    <button type="button" class="button quiet small square" aria-label=format!("Delete {user}") title="Delete" on:click=move |_| changes.open(Opened::Delete(own.clone()))><Icon icon=icon::Trash/></button>
                </span>
            </li>
        }
    };
    view! {
        <section class="card accounts" aria-labelledby="accounts-title">
            <header><h2 id="accounts-title">"Service accounts"</h2></header>
            <p class="body muted">"MLflow users whose password nobody knows, for programs that belong to nobody. Give one its permissions in MLflow as you would a person, and keys here."</p>
            <ul>{each(move || changes.accounts.get(), Clone::clone, row)}</ul>
            {dynamic(move || changes.accounts.read().is_empty().then(|| view! { <p class="body">"None yet."</p> }))}
            <form class="body needs-script make" on:submit=submit novalidate>
                <TextField id="account-name" label="A new one" value=name error=Signal::derive(move || error.get()) placeholder="nightly-training" autocomplete="off"/>
                <button type="submit" class="button" disabled=busy><Icon icon=icon::Plus/>"Make"</button>
            </form>
        </section>
    }
    .into_any()
}
