//! What only a browser has. On the server each of these does nothing; none may be called while a page is drawn.

#[cfg(feature = "hydrate")]
mod download;
#[cfg(feature = "hydrate")]
mod listen;

/// How a download ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Download {
    /// Handed to the browser as a file.
    Saved,
    Stopped,
    /// With this status, or 0 where the connection broke off.
    Failed(u16),
}

#[cfg(feature = "hydrate")]
mod real {
    pub use super::{
        download::download,
        listen::{Listener, listen},
    };
    use js_sys::{Function, Reflect};
    use leptos::prelude::{document, window};
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{
        ClipboardEvent, DocumentFragment, Element, Event, FormData, HtmlAnchorElement, HtmlElement, HtmlFormElement, HtmlTextAreaElement,
        KeyboardEvent, Node, VisibilityState,
    };

    /// Milliseconds since 1970.
    pub fn now() -> i64 {
        js_sys::Date::now() as i64
    }

    /// The time at `at` on the visitor's own clock, for example `2026-11-20 14:03:21 (+01:00)`.
    pub fn local_time(at: i64) -> String {
        let date = js_sys::Date::new(&JsValue::from_f64(at as f64));
        let east = -(date.get_timezone_offset() as i64);
        let text = crate::part::time::utc(at + east * 60_000);
        format!(
            "{text} ({}{:02}:{:02})",
            if east < 0 { '-' } else { '+' },
            east.abs() / 60,
            east.abs() % 60
        )
    }

    /// Gives what waits a turn: the page is drawn, and what was typed is heard.
    pub async fn pause() {
        gloo_timers::future::TimeoutFuture::new(0).await;
    }

    pub fn visible() -> bool {
        document().visibility_state() == VisibilityState::Visible
    }

    /// What this browser keeps under `key`.
    pub fn stored(key: &str) -> Option<String> {
        window().local_storage().ok()??.get_item(key).ok()?
    }

    /// Keeps `value` under `key`, or nothing any more.
    pub fn store(key: &str, value: Option<&str>) {
        if let Ok(Some(storage)) = window().local_storage() {
            match value {
                Some(value) => storage.set_item(key, value).ok(),
                None => storage.remove_item(key).ok(),
            };
        }
    }

    /// Sets or removes an attribute of `<html>`.
    pub fn mark_document(attribute: &str, value: Option<&str>) {
        if let Some(html) = document().document_element() {
            match value {
                Some(value) => html.set_attribute(attribute, value).ok(),
                None => html.remove_attribute(attribute).ok(),
            };
        }
    }

    /// Puts `text` on the clipboard; false where the browser did not let us.
    pub async fn copy(text: &str) -> bool {
        if window().is_secure_context() {
            return JsFuture::from(window().navigator().clipboard().write_text(text)).await.is_ok();
        }
        copy_by_selection(text).unwrap_or(false)
    }

    /// The old way, for pages that were not loaded over https.
    fn copy_by_selection(text: &str) -> Option<bool> {
        let document = document();
        let area = document.create_element("textarea").ok()?.dyn_into::<HtmlTextAreaElement>().ok()?;
        area.set_value(text);
        area.set_class_name("unseen");
        // Inside of an open dialog nothing outside of it can take the focus.
        let focused = document.active_element();
        let place = focused
            .as_ref()
            .and_then(|element| element.closest("dialog").ok()?)
            .or_else(|| Some(document.body()?.into()))?;
        place.append_child(&area).ok()?;
        area.select();
        let command = Reflect::get(&document, &"execCommand".into()).ok()?.dyn_into::<Function>().ok()?;
        let done = command.call1(&document, &"copy".into()).ok().and_then(|answer| answer.as_bool());
        area.remove();
        if let Some(focused) = focused.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            focused.focus().ok();
        }
        done
    }

    /// Focuses the first element that matches, if there is one.
    pub fn focus(selector: &str) -> bool {
        let element = document()
            .query_selector(selector)
            .ok()
            .flatten()
            .and_then(|element| element.dyn_into::<HtmlElement>().ok());
        element.is_some_and(|element| element.focus().is_ok())
    }

    /// Hands `text` to the browser as a file of this name.
    pub fn save(text: &str, name: &str) {
        super::download::save_text(text, name).ok();
    }

    /// Scrolls the first element that matches into view.
    pub fn reveal(selector: &str) {
        if let Ok(Some(element)) = document().query_selector(selector) {
            element.scroll_into_view_with_bool(false);
        }
    }

    /// [`focus`] without scrolling to it.
    pub fn focus_still(selector: &str) {
        let found = document().query_selector(selector).ok().flatten();
        if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            let options = js_sys::Object::new();
            Reflect::set(&options, &"preventScroll".into(), &true.into()).ok();
            if let Ok(focus) = Reflect::get(&element, &"focus".into()).and_then(|focus| focus.dyn_into::<Function>()) {
                focus.call1(&element, &options).ok();
            }
        }
    }

    /// [`focus`], unless the focus is somewhere already.
    pub fn focus_if_lost(selector: &str) {
        let somewhere = document().active_element().is_some_and(|element| element.tag_name() != "BODY");
        if !somewhere {
            focus(selector);
        }
    }

    /// The path that the link at or around `target` leads to, with its query, if it stays at this address.
    pub fn link_path(target: web_sys::EventTarget) -> Option<String> {
        let link = target.dyn_into::<Element>().ok()?.closest("a[href]").ok()??;
        let link = link.dyn_into::<HtmlAnchorElement>().ok()?;
        (link.origin() == origin()).then(|| link.pathname() + &link.search())
    }

    /// Clicks the first element that matches, if there is one.
    pub fn press(selector: &str) -> bool {
        let element = document()
            .query_selector(selector)
            .ok()
            .flatten()
            .and_then(|element| element.dyn_into::<HtmlElement>().ok());
        element.map(|element| element.click()).is_some()
    }

    /// Moves the focus among the elements that match, from the focused one or from outside of them.
    pub fn step_focus(selector: &str, forward: bool) -> bool {
        let Ok(items) = document().query_selector_all(selector) else {
            return false;
        };
        let focused = document().active_element();
        let count = items.length();
        let at = (0..count).find(|index| items.item(*index).as_ref() == focused.as_ref().map(AsRef::as_ref));
        let next = match (at, forward) {
            (Some(at), true) => at + 1,
            (Some(at), false) => at.wrapping_sub(1),
            (None, true) => 0,
            (None, false) => return false,
        };
        let item = items.item(next).and_then(|item| item.dyn_into::<HtmlElement>().ok());
        item.is_some_and(|item| item.focus().is_ok())
    }

    /// Where this page is served from, without a path: `https://example.org`.
    pub fn origin() -> String {
        window().location().origin().unwrap_or_default()
    }

    /// Puts the exact values on the clipboard when what is copied shows shortened ones (`<data class="exact">`, or a cell that has it).
    pub fn copy_exactly(event: &ClipboardEvent) -> Option<()> {
        let selection = window().get_selection().ok()??;
        if selection.is_collapsed() || selection.range_count() != 1 {
            return None;
        }
        let range = selection.get_range_at(0).ok()?;
        let part = range.clone_contents().ok()?;
        let values = part.query_selector_all(EXACT).ok()?;
        let text = if values.length() == 0 {
            // Perhaps the whole text of one value.
            let node = range.common_ancestor_container().ok()?;
            let element = node.dyn_ref::<Element>().cloned().or_else(|| node.parent_element())?;
            let value = element.closest(EXACT).ok()??;
            (short(&value)?.text_content() == part.text_content()).then(|| exact(&value))??
        } else {
            for index in 0..values.length() {
                if let Some(value) = values.item(index).and_then(|value| value.dyn_into::<Element>().ok()) {
                    short(&value)?.set_text_content(exact(&value).as_deref());
                }
            }
            table_text(&part).or_else(|| part.text_content())?
        };
        event.clipboard_data()?.set_data("text/plain", &text).ok()?;
        event.prevent_default();
        Some(())
    }

    const EXACT: &str = "data.exact, [data-exact]";

    fn exact(value: &Element) -> Option<String> {
        value.get_attribute("data-exact").or_else(|| value.get_attribute("value"))
    }

    /// The text that stands for the exact value.
    fn short(value: &Element) -> Option<Node> {
        let children = value.child_nodes();
        (0..children.length()).find_map(|at| children.item(at).filter(|child| child.node_type() == Node::TEXT_NODE))
    }

    /// The rows of a table as lines, their cells with tabs between.
    fn table_text(part: &DocumentFragment) -> Option<String> {
        let rows = part.query_selector_all("tr").ok()?;
        let mut lines = Vec::new();
        for row in (0..rows.length()).filter_map(|index| rows.item(index)?.dyn_into::<Element>().ok()) {
            let cells = row.query_selector_all("th, td").ok()?;
            let cells = (0..cells.length()).filter_map(|index| cells.item(index)?.text_content());
            lines.push(cells.map(|cell| cell.trim().to_owned()).collect::<Vec<_>>().join("\t"));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Whether a key that was pressed there belongs to what is being written.
    pub fn is_writing(event: &KeyboardEvent) -> bool {
        let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        element.is_some_and(|element| {
            element
                .closest("input, textarea, select, [contenteditable], dialog[open]")
                .is_ok_and(|found| found.is_some())
        })
    }

    /// The values of the form that `event` came from, by name.
    pub fn form_values(event: &Event, names: &[&'static str]) -> Vec<(&'static str, String)> {
        let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let form = element.and_then(|element| element.closest("form").ok()??.dyn_into::<HtmlFormElement>().ok());
        let Some(data) = form.and_then(|form| FormData::new_with_form(&form).ok()) else {
            return Vec::new();
        };
        let value = |name: &&'static str| (*name, data.get(name).as_string().unwrap_or_default().trim().to_owned());
        names.iter().map(value).collect()
    }

    /// The text of the file that was just chosen in a field.
    pub async fn chosen_text(event: &Event) -> Option<String> {
        let field = event.target()?.dyn_into::<web_sys::HtmlInputElement>().ok()?;
        let file = field.files()?.get(0)?;
        let text = JsFuture::from(file.text()).await.ok()?.as_string();
        // The same file may be chosen again, when it was mended.
        field.set_value("");
        text
    }

    /// The moment that `2026-11-20T14:03` is on the visitor's own clock, in ms since 1970.
    pub fn moment(local: &str) -> Option<i64> {
        let at = js_sys::Date::parse(local);
        at.is_finite().then_some(at as i64)
    }

    pub fn reload() {
        window().location().reload().ok();
    }

    /// Asks a question that is answered by yes or no before anything else happens.
    pub fn confirm(question: &str) -> bool {
        window().confirm_with_message(question).unwrap_or(false)
    }

    /// Listens for what leads away from this page. For links, back and forward `stay` is asked whether
    /// one stays after all; where the page is closed or loaded anew while `unsaved`, the browser asks in its own words.
    /// What is returned ends it.
    pub fn before_leaving(unsaved: impl Fn() -> bool + 'static, stay: impl Fn() -> bool + 'static) -> impl FnOnce() {
        // Another entry for the same address: going back from it leads nowhere yet.
        let again = |here: &str| {
            if let Ok(history) = window().history() {
                history.push_state_with_url(&JsValue::NULL, "", Some(here)).ok();
            }
        };
        let here = window().location().href().unwrap_or_default();
        again(&here);
        let listen = move |event: Event| match event.type_().as_str() {
            "beforeunload" => {
                if unsaved() {
                    event.prevent_default();
                }
            }
            "popstate" => {
                // Whoever went further than to the entry below is gone already.
                if window().location().href().is_ok_and(|now| now == here) {
                    if stay() {
                        again(&here);
                    } else if let Ok(history) = window().history() {
                        history.back().ok();
                    }
                }
            }
            _ => {
                let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
                let link = element.and_then(|element| element.closest("a[href]:not([download], [target], [href^='#'])").ok()?);
                if link.is_some() && stay() {
                    event.prevent_default();
                }
            }
        };
        let listener = Closure::<dyn FnMut(Event)>::new(listen)
            .into_js_value()
            .unchecked_into::<Function>();
        for kind in LEAVING {
            window().add_event_listener_with_callback_and_bool(kind, &listener, true).ok();
        }
        move || {
            for kind in LEAVING {
                window().remove_event_listener_with_callback_and_bool(kind, &listener, true).ok();
            }
        }
    }

    const LEAVING: [&str; 3] = ["beforeunload", "popstate", "click"];
}

#[cfg(not(feature = "hydrate"))]
mod real {
    use leptos::web_sys::{self, ClipboardEvent, KeyboardEvent};

    use super::Download;

    pub fn now() -> i64 {
        0
    }

    pub fn local_time(at: i64) -> String {
        crate::part::time::utc(at)
    }

    pub async fn pause() {}

    pub fn visible() -> bool {
        true
    }

    pub fn stored(_key: &str) -> Option<String> {
        None
    }

    pub fn store(_key: &str, _value: Option<&str>) {}

    pub fn mark_document(_attribute: &str, _value: Option<&str>) {}

    pub async fn copy(_text: &str) -> bool {
        false
    }

    pub fn focus(_selector: &str) -> bool {
        false
    }

    pub fn save(_text: &str, _name: &str) {}

    pub fn reveal(_selector: &str) {}

    pub fn focus_still(_selector: &str) {}

    pub fn focus_if_lost(_selector: &str) {}

    pub fn link_path(_target: web_sys::EventTarget) -> Option<String> {
        None
    }

    pub fn press(_selector: &str) -> bool {
        false
    }

    pub fn step_focus(_selector: &str, _forward: bool) -> bool {
        false
    }

    pub fn origin() -> String {
        String::new()
    }

    pub fn copy_exactly(_event: &ClipboardEvent) -> Option<()> {
        None
    }

    pub fn is_writing(_event: &KeyboardEvent) -> bool {
        false
    }

    pub async fn download(_path: &str, _name: &str, _look: impl FnMut(&mut Vec<u8>) -> bool) -> Download {
        Download::Failed(0)
    }

    pub fn form_values(_event: &web_sys::Event, _names: &[&'static str]) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    pub async fn chosen_text(_event: &web_sys::Event) -> Option<String> {
        None
    }

    pub fn moment(_local: &str) -> Option<i64> {
        None
    }

    pub fn reload() {}

    pub fn confirm(_question: &str) -> bool {
        false
    }

    pub struct Listener;

    pub fn listen(_path: &str, _names: &[&str], _heard: impl Fn(&str, &str) + 'static) -> Option<Listener> {
        None
    }

    pub fn before_leaving(_unsaved: impl Fn() -> bool + 'static, _stay: impl Fn() -> bool + 'static) -> impl FnOnce() {
        || ()
    }
}

pub use real::{
    Listener, before_leaving, chosen_text, confirm, copy, copy_exactly, download, focus, focus_if_lost, focus_still, form_values,
    is_writing, link_path, listen, local_time, mark_document, moment, now, origin, pause, press, reload, reveal, save, step_focus, store,
    stored, visible,
};
