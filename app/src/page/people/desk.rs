//! What each of these pages has at hand: what it shows, the dialog, changes, and links that are told once.

use std::sync::Arc;

use crate::prelude::*;
use leptos::task::spawn_local;

use super::load::{Asked, Loaded, load};
use crate::{
    api::{
        ApiError, Client,
        flowdeck::{change::Edit, grant::Target, user::UserMade},
    },
    browser,
    page::{
        review::{self, Review},
        trouble::Trouble,
    },
    part::{dialog::Dialog, dynamic::dynamic, face::Loading, toast::Toasts},
    route::Route,
    state::address::Address,
};

#[derive(Clone, Copy)]
pub struct Desk {
    pub address: Address,
    pub toasts: Toasts,
    /// Whose link is told.
    pub made: RwSignal<Option<UserMade>>,
    /// Whether the dialog is open.
    pub shown: RwSignal<bool>,
    dialog: RwSignal<Option<Asking>>,
    client: StoredValue<Client>,
    attempt: RwSignal<u32>,
    /// MLflow is to be asked too.
    fresh: StoredValue<bool>,
    review: Review,
    /// Where to go once this has come to be.
    then: StoredValue<Option<(String, Asked)>>,
}

/// What the dialog is about.
#[derive(Clone)]
struct Asking {
    title: String,
    draw: Arc<dyn Fn() -> AnyView + Send + Sync>,
}

// === impl Desk ===

impl Desk {
    /// Call it while a page is set up.
    pub fn new() -> Self {
        let changed = StoredValue::new(None::<Self>);
        let desk = Self {
            address: Address::here(),
            toasts: Toasts::expect(),
            made: RwSignal::new(None),
            shown: RwSignal::new(false),
            dialog: RwSignal::new(None),
            client: StoredValue::new(expect_context::<Client>()),
            attempt: RwSignal::new(0),
            fresh: StoredValue::new(false),
            review: Review::new(move || {
                if let Some(Some(desk)) = changed.try_get_value() {
                    desk.changed();
                }
            }),
            then: StoredValue::new(None),
        };
        changed.set_value(Some(desk));
        // What had the focus may be gone with what was changed.
        Effect::new(move |before: Option<bool>| {
            let shown = desk.shown.get();
            if before == Some(true) && !shown {
                request_animation_frame(|| browser::focus_if_lost("#main"));
            }
            shown
        });
        desk
    }

    pub fn client(&self) -> Client {
        self.client.get_value()
    }

    /// Asks anew for what is shown.
    pub fn again(&self) {
        self.attempt.try_update(|attempt| *attempt += 1);
    }

    /// Moves whenever the page is asked for anew.
    pub fn asked_anew(&self) -> ReadSignal<u32> {
        self.attempt.read_only()
    }

    /// Opens the dialog.
    pub fn ask(&self, title: impl Into<String>, draw: impl Fn() -> AnyView + Send + Sync + 'static) {
        self.dialog.set(Some(Asking {
            title: title.into(),
            draw: Arc::new(draw),
        }));
        self.shown.set(true);
    }

    /// Asks anew, and MLflow too.
    pub fn anew(&self) {
        self.fresh.set_value(true);
        self.again();
    }

    /// Shows what edits would do, makes them when that is agreed to, and shows the page as it is then.
    pub fn change(&self, title: impl Into<String>, edits: Vec<Edit>) {
        self.change_named(title, edits, None);
    }

    /// The same where the edits are about things of these names.
    pub fn change_named(&self, title: impl Into<String>, edits: Vec<Edit>, names: impl IntoIterator<Item = (Target, String)>) {
        self.then.set_value(None);
        self.review.ask(review::Asked {
            title: title.into(),
            edits,
            undoes: None,
            names: names.into_iter().collect(),
        });
    }

    /// The same, and goes to another page when what is asked for there has come to be.
    pub fn change_then(&self, title: impl Into<String>, edits: Vec<Edit>, to: Route, asked: Asked) {
        self.change(title, edits);
        self.then.set_value(Some((to.href(), asked)));
    }

    /// Something was changed.
    fn changed(self) {
        self.shown.try_set(false);
        let Some((to, asked)) = self.then.try_update_value(Option::take).flatten() else {
            return self.again();
        };
        spawn_local(async move {
            match load(&self.client(), &asked).await {
                Ok(_) => self.address.go_to(&to, false),
                Err(_) => self.again(),
            }
        });
    }

    /// Closes the dialog and tells a link.
    pub fn tell(&self, made: UserMade) {
        self.shown.try_set(false);
        self.made.try_set(Some(made));
        request_animation_frame(|| {
            browser::focus("#link-title");
        });
    }

    /// Where the dialogs are in the page.
    pub fn dialogs(self) -> AnyView {
        let title = Signal::derive(move || self.dialog.read().as_ref().map(|asking| asking.title.clone()).unwrap_or_default());
        view! { <Dialog open=self.shown class="wide" title=title>{move || self.dialog.get().map(|asking| (asking.draw)())}</Dialog>{self.review.dialog()} }
    }

    /// What is asked for, drawn when it has come. `what`: "the users"; where it is empty, nothing stands in for what does not come.
    pub fn show(self, what: impl Into<String>, asked: Signal<Asked>, draw: impl Fn(Loaded) -> AnyView + Send + Sync + 'static) -> AnyView {
        self.show_boxed(what.into(), asked, Arc::new(draw))
    }

    fn show_boxed(self, what: String, asked: Signal<Asked>, draw: Arc<dyn Fn(Loaded) -> AnyView + Send + Sync>) -> AnyView {
        let found = Resource::new(
            move || (asked.get(), self.attempt.get()),
            move |(asked, _)| {
                let client = self.client();
                let asked = if self.fresh.try_update_value(std::mem::take).unwrap_or_default() {
                    asked.fresh()
                } else {
                    asked
                };
                async move { load(&client, &asked).await }
            },
        );
        let face = !what.is_empty();
        let trouble = move |error: ApiError| face.then(|| view! { <Trouble what=what.clone() error=error retry=move |()| self.again()/> });
        let trouble = Arc::new(trouble);
        let drawn = move || {
            let (draw, trouble) = (draw.clone(), trouble.clone());
            Suspend::new(async move {
                match found.await {
                    Ok(loaded) => draw(loaded),
                    Err(error) => trouble(error).into_any(),
                }
            })
        };
        view! { <Transition fallback=move || face.then(|| view! { <Loading/> })>{dynamic(drawn)}</Transition> }
    }
}
