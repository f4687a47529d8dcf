//! A look at an artifact. Whatever it holds, nothing of it runs: pictures are pictures, text is text, HTML lies in a frame without any rights.

use crate::prelude::*;
use futures::future::join_all;
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
        dynamic::dynamic,
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
        _ => {
            let drawn = move |texts: Vec<String>| texts.into_iter().map(|text| drawn(text, kind)).collect_view().into_any();
            texts(file.path.clone(), vec![run.to_owned()], Box::new(drawn))
        }
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

/// What is drawn of the texts of a file, one a run.
pub type Drawn = Box<dyn Fn(Vec<String>) -> AnyView + Send + Sync>;

/// The file as each of `runs` has it, fetched by the browser.
pub fn texts(path: String, runs: Vec<String>, drawn: Drawn) -> AnyView {
    let client = expect_context::<Client>();
    let answer = RwSignal::new(None::<Result<Vec<String>>>);
    let load = Callback::new(move |()| {
        let (client, runs, path) = (client.clone(), runs.clone(), path.clone());
        answer.set(None);
        spawn_local(async move {
            let texts = join_all(runs.iter().map(|run| artifact::text(&client, run, &path))).await;
            answer.try_set(Some(texts.into_iter().collect()));
        });
    });
    Effect::new(move |_| load.run(()));
    let body = move || match answer.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Ok(texts)) => drawn(texts),
        Some(Err(error)) => view! { <Failed what="the file" error=error retry=load/> }.into_any(),
    };
    view! { <div class="needs-script">{dynamic(body)}</div><p class="body muted without-script">"Download it to see it: that needs JavaScript."</p> }
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
