//! An experiment: its runs, and what it is about.

mod about;
mod column;
mod filter;
mod folded;
mod line;
mod list;
mod panel;
mod row;
mod runs;
mod sheet;
mod table;
mod title;
mod turn;
mod view;
mod views;

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos_router::hooks::use_params_map;

pub use self::{about::internal, row::phase, title::way, view::EVERY};
use self::{
    runs::{Opened, Runs},
    view::{Place, Tab, View},
};
use super::{
    access::Part,
    history::{Of, history},
    module::part,
    trouble::Trouble,
};
use crate::{
    api::{
        self, Client,
        flowdeck::grant::{Kind, Target},
        mlflow::experiment,
    },
    part::{
        crumbs::{Crumb, Crumbs},
        face::Loading,
        tabs::{Tab as TabLink, Tabs},
        title::Title,
    },
    route::Route,
};

#[component]
pub fn Experiment() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("experiment").unwrap_or_default());
    // Another experiment is another page.
    move || page(id.get())
}

/// An experiment, or the runs of all.
fn page(id: String) -> AnyView {
    let place = Place::here(Route::Experiment { id: id.clone() }.href());
    let client = expect_context::<Client>();
    let first = place.now();
    let experiment = {
        let (client, id) = (client.clone(), id.clone());
        Resource::new(
            || (),
            move |()| {
                let (client, id) = (client.clone(), id.clone());
                async move {
                    match id.as_str() {
                        EVERY => Ok(None),
                        id => experiment::get(&client, id).await.map(Some),
                    }
                }
            },
        )
    };
    // Which view opens first is asked only where the address says nothing.
    let saved = {
        let (client, id, first) = (client.clone(), id.clone(), first.clone());
        Resource::new(
            || (),
            move |()| {
                let (client, id, first) = (client.clone(), id.clone(), first.clone());
                async move { views::opened(&client, &id, &first).await }
            },
        )
    };
    // The first screen alone: later ones replace it in place.
    let runs = {
        let id = id.clone();
        Resource::new(
            || (),
            move |()| {
                let (client, id, first) = (client.clone(), id.clone(), first.clone());
                async move {
                    match first.tab {
                        Tab::Runs => runs::first(&client, &id, &first).await.map(Some),
                        Tab::About | Tab::History | Tab::Access => Ok(None),
                    }
                }
            },
        )
    };
    view! {
        <Transition fallback=|| view! { <Loading/> }>
            {dynamic(move || {
                let id = id.clone();
                Suspend::new(async move {
                    match experiment.await {
                        Ok(experiment) => {
                            let saved = saved.await;
                            let elsewhere = saved.as_ref().is_ok_and(|saved| views::open(saved.as_ref(), place));
                            let first = runs.await.transpose().filter(|_| !elsewhere);
                            match experiment {
                                Some(experiment) => known(experiment, first, saved, place),
                                None => match first {
                                    Some(Err(error)) if !error.is_deferred() && error.status != 400 => {
                                        view! { <Title text="All runs"/><Trouble whole=true what="the runs" error=error retry=move |()| runs.refetch()/> }.into_any()
                                    }
                                    first => every(first, saved, place),
                                },
                            }
                        }
                        Err(error) => {
                            let what = format!("experiment {id}");
                            view! { <Title text=what.clone()/><Trouble whole=true what=what error=error retry=move |()| experiment.refetch()/> }.into_any()
                        }
                    }
                })
            })}
        </Transition>
    }
    .into_any()
}

type First = Option<api::Result<table::Page>>;

fn known(experiment: experiment::Experiment, first: First, saved: Opened, place: Place) -> AnyView {
    let view = place.view;
    let runs = Runs::new(&experiment.experiment_id, &experiment.name, first, saved, view);
    let experiment = RwSignal::new(experiment);
    let tab = Memo::new(move |_| view.read().tab);
    let link = move |tab: Tab| Signal::derive(place.link(move |view| View { tab, panel: false, ..view }));
    let on = move |wanted: Tab| Signal::derive(move || tab.get() == wanted);
    view! {
        <article class="page experiment" class:fixed=move || tab.get() == Tab::Runs>
            {title::title(experiment, runs)}
            <Tabs label="Experiment">
                <TabLink href=link(Tab::Runs) current=on(Tab::Runs)>"Runs"</TabLink>
                <TabLink href=link(Tab::About) current=on(Tab::About)>"About"</TabLink>
                <TabLink href=link(Tab::History) current=on(Tab::History)>"History"</TabLink>
                <TabLink href=link(Tab::Access) current=on(Tab::Access)>"Access"</TabLink>
            </Tabs>
            {dynamic(move || match tab.get() {
                Tab::Runs => list::list(runs, place),
                Tab::About => about::about(experiment),
                Tab::History => history(Of::Experiment(runs.experiment.get_value())),
                Tab::Access => {
                    let on = Target::new(Kind::Experiment, runs.experiment.get_value());
                    part(Part::Panel(on, experiment.read_untracked().name.clone()))
                }
            })}
        </article>
    }
    .into_any()
}

/// The runs of all experiments.
fn every(first: First, saved: Opened, place: Place) -> AnyView {
    let runs = Runs::new(EVERY, "", first, saved, place.view);
    let many = move || runs.count.get().or_else(|| runs.page.read().as_ref().map(|page| page.count()));
    let way = vec![Crumb::link("Experiments", Route::Experiments.href()), Crumb::here("All runs")];
    view! {
        <article class="page experiment fixed">
            <Title text="All runs"/>
            <Crumbs way=Signal::stored(way)/>
            <header class="title"><h1>"All runs"</h1><p class="facts clip">{many}" · of all experiments"</p></header>
            {list::list(runs, place)}
        </article>
    }
    .into_any()
}
