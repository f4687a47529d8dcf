//! Runs as text for other programs.

use crate::prelude::*;

use super::Sheet;
use crate::{
    api::mlflow::number,
    browser,
    page::experiment::column::Column,
    table::{column::Cell, store::Store},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    /// One JSON object a line.
    Lines,
}

// === impl Sheet ===

impl Sheet {
    /// Saves the selected runs with the columns that are shown; where none is selected, all that are meant.
    pub fn export(self, format: Format) {
        let (lines, selection) = (self.lines.read_untracked(), self.selection.read_untracked());
        let columns = self.columns.get_untracked();
        let text = self.store.with_value(|store| {
            let chosen = selection.rows(store);
            let all = chosen.is_empty();
            let rows: Vec<u32> = lines.rows.iter().copied().filter(|row| all || chosen.contains(*row)).collect();
            write(store, &rows, &columns, format)
        });
        let end = match format {
            Format::Csv => "csv",
            Format::Lines => "jsonl",
        };
        browser::save(&text, &format!("runs-of-{}.{end}", self.runs.experiment.get_value()));
    }
}

fn write(store: &Store, rows: &[u32], columns: &[Column], format: Format) -> String {
    let mut all = vec![(Column::Id, "run_id".to_owned()), (Column::Name, "run_name".to_owned())];
    let label = |column: &Column| match column {
        Column::Param(key) => format!("params.{key}"),
        Column::Metric(key) => format!("metrics.{key}"),
        Column::Tag(key) => format!("tags.{key}"),
        Column::Stat(_, key) => format!("metrics.{key}.{}", column.family().unwrap_or_default()),
        Column::Dataset => "datasets".to_owned(),
        fixed => fixed.name().key,
    };
    all.extend(columns.iter().map(|column| (column.clone(), label(column))));
    let mut text = String::new();
    if format == Format::Csv {
        let head: Vec<String> = all.iter().map(|(_, label)| field(label)).collect();
        text.push_str(&head.join(","));
        text.push_str("\r\n");
    }
    for row in rows {
        let cells = all.iter().map(|(column, label)| (label, store.cell(*row, &column.name())));
        match format {
            Format::Csv => {
                let fields: Vec<String> = cells
                    .map(|(_, cell)| match cell {
                        Cell::Text(text) => field(text),
                        Cell::Number(value) => value.to_string(),
                        Cell::Missing => String::new(),
                    })
                    .collect();
                text.push_str(&fields.join(","));
                text.push_str("\r\n");
            }
            Format::Lines => {
                let object: serde_json::Map<String, serde_json::Value> = cells
                    .filter_map(|(label, cell)| match cell {
                        Cell::Text(text) => Some((label.clone(), text.into())),
                        // JSON has no word for what is not finite.
                        Cell::Number(value) if !value.is_finite() => Some((label.clone(), value.to_string().into())),
                        Cell::Number(value) => Some((label.clone(), value.into())),
                        Cell::Missing => None,
                    })
                    .collect();
                text.push_str(&serde_json::Value::Object(object).to_string());
                text.push('\n');
            }
        }
    }
    text
}

/// As RFC 4180 has it; what a spreadsheet would take for a formula is made a text.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && number::read(text).is_none();
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_written() {
        let mut store = Store::default();
        let runs = br#"{"runs":[{"info":{"run_id":"a","run_name":"one, two"},"data":{"metrics":[{"key":"m","value":"NaN"}],"params":[{"key":"p","value":"=1+1"}]}},
            {"info":{"run_id":"b","run_name":"say \"b\""},"data":{"metrics":[{"key":"m","value":-0.5}]}}]}"#;
        store.load(runs).unwrap();
        let columns = [Column::Metric("m".into()), Column::Param("p".into())];
        assert_eq!(
            write(&store, &[0, 1], &columns, Format::Csv),
            "run_id,run_name,metrics.m,params.p\r\na,\"one, two\",NaN,'=1+1\r\nb,\"say \"\"b\"\"\",-0.5,\r\n"
        );
        assert_eq!(
            write(&store, &[1, 0], &columns, Format::Lines),
            "{\"metrics.m\":-0.5,\"run_id\":\"b\",\"run_name\":\"say \\\"b\\\"\"}\n{\"metrics.m\":\"NaN\",\"params.p\":\"=1+1\",\"run_id\":\"a\",\"run_name\":\"one, two\"}\n"
        );
    }
}
