//! What holds for every path and every API key: over the inputs that `cargo xtask fuzz` begins with, and many that are made up.

mod key;
mod path;

use std::path::Path;

use server::proxy::table::ROWS;

/// Numbers that look random and are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn one_of<'a>(&mut self, pieces: &[&'a str]) -> &'a str {
        pieces[self.below(pieces.len())]
    }
}

/// The inputs in `fuzz/corpus`.
fn seeds(target: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let seeds: Vec<String> = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds
}

#[test]
fn a_path_leads_where_it_seems_to_and_nowhere_else() {
    const ODD: &[&str] = &[
        "/",
        "//",
        "%2f",
        "%2F",
        "%252f",
        ".",
        "..",
        "%2e%2e",
        "/..",
        "/%2e%2e/",
        "\\",
        "%5c",
        "%00",
        "%0a",
        "%",
        "%ff",
        "é",
        "%c3%a9",
        " ",
        "?",
        "#",
        ";",
        ":",
        "*",
        "{x}",
        "x",
        "tags",
        "versions",
        "endpoints",
        "aliases",
        "mlflow",
        "invocations",
        "proxy",
        ":generateContent",
        "assistant",
        "graphql",
        "static-files",
    ];
    for seed in seeds("path") {
        path::holds(&seed);
    }
    let paths: Vec<String> = ROWS.iter().flat_map(|row| row.paths()).collect();
    let (mut numbers, mut admitted, mut found) = (Numbers(0x9E37_79B9_7F4A_7C15), 0, 0);
    for _ in 0..20_000 {
        let mut raw = String::new();
        let mut rest = paths[numbers.below(paths.len())].as_str();
        while let Some((before, after)) = rest.split_once('{') {
            raw += before;
            for _ in 0..=numbers.below(3) {
                raw += numbers.one_of(ODD);
            }
            rest = after.split_once('}').unwrap().1;
        }
        raw += rest;
        if numbers.below(2) == 0 {
            let places: Vec<usize> = raw.char_indices().map(|(at, _)| at).collect();
            raw.insert_str(places[numbers.below(places.len())], numbers.one_of(ODD));
        }
        let (is_admitted, methods) = path::holds(&raw);
        admitted += usize::from(is_admitted);
        found += methods;
    }
    assert!(
        admitted > 5000 && found > 5000,
        "{admitted} were admitted, {found} found: the test has lost its force"
    );
}

#[test]
fn a_key_is_one_spelling_and_any_other_is_none() {
    for seed in seeds("key") {
        key::holds(&seed);
    }
    let mut numbers = Numbers(0x2545_F491_4F6C_DD1D);
    for _ in 0..500 {
        let length = numbers.below(64);
        key::holds(&(0..length).map(|_| char::from(numbers.below(128) as u8)).collect::<String>());
    }
}
