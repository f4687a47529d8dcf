//! One file in two runs: texts line by line, pictures over each other, of others what they are.

use crate::prelude::*;
use leptos::ev;

use crate::{
    Site,
    api::mlflow::artifact::{self, File, Kind},
    page::run::{LONGEST, preview, size, texts},
    part::{
        diff::{LINES, LineDiff},
        dynamic::dynamic,
        icon::{self, Icon},
        json,
    },
};

/// A run whose file is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    pub id: String,
    pub name: String,
}

/// A side, and how large the file is there; `None`: the run does not have it.
type Held = (Side, Option<Option<i64>>);

pub fn pair(path: &str, left: Held, right: Held) -> AnyView {
    let name = artifact::name(path).to_owned();
    let body = match (left.1, right.1) {
        (None, None) => view! { <p class="body muted">"Neither of these two runs has this file."</p> }.into_any(),
        (Some(bytes), None) => alone(path, &left.0, bytes, &right.0),
        (None, Some(bytes)) => alone(path, &right.0, bytes, &left.0),
        (Some(_), Some(_)) => both(path, &left, &right),
    };
    let get = |(side, has): &Held| {
        has.map(|bytes| {
            let says = format!("Download {name} of {}", side.name);
            let href = href(&side.id, path);
            view! {
                <li class="line">
                    <b class="clip" dir="auto">{side.name.clone()}</b>
                    <span class="faint">{bytes.map(size)}</span>
                    <a class="button small" href=href download=name.clone() rel="external" aria-label=says><Icon icon=icon::Download/>"Download"</a>
                </li>
            }
        })
    };
    let says = format!("{name} in two runs");
    view! {
        <section class="card look" aria-label=says>
            <header class="two"><b class="clip" dir="auto" title=path.to_owned()>{name.clone()}</b><ul>{get(&left)}{get(&right)}</ul></header>
            {body}
        </section>
    }
    .into_any()
}

fn href(run: &str, path: &str) -> String {
    Site::expect().href(&artifact::download_path(run, path))
}

fn alone(path: &str, has: &Side, bytes: Option<i64>, without: &Side) -> AnyView {
    let file = File {
        path: path.to_owned(),
        is_dir: false,
        file_size: bytes,
    };
    view! {
        <p class="body">"Only "<b><bdi>{has.name.clone()}</bdi></b>" has it; "<b><bdi>{without.name.clone()}</bdi></b>" does not."</p>
        {preview(&has.id, &file)}
    }
    .into_any()
}

fn both(path: &str, left: &Held, right: &Held) -> AnyView {
    let sizes = [left.1.flatten(), right.1.flatten()];
    let kind = Kind::of(path);
    match kind {
        Kind::Image => pictures(path, &left.0, &right.0),
        Kind::Other => {
            let says = match sizes {
                [Some(a), Some(b)] if a == b => "Both are of the same size. There is no way to compare such files here: download them.",
                _ => "There is no way to compare such files here: download them.",
            };
            view! { <p class="body muted">{says}</p> }.into_any()
        }
        _ if sizes.iter().any(|bytes| bytes.is_none_or(|bytes| bytes > LONGEST)) => {
            let says = format!("Too large to compare here: texts of up to {} are.", size(LONGEST));
            view! { <p class="body muted">{says}</p> }.into_any()
        }
        _ => {
            let names = (left.0.name.clone(), right.0.name.clone());
            let drawn = move |texts: Vec<String>| match <[String; 2]>::try_from(texts) {
                Ok([left, right]) => against(kind, &names, left, right),
                Err(_) => ().into_any(),
            };
            texts(path.to_owned(), vec![left.0.id.clone(), right.0.id.clone()], Box::new(drawn))
        }
    }
}

fn against(kind: Kind, names: &(String, String), a: String, b: String) -> AnyView {
    if a == b {
        return view! { <p class="body" role="status">"Both are the same."</p> }.into_any();
    }
    // As a person would lay it out, or a change of one value is a change of all.
    let laid_out = |text: String| match kind {
        Kind::Json => json::pretty(&text).unwrap_or(text),
        _ => text,
    };
    let (a, b) = (laid_out(a), laid_out(b));
    if a.lines().eq(b.lines()) {
        return view! { <p class="body" role="status">"They differ in nothing but white space."</p> }.into_any();
    }
    if a.lines().nth(LINES).is_some() || b.lines().nth(LINES).is_some() {
        let says = format!(
            "Too long to compare here: texts of up to {} lines are.",
            crate::part::number::count(LINES)
        );
        return view! { <p class="body muted">{says}</p> }.into_any();
    }
    view! { <LineDiff left=names.0.clone() right=names.1.clone() left_text=a right_text=b/> }.into_any()
}

fn pictures(path: &str, left: &Side, right: &Side) -> AnyView {
    let alone = |side: &Side| {
        let alt = format!("{} of {}", artifact::name(path), side.name);
        view! { <figure><div class="picture"><img src=href(&side.id, path) alt=alt loading="lazy"/></div><figcaption class="clip" dir="auto">{side.name.clone()}</figcaption></figure> }
    };
    let at = RwSignal::new(50_u8);
    // The policy allows no style in the document, so a script has to begin.
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    let wipe = {
        let (path, left, right) = (path.to_owned(), left.clone(), right.clone());
        move || {
            awake.get().then(|| {
                let picture = |side: &Side, class: &'static str| {
                    let alt = format!("{} of {}", artifact::name(&path), side.name);
                    view! { <img class=class src=href(&side.id, &path) alt=alt/> }
                };
                let slide = move |event: ev::Event| at.set(event_target_value(&event).parse().unwrap_or(50).min(100));
                let says = {
                    let (left, right) = (left.name.clone(), right.name.clone());
                    move || format!("{} % {left}, {} % {right}", at.get(), 100 - at.get())
                };
                view! {
                    <div class="body wipe">
                        <div class="picture over" style=("--at", move || format!("{}%", at.get()))>{picture(&left, "of-left")}{picture(&right, "of-right")}</div>
                        <input type="range" min="0" max="100" aria-label="Wipe between the two pictures" aria-valuetext=says prop:value=move || at.get() on:input=slide/>
                        <div class="line"><span class="clip" dir="auto">{left.name.clone()}</span><span class="spread clip" dir="auto">{right.name.clone()}</span></div>
                    </div>
                }
            })
        }
    };
    view! {
        <div class="needs-script">{dynamic(wipe)}</div>
        <div class="body both without-script">{alone(left)}{alone(right)}</div>
    }
    .into_any()
}
