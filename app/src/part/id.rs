//! Ids: shortened in the middle, whole on hover and when copied.

use crate::prelude::*;

use super::copy::Copy;

#[component]
pub fn Id(#[prop(into)] id: String, #[prop(optional)] copy: bool) -> impl IntoView {
    let short = shorten(&id);
    let button = copy.then(|| view! { <Copy text=id.clone() label="Copy the id"/> });
    view! { <span class="id"><data class="exact" value=id.clone() title=id.clone()>{short}</data>{button}</span> }
}

/// `3f2a9c…81b0`
pub fn shorten(id: &str) -> String {
    let count = id.chars().count();
    if count <= 14 {
        return id.to_owned();
    }
    let head: String = id.chars().take(6).collect();
    let tail: String = id.chars().skip(count - 4).collect();
    format!("{head}…{tail}")
}
