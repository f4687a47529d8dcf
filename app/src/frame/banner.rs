//! MLflow is down: said once for the whole page, asked again every ten seconds and on demand.

use std::time::Duration;

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use leptos::task::spawn_local;

use crate::{
    api::{
        Client,
        flowdeck::session::{self, MlflowState},
    },
    browser,
    part::{
        health::Health,
        icon::{self, Icon},
    },
};

#[component]
pub fn Banner() -> impl IntoView {
    let health = Health::expect();
    let client = StoredValue::new(expect_context::<Client>());
    let asking = RwSignal::new(false);
    let ask = move || {
        if asking.get_untracked() {
            return;
        }
        asking.set(true);
        spawn_local(async move {
            let answer = session::me(&client.get_value()).await;
            asking.set(false);
            if answer.is_ok_and(|me| me.mlflow.state == MlflowState::Up) {
                health.recover();
            }
        });
    };
    Effect::new(move |_| {
        if health.is_down() {
            let again = move || {
                if browser::visible() {
                    ask();
                }
            };
            if let Ok(timer) = set_interval_with_handle(again, Duration::from_secs(10)) {
                on_cleanup(move || timer.clear());
            }
        }
    });
    move || {
        health.is_down().then(|| {
            view! {
                <div class="banner" role="alert">
                    <Icon icon=icon::Warning/>
                    <span class="text"><b>"MLflow does not answer."</b>" What is shown may be old, and changes are not saved. This page asks again by itself."</span>
                    <button type="button" class="button small" disabled=move || asking.get() on:click=move |_| ask()>
                        <Icon icon=icon::Retry/>{dynamic(move || if asking.get() { "Asking…" } else { "Try again now" })}
                    </button>
                </div>
            }
        })
    }
}
