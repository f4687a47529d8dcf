//! The browser's entry: reads what the server wrote into the document and wakes the console up.

use app::{
    App, Site,
    api::{Client, Transport},
};
use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the document's script.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let site = document().document_element().and_then(|html| html.get_attribute("data-site"));
    let Some(site) = site.and_then(|text| serde_json::from_str::<Site>(&text).ok()) else {
        return leptos::logging::error!("this document is not Flowdeck's");
    };
    let location = window().location();
    let address = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    for module in app::route::modules(address.strip_prefix(&*site.base).unwrap_or(&address)) {
        if let Err(error) = module.load().await {
            // What the server drew stays and can be read; the style sheet says that it is no more than that.
            leptos::logging::error!("{error}");
            return app::browser::mark_document("data-asleep", Some(""));
        }
    }
    leptos::mount::hydrate_body(move || {
        provide_context(Client::new(Transport::new(&site.base)));
        provide_context(site);
        view! { <App/> }
    });
    // Whoever drives the page by a program waits for this: handlers and effects are there.
    let awake = || app::browser::mark_document("data-awake", Some(""));
    set_timeout(awake, std::time::Duration::ZERO);
}
