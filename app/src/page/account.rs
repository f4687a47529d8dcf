//! The account: the password, the places where one is signed in, and one's own history. Plain forms, so that all of it works without a script.

use crate::part::dynamic::dynamic;
use crate::prelude::*;

use super::{
    history::{Of, history},
    trouble::Trouble,
};
use crate::{
    Site,
    api::{
        Client,
        flowdeck::session::{self, Me, MlflowState, Session},
    },
    order::sort_by,
    part::{
        crumbs::{Crumb, Crumbs},
        face::{Empty, Loading, Notice},
        icon::{self, Icon},
        link::Link,
        tabs::{Tab, Tabs},
        time::Time,
        title::Title,
    },
    route::Route,
    state::address::Address,
};

#[component]
pub fn Account() -> impl IntoView {
    let site = Site::expect();
    let tab = Address::here().memo("tab");
    let is_history = Memo::new(move |_| tab.read().as_deref() == Some(HISTORY));
    view! {
        <Title text="Account"/>
        <Crumbs way=vec![Crumb::here("Account")]/>
        <div class="page account">
            <div class="title">
                <h1><bdi>{site.user.clone()}</bdi></h1><Facts/>
            </div>
            {dynamic(move || match is_history.get() {
                true => view! { <AccountTabs here=AccountTab::History/>{history(Of::Oneself)} }.into_any(),
                false => view! {
                    <AccountTabs here=AccountTab::SignIn/>
                    <div class="columns">
                        <Answer/>
                        <Sessions/>
                        <Password/>
                    </div>
                }.into_any(),
            })}
        </div>
    }
}

/// What the address of the history says.
const HISTORY: &str = "history";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountTab {
    SignIn,
    Keys,
    Access,
    History,
}

/// The pages of one's own, side by side.
#[component]
pub fn AccountTabs(here: AccountTab) -> impl IntoView {
    let tab = move |tab: AccountTab, href: String, label: &'static str| view! { <Tab href=href current=tab == here>{label}</Tab> };
    let account = Route::Account.href();
    let history = format!("{account}?tab={HISTORY}");
    view! {
        <Tabs label="Account">
            {tab(AccountTab::SignIn, account, "Sign-in")}
            {tab(AccountTab::Keys, Route::Keys.href(), "API keys")}
            {tab(AccountTab::Access, Route::OwnAccess.href(), "Access")}
            {tab(AccountTab::History, history, "History")}
        </Tabs>
    }
}

/// What the last form did.
#[component]
fn Answer() -> impl IntoView {
    let address = Address::here();
    move || {
        let done = address.get("done").and_then(|word| match word.as_str() {
            "password" => Some("Your password is changed. All your other sessions have ended."),
            "sessions" => Some("Ended. Whoever used it has to sign in again."),
            _ => None,
        });
        let error = address.get("error").map(|word| match word.as_str() {
            "short" => "The new password is too short: it needs at least 12 characters.",
            "ascii" => "The new password may only hold plain (ASCII) letters, digits and signs: MLflow takes no others.",
            "repeat" => "The two new passwords differ. Nothing was changed.",
            "current" => "The current password is not right. Nothing was changed.",
            "same" => "The new password is the old one. Nothing was changed.",
            "mlflow" => "MLflow does not answer as it should. Nothing was changed; try again in a moment.",
            "password" => "That is not your password. No session was ended.",
            "wait" => "Too many wrong passwords. Nothing was changed; wait a minute and try again.",
            "gone" => "That session had ended already.",
            _ => "That did not work. Nothing was changed.",
        });
        match (done, error) {
            (_, Some(error)) => view! { <Notice class="failed">{error}</Notice> }.into_any(),
            (Some(done), None) => view! { <Notice class="done">{done}</Notice> }.into_any(),
            _ => ().into_any(),
        }
    }
}

/// What this person is here, and the MLflow behind.
#[component]
fn Facts() -> impl IntoView {
    let client = expect_context::<Client>();
    let me = Resource::new(
        || (),
        move |()| {
            let client = client.clone();
            async move { session::me(&client).await }
        },
    );
    let words = |me: &Me| {
        let role = (me.is_admin == Some(true)).then(|| view! { <Link to=Route::Admin>"administrator"</Link>" · " });
        let mlflow = match (me.mlflow.state, &me.mlflow.version) {
            (MlflowState::Up, Some(version)) => format!("MLflow {version}"),
            (MlflowState::Up, None) => "MLflow is up".to_owned(),
            (MlflowState::Starting, _) => "MLflow is starting".to_owned(),
            (MlflowState::Down, _) => "MLflow does not answer".to_owned(),
        };
        view! { {role}{mlflow} }
    };
    view! {
        <span class="facts">
            <Suspense>{dynamic(move || Suspend::new(async move { me.await.ok().map(|me| words(&me)) }))}</Suspense>
        </span>
    }
}

#[component]
fn Sessions() -> impl IntoView {
    let client = expect_context::<Client>();
    let attempt = RwSignal::new(0);
    let sessions = Resource::new(
        move || attempt.get(),
        move |_| {
            let client = client.clone();
            async move { session::list(&client).await }
        },
    );
    let again = Callback::new(move |()| attempt.update(|times| *times += 1));
    view! {
        <section class="card sessions" aria-labelledby="sessions-title">
            <header><h2 id="sessions-title">"Where you are signed in"</h2></header>
            <Suspense fallback=|| view! { <Loading rows=3/> }>
                {dynamic(move || Suspend::new(async move {
                    match sessions.await {
                        Ok(sessions) => list(sessions).into_any(),
                        Err(error) => view! { <Trouble what="your sessions" error=error retry=again/> }.into_any(),
                    }
                }))}
            </Suspense>
        </section>
    }
}

fn list(mut sessions: Vec<Session>) -> AnyView {
    if sessions.is_empty() {
        return view! { <Empty icon=icon::Monitor title="No sessions"><p>"You are not signed in by a browser."</p></Empty> }.into_any();
    }
    sort_by(&mut sessions, |a, b| {
        (!a.current, -a.last_used_at).cmp(&(!b.current, -b.last_used_at))
    });
    let others = sessions.len() > 1;
    let rows = sessions.into_iter().map(one).collect_view();
    if !others {
        return view! { <ul>{rows}</ul> }.into_any();
    }
    let site = Site::expect();
    let address = Address::here();
    let wrong = move || (address.get("error").as_deref() == Some("password")).then_some("true");
    // Enter presses the first button: the one beside the field.
    view! {
        <form method="post" action=site.href("/account/sessions/end")>
            <div class="head">
                <input type="text" name="username" autocomplete="username" value=site.user.clone() hidden readonly/>
                <div class="field">
                    <label for="session-password">"Your password, to end a session"</label>
                    <input class="input" id="session-password" name="password" type="password" autocomplete="current-password" required aria-invalid=wrong/>
                </div>
                <button type="submit" name="id" value="others" class="button danger"><Icon icon=icon::LogOut/>"End all other sessions"</button>
            </div>
            <ul>{rows}</ul>
        </form>
    }
    .into_any()
}

fn one(session: Session) -> AnyView {
    let browser = browser_name(&session.user_agent);
    let label = format!("End the session of {browser} at {}", session.address);
    let mark = session
        .current
        .then(|| view! { <span class="tag on"><span class="value">"this one"</span></span> });
    let end = (!session.current)
        .then(|| view! { <button type="submit" name="id" value=session.id.clone() class="button" aria-label=label>"End"</button> });
    view! {
        <li>
            <Icon icon=icon::Monitor/>
            <div class="what">
                <div class="line"><b title=session.user_agent>{browser}</b>{mark}</div>
                <div class="muted">
                    <bdi>{session.address}</bdi>" · used "<Time at=session.last_used_at/>" · signed in "<Time at=session.created_at/>" · ends "<Time at=session.expires_at/>
                </div>
            </div>
            {end}
        </li>
    }
}

/// "Firefox on Linux": enough to recognise a machine by.
pub fn browser_name(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 8] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
        ("python", "Python"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let named = |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name);
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if user_agent.is_empty() => "An unnamed program".to_owned(),
        (None, None) => user_agent.chars().take(40).collect(),
    }
}

#[component]
fn Password() -> impl IntoView {
    let site = Site::expect();
    let address = Address::here();
    let wrong =
        move |words: &'static [&'static str]| move || address.get("error").filter(|error| words.contains(&error.as_str())).map(|_| "true");
    view! {
        <section class="card" aria-labelledby="password-title">
            <header><h2 id="password-title">"Password"</h2></header>
            <form method="post" action=site.href("/account/password") class="body stack">
                // Password managers want to know whose password it is.
                <input type="text" name="username" autocomplete="username" value=site.user.clone() hidden readonly/>
                <div class="field">
                    <label for="current">"Current password"</label>
                    <input class="input" id="current" name="current" type="password" autocomplete="current-password" required aria-invalid=wrong(&["current"])/>
                </div>
                <div class="field">
                    <label for="new">"New password"</label>
                    <input class="input" id="new" name="new" type="password" autocomplete="new-password" required minlength="12" aria-describedby="new-hint" aria-invalid=wrong(&["short", "ascii", "same"])/>
                    <span class="hint" id="new-hint">"At least 12 characters. It is your MLflow password too: programs that use the old one must learn it."</span>
                </div>
                <div class="field">
                    <label for="repeat">"New password, once more"</label>
                    <input class="input" id="repeat" name="repeat" type="password" autocomplete="new-password" required minlength="12" aria-invalid=wrong(&["repeat"])/>
                </div>
                <div class="line"><button type="submit" class="button primary">"Change the password"</button></div>
            </form>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::browser_name;

    #[test]
    fn browsers_are_recognised() {
        let edge =
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
        assert_eq!(browser_name(edge), "Edge on Windows");
        assert_eq!(browser_name(safari), "Safari on iPhone");
        assert_eq!(browser_name("curl/8.9"), "curl");
        assert_eq!(browser_name(""), "An unnamed program");
    }
}
