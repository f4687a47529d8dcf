//! The matrix on screen: what of it can be seen, where the keyboard is, which cells are chosen, and what is done to them.

use std::{collections::BTreeSet, ops::Range};

use crate::prelude::*;
use leptos::{ev, html, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use super::{
    html::{HERE, Scene},
    paint::{Painter, TALL, WIDE},
    tiles::{At, Key, SIDE, Tiles},
};
use crate::{
    api::{
        self, ApiError, Client,
        flowdeck::access::{self, Matrix},
    },
    browser,
    page::review::Review,
    part::{
        button::Button,
        dynamic::dynamic,
        face::{Notice, sentence},
        number::count,
        toast::Toasts,
        window::{Edges, Frame},
    },
    state::query::Query,
};

/// The least that the names of the rows take.
const NAMES: u32 = 132;
/// At once, as the server takes them.
const MOST: usize = 2000;

#[derive(Clone, Copy)]
pub struct Grid {
    filter: StoredValue<Query>,
    pub(super) tiles: StoredValue<Tiles>,
    /// Grows when a part has come.
    pub(super) news: RwSignal<u32>,
    /// Rows and columns that there are.
    size: RwSignal<(usize, usize)>,
    frame: RwSignal<Frame>,
    pub(super) at: RwSignal<At>,
    /// Where a range begins.
    anchor: StoredValue<At>,
    pub(super) chosen: RwSignal<BTreeSet<At>>,
    /// A click adds to what is chosen.
    pub(super) several: RwSignal<bool>,
    trouble: RwSignal<Option<ApiError>>,
    pub(super) busy: RwSignal<bool>,
    painter: StoredValue<Painter>,
    /// It is painted when the browser draws next.
    paints: StoredValue<bool>,
    /// Rows and columns in sight.
    window: StoredValue<(Range<usize>, Range<usize>)>,
    scroll: NodeRef<html::Div>,
    body: NodeRef<html::Div>,
    client: StoredValue<Client>,
    pub(super) review: Review,
    pub(super) toasts: Toasts,
}

/// `first`: the first part. `changed` grows when something was changed.
pub fn grid(filter: Query, first: Matrix, review: Review, changed: RwSignal<u32>) -> AnyView {
    let size = (first.rows_total, first.columns_total);
    let grid = Grid {
        filter: StoredValue::new(filter),
        tiles: StoredValue::new(Tiles::new(first)),
        news: RwSignal::new(0),
        size: RwSignal::new(size),
        frame: RwSignal::new(Frame {
            line: TALL as f64,
            ..Frame::default()
        }),
        at: RwSignal::new((0, 0)),
        anchor: StoredValue::new((0, 0)),
        chosen: RwSignal::new(BTreeSet::new()),
        several: RwSignal::new(false),
        trouble: RwSignal::new(None),
        busy: RwSignal::new(false),
        painter: StoredValue::new(Painter::new(size.0.min(SIDE), size.1.min(SIDE))),
        paints: StoredValue::new(false),
        window: StoredValue::default(),
        scroll: NodeRef::new(),
        body: NodeRef::new(),
        client: StoredValue::new(expect_context::<Client>()),
        review,
        toasts: Toasts::expect(),
    };
    grid.follow(changed);
    grid.view()
}

// === impl Grid ===

impl Grid {
    /// Draws what is to be seen whenever it is another.
    fn follow(self, changed: RwSignal<u32>) {
        let edges = Memo::new(move |_| Edges::new((0..self.size.get().1).map(|_| WIDE as u32)));
        let window = Memo::new(move |_| {
            let frame = self.frame.read();
            (frame.lines(self.size.get().0), frame.columns(&edges.read(), NAMES))
        });
        Effect::new(move |_| {
            self.window.set_value(window.get());
            self.chosen.track();
            self.at.track();
            self.news.track();
            self.paint_soon();
        });
        Effect::new(move |_| {
            let (rows, columns) = self.size.get();
            self.space(&[("--rows", rows as f64), ("--columns", columns as f64)]);
        });
        // What is in sight and not here is asked for.
        Effect::new(move |_| {
            let (rows, columns) = window.get();
            self.news.track();
            if self.trouble.read().is_none() {
                self.want(&rows, &columns);
            }
        });
        Effect::new(move |before: Option<u32>| {
            let now = changed.get();
            if before.is_some_and(|before| before != now) {
                self.tiles.update_value(Tiles::age);
                self.chosen.update(BTreeSet::clear);
                self.news.update(|news| *news += 1);
            }
            now
        });
        let resized = window_event_listener(ev::resize, move |_| self.measure());
        on_cleanup(move || resized.remove());
        self.scroll.on_load(move |_| request_animation_frame(move || self.measure()));
    }

    /// Once for all that has come by then.
    fn paint_soon(self) {
        if !self.paints.get_value() {
            self.paints.set_value(true);
            request_animation_frame(move || self.paint());
        }
    }

    fn paint(self) {
        // Called when the browser draws next: the page may be gone by then.
        let Some(Some(body)) = self.body.try_get_untracked() else {
            return;
        };
        self.paints.set_value(false);
        // As the server has drawn it, until it is known how much can be seen.
        if self.frame.read_untracked().width == 0.0 {
            return;
        }
        let news = self.tiles.try_update_value(Tiles::news).unwrap_or_default();
        let (rows, columns) = self.window.get_value();
        let chosen = self.chosen.read_untracked();
        let painted = self.tiles.with_value(|tiles| {
            let at = self.at.get_untracked();
            let scene = Scene {
                tiles,
                rows,
                columns,
                at,
                chosen: &chosen,
            };
            self.painter.try_update_value(|painter| painter.paint(&body, &scene, &news))
        });
        if painted == Some(false) {
            self.paint_soon();
        }
    }

    /// Lengths that the style reckons with.
    fn space(self, lengths: &[(&str, f64)]) {
        let Some(body) = self.body.get() else { return };
        for (name, length) in lengths {
            web_sys::HtmlElement::style(&body).set_property(name, &length.to_string()).ok();
        }
    }

    fn measure(self) {
        // Called when the browser draws next: the page may be gone by then.
        let Some(Some(scroll)) = self.scroll.try_get_untracked() else {
            return;
        };
        let frame = Frame {
            top: f64::from(scroll.scroll_top()),
            left: f64::from(scroll.scroll_left()),
            width: f64::from(scroll.client_width()),
            height: f64::from(scroll.client_height() - self.length(".heads", true)).max(0.0),
            line: TALL as f64,
        };
        if *self.frame.read_untracked() != frame {
            self.frame.set(frame);
        }
    }

    /// How tall or wide something in the table is.
    fn length(self, selector: &str, tall: bool) -> i32 {
        let found = self
            .body
            .get_untracked()
            .and_then(|body| body.query_selector(selector).ok().flatten());
        found.map_or(0, |found| if tall { found.client_height() } else { found.client_width() })
    }

    fn want(self, rows: &Range<usize>, columns: &Range<usize>) {
        while let Some(key) = self.tiles.try_update_value(|tiles| tiles.next(rows, columns)).flatten() {
            spawn_local(async move {
                let age = self.tiles.try_with_value(|tiles| tiles.age);
                let answer = self.fetch(key).await;
                let same = self.tiles.try_with_value(|tiles| tiles.age) == age;
                match answer {
                    Some(Ok(part)) if same => self.put(key, part),
                    Some(Err(error)) => {
                        self.tiles.try_update_value(|tiles| tiles.failed(key));
                        self.trouble.try_set(Some(error));
                    }
                    _ => {}
                }
            });
        }
    }

    /// `None`: the page is gone.
    pub(super) async fn fetch(self, key: Key) -> Option<api::Result<Matrix>> {
        let client = self.client.try_get_value()?;
        let query = part(self.filter.try_get_value()?, key);
        Some(access::matrix(&client, &query).await)
    }

    pub(super) fn put(self, key: Key, part: Matrix) {
        self.size.try_set((part.rows_total, part.columns_total));
        self.tiles.try_update_value(|tiles| tiles.put(key, part));
        self.news.try_update(|news| *news += 1);
    }

    fn view(self) -> AnyView {
        let first = self.tiles.with_value(|tiles| {
            let scene = Scene {
                tiles,
                rows: 0..tiles.size.0.min(SIDE),
                columns: 0..tiles.size.1.min(SIDE),
                at: (0, 0),
                chosen: &BTreeSet::new(),
            };
            scene.all(scene.rows.clone())
        });
        let failed = move || {
            let error = self.trouble.get()?;
            Some(view! { <Notice class="failed"><span class="line">{sentence(&error.message)}<Button class="small" press=move |_| self.trouble.set(None)>"Try again"</Button></span></Notice> }.into_any())
        };
        view! {
            {dynamic(failed)}
            <div node_ref=self.scroll class="matrix" role="grid" tabindex="0" aria-label="Permissions" aria-multiselectable="true" aria-activedescendant=HERE
                aria-rowcount=move || (self.size.get().0 + 1).to_string() aria-colcount=move || (self.size.get().1 + 1).to_string()
                on:scroll=move |_| self.measure() on:keydown=move |event| self.key(&event) on:click=move |event| self.click(&event)>
                <div node_ref=self.body class="body" role="presentation" inner_html=first></div>
            </div>
            {self.bar()}
        }
        .into_any()
    }

    fn click(self, event: &ev::MouseEvent) {
        let cell = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let Some(cell) = cell.and_then(|cell| cell.closest("[role=gridcell]").ok().flatten()) else {
            return;
        };
        let number = |element: &web_sys::Element, name: &str| element.get_attribute(name)?.parse::<usize>().ok()?.checked_sub(2);
        let row = cell.parent_element().and_then(|row| number(&row, "aria-rowindex"));
        let Some(at) = row.zip(number(&cell, "aria-colindex")) else {
            return;
        };
        if event.shift_key() {
            self.range(at);
        } else {
            self.turn(at, event.ctrl_key() || event.meta_key() || self.several.get_untracked());
        }
        self.at.set(at);
    }

    /// Chooses one cell, or with `add` one more, or one less.
    fn turn(self, at: At, add: bool) {
        self.anchor.set_value(at);
        let mut chosen = if add { self.chosen.get_untracked() } else { BTreeSet::new() };
        if !chosen.remove(&at) {
            chosen.insert(at);
        }
        self.choose(chosen);
    }

    /// Chooses all from where the last one was chosen.
    fn range(self, to: At) {
        let from = self.anchor.get_value();
        let span = |a: usize, b: usize| a.min(b)..=a.max(b);
        let (rows, columns) = (span(from.0, to.0), span(from.1, to.1));
        if rows.clone().count().saturating_mul(columns.clone().count()) > MOST {
            return self.too_many();
        }
        self.choose(rows.flat_map(|row| columns.clone().map(move |column| (row, column))).collect());
    }

    fn choose(self, chosen: BTreeSet<At>) {
        if chosen.len() > MOST {
            return self.too_many();
        }
        self.chosen.set(chosen);
    }

    fn too_many(self) {
        self.toasts.say(format!("At most {} cells at once", count(MOST)));
    }

    fn key(self, event: &ev::KeyboardEvent) {
        let whole = event.ctrl_key() || event.meta_key();
        if event.alt_key() || event.default_prevented() {
            return;
        }
        let (row, column) = self.at.get_untracked();
        let (rows, columns) = self.size.get_untracked();
        let (last, last_column) = (rows.saturating_sub(1), columns.saturating_sub(1));
        let page = self.frame.read_untracked().page();
        let to = match (event.key().as_str(), whole) {
            ("ArrowDown", false) => (row + 1, column),
            ("ArrowUp", false) => (row.saturating_sub(1), column),
            ("ArrowRight", false) => (row, column + 1),
            ("ArrowLeft", false) => (row, column.saturating_sub(1)),
            ("ArrowDown", true) => (last, column),
            ("ArrowUp", true) => (0, column),
            ("ArrowRight", true) | ("End", false) => (row, last_column),
            ("ArrowLeft", true) | ("Home", false) => (row, 0),
            ("PageDown", _) => (row + page, column),
            ("PageUp", _) => (row.saturating_sub(page), column),
            ("Home", true) => (0, 0),
            ("End", true) => (last, last_column),
            (" ", _) => {
                event.prevent_default();
                return self.turn((row, column), true);
            }
            ("Enter", false) => {
                event.prevent_default();
                if self.chosen.read_untracked().is_empty() {
                    self.turn((row, column), false);
                }
                return request_animation_frame(|| {
                    browser::focus("#matrix-level");
                });
            }
            ("Escape", false) => return self.chosen.update(BTreeSet::clear),
            _ => return,
        };
        event.prevent_default();
        let to = (to.0.min(last), to.1.min(last_column));
        if event.shift_key() {
            if self.chosen.read_untracked().is_empty() {
                self.anchor.set_value((row, column));
            }
            self.range(to);
        }
        self.go_to(to);
    }

    fn go_to(self, at: At) {
        self.at.set(at);
        let Some(scroll) = self.scroll.get_untracked() else { return };
        let frame = self.frame.get_untracked();
        scroll.set_scroll_top(frame.reveal_line(at.0) as i32);
        let edges = Edges::new((0..self.size.get_untracked().1).map(|_| WIDE as u32));
        let names = self.length(".who", false).max(0) as u32;
        scroll.set_scroll_left(frame.reveal_column(at.1, &edges, names) as i32);
        self.measure();
    }
}

/// What to ask for one part.
pub fn part(filter: Query, (down, across): Key) -> Query {
    let number = |number: usize| number.to_string();
    filter
        .with("row", &number(down * SIDE))
        .with("column", &number(across * SIDE))
        .with("height", &number(SIDE))
        .with("width", &number(SIDE))
}
