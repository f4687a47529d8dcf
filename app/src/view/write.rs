//! Writing a view as HTML, on the server.

use std::{borrow::Cow, future::Future, pin::Pin};

use futures::future::join_all;
use leptos::tachys::{
    html::attribute::{Attribute, any_attribute::AnyAttribute},
    ssr::StreamBuilder,
    view::{Position, RenderHtml},
};

use super::{
    AnyView, Hole,
    code::{Kind, Step, Steps},
    each::Items,
    template::Template,
    value::Value,
};

/// What HTML is written to.
pub trait Out {
    fn push(&mut self, html: &str);
    fn foreign(&mut self, view: leptos::prelude::AnyView, position: &mut Position, escape: bool, mark: bool, extra: Vec<AnyAttribute>);
}

/// Leptos's stream, whose late parts come at the end or where they stand.
pub struct Stream<'a, const OUT_OF_ORDER: bool>(pub &'a mut StreamBuilder);

/// An element whose opening tag is being written.
struct Tag {
    name: &'static str,
    attributes: String,
    class: String,
    style: String,
    html: Option<String>,
}

/// Elements that have no end.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
];

impl Out for String {
    fn push(&mut self, html: &str) {
        self.push_str(html);
    }

    fn foreign(&mut self, view: leptos::prelude::AnyView, position: &mut Position, escape: bool, mark: bool, extra: Vec<AnyAttribute>) {
        view.to_html_with_buf(self, position, escape, mark, extra);
    }
}

impl<const OUT_OF_ORDER: bool> Out for Stream<'_, OUT_OF_ORDER> {
    fn push(&mut self, html: &str) {
        self.0.push_sync(html);
    }

    fn foreign(&mut self, view: leptos::prelude::AnyView, position: &mut Position, escape: bool, mark: bool, extra: Vec<AnyAttribute>) {
        view.to_html_async_with_buf::<OUT_OF_ORDER>(self.0, position, escape, mark, extra);
    }
}

pub fn write(view: AnyView, out: &mut impl Out, position: &mut Position, escape: bool, mark: bool, extra: Vec<AnyAttribute>) {
    match view {
        AnyView::Nothing => placeholder(out, position, escape),
        AnyView::Text(words) => text(&words, out, position, escape),
        AnyView::Many(views) => {
            for view in views {
                write(view, out, position, escape, mark, extra.clone());
            }
            placeholder(out, position, escape);
        }
        AnyView::Live(mut draw) => write(draw(), out, position, escape, mark, extra),
        AnyView::Each(_, items) => write(listed(items), out, position, escape, mark, extra),
        AnyView::Template(template) => template.write(out, position, escape, mark, extra),
        AnyView::Foreign(_, view) => out.foreign(view, position, escape, mark, extra),
    }
}

/// Tells Leptos what a view waits for.
pub fn ask(view: &mut AnyView) {
    match view {
        AnyView::Nothing | AnyView::Text(_) => {}
        AnyView::Many(views) => views.iter_mut().for_each(ask),
        AnyView::Live(draw) => ask(&mut draw()),
        AnyView::Each(_, items) => items().into_iter().for_each(|(_, draw)| ask(&mut draw())),
        AnyView::Template(template) => {
            for hole in &mut template.holes {
                match hole {
                    Hole::View(view) => ask(view),
                    Hole::Value(Value::Live(read)) => drop(read().now()),
                    Hole::Value(_) | Hole::Handler(_) | Hole::Reference(_) => {}
                }
            }
        }
        AnyView::Foreign(_, view) => view.dry_resolve(),
    }
}

/// The view when all that it waits for is there.
pub fn resolved(view: AnyView) -> Pin<Box<dyn Future<Output = AnyView> + Send>> {
    Box::pin(async move {
        match view {
            AnyView::Many(views) => AnyView::Many(join_all(views.into_iter().map(resolved)).await),
            AnyView::Live(mut draw) => {
                let view = draw();
                resolved(view).await
            }
            AnyView::Each(_, items) => {
                let views = listed(items);
                resolved(views).await
            }
            AnyView::Template(Template { code, holes }) => AnyView::Template(Template {
                code,
                holes: join_all(holes.into_iter().map(filled)).await,
            }),
            AnyView::Foreign(site, view) => AnyView::Foreign(site, view.resolve().await),
            view @ (AnyView::Nothing | AnyView::Text(_)) => view,
        }
    })
}

fn listed(mut items: Box<dyn FnMut() -> Items + Send>) -> AnyView {
    AnyView::Many(items().into_iter().map(|(_, draw)| draw()).collect())
}

async fn filled(hole: Hole) -> Hole {
    match hole {
        Hole::View(view) => Hole::View(resolved(view).await),
        Hole::Value(value) => Hole::Value(value.now()),
        hole => hole,
    }
}

fn placeholder(out: &mut impl Out, position: &mut Position, escape: bool) {
    if escape {
        out.push("<!>");
    }
    *position = Position::NextChild;
}

fn text(words: &str, out: &mut impl Out, position: &mut Position, escape: bool) {
    // Two texts would be one in the page.
    if *position == Position::NextChildAfterText {
        out.push("<!>");
    }
    match (words, escape) {
        ("", true) => out.push(" "),
        (words, true) => out.push(&escaped(words, false)),
        (words, false) => out.push(words),
    }
    *position = Position::NextChildAfterText;
}

fn escaped(text: &str, is_attribute: bool) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"']) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' if is_attribute => safe.push_str("&quot;"),
            letter => safe.push(letter),
        }
    }
    Cow::Owned(safe)
}

// === impl Template ===

impl Template {
    fn write(self, out: &mut impl Out, position: &mut Position, escape: bool, mark: bool, extra: Vec<AnyAttribute>) {
        let mut holes = self.holes.into_iter();
        let mut open: Vec<&'static str> = Vec::new();
        let mut tag: Option<Tag> = None;
        for step in Steps::of(self.code) {
            match step {
                Step::Attribute { name, value } => {
                    if let Some(tag) = &mut tag {
                        tag.put(Kind::Attribute, name, Some(value));
                    }
                    continue;
                }
                Step::Hole(kind, name) => {
                    if let (Some(Hole::Value(value)), Some(tag)) = (holes.next(), &mut tag) {
                        tag.put(kind, name, value.now().text());
                    }
                    continue;
                }
                _ => {}
            }
            if let Some(tag) = tag.take() {
                let extra = if open.len() == 1 { extra.clone() } else { Vec::new() };
                tag.write(extra, out);
                *position = Position::FirstChild;
            }
            match step {
                Step::Open { name, .. } => {
                    open.push(name);
                    tag = Some(Tag::new(name));
                }
                Step::Close => {
                    if let Some(name) = open.pop().filter(|name| !VOID.contains(name)) {
                        out.push("</");
                        out.push(name);
                        out.push(">");
                    }
                    *position = Position::NextChild;
                }
                Step::Text(words) => text(words, out, position, escape && is_escaped(&open)),
                Step::Child => {
                    let Some(Hole::View(view)) = holes.next() else { continue };
                    let extra = if open.is_empty() { extra.clone() } else { Vec::new() };
                    write(view, out, position, escape && is_escaped(&open), mark, extra);
                }
                Step::Attribute { .. } | Step::Hole(..) => {}
            }
        }
    }
}

fn is_escaped(open: &[&str]) -> bool {
    !matches!(open.last(), Some(&("script" | "style")))
}

// === impl Tag ===

impl Tag {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: String::new(),
            class: String::new(),
            style: String::new(),
            html: None,
        }
    }

    fn put(&mut self, kind: Kind, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        let add = |list: &mut String, parts: &[&str]| {
            if !list.is_empty() {
                list.push(' ');
            }
            parts.iter().for_each(|part| list.push_str(part));
        };
        match kind {
            Kind::Attribute if name == "class" => add(&mut self.class, &[value]),
            Kind::Attribute if name == "style" => add(&mut self.style, &[value]),
            Kind::Attribute => write_attribute(name, value, &mut self.attributes),
            Kind::Class => add(&mut self.class, &[name]),
            Kind::Style => add(&mut self.style, &[name, ":", value, ";"]),
            Kind::Html => self.html = Some(value.to_owned()),
            Kind::Property | Kind::Event | Kind::Reference => {}
        }
    }

    fn write(mut self, extra: Vec<AnyAttribute>, out: &mut impl Out) {
        let mut html = self.html.unwrap_or_default();
        for attribute in extra {
            attribute.to_html(&mut self.attributes, &mut self.class, &mut self.style, &mut html);
        }
        for (name, value) in [("class", self.class), ("style", self.style)] {
            if !value.trim().is_empty() {
                write_attribute(name, value.trim(), &mut self.attributes);
            }
        }
        out.push("<");
        out.push(self.name);
        out.push(&self.attributes);
        out.push(">");
        out.push(&html);
    }
}

fn write_attribute(name: &str, value: &str, to: &mut String) {
    to.push(' ');
    to.push_str(name);
    if !value.is_empty() {
        to.push_str("=\"");
        to.push_str(&escaped(value, true));
        to.push('"');
    }
}
