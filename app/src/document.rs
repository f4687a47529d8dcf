//! The HTML document around the console: head, theme before first paint, and the script that hydrates it.

use std::collections::{BTreeMap, BTreeSet};

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;
use serde::Deserialize;

use crate::{App, Site, page::module::Module};

/// The browser's files, as `cargo xtask dist` lists them in `manifest.json`: names with a hash of their bytes.
#[derive(Clone, Debug, Deserialize)]
pub struct Assets {
    pub script: String,
    pub wasm: String,
    /// Loads [`Module`]s.
    pub loader: String,
    pub style: String,
    pub icon: String,
    /// The files of each [`Module`], by its name.
    pub modules: BTreeMap<String, Vec<String>>,
}

/// Where they are served, below the base path.
pub const ASSETS: &str = "/assets/";

// === impl Assets ===

impl Assets {
    /// Every file, once.
    pub fn files(&self) -> BTreeSet<&str> {
        let first = [&self.script, &self.wasm, &self.loader, &self.style, &self.icon];
        first
            .into_iter()
            .chain(self.modules.values().flatten())
            .map(String::as_str)
            .collect()
    }
}

/// Chooses the theme before the first paint; asks anew for a page that the browser kept whole, since whoever it was kept for may
/// have signed out; and follows the addresses that the MLflow SDK prints
/// (`{tracking uri}/#/experiments/1/runs/…`), which reach the server without their part behind the `#`.
const EARLY: &str = r##"(()=>{const d=document.documentElement,t=localStorage.getItem("flowdeck.theme");if(t)d.dataset.theme=t;
const n=localStorage.getItem("flowdeck.density");if(n)d.dataset.density=n;
addEventListener("pageshow",e=>{if(e.persisted)location.reload()});
if(/^#\/(?![\/\\])/.test(location.hash))location.replace(d.dataset.base+location.hash.slice(1))})()"##;

/// The document of a console page, whose code is in these modules and in the first one.
pub fn document(assets: &Assets, modules: &[Module]) -> impl IntoView + use<> {
    let site = Site::expect();
    let script = format!(
        "import init,{{hydrate}} from {};import{{begin}}from {};init({{module_or_path:{}}}).then(main=>{{begin(main);return hydrate()}})",
        quote(&address(&site, &assets.script)),
        quote(&address(&site, &assets.loader)),
        quote(&address(&site, &assets.wasm)),
    );
    let fetched = modules.iter().filter_map(|module| assets.modules.get(module.name())).flatten();
    let fetched = std::iter::once(&assets.wasm).chain(fetched).map(|name| {
        let href = address(&site, name);
        view! { <link rel="preload" r#as="fetch" type="application/wasm" crossorigin="anonymous" href=href/> }
    });
    let data = serde_json::to_string(&site).unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-base=site.base.to_string() data-site=data>
            <head>
                <Head assets=assets.clone()/>
                <link rel="modulepreload" href=address(&site, &assets.script)/>
                {fetched.collect_view()}
                <MetaTags/>
            </head>
            <body>
                <App/>
                <script type="module" nonce=use_nonce() inner_html=script></script>
            </body>
        </html>
    }
}

/// A document that needs no script: sign-in and the like. `title` is the whole title.
pub fn plain_document(assets: &Assets, title: &'static str, body: crate::view::AnyView) -> impl IntoView + use<> {
    let site = Site::expect();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-base=site.base.to_string()>
            <head>
                <Head assets=assets.clone()/>
                <title inner_html=title></title>
            </head>
            <body>{body}</body>
        </html>
    }
}

#[component]
fn Head(assets: Assets) -> impl IntoView {
    let site = Site::expect();
    // The icon is the mark as a picture: in private windows Chromium draws it anew with each change of the address, which takes a drawing
    // some ms of the page's thread.
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <link rel="icon" type="image/png" sizes="64x64" href=address(&site, &assets.icon)/>
        <link rel="stylesheet" href=address(&site, &assets.style)/>
        <script nonce=use_nonce() inner_html=EARLY></script>
    }
}

fn address(site: &Site, name: &str) -> String {
    site.href(&format!("{ASSETS}{name}"))
}

/// A JavaScript string literal that cannot end the script element.
fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default().replace('<', "\\u003c")
}
