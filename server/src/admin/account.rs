//! What is done to an account: made, ended, stopped and begun again, its password replaced; in MLflow, and in what Flowdeck keeps of it.

use app::api::flowdeck::change::Account;
use zeroize::Zeroizing;

use super::{invite, journal::Author};
use crate::{
    clock,
    db::{self, user::Inactive},
    error::Error,
    key,
    mlflow::roster::{self, NotDone},
    state::State,
};

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    NotDone(#[from] NotDone),
    #[error(transparent)]
    Db(#[from] sqlx::Error),
}

pub type Result<T> = std::result::Result<T, Trouble>;

// === impl Trouble ===

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotDone(NotDone::Exists) => Self::BadRequest("`name`: MLflow has a user of that name already".into()),
            Trouble::NotDone(NotDone::Missing) => Self::NotFound("there is no such user".into()),
            Trouble::NotDone(error @ NotDone::Refused) => Self::Forbidden(error.to_string()),
            Trouble::NotDone(error) => Self::Upstream(error.to_string()),
            Trouble::Db(error) => error.into(),
        }
    }
}

/// Makes a user, whose password is the answer.
///
/// # Errors
/// When MLflow does not, or the database cannot be written: then there is no user.
pub async fn make(state: &State, author: &Author, name: &str, account: Account) -> Result<Zeroizing<String>> {
    let password = invite::unknown_password();
    roster::create_user(&state.upstream, &author.authorization, name, &password).await?;
    let kept = async {
        forget(state, name).await?;
        if account.service {
            state.vault.put(name, password.as_bytes()).await?;
            let row = db::key::Account {
                name: name.to_owned(),
                created_at: clock::now(),
                created_by: author.who.user.clone(),
            };
            state.db.put_service_account(&row).await?;
        }
        if !account.active {
            put_inactive(state, author, name, &[]).await?;
        }
        Ok(())
    };
    if let Err(error) = kept.await {
        take_back(state, author, name).await;
        return Err(error);
    }
    Ok(password)
}

/// Half a user is none: deletes one who could not be finished.
pub async fn take_back(state: &State, author: &Author, name: &str) {
    if let Err(left) = end(state, author, name).await {
        tracing::error!(name, "a user who was not finished could not be deleted again: {left}");
    }
}

/// Deletes a user, with all that Flowdeck keeps of them.
///
/// # Errors
/// [`Trouble`]. Who is not there any more is no trouble.
pub async fn end(state: &State, author: &Author, name: &str) -> Result<()> {
    match roster::delete_user(&state.upstream, &author.authorization, name).await {
        Ok(()) | Err(NotDone::Missing) => {}
        Err(error) => return Err(error.into()),
    }
    forget(state, name).await
}

/// Ends sessions and own views and revokes keys: whoever has the name from now on has nothing of who had it before.
///
/// # Errors
/// When the database cannot be written.
pub async fn forget(state: &State, name: &str) -> Result<()> {
    state.keys.revoke_all(name).await?;
    state.vault.forget(name).await?;
    state.db.forget_user(name).await?;
    state.doubt(name);
    Ok(())
}

/// Sessions, keys and the password stop at once.
///
/// # Errors
/// [`Trouble`].
pub async fn stop(state: &State, author: &Author, name: &str) -> Result<()> {
    let password = invite::unknown_password();
    roster::set_password(&state.upstream, &author.authorization, name, &password).await?;
    state.vault.forget(name).await?;
    state.db.end_sessions(name).await?;
    state.doubt(name);
    state.db.delete_invite_of(name).await?;
    let worked = state.keys.list(|key| key.user == name && key.state == key::State::Active);
    let ids: Vec<&str> = worked.iter().map(|key| key.id.as_str()).collect();
    put_inactive(state, author, name, &ids).await?;
    for id in ids {
        let disable = |key: &mut key::Key| {
            key.state = key::State::Disabled;
            Ok::<_, Trouble>(())
        };
        state.keys.change(id, disable).await?;
    }
    Ok(())
}

/// Who was `stopped` begins again, with a password as [`replace_password`] makes it; keys that worked before work again.
///
/// # Errors
/// [`Trouble`].
pub async fn begin_again(
    state: &State,
    author: &Author,
    name: &str,
    service: bool,
    stopped: Option<Inactive>,
) -> Result<Option<Zeroizing<String>>> {
    let password = replace_password(state, author, name, service).await?;
    let ids: Vec<String> = stopped.and_then(|row| serde_json::from_str(&row.keys).ok()).unwrap_or_default();
    for id in ids {
        let enable = |key: &mut key::Key| {
            if key.state == key::State::Disabled {
                key.state = key::State::Active;
            }
            Ok::<_, Trouble>(())
        };
        state.keys.change(&id, enable).await?;
    }
    state.db.delete_inactive_user(name).await?;
    Ok(password)
}

/// A new password that nobody knows: a service account's lies in the vault; a person's is the answer, for a link that changes it.
///
/// # Errors
/// [`Trouble`].
pub async fn replace_password(state: &State, author: &Author, name: &str, service: bool) -> Result<Option<Zeroizing<String>>> {
    let password = invite::unknown_password();
    roster::set_password(&state.upstream, &author.authorization, name, &password).await?;
    if service {
        state.vault.put(name, password.as_bytes()).await?;
        return Ok(None);
    }
    state.vault.forget(name).await?;
    Ok(Some(password))
}

async fn put_inactive(state: &State, author: &Author, name: &str, keys: &[&str]) -> Result<()> {
    let row = Inactive {
        name: name.to_owned(),
        at: clock::now(),
        by: author.who.user.clone(),
        keys: serde_json::json!(keys).to_string(),
    };
    Ok(state.db.put_inactive_user(&row).await?)
}
