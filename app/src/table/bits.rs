//! A set of rows, one bit each.

/// Rows, or any other small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
}

// === impl Bits ===

impl Bits {
    /// The numbers below `end`.
    pub fn below(end: u32) -> Self {
        let mut words = vec![u64::MAX; end as usize / 64];
        if !end.is_multiple_of(64) {
            words.push((1 << (end % 64)) - 1);
        }
        Self { words }
    }

    pub fn contains(&self, at: u32) -> bool {
        self.words.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub fn insert(&mut self, at: u32) {
        let word = at as usize / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (at % 64);
    }

    pub fn remove(&mut self, at: u32) {
        if let Some(word) = self.words.get_mut(at as usize / 64) {
            *word &= !(1 << (at % 64));
        }
    }

    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub fn keep(&mut self, other: &Self) {
        self.words.truncate(other.words.len());
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    pub fn add(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    pub fn drop(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// A number that is larger than all in the set.
    pub fn end(&self) -> u32 {
        self.words.len() as u32 * 64
    }

    /// In ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let at = left.trailing_zeros();
                left &= left.wrapping_sub(1);
                (at < 64).then(|| index as u32 * 64 + at)
            })
        })
    }

    pub fn to_vec(&self) -> Vec<u32> {
        let mut all = Vec::with_capacity(self.count());
        all.extend(self.iter());
        all
    }

    /// In bytes.
    pub fn memory(&self) -> usize {
        self.words.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn sets_are_joined_and_cut() {
        let mut set = Bits::below(130);
        assert_eq!(set.count(), 130);
        assert!(set.contains(129) && !set.contains(130));
        let mut odd = Bits::default();
        [1, 3, 65, 129, 300].into_iter().for_each(|at| odd.insert(at));
        set.keep(&odd);
        assert_eq!(set.to_vec(), [1, 3, 65, 129]);
        odd.drop(&set);
        assert_eq!(odd.to_vec(), [300]);
        set.add(&odd);
        set.remove(3);
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 65, 129, 300]);
        assert!(Bits::below(0).is_empty() && !set.is_empty());
    }
}
