//! What is on the page and what is done to it.

use crate::prelude::*;
use leptos::task::spawn_local;

use crate::{
    api::{
        self, Client,
        flowdeck::key::{self, Account, Key, Made},
    },
    browser,
    part::{face::quoted, toast::Toasts},
};

#[derive(Clone, Copy)]
pub struct Changes {
    pub keys: RwSignal<Vec<Key>>,
    pub accounts: RwSignal<Vec<Account>>,
    /// A key whose secret is on the screen.
    pub fresh: RwSignal<Option<Made>>,
    /// What the dialog is about; it stays while the dialog closes.
    pub opened: RwSignal<Option<Opened>>,
    pub shown: RwSignal<bool>,
    pub toasts: Toasts,
    client: StoredValue<Client>,
}

/// What the dialog can be about.
#[derive(Clone)]
pub enum Opened {
    /// A new key, for somebody else where one is named.
    New(Option<String>),
    Edit(Key),
    Rotate(Key),
    Revoke(Key),
    /// All keys of this user, and how many these are.
    RevokeAll(String, usize),
    /// A service account to delete.
    Delete(Account),
}

// === impl Changes ===

impl Changes {
    pub fn new(keys: Vec<Key>, accounts: Vec<Account>) -> Self {
        let changes = Self {
            keys: RwSignal::new(keys),
            accounts: RwSignal::new(accounts),
            fresh: RwSignal::new(None),
            opened: RwSignal::new(None),
            shown: RwSignal::new(false),
            toasts: Toasts::expect(),
            client: StoredValue::new(expect_context::<Client>()),
        };
        // The row may have been drawn anew while its dialog was open: the focus goes to the new one.
        Effect::new(move |before: Option<bool>| {
            let shown = changes.shown.get();
            if before == Some(true) && !shown && changes.fresh.read_untracked().is_none() {
                request_animation_frame(|| browser::focus_if_lost("[data-key='n'], .keyring h1"));
            }
            shown
        });
        changes
    }

    pub fn client(&self) -> Client {
        self.client.get_value()
    }

    pub fn open(&self, opened: Opened) {
        self.opened.set(Some(opened));
        self.shown.set(true);
    }

    pub fn title(&self) -> String {
        self.opened.with(|opened| match opened {
            None => String::new(),
            Some(Opened::New(None)) => "New API key".into(),
            Some(Opened::New(Some(user))) => format!("New API key for {}", quoted(user)),
            Some(Opened::Edit(key)) => format!("Edit {}", quoted(&key.name)),
            Some(Opened::Rotate(key)) => format!("Rotate {}", quoted(&key.name)),
            Some(Opened::Revoke(key)) => format!("Revoke {}?", quoted(&key.name)),
            Some(Opened::RevokeAll(user, _)) => format!("Revoke all keys of {}?", quoted(user)),
            Some(Opened::Delete(account)) => format!("Delete {}?", quoted(&account.name)),
        })
    }

    /// Shows a key as it is now: in its place, or as the first one.
    pub fn put(&self, key: Key) {
        self.keys.try_update(|keys| match keys.iter_mut().find(|known| known.id == key.id) {
            Some(known) => *known = key,
            None => keys.insert(0, key),
        });
    }

    /// A key was made or rotated: its secret is told now or never.
    pub fn tell(&self, made: Made) {
        let fresh = self.fresh;
        self.put(made.key.clone());
        self.shown.try_set(false);
        fresh.try_set(Some(made));
        request_animation_frame(|| {
            browser::focus("#fresh-title");
        });
    }

    /// Disables a key, or puts it to work again.
    pub fn enable(&self, key: Key, on: bool) {
        let changes = *self;
        spawn_local(async move {
            let name = quoted(&key.name);
            match key::enable(&changes.client(), &key.id, on).await {
                Ok(key) => {
                    let word = if on { "Enabled" } else { "Disabled" };
                    changes.put(key.clone());
                    changes
                        .toasts
                        .undo(format!("{word} {name}"), move || changes.put_back(key.clone(), !on));
                }
                Err(error) => {
                    let word = if on { "enabled" } else { "disabled" };
                    changes.toasts.failed(&format!("{name} was not {word}"), &error);
                }
            }
        });
    }

    fn put_back(self, key: Key, on: bool) {
        spawn_local(async move {
            match key::enable(&self.client(), &key.id, on).await {
                Ok(key) => self.put(key),
                Err(error) => self.toasts.failed("That could not be undone", &error),
            }
        });
    }

    /// Everybody's keys, asked for anew.
    pub async fn refresh_keys(&self) -> api::Result<()> {
        let keys = key::list(&self.client(), true).await?;
        self.keys.try_set(keys);
        Ok(())
    }

    /// The service accounts, asked for anew.
    pub async fn refresh_accounts(&self) -> api::Result<()> {
        let accounts = key::accounts(&self.client()).await?;
        self.accounts.try_set(accounts);
        Ok(())
    }
}
