//! Text that can be changed where it stands.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::{ev, html};

use super::{button::Button, icon};

/// Shows `text` (or `view` of it) with a pencil; Enter or Save runs `save`, Escape leaves it as it was.
#[component]
pub fn Editable(
    #[prop(into)] label: String,
    #[prop(into)] text: Signal<String>,
    #[prop(into)] save: Callback<String>,
    #[prop(optional)] many_lines: bool,
    children: ChildrenFn,
) -> impl IntoView {
    let editing = RwSignal::new(false);
    let draft = RwSignal::new(String::new());
    let begin = move |_| {
        draft.set(text.get_untracked());
        editing.set(true);
    };
    let finish = move || {
        editing.set(false);
        let new = draft.get_untracked();
        if new != text.get_untracked() {
            save.run(new);
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        finish();
    };
    let escape = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Escape" => {
            event.stop_propagation();
            editing.set(false);
        }
        "Enter" if event.ctrl_key() || event.meta_key() => finish(),
        _ => {}
    };
    let say = format!("Edit {label}");
    let input = move |label: String| {
        if many_lines {
            let area = NodeRef::<html::Textarea>::new();
            area.on_load(|area| drop(area.focus()));
            view! { <textarea node_ref=area class="input mono" dir="auto" rows="6" aria-label=label prop:value=draft on:input=move |event| draft.set(event_target_value(&event))></textarea> }.into_any()
        } else {
            let line = NodeRef::<html::Input>::new();
            // Its text would only be set after this, and then nothing of it be selected.
            line.on_load(move |line| {
                line.set_value(&draft.get_untracked());
                drop(line.focus());
                line.select();
            });
            view! { <input node_ref=line class="input" dir="auto" aria-label=label prop:value=draft on:input=move |event| draft.set(event_target_value(&event))/> }.into_any()
        }
    };
    view! {
        <div class="editable" class:block=many_lines>
            {dynamic(move || match editing.get() {
                true => view! {
                    <form on:submit=submit on:keydown=escape>
                        {input(label.clone())}
                        <span class="line">
                            <Button class="primary" kind="submit">"Save"</Button>
                            <Button press=move |_| editing.set(false)>"Cancel"</Button>
                        </span>
                    </form>
                }.into_any(),
                false => view! { {children()}<Button class="quiet small" icon=icon::Pencil label=say.clone() press=begin/> }.into_any(),
            })}
        </div>
    }
}
