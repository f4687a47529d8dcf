//! A piece of a page whose shape is known when it is compiled.

use std::borrow::Cow;

use leptos::{
    reactive::effect::RenderEffect,
    tachys::{
        hydration::Cursor,
        renderer::{
            CastFrom, RemoveEventHandler, Rndr,
            types::{Element, Node, Text},
        },
        view::{Mountable, Position, PositionState, Render, RenderHtml},
    },
    wasm_bindgen::JsValue,
};

use super::{
    Hole,
    code::{Kind, Step, Steps},
    life::Life,
    state::{State, before},
    value::Value,
};

pub struct Template {
    pub(super) code: &'static str,
    pub(super) holes: Vec<Hole>,
}

/// A template in the page.
pub struct Built {
    code: &'static str,
    filled: Vec<Filled>,
    roots: Vec<Root>,
}

/// What is at the top of a template.
enum Root {
    Element(Element),
    Text(Text),
    /// In the hole of this number.
    View(usize),
}

/// A hole of a template that is in the page.
enum Filled {
    View(State),
    Value(Element, Value),
    Live(Element, RenderEffect<Value>),
    Handler(
        Element,
        #[expect(dead_code, reason = "when it is dropped nobody listens any more")] Option<RemoveEventHandler<Element>>,
    ),
    Reference(Element),
}

const SVG: &str = "http://www.w3.org/2000/svg";

// === impl Template ===

impl Template {
    pub fn build(self) -> Built {
        let mut holes = self.holes.into_iter();
        let mut built = Built::new(self.code);
        let mut open: Vec<Element> = Vec::new();
        for step in Steps::of(self.code) {
            match step {
                Step::Open { name, svg } => {
                    let element = Rndr::create_element(name, svg.then_some(SVG));
                    match open.last() {
                        Some(parent) => Rndr::insert_node(parent, &element, None),
                        None => built.roots.push(Root::Element(element.clone())),
                    }
                    open.push(element);
                }
                Step::Close => drop(open.pop()),
                Step::Text(text) => {
                    let text = Rndr::create_text_node(text);
                    match open.last() {
                        Some(parent) => Rndr::insert_node(parent, &text, None),
                        None => built.roots.push(Root::Text(text)),
                    }
                }
                Step::Attribute { name, value } => {
                    if let Some(element) = open.last() {
                        Rndr::set_attribute(element, name, value);
                    }
                }
                Step::Child => {
                    let Some(Hole::View(view)) = holes.next() else { continue };
                    let mut state = view.build();
                    match open.last() {
                        Some(parent) => state.mount(parent, None),
                        None => built.roots.push(Root::View(built.filled.len())),
                    }
                    built.filled.push(Filled::View(state));
                }
                Step::Hole(kind, name) => {
                    if let (Some(hole), Some(element)) = (holes.next(), open.last()) {
                        built.filled.push(fill(hole, kind, name, element, false));
                    }
                }
            }
        }
        built
    }

    /// Finds in the page what the server has drawn.
    pub fn hydrate(self, cursor: &Cursor, position: &PositionState) -> Built {
        let mut holes = self.holes.into_iter();
        let mut built = Built::new(self.code);
        let mut open: Vec<Element> = Vec::new();
        for step in Steps::of(self.code) {
            match step {
                Step::Open { name, .. } => {
                    match position.get() {
                        Position::FirstChild => cursor.child(),
                        Position::Current => {}
                        _ => cursor.sibling(),
                    }
                    let found = cursor.current();
                    let element = Element::cast_from(found).unwrap_or_else(|| panic!("the page has no <{name}> where it should be"));
                    position.set(Position::FirstChild);
                    if open.is_empty() {
                        built.roots.push(Root::Element(element.clone()));
                    }
                    open.push(element);
                }
                Step::Close => {
                    if let Some(element) = open.pop() {
                        cursor.set(element.into());
                        position.set(Position::NextChild);
                    }
                }
                Step::Text(_) => {
                    let text = found_text(cursor, position);
                    if open.is_empty() {
                        built.roots.push(Root::Text(text));
                    }
                }
                Step::Attribute { .. } => {}
                Step::Child => {
                    let Some(Hole::View(view)) = holes.next() else { continue };
                    if open.is_empty() {
                        built.roots.push(Root::View(built.filled.len()));
                    }
                    built.filled.push(Filled::View(view.hydrate::<true>(cursor, position)));
                }
                Step::Hole(kind, name) => {
                    if let (Some(hole), Some(element)) = (holes.next(), open.last()) {
                        built.filled.push(fill(hole, kind, name, element, true));
                    }
                }
            }
        }
        built
    }
}

/// Goes to the next text.
pub fn found_text(cursor: &Cursor, position: &PositionState) -> Text {
    match position.get() {
        Position::FirstChild => cursor.child(),
        // The comment between two texts.
        Position::NextChildAfterText => {
            cursor.sibling();
            cursor.sibling();
        }
        _ => cursor.sibling(),
    }
    position.set(Position::NextChildAfterText);
    Text::cast_from(cursor.current()).unwrap_or_else(|| panic!("the page has no text where it should be"))
}

// === impl Built ===

impl Built {
    fn new(code: &'static str) -> Self {
        Self {
            code,
            filled: Vec::new(),
            roots: Vec::new(),
        }
    }

    /// Fills the holes with other things. `Err`: it is of another shape.
    pub fn refill(&mut self, template: Template) -> Result<(), Template> {
        if !std::ptr::eq(self.code, template.code) {
            return Err(template);
        }
        let kinds = Steps::of(self.code).filter_map(|step| match step {
            Step::Child => Some((Kind::Reference, "")),
            Step::Hole(kind, name) => Some((kind, name)),
            _ => None,
        });
        for ((filled, hole), (kind, name)) in self.filled.iter_mut().zip(template.holes).zip(kinds) {
            filled.refill(hole, kind, name);
        }
        Ok(())
    }
}

impl Mountable for Built {
    fn unmount(&mut self) {
        for root in &self.roots {
            match root {
                Root::Element(element) => Rndr::remove(element),
                Root::Text(text) => Rndr::remove(text),
                Root::View(at) => {
                    if let Filled::View(state) = &mut self.filled[*at] {
                        state.unmount();
                    }
                }
            }
        }
    }

    fn mount(&mut self, parent: &Element, before: Option<&Node>) {
        for root in &self.roots {
            match root {
                Root::Element(element) => Rndr::insert_node(parent, element, before),
                Root::Text(text) => Rndr::insert_node(parent, text, before),
                Root::View(at) => {
                    if let Filled::View(state) = &mut self.filled[*at] {
                        state.mount(parent, before);
                    }
                }
            }
        }
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match self.roots.first() {
            Some(Root::Element(element)) => before(element, child),
            Some(Root::Text(text)) => before(text, child),
            Some(Root::View(at)) => match &self.filled[*at] {
                Filled::View(state) => state.insert_before_this(child),
                _ => false,
            },
            None => false,
        }
    }

    fn elements(&self) -> Vec<Element> {
        let mut elements = Vec::new();
        for root in &self.roots {
            match root {
                Root::Element(element) => elements.push(element.clone()),
                Root::Text(_) => {}
                Root::View(at) => {
                    if let Filled::View(state) = &self.filled[*at] {
                        elements.extend(state.elements());
                    }
                }
            }
        }
        elements
    }
}

// === impl Filled ===

impl Filled {
    fn refill(&mut self, hole: Hole, kind: Kind, name: &'static str) {
        match (&mut *self, hole) {
            (Self::View(state), Hole::View(view)) => view.rebuild(state),
            (Self::Value(element, before), Hole::Value(value)) => {
                let element = element.clone();
                *self = put(value, kind, name, &element, Some(std::mem::replace(before, Value::Nothing)));
            }
            (Self::Live(element, effect), Hole::Value(value)) => {
                let (element, before) = (element.clone(), effect.take_value());
                *self = put(value, kind, name, &element, before);
            }
            (Self::Handler(element, _) | Self::Reference(element), hole) => {
                let element = element.clone();
                *self = fill(hole, kind, name, &element, false);
            }
            (Self::View(_) | Self::Value(..) | Self::Live(..), _) => {}
        }
    }
}

/// `woken`: the server has written what the value says into the page.
fn fill(hole: Hole, kind: Kind, name: &'static str, element: &Element, woken: bool) -> Filled {
    match hole {
        Hole::View(view) => Filled::View(view.build()),
        Hole::Value(value) if woken && kind != Kind::Property => keep(value, kind, name, element),
        Hole::Value(value) => put(value, kind, name, element, None),
        Hole::Handler(handler) => {
            let listener = handler.map(|handler| Rndr::add_event_listener(element, name, handler.take()));
            Filled::Handler(element.clone(), listener)
        }
        Hole::Reference(load) => {
            load(element);
            Filled::Reference(element.clone())
        }
    }
}

/// Writes a value into the page, now and whenever it changes; `before` is what is there.
fn put(value: Value, kind: Kind, name: &'static str, element: &Element, before: Option<Value>) -> Filled {
    let Value::Live(read) = value else {
        if !before.is_some_and(|before| before.is_same(&value)) {
            write(&value, kind, name, element);
        }
        return Filled::Value(element.clone(), value);
    };
    Filled::Live(element.clone(), live(read, kind, name, element.clone(), before, false))
}

/// The same for what is in the page already.
fn keep(value: Value, kind: Kind, name: &'static str, element: &Element) -> Filled {
    let Value::Live(read) = value else {
        return Filled::Value(element.clone(), value);
    };
    // Of what is there nothing is known but that it is right.
    Filled::Live(element.clone(), live(read, kind, name, element.clone(), None, true))
}

/// `woken`: what it says first is in the page.
fn live(
    mut read: Box<dyn FnMut() -> Value + Send>,
    kind: Kind,
    name: &'static str,
    element: Element,
    before: Option<Value>,
    mut woken: bool,
) -> RenderEffect<Value> {
    let life = Life::here();
    let change = move |before: Option<Value>| {
        let before = match before {
            Some(value) if life.is_over() => return value,
            before => before,
        };
        let now = read().now();
        if !std::mem::take(&mut woken) && !before.is_some_and(|before| before.is_same(&now)) {
            write(&now, kind, name, &element);
        }
        now
    };
    RenderEffect::new_with_value(change, before)
}

fn write(value: &Value, kind: Kind, name: &str, element: &Element) {
    let text = value.text();
    match kind {
        Kind::Attribute => match text {
            Some(text) => Rndr::set_attribute(element, name, text),
            None => Rndr::remove_attribute(element, name),
        },
        Kind::Property => {
            let value = match value {
                Value::Text(text) => JsValue::from_str(text),
                Value::Flag => JsValue::TRUE,
                Value::Nothing | Value::Live(_) => JsValue::FALSE,
            };
            Rndr::set_property_or_value(element, name, &value);
        }
        Kind::Class => {
            let classes = Rndr::class_list(element);
            match text {
                Some(_) => Rndr::add_class(&classes, name),
                None => Rndr::remove_class(&classes, name),
            }
        }
        Kind::Style => {
            let style = Rndr::style(element);
            match text {
                Some(text) => Rndr::set_css_property(&style, name, text),
                None => Rndr::remove_css_property(&style, name),
            }
        }
        Kind::Html => Rndr::set_inner_html(element, text.unwrap_or_default()),
        Kind::Event | Kind::Reference => {}
    }
}

/// The text of one view.
pub fn text_state(text: Cow<'static, str>) -> State {
    let node = Rndr::create_text_node(&text);
    State::Text(node, text)
}

/// A text that is in the page and says something else now.
pub fn change_text(node: &Text, before: &mut Cow<'static, str>, text: Cow<'static, str>) {
    if *before != text {
        Rndr::set_text(node, &text);
        *before = text;
    }
}
