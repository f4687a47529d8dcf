//! One step of a change: an edit, made in MLflow or in what Flowdeck keeps.

use app::api::flowdeck::{change::Edit, grant::Subject};

use super::Author;
use crate::{
    admin::{account, world::World},
    mlflow::roster::{self, NotDone},
    state::State,
};

/// Why a step was not made.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("{0}: {1}")]
    NotDone(String, NotDone),
    #[error("meanwhile {0}")]
    Mismatch(String),
    /// As it was written down.
    #[error("{0}")]
    Told(String),
    #[error("Flowdeck's state database could not be written: {0}")]
    Db(#[from] sqlx::Error),
}

/// Makes one edit in MLflow, or in Flowdeck's own state, and in the world.
pub async fn step(state: &State, author: &Author, world: &mut World, edit: &Edit) -> Result<(), Trouble> {
    world.agrees(edit).map_err(|mismatch| Trouble::Mismatch(mismatch.0))?;
    let row = make(state, author, world, edit).await?;
    world.make(edit, row);
    Ok(())
}

/// The row in MLflow, where it tells one.
async fn make(state: &State, author: &Author, world: &World, edit: &Edit) -> Result<Option<i64>, Trouble> {
    let (upstream, authorization) = (&state.upstream, &author.authorization);
    let role_id = |name: &str| world.roles.get(name).and_then(|role| role.id);
    let known = |id: Option<i64>, what: &str| id.ok_or_else(|| Trouble::NotDone(what.to_owned(), NotDone::Missing));
    match edit {
        Edit::Grant {
            to: to @ Subject::User(user),
            on,
            was,
            will,
        } => {
            let what = || format!("the grant of {user} on {} {}", on.kind.name(), on.id);
            let row = world.grants_of(to).and_then(|grants| grants.get(on)?.row);
            let made = match (was, will) {
                (_, None) => roster::revoke(upstream, authorization, user, on).await,
                (None, Some(level)) => roster::grant(upstream, authorization, user, on, *level).await,
                (Some(_), Some(level)) => roster::change_grant(upstream, authorization, known(row, &what())?, *level).await,
            };
            made.map(|()| None).map_err(|error| Trouble::NotDone(what(), error))
        }
        Edit::Grant {
            to: to @ Subject::Role(role),
            on,
            was,
            will,
        } => {
            let what = format!("the grant of the role {role} on {} {}", on.kind.name(), on.id);
            let row = world.grants_of(to).and_then(|grants| grants.get(on)?.row);
            let made = match (was, will) {
                (None, None) => Ok(None),
                (None, Some(level)) => {
                    let id = known(role_id(role), &what)?;
                    roster::add_grant(upstream, authorization, id, on, *level).await.map(Some)
                }
                (Some(_), None) => roster::remove_grant(upstream, authorization, known(row, &what)?)
                    .await
                    .map(|()| None),
                (Some(_), Some(level)) => roster::change_grant(upstream, authorization, known(row, &what)?, *level)
                    .await
                    .map(|()| row),
            };
            made.map_err(|error| Trouble::NotDone(what, error))
        }
        Edit::Member {
            role, user, will, group, ..
        } => {
            let what = format!("the role {role} of {user}");
            let id = known(role_id(role), &what)?;
            let made = if *will {
                roster::assign(upstream, authorization, id, user).await
            } else {
                roster::unassign(upstream, authorization, id, user).await
            };
            made.map_err(|error| Trouble::NotDone(what, error))?;
            state.db.put_group_assignment(user, role, *will && group.is_some()).await?;
            Ok(None)
        }
        Edit::Admin { user, will, .. } => {
            let made = roster::set_admin(upstream, authorization, user, *will).await;
            state.owners.forget(user);
            made.map(|()| None)
                .map_err(|error| Trouble::NotDone(format!("whether {user} is an administrator"), error))
        }
        Edit::Role { role, was, will } => {
            let what = format!("the role {role}");
            let made = match (was, will) {
                (None, None) => Ok(None),
                (None, Some(text)) => roster::create_role(upstream, authorization, role, &text.description)
                    .await
                    .map(Some),
                (Some(_), Some(text)) => {
                    let id = known(role_id(role), &what)?;
                    let made = roster::update_role(upstream, authorization, id, role, &text.description).await;
                    made.map(|()| Some(id))
                }
                (Some(_), None) => {
                    let id = known(role_id(role), &what)?;
                    roster::delete_role(upstream, authorization, id).await.map(|()| None)
                }
            };
            made.map_err(|error| Trouble::NotDone(what, error))
        }
        Edit::RoleName { was, will } => {
            let what = format!("the name of the role {was}");
            let role = world.roles.get(was);
            let id = known(role.and_then(|role| role.id), &what)?;
            let description = role.map(|role| role.description.as_str()).unwrap_or_default();
            let made = roster::update_role(upstream, authorization, id, will, description).await;
            made.map_err(|error| Trouble::NotDone(what, error))?;
            state.db.rename_role(was, will).await?;
            Ok(None)
        }
        Edit::Group { group, will, .. } => {
            match will {
                Some(text) => state.db.put_group(group, &text.description).await?,
                None => state.db.delete_group(group).await?,
            }
            Ok(None)
        }
        Edit::GroupMember { group, user, will, .. } => {
            state.db.put_group_member(group, user, *will).await?;
            Ok(None)
        }
        Edit::GroupRole { group, role, will, .. } => {
            state.db.put_group_role(group, role, *will).await?;
            Ok(None)
        }
        Edit::Account { user, was, will } => {
            let made = match (was, will) {
                (None, Some(account)) => account::make(state, author, user, *account).await.map(drop),
                (_, None) => account::end(state, author, user).await,
                (Some(_), Some(will)) if will.active => {
                    let stopped = state.db.inactive_user(user).await?;
                    account::begin_again(state, author, user, will.service, stopped).await.map(drop)
                }
                (Some(was), Some(_)) if was.active => account::stop(state, author, user).await,
                // Who was stopped stays so.
                (Some(_), Some(_)) => Ok(()),
            };
            made.map(|()| None).map_err(|error| match error {
                account::Trouble::NotDone(error) => Trouble::NotDone(format!("the account of {user}"), error),
                account::Trouble::Db(error) => error.into(),
            })
        }
    }
}
