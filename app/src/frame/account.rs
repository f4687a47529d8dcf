//! The account menu: who one is, how the console looks, the way out.

use crate::prelude::*;
use icondata_core::IconData;
use leptos::task::spawn_local;

use crate::{
    Site,
    api::{Client, flowdeck::session},
    browser,
    part::{
        dynamic::dynamic,
        icon::{self, Icon},
        link::Link,
        menu::Menu,
    },
    route::Route,
};

/// What is kept, what is shown, and an icon.
type Choosable = (&'static str, &'static str, Option<&'static IconData>);

static THEMES: &[Choosable] = &[
    ("", "System", Some(icon::Monitor)),
    ("light", "Light", Some(icon::Sun)),
    ("dark", "Dark", Some(icon::Moon)),
];
static DENSITIES: &[Choosable] = &[("", "Compact", None), ("comfortable", "Comfortable", None)];

#[component]
pub fn AccountMenu(keys: RwSignal<bool>) -> impl IntoView {
    let site = Site::expect();
    let client = StoredValue::new(expect_context::<Client>());
    let asked = StoredValue::new(site.is_owner);
    let admin = RwSignal::new(site.is_owner);
    // Where it is not known, MLflow is asked who is an administrator when somebody looks.
    let ask = move |_| {
        if !asked.get_value() {
            asked.set_value(true);
            spawn_local(async move {
                let me = session::me(&client.get_value()).await;
                admin.set(me.is_ok_and(|me| me.is_admin == Some(true)));
            });
        }
    };
    let initials: String = site.user.chars().take(2).collect();
    view! {
        <button type="button" class="me" popovertarget="account-menu" aria-haspopup="true" aria-label=format!("Account of {}", site.user) title=site.user.clone() on:focus=ask>
            <bdi aria-hidden="true">{initials}</bdi>
        </button>
        <Menu id="account-menu" label="Account">
            <div class="head">"Signed in as "<b><bdi>{site.user.clone()}</bdi></b></div>
            <Link to=Route::Account class="item"><Icon icon=icon::User/>"Account"</Link>
            <Link to=Route::Keys class="item"><Icon icon=icon::Key/>"API keys"</Link>
            {dynamic(move || admin.get().then(|| view! { <Link to=Route::Admin class="item"><Icon icon=icon::Lock/>"Admin"</Link> }))}
            <div class="needs-script">
                <hr/>
                <Choice key="flowdeck.theme" attribute="data-theme" label="Theme" options=THEMES/>
                <Choice key="flowdeck.density" attribute="data-density" label="Rows" options=DENSITIES/>
                <hr/>
                <button type="button" class="item" on:click=move |_| keys.set(true)><Icon icon=icon::Keyboard/>"Keys"<kbd>"?"</kbd></button>
            </div>
            <hr/>
            <form method="post" action=site.href("/logout")>
                <button type="submit" class="item"><Icon icon=icon::LogOut/>"Sign out"</button>
            </form>
        </Menu>
    }
}

/// A choice that this browser keeps under `key` and `<html>` shows as `attribute`; the first option is the one without either.
#[component]
fn Choice(key: &'static str, attribute: &'static str, label: &'static str, options: &'static [Choosable]) -> impl IntoView {
    let chosen = RwSignal::new(String::new());
    Effect::new(move |_| chosen.set(browser::stored(key).unwrap_or_default()));
    let option = |(value, name, icon): &'static Choosable| {
        let choose = move |_| {
            let kept = (!value.is_empty()).then_some(*value);
            browser::store(key, kept);
            browser::mark_document(attribute, kept);
            chosen.set((*value).to_owned());
        };
        let pressed = move || if chosen.with(|chosen| chosen == value) { "true" } else { "false" };
        view! { <button type="button" aria-pressed=pressed on:click=choose>{icon.map(|icon| view! { <Icon icon=icon/> })}{*name}</button> }
    };
    view! {
        <div class="head">{label}</div>
        <div class="segments" role="group" aria-label=label>{options.iter().map(option).collect_view()}</div>
    }
}
