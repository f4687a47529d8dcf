//! A download that tells how far it is, and can be stopped.

use js_sys::{Array, Reflect, Uint8Array};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlAnchorElement, ReadableStreamDefaultReader, Response, Url};

use super::Download;

/// What has come is handed to the browser in pieces of this size, which it may put on a disk.
const PIECE: usize = 8 << 20;

/// Gets `path` and saves it as `name`. `go_on` hears how many bytes and line ends have come, and ends it with `false`.
pub async fn download(path: &str, name: &str, go_on: impl Fn(usize, usize) -> bool) -> Download {
    match fetch(path, name, go_on).await {
        Ok(done) => done,
        Err(_) => Download::Failed(0),
    }
}

async fn fetch(path: &str, name: &str, go_on: impl Fn(usize, usize) -> bool) -> Result<Download, JsValue> {
    let response: Response = JsFuture::from(window().fetch_with_str(path)).await?.dyn_into()?;
    if !response.ok() {
        return Ok(Download::Failed(response.status()));
    }
    let body = response.body().ok_or(JsValue::NULL)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into()?;
    let (pieces, piece) = (Array::new(), Array::new());
    let (mut bytes, mut lines, mut held) = (0, 0, 0);
    loop {
        let part = JsFuture::from(reader.read()).await?;
        let value = Reflect::get(&part, &"value".into())?;
        let is_done = Reflect::get(&part, &"done".into())?.is_truthy();
        if let Some(chunk) = value.dyn_ref::<Uint8Array>() {
            let chunk = chunk.to_vec();
            bytes += chunk.len();
            held += chunk.len();
            lines += chunk.iter().filter(|byte| **byte == b'\n').count();
            piece.push(&value);
        }
        if held > PIECE || is_done {
            let whole = Blob::new_with_u8_array_sequence(&piece)?;
            pieces.push(&whole);
            piece.set_length(0);
            held = 0;
        }
        if is_done {
            break;
        }
        if !go_on(bytes, lines) {
            JsFuture::from(reader.cancel()).await.ok();
            return Ok(Download::Stopped);
        }
    }
    save(&Blob::new_with_blob_sequence(&pieces)?, name)?;
    Ok(Download::Saved { lines })
}

/// Saves `text` as a file of this name.
pub fn save_text(text: &str, name: &str) -> Result<(), JsValue> {
    save(&Blob::new_with_str_sequence(&Array::of1(&text.into()))?, name)
}

fn save(file: &Blob, name: &str) -> Result<(), JsValue> {
    let url = Url::create_object_url_with_blob(file)?;
    let link: HtmlAnchorElement = document().create_element("a")?.dyn_into()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&url)
}
