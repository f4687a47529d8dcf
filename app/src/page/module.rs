//! The pages that come in modules of their own.

use leptos::prelude::*;
use wasm_split_helpers::wasm_split;

use super::{account::Account, experiment::Experiment, run::Run};
use crate::part::apart::{Drawn, SplitLoaderError, apart};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// Experiments and runs, one at a time.
    Runs,
    Account,
}

// === impl Module ===

impl Module {
    /// As its files are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Account => "account",
        }
    }

    /// Loads it, unless it is there.
    ///
    /// # Errors
    /// The browser could not get it; asking again tries again.
    pub async fn load(self) -> Result<(), SplitLoaderError> {
        match self {
            Self::Runs => load_runs().await,
            Self::Account => load_account().await,
        }
    }
}

#[component]
pub fn ExperimentPage() -> impl IntoView {
    apart(|| Box::pin(load_runs()), || Box::pin(runs(Page::Experiment)))
}

#[component]
pub fn RunPage() -> impl IntoView {
    apart(|| Box::pin(load_runs()), || Box::pin(runs(Page::Run)))
}

#[component]
pub fn AccountPage() -> impl IntoView {
    apart(|| Box::pin(load_account()), || Box::pin(account()))
}

#[derive(Clone, Copy)]
enum Page {
    Experiment,
    Run,
}

// One function a module: each knows for itself alone whether its module is there.
#[wasm_split(runs, fallible, preload(load_runs))]
fn runs(page: Page) -> Drawn {
    Ok(match page {
        Page::Experiment => view! { <Experiment/> }.into_any(),
        Page::Run => view! { <Run/> }.into_any(),
    })
}

#[wasm_split(account, fallible, preload(load_account))]
fn account() -> Drawn {
    Ok(view! { <Account/> }.into_any())
}
