//! Tags: chips to read, and a small table to change them.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::ev;

use super::{
    button::Button,
    icon::{self, Icon},
};

/// Chips in one or more lines.
#[component]
pub fn Tags(tags: Vec<(String, String)>) -> impl IntoView {
    let chips = tags
        .into_iter()
        .map(|(key, value)| view! { <Tag key=key value=value/> })
        .collect_view();
    view! { <span class="tags">{chips}</span> }
}

/// One chip; a link with `href`.
#[component]
pub fn Tag(key: String, value: String, #[prop(optional, into)] href: Option<Signal<String>>, #[prop(optional)] on: bool) -> impl IntoView {
    let title = if value.is_empty() { key.clone() } else { format!("{key}: {value}") };
    let value = (!value.is_empty()).then(|| view! { <bdi class="value">{value}</bdi> });
    let body = view! { <bdi class="key">{key}</bdi>{value} };
    match href {
        Some(href) => view! { <a class="tag" class:on=on href=href title=title data-noscroll="">{body}</a> }.into_any(),
        None => view! { <span class="tag" class:on=on title=title>{body}</span> }.into_any(),
    }
}

/// Add, change and remove. The callbacks make the change and report what was refused; `tags` is what is shown.
#[component]
pub fn TagEditor(
    #[prop(into)] id: String,
    #[prop(into)] tags: Signal<Vec<(String, String)>>,
    #[prop(into)] set: Callback<(String, String)>,
    #[prop(into)] remove: Callback<String>,
) -> impl IntoView {
    let key = RwSignal::new(String::new());
    let value = RwSignal::new(String::new());
    let (key_id, value_id) = (format!("{id}-key"), format!("{id}-value"));
    let add = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let name = key.get_untracked().trim().to_owned();
        if !name.is_empty() {
            set.run((name, value.get_untracked()));
            key.set(String::new());
            value.set(String::new());
        }
    };
    let row = move |(name, text): (String, String)| {
        let edited = (name.clone(), text.clone());
        let removed = name.clone();
        let edit = move |_| {
            key.set(edited.0.clone());
            value.set(edited.1.clone());
        };
        view! {
            <div class="row">
                <bdi class="key">{name.clone()}</bdi>
                <bdi class="value">{text}</bdi>
                <span class="line">
                    <Button class="quiet small" icon=icon::Pencil label=format!("Change the tag {name}") press=edit/>
                    <Button class="quiet small" icon=icon::Trash label=format!("Remove the tag {name}") press=move |_| remove.run(removed.clone())/>
                </span>
            </div>
        }
    };
    view! {
        <div class="stack">
            <div class="tag-table">
                {each(move || tags.get(), Clone::clone, row)}
                {dynamic(move || tags.with(Vec::is_empty).then(|| view! { <p class="muted">"No tags yet."</p> }))}
            </div>
            <form class="tag-form" on:submit=add>
                <div class="field"><label for=key_id.clone()>"Key"</label>
                    <input class="input" id=key_id dir="auto" maxlength="250" autocomplete="off" prop:value=key on:input=move |event| key.set(event_target_value(&event))/></div>
                <div class="field"><label for=value_id.clone()>"Value"</label>
                    <input class="input" id=value_id dir="auto" maxlength="8000" autocomplete="off" prop:value=value on:input=move |event| value.set(event_target_value(&event))/></div>
                <button class="button" type="submit" disabled=move || key.with(|key| key.trim().is_empty())><Icon icon=icon::Plus/>"Set"</button>
            </form>
        </div>
    }
}
