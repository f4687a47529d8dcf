//! The dialogs of the page: a new experiment, another name, tags, the note.

use std::sync::Arc;

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::{ev, html, task::spawn_local};

use wasm_split_helpers::wasm_split;

use super::{change::Changes, listing::Row};
use crate::{
    api::mlflow::experiment,
    browser,
    part::{
        apart::{Drawn, apart},
        button::Button,
        dialog::Dialog,
        face::{quoted, sentence},
        field::TextField,
        markdown::Markdown,
        tag::TagEditor,
    },
    route::{Route, navigator},
};

/// What is open, and for which experiment.
#[derive(Clone, Copy)]
pub struct Opened {
    pub target: RwSignal<Option<Arc<Row>>>,
    pub new: RwSignal<bool>,
    pub rename: RwSignal<bool>,
    pub tags: RwSignal<bool>,
    pub note: RwSignal<bool>,
}

// === impl Opened ===

impl Opened {
    pub fn none() -> Self {
        Self {
            target: RwSignal::new(None),
            new: RwSignal::new(false),
            rename: RwSignal::new(false),
            tags: RwSignal::new(false),
            note: RwSignal::new(false),
        }
    }

    fn name(&self) -> String {
        self.target
            .with(|target| target.as_ref().map(|row| row.experiment.name.clone()).unwrap_or_default())
    }
}

#[component]
pub fn Dialogs(opened: Opened, changes: Changes, #[prop(into)] folder: Signal<String>) -> impl IntoView {
    let changes = StoredValue::new(changes);
    // The row may have been drawn anew while its dialog was open: the focus goes to the new one.
    Effect::new(move |before: Option<bool>| {
        let open = opened.rename.get() || opened.tags.get() || opened.note.get();
        if let (Some(true), false, Some(row)) = (before, open, opened.target.get_untracked()) {
            let name = format!("[data-row='{}']", row.id().replace(['\\', '\''], ""));
            request_animation_frame(move || browser::focus_if_lost(&name));
        }
        open
    });
    let form = move |form: Form| apart(|| Box::pin(load_dialogs()), move || Box::pin(draw(form, opened, changes, folder)));
    view! {
        <Dialog open=opened.new title="New experiment">{form(Form::New)}</Dialog>
        <Dialog open=opened.rename title=Signal::derive(move || format!("Rename {}", quoted(&opened.name())))>{form(Form::Rename)}</Dialog>
        <Dialog open=opened.tags class="wide" title=Signal::derive(move || format!("Tags of {}", quoted(&opened.name())))>{form(Form::Tags)}</Dialog>
        <Dialog open=opened.note class="wide" title=Signal::derive(move || format!("Note on {}", quoted(&opened.name())))>{form(Form::Note)}</Dialog>
    }
}

#[derive(Clone, Copy)]
enum Form {
    New,
    Rename,
    Tags,
    Note,
}

#[wasm_split(dialogs, fallible, preload(load_dialogs))]
fn draw(form: Form, opened: Opened, changes: StoredValue<Changes>, folder: Signal<String>) -> Drawn {
    Ok(match form {
        Form::New => view! { <New opened=opened changes=changes folder=folder/> }.into_any(),
        Form::Rename => view! { <Rename opened=opened changes=changes/> }.into_any(),
        Form::Tags => view! { <Tags opened=opened changes=changes/> }.into_any(),
        Form::Note => view! { <Note opened=opened changes=changes/> }.into_any(),
    })
}

#[component]
fn New(opened: Opened, changes: StoredValue<Changes>, folder: Signal<String>) -> impl IntoView {
    let folder = folder.get_untracked();
    let name = RwSignal::new(if folder.is_empty() { String::new() } else { format!("{folder}/") });
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let go = navigator();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        if let Some(problem) = problem(&wanted) {
            return error.set(Some(problem.into()));
        }
        busy.set(true);
        let (client, go) = (changes.with_value(|changes| changes.client.clone()), go.clone());
        spawn_local(async move {
            let answer = experiment::create(&client, &wanted, &[]).await;
            busy.try_set(false);
            match answer {
                Ok(id) => go(&Route::Experiment { id }.path(), Default::default()),
                Err(refused) => drop(error.try_set(Some(refused.message))),
            }
        });
    };
    view! {
        <form class="stack" on:submit=submit>
            <TextField id="new-name" label="Name" value=name error=Signal::derive(move || error.get()) hint="Slashes make folders: vision/resnet/sweep" autocomplete="off" autofocus=true/>
            <Buttons open=opened.new busy=busy label="Create"/>
        </form>
    }
}

#[component]
fn Rename(opened: Opened, changes: StoredValue<Changes>) -> impl IntoView {
    let target = opened.target.get_untracked();
    let old = target.as_ref().map(|row| row.experiment.name.clone()).unwrap_or_default();
    let id = target.map(|row| row.id().to_owned()).unwrap_or_default();
    let name = RwSignal::new(old.clone());
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        if let Some(problem) = problem(&wanted) {
            return error.set(Some(problem.into()));
        }
        if wanted == old {
            return opened.rename.set(false);
        }
        let rows = changes.with_value(|changes| changes.rows);
        if rows.with_untracked(|rows| rows.iter().any(|row| row.experiment.name == wanted)) {
            return error.set(Some("Another experiment has this name.".into()));
        }
        busy.set(true);
        let (changes, id) = (changes.get_value(), id.clone());
        spawn_local(async move {
            let answer = changes.rename(&id, &wanted).await;
            busy.try_set(false);
            match answer {
                Ok(()) => drop(opened.rename.try_set(false)),
                // MLflow does not say which of its rules was broken; this one is, nearly always.
                Err(refused) if refused.status == 400 => {
                    error.try_set(Some(format!(
                        "{} Perhaps a deleted experiment has this name.",
                        sentence(&refused.message)
                    )));
                }
                Err(refused) => drop(error.try_set(Some(refused.message))),
            }
        });
    };
    view! {
        <form class="stack" on:submit=submit>
            <TextField id="rename-name" label="Name" value=name error=Signal::derive(move || error.get()) hint="Slashes make folders: vision/resnet/sweep" autocomplete="off" autofocus=true/>
            <Buttons open=opened.rename busy=busy label="Rename"/>
        </form>
    }
}

#[component]
fn Tags(opened: Opened, changes: StoredValue<Changes>) -> impl IntoView {
    let id = opened.target.get_untracked().map(|row| row.id().to_owned()).unwrap_or_default();
    let id = StoredValue::new(id);
    let rows = changes.with_value(|changes| changes.rows);
    let tags = Signal::derive(move || {
        let id = id.get_value();
        let of = |row: &Arc<Row>| {
            row.experiment
                .own_tags()
                .map(|tag| (tag.key.clone(), tag.value.clone()))
                .collect::<Vec<_>>()
        };
        rows.with(|rows| rows.iter().find(|row| row.id() == id).map(of).unwrap_or_default())
    });
    let set = move |(key, value): (String, String)| changes.with_value(|changes| changes.tag(&id.get_value(), key, Some(value)));
    let remove = move |key: String| changes.with_value(|changes| changes.tag(&id.get_value(), key, None));
    view! { <TagEditor id="experiment-tag" tags=tags set=set remove=remove/> }
}

#[component]
fn Note(opened: Opened, changes: StoredValue<Changes>) -> impl IntoView {
    let target = opened.target.get_untracked();
    let id = target.as_ref().map(|row| row.id().to_owned()).unwrap_or_default();
    let text = RwSignal::new(target.map(|row| row.experiment.note().to_owned()).unwrap_or_default());
    let preview = RwSignal::new(false);
    let area = NodeRef::<html::Textarea>::new();
    area.on_load(|area| drop(area.focus()));
    let save = move || {
        changes.with_value(|changes| changes.tag(&id, experiment::NOTE.to_owned(), Some(text.get_untracked())));
        opened.note.set(false);
    };
    let saved = save.clone();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        save();
    };
    let keys = move |event: ev::KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            saved();
        }
    };
    view! {
        <form class="stack" on:submit=submit on:keydown=keys>
            <div class="segments note-view" role="group" aria-label="View">
                <button type="button" aria-pressed=move || (!preview.get()).to_string() on:click=move |_| preview.set(false)>"Write"</button>
                <button type="button" aria-pressed=move || preview.get().to_string() on:click=move |_| preview.set(true)>"Preview"</button>
            </div>
            <div class="note-edit" hidden=move || preview.get()>
                <textarea node_ref=area class="input mono" rows="10" dir="auto" aria-label="Note, in Markdown" prop:value=text on:input=move |event| text.set(event_target_value(&event))></textarea>
            </div>
            {dynamic(move || preview.get().then(|| view! { <div class="card"><div class="body"><Markdown text=text.get()/></div></div> }))}
            <Buttons open=opened.note busy=RwSignal::new(false) label="Save"/>
        </form>
    }
}

#[component]
fn Buttons(open: RwSignal<bool>, busy: RwSignal<bool>, label: &'static str) -> impl IntoView {
    view! {
        <div class="buttons">
            <Button press=move |_| open.set(false)>"Cancel"</Button>
            <button type="submit" class="button primary" disabled=move || busy.get()>{label}</button>
        </div>
    }
}

/// What MLflow would not take as a name, said before it is asked.
fn problem(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("An experiment needs a name."),
        _ if name.ends_with('/') => Some("Something must stand behind the last slash."),
        _ if name.chars().count() > 500 => Some("A name has at most 500 letters."),
        _ => None,
    }
}
