//! Making changes, all or nothing: each is written down before it begins and after each step, so that it can be taken back when a step
//! fails, and gone on with when MLflow, or Flowdeck itself, has gone away in the middle.

mod row;
mod step;

use app::api::flowdeck::{
    change::{Change, ChangeState, Edit},
    grant::{Level, Subject},
};
use axum::http::HeaderValue;

pub use self::row::{found, note_account, tell};
use self::{
    row::{about, edits, row},
    step::{Trouble, step},
};
use super::{
    account,
    change::{Plan, plan, subjects},
    index::{self, Changing, NotRead},
    world::World,
};
use crate::{
    clock,
    db::change::Row,
    error::{Error, Result},
    mlflow::{self, NotTold, Who, roster::NotDone},
    state::State,
    vault::hex,
    whole::whole,
};

const NOT_BACK: &str = "; taking it back failed: ";

/// A change that somebody wants.
pub struct Wanted {
    pub edits: Vec<Edit>,
    /// With what comes along with the edits.
    pub whole: bool,
    pub reason: String,
    pub request_id: String,
    /// The id of the change that this one takes back.
    pub undoes: Option<String>,
}

/// Whose credentials make a change.
#[derive(Clone)]
pub struct Author {
    pub who: Who,
    pub authorization: HeaderValue,
}

/// What became of a change.
enum End {
    Applied,
    Reverted(Trouble),
    /// How it goes on is to be seen.
    Interrupted(String),
}

/// Makes a change.
///
/// # Errors
/// 400, 403 and 409 where nothing was done, 502 where MLflow has gone away in the middle.
pub async fn apply(state: &State, author: Author, wanted: Wanted) -> Result<Change> {
    let state = state.clone();
    whole(async move { apply_now(&state, &author, wanted).await }).await
}

async fn apply_now(state: &State, author: &Author, wanted: Wanted) -> Result<Change> {
    let changing = state.index.change().await;
    let world = read(state, author, &wanted.edits).await?;
    let Plan {
        edits, conflicts, refused, ..
    } = plan(&world, &wanted.edits, wanted.whole)?;
    if let Some(conflict) = conflicts.first() {
        let more = match conflicts.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let sentence = format!("this is not as you have seen it: {}{more}. Nothing was changed", conflict.says);
        return Err(Error::Conflict(sentence));
    }
    if let Some(refused) = refused {
        return Err(Error::Conflict(refused));
    }
    permitted(&author.who, &edits)?;
    if edits.is_empty() {
        return Err(Error::BadRequest("there is nothing to change".into()));
    }
    let edits = in_steps(&author.who, &world, edits);
    make(state, author, changing, World::clone(&world), Wanted { edits, ..wanted }, 0).await
}

/// Makes a change whose last edit brings the others about at one stroke: that a user goes, with all that is theirs.
///
/// # Errors
/// As [`apply`].
pub async fn apply_at_one_stroke(state: &State, author: &Author, changing: Changing<'_>, world: World, wanted: Wanted) -> Result<Change> {
    let before_the_last = wanted.edits.len().saturating_sub(1);
    make(state, author, changing, world, wanted, before_the_last).await
}

/// Writes a change down, of which the first edits need nothing done, and makes it.
async fn make(state: &State, author: &Author, changing: Changing<'_>, mut world: World, wanted: Wanted, done: usize) -> Result<Change> {
    let edits = wanted.edits;
    let row = Row {
        number: 0,
        id: hex(&rand::random::<[u8; 8]>()),
        at: clock::now(),
        by: author.who.user.clone(),
        reason: wanted.reason,
        state: "applying".into(),
        edits: serde_json::to_string(&edits).map_err(anyhow::Error::from)?,
        done: done as i64,
        backwards: false,
        request_id: wanted.request_id,
        undoes: wanted.undoes,
        undone_by: None,
        trouble: None,
    };
    state.db.insert_change(&row, &about(&edits)).await?;
    let end = run(state, author, &row, &edits, &mut world).await?;
    leave(state, changing, author, world);
    let told = |trouble: &str| format!("nothing was changed: {trouble}");
    match end {
        End::Applied => {}
        End::Reverted(trouble) => {
            let text = told(&trouble.to_string());
            return Err(match trouble {
                Trouble::NotDone(_, NotDone::Unauthenticated) => Error::WrongCredentials(text),
                Trouble::NotDone(_, NotDone::Refused) => Error::Forbidden(text),
                Trouble::NotDone(_, NotDone::Exists | NotDone::Missing) | Trouble::Mismatch(_) => Error::Conflict(text),
                Trouble::NotDone(..) | Trouble::Told(_) => Error::Upstream(text),
                Trouble::Db(_) => Error::Unavailable(text),
            });
        }
        End::Interrupted(why) => {
            let id = &row.id;
            let sentence = format!("the change {id} was interrupted ({why}): it goes on, or is taken back, when MLflow answers again");
            return Err(Error::Upstream(sentence));
        }
    }
    found(state, &row.id).await
}

/// Takes a change back, as it was made, step by step.
///
/// # Errors
/// As [`apply`].
pub async fn undo(state: &State, author: Author, id: &str, request_id: String) -> Result<Change> {
    let Change { edits, reason, id, .. } = way_back(found(state, id).await?)?;
    let wanted = Wanted {
        edits,
        whole: false,
        reason: format!("Takes back: {reason}").trim_end_matches(": ").to_owned(),
        request_id,
        undoes: Some(id),
    };
    apply(state, author, wanted).await
}

/// A change with the edits that take it back.
///
/// # Errors
/// 409, and why it cannot be taken back.
pub fn way_back(change: Change) -> Result<Change> {
    if !change.can_undo {
        let sentence = match (&change.undone_by, change.state) {
            (Some(by), _) => format!("this change was taken back already, by {by}"),
            (None, ChangeState::Applied) => "a password cannot be put back".to_owned(),
            (None, _) => "only what was made to its end can be taken back".to_owned(),
        };
        return Err(Error::Conflict(sentence));
    }
    Ok(Change {
        edits: change.edits.into_iter().rev().map(Edit::reversed).collect(),
        ..change
    })
}

/// Goes on with a change that was interrupted.
///
/// # Errors
/// 404, 409 for one that was not, and as [`apply`].
pub async fn resume(state: &State, author: Author, id: &str) -> Result<Change> {
    let (state, id) = (state.clone(), id.to_owned());
    whole(async move { resume_now(&state, &author, &id).await }).await
}

async fn resume_now(state: &State, author: &Author, id: &str) -> Result<Change> {
    let changing = state.index.change().await;
    let row = row(state, id).await?;
    if !matches!(row.state.as_str(), "applying" | "interrupted") {
        return Err(Error::Conflict("this change has come to its end".into()));
    }
    let edits = edits(&row)?;
    let mut world = World::clone(&*read(state, author, &edits).await?);
    let stopped_at = stopped_at(&row, &edits);
    if let Some(edit) = &stopped_at {
        clear_half(state, author, edit, &mut world).await?;
    }
    let row = caught_up(row, stopped_at.as_ref(), &world);
    run(state, author, &row, &edits, &mut world).await?;
    leave(state, changing, author, world);
    found(state, id).await
}

/// Each edit as what MLflow does at one stroke. The level of a direct grant is changed by its row, and by administrators only: else the grant
/// is taken away and given anew, which are two steps, so that what stops between them is gone on with.
fn in_steps(who: &Who, world: &World, edits: Vec<Edit>) -> Vec<Edit> {
    let mut now = world.clone();
    let mut steps = Vec::with_capacity(edits.len());
    for edit in edits {
        let parts = match &edit {
            Edit::Grant {
                to: to @ Subject::User(_),
                on,
                was: was @ Some(_),
                will: will @ Some(_),
            } if !who.is_admin || now.grants_of(to).and_then(|grants| grants.get(on)?.row).is_none() => {
                let part = |was: &Option<Level>, will: &Option<Level>| Edit::Grant {
                    to: to.clone(),
                    on: on.clone(),
                    was: *was,
                    will: *will,
                };
                vec![part(was, &None), part(&None, will)]
            }
            _ => vec![edit],
        };
        for part in parts {
            now.make(&part, None);
            steps.push(part);
        }
    }
    steps
}

/// What is known after a change; who is no administrator has seen only a part of it.
fn leave(state: &State, changing: Changing<'_>, author: &Author, world: World) {
    // What was read before may no longer be theirs to read.
    state.together.forget();
    if author.who.is_admin {
        changing.leaves(world);
    } else {
        state.index.touch();
    }
}

/// The step at which a change stopped, as it was to be made.
fn stopped_at(row: &Row, edits: &[Edit]) -> Option<Edit> {
    let done = row.done as usize;
    if row.backwards {
        return Some(edits.get(done.checked_sub(1)?)?.clone().reversed());
    }
    edits.get(done).cloned()
}

/// An account is kept in MLflow and here, and the step that makes or ends it may have come to one of them alone. Half a user is none: what is
/// there of it goes.
async fn clear_half(state: &State, author: &Author, edit: &Edit, world: &mut World) -> Result<()> {
    let Edit::Account { user, was, will } = edit else {
        return Ok(());
    };
    let is_half = match (was, will, world.users.get(user)) {
        (Some(_), None, None) => true,
        // Somebody else's user of this name would have something.
        (None, Some(will), Some(now)) => now.account() != *will && !now.admin && now.grants.is_empty() && now.roles.is_empty(),
        _ => false,
    };
    if is_half {
        account::end(state, author, user).await?;
        world.leave(user);
    }
    Ok(())
}

/// The step at which it stopped may have been made, though nobody heard of it.
fn caught_up(mut row: Row, stopped_at: Option<&Edit>, world: &World) -> Row {
    let is_made = |edit: &Edit| world.agrees(edit).is_err() && world.agrees(&edit.clone().reversed()).is_ok();
    if stopped_at.is_some_and(is_made) {
        row.done += if row.backwards { -1 } else { 1 };
    }
    row
}

/// What was under way when Flowdeck was stopped is told as interrupted; for a Flowdeck that starts.
///
/// # Errors
/// When the database cannot be written.
pub async fn restore(state: &State) -> sqlx::Result<()> {
    state.db.interrupt_changes().await
}

/// Goes on with everything that was interrupted, with the credentials of whoever began it, where they are in the vault.
///
/// # Errors
/// When the database cannot be read.
pub async fn resume_all(state: &State) -> sqlx::Result<()> {
    for row in state.db.open_changes().await? {
        let Some(authorization) = state.vault.authorization(&row.by).await? else {
            continue;
        };
        let Ok(who) = mlflow::who(&state.upstream, &authorization).await else {
            continue;
        };
        let author = Author { who, authorization };
        match resume(state, author, &row.id).await {
            Ok(change) => tracing::info!(
                change = change.id,
                "a change that was interrupted has come to its end: {:?}",
                change.state
            ),
            // It was under way, and has come to its end meanwhile.
            Err(Error::Conflict(_)) => {}
            Err(error) => tracing::warn!(change = row.id, "a change that was interrupted cannot go on yet: {error}"),
        }
    }
    Ok(())
}

/// What an administrator may everything of, others grants on single things: then MLflow is asked, which decides.
pub fn permitted(who: &Who, edits: &[Edit]) -> Result<()> {
    let is_others = |edit: &Edit| match edit {
        Edit::Grant {
            to: Subject::User(_), on, ..
        } => on.is_all(),
        _ => true,
    };
    if !who.is_admin && edits.iter().any(is_others) {
        let sentence = "only owners of this MLflow (its administrators) change this; who manages a thing grants on it to users";
        return Err(Error::Forbidden(sentence.into()));
    }
    let is_oneself = |edit: &Edit| match edit {
        Edit::Account { user, will, .. } => *user == who.user && !will.is_some_and(|account| account.active),
        _ => false,
    };
    if edits.iter().any(is_oneself) {
        return Err(Error::Conflict("this is yourself: let another administrator do it".into()));
    }
    Ok(())
}

async fn read(state: &State, author: &Author, edits: &[Edit]) -> Result<std::sync::Arc<World>> {
    let read = if author.who.is_admin {
        let subjects = subjects(state.index.last().as_deref(), edits);
        state.index.fresh_for(state, &author.authorization, &subjects).await
    } else {
        let partial = index::partial(state, &author.authorization, &author.who.user);
        partial.await.map(std::sync::Arc::new)
    };
    read.map_err(|error| match error {
        NotRead::NotTold(NotTold::Unauthenticated) => Error::WrongCredentials("MLflow no longer takes these credentials".into()),
        NotRead::NotTold(error) => Error::Upstream(error.to_string()),
        NotRead::Refused => Error::Forbidden(error.to_string()),
        NotRead::Db(error) => error.into(),
    })
}

/// Makes what is left of a change, or takes back what was made.
async fn run(state: &State, author: &Author, row: &Row, edits: &[Edit], world: &mut World) -> sqlx::Result<End> {
    let (id, mut done) = (row.id.as_str(), row.done as usize);
    let mut failed = row.backwards.then(|| first_trouble(row));
    while failed.is_none() && done < edits.len() {
        match step(state, author, world, &edits[done]).await {
            Ok(()) => {
                done += 1;
                state.db.step_change(id, done).await?;
            }
            Err(Trouble::NotDone(what, NotDone::Away(fault))) => return interrupted(state, id, format!("{what}: {fault}")).await,
            Err(error) => {
                state.db.turn_change(id, &error.to_string()).await?;
                failed = Some(error);
            }
        }
    }
    let Some(trouble) = failed else {
        state.db.end_change(id, "applied", None).await?;
        return Ok(End::Applied);
    };
    while done > 0 {
        match step(state, author, world, &edits[done - 1].clone().reversed()).await {
            // What somebody else has changed meanwhile stays as they left it.
            Ok(()) | Err(Trouble::Mismatch(_)) => {
                done -= 1;
                state.db.step_change(id, done).await?;
            }
            Err(error) => return interrupted(state, id, format!("{trouble}{NOT_BACK}{error}")).await,
        }
    }
    state.db.end_change(id, "reverted", Some(&trouble.to_string())).await?;
    Ok(End::Reverted(trouble))
}

/// Why a change is taken back, without why that failed the last time.
fn first_trouble(row: &Row) -> Trouble {
    let trouble = row.trouble.as_deref().unwrap_or_default();
    Trouble::Told(trouble.split(NOT_BACK).next().unwrap_or_default().to_owned())
}

async fn interrupted(state: &State, id: &str, why: String) -> sqlx::Result<End> {
    tracing::error!(change = id, "a change was interrupted: {why}");
    state.db.end_change(id, "interrupted", Some(&why)).await?;
    Ok(End::Interrupted(why))
}
