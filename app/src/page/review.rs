//! Before a change of who may do what is made: who gains and who loses what by it, and what is in the way; then the change, with a way back.

pub mod words;

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use self::words::Names;
use crate::{
    api::{
        self, ApiError, Client,
        flowdeck::{
            change::{self, ChangeWish, Conflict, Edit, Effects, Preview},
            grant::{Level, Subject, Target},
        },
    },
    browser,
    part::{
        button::Button,
        dialog::Dialog,
        dynamic::dynamic,
        face::{Loading, Notice, sentence},
        field::TextField,
        number::count,
        toast::Toasts,
    },
    route::Route,
};

/// Of what a preview lists, so many are drawn.
const SHOWN: usize = 200;

/// The dialog of a page, and what it is about. Make one while the page is set up, draw [`Review::dialog`] once, and [`Review::ask`] in handlers.
#[derive(Clone, Copy)]
pub struct Review {
    asked: RwSignal<Option<Asked>>,
    shown: RwSignal<bool>,
    changed: Callback<()>,
    client: StoredValue<Client>,
    toasts: Toasts,
}

/// What is to be done.
#[derive(Clone)]
pub struct Asked {
    /// “EDIT for ada”: the title of the dialog, and of what is said afterwards.
    pub title: String,
    pub edits: Vec<Edit>,
    /// Instead of edits: the change that is to be taken back.
    pub undoes: Option<String>,
    /// What the things are called that it is about, where the page knows.
    pub names: Names,
}

/// Where the dialog is.
#[derive(Clone, Copy)]
struct Stage {
    found: RwSignal<Option<api::Result<Preview>>>,
    /// Why the last try came to nothing.
    trouble: RwSignal<Option<ApiError>>,
    busy: RwSignal<bool>,
}

// === impl Asked ===

impl Asked {
    /// Another level on one thing for somebody.
    pub fn grant(to: Subject, on: Target, was: Option<Level>, will: Option<Level>, names: Names) -> Self {
        let title = match will {
            Some(level) => format!("{} on {} for {}", level.name(), words::thing(&on, &names), words::subject(&to)),
            None => format!("Nothing granted on {} to {}", words::thing(&on, &names), words::subject(&to)),
        };
        Self {
            title,
            edits: vec![Edit::Grant { to, on, was, will }],
            undoes: None,
            names,
        }
    }
}

// === impl Review ===

impl Review {
    /// `changed` runs whenever something was changed, or is no longer as the page has it: it loads the page's data anew.
    pub fn new(changed: impl Fn() + Send + Sync + 'static) -> Self {
        let review = Self {
            asked: RwSignal::new(None),
            shown: RwSignal::new(false),
            changed: Callback::new(move |()| changed()),
            client: StoredValue::new(expect_context::<Client>()),
            toasts: Toasts::expect(),
        };
        // What was pressed may have been drawn anew meanwhile.
        Effect::new(move |before: Option<bool>| {
            let shown = review.shown.get();
            if before == Some(true) && !shown {
                request_animation_frame(|| browser::focus_if_lost("main h1, main"));
            }
            shown
        });
        review
    }

    /// Shows what `asked` would do, and offers to do it.
    pub fn ask(&self, asked: Asked) {
        self.asked.set(Some(asked));
        self.shown.set(true);
    }

    pub fn dialog(self) -> AnyView {
        let title = move || {
            self.asked
                .with(|asked| asked.as_ref().map(|asked| asked.title.clone()).unwrap_or_default())
        };
        view! {
            <Dialog open=self.shown class="wide" title=Signal::derive(title)>{move || self.asked.get().map(|asked| self.body(asked))}</Dialog>
        }
        .into_any()
    }

    fn body(self, asked: Asked) -> AnyView {
        let stage = Stage {
            found: RwSignal::new(None),
            trouble: RwSignal::new(None),
            busy: RwSignal::new(false),
        };
        let reason = RwSignal::new(String::new());
        let Asked {
            title,
            edits,
            undoes,
            names,
        } = asked;
        let takes_back = undoes.is_some();
        let number = edits.len();
        let what = StoredValue::new((edits, undoes));
        let wish = move || ChangeWish {
            edits: what.with_value(|what| what.0.clone()),
            undoes: what.with_value(|what| what.1.clone()),
            reason: reason.get_untracked(),
        };
        let look = move || {
            spawn_local(async move {
                let Some(client) = self.client.try_get_value() else { return };
                let found = change::preview(&client, &wish()).await;
                stage.found.try_set(Some(found));
            });
        };
        look();
        let apply = move |event: ev::SubmitEvent| {
            event.prevent_default();
            stage.busy.set(true);
            stage.trouble.set(None);
            let title = title.clone();
            spawn_local(async move {
                let Some(client) = self.client.try_get_value() else { return };
                let wish = wish();
                let made = match &wish.undoes {
                    Some(id) => change::undo(&client, id).await,
                    None => change::apply(&client, &wish).await,
                };
                stage.busy.try_set(false);
                match made {
                    Ok(made) => {
                        self.shown.try_set(false);
                        self.changed.try_run(());
                        if takes_back {
                            return self.toasts.say("Taken back");
                        }
                        self.toasts
                            .undo(title, move || undo(self.toasts, self.changed, client.clone(), made.id.clone()));
                    }
                    Err(error) => {
                        stage.trouble.try_set(Some(error));
                        // What is so now, beside what was refused.
                        look();
                    }
                }
            });
        };
        let ready = Memo::new(move |_| {
            let good = |preview: &Preview| preview.conflicts.is_empty() && preview.refused.is_none() && !preview.edits.is_empty();
            stage.found.with(|found| matches!(found, Some(Ok(preview)) if good(preview)))
        });
        let names = StoredValue::new(names);
        let busy = move || {
            let says = match number {
                1 => "Changing MLflow…".to_owned(),
                number => format!(
                    "Making {} changes in MLflow, one after the other. What fails takes all of them back.",
                    count(number)
                ),
            };
            stage
                .busy
                .get()
                .then(|| view! { <p class="line" role="status"><span class="busy"></span>{says}</p> })
        };
        view! {
            <form class="stack review" on:submit=apply>
                {dynamic(move || stage.trouble.get().map(|error| refused(&error)))}
                {dynamic(move || match stage.found.get() {
                    None => view! { <Loading rows=3 label="Looking at what this would do…"/> }.into_any(),
                    Some(Err(error)) => view! { <Notice class="failed">{sentence(&error.message)}</Notice> }.into_any(),
                    Some(Ok(preview)) => names.with_value(|names| self.told(preview, names)),
                })}
                {dynamic(move || (ready.get() && !takes_back).then(|| view! { <TextField id="review-reason" label="Why" value=reason hint="For those who look at it later. May stay empty." autocomplete="off"/> }))}
                {dynamic(busy)}
                <div class="buttons">
                    <Button press=move |_| self.shown.set(false)>"Cancel"</Button>
                    <button type="submit" class="button primary" disabled=move || !ready.get() || stage.busy.get()>"Apply"</button>
                </div>
            </form>
        }
        .into_any()
    }

    fn told(self, preview: Preview, names: &Names) -> AnyView {
        let mut names = names.clone();
        let effects = preview.gains.listed.iter().chain(&preview.losses.listed);
        names.extend(effects.map(|effect| (effect.on.clone(), effect.name.clone())));
        let warnings = preview
            .warnings
            .into_iter()
            .map(|text| view! { <Notice class="careful">{text}</Notice> }.into_any());
        let refused = preview
            .refused
            .map(|text| view! { <Notice class="failed">{sentence(&text)}</Notice> });
        let nobody = preview.gains.count + preview.losses.count == 0 && preview.conflicts.is_empty();
        let nobody = nobody.then(|| view! { <p class="muted">"What people can do in the end stays the same."</p> });
        let number = preview.edits.len();
        let edits = preview
            .edits
            .iter()
            .take(SHOWN)
            .map(|edit| view! { <li>{words::edit(edit, &names)}</li> }.into_any());
        let more = (number > SHOWN).then(|| view! { <li class="muted">{format!("and {} more", count(number - SHOWN))}</li> });
        let many = match number {
            1 => "1 change in MLflow".to_owned(),
            number => format!("{} changes", count(number)),
        };
        view! {
            {self.conflicts(preview.conflicts)}
            {refused}
            {warnings.collect_view()}
            {effect("gain", preview.gains)}
            {effect("lose", preview.losses)}
            {nobody}
            <details open=number == 1><summary>{many}</summary><ul class="edits">{edits.collect_view()}{more}</ul></details>
        }
        .into_any()
    }

    /// Somebody else was here: what they left, and nothing is overwritten.
    fn conflicts(self, conflicts: Vec<Conflict>) -> Option<AnyView> {
        if conflicts.is_empty() {
            return None;
        }
        let number = conflicts.len();
        let says = conflicts
            .into_iter()
            .take(20)
            .map(|conflict| view! { <li>{sentence(&conflict.says)}</li> }.into_any());
        let more = (number > 20).then(|| view! { <li>{format!("And {} more.", count(number - 20))}</li> });
        let anew = move |_| {
            self.shown.set(false);
            self.changed.run(());
        };
        Some(
            view! {
                <Notice class="careful">
                    <div class="stack">
                        <p><b>"Somebody has changed this since you looked. Nothing was overwritten; this is so now:"</b></p>
                        <ul class="edits">{says.collect_view()}{more}</ul>
                        <div><Button press=anew>"Look at it as it is now"</Button></div>
                    </div>
                </Notice>
            }
            .into_any(),
        )
    }
}

/// Takes a change back, and says how that went.
pub fn undo(toasts: Toasts, changed: Callback<()>, client: Client, id: String) {
    spawn_local(async move {
        match change::undo(&client, &id).await {
            Ok(_) => toasts.say("Taken back"),
            Err(error) => toasts.failed("That was not taken back", &error),
        }
        changed.try_run(());
    });
}

/// Why it was not made.
fn refused(error: &ApiError) -> AnyView {
    let says = sentence(&error.message);
    let title = match error.status {
        0 => "No answer came: it may have been made or not",
        // The server says how it goes on.
        502..=504 => "MLflow did not get to the end of it",
        _ => "Not applied",
    };
    let history = matches!(error.status, 0 | 502..=504).then(|| view! { <p><a href=Route::Changes.href()>"What became of it"</a></p> });
    let request = error
        .request_id
        .clone()
        .map(|id| view! { <p class="small faint">"request "<code>{id}</code></p> });
    view! { <Notice class="failed"><p><b>{title}</b></p><p>{says}</p>{history}{request}</Notice> }.into_any()
}

fn effect(verb: &'static str, effects: Effects) -> Option<AnyView> {
    if effects.count == 0 {
        return None;
    }
    let people = match effects.people {
        1 => format!("1 person {verb}s"),
        people => format!("{} people {verb}", count(people)),
    };
    let things = match effects.things {
        1 => "on 1 thing".to_owned(),
        things => format!("on {} things", count(things)),
    };
    let listed = effects.listed.len();
    let row = |effect: change::Effect| {
        let what = words::kind(effect.on.kind);
        view! { <tr><th scope="row"><bdi>{effect.user}</bdi></th><td>{what}" "<bdi>{effect.name}</bdi></td><td>{words::step(effect.was, effect.will)}</td></tr> }.into_any()
    };
    let rows = effects.listed.into_iter().map(row).collect_view();
    let more = (effects.count > listed).then(|| view! { <p class="muted">{format!("and {} more", count(effects.count - listed))}</p> });
    let title = format!("{people} something {things}");
    Some(
        view! {
            <section class="effects">
                <h3>{title.clone()}</h3>
                <div class="scroll" tabindex="0" role="region" aria-label=title.clone()><table class="grid"><caption class="unseen">{title}</caption>
                    <thead class="unseen"><tr><th scope="col">"Who"</th><th scope="col">"What"</th><th scope="col">"Level"</th></tr></thead>
                    <tbody>{rows}</tbody></table></div>
                {more}
            </section>
        }
        .into_any(),
    )
}
