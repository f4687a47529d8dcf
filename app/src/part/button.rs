//! Buttons. A plain `<button class="button">` is one too; this saves the icon, the label and `type`.

use icondata_core::IconData;
use leptos::prelude::*;

use super::icon::Icon;

/// With `label` and no children: an icon alone, which says its label to screen readers and on hover.
/// `class` adds `primary`, `danger`, `quiet`, `small`. Handlers and attributes go on it as on a `<button>`.
#[component]
pub fn Button(
    #[prop(optional)] class: &'static str,
    #[prop(optional)] icon: Option<&'static IconData>,
    #[prop(optional, into)] label: MaybeProp<String>,
    #[prop(default = "button")] kind: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let square = if children.is_none() { " square" } else { "" };
    let class = format!("button {class}{square}");
    view! {
        <button type=kind class=class aria-label=move || label.get() title=move || label.get()>
            {icon.map(|icon| view! { <Icon icon=icon/> })}
            {children.map(|children| children())}
        </button>
    }
}
