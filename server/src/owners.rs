//! Who was an owner a moment ago. A page that is read does not wait for MLflow to say so again each time: MLflow may be busy for seconds.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockWriteGuard},
    time::{Duration, Instant},
};

use crate::mlflow::{SignInError, Who};

/// So long MLflow's word is good; and so old, MLflow is asked again beside.
const GOOD: Duration = Duration::from_secs(5);
const DUE: Duration = Duration::from_secs(1);
/// Of more, all are forgotten and asked for again.
const MOST: usize = 1000;

#[derive(Default)]
pub struct Owners(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    by_name: HashMap<String, Known>,
    /// Counts what was forgotten: an answer from before is not kept after it.
    changes: u64,
}

#[derive(Clone)]
pub struct Known {
    pub who: Who,
    /// When MLflow was asked.
    at: Instant,
    /// It is being asked again, since then.
    asking: Option<Instant>,
}

/// A question that is under way.
#[derive(Clone, Copy)]
pub struct Question {
    at: Instant,
    changes: u64,
}

// === impl Owners ===

impl Owners {
    pub fn known(&self, name: &str) -> Option<Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_name.get(name).cloned()
    }

    pub fn question(&self) -> Question {
        Question {
            at: Instant::now(),
            changes: self.inner().changes,
        }
    }

    /// A question to be asked beside, where it is time for one.
    pub fn due(&self, name: &str) -> Option<Question> {
        let mut inner = self.inner();
        let changes = inner.changes;
        let known = inner.by_name.get_mut(name)?;
        let now = Instant::now();
        let waits = known.asking.is_some_and(|since| since.elapsed() < GOOD);
        if waits || known.at.elapsed() < DUE {
            return None;
        }
        known.asking = Some(now);
        Some(Question { at: now, changes })
    }

    /// What MLflow has said. Where it has not, what it said before stays until it is too old.
    pub fn learn(&self, name: &str, question: Question, answer: &Result<Who, SignInError>) {
        let mut inner = self.inner();
        match answer {
            Ok(who) if who.is_admin && inner.changes == question.changes => {
                if inner.by_name.len() >= MOST {
                    inner.by_name.clear();
                }
                let known = Known {
                    who: who.clone(),
                    at: question.at,
                    asking: None,
                };
                inner.by_name.insert(name.to_owned(), known);
            }
            Ok(_) | Err(SignInError::WrongPassword) => drop(inner.by_name.remove(name)),
            Err(_) => {}
        }
    }

    /// Something has changed of who this is.
    pub fn forget(&self, name: &str) {
        let mut inner = self.inner();
        inner.changes += 1;
        inner.by_name.remove(name);
    }

    /// Something has changed of people.
    pub fn forget_all(&self) {
        let mut inner = self.inner();
        inner.changes += 1;
        inner.by_name.clear();
    }

    fn inner(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Known ===

impl Known {
    pub fn is_good(&self) -> bool {
        self.at.elapsed() < GOOD
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Owners};
    use crate::mlflow::{SignInError, Who};

    fn says(is_admin: bool) -> Result<Who, SignInError> {
        let user = "ada".to_owned();
        Ok(Who { user, is_admin })
    }

    #[test]
    fn only_owners_are_remembered_and_until_mlflow_says_otherwise() {
        let owners = Owners::default();
        let learn = |answer: Result<Who, SignInError>| {
            owners.learn("ada", owners.question(), &answer);
            owners.known("ada").is_some_and(|known| known.is_good())
        };
        assert!(!learn(says(false)));
        assert!(learn(says(true)));
        assert!(learn(Err(SignInError::Unreachable)));
        assert!(!learn(says(false)));
        assert!(learn(says(true)));
        assert!(!learn(Err(SignInError::WrongPassword)));
    }

    #[test]
    fn an_answer_from_before_a_change_is_not_kept_after_it() {
        let owners = Owners::default();
        for forget in [(|owners: &Owners| owners.forget("ada")) as fn(&Owners), Owners::forget_all] {
            let question = owners.question();
            forget(&owners);
            owners.learn("ada", question, &says(true));
            assert!(owners.known("ada").is_none());
            owners.learn("ada", owners.question(), &says(true));
            forget(&owners);
            assert!(owners.known("ada").is_none());
        }
    }

    #[test]
    fn not_more_than_so_many_are_remembered() {
        let owners = Owners::default();
        for number in 0..MOST + 5 {
            owners.learn(&number.to_string(), owners.question(), &says(true));
        }
        assert_eq!(owners.0.read().unwrap().by_name.len(), 5);
    }
}
