//! The artifacts of a run: one folder at a time, and the chosen file beside it.

use crate::part::dynamic::dynamic;
use crate::prelude::*;
use serde::{Deserialize, Serialize};

use super::{live::Live, preview::preview};
use crate::{
    Site,
    api::{
        Client, Result,
        mlflow::artifact::{self, File},
    },
    page::trouble::Trouble,
    part::{
        face::{Empty, Loading},
        icon::{self, Icon},
    },
    state::address::Address,
};

/// A folder, and the file in it that was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shown {
    folder: String,
    files: Vec<File>,
    chosen: Option<File>,
}

/// The path is a folder's or a file's: MLflow says which when it lists the folder around it.
async fn find(client: &Client, run: &str, path: &str) -> Result<Shown> {
    let path = path.trim_matches('/');
    let around = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let listing = artifact::list(client, run, around).await?;
    if path.is_empty() {
        return Ok(Shown {
            folder: String::new(),
            files: listing.files,
            chosen: None,
        });
    }
    if let Some(file) = listing.files.iter().find(|file| file.path == path && !file.is_dir).cloned() {
        return Ok(Shown {
            folder: around.to_owned(),
            files: listing.files,
            chosen: Some(file),
        });
    }
    let listing = artifact::list(client, run, path).await?;
    Ok(Shown {
        folder: path.to_owned(),
        files: listing.files,
        chosen: None,
    })
}

pub fn artifacts(live: Live) -> AnyView {
    let address = Address::here();
    let path = address.memo("path");
    let (client, id) = (live.client(), live.id());
    let listing = Resource::new(
        move || path.get().unwrap_or_default(),
        move |path| {
            let (client, id) = (client.clone(), id.clone());
            async move { find(&client, &id, &path).await }
        },
    );
    view! {
        <div class="artifacts">
            <Transition fallback=|| view! { <Loading/> }>
                {dynamic(move || Suspend::new(async move {
                    match listing.await {
                        Ok(shown) => folder(live, shown),
                        Err(error) => view! { <Trouble what="the artifacts" error=error retry=move |()| listing.refetch()/> }.into_any(),
                    }
                }))}
            </Transition>
        </div>
    }
    .into_any()
}

fn folder(live: Live, shown: Shown) -> AnyView {
    let here = leptos_router::hooks::use_location().pathname.get_untracked();
    let href = move |path: &str| {
        let query = if path.is_empty() {
            String::new()
        } else {
            format!("&path={}", crate::route::escape(path))
        };
        format!("{}?tab=artifacts{query}", here)
    };
    let run = live.id();
    let site = Site::expect();
    if shown.folder.is_empty() && shown.files.is_empty() {
        return view! {
            <Empty title="No artifacts" icon=icon::Folder snippet="mlflow.log_artifact(\"model.pt\")\nmlflow.log_text(\"hello\", \"notes/hello.txt\")\nmlflow.log_figure(figure, \"roc.png\")">
                <p>"Files that the run keeps: models, pictures, tables. Log one from its code:"</p>
            </Empty>
        }
        .into_any();
    }
    let mut way = vec![("Artifacts".to_owned(), href(""))];
    let mut path = String::new();
    for part in shown.folder.split('/').filter(|part| !part.is_empty()) {
        path.push_str(if path.is_empty() { "" } else { "/" });
        path.push_str(part);
        way.push((part.to_owned(), href(&path)));
    }
    let way = way
        .into_iter()
        .map(|(name, href)| view! { <li><a href=href data-noscroll=""><bdi>{name}</bdi></a></li> })
        .collect_view();
    let chosen = shown.chosen.as_ref().map(|file| file.path.clone());
    let empty = shown
        .files
        .is_empty()
        .then(|| view! { <p class="body muted">"There is nothing in this folder."</p> });
    let rows = shown.files.iter().map(|file| {
        let name = file.name().to_owned();
        let on = chosen.as_ref() == Some(&file.path);
        let get = (!file.is_dir).then(|| {
            let says = format!("Download {name}");
            let href = site.href(&artifact::download_path(&run, &file.path));
            view! { <a class="button quiet small square" href=href download=name.clone() rel="external" title=says.clone() aria-label=says><Icon icon=icon::Download/></a> }
        });
        view! {
            <tr aria-selected=on.then_some("true")>
                <th scope="row"><a class="line" href=href(&file.path) aria-current=on.then_some("true") data-noscroll="">
                    <Icon icon=if file.is_dir { icon::Folder } else { icon::File }/><bdi class="clip" title=name.clone()>{name.clone()}</bdi>
                </a></th>
                <td class="number muted">{file.file_size.filter(|_| !file.is_dir).map(size)}</td>
                <td class="act">{get}</td>
            </tr>
        }
    });
    let body = shown.chosen.clone().map(|file| preview(&live.id(), &file));
    view! {
        <section class="card files" class:with=body.is_some() aria-label="Files">
            <header><nav aria-label="Folders"><ol class="path">{way}</ol></nav></header>
            <table class="grid values">
                <thead class="unseen"><tr><th scope="col">"Name"</th><th scope="col">"Size"</th><th scope="col">"Download"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            {empty}
        </section>
        {body}
    }
    .into_any()
}

/// `4.2 kB`: in thousands, as disks count.
pub fn size(bytes: i64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut at = 0;
    let mut tenths = bytes.max(0).saturating_mul(10);
    while tenths >= 10_000 && at + 1 < units.len() {
        tenths = (tenths + 500) / 1000;
        at += 1;
    }
    if at == 0 || tenths >= 1000 {
        format!("{} {}", (tenths + 5) / 10, units[at])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, units[at])
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_two_digits_or_three() {
        assert_eq!(
            [0, 999, 1000, 4_230, 99_960, 400_000, 999_999, 5_000_000_000].map(size),
            ["0 B", "999 B", "1.0 kB", "4.2 kB", "100 kB", "400 kB", "1.0 MB", "5.0 GB"]
        );
    }
}
