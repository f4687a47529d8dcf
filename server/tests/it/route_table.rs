//! The route table against the route map of the installed MLflow.

use std::{collections::BTreeSet, path::Path, process::Command};

use server::proxy::table::{ROWS, What};

/// `METHOD path` with the names of parameters left out, which Flask and FastAPI spell in ways of their own:
/// `<x>` and `{x}` are `{}`, `<path:x>` and `{x:path}` are `{*}`.
fn canonical(method: &str, rule: &str) -> String {
    let mut text = format!("{method} ");
    let mut rest = rule;
    while let Some((before, after)) = rest.split_once(['<', '{']) {
        let (parameter, behind) = after.split_once(['>', '}']).unwrap();
        text += before;
        text += if parameter.contains("path:") || parameter.contains(":path") || parameter.starts_with('*') {
            "{*}"
        } else {
            "{}"
        };
        rest = behind;
    }
    text + rest
}

#[test]
fn each_route_of_mlflow_has_a_row_and_each_row_a_route() {
    let python = std::env::var_os("FLOWDECK_MLFLOW_PYTHON").expect("FLOWDECK_MLFLOW_PYTHON names a Python with MLflow");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/route_table.py");
    let output = Command::new(python).arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let map = String::from_utf8(output.stdout).unwrap();
    let routes: BTreeSet<_> = map
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(method, rule)| canonical(method, rule))
        .collect();
    assert!(
        routes.len() > 500,
        "MLflow's route map has only {} routes: it was not read whole",
        routes.len()
    );

    let living = ROWS.iter().filter(|row| !matches!(row.what, What::Retired(_)));
    let rows: BTreeSet<_> = living
        .flat_map(|row| row.paths().map(|path| canonical(row.method.as_str(), &path)).collect::<Vec<_>>())
        .collect();
    let without_row: Vec<_> = routes.difference(&rows).collect();
    let without_route: Vec<_> = rows.difference(&routes).collect();
    assert!(
        without_row.is_empty() && without_route.is_empty(),
        "routes of MLflow without a row, hence not forwarded: {without_row:#?}\nrows without a route: {without_route:#?}"
    );
}

/// A row that stands for a retired route has its successor among the living.
#[test]
fn a_retired_route_has_a_successor() {
    for row in ROWS {
        let What::Retired(successor) = row.what else { continue };
        assert!(
            ROWS.iter()
                .any(|other| other.path == successor && other.method == row.method && other.prefix == row.prefix),
            "{} {} has no successor {successor}",
            row.method,
            row.path
        );
    }
}
