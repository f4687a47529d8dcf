//! What pages are drawn with: one type for every view, which `view!` makes.
//!
//! Leptos compiles drawing, waking and changing anew for each kind of element, attribute and closure. Here a view is data: a text that
//! is known when it is compiled, with holes, and one piece of code that reads it. That keeps the browser's module small. What goes in and
//! out are Leptos's own traits, so its components and ours can hold each other.

mod code;
mod convert;
mod draw;
mod each;
mod life;
mod state;
mod template;
#[cfg(all(test, feature = "ssr"))]
mod tests;
mod value;
#[cfg(feature = "ssr")]
mod write;

use std::borrow::Cow;

use leptos::{
    ev::EventDescriptor,
    html::ElementType,
    prelude::{NodeRef, Owner},
    tachys::{html::node_ref::NodeRefContainer, renderer::types::Element},
    wasm_bindgen::{JsCast, JsValue},
};

pub use self::{
    convert::IntoAny,
    each::each,
    template::Template,
    value::{IntoValue, Value},
};

/// Any view.
pub enum AnyView {
    Nothing,
    Text(Cow<'static, str>),
    Many(Vec<AnyView>),
    /// Drawn anew whenever what it reads has changed.
    Live(Box<dyn FnMut() -> AnyView + Send>),
    /// A list whose items stay as long as their keys do.
    Each(Owner, Box<dyn FnMut() -> each::Items + Send>),
    Template(Template),
    /// One of Leptos's own, and where in the source it comes from: to Leptos they may be all of one type.
    Foreign(u32, leptos::prelude::AnyView),
}

/// What fills a hole of a template.
pub enum Hole {
    View(AnyView),
    Value(Value),
    /// `None` on the server.
    Handler(Option<Handler>),
    Reference(Box<dyn FnOnce(&Element) + Send>),
}

/// What is called with an event. It is made and called in the browser, which has one thread.
type Handler = send_wrapper::SendWrapper<Box<dyn FnMut(JsValue)>>;

// What `view!` calls.

#[doc(hidden)]
pub fn template(code: &'static str, holes: Vec<Hole>) -> AnyView {
    AnyView::Template(Template { code, holes })
}

#[doc(hidden)]
pub fn child(view: AnyView) -> Hole {
    Hole::View(view)
}

#[doc(hidden)]
pub fn value(value: impl IntoValue) -> Hole {
    Hole::Value(value.into_value())
}

#[doc(hidden)]
pub fn on<E>(_event: E, mut handler: impl FnMut(E::EventType) + 'static) -> Hole
where
    E: EventDescriptor,
    E::EventType: JsCast,
{
    if cfg!(feature = "ssr") {
        return Hole::Handler(None);
    }
    Hole::Handler(Some(send_wrapper::SendWrapper::new(Box::new(move |event: JsValue| {
        handler(event.unchecked_into());
    }))))
}

#[doc(hidden)]
pub fn reference<E>(node: NodeRef<E>) -> Hole
where
    E: ElementType,
    E::Output: JsCast + 'static,
{
    Hole::Reference(Box::new(move |element| NodeRefContainer::<E>::load(node, element)))
}

#[doc(hidden)]
pub fn foreign(site: u32, view: impl leptos::prelude::IntoView) -> AnyView {
    AnyView::Foreign(site, leptos::prelude::IntoAny::into_any(view))
}
