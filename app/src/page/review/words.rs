//! Edits, levels and things in words.

use crate::prelude::*;

use crate::{
    api::flowdeck::{
        change::{Account, Edit},
        grant::{Kind, Level, Subject, Target},
    },
    part::face::quoted,
};

/// What some things are called.
pub type Names = Vec<(Target, String)>;

/// `READ`, or `nothing`.
pub fn level_name(level: Option<Level>) -> &'static str {
    level.map_or("nothing", Level::name)
}

/// The same as a chip.
pub fn level(level: Option<Level>) -> AnyView {
    let class = match level {
        None => "level none",
        Some(Level::Deny) => "level deny",
        Some(Level::Manage) => "level manage",
        Some(_) => "level",
    };
    view! { <span class=class title=level.map(Level::means)>{level_name(level)}</span> }.into_any()
}

/// From one level to another.
pub fn step(was: Option<Level>, will: Option<Level>) -> AnyView {
    view! { <span class="step">{level(was)}<span aria-label="to">" → "</span>{level(will)}</span> }.into_any()
}

/// A kind in words, one of it.
pub fn kind(kind: Kind) -> String {
    match kind {
        Kind::RegisteredModel => "model".into(),
        Kind::McpServer => "MCP server".into(),
        Kind::McpServerVersion => "MCP server version".into(),
        kind => kind.name().replace('_', " "),
    }
}

/// `experiment “vision”`, `experiment 7` or `every experiment`.
pub fn thing(on: &Target, names: &Names) -> String {
    let what = kind(on.kind);
    if on.kind == Kind::Workspace {
        return "the whole workspace".into();
    }
    if on.is_all() {
        return format!("every {what}");
    }
    match names.iter().find(|known| known.0 == *on) {
        Some((_, name)) => format!("{what} {}", quoted(name)),
        None if on.kind == Kind::Experiment => format!("{what} {}", on.id),
        None => format!("{what} {}", quoted(&on.id)),
    }
}

/// `ada`, or `the role team`.
pub fn subject(to: &Subject) -> String {
    match to {
        Subject::User(name) => isolated(name),
        Subject::Role(name) => format!("the role {}", isolated(name)),
    }
}

/// What is so before, and what is so after.
pub fn edit(edit: &Edit, names: &Names) -> String {
    let there = |will: bool, yes: &str, no: &str| if will { yes.to_owned() } else { no.to_owned() };
    match edit {
        Edit::Grant { to, on, was, will } => {
            let (was, will) = (level_name(*was), level_name(*will));
            format!("{}: {was} → {will} on {}", subject(to), thing(on, names))
        }
        Edit::Member {
            role, user, will, group, ..
        } => {
            let through = group
                .as_ref()
                .map(|group| format!(" through the group {}", isolated(group)))
                .unwrap_or_default();
            format!(
                "{} {} the role {}{through}",
                isolated(user),
                there(*will, "gets", "loses"),
                isolated(role)
            )
        }
        Edit::Admin { user, will, .. } => {
            format!(
                "{} {}",
                isolated(user),
                there(*will, "becomes an administrator", "is no administrator any more")
            )
        }
        Edit::Role { role, was, will } => text("role", role, was.is_some(), will.is_some()),
        Edit::RoleName { was, will } => format!("the role {} is called {}", isolated(was), isolated(will)),
        Edit::Group { group, was, will } => text("group", group, was.is_some(), will.is_some()),
        Edit::GroupMember { group, user, will, .. } => {
            format!(
                "{} {} the group {}",
                isolated(user),
                there(*will, "comes into", "leaves"),
                isolated(group)
            )
        }
        Edit::GroupRole { group, role, will, .. } => {
            format!(
                "the group {} {} the role {}",
                isolated(group),
                there(*will, "gets", "loses"),
                isolated(role)
            )
        }
        Edit::Account { user, was, will } => {
            let say = |account: &Option<Account>| match account {
                None => "none",
                Some(Account { active: false, .. }) => "deactivated",
                Some(Account { service: true, .. }) => "for programs",
                Some(_) => "active",
            };
            format!("account of {}: {} → {}", isolated(user), say(was), say(will))
        }
    }
}

/// `ada` kept apart from the sentence around it, whatever its direction.
fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}

fn text(what: &str, name: &str, was: bool, will: bool) -> String {
    let becomes = match (was, will) {
        (false, _) => "is made",
        (true, false) => "is deleted",
        (true, true) => "is described anew",
    };
    format!("the {what} {} {becomes}", isolated(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_said_from_before_to_after() {
        let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
        let on = Target::new(Kind::Experiment, "7");
        let grant = |to, on: &Target| Edit::Grant {
            to,
            on: on.clone(),
            was: None,
            will: Some(Level::Edit),
        };
        let ada = Subject::User("ada".into());
        assert_eq!(
            plain(edit(&grant(ada.clone(), &on), &Vec::new())),
            "ada: nothing → EDIT on experiment 7"
        );
        let names = vec![(on.clone(), "vision".to_owned())];
        assert_eq!(
            plain(edit(&grant(Subject::Role("team".into()), &on), &names)),
            "the role team: nothing → EDIT on experiment “vision”"
        );
        let all = Target::new(Kind::RegisteredModel, Target::ALL);
        assert_eq!(
            plain(edit(&grant(ada, &all).reversed(), &names)),
            "ada: EDIT → nothing on every model"
        );
    }
}
