//! One user, for administrators: who it is, the API keys, what was done.

use crate::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    history::{Of, history},
    set_status,
    trouble::Trouble,
};
use crate::{
    Site,
    api::{
        Client, Result,
        flowdeck::{
            audit::{self, Row},
            key::{self, Account, Key, State},
        },
        mlflow::user::{self, User},
    },
    part::{
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::{Loading, Notice},
        icon::{self, Icon},
        link::Link,
        number::count,
        tabs::{Tab, Tabs},
        time::Time,
        title::Title,
    },
    route::{Route, escape},
    state::{address::Address, query::Query},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shown {
    /// `None`: MLflow has nobody of this name.
    user: Option<User>,
    /// Where it is a program and no person.
    account: Option<Account>,
    keys: Vec<Key>,
    last: Option<Row>,
}

pub fn user(name: String) -> AnyView {
    let address = Address::here();
    let tab = address.memo("tab");
    let is_history = Memo::new(move |_| tab.read().as_deref() == Some("history"));
    let link = move |to: &'static str, label: &'static str| {
        let href = move || address.with(&[("tab", Some(to)), ("cursor", None), ("all", None)]);
        view! { <Tab href=Signal::derive(href) current=Signal::derive(move || is_history.get() != to.is_empty())>{label}</Tab> }
    };
    let way = vec![Crumb::link("Admin", Route::Admin.href()), Crumb::here(name.clone())];
    let title = name.clone();
    view! {
        <Title text=name.clone()/>
        <Crumbs way=way/>
        <div class="page user">
            <div class="title"><h1><bdi>{title}</bdi></h1></div>
            <Tabs label="User">{link("", "Overview")}{link("history", "History")}</Tabs>
            {dynamic(move || match is_history.get() {
                true => history(Of::User(name.clone())),
                false => overview(name.clone()),
            })}
        </div>
    }
    .into_any()
}

fn overview(name: String) -> AnyView {
    let client = expect_context::<Client>();
    let asked = name.clone();
    let found = Resource::new(
        || (),
        move |()| {
            let (client, name) = (client.clone(), asked.clone());
            async move { read(&client, &name).await }
        },
    );
    view! {
        <Transition fallback=|| view! { <Loading/> }>
            {dynamic(move || {
                let name = name.clone();
                Suspend::new(async move {
                    match found.await {
                        Ok(shown) => known(&name, &shown),
                        Err(error) => {
                            let what = format!("the user {name}");
                            view! { <Trouble what=what error=error retry=move |()| found.refetch()/> }.into_any()
                        }
                    }
                })
            })}
        </Transition>
    }
    .into_any()
}

async fn read(client: &Client, name: &str) -> Result<Shown> {
    let user = match user::get(client, name).await {
        Ok(user) => Some(user),
        Err(error) if error.status == 404 => None,
        Err(error) => return Err(error),
    };
    let last = Query::default().with("user", name).with("limit", "1");
    let last = audit::list(client, &last).await?.rows.into_iter().next();
    // Only for administrators; people who look at themselves are no service account.
    let accounts = key::accounts(client).await.unwrap_or_default();
    Ok(Shown {
        user,
        account: accounts.into_iter().find(|account| account.name == name),
        keys: key::list_of(client, name).await?,
        last,
    })
}

fn known(name: &str, shown: &Shown) -> AnyView {
    let gone = shown.user.is_none().then(|| {
        set_status(404);
        view! { <Notice class="careful">"MLflow has no user of this name. What one of this name did through Flowdeck stays in the history, and its API keys let nobody in."</Notice> }
    });
    let fact = |name: &'static str, value: AnyView| view! { <dt>{name}</dt><dd>{value}</dd> };
    let user = shown.user.as_ref().map(|user| {
        let role = if user.is_admin { "yes, of this MLflow" } else { "no" };
        view! { {fact("Administrator", role.into_any())}{fact("Number in MLflow", user.id.into_any())} }
    });
    let account = shown.account.as_ref().map(|account| {
        let made = view! { "made "<Time at=account.created_at/>" by "<bdi>{account.created_by.clone()}</bdi>"; nobody knows the password" };
        fact("Service account", made.into_any())
    });
    let last = match &shown.last {
        Some(row) => view! { <Time at=row.at/>{row.address.clone().map(|from| view! { " from "<bdi>{from}</bdi> })} }.into_any(),
        None => view! { <span class="muted">"none that the audit still has"</span> }.into_any(),
    };
    view! {
        <div class="columns">
            {gone}
            <section class="card" aria-labelledby="who-title">
                <header><h2 id="who-title">"Who it is"</h2></header>
                <dl class="body facts-list">{user}{account}{fact("Last call", last)}</dl>
            </section>
            {keys(name, &shown.keys)}
        </div>
    }
    .into_any()
}

fn keys(name: &str, keys: &[Key]) -> AnyView {
    let of = |state: State| keys.iter().filter(|key| key.state == state).count();
    let named = [
        (State::Active, "active"),
        (State::Disabled, "disabled"),
        (State::Expired, "expired"),
        (State::Revoked, "revoked"),
    ];
    let named = named
        .into_iter()
        .map(|(state, word)| (of(state), word))
        .filter(|(number, _)| *number > 0);
    let named: Vec<_> = named.map(|(number, word)| format!("{} {word}", count(number))).collect();
    let says = if named.is_empty() { "None.".to_owned() } else { named.join(" · ") };
    let used = keys.iter().filter_map(|key| key.last_used_at).max();
    let used = used.map(|at| view! { <p class="muted">"One of them was last used "<Time at=at/>"."</p> });
    let to = if Site::expect().user == name {
        view! { <Link to=Route::Keys class="button"><Icon icon=icon::Key/>"Your API keys"</Link> }.into_any()
    } else {
        view! { <Link to=Route::AllKeys query=format!("?user={}", escape(name)) class="button"><Icon icon=icon::Key/>"See and revoke them"</Link> }
            .into_any()
    };
    let to = (!keys.is_empty()).then(|| view! { <div class="line">{to}</div> });
    view! {
        <section class="card" aria-labelledby="keys-title">
            <header><h2 id="keys-title">"API keys"</h2></header>
            <div class="body stack"><p>{says}</p>{used}{to}</div>
        </section>
    }
    .into_any()
}
