//! House rules that no lint knows.

use std::path::Path;

use anyhow::bail;

use crate::{file, folders::Folders};

/// A file this long usually has two subjects.
const LONG: usize = 600;

pub fn rules(folders: &Folders) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for path in file::walk(&folders.root)? {
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if !matches!(kind, "rs" | "py" | "ts" | "mjs") {
            continue;
        }
        let text = file::read(&path)?;
        let path = path.strip_prefix(&folders.root)?;
        faults.extend(broken(path, &text).map(|rule| format!("{}: {rule}", path.display())));
        if text.lines().count() > LONG {
            println!("{} has more than {LONG} lines", path.display());
        }
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n  "));
    }
    Ok(())
}

/// The rule that a file breaks.
fn broken(path: &Path, text: &str) -> Option<&'static str> {
    let first = text.lines().next().unwrap_or_default();
    let kind = path.extension().and_then(|kind| kind.to_str());
    let opens = match kind {
        Some("rs") => first.starts_with("//! "),
        Some("py") => first.starts_with("\"\"\"") || first.starts_with("#!"),
        _ => first.starts_with("//") || first.starts_with("/*"),
    };
    if path.ends_with("mod.rs") {
        Some("a module is name.rs beside name/")
    } else if !opens {
        Some("the first line says what the file is about")
    } else if path.starts_with("app/src") && !path.ends_with("part/link.rs") && text.contains(concat!("<", "A ")) {
        Some("the router's own link does not know the base path: use part::link")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::broken;
    use crate::file;

    /// The files below `folder` whose text is such.
    fn with(folder: &str, is_such: impl Fn(&str) -> bool) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let such = file::walk(&root.join(folder)).unwrap().into_iter();
        let such = such.filter(|path| std::fs::read_to_string(path).is_ok_and(|text| is_such(&text)));
        such.map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    /// With a list of arguments, and nothing of a request in it.
    #[test]
    fn programs_are_started_for_the_managed_mlflow_alone() {
        let starts = |text: &str| text.replace("clap::Command::new(", "").contains("Command::new(");
        // The first is about our own command line.
        let files = ["server/src/main.rs", "server/src/mlflow/install.rs", "server/src/mlflow/managed.rs"];
        assert_eq!(with("server/src", starts), files);
    }

    #[test]
    fn unsafe_code_is_forbidden_everywhere() {
        assert_eq!(with("Cargo.toml", |text| text.contains("unsafe_code = \"forbid\"")).len(), 1);
        for member in ["app", "frontend", "server", "xtask"] {
            let manifest = format!("{member}/Cargo.toml");
            assert_eq!(
                with(&manifest, |text| text.contains("[lints]\nworkspace = true")),
                [manifest.as_str()]
            );
        }
    }

    #[test]
    fn each_rule_is_noticed() {
        let broken = |path: &str, text: &str| broken(path.as_ref(), text).is_some();
        assert!(!broken("app/src/page.rs", "//! Pages.\n"));
        assert!(broken("app/src/page.rs", "use x;\n"));
        assert!(broken("app/src/page/mod.rs", "//! Pages.\n"));
        assert!(broken("app/src/page.rs", concat!("//! Pages.\nview! { <", "A href=x/> }\n")));
        assert!(!broken("app/src/part/link.rs", concat!("//! Links.\nview! { <", "A href=x/> }\n")));
        assert!(broken("end2end/a.spec.ts", "import x\n"));
        assert!(!broken("xtask/src/demo.py", "\"\"\"Data.\"\"\"\n"));
    }
}
