//! Sorting lists. The standard library's sort is compiled anew for every kind of list, this one once.

use std::cmp::Ordering;

/// Sorts; what is equal stays in its order.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(items.len(), &|a, b| compare(&items[a], &items[b]));
    let mut old: Vec<Option<T>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|at| old[at].take()));
}

fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use super::sort_by;

    #[test]
    fn what_is_equal_stays_in_its_order() {
        let mut words = vec!["beta", "c", "alpha", "b"];
        sort_by(&mut words, |a, b| a.len().cmp(&b.len()));
        assert_eq!(words, ["c", "b", "beta", "alpha"]);
        sort_by(&mut Vec::<u8>::new(), Ord::cmp);
    }
}
