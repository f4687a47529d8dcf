//! Parts of the console whose code the browser loads when it is first wanted: WebAssembly modules of their own, split off by `cargo xtask dist`, so that nobody waits for what is not on the screen.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use crate::prelude::*;
use leptos::task::spawn_local;
pub use wasm_split_helpers::SplitLoaderError;

use super::{
    button::Button,
    dynamic::dynamic,
    face::{Empty, Loading},
    icon,
};
use crate::browser;

/// What a function under `#[wasm_split]` gives.
pub type Drawn = Result<AnyView, SplitLoaderError>;

type Later<T> = Pin<Box<dyn Future<Output = Result<T, SplitLoaderError>>>>;

/// What `draw` gives: at once where its module is there already (on the server, while hydrating, and once it was loaded), else when `load` has got it.
pub fn apart(load: fn() -> Later<()>, draw: impl Fn() -> Later<AnyView> + Send + 'static) -> AnyView {
    boxed(load, Box::new(draw))
}

fn boxed(load: fn() -> Later<()>, draw: Box<dyn Fn() -> Later<AnyView> + Send>) -> AnyView {
    if let Some(view) = now(draw()) {
        return view;
    }
    let loaded = RwSignal::new(None);
    let ask = move || {
        loaded.set(None);
        spawn_local(async move {
            loaded.try_set(Some(load().await.is_ok()));
        });
    };
    ask();
    dynamic(move || match loaded.get() {
        None => view! { <Loading rows=3/> }.into_any(),
        Some(true) => {
            // A dialog has looked for it when it opened.
            request_animation_frame(|| {
                browser::focus("dialog[open] [autofocus]");
            });
            now(draw()).into_any()
        }
        // Nothing to do with MLflow: the browser is offline, or this page is older than the server's files.
        Some(false) => view! {
            <Empty title="This part of the console could not be loaded" icon=icon::CircleAlert>
                <p>"You may be offline, or Flowdeck was updated while this page was open."</p>
                <div class="actions">
                    <Button press=move |_| ask()>"Try again"</Button>
                    <Button class="primary" press=|_| browser::reload()>"Load the page anew"</Button>
                </div>
            </Empty>
        }
        .into_any(),
    })
}

fn now(drawing: Later<AnyView>) -> Option<AnyView> {
    match pin!(drawing).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(view)) => Some(view),
        Poll::Ready(Err(_)) | Poll::Pending => None,
    }
}
