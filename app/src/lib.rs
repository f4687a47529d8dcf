//! The Flowdeck console: the same pages in the browser (`hydrate`) and on the server (`ssr`).

#![recursion_limit = "512"]

pub mod api;
pub mod browser;
pub mod document;
pub mod frame;
pub mod letter;
pub mod order;
pub mod page;
pub mod part;
pub mod prelude;
pub mod reactive;
pub mod route;
pub mod site;
pub mod state;
pub mod table;
pub mod view;

use crate::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::Router;

pub use self::site::Site;

/// The whole console below `<body>`. [`Site`] and [`api::Client`] are in context before it runs, on both sides.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let site = Site::expect();
    part::health::Health::provide();
    part::toast::provide();
    part::clock::Clock::provide(site.drawn_at);
    leptos::view! {
        <Router base=site.base>
            <frame::Frame>
                <route::Table/>
            </frame::Frame>
        </Router>
    }
}
