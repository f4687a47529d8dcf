//! Who and what the newest calls were about.

use std::collections::HashMap;

use super::Audit;

/// Calls that are looked at.
const LOOK: i64 = 20_000;
const MOST: usize = 10;

/// Of the newest calls.
#[derive(Debug, Default)]
pub struct Busy {
    /// Name, calls, and the time within which 95 of 100 were done, in ms; the most calls first.
    pub users: Vec<(String, u64, f64)>,
    /// The slowest first; those with fewer than ten calls are not among them.
    pub routes: Vec<(String, u64, f64)>,
    /// Ids, and calls.
    pub experiments: Vec<(String, u64)>,
}

// === impl Audit ===

impl Audit {
    /// Of the newest 20,000 calls since `from` (ms since 1970).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn busy(&self, from: i64) -> sqlx::Result<Busy> {
        let rows: Vec<(Option<String>, String, i64, String)> = sqlx::query_as(
            "SELECT user, route, took_us, experiments FROM call
             WHERE id > (SELECT id FROM chain WHERE place = 'head') - ? AND at >= ?",
        )
        .bind(LOOK)
        .bind(from)
        .fetch_all(self.readers())
        .await?;
        let (mut users, mut routes) = (HashMap::<String, Vec<i64>>::new(), HashMap::<String, Vec<i64>>::new());
        let mut experiments: HashMap<String, u64> = HashMap::new();
        for (user, route, took, about) in rows {
            if let Some(user) = user {
                users.entry(user).or_default().push(took);
            }
            routes.entry(route).or_default().push(took);
            for id in about.lines().filter(|id| !id.is_empty()) {
                *experiments.entry(id.to_owned()).or_default() += 1;
            }
        }
        routes.retain(|_, took| took.len() >= 10);
        let (mut users, mut routes) = (timed(users), timed(routes));
        users.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        routes.sort_by(|a, b| b.2.total_cmp(&a.2));
        let mut experiments: Vec<(String, u64)> = experiments.into_iter().collect();
        experiments.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        users.truncate(MOST);
        routes.truncate(MOST);
        experiments.truncate(MOST);
        Ok(Busy {
            users,
            routes,
            experiments,
        })
    }
}

fn timed(calls: HashMap<String, Vec<i64>>) -> Vec<(String, u64, f64)> {
    let timed = calls.into_iter().map(|(name, mut took)| {
        took.sort_unstable();
        let at = (took.len() * 95).div_ceil(100).saturating_sub(1);
        (name, took.len() as u64, took[at] as f64 / 1000.0)
    });
    timed.collect()
}
