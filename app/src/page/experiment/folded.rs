//! Groups and families of runs that show no more than their heading.

use std::collections::BTreeSet;

use crate::state::short::Short;

/// All are open but those that are named, or the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    all: bool,
    named: BTreeSet<Short>,
}

/// An address has no room for more.
pub const MOST: usize = 300;
/// At the beginning, where all but the named ones are closed.
const ALL: char = '*';

// === impl Folded ===

impl Folded {
    pub fn read(text: &str) -> Self {
        let rest = text.strip_prefix(ALL);
        Self {
            all: rest.is_some(),
            named: Short::read(rest.unwrap_or(text)).take(MOST).collect(),
        }
    }

    pub fn write(&self) -> String {
        let all = if self.all { String::from(ALL) } else { String::new() };
        all + &Short::write(self.named.iter().copied())
    }

    pub fn all() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// `key`: of a group, or the id of a run that others belong to. It is made only where it is needed.
    pub fn is_open(&self, key: impl FnOnce() -> String) -> bool {
        match self.named.is_empty() {
            true => !self.all,
            false => self.named.contains(&Short::of(&key())) == self.all,
        }
    }

    /// Opens what is closed, or closes it; `None`: too many are named already.
    pub fn turned(&self, key: &str) -> Option<Self> {
        let mut new = self.clone();
        let short = Short::of(key);
        if !new.named.remove(&short) {
            new.named.insert(short);
        }
        (new.named.len() <= MOST).then_some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(folded: &Folded, key: &str) -> bool {
        folded.is_open(|| key.to_owned())
    }

    #[test]
    fn some_are_closed_or_all_but_some() {
        for (folded, others) in [(Folded::default(), true), (Folded::all(), false)] {
            let turned = folded.turned("a").unwrap();
            assert_eq!((is_open(&turned, "a"), is_open(&turned, "b")), (!others, others));
            assert_eq!(Folded::read(&turned.write()), turned);
            assert_eq!(turned.turned("a"), Some(folded));
        }
        assert_eq!(Folded::default().write(), "");
    }

    #[test]
    fn an_address_is_not_endless() {
        let full = (0..MOST).fold(Folded::default(), |folded, number| folded.turned(&number.to_string()).unwrap());
        assert_eq!((full.turned("more"), full.write().len()), (None, 6 * MOST));
        assert!(full.turned("7").is_some());
    }
}
