//! Buttons. A plain `<button class="button">` is one too; this saves the icon, the label and `type`.

use crate::prelude::*;
use icondata_core::IconData;
use leptos::ev;

use super::icon::Icon;

/// With `label` and no children: an icon alone, which says its label to screen readers and on hover.
/// `class` adds `primary`, `danger`, `quiet`, `small`. Attributes go on it as on a `<button>`, but for the click: a handler that is put
/// on a component stays there when the component is drawn anew with another.
#[component]
pub fn Button(
    #[prop(optional)] class: &'static str,
    #[prop(optional)] icon: Option<&'static IconData>,
    #[prop(optional, into)] label: MaybeProp<String>,
    #[prop(default = "button")] kind: &'static str,
    #[prop(optional, into)] press: Option<Callback<ev::MouseEvent>>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let square = if children.is_none() { " square" } else { "" };
    let click = move |event| {
        if let Some(press) = press {
            press.run(event);
        }
    };
    let class = format!("button {class}{square}");
    view! {
        <button type=kind class=class on:click=click aria-label=move || label.get() title=move || label.get()>
            {icon.map(|icon| view! { <Icon icon=icon/> })}
            {children.map(|children| children())}
        </button>
    }
}
