//! Which keys there are.

use crate::prelude::*;

use crate::part::dialog::Dialog;

const KEYS: &[(&str, &[(&str, &str)])] = &[
    (
        "Everywhere",
        &[
            ("?", "show these keys"),
            ("/", "search on this page"),
            ("Esc", "close what is on top"),
            ("Tab", "go to the next thing"),
        ],
    ),
    (
        "Lists",
        &[
            ("↓ ↑", "go through the rows, from the search field too"),
            ("Enter", "open the row"),
            ("n", "make a new one"),
        ],
    ),
    (
        "While editing",
        &[("Enter", "save"), ("Ctrl Enter", "save a note"), ("Esc", "leave it as it was")],
    ),
];

#[component]
pub fn KeysDialog(open: RwSignal<bool>) -> impl IntoView {
    let list = || {
        let group = |(title, keys): &(&'static str, &'static [(&'static str, &'static str)])| {
            let keys = keys.iter().map(|(key, what)| {
                let key = key.split(' ').map(|key| view! { <kbd>{key}</kbd>" " }).collect_view();
                view! { <dt>{key}</dt><dd>{*what}</dd> }
            });
            view! { <section><h3>{*title}</h3><dl class="keys">{keys.collect_view()}</dl></section> }
        };
        KEYS.iter().map(group).collect_view()
    };
    view! { <Dialog open=open title="Keys">{list()}</Dialog> }
}
