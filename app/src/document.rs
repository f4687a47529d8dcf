//! The HTML document around the console: head, theme before first paint, and the script that hydrates it.

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

use crate::{App, Site};

/// The names of the browser's files, content hash included, relative to the base path.
#[derive(Clone, Debug)]
pub struct Assets {
    pub script: String,
    pub wasm: String,
    pub style: String,
    pub icon: String,
}

/// Chooses the theme before the first paint, and follows the addresses that the MLflow SDK prints
/// (`{tracking uri}/#/experiments/1/runs/…`), which reach the server without their part behind the `#`.
const EARLY: &str = r##"(()=>{const d=document.documentElement,t=localStorage.getItem("flowdeck.theme");if(t)d.dataset.theme=t;
const n=localStorage.getItem("flowdeck.density");if(n)d.dataset.density=n;
if(/^#\/(?![\/\\])/.test(location.hash))location.replace(d.dataset.base+location.hash.slice(1))})()"##;

/// The document of a console page.
pub fn document(assets: &Assets) -> impl IntoView + use<> {
    let site = Site::expect();
    let script = format!(
        "import init,{{hydrate}} from {};init({{module_or_path:{}}}).then(hydrate)",
        quote(&site.href(&assets.script)),
        quote(&site.href(&assets.wasm)),
    );
    let data = serde_json::to_string(&site).unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-base=site.base.to_string() data-site=data>
            <head>
                <Head assets=assets.clone()/>
                <link rel="modulepreload" href=site.href(&assets.script)/>
                <link rel="preload" r#as="fetch" type="application/wasm" crossorigin="anonymous" href=site.href(&assets.wasm)/>
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
pub fn plain_document(assets: &Assets, title: &'static str, body: AnyView) -> impl IntoView + use<> {
    let site = Site::expect();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-base=site.base.to_string()>
            <head>
                <Head assets=assets.clone()/>
                <title>{title}</title>
            </head>
            <body>{body}</body>
        </html>
    }
}

#[component]
fn Head(assets: Assets) -> impl IntoView {
    let site = Site::expect();
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <link rel="icon" type="image/svg+xml" href=site.href(&assets.icon)/>
        <link rel="stylesheet" href=site.href(&assets.style)/>
        <script nonce=use_nonce() inner_html=EARLY></script>
    }
}

/// A JavaScript string literal that cannot end the script element.
fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default().replace('<', "\\u003c")
}
