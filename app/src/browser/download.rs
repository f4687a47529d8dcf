//! A download that is looked at as it comes, and can be stopped.

use js_sys::{Array, Reflect, Uint8Array};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlAnchorElement, ReadableStreamDefaultReader, Response, Url};

use super::Download;

/// What has come is handed to the browser in pieces of this size, which it may put on a disk.
const PIECE: usize = 8 << 20;

/// Gets `path` and saves it as `name`. `look` is given the bytes as they come, may take some away, and ends it with `false`.
pub async fn download(path: &str, name: &str, look: impl FnMut(&mut Vec<u8>) -> bool) -> Download {
    match fetch(path, name, look).await {
        Ok(done) => done,
        Err(_) => Download::Failed(0),
    }
}

async fn fetch(path: &str, name: &str, mut look: impl FnMut(&mut Vec<u8>) -> bool) -> Result<Download, JsValue> {
    let response: Response = JsFuture::from(window().fetch_with_str(path)).await?.dyn_into()?;
    if !response.ok() {
        return Ok(Download::Failed(response.status()));
    }
    let body = response.body().ok_or(JsValue::NULL)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into()?;
    let (pieces, piece) = (Array::new(), Array::new());
    let mut held = 0;
    loop {
        let part = JsFuture::from(reader.read()).await?;
        let value = Reflect::get(&part, &"value".into())?;
        let is_done = Reflect::get(&part, &"done".into())?.is_truthy();
        if let Some(chunk) = value.dyn_ref::<Uint8Array>() {
            let mut bytes = chunk.to_vec();
            if !look(&mut bytes) {
                JsFuture::from(reader.cancel()).await.ok();
                return Ok(Download::Stopped);
            }
            held += bytes.len();
            piece.push(&Uint8Array::from(bytes.as_slice()));
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
    }
    save(&Blob::new_with_blob_sequence(&pieces)?, name)?;
    Ok(Download::Saved)
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
