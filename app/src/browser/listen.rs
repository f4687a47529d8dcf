//! Server-sent events (HTML standard, 9.2).

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Hears events until it is dropped.
pub struct Listener {
    source: JsValue,
    _heard: Closure<dyn FnMut(JsValue)>,
}

/// Calls `heard` with the name and the data of each event of these names at `path`, and with `error` and an empty text where the
/// connection broke off. The browser connects again by itself, but for what the server refused. `None`: this browser cannot.
pub fn listen(path: &str, names: &[&str], heard: impl Fn(&str, &str) + 'static) -> Option<Listener> {
    let class: Function = Reflect::get(&js_sys::global(), &"EventSource".into()).ok()?.dyn_into().ok()?;
    let source = Reflect::construct(&class, &Array::of1(&path.into())).ok()?;
    let heard = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        let text = |field: &str| {
            Reflect::get(&event, &field.into())
                .ok()
                .and_then(|value| value.as_string())
                .unwrap_or_default()
        };
        heard(&text("type"), &text("data"));
    });
    let add: Function = Reflect::get(&source, &"addEventListener".into()).ok()?.dyn_into().ok()?;
    for name in names.iter().chain(&["error"]) {
        add.call2(&source, &(*name).into(), heard.as_ref()).ok()?;
    }
    Some(Listener { source, _heard: heard })
}

// === impl Listener ===

impl Drop for Listener {
    fn drop(&mut self) {
        let close = Reflect::get(&self.source, &"close".into())
            .ok()
            .and_then(|close| close.dyn_into::<Function>().ok());
        if let Some(close) = close {
            close.call0(&self.source).ok();
        }
    }
}
