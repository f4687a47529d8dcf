//! What an experiment is about: its note, tags and facts.

use crate::part::dynamic::dynamic;
use crate::prelude::*;

use crate::{
    api::{
        Client,
        mlflow::{
            experiment::{self, Experiment, NOTE},
            run::tag::is_internal,
        },
    },
    page::change,
    part::{copy::Copy, id::Id, note::Note, tag::TagEditor, time::Time, toast::Toasts},
};

pub fn about(experiment: RwSignal<Experiment>) -> AnyView {
    let client = expect_context::<Client>();
    let toasts = Toasts::expect();
    let put = StoredValue::new(move |key: String, value: Option<String>, failed: &'static str| {
        let (id, before) =
            experiment.with_untracked(|experiment| (experiment.experiment_id.clone(), experiment.tag(&key).map(str::to_owned)));
        experiment.update(|experiment| experiment.put_tag(&key, value.clone()));
        let (client, changed) = (client.clone(), key.clone());
        let send = async move {
            match value {
                Some(value) => experiment::set_tag(&client, &id, &changed, &value).await,
                None => experiment::delete_tag(&client, &id, &changed).await,
            }
        };
        change(toasts, failed, send, move || {
            experiment.try_update(|experiment| experiment.put_tag(&key, before));
        });
    });
    let pairs = move |internal: bool| {
        experiment.with(|experiment| {
            let pairs = experiment
                .tags
                .iter()
                .filter(|pair| is_internal(&pair.key) == internal && pair.key != NOTE);
            pairs.map(|pair| (pair.key.clone(), pair.value.clone())).collect::<Vec<_>>()
        })
    };
    let tags = Memo::new(move |_| pairs(false));
    let own = Memo::new(move |_| pairs(true));
    let note = Memo::new(move |_| experiment.read().note().to_owned());
    let facts = move || {
        let experiment = experiment.get();
        let created = experiment
            .creation_time
            .map(|at| view! { <dt>"Created"</dt><dd><Time at=at/></dd> });
        let updated = experiment
            .last_update_time
            .map(|at| view! { <dt>"Updated"</dt><dd><Time at=at/></dd> });
        let place = experiment.artifact_location;
        view! {
            <dl class="facts-list">
                <dt>"Experiment id"</dt><dd><Id id=experiment.experiment_id copy=true/></dd>
                {created}
                {updated}
                <dt>"Artifacts"</dt><dd class="line"><code class="wrap">{place.clone()}</code><Copy text=place label="Copy the location"/></dd>
            </dl>
        }
    };
    view! {
        <div class="about">
            <div class="stack">
                <Note id="note" text=note save=move |text: String| put.with_value(|put| put(NOTE.into(), Some(text), "The note was not saved")) empty="No note yet. Say what this experiment is for, what was learnt, what comes next."/>
                <section class="card" aria-labelledby="tags">
                    <header><h2 id="tags">"Tags"</h2></header>
                    <div class="body stack">
                        <TagEditor
                            id="experiment-tag" tags=tags
                            set=move |(key, value)| put.with_value(|put| put(key, Some(value), "The tag was not saved"))
                            remove=move |key| put.with_value(|put| put(key, None, "The tag was not removed"))
                        />
                        {dynamic(move || internal(&own.read()))}
                    </div>
                </section>
            </div>
            <section class="card" aria-labelledby="facts">
                <header><h2 id="facts">"Facts"</h2></header>
                <div class="body">{facts}</div>
            </section>
        </div>
    }
    .into_any()
}

/// Tags that MLflow keeps for itself.
pub fn internal(tags: &[(String, String)]) -> AnyView {
    if tags.is_empty() {
        return ().into_any();
    }
    let rows = tags
        .iter()
        .map(|(key, value)| view! { <div class="row"><bdi class="key">{key.clone()}</bdi><bdi class="value">{value.clone()}</bdi></div> });
    view! { <details><summary class="muted">{format!("{} of MLflow's own", tags.len())}</summary><div class="tag-table">{rows.collect_view()}</div></details> }.into_any()
}
