//! What was done, when and by whom: a tab of the pages of experiments, runs and people.

mod change;
mod words;

use crate::prelude::*;
use serde::{Deserialize, Serialize};

use self::change::{About, Change, Known, group};
use super::trouble::Trouble;
use crate::{
    Site,
    api::{
        Client, Result,
        flowdeck::{audit, key},
    },
    part::{
        dynamic::dynamic,
        face::{Empty, Loading, quoted},
        icon,
        id::shorten,
        link::Link,
        number::count,
        time::Time,
    },
    route::{Route, escape},
    state::{address::Address, query::Query},
};

/// How many calls are looked at for one page.
const LIMIT: &str = "500";

/// Whose history it is, or of what.
#[derive(Clone, Debug, PartialEq)]
pub enum Of {
    Experiment(String),
    Run(String),
    User(String),
    /// The visitor's own.
    Oneself,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Page {
    changes: Vec<Change>,
    /// Ids and names of one person's keys.
    keys: Vec<(String, String)>,
    older: Option<String>,
    /// Where the search stopped before the page was full, ms since 1970.
    searched_to: Option<i64>,
}

pub fn history(of: Of) -> AnyView {
    let address = Address::here();
    let (cursor, all) = (address.memo("cursor"), address.memo("all"));
    let client = expect_context::<Client>();
    let asked = of.clone();
    let found = Resource::new(
        move || (cursor.get().unwrap_or_default(), all.get().is_some()),
        move |(cursor, all)| {
            let (client, of) = (client.clone(), asked.clone());
            async move { read(&client, &of, &cursor, all).await }
        },
    );
    let choice = (of.known() == Known::User).then(|| {
        let link = move |value: Option<&'static str>, label: &'static str| {
            let current = move || (all.get().is_some() == value.is_some()).then_some("true");
            view! { <a href=move || address.with(&[("all", value), ("cursor", None)]) aria-current=current data-noscroll="">{label}</a> }
        };
        view! { <div class="line over"><nav class="segments" aria-label="Which calls">{link(None, "Changes")}{link(Some("1"), "All calls")}</nav></div> }
    });
    let of = StoredValue::new(of);
    view! {
        <section class="history" aria-label="History">
            {choice}
            <Transition fallback=|| view! { <Loading/> }>
                {dynamic(move || Suspend::new(async move {
                    match found.await {
                        Ok(page) => of.with_value(|of| known(address, of, page, all.get_untracked().is_some())),
                        Err(error) => view! { <Trouble what="the history" error=error retry=move |()| found.refetch()/> }.into_any(),
                    }
                }))}
            </Transition>
        </section>
    }
    .into_any()
}

async fn read(client: &Client, of: &Of, cursor: &str, all: bool) -> Result<Page> {
    let query = Query::default().with("limit", LIMIT).with("cursor", cursor);
    let query = if all { query } else { query.with("changes", "yes") };
    let found = match of {
        Of::Experiment(id) => audit::list(client, &query.with("experiment", id)).await?,
        Of::Run(id) => audit::list(client, &query.with("run", id)).await?,
        Of::User(name) => audit::list(client, &query.with("user", name)).await?,
        Of::Oneself => audit::own(client, &query).await?,
    };
    let changes = group(found.rows, of.known());
    let has_keys = changes.iter().any(|change| matches!(&change.from, Some((_, Some(_), _))));
    let keys = match of {
        Of::User(name) if has_keys => key::list_of(client, name).await,
        Of::Oneself if has_keys => key::list(client, false).await,
        _ => Ok(Vec::new()),
    };
    Ok(Page {
        changes,
        // Only for their names; the page does without.
        keys: keys.unwrap_or_default().into_iter().map(|key| (key.id, key.name)).collect(),
        older: found.next,
        searched_to: found.searched_to,
    })
}

fn known(address: Address, of: &Of, page: Page, all: bool) -> AnyView {
    let so_far = page
        .searched_to
        .map(|at| view! { <span class="muted">"Searched so far back to "<Time at=at/>"."</span> });
    let label = if so_far.is_some() { "Go on" } else { "Older" };
    let older = page.older.map(|cursor| {
        view! { <div class="more line"><a class="button" href=move || address.with(&[("cursor", Some(&cursor))]) data-noscroll="">{label}</a>{so_far}</div> }
    });
    if page.changes.is_empty() {
        let what = match of {
            Of::Experiment(_) => "What is done to this experiment through Flowdeck from now on is listed here: when, by whom, what.",
            Of::Run(_) => "What is done to this run through Flowdeck from now on is listed here: when, by whom, what.",
            Of::User(_) => "What this user does through Flowdeck from now on is listed here, in a browser and by programs.",
            Of::Oneself => "What you do through Flowdeck from now on is listed here, in a browser and by your programs.",
        };
        let title = match (older.is_some(), all) {
            (true, _) => "Nothing found so far",
            (false, true) => "No calls here",
            (false, false) => "No changes here",
        };
        return view! { <Empty icon=icon::Clock title=title><p>{what}</p></Empty>{older} }.into_any();
    }
    let is_one = of.known() == Known::User;
    let keys = StoredValue::new(page.keys);
    let rows = page.changes.into_iter().map(|change| row(change, keys)).collect_view();
    let who = if is_one { "How" } else { "Who" };
    let from = is_one.then(|| view! { <th scope="col">"From"</th> });
    view! {
        <div class="grid-scroll">
            <table class="grid cards">
                <caption class="unseen">"Changes, the last one first"</caption>
                <thead><tr><th scope="col">"What"</th><th scope="col">{who}</th>{from}<th scope="col">"When"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {older}
    }
    .into_any()
}

fn row(change: Change, keys: StoredValue<Vec<(String, String)>>) -> AnyView {
    let times = (change.times > 1).then(|| view! { <b>{format!(" {} times", count(change.times))}</b> });
    let about = change.about.map(about);
    let refused = change
        .refused
        .map(|status| view! { <span class="warning">{format!(" · refused ({status})")}</span> });
    let since = (change.first / 60_000 != change.last / 60_000).then(|| view! { " to "<Time at=change.first/> });
    let who = match change.from {
        None => view! { <td data-label="Who"><bdi>{change.user.unwrap_or_else(|| "nobody".into())}</bdi></td> }.into_any(),
        Some((way, key, address)) => {
            view! {
                <td data-label="How">{how(&way, key, keys)}</td>
                <td data-label="From"><bdi>{address}</bdi></td>
            }
        }
        .into_any(),
    };
    view! {
        <tr>
            <th scope="row">{change.what}{times}{refused}{about}</th>
            {who}
            <td data-label="When"><Time at=change.last/>{since}</td>
        </tr>
    }
    .into_any()
}

fn about(about: About) -> AnyView {
    match about {
        About::Run(id) => {
            let href = Site::expect().href(&format!("/runs/{}", escape(&id)));
            view! { " · "<a href=href>"run "<span class="mono">{shorten(&id)}</span></a> }.into_any()
        }
        About::Experiment(id) => {
            let label = format!("experiment {}", shorten(&id));
            view! { " · "<Link to=Route::Experiment { id }>{label}</Link> }.into_any()
        }
        About::Model(name) => view! { " · model "<bdi>{name}</bdi> }.into_any(),
    }
}

fn how(way: &str, key: Option<String>, keys: StoredValue<Vec<(String, String)>>) -> AnyView {
    match (way, key) {
        (_, Some(id)) => {
            let name = keys.with_value(|keys| keys.iter().find(|key| key.0 == id).map(|key| quoted(&key.1)));
            format!("API key {}", name.unwrap_or(id)).into_any()
        }
        ("session", None) => "browser".into_any(),
        ("basic", None) => "password".into_any(),
        _ => "".into_any(),
    }
}

// === impl Of ===

impl Of {
    fn known(&self) -> Known {
        match self {
            Self::Experiment(_) => Known::Experiment,
            Self::Run(_) => Known::Run,
            Self::User(_) | Self::Oneself => Known::User,
        }
    }
}
