//! The frame around every page: top bar, rail, notices, and what is the same everywhere.

mod account;
mod banner;
mod keys;

use crate::prelude::*;
use icondata_core::IconData;
use leptos::{ev, task::spawn_local, web_sys};
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use self::{account::AccountMenu, banner::Banner, keys::KeysDialog};
use crate::{
    Site, browser,
    part::{
        button::Button,
        icon::{self, Icon},
        link::Link,
        toast,
    },
    route::{self, Route},
};

#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let keys = RwSignal::new(false);
    listen(keys);
    view! {
        <Title formatter=|page: String| if page.is_empty() { "Flowdeck".to_owned() } else { format!("{page} · Flowdeck") } text=""/>
        <a class="skip button" href="#main" rel="external">"Skip to the content"</a>
        <header class="bar">
            <Link to=Route::Experiments class="mark" attr:aria-label="Flowdeck: experiments" attr:title="Flowdeck">{mark()}</Link>
            <span class="spread"></span>
            <span class="needs-script"><Button class="quiet" icon=icon::Keyboard label="Keys (?)" press=move |_| keys.set(true)/></span>
            <AccountMenu keys=keys/>
        </header>
        <Rail/>
        <main id="main" tabindex="-1">
            <Banner/>
            {children()}
        </main>
        <toast::Region/>
        <KeysDialog open=keys/>
    }
}

/// Flowdeck's mark; `currentColor` is the ground, the strokes take the colour of the surface.
pub fn mark() -> AnyView {
    view! { <svg viewBox="0 0 32 32" aria-hidden="true" inner_html=r#"<rect width="32" height="32" rx="8" fill="currentColor"/><path class="strokes" d="M10 24V8h13M10 16h10" fill="none" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/>"#></svg> }
}

#[component]
fn Rail() -> impl IntoView {
    view! {
        <nav class="rail" aria-label="Pages">
            <RailLink to=Route::Experiments icon=icon::Flask label="Experiments"/>
            {Site::expect().is_owner.then(|| view! { <RailLink to=Route::Admin icon=icon::Lock label="Admin"/> })}
            <span class="spread"></span>
            <RailLink to=Route::Account icon=icon::User label="Account"/>
        </nav>
    }
}

#[component]
fn RailLink(to: Route, icon: &'static IconData, label: &'static str) -> impl IntoView {
    let path = use_location().pathname;
    let base = Site::expect().base;
    let below = to.path();
    // Experiments are the first page too, and whatever is not another page's belongs to them.
    let current = move || {
        let path = path.get();
        let path = path.strip_prefix(&*base).unwrap_or(&path);
        let home = below == "/experiments" && (path == "/" || path.is_empty() || path.starts_with("/runs/"));
        (home
            || path
                .strip_prefix(&below)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        .then_some("page")
    };
    view! { <Link to=to attr:aria-current=current><Icon icon=icon/><span class="label">{label}</span></Link> }
}

/// Keys and copying, everywhere on the page.
fn listen(keys: RwSignal<bool>) {
    let base = StoredValue::new(Site::expect().base);
    Effect::new(move |_| {
        let pressed = window_event_listener(ev::keydown, move |event| {
            if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() || browser::is_writing(&event) {
                return;
            }
            let done = match event.key().as_str() {
                "?" => {
                    keys.set(true);
                    true
                }
                "/" => browser::focus("[data-key='/']"),
                "n" => browser::press("[data-key='n']"),
                _ => false,
            };
            if done {
                event.prevent_default();
            }
        });
        // What a link leads to is fetched while one still aims at it.
        let aimed = window_event_listener(ev::pointerover, move |event| ahead(&base.read_value(), event.target()));
        let reached = window_event_listener(ev::focusin, move |event| ahead(&base.read_value(), event.target()));
        let copied = window_event_listener(ev::copy, |event| {
            browser::copy_exactly(&event);
        });
        on_cleanup(move || {
            pressed.remove();
            aimed.remove();
            reached.remove();
            copied.remove();
        });
    });
}

/// Gets the module of the page that a link leads to.
fn ahead(base: &str, target: Option<web_sys::EventTarget>) {
    let path = target.and_then(browser::link_path);
    let Some(path) = path.as_deref().and_then(|path| path.strip_prefix(base)) else {
        return;
    };
    for module in route::modules(path) {
        // Where it cannot be had, the page itself says so.
        spawn_local(async move { drop(module.load().await) });
    }
}
