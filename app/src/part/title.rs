//! The title of the document. Always this one: leptos_meta's own reads its text when the page's signals may be gone already
//! (while the server writes the head, last of all), and the page fails every now and then.

use crate::prelude::*;
use leptos::text_prop::TextProp;

#[component]
pub fn Title(#[prop(into)] text: TextProp) -> impl IntoView {
    let first = untrack(|| text.get().into_owned());
    let kept = ArcRwSignal::new(first);
    let follower = kept.clone();
    Effect::new(move |_| follower.set(text.get().into_owned()));
    view! { <leptos_meta::Title text=move || kept.get()/> }
}
