//! Sign-in: a plain form, drawn by the server alone, so that it works without a script and costs nothing.

use crate::prelude::*;

use crate::{
    Site,
    frame::mark,
    part::{
        face::Notice,
        icon::{self, Icon},
    },
};

/// What the form says when it is shown again.
#[derive(Clone, Debug, PartialEq)]
pub struct SignIn {
    /// The name typed before.
    pub name: String,
    /// Where to go afterwards, below the base path.
    pub next: String,
    /// Why the form is shown: a sentence, and whether it is a failure.
    pub notice: Option<(String, bool)>,
    /// The script-free page's nonce for the one line that keeps the part of the address behind the `#`.
    pub nonce: String,
}

const KEEP_HASH: &str = r##"if(location.hash.startsWith("#/"))document.querySelector("[name=next]").value=location.hash.slice(1)"##;

// === impl SignIn ===

impl SignIn {
    pub fn view(self) -> AnyView {
        let site = Site::expect();
        let focus_password = !self.name.is_empty();
        let wrong = self.notice.as_ref().is_some_and(|(_, failed)| *failed).then_some("true");
        let notice = self
            .notice
            .map(|(text, failed)| view! { <Notice class=if failed { "failed" } else { "" }>{text}</Notice> });
        view! {
            <main class="sign-in">
                <div class="card">
                    <header><span class="mark">{mark()}</span><h1>"Sign in to Flowdeck"</h1></header>
                    {notice}
                    <form method="post" action=site.href("/login") class="stack">
                        <input type="hidden" name="next" value=self.next/>
                        <div class="field">
                            <label for="name">"User name"</label>
                            <input class="input" id="name" name="name" autocomplete="username" required autocapitalize="none" spellcheck="false" value=self.name autofocus=!focus_password aria-invalid=wrong/>
                        </div>
                        <div class="field">
                            <label for="password">"Password"</label>
                            <input class="input" id="password" name="password" type="password" autocomplete="current-password" required autofocus=focus_password aria-invalid=wrong/>
                        </div>
                        <button class="button primary" type="submit">"Sign in"</button>
                    </form>
                </div>
                <p class="foot"><Icon icon=icon::Lock/>"Your MLflow user name and password."</p>
            </main>
            <script nonce=self.nonce inner_html=KEEP_HASH></script>
        }
        .into_any()
    }
}
