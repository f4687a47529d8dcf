//! Copying: a button, and a block of code with one.

use std::time::Duration;

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::task::spawn_local;

use super::icon::{self, Icon};
use crate::browser;

#[component]
pub fn Copy(#[prop(into)] text: Signal<String>, #[prop(default = "Copy")] label: &'static str) -> impl IntoView {
    let done = RwSignal::new(false);
    let copy = move |_| {
        let text = text.get_untracked();
        spawn_local(async move {
            if browser::copy(&text).await {
                done.set(true);
                set_timeout(move || done.set(false), Duration::from_millis(1500));
            }
        });
    };
    let says = move || if done.get() { "Copied" } else { label };
    view! {
        <button type="button" class="button quiet square copy" class:done=done title=says aria-label=says on:click=copy>
            {dynamic(move || view! { <Icon icon=if done.get() { icon::Check } else { icon::Copy }/> })}
        </button>
    }
}

#[component]
pub fn Snippet(#[prop(into)] code: String) -> impl IntoView {
    view! {
        <div class="snippet">
            <pre tabindex="0"><code>{code.clone()}</code></pre>
            <Copy text=code label="Copy the code"/>
        </div>
    }
}
