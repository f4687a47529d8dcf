//! What stands at the side of a run: facts, tags, datasets, models, family.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;

use super::live::Live;
use crate::{
    api::json,
    api::mlflow::run::{self, DatasetInput, Inputs, ModelLink, Outputs, Run, Search, Stage, tag},
    order::sort_by,
    page::experiment::{internal, phase},
    part::{copy::Copy, duration::Duration, id::Id, status::Status, tag::TagEditor, time::Time},
    route::Route,
};

/// So many of the runs that belong to it are listed.
const CHILDREN: u32 = 50;

pub fn facts(live: Live) -> AnyView {
    let run = live.run;
    // Only what a refresh changes is drawn anew.
    let basics = Memo::new(move |_| {
        let run = run.read();
        let tag = |key| run.tag(key).filter(|value| !value.is_empty()).map(str::to_owned);
        Basics {
            info: run.info.clone(),
            user: run.user().map(str::to_owned),
            source: tag(tag::SOURCE),
            kind: tag(tag::SOURCE_TYPE),
            entry: tag(tag::ENTRY),
            commit: tag(tag::COMMIT),
            branch: tag(tag::BRANCH),
            repository: tag(tag::REPOSITORY),
        }
    });
    let links = Memo::new(move |_| {
        let run = run.read();
        (run.inputs.clone(), run.outputs.clone())
    });
    let tags = Memo::new(move |_| pairs(&run.read(), false));
    let own = Memo::new(move |_| pairs(&run.read(), true));
    view! {
        <section class="card" aria-labelledby="facts">
            <header><h2 id="facts">"Facts"</h2></header>
            <div class="body">{dynamic(move || basics.get().view())}</div>
        </section>
        {family(live)}
        <section class="card" aria-labelledby="tags">
            <header><h2 id="tags">"Tags"</h2></header>
            <div class="body stack">
                <TagEditor
                    id="run-tag" tags=tags
                    set=move |(key, value)| live.put_tag(key, Some(value), "The tag was not saved")
                    remove=move |key| live.put_tag(key, None, "The tag was not removed")
                />
                {dynamic(move || internal(&own.read()))}
            </div>
        </section>
        {dynamic(move || {
            let (inputs, outputs) = links.get();
            view! { {datasets(&inputs)}{models(&inputs, &outputs)} }
        })}
    }
    .into_any()
}

/// Tags but for the note; MLflow's own ones, or the others.
fn pairs(run: &Run, own: bool) -> Vec<(String, String)> {
    let tags = run
        .data
        .tags
        .iter()
        .filter(|pair| pair.key != tag::NOTE && tag::is_internal(&pair.key) == own);
    let mut tags: Vec<_> = tags.map(|pair| (pair.key.clone(), pair.value.clone())).collect();
    sort_by(&mut tags, Ord::cmp);
    tags
}

#[derive(Clone, PartialEq)]
struct Basics {
    info: run::Info,
    user: Option<String>,
    source: Option<String>,
    kind: Option<String>,
    entry: Option<String>,
    commit: Option<String>,
    branch: Option<String>,
    repository: Option<String>,
}

// === impl Basics ===

impl Basics {
    fn view(self) -> AnyView {
        let info = self.info;
        let start = info.start_time.filter(|at| *at > 0);
        let end = info.end_time.filter(|at| *at > 0);
        let runs = info.status == run::Status::Running;
        let duration = start
            .filter(|_| end.is_some() || runs)
            .map(|start| view! { <dt>"Duration"</dt><dd><Duration start=start end=end/></dd> });
        let row = |name: &'static str, value: Option<String>| value.map(|value| view! { <dt>{name}</dt><dd><bdi>{value}</bdi></dd> });
        let commit = self
            .commit
            .map(|commit| view! { <dt>"Commit"</dt><dd><Id id=commit copy=true/></dd> });
        let repository = self.repository.map(|repository| {
            let link = repository.starts_with("https://").then(|| repository.clone());
            view! { <dt>"Repository"</dt><dd>{match link {
                Some(href) => view! { <a href=href rel="external noopener noreferrer" target="_blank">{repository}</a> }.into_any(),
                None => repository.into_any(),
            }}</dd> }
        });
        view! {
            <dl class="facts-list">
                <dt>"Run id"</dt><dd><Id id=info.run_id copy=true/></dd>
                {start.map(|at| view! { <dt>"Started"</dt><dd><Time at=at/></dd> })}
                {end.map(|at| view! { <dt>"Ended"</dt><dd><Time at=at/></dd> })}
                {duration}
                {row("User", self.user)}
                {row("Source", self.source)}
                {row("Kind", self.kind)}
                {row("Entry point", self.entry)}
                {commit}
                {row("Branch", self.branch)}
                {repository}
                <dt>"Artifacts"</dt><dd class="line"><code class="wrap">{info.artifact_uri.clone()}</code><Copy text=info.artifact_uri label="Copy the location"/></dd>
            </dl>
        }
        .into_any()
    }
}

/// The run that it belongs to, and those that belong to it; asked for in the browser.
fn family(live: Live) -> AnyView {
    let parent = Memo::new(move |_| live.run.read().parent().map(str::to_owned));
    let name = RwSignal::new(None::<String>);
    let children = RwSignal::new((Vec::<Run>::new(), false));
    Effect::new(move |_| {
        let client = live.client();
        let id = live.id();
        let search = Search {
            experiment_ids: vec![live.experiment()],
            filter: format!("tags.`{}` = '{id}'", tag::PARENT),
            max_results: CHILDREN,
            run_view_type: Stage::ActiveOnly,
            ..Search::default()
        };
        spawn_local(async move {
            if let Ok(found) = run::search(&client, &search).await {
                children.try_set((found.runs, found.next_page_token.is_some()));
            }
        });
    });
    Effect::new(move |_| {
        let Some(parent) = parent.get() else { return };
        let client = live.client();
        spawn_local(async move {
            if let Ok(run) = run::get(&client, &parent).await {
                name.try_set(Some(run.name().to_owned()));
            }
        });
    });
    let href = move |run: String| {
        Route::Run {
            experiment: live.experiment(),
            run,
        }
        .href()
    };
    let up = move || {
        parent.get().map(|id| {
            let says = name.get().unwrap_or_else(|| crate::part::id::shorten(&id));
            view! { <p>"Belongs to "<a href=href(id) dir="auto">{says}</a></p> }
        })
    };
    let down = move || {
        children.with(|(runs, more)| {
            (!runs.is_empty()).then(|| {
                let rows = runs.iter().map(|run| {
                    view! { <li class="line"><Status phase=phase(run.info.status)/><a class="clip" dir="auto" href=href(run.info.run_id.clone())>{run.name().to_owned()}</a></li> }
                });
                view! { <ul class="stack tight">{rows.collect_view()}</ul>{more.then(|| view! { <p class="faint">"and more"</p> })} }
            })
        })
    };
    let any = Memo::new(move |_| parent.read().is_some() || !children.read().0.is_empty());
    let card = move || {
        any.get().then(|| {
            view! {
                <section class="card" aria-labelledby="family">
                    <header><h2 id="family">"Nested runs"</h2></header>
                    <div class="body stack">{up}{down}</div>
                </section>
            }
        })
    };
    card.into_any()
}

fn datasets(inputs: &Inputs) -> AnyView {
    if inputs.dataset_inputs.is_empty() {
        return ().into_any();
    }
    let rows = inputs.dataset_inputs.iter().map(dataset).collect_view();
    view! {
        <section class="card" aria-labelledby="datasets">
            <header><h2 id="datasets">"Datasets"</h2></header>
            <div class="body stack">{rows}</div>
        </section>
    }
    .into_any()
}

fn dataset(input: &DatasetInput) -> AnyView {
    let dataset = &input.dataset;
    let context = input
        .tags
        .iter()
        .find(|pair| pair.key == tag::CONTEXT)
        .map(|pair| view! { <span class="tag">{pair.value.clone()}</span> });
    let source = place(&dataset.source);
    let rows = size(&dataset.profile);
    view! {
        <div>
            <p class="line"><b class="clip" dir="auto">{dataset.name.clone()}</b>{context}<Id id=dataset.digest.clone()/></p>
            {rows.map(|rows| view! { <p class="muted">{rows}</p> })}
            {source.map(|source| view! { <p class="line"><code class="wrap">{source.clone()}</code><Copy text=source label="Copy the source"/></p> })}
        </div>
    }
    .into_any()
}

/// Where a dataset comes from: the address within MLflow's JSON, or the text itself.
pub fn place(source: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Source {
        uri: Option<String>,
        url: Option<String>,
        path: Option<String>,
        table_name: Option<String>,
    }
    let within = json::from_str::<Source>(source).ok();
    let within = within.and_then(|within| within.uri.or(within.url).or(within.path).or(within.table_name));
    within.or_else(|| Some(source.to_owned())).filter(|source| !source.is_empty())
}

/// `3 rows` of a dataset's profile.
fn size(profile: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Profile {
        num_rows: Option<u64>,
    }
    let rows = json::from_str::<Profile>(profile).ok()?.num_rows?;
    Some(format!(
        "{} row{}",
        crate::part::number::count(usize::try_from(rows).ok()?),
        if rows == 1 { "" } else { "s" }
    ))
}

fn models(inputs: &Inputs, outputs: &Outputs) -> AnyView {
    if inputs.model_inputs.is_empty() && outputs.model_outputs.is_empty() {
        return ().into_any();
    }
    let list = |word: &'static str, models: &[ModelLink]| {
        let rows = models.iter().map(|model| {
            let step = (model.step > 0).then(|| format!("step {}", model.step));
            view! { <li class="line"><span class="muted">{word}</span><Id id=model.model_id.clone() copy=true/><span class="faint">{step}</span></li> }
        });
        rows.collect_view()
    };
    view! {
        <section class="card" aria-labelledby="models">
            <header><h2 id="models">"Logged models"</h2></header>
            <ul class="body stack tight">{list("out", &outputs.model_outputs)}{list("in", &inputs.model_inputs)}</ul>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::{place, size};

    #[test]
    fn sources_are_addresses_or_text() {
        assert_eq!(place(r#"{"uri": "s3://bucket/data.csv"}"#).as_deref(), Some("s3://bucket/data.csv"));
        assert_eq!(place(r#"{"tags": {}}"#).as_deref(), Some(r#"{"tags": {}}"#));
        assert_eq!(place("code").as_deref(), Some("code"));
        assert_eq!(place(""), None);
        assert_eq!(size(r#"{"num_rows": 1234, "num_elements": 6}"#).as_deref(), Some("1,234 rows"));
        assert_eq!(size("{}"), None);
    }
}
