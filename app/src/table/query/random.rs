//! Random runs and queries for tests; the same seed gives the same ones.

use serde_json::{Value, json};

/// Small numbers without a pattern.
pub struct Random(pub u64);

pub const METRICS: [&str; 5] = ["loss", "acc", "a b", "val/f1", "x:y-z"];
pub const PARAMS: [&str; 5] = ["lr", "model", "or", "say x", "a.b"];
pub const TAGS: [&str; 4] = ["team", "mlflow.user", "x y", "é"];
pub const TEXTS: [&str; 22] = [
    "", "adam", "Adam", "ADAM x", "0.1", "1e-1", "10", "9", "nan", "it's", "a%b", "a_b", "axb", "ü", "Ü", "\"q\"", "'\"", "a\\b", "a''b",
    "x--y # z", "a\nb", "%",
];
const STATUSES: [&str; 4] = ["RUNNING", "FINISHED", "FAILED", "KILLED"];

// === impl Random ===

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.below(among.len())]
    }

    /// Once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn number(&mut self) -> f64 {
        [0.0, 1.0, -1.0, 0.1, 0.5, 1e-7, 2.5e9, f64::MAX][self.below(8)]
    }
}

/// A run as MLflow answers it.
pub fn run(random: &mut Random, id: usize) -> Value {
    let texts = |random: &mut Random, keys: &[&str]| -> Vec<Value> {
        let mut pairs = Vec::new();
        for key in keys {
            if !random.once_in(3) {
                pairs.push(json!({"key": key, "value": random.pick(&TEXTS)}));
            }
        }
        pairs
    };
    let params = texts(random, &PARAMS);
    let mut tags = texts(random, &TAGS);
    let name = random.pick(&TEXTS);
    if !name.is_empty() {
        tags.push(json!({"key": "mlflow.runName", "value": name}));
    }
    let mut metrics = Vec::new();
    for key in METRICS {
        if !random.once_in(3) {
            let value = if random.once_in(6) { json!("NaN") } else { json!(random.number()) };
            metrics.push(json!({"key": key, "value": value, "step": random.below(3), "timestamp": 1}));
        }
    }
    let mut datasets = Vec::new();
    for _ in 0..random.below(3) {
        let context = json!([{"key": "mlflow.data.context", "value": random.pick(&["training", "eval"])}]);
        let tags = if random.once_in(3) { json!([]) } else { context };
        datasets.push(json!({"dataset": {"name": random.pick(&TEXTS[1..5]), "digest": random.pick(&["d1", "d2"])}, "tags": tags}));
    }
    let start = 1_700_000_000_000 + random.below(5) as i64;
    let mut info = json!({
        "run_id": format!("{id:032x}"), "experiment_id": random.pick(&["1", "2"]), "run_name": name, "user_id": random.pick(&["ada", "bob", ""]),
        "status": random.pick(&STATUSES), "start_time": start, "lifecycle_stage": "active", "artifact_uri": format!("/a/{id}"),
    });
    if !random.once_in(3) {
        info["end_time"] = json!(start + random.below(3) as i64);
    }
    json!({"info": info, "data": {"metrics": metrics, "params": params, "tags": tags}, "inputs": {"dataset_inputs": datasets}})
}

/// Conditions that MLflow can run, joined by `and`.
pub fn filter(random: &mut Random, runs: usize) -> String {
    let conditions: Vec<String> = (0..=random.below(3)).map(|_| condition(random, runs)).collect();
    conditions.join(random.pick(&[" and ", " AND ", "  and\n"]))
}

/// One of them.
fn condition(random: &mut Random, runs: usize) -> String {
    let id = |random: &mut Random| format!("'{:032x}'", random.below(runs + 1));
    let text = |random: &mut Random| loop {
        // MLflow has no way to write the others.
        let text = random.pick(&TEXTS);
        if !text.contains(['\\', '\'']) {
            return format!("'{text}'");
        } else if !text.contains(['\\', '"']) {
            return format!("\"{text}\"");
        }
    };
    let like = |random: &mut Random| random.pick(&["'%a%'", "'a_b'", "'%'", "'A%'", "'_'", "'%_1'", "''", "'%\"%'"]);
    let compared = |random: &mut Random, name: &str| match random.below(4) {
        0 => format!("{name} {} {}", random.pick(&["LIKE", "like"]), like(random)),
        1 => format!("{name} {} {}", random.pick(&["ILIKE", "ilike"]), like(random)),
        _ => format!("{name}{}{}", random.pick(&["=", " != "]), text(random)),
    };
    let operator = |random: &mut Random| random.pick(&[" = ", "!=", "<", " <= ", ">", " >= "]);
    match random.below(9) {
        0 | 1 => {
            let name = random.pick(&[
                "metrics.loss",
                "metric.acc",
                "metrics.`a b`",
                "metrics.\"val/f1\"",
                "metrics.\"x:y-z\"",
                "metrics.none",
            ]);
            let value = random.pick(&["0", "1", "-1", "0.1", ".5", "1e-7", "2.5E9", "1.7976931348623157e308", "-0"]);
            format!("{name}{}{value}", operator(random))
        }
        2 | 3 => {
            let param = [
                "params.lr",
                "param.model",
                "parameters.`or`",
                "params.\"say x\"",
                "params.a.b",
                "params.none",
            ];
            let name = random.pick(&param);
            match random.below(4) {
                0 => format!("{name} IS {}", random.pick(&["NULL", "NOT NULL", "null", "not null"])),
                _ => compared(random, name),
            }
        }
        4 => {
            let name = random.pick(&["tags.team", "tag.`mlflow.user`", "tags.`x y`", "tags.é", "tags.none"]);
            match random.below(4) {
                0 => format!("{name} IS {}", random.pick(&["NULL", "NOT NULL"])),
                _ => compared(random, name),
            }
        }
        5 => {
            let name = random.pick(&["start_time", "attributes.end_time", "created", "attr.Created", "run.end_time"]);
            format!(
                "{name}{}{}",
                operator(random),
                random.pick(&["1700000000001", "1700000000003", "1700000000002.5", "0"])
            )
        }
        6 => match random.below(4) {
            0 => format!("run_id {} ({}, {})", random.pick(&["IN", "not in"]), id(random), id(random)),
            1 => format!("attributes.run_id{}{}", random.pick(&["=", "!="]), id(random)),
            2 => format!(
                "status {} '{}'",
                random.pick(&["=", "!=", "LIKE"]),
                random.pick(&["RUNNING", "running", "F%"])
            ),
            _ => format!(
                "attributes.user_id {} {}",
                random.pick(&["=", "!=", "ILIKE"]),
                random.pick(&["'ada'", "'ADA'", "''"])
            ),
        },
        7 => {
            let name = random.pick(&["run_name", "attributes.run_name", "`run name`", "attributes.`Run name`"]);
            compared(random, name)
        }
        _ => match random.below(3) {
            0 => compared(random, random_dataset(random.0)),
            1 => format!("datasets.context {} ('training', 'x')", random.pick(&["IN", "NOT IN"])),
            _ => format!("dataset.digest {} ('d1')", random.pick(&["in", "NOT IN"])),
        },
    }
}

fn random_dataset(seed: u64) -> &'static str {
    ["datasets.name", "dataset.digest", "datasets.`context`"][(seed % 3) as usize]
}

/// A query of the whole language.
pub fn query(random: &mut Random, runs: usize, depth: usize) -> String {
    let quoted = |random: &mut Random| format!("'{}'", random.pick(&TEXTS).replace('\'', "''"));
    let parts = |random: &mut Random, joins: &[&str]| {
        let parts: Vec<String> = (0..2 + random.below(2)).map(|_| query(random, runs, depth - 1)).collect();
        parts.join(random.pick(joins))
    };
    match random.below(if depth == 0 { 8 } else { 12 }) {
        0..=2 => condition(random, runs),
        3 => match random.below(3) {
            0 => random.pick(&["adam", "Ü", "a", "0.1", "x-y"]).to_owned(),
            _ => format!("'{}'", random.pick(&TEXTS[1..]).replace('\'', "''")),
        },
        4 => {
            let name = random.pick(&["params.lr", "run_name", "tags.team", "status", "datasets.name"]);
            match random.below(6) {
                0 => format!("{name} ~ {}", random.pick(&["'a.b'", "'^[aA]dam$'", "'(?i)ADAM'", "'\\d+'", "''"])),
                1 => format!("{name} RLIKE '^.$'"),
                2 => format!("{name} {} ({}, {})", random.pick(&["in", "NOT IN"]), quoted(random), quoted(random)),
                3 => format!("{name} is {}", random.pick(&["null", "not null"])),
                4 => format!("{name} ilike {}", quoted(random)),
                _ => format!("{name} {} {}", random.pick(&["=", "!=", "like"]), quoted(random)),
            }
        }
        5 => {
            let name = random.pick(&[
                "metrics.loss",
                "step(metrics.acc)",
                "max(metrics.loss)",
                "params.lr",
                "tags.team",
                "duration",
            ]);
            match random.below(4) {
                0 => format!("{name} is {}", random.pick(&["null", "not null"])),
                _ => format!(
                    "{name} {} {}",
                    random.pick(&["=", "!=", "<", ">="]),
                    random.pick(&["0.1", "1", "10", "-1e-3", "1e999"])
                ),
            }
        }
        6 => format!(
            "best({}{}{})",
            random.pick(&["metrics.loss", "metrics.`a b`", "metrics.none"]),
            random.pick(&["", ", min", ", max"]),
            random.pick(&["", ", 3"])
        ),
        7 => format!("lifecycle_stage = 'active' and experiment_id = '{}'", random.pick(&["1", "2"])),
        8 => format!("not {}", query(random, runs, 0)),
        9 => format!("not ({})", query(random, runs, depth - 1)),
        10 => format!("({})", parts(random, &[" and ", " ", " AND "])),
        _ => format!("({})", parts(random, &[" or ", " OR "])),
    }
}
