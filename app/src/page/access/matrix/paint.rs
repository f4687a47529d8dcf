//! Keeps the page in step with what is to be seen. A row or column that comes into sight is written, one that leaves is taken out, a row of
//! which something else is known is written again, and the rest is left as it is. Of many rows only some are written before the browser draws.

use std::{collections::BTreeSet, ops::Range};

use leptos::{
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, HtmlElement},
};

use super::{
    html::Scene,
    tiles::{At, News},
};

/// Cells in pixels, as the style has them.
pub const TALL: usize = 28;
pub const WIDE: usize = 32;

/// So many cells are written at once: the browser has to lay them out before it draws.
const CELLS: usize = 320;

/// What stands in the page.
pub struct Painter(Option<Drawn>);

struct Drawn {
    rows: Range<usize>,
    columns: Range<usize>,
    at: At,
    chosen: BTreeSet<At>,
    /// Rows that say something else by now.
    stale: BTreeSet<usize>,
    /// The same of the columns' names.
    heads: bool,
}

// === impl Painter ===

impl Painter {
    /// So many rows and columns stand there already.
    pub fn new(rows: usize, columns: usize) -> Self {
        Self(Some(Drawn {
            rows: 0..rows,
            columns: 0..columns,
            at: (0, 0),
            chosen: BTreeSet::new(),
            stale: BTreeSet::new(),
            heads: false,
        }))
    }

    /// Whether all of it stands there now; else there is more to paint when the browser has drawn this.
    pub fn paint(&mut self, body: &Element, scene: &Scene<'_>, news: &News) -> bool {
        let mut room = (CELLS / scene.columns.len().max(1)).max(2);
        let kept = self.0.take().filter(|drawn| drawn.overlaps(scene));
        let patched = kept.and_then(|mut drawn| {
            drawn.learn(scene, news);
            drawn.patch(body, scene, &mut room).ok()?;
            Some(drawn)
        });
        let drawn = patched.unwrap_or_else(|| {
            let rows = scene.rows.start..scene.rows.end.min(scene.rows.start + room);
            body.set_inner_html(&scene.all(rows.clone()));
            Drawn {
                rows,
                columns: scene.columns.clone(),
                at: scene.at,
                chosen: scene.chosen.clone(),
                stale: BTreeSet::new(),
                heads: false,
            }
        });
        space(body, scene, &drawn.rows).ok();
        let all = drawn.rows == scene.rows && drawn.stale.is_empty();
        self.0 = Some(drawn);
        all
    }
}

// === impl Drawn ===

impl Drawn {
    /// Whether something of it stays.
    fn overlaps(&self, scene: &Scene<'_>) -> bool {
        let overlap = |before: &Range<usize>, now: &Range<usize>| before.start < now.end && now.start < before.end;
        overlap(&self.rows, &scene.rows) && overlap(&self.columns, &scene.columns)
    }

    /// What of it says something else now.
    fn learn(&mut self, scene: &Scene<'_>, news: &News) {
        self.heads |= news.heads;
        self.stale.extend(news.rows.iter().cloned().flatten());
        self.stale.extend(self.chosen.symmetric_difference(scene.chosen).map(|at| at.0));
        if self.at != scene.at {
            self.stale.extend([self.at.0, scene.at.0]);
        }
        self.chosen.clone_from(scene.chosen);
        self.at = scene.at;
    }

    /// Writes at most `room` rows.
    fn patch(&mut self, body: &Element, scene: &Scene<'_>, room: &mut usize) -> Result<(), JsValue> {
        let (heads, above) = frame(body)?;
        for _ in self.rows.start..scene.rows.start {
            next(&above)?.remove();
        }
        for _ in scene.rows.end..self.rows.end {
            last(body)?.remove();
        }
        let kept = self.rows.start.max(scene.rows.start)..self.rows.end.min(scene.rows.end);
        let slides = self.columns != scene.columns;
        if std::mem::take(&mut self.heads) {
            heads.set_inner_html(&scene.heads());
        } else if slides {
            self.slide(&heads, None, scene)?;
        }
        self.stale.retain(|row| kept.contains(row));
        let mut line = above.clone();
        for row in kept.clone() {
            line = next(&line)?;
            if *room > 0 && self.stale.remove(&row) {
                *room -= 1;
                line.set_inner_html(&scene.line(row));
            } else if slides {
                self.slide(&line, Some(row), scene)?;
            }
        }
        let before = kept.start.saturating_sub(*room).max(scene.rows.start)..kept.start;
        *room -= before.len();
        let after = kept.end..scene.rows.end.min(kept.end + *room);
        above.insert_adjacent_html("afterend", &scene.rows(before.clone()))?;
        body.insert_adjacent_html("beforeend", &scene.rows(after.clone()))?;
        self.rows = before.start..after.end;
        self.columns = scene.columns.clone();
        Ok(())
    }

    /// Other columns of one line.
    fn slide(&self, line: &Element, row: Option<usize>, scene: &Scene<'_>) -> Result<(), JsValue> {
        let gap = gap(line)?;
        for _ in self.columns.start..scene.columns.start {
            next(&gap)?.remove();
        }
        for _ in scene.columns.end..self.columns.end {
            last(line)?.remove();
        }
        let mut html = String::new();
        scene.cells(&mut html, row, scene.columns.start..self.columns.start);
        gap.insert_adjacent_html("afterend", &html)?;
        html.clear();
        scene.cells(&mut html, row, self.columns.end..scene.columns.end);
        line.insert_adjacent_html("beforeend", &html)
    }
}

/// The room of what is not drawn, above and before.
fn space(body: &Element, scene: &Scene<'_>, rows: &Range<usize>) -> Result<(), JsValue> {
    let (heads, above) = frame(body)?;
    set(&above, "height", rows.start * TALL)?;
    let width = scene.columns.start * WIDE;
    set(&gap(&heads)?, "width", width)?;
    let mut line = above;
    for _ in rows.clone() {
        line = next(&line)?;
        set(&gap(&line)?, "width", width)?;
    }
    Ok(())
}

fn set(element: &Element, name: &str, pixels: usize) -> Result<(), JsValue> {
    let element = element.dyn_ref::<HtmlElement>().ok_or(JsValue::NULL)?;
    element.style().set_property(name, &format!("{pixels}px"))
}

/// The names of the columns, and what stands for the rows above.
fn frame(body: &Element) -> Result<(Element, Element), JsValue> {
    let heads = body.first_element_child().ok_or(JsValue::NULL)?;
    let above = next(&heads)?;
    Ok((heads, above))
}

/// What stands for the columns before, in one line.
fn gap(line: &Element) -> Result<Element, JsValue> {
    next(&line.first_element_child().ok_or(JsValue::NULL)?)
}

fn next(element: &Element) -> Result<Element, JsValue> {
    element.next_element_sibling().ok_or(JsValue::NULL)
}

fn last(element: &Element) -> Result<Element, JsValue> {
    element.last_element_child().ok_or(JsValue::NULL)
}
