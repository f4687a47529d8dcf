//! docs/asvs.md names tests and headings: each of them is there, and each requirement is listed once.

use std::{collections::BTreeSet, fs, path::Path};

/// The section of what tests show, and that of what documents tell.
const SHOWN: &str = "Shown by a test";
const WRITTEN: &str = "Written down";

/// Whether the file of `file::name`, below `root`, has a test of that name.
fn is_there(root: &Path, named: &str) -> bool {
    let Some((file, name)) = named.split_once("::") else { return false };
    fs::read_to_string(root.join(file)).is_ok_and(|source| has_test(file, &source, name))
}

/// A function with the attribute right above it, a title that is handed to Playwright, or a function that pytest finds.
fn has_test(file: &str, source: &str, name: &str) -> bool {
    match Path::new(file).extension().and_then(|kind| kind.to_str()) {
        Some("rs") => source.match_indices(&format!("fn {name}(")).any(|(at, _)| {
            let before = source[..at].trim_end().trim_end_matches("async").trim_end();
            let above = before.lines().next_back().unwrap_or_default().trim_start();
            above.starts_with("#[test]") || above.starts_with("#[tokio::test")
        }),
        Some("ts") => ['\'', '"', '`']
            .iter()
            .any(|quote| source.contains(&format!("test({quote}{name}{quote},"))),
        Some("py") => name.starts_with("test_") && source.contains(&format!("\ndef {name}(")),
        _ => false,
    }
}

/// Whether the document of `file#Heading` has that heading.
fn is_told(root: &Path, named: &str) -> bool {
    let Some((file, heading)) = named.split_once('#') else {
        return false;
    };
    let wanted = format!("## {heading}");
    fs::read_to_string(root.join(file)).is_ok_and(|text| text.lines().any(|line| line == wanted))
}

/// Of each row: the requirement, what it asks, and what shows it or why nothing does.
fn rows(section: &str) -> Vec<[&str; 3]> {
    let lines = section.lines().filter(|line| line.starts_with("| V"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            <[&str; 3]>::try_from(cells).unwrap_or_else(|cells| panic!("not three cells: {cells:?}"))
        })
        .collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn each_named_test_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join("docs/asvs.md")).unwrap();
    let (mut listed, mut missing, mut shown) = (BTreeSet::new(), Vec::new(), 0);
    for section in text.split("\n## ").skip(1) {
        let (title, body) = section.split_once('\n').unwrap();
        for [requirement, _, cell] in rows(body) {
            assert!(listed.insert(requirement.to_owned()), "{requirement} is listed twice");
            // Where nothing is shown, settings and files are quoted too.
            let is_name = |text: &&str| matches!(title, SHOWN | WRITTEN) || text.contains("::");
            let named: Vec<&str> = quoted(cell).filter(is_name).collect();
            assert!(
                !matches!(title, SHOWN | WRITTEN) || !named.is_empty(),
                "{requirement} names nothing"
            );
            shown += usize::from(title == SHOWN);
            let is_right = |name: &&str| {
                if title == WRITTEN {
                    is_told(root, name)
                } else {
                    is_there(root, name)
                }
            };
            missing.extend(
                named
                    .into_iter()
                    .filter(|name| !is_right(name))
                    .map(|name| format!("{requirement}: {name}")),
            );
        }
    }
    assert!(shown > 0);
    assert!(missing.is_empty(), "there is nothing of these names:\n{}", missing.join("\n"));
}

#[test]
fn a_missing_test_is_noticed() {
    let rust =
        "#[tokio::test(flavor = \"multi_thread\")]\nasync fn it_holds() {}\n\nfn helper() {}\n\n#[test]\n#[ignore]\nfn not_run() {}\n";
    assert!(has_test("a.rs", rust, "it_holds"));
    assert!(has_test("a.rs", "mod tests {\n    #[test]\n    fn it_holds() {}\n}\n", "it_holds"));
    for made_up in ["it_hold", "t_holds", "helper", "not_run", ""] {
        assert!(!has_test("a.rs", rust, made_up), "{made_up}");
    }
    let browser = "test('one leads in', async () => {});\ntest(`next=${next}`, async () => {});\ntest.skip('not run', async () => {});\n";
    assert!(has_test("a.spec.ts", browser, "one leads in") && has_test("a.spec.ts", browser, "next=${next}"));
    for made_up in ["one leads", "leads in", "not run", ""] {
        assert!(!has_test("a.spec.ts", browser, made_up), "{made_up}");
    }
    let client = "import x\n\n\ndef test_it(client):\n    pass\n\n\ndef helper():\n    pass\n";
    assert!(has_test("test_a.py", client, "test_it"));
    assert!(!has_test("test_a.py", client, "test_i") && !has_test("test_a.py", client, "helper"));

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(is_there(root, "src/check/asvs.rs::a_missing_test_is_noticed"));
    let docs = root.parent().unwrap();
    assert!(is_told(docs, "docs/SECURITY.md#Limits"));
    assert!(!is_told(docs, "docs/SECURITY.md#Limit") && !is_told(docs, "docs/none.md#Limits") && !is_told(docs, "Limits"));
    for made_up in [
        "src/check/asvs.rs::nobody_wrote_this",
        "src/check/none.rs::a_missing_test_is_noticed",
        "a_missing_test_is_noticed",
    ] {
        assert!(!is_there(root, made_up), "{made_up}");
    }
}
