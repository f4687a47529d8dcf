//! Runs side by side: what went in, what came out, what people say about them, the files that they kept.

mod artifacts;
mod best;
mod bring;
mod heading;
mod listing;
mod notes;
mod pair;
mod rows;
mod table;
mod toolbar;
mod view;

use std::sync::Arc;

use crate::prelude::*;
use leptos_router::hooks::use_params_map;

pub use self::view::{MOST, href};
use self::{
    bring::Known,
    view::{Place, Tab, View},
};
use super::{
    experiment::{EVERY, way},
    trouble::Trouble,
};
use crate::{
    api::Client,
    part::{
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::{Empty, Loading, Notice},
        icon,
        number::count,
        tabs::{Tab as TabLink, Tabs},
        title::Title,
    },
    route::Route,
};

#[component]
pub fn Compare() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("experiment").unwrap_or_default());
    // Opened from another experiment it is another page.
    move || page(id.get())
}

fn page(experiment: String) -> AnyView {
    let home = experiment.clone();
    let path = Route::Compare {
        experiment: experiment.clone(),
    };
    let place = Place::here(path.href());
    let client = expect_context::<Client>();
    // All that were ever on this page: who takes one away, or goes back, waits for nothing.
    let wanted = Memo::new(move |before: Option<&Vec<String>>| {
        let mut wanted = before.cloned().unwrap_or_default();
        for id in place.view.read().shown() {
            if !wanted.contains(id) {
                wanted.push(id.clone());
            }
        }
        wanted
    });
    let found = Resource::new(
        move || wanted.get(),
        move |ids| {
            let (client, experiment) = (client.clone(), experiment.clone());
            async move { Ok(bring::bring(&client, &experiment, ids).await) }
        },
    );
    view! {
        <Transition fallback=|| view! { <Loading/> }>
            {dynamic(move || {
                let home = home.clone();
                Suspend::new(async move {
                    match found.await.and_then(|known| known.trouble().cloned().map_or(Ok(known), Err)) {
                        Ok(known) => body(Arc::new(known), place, home),
                        Err(error) => view! { <Title text="Compare runs"/><Trouble whole=true what="the runs" error=error retry=move |()| found.refetch()/> }.into_any(),
                    }
                })
            })}
        </Transition>
    }
    .into_any()
}

/// `experiment`: the one that the page was opened from.
fn body(known: Arc<Known>, place: Place, experiment: String) -> AnyView {
    let view = place.view;
    let tab = Memo::new(move |_| view.read().tab);
    let many = Memo::new(move |_| (view.read().shown().len(), view.read().runs.len()));
    let name = known.experiments.get(&experiment).cloned();
    let (mut crumbs, last) = {
        let name = name.unwrap_or_else(|| match experiment.as_str() {
            EVERY => "All runs".to_owned(),
            id => format!("experiment {id}"),
        });
        let (way, last) = way(&name);
        (way, last.to_owned())
    };
    let home = Route::Experiment { id: experiment }.href();
    crumbs.push(Crumb::link(last, home.clone()));
    crumbs.push(Crumb::here("Compare"));
    let title = move || match many.get().0 {
        0 => "Compare runs".to_owned(),
        1 => "Compare 1 run".to_owned(),
        many => format!("Compare {} runs", count(many)),
    };
    let link = move |tab: Tab| Signal::derive(place.link(move |view| View { tab, ..view }));
    let on = move |wanted: Tab| Signal::derive(move || tab.get() == wanted);
    let bound = move || {
        let (shown, named) = many.get();
        (named > shown).then(|| {
            view! { <div class="banner"><span class="text">{format!("The first {MOST} of {} runs are here: more cannot be compared at once. Remove some to see the others.", count(named))}</span></div> }
        })
    };
    let none = Memo::new(move |_| many.get().0 == 0);
    let few = move || {
        (many.get().0 == 1).then(|| view! { <div class="body"><Notice>"One run has nothing to be compared with: choose others in the table of runs."</Notice></div> })
    };
    let back = home.clone();
    view! {
        <article class="page compare" class:fixed=move || tab.get() == Tab::Values>
            <Title text=title/>
            <Crumbs way=Signal::stored(crumbs)/>
            <header class="title">
                <h1>{dynamic(title)}</h1>
                <div class="actions"><a class="button" href=back>"Choose runs"</a></div>
            </header>
            {dynamic(move || match none.get() {
                true => empty(home.clone()),
                false => view! {
                    <Tabs label="Comparison">
                        <TabLink href=link(Tab::Values) current=on(Tab::Values)>"Values"</TabLink>
                        <TabLink href=link(Tab::Notes) current=on(Tab::Notes)>"Notes"</TabLink>
                        <TabLink href=link(Tab::Artifacts) current=on(Tab::Artifacts)>"Artifacts"</TabLink>
                    </Tabs>
                    {dynamic(bound)}
                    {dynamic(few)}
                    {
                        let known = known.clone();
                        dynamic(move || match tab.get() {
                            Tab::Values => table::table(known.clone(), place),
                            Tab::Notes => notes::notes(known.clone(), place),
                            Tab::Artifacts => artifacts::artifacts(known.clone(), place),
                        })
                    }
                }
                .into_any(),
            })}
        </article>
    }
    .into_any()
}

fn empty(home: String) -> AnyView {
    view! {
        <Empty title="No runs to compare" icon=icon::Columns>
            <p>"Here runs stand side by side: their params, metrics, tags, notes and files. Select two or more in the table of runs, then choose Compare."</p>
            <p class="actions"><a class="button primary" href=home>"To the runs"</a></p>
        </Empty>
    }
    .into_any()
}
