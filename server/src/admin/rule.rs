//! Rules over names: what is called like this, a role gets this much of. They are kept as MLflow's own grants; what somebody has changed
//! by hand is told, and not repaired unless that is asked for.

pub mod rest;

use app::api::flowdeck::{
    change::Edit,
    grant::{Kind, Level, Subject, Target},
    rule::{Keep, Produced, ProducedState, RuleCounts},
};

use super::{
    index::Subjects,
    journal::{self, Author, Wanted},
    world::World,
};
use crate::{
    clock,
    db::rule::{Made, Row},
    error::{Error, Result},
    mlflow,
    state::State,
};

/// A rule as it is reckoned with.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    pub kind: Kind,
    pub pattern: String,
    pub role: String,
    pub level: Level,
    pub enabled: bool,
}

/// One thing that a rule is about, or was, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct About {
    on: Target,
    role: String,
    state: ProducedState,
    /// What the role has of it now.
    now: Option<Level>,
    /// By the rule, as it remembers.
    made: bool,
}

// === impl Rule ===

impl Rule {
    /// # Errors
    /// A row that a newer Flowdeck has written.
    pub fn of(row: &Row) -> Result<Self> {
        let known = Kind::named(&row.kind).zip(Level::named(&row.level));
        let (kind, level) = known.ok_or_else(|| anyhow::anyhow!("the rule {} cannot be read", row.id))?;
        Ok(Self {
            id: row.id.clone(),
            kind,
            pattern: row.pattern.clone(),
            role: row.role.clone(),
            level,
            enabled: row.enabled,
        })
    }

    /// All things that the rule is about, and what it has made of others that it was about.
    fn about(&self, world: &World, made: &[Made]) -> Vec<About> {
        let now = |role: &str, on: &Target| world.roles.get(role)?.grants.get(on).map(|entry| entry.level);
        let mine = |on: &Target| {
            made.iter()
                .find(|made| made.id == on.id && made.kind == on.kind.name() && made.role == self.role)
        };
        let meant =
            |(on, (name, _)): &(&Target, &(String, Option<i64>))| self.enabled && on.kind == self.kind && matches(&self.pattern, name);
        let mut about: Vec<About> = Vec::new();
        for (on, _) in world.things.all.iter().filter(meant) {
            let (now, mine) = (now(&self.role, on), mine(on));
            let state = match (now, mine) {
                (Some(now), _) if now == self.level => ProducedState::Kept,
                (None, None) => ProducedState::Missing,
                // The rule says something else since.
                (Some(now), Some(mine)) if now.name() == mine.level => ProducedState::Missing,
                _ => ProducedState::Drifted,
            };
            about.push(About {
                on: on.clone(),
                role: self.role.clone(),
                state,
                now,
                made: mine.is_some(),
            });
        }
        for made in made {
            let Some(kind) = Kind::named(&made.kind) else { continue };
            let on = Target::new(kind, made.id.clone());
            if about.iter().any(|known| known.on == on && known.role == made.role) {
                continue;
            }
            let now = now(&made.role, &on);
            // What is gone needs no more taking away; what was changed by hand is not ours any more.
            if now.is_some_and(|now| now.name() == made.level) {
                about.push(About {
                    on,
                    role: made.role.clone(),
                    state: ProducedState::Stray,
                    now,
                    made: true,
                });
            }
        }
        about
    }

    /// As it is told.
    pub fn produced(&self, world: &World, made: &[Made]) -> Vec<Produced> {
        let told = self.about(world, made).into_iter().map(|about| Produced {
            name: world.things.name(&about.on).unwrap_or(&about.on.id).to_owned(),
            on: about.on,
            state: about.state,
            level: about.now,
        });
        told.collect()
    }
}

/// How many are in which state.
pub fn counts(produced: &[Produced]) -> RuleCounts {
    let mut counts = RuleCounts::default();
    for produced in produced {
        *match produced.state {
            ProducedState::Kept => &mut counts.kept,
            ProducedState::Missing => &mut counts.missing,
            ProducedState::Drifted => &mut counts.drifted,
            ProducedState::Stray => &mut counts.stray,
        } += 1;
    }
    counts
}

/// What has to be done to keep a rule, and what it has made then.
fn plan(rule: &Rule, world: &World, made: &[Made], keep: Keep) -> (Vec<Edit>, Vec<Made>) {
    let (mut edits, mut left) = (Vec::new(), Vec::new());
    for about in rule.about(world, made) {
        let will = match about.state {
            ProducedState::Stray => None,
            _ => Some(rule.level),
        };
        let done =
            matches!(about.state, ProducedState::Missing | ProducedState::Stray) || about.state == ProducedState::Drifted && keep.repair;
        if done {
            edits.push(Edit::Grant {
                to: Subject::Role(about.role.clone()),
                on: about.on.clone(),
                was: about.now,
                will,
            });
        }
        // A grant that was there before the rule is not the rule's.
        if will.is_some() && (done || about.made) {
            let known = made.iter().find(|made| made.id == about.on.id && made.role == about.role);
            let level = if done || about.state == ProducedState::Kept {
                rule.level.name().to_owned()
            } else {
                known.map(|made| made.level.clone()).unwrap_or_default()
            };
            left.push(Made {
                rule: rule.id.clone(),
                role: about.role,
                kind: about.on.kind.name().to_owned(),
                id: about.on.id,
                level,
            });
        }
    }
    (edits, left)
}

/// Brings MLflow in step with a rule.
///
/// # Errors
/// As [`journal::apply`].
pub async fn keep(state: &State, author: &Author, row: &Row, keep: Keep, request_id: &str) -> Result<()> {
    let made = made_by(state, &row.id).await?;
    let roles = made.iter().map(|made| made.role.clone()).chain([row.role.clone()]);
    let subjects = Subjects {
        roles: roles.collect(),
        things: true,
        ..Subjects::default()
    };
    let world = state.index.fresh_for(state, &author.authorization, &subjects).await;
    let world = world.map_err(|error| Error::Upstream(error.to_string()))?;
    let rule = Rule::of(row)?;
    if rule.enabled && !world.roles.contains_key(&rule.role) {
        return Err(Error::Conflict(format!("there is no role {} any more", rule.role)));
    }
    let (edits, left) = plan(&rule, &world, &made, keep);
    if !edits.is_empty() {
        let wanted = Wanted {
            edits,
            whole: false,
            reason: format!("Rule {} → {} {}", rule.pattern, rule.role, rule.level.name()),
            request_id: request_id.to_owned(),
            undoes: None,
        };
        journal::apply(state, author.clone(), wanted).await?;
    }
    if left != made {
        state.db.put_rule_grants(&rule.id, &left).await?;
    }
    state.db.note_rule(&rule.id, Some(clock::now()), None).await?;
    Ok(())
}

/// The grants that a rule has made.
pub async fn made_by(state: &State, rule: &str) -> Result<Vec<Made>> {
    let made = state.db.rule_grants().await?;
    Ok(made.into_iter().filter(|made| made.rule == rule).collect())
}

/// Keeps all rules up, each with the credentials of whoever changed it last, where they are in the vault.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn keep_all(state: &State) -> Result<()> {
    for row in state.db.rules().await?.into_iter().filter(|row| row.enabled) {
        let author = match state.vault.authorization(&row.by).await? {
            Some(authorization) => mlflow::who(&state.upstream, &authorization)
                .await
                .ok()
                .filter(|who| who.is_admin)
                .map(|who| Author { who, authorization }),
            None => None,
        };
        let kept = match author {
            Some(author) => keep(state, &author, &row, Keep::default(), "")
                .await
                .map_err(|error| error.to_string()),
            None => Err(format!(
                "Flowdeck cannot act for {}: it is kept up again when an owner has signed in and saved it",
                row.by
            )),
        };
        if let Err(trouble) = kept
            && row.trouble.as_deref() != Some(trouble.as_str())
        {
            tracing::warn!(rule = row.pattern, "a rule cannot be kept up: {trouble}");
            state.db.note_rule(&row.id, None, Some(&trouble)).await?;
        }
    }
    Ok(())
}

/// `*` stands for any letters, `?` for one.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star stood, and how much of the name it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, n) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use app::api::flowdeck::{
        grant::{Kind, Level, Subject, Target},
        rule::{Keep, ProducedState},
    };

    use super::{Rule, matches, plan};
    use crate::admin::world::{Things, World, tests::grant, tests::world};

    #[test]
    fn a_star_is_any_letters_and_a_question_mark_one() {
        for (pattern, name) in [
            ("team-a/*", "team-a/vision/resnet"),
            ("*", ""),
            ("*-prod", "a-prod-prod"),
            ("a?c", "aéc"),
            ("a**b", "ab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("team-a/*", "team-ab"),
            ("a?c", "ac"),
            ("", "a"),
            ("*-prod", "prod"),
            ("a[b]", "ab"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    fn rule() -> Rule {
        Rule {
            id: "r".into(),
            kind: Kind::Experiment,
            pattern: "a/*".into(),
            role: "team".into(),
            level: Level::Edit,
            enabled: true,
        }
    }

    fn named(world: &mut World, names: &[(&str, &str)]) {
        let all: BTreeMap<_, _> = names
            .iter()
            .map(|(id, name)| (Target::new(Kind::Experiment, *id), ((*name).to_owned(), None)))
            .collect();
        world.things = Arc::new(Things { all, read_at: 0 });
    }

    #[test]
    fn a_rule_follows_names_and_leaves_what_was_changed_by_hand() {
        let (mut world, mut rule) = (world(None), rule());
        let team = || Subject::Role("team".into());
        let on = |id: &str| Target::new(Kind::Experiment, id);
        named(&mut world, &[("1", "a/x"), ("2", "a/y"), ("3", "b/z")]);
        let (edits, made) = plan(&rule, &world, &[], Keep::default());
        assert_eq!(edits.len(), 2);
        for edit in &edits {
            world.make(edit, None);
        }
        assert!(plan(&rule, &world, &made, Keep::default()).0.is_empty());

        // One by hand, one renamed away.
        world.make(&grant(team(), &on("1"), Some(Level::Edit), Some(Level::Read)), None);
        named(&mut world, &[("1", "a/x"), ("2", "c/y")]);
        let told = rule.produced(&world, &made);
        let states: Vec<_> = told.iter().map(|one| (one.on.id.as_str(), one.state)).collect();
        assert_eq!(states, [("1", ProducedState::Drifted), ("2", ProducedState::Stray)]);
        let (edits, left) = plan(&rule, &world, &made, Keep::default());
        assert_eq!(edits, [grant(team(), &on("2"), Some(Level::Edit), None)]);
        assert_eq!(left.len(), 1);
        let (edits, _) = plan(&rule, &world, &made, Keep { repair: true });
        assert!(edits.contains(&grant(team(), &on("1"), Some(Level::Read), Some(Level::Edit))));

        // What the rule has made is changed with it.
        world.make(&grant(team(), &on("1"), Some(Level::Read), Some(Level::Edit)), None);
        rule.level = Level::Manage;
        let (edits, _) = plan(&rule, &world, &left, Keep::default());
        assert_eq!(edits, [grant(team(), &on("1"), Some(Level::Edit), Some(Level::Manage))]);
        rule.enabled = false;
        let (edits, left) = plan(&rule, &world, &left, Keep::default());
        assert!(edits == [grant(team(), &on("1"), Some(Level::Edit), None)] && left.is_empty());
    }
}
