//! The vault: once per user, the password that MLflow needs to hear, sealed under the secret key.
//!
//! Sessions and API keys only name a user. At rest a password is sealed. What is in use stays open in memory for a short while, so that a
//! call costs neither a query nor the opening of a seal, and is wiped then.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockWriteGuard},
    time::{Duration, Instant},
};

use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{
    clock,
    config::secret::SecretText,
    db::{Db, vault::Row},
    seal::Key,
};

/// The passwords of everybody who has signed in.
#[derive(Clone)]
pub struct Vault {
    db: Db,
    ring: KeyRing,
    opened: Arc<RwLock<Opened>>,
}

/// What is in use.
#[derive(Default)]
struct Opened {
    by_user: HashMap<String, Open>,
    /// How often a password was put or forgotten: who has read one before may not keep it after.
    changes: u64,
}

/// What MLflow needs to hear for a user.
struct Open {
    authorization: HeaderValue,
    since: Instant,
}

/// So long a password is open in memory before its seal is opened again.
const OPEN: Duration = Duration::from_secs(60);

/// The first key seals; each of them opens.
#[derive(Clone)]
pub struct KeyRing(Vec<(String, Key)>);

#[derive(Debug, thiserror::Error)]
#[error("a secret key is 32 random bytes in base64, as `openssl rand -base64 32` makes them")]
pub struct BadKey;

// === impl KeyRing ===

impl KeyRing {
    /// # Errors
    /// When a key is not 32 bytes in base64, or there is none.
    pub fn parse(texts: &[SecretText]) -> Result<Self, BadKey> {
        let keys = texts.iter().map(|text| {
            let bytes = Zeroizing::new(STANDARD.decode(text.expose().trim()).map_err(|_| BadKey)?);
            let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| BadKey)?;
            let id = Sha256::new().chain_update(b"flowdeck key id").chain_update(key).finalize();
            Ok((hex(&id[..4]), Key::new(key)))
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(BadKey) } else { Ok(Self(keys)) }
    }

    /// A new random key as text.
    pub fn generate() -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(Zeroizing::new(rand::random::<[u8; 32]>()).as_slice()))
    }

    fn current(&self) -> &(String, Key) {
        &self.0[0]
    }

    fn open(&self, row: &Row) -> Option<Zeroizing<Vec<u8>>> {
        let (_, key) = self.0.iter().find(|(id, _)| *id == row.key_id)?;
        key.open(&owner(&row.user), &row.sealed).ok()
    }
}

fn owner(user: &str) -> Vec<u8> {
    [b"vault:", user.as_bytes()].concat()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for half in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        text.push(char::from(b"0123456789abcdef"[usize::from(half)]));
    }
    text
}

// === impl Vault ===

impl Vault {
    pub fn new(db: Db, ring: KeyRing) -> Self {
        Self {
            db,
            ring,
            opened: Arc::default(),
        }
    }

    /// Seals anew, under the first key, what an older one seals. To be called at start.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn reseal(&self) -> sqlx::Result<()> {
        let rows = self.db.vault_rows_not_under(&self.ring.current().0).await?;
        let (mut done, mut lost) = (0, 0);
        for row in rows {
            match self.ring.open(&row) {
                Some(password) => {
                    self.put(&row.user, &password).await?;
                    done += 1;
                }
                None => lost += 1,
            }
        }
        if done > 0 {
            tracing::info!("sealed {done} passwords anew under the current secret key");
        }
        if lost > 0 {
            tracing::warn!("{lost} passwords are sealed under a key that is not configured; their users sign in again");
        }
        Ok(())
    }

    /// Keeps the password of `user`, which MLflow has just accepted.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put(&self, user: &str, password: &[u8]) -> sqlx::Result<()> {
        let (key_id, key) = self.ring.current();
        let row = Row {
            user: user.to_owned(),
            key_id: key_id.clone(),
            sealed: key.seal(&owner(user), password),
        };
        self.db.put_vault_row(&row, clock::now()).await?;
        // The next call opens the new one.
        self.opened().change(user);
        Ok(())
    }

    /// What MLflow needs to hear for `user` (RFC 7617), marked sensitive; `None` where it is not known, or no longer readable.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn authorization(&self, user: &str) -> sqlx::Result<Option<HeaderValue>> {
        let open = self.opened.read().unwrap_or_else(PoisonError::into_inner).get(user);
        match open {
            Some(open) => Ok(Some(open)),
            None => Box::pin(self.unseal(user)).await,
        }
    }

    async fn unseal(&self, user: &str) -> sqlx::Result<Option<HeaderValue>> {
        let before = self.opened().changes;
        let Some(row) = self.db.vault_row(user).await? else {
            return Ok(None);
        };
        let Some(authorization) = self.ring.open(&row).and_then(|password| basic(user, &password)) else {
            return Ok(None);
        };
        self.opened().put(user, authorization.clone(), before);
        Ok(Some(authorization))
    }

    /// Deletes the password of `user`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget(&self, user: &str) -> sqlx::Result<()> {
        self.db.delete_vault_row(user).await?;
        self.opened().change(user);
        Ok(())
    }

    /// Deletes the passwords that no session and no key needs, unless they came since `before` (ms since 1970).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_unused(&self, now: i64, before: i64) -> sqlx::Result<()> {
        self.db.delete_unused_vault_rows(now, before).await?;
        let mut opened = self.opened();
        opened.by_user.clear();
        opened.changes += 1;
        Ok(())
    }

    /// Wipes what has been open for long enough, for ever and ever; to be spawned.
    pub async fn close(self) {
        let mut every = tokio::time::interval(OPEN);
        loop {
            every.tick().await;
            self.opened().by_user.retain(|_, open| open.is_fresh());
        }
    }

    fn opened(&self) -> RwLockWriteGuard<'_, Opened> {
        self.opened.write().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Opened ===

impl Opened {
    fn get(&self, user: &str) -> Option<HeaderValue> {
        let open = self.by_user.get(user).filter(|open| open.is_fresh())?;
        Some(open.authorization.clone())
    }

    /// Keeps what was read at that state of changes, unless there is a newer one.
    fn put(&mut self, user: &str, authorization: HeaderValue, read_at: u64) {
        if self.changes == read_at {
            let since = Instant::now();
            self.by_user.insert(user.to_owned(), Open { authorization, since });
        }
    }

    fn change(&mut self, user: &str) {
        self.by_user.remove(user);
        self.changes += 1;
    }
}

// === impl Open ===

impl Open {
    fn is_fresh(&self) -> bool {
        self.since.elapsed() < OPEN
    }
}

/// `Basic` with name and password (RFC 7617), marked sensitive, and wiped when the last copy goes.
pub fn basic(user: &str, password: &[u8]) -> Option<HeaderValue> {
    let pair = Zeroizing::new([user.as_bytes(), b":", password].concat());
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_slice()));
    let text = Zeroizing::new(["Basic ", encoded.as_str()].concat().into_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::{KeyRing, Opened, Vault};
    use crate::{config::secret::SecretText, db::Db};

    fn key() -> SecretText {
        SecretText::from(KeyRing::generate().to_string())
    }

    async fn db() -> (Db, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Db::open(&folder.path().join("state.db")).await.unwrap(), folder)
    }

    #[tokio::test]
    async fn gives_back_what_was_put() {
        let (db, _folder) = db().await;
        let vault = Vault::new(db, KeyRing::parse(&[key()]).unwrap());
        vault.put("alice", b"hunter2hunter2").await.unwrap();
        let value = vault.authorization("alice").await.unwrap().unwrap();
        assert_eq!(value, "Basic YWxpY2U6aHVudGVyMmh1bnRlcjI=");
        assert!(value.is_sensitive());
        assert!(vault.authorization("bob").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_open_in_memory_follows_what_is_kept() {
        let (db, _folder) = db().await;
        let vault = Vault::new(db.clone(), KeyRing::parse(&[key()]).unwrap());
        let open = async || vault.authorization("alice").await.unwrap();
        vault.put("alice", b"old").await.unwrap();
        let (old, again) = (open().await, open().await);
        assert!(old.is_some() && old == again);
        vault.put("alice", b"new").await.unwrap();
        let new = open().await;
        assert!(new.is_some() && new != old);
        vault.forget("alice").await.unwrap();
        assert!(open().await.is_none());
        vault.put("alice", b"new").await.unwrap();
        assert_eq!(open().await, new);
        vault.forget_unused(i64::MAX, i64::MAX).await.unwrap();
        assert!(open().await.is_none());
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let mut opened = Opened::default();
        let before = opened.changes;
        opened.change("alice");
        opened.put("alice", HeaderValue::from_static("Basic old"), before);
        assert_eq!(opened.get("alice"), None);
        opened.put("alice", HeaderValue::from_static("Basic new"), opened.changes);
        assert_eq!(opened.get("alice").unwrap(), "Basic new");
    }

    #[tokio::test]
    async fn a_key_can_be_rotated_and_then_dropped() {
        let (db, _folder) = db().await;
        let (old, new) = (key(), key());
        Vault::new(db.clone(), KeyRing::parse(std::slice::from_ref(&old)).unwrap())
            .put("alice", b"password")
            .await
            .unwrap();
        let rotating = Vault::new(db.clone(), KeyRing::parse(&[new.clone(), old.clone()]).unwrap());
        rotating.reseal().await.unwrap();
        let alone = Vault::new(db.clone(), KeyRing::parse(&[new]).unwrap());
        assert!(alone.authorization("alice").await.unwrap().is_some());
        let stale = Vault::new(db, KeyRing::parse(&[old]).unwrap());
        assert!(stale.authorization("alice").await.unwrap().is_none());
    }

    #[test]
    fn a_bad_key_is_refused() {
        for text in ["", "short", "not base64!", "QUJD"] {
            assert!(KeyRing::parse(&[SecretText::from(text)]).is_err(), "{text}");
        }
        assert!(KeyRing::parse(&[]).is_err());
    }
}
