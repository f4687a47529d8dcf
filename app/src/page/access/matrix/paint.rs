//! Keeps the page in step with what is to be seen. A row or column that comes into sight is written, one that leaves is taken out, and the
//! rest is left as it is: scrolling costs what moves.

use std::{collections::BTreeSet, ops::Range};

use leptos::{
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, HtmlElement},
};

use super::{
    html::{HERE, Scene},
    tiles::At,
};

/// Cells in pixels, as the style has them.
pub const TALL: usize = 28;
pub const WIDE: usize = 32;

/// Of more cells that were chosen, or are no longer, all is written anew.
const FEW: usize = 64;

/// What stands in the page.
#[derive(Default)]
pub struct Painter(Option<Drawn>);

struct Drawn {
    rows: Range<usize>,
    columns: Range<usize>,
    at: At,
    chosen: BTreeSet<At>,
    /// Of what was known.
    news: u32,
}

// === impl Painter ===

impl Painter {
    /// `news`: another number, and all may say something else.
    pub fn paint(&mut self, body: &Element, scene: &Scene<'_>, news: u32) {
        let before = self.0.take().filter(|before| before.is_like(scene, news));
        let patched = before.is_some_and(|before| before.patch(body, scene).is_ok());
        if !patched {
            body.set_inner_html(&scene.all());
        }
        space(body, scene).ok();
        self.0 = Some(Drawn {
            rows: scene.rows.clone(),
            columns: scene.columns.clone(),
            at: scene.at,
            chosen: scene.chosen.clone(),
            news,
        });
    }
}

// === impl Drawn ===

impl Drawn {
    /// Whether most of it stays.
    fn is_like(&self, scene: &Scene<'_>, news: u32) -> bool {
        let stays = |before: &Range<usize>, now: &Range<usize>| before.start < now.end && now.start < before.end;
        let turned = self.chosen.symmetric_difference(scene.chosen).take(FEW + 1).count();
        self.news == news && stays(&self.rows, &scene.rows) && stays(&self.columns, &scene.columns) && turned <= FEW
    }

    fn patch(&self, body: &Element, scene: &Scene<'_>) -> Result<(), JsValue> {
        let (heads, above) = frame(body)?;
        for _ in self.rows.start..scene.rows.start {
            next(&above)?.remove();
        }
        for _ in scene.rows.end..self.rows.end {
            last(body)?.remove();
        }
        let kept = self.rows.start.max(scene.rows.start)..self.rows.end.min(scene.rows.end);
        if self.columns != scene.columns {
            self.slide(&heads, None, scene)?;
            let mut line = above.clone();
            for row in kept.clone() {
                line = next(&line)?;
                self.slide(&line, Some(row), scene)?;
            }
        }
        let mut html = String::new();
        scene.rows(&mut html, scene.rows.start..kept.start);
        above.insert_adjacent_html("afterend", &html)?;
        html.clear();
        scene.rows(&mut html, kept.end..scene.rows.end);
        body.insert_adjacent_html("beforeend", &html)?;
        for at in self.chosen.symmetric_difference(scene.chosen) {
            if let Some(cell) = cell(&above, scene, *at) {
                cell.set_attribute("aria-selected", if scene.chosen.contains(at) { "true" } else { "false" })?;
            }
        }
        if self.at != scene.at {
            if let Some(cell) = cell(&above, scene, self.at) {
                cell.remove_attribute("id")?;
            }
            if let Some(cell) = cell(&above, scene, scene.at) {
                cell.set_id(HERE);
            }
        }
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
fn space(body: &Element, scene: &Scene<'_>) -> Result<(), JsValue> {
    let (heads, above) = frame(body)?;
    set(&above, "height", scene.rows.start * TALL)?;
    let width = scene.columns.start * WIDE;
    set(&gap(&heads)?, "width", width)?;
    let mut line = above;
    for _ in scene.rows.clone() {
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

fn cell(above: &Element, scene: &Scene<'_>, at: At) -> Option<Element> {
    if !scene.rows.contains(&at.0) || !scene.columns.contains(&at.1) {
        return None;
    }
    let line = (scene.rows.start..=at.0).try_fold(above.clone(), |line, _| line.next_element_sibling())?;
    let gap = line.first_element_child()?.next_element_sibling()?;
    (scene.columns.start..=at.1).try_fold(gap, |cell, _| cell.next_element_sibling())
}

fn next(element: &Element) -> Result<Element, JsValue> {
    element.next_element_sibling().ok_or(JsValue::NULL)
}

fn last(element: &Element) -> Result<Element, JsValue> {
    element.last_element_child().ok_or(JsValue::NULL)
}
