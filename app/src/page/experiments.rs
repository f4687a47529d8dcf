//! The experiments: searched, sorted, in folders.

mod change;
mod dialogs;
pub mod folder;
mod listing;
mod table;
mod toolbar;

use std::collections::HashSet;

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::task::spawn_local;

use self::{
    change::Changes,
    dialogs::{Dialogs, Opened},
    listing::{Listing, Row, Rows, Sort, Wish, arrange, filter},
    table::Table,
    toolbar::Toolbar,
};
use super::{experiment::EVERY, trouble::Trouble};
use crate::{
    Site,
    api::{
        self, Client,
        mlflow::experiment::{self, Found, Stage},
    },
    browser,
    part::{
        button::Button,
        crumbs::{Crumb, Crumbs},
        face::{Empty, Loading},
        icon::{self, Icon},
        link::Link,
        number::count,
        title::Title,
        toast::Toasts,
    },
    route::{Route, escape},
    state::address::Address,
};

/// How many rows are shown at first, and how many more each time.
const STEP: usize = 100;

#[component]
pub fn Experiments() -> impl IntoView {
    let address = Address::here();
    let view = address.memo("view");
    let folder = address.memo("folder");
    let stage = Memo::new(move |_| {
        if view.get().as_deref() == Some("deleted") {
            Stage::DeletedOnly
        } else {
            Stage::ActiveOnly
        }
    });
    let attempt = RwSignal::new(0);
    let client = expect_context::<Client>();
    // The server fetches one page of a thousand, so it asks for no more than is wanted; the browser fetches all.
    let narrow = if cfg!(feature = "ssr") {
        Narrow::of(address)
    } else {
        Narrow::default()
    };
    let found = Resource::new(
        move || (stage.get(), attempt.get()),
        move |(stage, _)| {
            let (client, narrow) = (client.clone(), narrow.clone());
            async move {
                let found = narrow.search(&client, stage).await?;
                Ok((stage, narrow.is_some(), found))
            }
        },
    );
    let again = Callback::new(move |()| attempt.update(|times| *times += 1));
    let title = move || folder.get().unwrap_or_else(|| "Experiments".into());
    view! {
        <Title text=title/>
        <Crumbs way=Signal::derive(move || crumbs(&folder.get().unwrap_or_default()))/>
        <div class="page experiments">
            <Transition fallback=|| view! { <Head facts=Signal::derive(String::new)>""</Head><div class="toolbar"></div><Loading rows=12 label="Loading the experiments…"/> }>
                {dynamic(move || Suspend::new(async move {
                    match found.await {
                        Ok((stage, narrowed, found)) => view! { <List stage=stage found=found narrowed=narrowed/> }.into_any(),
                        Err(error) => view! { <Head facts=Signal::derive(String::new)>""</Head><div class="toolbar"></div><Trouble what="the experiments" error=error retry=again/> }.into_any(),
                    }
                }))}
            </Transition>
        </div>
    }
}

/// What the server asks for in place of everything.
#[derive(Clone, Default)]
struct Narrow {
    filter: String,
    /// What is searched for, where it may be an id: MLflow's filters know names and tags only.
    id: Option<String>,
    /// For reading on without a script.
    after: Option<String>,
}

// === impl Narrow ===

impl Narrow {
    fn of(address: Address) -> Self {
        let wish = Wish {
            query: address.get_untracked("q").unwrap_or_default(),
            folder: address.get_untracked("folder").unwrap_or_default(),
            tags: untrack(|| address.all("tag")),
            ..Wish::default()
        };
        let query = wish.query.trim();
        Self {
            filter: filter(&wish),
            id: (!query.is_empty() && query.bytes().all(|byte| byte.is_ascii_digit())).then(|| query.to_owned()),
            after: address.get_untracked("after"),
        }
    }

    fn is_some(&self) -> bool {
        !self.filter.is_empty() || self.after.is_some()
    }

    async fn search(&self, client: &Client, stage: Stage) -> api::Result<Found> {
        let found = experiment::search(client, stage, &self.filter, self.after.as_deref()).await;
        let mut found = match found {
            // Words that MLflow cannot read, or an old page: everything, then.
            Err(error) if error.status == 400 && self.is_some() => experiment::search(client, stage, "", None).await,
            found => found,
        }?;
        if cfg!(feature = "ssr")
            && let Some(id) = &self.id
            && found.experiments.iter().all(|experiment| experiment.experiment_id != *id)
        {
            found.experiments.extend(experiment::find(client, stage, id).await);
        }
        Ok(found)
    }
}

/// The way to a folder of experiments: for the bar, here and on the pages of experiments and runs.
pub fn crumbs(folder: &str) -> Vec<Crumb> {
    let root = Route::Experiments.href();
    if folder.is_empty() {
        return vec![Crumb::here("Experiments")];
    }
    let mut way: Vec<Crumb> = folder::way(folder)
        .iter()
        .map(|folder| Crumb::link(folder.name, folder_href(folder.path)))
        .collect();
    if let Some(last) = way.last_mut() {
        last.href = None;
    }
    way.insert(0, Crumb::link("Experiments", root));
    way
}

/// The way to an experiment called `name`, itself not included.
pub fn crumbs_to(name: &str) -> Vec<Crumb> {
    let (folders, _) = folder::around(name);
    let folders = folders.iter().map(|folder| Crumb::link(folder.name, folder_href(folder.path)));
    std::iter::once(Crumb::link("Experiments", Route::Experiments.href()))
        .chain(folders)
        .collect()
}

fn folder_href(path: &str) -> String {
    format!("{}?folder={}", Route::Experiments.href(), escape(path))
}

/// The title row.
#[component]
fn Head(#[prop(into)] facts: Signal<String>, #[prop(optional)] rest: Option<ReadSignal<Rest>>, children: Children) -> impl IntoView {
    let folder = Address::here().memo("folder");
    let name = move || {
        let folder = folder.get().unwrap_or_default();
        folder::way(&folder)
            .last()
            .map_or_else(|| "Experiments".to_owned(), |last| last.name.to_owned())
    };
    let loading = move || rest.is_some_and(|rest| rest.get() == Rest::Loading);
    let more = move || loading().then(|| view! { <span class="needs-script">" so far, loading more…"</span> });
    view! {
        <div class="title">
            <h1 dir="auto">{name}</h1>
            <span class="facts" role="status">{facts}{dynamic(more)}</span>
            <div class="actions">{children()}</div>
        </div>
    }
}

/// What is left to load beyond the first page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    Loading,
    Failed,
}

#[component]
fn List(stage: Stage, found: Found, narrowed: bool) -> impl IntoView {
    let address = Address::here();
    let deleted = stage == Stage::DeletedOnly;
    let rows: RwSignal<Rows> = RwSignal::new(found.experiments.into_iter().map(Row::new).collect());
    let changes = Changes {
        client: expect_context(),
        rows,
        toasts: Toasts::expect(),
    };
    let next = StoredValue::new(found.next_page_token);
    let first = if narrowed { Some(None) } else { next.get_value().map(Some) };
    let rest = load_rest(&changes.client, stage, rows, first);

    // What is typed counts at once; the address follows.
    let typed = RwSignal::new(address.get_untracked("q").unwrap_or_default());
    let sort = address.memo("sort");
    let folder = address.memo("folder");
    let flat = address.memo("list");
    let tags = Memo::new(move |_| address.all("tag"));
    let wish = Memo::new(move |_| Wish {
        query: typed.get(),
        sort: Sort::parse(&sort.get().unwrap_or_default()),
        folder: folder.get().unwrap_or_default(),
        tags: tags.get(),
        // In the bin one looks for what went last, wherever it lay.
        flat: deleted || flat.get().as_deref() == Some("all"),
    });
    let listing = Memo::new(move |_| rows.with(|rows| wish.with(|wish| arrange(rows, wish))));
    let show = address.memo("show");
    let limit = Memo::new(move |_| show.get().and_then(|show| show.parse().ok()).unwrap_or(STEP).max(STEP));

    // Until all have come, those that were asked for are all that is known.
    let partial = move || narrowed && rest.get() == Rest::Loading && wish.read().narrows();
    let shown = Memo::new(move |_| {
        let (loading, none) = (rest.get() == Rest::Loading, rows.with(Vec::is_empty));
        match shown(&listing.read(), loading && !narrowed, none && !loading, deleted) {
            Shown::EmptyFolder if partial() => Shown::NoMatch,
            shown => shown,
        }
    });
    // Without a script one reads on page by page.
    let onward = move || next.get_value().filter(|_| rest.get() == Rest::Loading);
    let opened = Opened::none();
    let facts = Signal::derive(move || facts(&listing.read(), &wish.read(), deleted, partial()));
    let kept = changes.clone();
    view! {
        <Head facts=facts rest=rest>
            <a class="button" href=Route::Experiment { id: EVERY.into() }.href()><Icon icon=icon::Search/>"All runs"</a>
            {(!deleted).then(|| view! {
                <span class="needs-script"><Button class="primary" icon=icon::Plus attr:data-key="n" press=move |_| opened.new.set(true)>"New experiment"</Button></span>
            })}
        </Head>
        <Toolbar typed=typed rows=rows deleted=deleted/>
        {dynamic(move || {
            if rest.get() == Rest::Failed {
                return view! { <div class="banner"><span class="text">{format!("Only the first {} experiments could be loaded.", count(rows.with(Vec::len)))}</span><a class="button small" href=address.with(&[]) rel="external">"Load again"</a></div> }.into_any();
            }
            ().into_any()
        })}
        {dynamic(move || match shown.get() {
            Shown::Rows => view! { <Table listing=listing wish=wish limit=limit opened=opened changes=kept.clone() deleted=deleted/> }.into_any(),
            Shown::Loading => view! { <Loading rows=12 label="Loading more experiments…"/> }.into_any(),
            Shown::First => view! { <First/> }.into_any(),
            Shown::NothingDeleted => view! {
                <Empty icon=icon::Trash title="Nothing is deleted">
                    <p>"Deleted experiments stay here until an administrator removes them for good with "<code>"mlflow gc"</code>"."</p>
                </Empty>
            }.into_any(),
            Shown::EmptyFolder => view! {
                <Empty icon=icon::Folder title="This folder is empty">
                    <p>"Folders come from slashes in the names of experiments; no experiment has a name below this one."</p>
                    <div class="actions"><Link to=Route::Experiments class="button">"All experiments"</Link></div>
                </Empty>
            }.into_any(),
            Shown::NoMatch => view! {
                <Empty icon=icon::Search title="No experiment matches">
                    <p>"Looked in names, ids and tags, here and in the folders below."</p>
                    <div class="actions"><a class="button" href=move || address.with(&[("q", None), ("tag", None)]) data-noscroll="">"Show all"</a></div>
                </Empty>
            }.into_any(),
        })}
        {dynamic(move || onward().map(|token| view! {
            <div class="more only-plain"><a class="button" href=address.with(&[("after", Some(&token)), ("show", None)])>"The next experiments"</a></div>
        }))}
        <Dialogs opened=opened changes=changes folder=Signal::derive(move || folder.get().unwrap_or_default())/>
    }
}

/// Goes on loading in the browser until all are there.
/// `next`: the page to begin with, `Some(None)` being the first.
fn load_rest(client: &Client, stage: Stage, rows: RwSignal<Rows>, next: Option<Option<String>>) -> ReadSignal<Rest> {
    let (rest, set_rest) = signal(if next.is_some() { Rest::Loading } else { Rest::Nothing });
    let client = client.clone();
    Effect::new(move |_| {
        let (client, mut next) = (client.clone(), next.clone());
        spawn_local(async move {
            while let Some(page) = next {
                match experiment::search(&client, stage, "", page.as_deref()).await {
                    Ok(found) => {
                        next = found.next_page_token.map(Some);
                        let added = rows.try_update(|rows| {
                            // The pages are cut by position: what was changed meanwhile may come twice.
                            let known: HashSet<String> = rows.iter().map(|row| row.id().to_owned()).collect();
                            rows.extend(
                                found
                                    .experiments
                                    .into_iter()
                                    .filter(|new| !known.contains(&new.experiment_id))
                                    .map(Row::new),
                            );
                        });
                        if added.is_none() {
                            return;
                        }
                    }
                    Err(_) => {
                        set_rest.try_set(Rest::Failed);
                        return;
                    }
                }
            }
            set_rest.try_set(Rest::Nothing);
        });
    });
    rest
}

/// One line about what is shown. `partial`: how many there are in all is not known.
fn facts(listing: &Listing, wish: &Wish, deleted: bool, partial: bool) -> String {
    if partial {
        return format!("{} found", count(listing.matching));
    }
    let mut text = if deleted {
        format!("{} deleted", count(listing.total))
    } else {
        plural(listing.total)
    };
    if wish.narrows() {
        text = format!("{} of {text}", count(listing.matching));
    }
    text
}

/// The table, or what stands in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Rows,
    Loading,
    First,
    NothingDeleted,
    EmptyFolder,
    NoMatch,
}

fn shown(listing: &Listing, loading: bool, none_at_all: bool, deleted: bool) -> Shown {
    match () {
        () if !listing.rows.is_empty() || !listing.folders.is_empty() => Shown::Rows,
        () if loading => Shown::Loading,
        () if none_at_all && deleted => Shown::NothingDeleted,
        () if none_at_all => Shown::First,
        () if listing.total == 0 => Shown::EmptyFolder,
        () => Shown::NoMatch,
    }
}

fn plural(experiments: usize) -> String {
    if experiments == 1 {
        "1 experiment".to_owned()
    } else {
        format!("{} experiments", count(experiments))
    }
}

/// The very first visit: what an experiment is, and code that makes one.
#[component]
fn First() -> impl IntoView {
    let base = Site::expect().base;
    let origin = RwSignal::new("https://this-address".to_owned());
    Effect::new(move |_| origin.set(browser::origin()));
    move || {
        let code = format!(
            "import mlflow\n\nmlflow.set_tracking_uri(\"{}{base}\")\nmlflow.set_experiment(\"my-first-experiment\")\n\nwith mlflow.start_run():\n    mlflow.log_param(\"lr\", 0.01)\n    mlflow.log_metric(\"loss\", 0.42, step=1)",
            origin.get()
        );
        view! {
            <Empty title="No experiments yet" snippet=code>
                <p>"An experiment holds the runs that answer one question. Make one here, or log a run from Python: an "<Link to=Route::Keys>"API key"</Link>" lets it in, and its page shows how."</p>
            </Empty>
        }
    }
}
