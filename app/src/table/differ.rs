//! What is different between runs.

use super::store::Store;

/// The places of the columns in which not all of `rows` have the same; having none counts as a value of its own.
pub fn differing(store: &Store, rows: &[u32]) -> Vec<usize> {
    let Some((first, others)) = rows.split_first() else {
        return Vec::new();
    };
    let columns = store.columns().iter().enumerate();
    let differs = columns.filter(|(_, column)| column.filled() > 0 && others.iter().any(|row| !column.same(*first, *row)));
    differs.map(|(index, _)| index).collect()
}

/// By which part of `baseline` the `value` is larger; `None` where that has no meaning.
pub fn relative(value: f64, baseline: f64) -> Option<f64> {
    let difference = (value - baseline) / baseline.abs();
    difference.is_finite().then_some(difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        let mut store = Store::default();
        let runs = br#"{"runs":[
            {"info":{"run_id":"a","status":"FINISHED"},"data":{"metrics":[{"key":"m","value":"NaN"}],"params":[{"key":"p","value":"1"}]}},
            {"info":{"run_id":"b","status":"FINISHED"},"data":{"metrics":[{"key":"m","value":"NaN"}],"params":[{"key":"p","value":"2"}]}},
            {"info":{"run_id":"c","status":"FAILED"},"data":{"metrics":[{"key":"m","value":1}],"tags":[{"key":"t","value":"x"}]}}]}"#;
        store.load(runs).unwrap();
        let names = |rows: &[u32]| -> Vec<String> {
            differing(&store, rows)
                .into_iter()
                .map(|index| store.columns()[index].name.id())
                .collect()
        };
        assert_eq!(names(&[0, 1]), ["a:run_id", "p:p"]);
        assert_eq!(names(&[0, 2]), ["a:run_id", "a:status", "m:m", "p:p", "t:t"]);
        assert!(names(&[0]).is_empty() && names(&[]).is_empty());
    }

    #[test]
    fn differences_are_parts_of_the_baseline() {
        assert_eq!((relative(1.5, 1.0), relative(-1.5, -1.0)), (Some(0.5), Some(-0.5)));
        assert_eq!(
            [relative(1.0, 0.0), relative(f64::NAN, 1.0), relative(1.0, f64::INFINITY)],
            [None; 3]
        );
    }
}
