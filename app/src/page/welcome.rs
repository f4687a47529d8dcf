//! Where a one-time link leads: a new person sets their own password. Drawn by the server alone, before anybody can sign in; the small
//! script is needed because what stands behind the `#` of the link stays in the browser.

use crate::prelude::*;

use crate::{
    Site,
    frame::mark,
    part::{
        face::Notice,
        icon::{self, Icon},
    },
};

const SCRIPT: &str = include_str!("welcome.mjs");

/// The page, whose script has the `nonce` of its answer.
pub fn view(nonce: String) -> AnyView {
    let site = Site::expect();
    view! {
        <main class="sign-in">
            <div class="card">
                <header><span class="mark">{mark()}</span><h1>"Set your password"</h1></header>
                <noscript>
                    <Notice class="careful">
                        "This page needs JavaScript: the secret part of your link never leaves your browser but to set your password. Allow it for this site, or open the link in another browser."
                    </Notice>
                </noscript>
                <p id="who" hidden></p>
                <div id="trouble" hidden><Notice class="failed">""</Notice></div>
                <div id="done" hidden><Notice class="done">"Your password is set. Sign in with it."</Notice></div>
                <button class="button" type="button" id="again" hidden>"Try again"</button>
                // Nothing is sent without the script, and least of all in an address.
                <form id="form" method="post" class="stack" novalidate hidden>
                    // Password managers want to know whose password it is.
                    <input type="text" id="username" name="username" autocomplete="username" hidden readonly/>
                    {password("new", "New password", Some("At least 12 plain (ASCII) letters, digits and signs. It is your MLflow password too."))}
                    {password("repeat", "New password, once more", None)}
                    <button class="button primary" type="submit">"Set the password"</button>
                </form>
                <a class="button" id="sign-in" href=site.href("/login") hidden>"Go to the sign-in page"</a>
            </div>
            <p class="foot"><Icon icon=icon::Lock/>"Nobody else learns your password."</p>
        </main>
        <script type="module" nonce=nonce inner_html=SCRIPT></script>
    }
    .into_any()
}

/// A field, the rule, and the place for what is wrong with it.
fn password(id: &'static str, label: &'static str, rule: Option<&'static str>) -> AnyView {
    let (hint, error) = (format!("{id}-hint"), format!("{id}-error"));
    let described = rule.map_or_else(|| error.clone(), |_| format!("{error} {hint}"));
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input class="input" id=id name=id type="password" autocomplete="new-password" required minlength="12" aria-describedby=described/>
            {rule.map(|rule| view! { <span class="hint" id=hint>{rule}</span> })}
            <span class="error" id=error hidden></span>
        </div>
    }
    .into_any()
}
