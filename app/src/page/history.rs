//! What was changed about an experiment or a run, when and by whom: a tab of their pages.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::trouble::Trouble;
use crate::{
    Site,
    api::{
        Client, Result,
        flowdeck::audit::{self, Row},
    },
    part::{
        dynamic::dynamic,
        face::{Empty, Loading},
        icon,
        id::shorten,
        number::count,
        time::Time,
    },
    route::escape,
    state::{address::Address, query::Query},
};

/// How many calls are looked at for one page.
const LIMIT: &str = "500";

/// The same change by the same person, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Change {
    user: Option<String>,
    what: String,
    /// In an experiment: the run that it was about.
    run: Option<String>,
    /// The answer, where nothing was changed after all.
    refused: Option<u16>,
    times: usize,
    /// The last and the first of them, ms since 1970.
    last: i64,
    first: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Page {
    changes: Vec<Change>,
    older: Option<String>,
}

/// `of` is `experiment` or `run`.
pub fn history(of: &'static str, id: String) -> AnyView {
    let address = Address::here();
    let cursor = address.memo("cursor");
    let client = expect_context::<Client>();
    let found = Resource::new(
        move || cursor.get().unwrap_or_default(),
        move |cursor| {
            let (client, id) = (client.clone(), id.clone());
            async move { read(&client, of, &id, &cursor).await }
        },
    );
    view! {
        <section class="history" aria-label="History">
            <Transition fallback=|| view! { <Loading/> }>
                {dynamic(move || Suspend::new(async move {
                    match found.await {
                        Ok(page) => known(address, of, page),
                        Err(error) => view! { <Trouble what="the history" error=error retry=move |()| found.refetch()/> }.into_any(),
                    }
                }))}
            </Transition>
        </section>
    }
    .into_any()
}

async fn read(client: &Client, of: &str, id: &str, cursor: &str) -> Result<Page> {
    let query = Query::default().with(of, id).with("limit", LIMIT).with("cursor", cursor);
    let found = audit::list(client, &query).await?;
    // Who sees everything sees what was only looked at too: that is no history.
    let rows = found.rows.into_iter().filter(is_change);
    Ok(Page {
        changes: group(rows, of == "experiment"),
        older: found.next,
    })
}

fn is_change(row: &Row) -> bool {
    !matches!(row.method.as_str(), "GET" | "HEAD" | "OPTIONS") && !row.route.ends_with("/search")
}

fn group(rows: impl Iterator<Item = Row>, with_run: bool) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for row in rows {
        let what = words(&row.method, &row.route);
        let run = row.runs.first().filter(|_| with_run).cloned();
        let refused = (row.status >= 400).then_some(row.status);
        match changes.last_mut() {
            Some(last) if last.user == row.user && last.what == what && last.run == run && last.refused == refused => {
                last.times += 1;
                last.first = row.at;
            }
            _ => changes.push(Change {
                user: row.user,
                what,
                run,
                refused,
                times: 1,
                last: row.at,
                first: row.at,
            }),
        }
    }
    changes
}

/// What a call does, in plain words; else the call.
fn words(method: &str, route: &str) -> String {
    const WORDS: [(&str, &str); 24] = [
        ("/experiments/create", "created the experiment"),
        ("/experiments/update", "renamed the experiment"),
        ("/experiments/delete", "deleted the experiment"),
        ("/experiments/restore", "restored the experiment"),
        ("/experiments/set-experiment-tag", "set a tag of the experiment"),
        ("/experiments/delete-experiment-tag", "removed a tag of the experiment"),
        ("/runs/create", "started a run"),
        ("/runs/update", "changed the status or the name"),
        ("/runs/delete", "deleted the run"),
        ("/runs/restore", "restored the run"),
        ("/runs/log-metric", "logged a metric"),
        ("/runs/log-parameter", "logged a param"),
        ("/runs/log-batch", "logged metrics, params and tags"),
        ("/runs/log-inputs", "logged a dataset"),
        ("/runs/log-model", "logged a model"),
        ("/runs/outputs", "logged what came out"),
        ("/runs/set-tag", "set a tag"),
        ("/runs/delete-tag", "removed a tag"),
        ("/mlflow/logged-models", "logged a model"),
        ("/artifacts/presigned-upload-url", "uploaded an artifact"),
        ("/mpu/create/{*artifact_path}", "began to upload a large artifact"),
        ("/mpu/complete/{*artifact_path}", "uploaded a large artifact"),
        ("/permissions/grant", "gave somebody a permission"),
        ("/permissions/revoke", "took a permission away"),
    ];
    let known = WORDS.iter().find(|(end, _)| route.ends_with(end)).map(|(_, words)| *words);
    match (known, method) {
        (Some(words), _) => words.to_owned(),
        (None, "PUT") if route.contains("/mlflow-artifacts/") => "uploaded an artifact".to_owned(),
        (None, "DELETE") if route.contains("/mlflow-artifacts/") => "deleted artifacts".to_owned(),
        (None, method) => format!("{method} {route}"),
    }
}

fn known(address: Address, of: &'static str, page: Page) -> AnyView {
    let older = page.older.map(
        |cursor| view! { <div class="more"><a class="button" href=move || address.with(&[("cursor", Some(&cursor))]) data-noscroll="">"Older"</a></div> },
    );
    if page.changes.is_empty() {
        let empty = view! {
            <Empty icon=icon::Clock title="No changes here">
                <p>{format!("What is done to this {of} through Flowdeck from now on is listed here: when, by whom, what.")}</p>
            </Empty>
        };
        return view! { {empty}{older} }.into_any();
    }
    let rows = page.changes.into_iter().map(row).collect_view();
    view! {
        <div class="grid-scroll">
            <table class="grid cards">
                <caption class="unseen">"Changes, the last one first"</caption>
                <thead><tr><th scope="col">"What"</th><th scope="col">"Who"</th><th scope="col">"When"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {older}
    }
    .into_any()
}

fn row(change: Change) -> AnyView {
    let times = (change.times > 1).then(|| view! { <b>{format!(" {} times", count(change.times))}</b> });
    let run = change.run.map(|run| {
        let href = Site::expect().href(&format!("/runs/{}", escape(&run)));
        view! { " · "<a href=href>"run "<span class="mono">{shorten(&run)}</span></a> }
    });
    let refused = change
        .refused
        .map(|status| view! { <span class="warning">{format!(" · refused ({status})")}</span> });
    let since = (change.first / 60_000 != change.last / 60_000).then(|| view! { " to "<Time at=change.first/> });
    view! {
        <tr>
            <th scope="row">{change.what}{times}{refused}{run}</th>
            <td data-label="Who"><bdi>{change.user.unwrap_or_else(|| "nobody".into())}</bdi></td>
            <td data-label="When"><Time at=change.last/>{since}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: i64, user: &str, route: &str, status: u16) -> Row {
        let text = format!(r#"{{"id":{at},"at":{at},"user":"{user}","method":"POST","route":"{route}","runs":["r"],"status":{status}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_same_by_the_same_person_is_one_line() {
        let metric = "/2.0/mlflow/runs/log-metric";
        let rows = [
            row(9, "ada", metric, 200),
            row(8, "ada", metric, 200),
            row(7, "ada", metric, 403),
            row(6, "bob", metric, 200),
            row(5, "bob", "/3.0/mlflow/something", 200),
        ];
        let found = group(rows.into_iter(), false);
        let short: Vec<_> = found
            .iter()
            .map(|change| (change.what.as_str(), change.times, change.first, change.refused))
            .collect();
        assert_eq!(
            short,
            [
                ("logged a metric", 2, 8, None),
                ("logged a metric", 1, 7, Some(403)),
                ("logged a metric", 1, 6, None),
                ("POST /3.0/mlflow/something", 1, 5, None),
            ]
        );
    }
}
