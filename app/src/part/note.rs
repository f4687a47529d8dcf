//! A note in Markdown: shown, and edited beside its preview.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::{ev, html};

use super::{
    button::Button,
    icon::{self, Icon},
    markdown::Markdown,
};

/// `save` shows the new text at once and reports what was refused. `id` is unique on the page.
#[component]
pub fn Note(
    id: &'static str,
    #[prop(into)] text: Signal<String>,
    #[prop(into)] save: Callback<String>,
    /// Said where there is no note.
    empty: &'static str,
) -> impl IntoView {
    let draft = RwSignal::new(None::<String>);
    let begin = move |_| draft.set(Some(text.get_untracked()));
    let finish = move || {
        if let Some(new) = draft.get_untracked().filter(|new| *new != text.get_untracked()) {
            save.run(new);
        }
        draft.set(None);
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        finish();
    };
    let key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Escape" => {
            event.stop_propagation();
            draft.set(None);
        }
        "Enter" if event.ctrl_key() || event.meta_key() => finish(),
        _ => {}
    };
    let editing = Memo::new(move |_| draft.read().is_some());
    view! {
        <section class="note card" aria-labelledby=id>
            <header>
                <h2 id=id>"Note"</h2>
                {dynamic(move || (!editing.get()).then(|| view! {
                    <Button class="quiet small spread" icon=icon::Pencil label="Edit the note" press=begin/>
                }))}
            </header>
            {dynamic(move || if editing.get() {
                let area = NodeRef::<html::Textarea>::new();
                area.on_load(|area| drop(area.focus()));
                view! {
                    <form class="body edit" on:submit=submit on:keydown=key>
                        <textarea node_ref=area class="input mono" dir="auto" rows="10" aria-label="The note, in Markdown" prop:value=draft.get_untracked().unwrap_or_default()
                            on:input=move |event| draft.set(Some(event_target_value(&event)))></textarea>
                        <div class="preview" aria-label="Preview" role="region">
                            {move || view! { <Markdown text=draft.get().unwrap_or_default()/> }}
                        </div>
                        <div class="line">
                            <Button class="primary" kind="submit">"Save"</Button>
                            <Button press=move |_| draft.set(None)>"Cancel"</Button>
                            <span class="faint small">"Markdown; Ctrl+Enter saves"</span>
                        </div>
                    </form>
                }.into_any()
            } else {
                view! {
                    <div class="body">
                        {move || match text.get() {
                            none if none.trim().is_empty() => view! {
                                <p class="muted line"><Icon icon=icon::Info/>{empty}</p>
                            }.into_any(),
                            text => view! { <Markdown text=text/> }.into_any(),
                        }}
                    </div>
                }.into_any()
            })}
        </section>
    }
}
