//! A look at an artifact. Whatever it holds, nothing of it runs: pictures are pictures, text is text, HTML lies in a frame without any rights.

use crate::prelude::*;
use leptos::task::spawn_local;

use super::artifacts::size;
use crate::{
    Site,
    api::{
        Client, Result,
        mlflow::artifact::{self, File, Kind},
    },
    part::{
        copy::Copy,
        csv,
        face::{Failed, Loading},
        icon::{self, Icon},
        json,
        markdown::Markdown,
    },
};

/// Longer texts are only to download.
pub const LONGEST: i64 = 200_000;
/// Before the text of a page: it asks no server for anything, not even this one.
const NOTHING: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'\">";
/// So many rows of a table are shown.
const ROWS: usize = 200;

pub fn preview(run: &str, file: &File) -> AnyView {
    let kind = Kind::of(&file.path);
    let name = file.name().to_owned();
    let href = Site::expect().href(&artifact::download_path(run, &file.path));
    let bytes = file.file_size.unwrap_or_default();
    let body = match kind {
        Kind::Image => view! { <div class="body picture"><img src=href.clone() alt=name.clone() loading="lazy"/></div> }.into_any(),
        Kind::Other => view! { <p class="body muted">"There is no preview of such a file."</p> }.into_any(),
        _ if file.file_size.is_none_or(|size| size > LONGEST) => {
            view! { <p class="body muted">{format!("Too large to show here: {}.", size(bytes))}</p> }.into_any()
        }
        _ => text(run.to_owned(), file.path.clone(), kind),
    };
    let says = format!("Preview of {name}");
    view! {
        <section class="card look" aria-label=says>
            <header>
                <b class="clip" dir="auto" title=name.clone()>{name.clone()}</b>
                <span class="faint">{file.file_size.map(size)}</span>
                <span class="spread"></span>
                <Copy text=file.path.clone() label="Copy the path"/>
                <a class="button" href=href download=name rel="external"><Icon icon=icon::Download/>"Download"</a>
            </header>
            {body}
        </section>
    }
    .into_any()
}

/// What the browser has to fetch first.
fn text(run: String, path: String, kind: Kind) -> AnyView {
    let client = expect_context::<Client>();
    let answer = RwSignal::new(None::<Result<String>>);
    let load = move || {
        let (client, run, path) = (client.clone(), run.clone(), path.clone());
        spawn_local(async move {
            let text = artifact::text(&client, &run, &path).await;
            answer.try_set(Some(text));
        });
    };
    let retry = {
        let load = load.clone();
        Callback::new(move |()| {
            answer.set(None);
            load();
        })
    };
    Effect::new(move |_| load());
    let body = move || match answer.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Ok(text)) => drawn(text, kind),
        Some(Err(error)) => view! { <Failed what="the file" error=error retry=retry/> }.into_any(),
    };
    view! { <div class="needs-script">{body}</div><p class="body muted without-script">"Download it to see it: the preview needs JavaScript."</p> }
        .into_any()
}

fn drawn(text: String, kind: Kind) -> AnyView {
    match kind {
        Kind::Markdown => view! { <div class="body"><Markdown text=text/></div> }.into_any(),
        Kind::Table(apart) => table(&text, apart),
        // Without `allow-scripts` and `allow-same-origin` nothing in it runs.
        Kind::Html => {
            view! { <iframe class="html" sandbox="" srcdoc=format!("{NOTHING}{text}") title="Preview" referrerpolicy="no-referrer"></iframe> }.into_any()
        }
        Kind::Json => plain(json::pretty(&text).unwrap_or(text)),
        _ => plain(text),
    }
}

fn plain(text: String) -> AnyView {
    view! { <pre class="body" tabindex="0" dir="auto"><code>{text}</code></pre> }.into_any()
}

fn table(text: &str, apart: char) -> AnyView {
    let (mut rows, more) = csv::rows(text, apart, ROWS + 1);
    if rows.is_empty() {
        return view! { <p class="body muted">"The file is empty."</p> }.into_any();
    }
    let head = rows
        .remove(0)
        .into_iter()
        .map(|name| view! { <th scope="col"><bdi>{name}</bdi></th> })
        .collect_view();
    let body = rows.into_iter().map(|row| {
        let cells = row.into_iter().map(|cell| view! { <td><bdi>{cell}</bdi></td> }).collect_view();
        view! { <tr>{cells}</tr> }
    });
    view! {
        <div class="grid-scroll" tabindex="0" role="region" aria-label="Table">
            <table class="grid"><thead><tr>{head}</tr></thead><tbody>{body.collect_view()}</tbody></table>
        </div>
        {more.then(|| view! { <p class="body faint">{format!("The first {ROWS} rows.")}</p> })}
    }
    .into_any()
}
