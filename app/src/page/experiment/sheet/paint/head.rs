//! The first cell of a row: the name of a run, or what the runs of a group have in common.

use leptos::{
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, HtmlElement, HtmlInputElement, Node},
};

use super::{
    Done, Scene,
    make::{element, twister},
};
use crate::{
    page::experiment::sheet::{cell::cell, column_of, lines::Line},
    part::number::count,
    route::Route,
    table::column::{Attribute, Cell as Value, Name},
};

pub struct Head {
    pub cell: HtmlElement,
    line: Element,
    depth: u32,
    twist: Option<bool>,
    pub body: Body,
}

pub enum Body {
    Nothing,
    Run {
        choose: HtmlInputElement,
        link: HtmlElement,
        name: String,
        run: String,
    },
    Group {
        key: Element,
        value: Element,
        count: Element,
    },
}

// === impl Head ===

impl Head {
    pub fn of(cell: Node) -> Done<Self> {
        let cell: HtmlElement = cell.unchecked_into();
        let line = cell.first_element_child().ok_or(JsValue::NULL)?;
        Ok(Self {
            cell,
            line,
            depth: 0,
            twist: None,
            body: Body::Nothing,
        })
    }

    pub fn write(&mut self, line: &Line, scene: &Scene<'_>) -> Done {
        let (depth, twist) = match line {
            Line::Run { depth, children, open, .. } => (*depth, (*children > 0).then_some(*open)),
            Line::Group { at, open } => (scene.lines.groups.groups[*at].level as u32, Some(*open)),
        };
        if self.depth != depth {
            self.depth = depth;
            self.cell.style().set_property("--depth", &depth.to_string())?;
        }
        if self.twist != twist {
            if self.twist.is_some()
                && let Some(old) = self.line.first_element_child()
            {
                old.remove();
            }
            self.twist = twist;
            if let Some(open) = twist {
                let twist: Node = twister(open)?.into();
                self.line.insert_before(&twist, self.line.first_child().as_ref())?;
            }
        }
        match line {
            Line::Run { row, .. } => self.run(*row, scene),
            Line::Group { at, .. } => self.group(*at, scene),
        }
    }

    /// Takes what is behind the twist away.
    fn clear(&self) {
        let kept = u32::from(self.twist.is_some());
        while self.line.child_element_count() > kept
            && let Some(last) = self.line.last_element_child()
        {
            last.remove();
        }
    }

    fn run(&mut self, row: u32, scene: &Scene<'_>) -> Done {
        if !matches!(self.body, Body::Run { .. }) {
            self.clear();
            let choose: HtmlInputElement = element("input", "choose")?.unchecked_into();
            choose.set_type("checkbox");
            choose.set_tab_index(-1);
            let link = element("a", "name clip")?;
            link.set_tab_index(-1);
            link.set_dir("auto");
            self.line.append_child(&choose)?;
            self.line.append_child(&link)?;
            self.body = Body::Run {
                choose,
                link,
                name: String::new(),
                run: String::new(),
            };
        }
        let Body::Run { choose, link, name, run } = &mut self.body else {
            return Ok(());
        };
        let id = scene.store.run_id(row);
        let called = match scene.store.cell(row, &Attribute::Name.name()) {
            Value::Text(name) if !name.is_empty() => name,
            _ => id.get(..8).unwrap_or(id),
        };
        if name != called {
            called.clone_into(name);
            choose.set_attribute("aria-label", &format!("Select {called}"))?;
            link.set_text_content(Some(called));
            link.remove_attribute("title")?;
        }
        if run != id {
            id.clone_into(run);
            let experiment = match scene.store.cell(row, &Attribute::Experiment.name()) {
                Value::Text(id) => id.to_owned(),
                _ => String::new(),
            };
            let run = id.to_owned();
            link.set_attribute("href", &Route::Run { experiment, run }.href())?;
        }
        Ok(())
    }

    fn group(&mut self, at: usize, scene: &Scene<'_>) -> Done {
        if !matches!(self.body, Body::Group { .. }) {
            self.clear();
            let part = |tag: &str, class: &str| {
                let part = element(tag, class)?;
                self.line.append_child(&part)?;
                Ok::<Element, JsValue>(part.into())
            };
            self.body = Body::Group {
                key: part("span", "faint clip")?,
                value: part("bdi", "name clip")?,
                count: part("span", "count")?,
            };
        }
        let Body::Group { key, value, count: many } = &self.body else {
            return Ok(());
        };
        let by = &scene.lines.by[scene.lines.groups.groups[at].level];
        let rows = scene.lines.members(at);
        let label = column_of(by).map_or_else(|| by.key.clone(), |column| column.label().to_owned());
        key.set_text_content(Some(&label));
        value.set_text_content(Some(&common(rows[0], by, scene)));
        many.set_text_content(Some(&count(rows.len())));
        Ok(())
    }
}

/// What all runs of a group have in common, that of `row`, as a cell says it: an experiment or a run by its name, a dataset without its digest.
fn common(row: u32, by: &Name, scene: &Scene<'_>) -> String {
    match (scene.store.cell(row, by), column_of(by)) {
        (Value::Text(""), _) => "empty".into(),
        (Value::Missing, _) => "none".into(),
        (Value::Text(text), None) => text.to_owned(),
        (_, column) => column.map_or_else(String::new, |column| {
            cell(scene.store, row, &column, scene.store.column(by), &scene.look).text
        }),
    }
}
