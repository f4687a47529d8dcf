//! The title row of an experiment: its name by folders, facts, actions.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;

use super::runs::Runs;
use crate::{
    api::{
        Client,
        mlflow::experiment::{self, Experiment},
    },
    browser,
    page::{change, experiments::folder::around},
    part::{
        button::Button,
        crumbs::{Crumb, Crumbs},
        editable::Editable,
        icon::{self, Icon},
        menu::Menu,
        time::Time,
        title::Title,
        toast::Toasts,
    },
    route::{Route, escape, navigator},
};

pub fn title(experiment: RwSignal<Experiment>, runs: Runs) -> AnyView {
    let toasts = Toasts::expect();
    let client = expect_context::<Client>();
    let id = runs.experiment.get_value();
    let name = Memo::new(move |_| experiment.read().name.clone());
    let deleted = Memo::new(move |_| experiment.read().is_deleted());
    let rename = {
        let (client, id) = (client.clone(), id.clone());
        Callback::new(move |new: String| {
            let new = new.trim().to_owned();
            if new.is_empty() {
                return;
            }
            let before = name.get_untracked();
            experiment.update(|experiment| experiment.name.clone_from(&new));
            let (client, id) = (client.clone(), id.clone());
            let send = async move { experiment::rename(&client, &id, &new).await };
            change(toasts, "The experiment keeps its name", send, move || {
                experiment.try_update(|experiment| experiment.name = before);
            });
        })
    };
    let restore = {
        let (client, id) = (client.clone(), id.clone());
        Callback::new(move |()| {
            experiment.update(|experiment| experiment.lifecycle_stage = "active".into());
            let (client, id) = (client.clone(), id.clone());
            let send = async move { experiment::restore(&client, &id).await };
            change(toasts, "The experiment was not restored", send, move || {
                experiment.try_update(|experiment| experiment.lifecycle_stage = "deleted".into());
            });
        })
    };
    let delete = {
        let (client, id) = (client.clone(), id.clone());
        let navigate = navigator();
        let back = Route::Experiments.path();
        move |_| {
            let (client, id, navigate, back) = (client.clone(), id.clone(), navigate.clone(), back.clone());
            let says = format!("Deleted the experiment {}", name.get_untracked());
            spawn_local(async move {
                match experiment::delete(&client, &id).await {
                    Ok(()) => {
                        navigate(&back, NavigateOptions::default());
                        let (client, id) = (client.clone(), id.clone());
                        toasts.undo(says, move || {
                            let (client, id) = (client.clone(), id.clone());
                            change(
                                toasts,
                                "The experiment was not restored",
                                async move { experiment::restore(&client, &id).await },
                                || (),
                            );
                        });
                    }
                    Err(error) => toasts.failed("The experiment was not deleted", &error),
                }
            });
        }
    };
    let copy = {
        let id = id.clone();
        move |_| {
            let id = id.clone();
            spawn_local(async move {
                if browser::copy(&id).await {
                    toasts.say("Copied the experiment's id");
                }
            });
        }
    };
    let many = move || runs.count.get().or_else(|| runs.page.read().as_ref().map(|page| page.count()));
    let facts = move || many().map(|many| format!("{many} · "));
    let created = move || experiment.read().creation_time.map(|at| view! { "created "<Time at=at/> });
    let note = move || {
        experiment.with(|experiment| {
            experiment
                .note()
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty())
                .map(|line| line.trim_start_matches(['#', ' ']).to_owned())
        })
    };
    view! {
        <Title text=move || name.get()/>
        <Crumbs way=Signal::derive(move || {
            let name = name.read();
            let (mut way, last) = way(&name);
            way.push(Crumb::here(last));
            way
        })/>
        <header class="title">
            <Editable label="the name" text=name save=rename>
                <h1 dir="auto">{dynamic(move || around(&name.read()).1.to_owned())}</h1>
            </Editable>
            <p class="facts clip">{facts}{created}{dynamic(move || note().map(|note| view! { " · "<bdi>{note}</bdi> }))}</p>
            <div class="actions">
                <button type="button" class="button square" popovertarget="experiment-menu" aria-label="Actions" title="Actions"><Icon icon=icon::More/></button>
                <Menu id="experiment-menu" label="Actions">
                    <button type="button" class="item" on:click=copy><Icon icon=icon::Copy/>"Copy the id"</button>
                    <button type="button" class="item danger" disabled=deleted on:click=delete><Icon icon=icon::Trash/>"Delete the experiment"</button>
                </Menu>
            </div>
        </header>
        {dynamic(move || deleted.get().then(|| view! {
            <div class="banner" role="status"><Icon icon=icon::Trash/><span class="text">"This experiment is deleted."</span><Button class="small" press=move |_| restore.run(())>"Restore"</Button></div>
        }))}
    }
    .into_any()
}

/// The way to an experiment: its folders, each a link. The second: its own name.
pub fn way(name: &str) -> (Vec<Crumb>, &str) {
    let experiments = Route::Experiments.href();
    let (folders, last) = around(name);
    let folders = folders
        .into_iter()
        .map(|folder| Crumb::link(folder.name, format!("{experiments}?folder={}", escape(folder.path))));
    (
        std::iter::once(Crumb::link("Experiments", experiments.clone()))
            .chain(folders)
            .collect(),
        last,
    )
}
