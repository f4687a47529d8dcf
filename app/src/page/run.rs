//! A run: what went in, what came out, what people say about it.

mod artifacts;
mod facts;
mod live;
mod overview;
mod preview;
mod title;

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos_router::hooks::use_params_map;

use self::live::Live;
pub use self::{
    artifacts::size,
    facts::place,
    preview::{LONGEST, preview, texts},
};
use super::{
    history::{Of, history},
    trouble::Trouble,
};
use crate::{
    api::{
        Client,
        mlflow::{experiment, run},
    },
    part::{
        face::Loading,
        tabs::{Tab, Tabs},
        title::Title,
    },
    state::address::Address,
};

#[component]
pub fn Run() -> impl IntoView {
    let params = use_params_map();
    let ids = Memo::new(move |_| {
        let params = params.read();
        // Below an experiment it is a part of the rest of the path.
        let below = || params.get("page").and_then(|page| page.strip_prefix("runs/").map(str::to_owned));
        (params.get("run").or_else(below).unwrap_or_default(), params.get("experiment"))
    });
    // Another run is another page.
    move || {
        let (run, experiment) = ids.get();
        page(run, experiment)
    }
}

fn page(id: String, experiment: Option<String>) -> AnyView {
    let client = expect_context::<Client>();
    let run = {
        let (client, id) = (client.clone(), id.clone());
        Resource::new(
            || (),
            move |()| {
                let (client, id) = (client.clone(), id.clone());
                async move { run::get(&client, &id).await }
            },
        )
    };
    // Only for its name; the page does without.
    let experiment = {
        let id = id.clone();
        Resource::new(
            || (),
            move |()| {
                let (client, id, experiment) = (client.clone(), id.clone(), experiment.clone());
                async move {
                    let experiment = match experiment {
                        Some(experiment) => experiment,
                        None => run::get(&client, &id).await?.info.experiment_id,
                    };
                    experiment::get(&client, &experiment).await.map(|experiment| experiment.name)
                }
            },
        )
    };
    view! {
        <Transition fallback=|| view! { <Loading/> }>
            {dynamic(move || {
                let id = id.clone();
                Suspend::new(async move {
                    match run.await {
                        Ok(run) => known(run, experiment.await.ok()),
                        Err(error) => {
                            let what = format!("run {id}");
                            view! { <Title text=what.clone()/><Trouble whole=true what=what error=error retry=move |()| run.refetch()/> }.into_any()
                        }
                    }
                })
            })}
        </Transition>
    }
    .into_any()
}

fn known(run: run::Run, experiment: Option<String>) -> AnyView {
    let live = Live::new(run);
    let address = Address::here();
    let tab = address.memo("tab");
    let shown = Memo::new(move |_| match tab.read().as_deref() {
        Some("artifacts") => "artifacts",
        Some("history") => "history",
        _ => "",
    });
    let path = leptos_router::hooks::use_location().pathname;
    let link = move |tab: &'static str, label: &'static str| {
        let href = Signal::derive(move || match tab {
            "" => path.get(),
            tab => format!("{}?tab={tab}", path.get()),
        });
        view! { <Tab href=href current=Signal::derive(move || shown.get() == tab)>{label}</Tab> }
    };
    view! {
        <article class="page run">
            {title::title(live, experiment)}
            <Tabs label="Run">
                {link("", "Overview")}
                {link("artifacts", "Artifacts")}
                {link("history", "History")}
            </Tabs>
            {dynamic(move || match shown.get() {
                "artifacts" => artifacts::artifacts(live),
                "history" => history(Of::Run(live.id())),
                _ => overview::overview(live),
            })}
        </article>
    }
    .into_any()
}
