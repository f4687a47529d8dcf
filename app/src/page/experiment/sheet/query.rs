//! What helps to write a query: what could stand at the cursor, and what was asked before.

use std::{ops::Range, time::Duration};

use crate::prelude::*;
use leptos::{html, leptos_dom::helpers::TimeoutHandle};

use super::Sheet;
use crate::{
    api::json,
    browser,
    part::{dynamic::dynamic, number::count},
    table::query::complete::{Completion, Offer, Offered, complete},
};

/// The list below the query line.
#[derive(Clone, Copy)]
pub struct Suggest {
    input: NodeRef<html::Input>,
    completion: RwSignal<Completion>,
    /// The offer that Enter takes.
    at: RwSignal<Option<usize>>,
    /// Nothing has been typed for a moment.
    pub settled: RwSignal<bool>,
    timer: StoredValue<Option<TimeoutHandle>>,
}

/// After so long without a key the address follows what is typed.
const PAUSE: Duration = Duration::from_millis(500);
/// Where queries are remembered, and how many.
const RECENT: &str = "flowdeck-queries";
const REMEMBERED: usize = 20;

// === impl Suggest ===

impl Suggest {
    pub fn new(input: NodeRef<html::Input>) -> Self {
        Self {
            input,
            completion: RwSignal::new(Completion::default()),
            at: RwSignal::new(None),
            settled: RwSignal::new(true),
            timer: StoredValue::new(None),
        }
    }

    /// Something was typed.
    pub fn typed(self, sheet: Sheet) {
        let Some(input) = self.input.get_untracked() else { return };
        let text = input.value();
        self.settled.set(false);
        self.at.set(None);
        let completion = sheet.complete(&text, self.cursor(&text));
        if *self.completion.read_untracked() != completion {
            self.completion.set(completion);
        }
        sheet.draft.set(text);
        if let Some(timer) = self.timer.get_value() {
            timer.clear();
        }
        let pause = move || {
            if self.settled.try_set(true).is_none() {
                sheet.write_down(false);
            }
        };
        self.timer.set_value(set_timeout_with_handle(pause, PAUSE).ok());
    }

    /// The query is to be run as it is.
    pub fn submit(self, sheet: Sheet) {
        if let Some(timer) = self.timer.get_value() {
            timer.clear();
        }
        self.close();
        self.settled.set(true);
        sheet.write_down(true);
    }

    pub fn close(self) {
        if !self.completion.read_untracked().offers.is_empty() {
            self.completion.set(Completion::default());
        }
        self.at.set(None);
    }

    /// The queries of before, where nothing is typed yet.
    pub fn focused(self, sheet: Sheet) {
        if sheet.draft.read_untracked().is_empty() {
            let offers = recent().into_iter().map(|text| Offer {
                text,
                kind: Offered::Value,
                runs: None,
            });
            self.completion.set(Completion {
                span: 0..0,
                offers: offers.collect(),
            });
        }
    }

    /// Whether the key was for the list.
    pub fn key(self, sheet: Sheet, key: &str) -> bool {
        let many = self.completion.read_untracked().offers.len();
        if many == 0 {
            return false;
        }
        match (key, self.at.get_untracked()) {
            ("ArrowDown", at) => self.at.set(Some(at.map_or(0, |at| (at + 1) % many))),
            ("ArrowUp", at) => self.at.set(Some(at.map_or(many - 1, |at| (at + many - 1) % many))),
            ("Enter" | "Tab", Some(at)) => self.accept(sheet, at),
            ("Escape", _) => self.close(),
            _ => return false,
        }
        true
    }

    fn accept(self, sheet: Sheet, at: usize) {
        let completion = self.completion.get_untracked();
        let (Some(offer), Some(input)) = (completion.offers.get(at), self.input.get_untracked()) else {
            return;
        };
        let (text, cursor) = put(&input.value(), completion.span.clone(), offer);
        input.set_value(&text);
        let end = text[..cursor].encode_utf16().count() as u32;
        input.set_selection_range(end, end).ok();
        input.focus().ok();
        self.typed(sheet);
    }

    /// In bytes.
    fn cursor(self, text: &str) -> usize {
        let cursor = self.input.get_untracked().and_then(|input| input.selection_start().ok().flatten());
        cursor.map_or(text.len(), |cursor| bytes(text, cursor as usize))
    }

    pub fn view(self, sheet: Sheet) -> AnyView {
        dynamic(move || {
            let completion = self.completion.get();
            if completion.offers.is_empty() {
                return ().into_any();
            }
            let chosen = self.at.get();
            let item = |(at, offer): (usize, &Offer)| {
                let kind = match offer.kind {
                    Offered::Key => "key",
                    Offered::Operator => "operator",
                    Offered::Value => "value",
                    Offered::Word => "word",
                };
                let selected = chosen == Some(at);
                let runs = offer.runs.map(|runs| view! { <span class="count">{count(runs)}</span> });
                // The input keeps the focus.
                let take = move |event: leptos::ev::MouseEvent| {
                    event.prevent_default();
                    self.accept(sheet, at);
                };
                view! {
                    <li role="option" id=format!("offer-{at}") class=kind aria-selected=if selected { "true" } else { "false" } on:mousedown=take>
                        <bdi class="clip">{offer.text.clone()}</bdi>{runs}
                    </li>
                }
            };
            let items = completion.offers.iter().enumerate().map(item).collect::<Vec<_>>();
            Effect::new(move |_| {
                if let Some(at) = self.at.get() {
                    browser::reveal(&format!("#offer-{at}"));
                }
            });
            view! { <ul id="offers" class="offers" role="listbox" aria-label="What could stand here">{items}</ul> }.into_any()
        })
    }

    /// The id of the offer that Enter takes.
    pub fn active(self) -> Option<String> {
        self.at.get().map(|at| format!("offer-{at}"))
    }

    pub fn is_open(self) -> bool {
        !self.completion.read().offers.is_empty()
    }
}

// === impl Sheet ===

impl Sheet {
    fn complete(self, text: &str, cursor: usize) -> Completion {
        self.store.with_value(|store| complete(store, text, cursor))
    }

    /// Puts the query into the address; `done`: as an entry of its own, and it is remembered.
    fn write_down(self, done: bool) {
        let Some(draft) = self.draft.try_get_untracked() else { return };
        if self.parsed.with_untracked(Result::is_err) && !done {
            return;
        }
        let now = self.place.now();
        let new = now.filtered(&draft);
        if done && self.parsed.with_untracked(Result::is_ok) && !new.typed.is_empty() {
            remember(&new.typed);
        }
        match (new == now, done) {
            (true, _) => {}
            (false, true) => self.place.go(&new),
            (false, false) => self.place.replace(&new),
        }
    }
}

/// The query with the offer in it, and where the cursor stands then. What is written on is apart from it.
fn put(text: &str, span: Range<usize>, offer: &Offer) -> (String, usize) {
    let end = span.end.min(text.len());
    let open = offer.text.ends_with(['.', '(']);
    let apart = if open || text[end..].starts_with(' ') { "" } else { " " };
    let mut new = format!("{}{}{apart}", &text[..span.start.min(end)], offer.text);
    let cursor = new.len();
    new.push_str(&text[end..]);
    (new, cursor)
}

/// Where letter `at` as the browser counts them begins.
fn bytes(text: &str, at: usize) -> usize {
    let mut left = at;
    for (begin, letter) in text.char_indices() {
        if left < letter.len_utf16() {
            return begin;
        }
        left -= letter.len_utf16();
    }
    text.len()
}

fn recent() -> Vec<String> {
    let stored = browser::stored(RECENT);
    stored.and_then(|stored| json::from_str(&stored).ok()).unwrap_or_default()
}

fn remember(query: &str) {
    let mut all = recent();
    all.retain(|other| other != query);
    all.insert(0, query.to_owned());
    all.truncate(REMEMBERED);
    if let Ok(text) = serde_json::to_string(&all) {
        browser::store(RECENT, Some(&text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_counts_letters_in_its_own_way() {
        let text = "a🦊ü b";
        assert_eq!([0, 1, 3, 4, 99].map(|at| bytes(text, at)), [0, 1, 5, 7, 9]);
    }

    #[test]
    fn offers_take_the_place_of_what_is_typed() {
        let offer = |text: &str| Offer {
            text: text.into(),
            kind: Offered::Key,
            runs: None,
        };
        assert_eq!(put("not lo", 4..6, &offer("metrics.loss")), ("not metrics.loss ".into(), 17));
        assert_eq!(put("lo > 1", 0..2, &offer("metrics.loss")), ("metrics.loss > 1".into(), 12));
        assert_eq!(put("met", 0..3, &offer("metrics.")), ("metrics.".into(), 8));
    }
}
