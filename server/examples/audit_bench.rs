//! How long a page of the audit takes: fills a database through the same code as the server, then asks for pages of many filters.
//!
//! `audit_bench FOLDER ROWS` fills `FOLDER/audit.db` up to so many rows, which is kept for the next time, and prints a table.

#![allow(clippy::print_stdout)]

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use server::{
    audit::{
        self, Entry, Way,
        search::{self, Filter, Start},
        store::{self, Store},
    },
    config,
};
use sqlx::SqlitePool;

/// Pages of each filter that are read one after the other.
const PAGES: usize = 20;
const LIMIT: usize = 100;
const GROUP: i64 = 2048;
const START: i64 = 1_700_000_000_000;
/// Ms from one call to the next.
const STEP: i64 = 100;
const ROUTES: [&str; 8] = [
    "/2.0/mlflow/runs/search",
    "/2.0/mlflow/runs/log-batch",
    "/2.0/mlflow/runs/get",
    "/2.0/mlflow/experiments/search",
    "/2.0/mlflow/metrics/get-history",
    "/2.0/mlflow/runs/create",
    "/experiments/{id}",
    "/2.0/mlflow/registered-models/create",
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder: PathBuf = arguments.next().context("audit_bench FOLDER ROWS")?.into();
    let rows: i64 = arguments.next().context("audit_bench FOLDER ROWS")?.parse()?;
    let file = folder.join(audit::FILE);
    let limits = config::Audit {
        audit_keep: Duration::MAX,
        audit_most: u64::MAX,
        audit_size: server::config::audit::Bytes(u64::MAX),
    };
    busy(&folder, &limits).await?;
    let mut store = Store::open(&file, &limits).await?;
    let readers = store::readers(&file).await?;
    let first: i64 = sqlx::query_scalar("SELECT id FROM chain WHERE place = 'head'")
        .fetch_one(&readers)
        .await?;
    let start = Instant::now();
    for from in (first..rows).step_by(GROUP as usize) {
        let group: Vec<Entry> = (from..rows.min(from + GROUP)).map(entry).collect();
        store.append(&group)?;
    }
    if first < rows {
        let each = start.elapsed().as_secs_f64() * 1e6 / (rows - first) as f64;
        println!("wrote {} rows, {each:.1} µs each", rows - first);
    }
    store.close();
    let size = file.metadata()?.len();
    println!("{rows} rows, {} bytes a row\n", size / rows.unsigned_abs().max(1));

    println!("{:<44}{:>8}{:>8}{:>10}{:>10}", "filter", "pages", "rows", "median", "slowest");
    let mut slowest = Duration::ZERO;
    for (name, filter) in filters(rows) {
        for (direction, start) in [("", Start::Newest), (", oldest first", Start::After(0))] {
            slowest = slowest.max(measure(&readers, &format!("{name}{direction}"), &filter, start).await?);
        }
        let middle = Start::Before(rows / 2);
        slowest = slowest.max(measure(&readers, &format!("{name}, from the middle"), &filter, middle).await?);
    }
    println!("\nslowest page: {:.1} ms", slowest.as_secs_f64() * 1e3);
    Ok(())
}

/// What a row costs while one program asks for the same again and again.
async fn busy(folder: &Path, limits: &config::Audit) -> anyhow::Result<()> {
    const ROWS: usize = 200_000;
    let folder = tempfile::tempdir_in(folder)?;
    let mut store = Store::open(&folder.path().join(audit::FILE), limits).await?;
    let group = vec![entry(1); GROUP as usize];
    let start = Instant::now();
    for _ in 0..ROWS / group.len() {
        store.append(&group)?;
    }
    let each = start.elapsed().as_secs_f64() * 1e6 / ROWS as f64;
    println!("one busy program: {each:.1} µs a row");
    store.close();
    Ok(())
}

async fn measure(readers: &SqlitePool, name: &str, filter: &Filter, first: Start) -> anyhow::Result<Duration> {
    let (mut start, mut found, mut times) = (Some(first), 0, Vec::new());
    while let Some(here) = start.filter(|_| times.len() < PAGES) {
        let begin = Instant::now();
        let page = search::page(readers, filter, here, LIMIT).await?;
        times.push(begin.elapsed());
        found += page.rows.len();
        start = match first {
            Start::After(_) => page.next.filter(|next| Start::After(*next) != here).map(Start::After),
            _ => page.next.map(Start::Before),
        };
    }
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let slowest = times[times.len() - 1];
    println!(
        "{name:<44}{:>8}{found:>8}{:>7.1} ms{:>7.1} ms",
        times.len(),
        ms(times[times.len() / 2]),
        ms(slowest)
    );
    Ok(slowest)
}

/// A number that looks like chance and is the same each time (splitmix64).
fn chance(number: i64, of: u64) -> u64 {
    let mut state = number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state ^ (state >> 31)) % of
}

/// Two hundred people, of whom few do most; runs of 200 calls, in fifty experiments; rare failures, and some things that happen once.
fn entry(number: i64) -> Entry {
    let dice = chance(number, 1_000_000);
    let user = (dice % 200).min(chance(number + 1, 200));
    let run = number / 200 * 8 + (dice % 8) as i64;
    let route = ROUTES[(dice / 200 % 7) as usize];
    let is_rare = dice == 0;
    let (by_session, is_change) = (dice.is_multiple_of(3), dice.is_multiple_of(2));
    Entry {
        id: 0,
        at: START + number * STEP,
        user: Some(format!("user-{user}")),
        way: if by_session { Way::Session } else { Way::Key },
        key: (!by_session).then(|| format!("k{user:08}")),
        address: format!("10.0.{}.{}", user % 4, dice % 250),
        method: if is_rare {
            "DELETE"
        } else if is_change {
            "POST"
        } else {
            "GET"
        }
        .into(),
        route: if is_rare { ROUTES[7] } else { route }.into(),
        experiments: format!("{}", run % 50),
        runs: format!("{:016x}{:016x}", chance(run, u64::MAX), chance(run + 1, u64::MAX)),
        models: if is_rare { "model-1".into() } else { String::new() },
        status: match dice % 1000 {
            0 => 500,
            1..20 => 404,
            _ => 200,
        },
        took_us: (dice % 20_000) as i64,
        bytes_in: 300,
        bytes_out: (dice % 5000) as i64,
        request_id: format!("{:08x}-0000-4000-8000-{number:012x}", dice),
        shadow: None,
        changes: is_change,
    }
}

fn filters(rows: i64) -> Vec<(&'static str, Filter)> {
    let text = |text: &str| Some(text.to_owned());
    let none = Filter::default();
    let run = entry(rows / 3).runs;
    vec![
        ("everything", none.clone()),
        (
            "user, frequent",
            Filter {
                user: text("user-3"),
                ..none.clone()
            },
        ),
        (
            "user, rare",
            Filter {
                user: text("user-198"),
                ..none.clone()
            },
        ),
        (
            "user, nobody",
            Filter {
                user: text("nobody"),
                ..none.clone()
            },
        ),
        (
            "key",
            Filter {
                key: text("k00000120"),
                ..none.clone()
            },
        ),
        (
            "route",
            Filter {
                route: text(ROUTES[2]),
                ..none.clone()
            },
        ),
        (
            "route, rare",
            Filter {
                route: text(ROUTES[7]),
                ..none.clone()
            },
        ),
        (
            "status 500",
            Filter {
                status: text("500"),
                ..none.clone()
            },
        ),
        (
            "status 4xx",
            Filter {
                status: text("4xx"),
                ..none.clone()
            },
        ),
        (
            "method, rare",
            Filter {
                method: text("DELETE"),
                ..none.clone()
            },
        ),
        (
            "way",
            Filter {
                way: Some(Way::Session),
                ..none.clone()
            },
        ),
        (
            "experiment",
            Filter {
                experiment: text("7"),
                ..none.clone()
            },
        ),
        (
            "run",
            Filter {
                run: Some(run.clone()),
                ..none.clone()
            },
        ),
        (
            "model",
            Filter {
                model: text("model-1"),
                ..none.clone()
            },
        ),
        (
            "an hour long ago",
            Filter {
                from: Some(START + 3_600_000),
                to: Some(START + 7_200_000),
                ..none.clone()
            },
        ),
        (
            "user and status 500",
            Filter {
                user: text("user-150"),
                status: text("500"),
                ..none.clone()
            },
        ),
        (
            "user, route, method that never meet",
            Filter {
                user: text("user-3"),
                route: text(ROUTES[7]),
                method: text("GET"),
                ..none.clone()
            },
        ),
        (
            "user and a key of another",
            Filter {
                user: text("user-3"),
                key: text("k00000004"),
                ..none.clone()
            },
        ),
        (
            "text, frequent",
            Filter {
                q: text("log-batch"),
                ..none.clone()
            },
        ),
        (
            "text, rare",
            Filter {
                q: text("registered"),
                ..none.clone()
            },
        ),
        (
            "text, nowhere",
            Filter {
                q: text("no such words"),
                ..none.clone()
            },
        ),
        (
            "text, nowhere, and user",
            Filter {
                q: text("no such words"),
                user: text("user-3"),
                ..none.clone()
            },
        ),
        (
            "changes to an experiment",
            Filter {
                experiment: text("7"),
                changes_only: true,
                ..none
            },
        ),
    ]
}
