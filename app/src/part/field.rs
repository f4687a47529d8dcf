//! Fields of forms: label, hint and error belong to the input for screen readers too.

use crate::prelude::*;

use super::icon::{self, Icon};

/// One line of text. `id` is unique on the page; the input's name is `name` or else the id.
#[component]
pub fn TextField(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] name: Option<String>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] hint: &'static str,
    #[prop(optional, into)] error: MaybeProp<String>,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] required: bool,
    #[prop(optional)] minlength: Option<&'static str>,
) -> impl IntoView {
    let name = name.unwrap_or_else(|| id.clone());
    let about = format!("{id}-about");
    let hint = (!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> });
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class="input" id=id name=name type=kind dir="auto" autocomplete=autocomplete placeholder=placeholder autofocus=autofocus required=required minlength=minlength
                prop:value=value on:input=move |event| value.set(event_target_value(&event))
                aria-invalid=move || error.get().map(|_| "true") aria-describedby=about.clone()
            />
            <div id=about>{hint}<FieldError error=error/></div>
        </div>
    }
}

/// The sentence below a field that was refused.
#[component]
pub fn FieldError(#[prop(into)] error: MaybeProp<String>) -> impl IntoView {
    move || {
        error
            .get()
            .map(|text| view! { <span class="error" role="alert"><Icon icon=icon::CircleAlert/>{text}</span> })
    }
}
