//! The title row of a run: name, status, facts, actions.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::task::spawn_local;

use super::live::Live;
use crate::{
    api::mlflow::run::tag,
    browser,
    page::experiment::phase,
    part::{
        button::Button,
        crumbs::{Crumb, Crumbs},
        duration::Duration,
        editable::Editable,
        icon::{self, Icon},
        menu::Menu,
        status::Status,
        time::Time,
        title::Title,
    },
    route::Route,
};

pub fn title(live: Live, experiment: Option<String>) -> AnyView {
    let run = live.run;
    let name = Memo::new(move |_| run.read().name().to_owned());
    let deleted = Memo::new(move |_| run.read().is_deleted());
    let info = Memo::new(move |_| run.read().info.clone());
    let user = Memo::new(move |_| run.read().user().map(str::to_owned));
    let source = Memo::new(move |_| {
        run.with(|run| {
            run.tag(tag::SOURCE)
                .filter(|source| !source.is_empty())
                .map(|source| source.rsplit('/').next().unwrap_or(source).to_owned())
        })
    });
    let way = way(live.experiment(), experiment, name);
    let copy = move |_| {
        spawn_local(async move {
            if browser::copy(&live.id()).await {
                live.toasts.say("Copied the run's id");
            }
        });
    };
    let times = move || {
        let info = info.read();
        let start = info.start_time.filter(|start| *start > 0)?;
        let counts = info.end_time.is_some() || run.read_untracked().is_running();
        let duration = counts.then(|| view! { " · "<Duration start=start end=info.end_time/> });
        Some(view! { <Time at=start/>{duration} })
    };
    view! {
        <Title text=move || name.get()/>
        <Crumbs way=way/>
        <header class="title">
            <Editable label="the name" text=name save=move |new: String| live.rename(&new)>
                <h1 dir="auto">{dynamic(move || name.get())}</h1>
            </Editable>
            {dynamic(move || view! { <Status phase=phase(info.read().status)/> })}
            <p class="facts clip">
                {times}
                {dynamic(move || user.get().map(|user| view! { " · "<bdi>{user}</bdi> }))}
                {dynamic(move || source.get().map(|source| view! { " · "<bdi>{source}</bdi> }))}
            </p>
            <div class="actions">
                <button type="button" class="button square" popovertarget="run-menu" aria-label="Actions" title="Actions"><Icon icon=icon::More/></button>
                <Menu id="run-menu" label="Actions">
                    <button type="button" class="item" on:click=copy><Icon icon=icon::Copy/>"Copy the id"</button>
                    <button type="button" class="item danger" disabled=deleted on:click=move |_| live.delete()><Icon icon=icon::Trash/>"Delete the run"</button>
                </Menu>
            </div>
        </header>
        {dynamic(move || deleted.get().then(|| view! {
            <div class="banner" role="status"><Icon icon=icon::Trash/><span class="text">"This run is deleted."</span><Button class="small" press=move |_| live.restore()>"Restore"</Button></div>
        }))}
    }
    .into_any()
}

/// The folders of its experiment, the experiment, the run.
fn way(id: String, experiment: Option<String>, name: Memo<String>) -> Signal<Vec<Crumb>> {
    let experiment = experiment.unwrap_or_else(|| format!("experiment {id}"));
    let (mut way, last) = crate::page::experiment::way(&experiment);
    way.push(Crumb::link(last, Route::Experiment { id }.href()));
    Signal::derive(move || {
        let mut way = way.clone();
        way.push(Crumb::here(name.get()));
        way
    })
}
