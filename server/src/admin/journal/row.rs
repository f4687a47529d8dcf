//! A change as it is written down, and as it is told.

use app::api::flowdeck::{
    change::{Change, ChangeState, Edit},
    grant::Subject,
};

use crate::{
    clock,
    db::change::Row,
    error::{Error, Result},
    state::State,
    vault::hex,
};

/// Writes down what became of an account by a route of its own, as the edits that it comes to.
///
/// # Errors
/// When the database cannot be written.
pub async fn note_account(state: &State, by: &str, request_id: String, reason: &str, edits: Vec<Edit>) -> Result<()> {
    let row = Row {
        number: 0,
        id: hex(&rand::random::<[u8; 8]>()),
        at: clock::now(),
        by: by.to_owned(),
        reason: reason.to_owned(),
        state: "applied".into(),
        edits: serde_json::to_string(&edits).map_err(anyhow::Error::from)?,
        done: edits.len() as i64,
        backwards: false,
        request_id,
        undoes: None,
        undone_by: None,
        trouble: None,
    };
    Ok(state.db.insert_change(&row, &about(&edits)).await?)
}

/// One change, as it is told.
///
/// # Errors
/// 404 where there is none.
pub async fn found(state: &State, id: &str) -> Result<Change> {
    tell(row(state, id).await?)
}

pub(super) async fn row(state: &State, id: &str) -> Result<Row> {
    let row = state.db.change(id).await?;
    row.ok_or_else(|| Error::NotFound("there is no such change".into()))
}

pub(super) fn edits(row: &Row) -> Result<Vec<Edit>> {
    Ok(serde_json::from_str(&row.edits).map_err(anyhow::Error::from)?)
}

/// A row as it is told.
///
/// # Errors
/// One that a newer Flowdeck has written.
pub fn tell(row: Row) -> Result<Change> {
    let edits = edits(&row)?;
    let state = match row.state.as_str() {
        "applied" => ChangeState::Applied,
        "reverted" => ChangeState::Reverted,
        "interrupted" => ChangeState::Interrupted,
        _ => ChangeState::Applying,
    };
    Ok(Change {
        can_undo: state == ChangeState::Applied && row.undone_by.is_none() && !edits.iter().all(Edit::is_empty),
        id: row.id,
        at: row.at,
        by: row.by,
        reason: row.reason,
        state,
        edits,
        request_id: row.request_id,
        undoes: row.undoes,
        undone_by: row.undone_by,
        trouble: row.trouble,
    })
}

/// What edits are about, as changes are found by.
pub(super) fn about(edits: &[Edit]) -> Vec<String> {
    let mut about = std::collections::BTreeSet::new();
    for edit in edits {
        match edit {
            Edit::Grant { to, on, .. } => {
                about.insert(match to {
                    Subject::User(name) => format!("user:{name}"),
                    Subject::Role(name) => format!("role:{name}"),
                });
                about.insert(format!("{}:{}", on.kind.name(), on.id));
            }
            Edit::Member { role, user, .. } => {
                about.insert(format!("role:{role}"));
                about.insert(format!("user:{user}"));
            }
            Edit::Admin { user, .. } | Edit::Account { user, .. } => drop(about.insert(format!("user:{user}"))),
            Edit::Role { role, .. } => drop(about.insert(format!("role:{role}"))),
            Edit::RoleName { was, will } => about.extend([format!("role:{was}"), format!("role:{will}")]),
            Edit::Group { group, .. } => drop(about.insert(format!("group:{group}"))),
            Edit::GroupMember { group, user, .. } => about.extend([format!("group:{group}"), format!("user:{user}")]),
            Edit::GroupRole { group, role, .. } => about.extend([format!("group:{group}"), format!("role:{role}")]),
        }
    }
    about.into_iter().collect()
}
