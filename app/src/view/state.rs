//! What is kept of a view that is in the page: its nodes, and what changes them.

use leptos::{
    reactive::effect::RenderEffect,
    tachys::{
        renderer::{
            Rndr,
            types::{Element, Node, Placeholder, Text},
        },
        view::{Mountable, any_view::AnyViewState},
    },
};

use super::{each::List, template::Built};

pub enum State {
    /// A comment holds the place.
    Nothing(Placeholder),
    Text(Text, std::borrow::Cow<'static, str>),
    /// A comment follows the last.
    Many(Vec<State>, Placeholder),
    Live(RenderEffect<State>),
    Each(RenderEffect<List>),
    Template(Built),
    Foreign(u32, AnyViewState),
}

impl Mountable for State {
    fn unmount(&mut self) {
        match self {
            Self::Nothing(comment) => Rndr::remove(comment),
            Self::Text(text, _) => Rndr::remove(text),
            Self::Many(states, end) => {
                states.iter_mut().for_each(Self::unmount);
                Rndr::remove(end);
            }
            Self::Live(effect) => effect.unmount(),
            Self::Each(effect) => effect.unmount(),
            Self::Template(built) => built.unmount(),
            Self::Foreign(_, state) => state.unmount(),
        }
    }

    fn mount(&mut self, parent: &Element, before: Option<&Node>) {
        match self {
            Self::Nothing(comment) => Rndr::insert_node(parent, comment, before),
            Self::Text(text, _) => Rndr::insert_node(parent, text, before),
            Self::Many(states, end) => {
                states.iter_mut().for_each(|state| state.mount(parent, before));
                Rndr::insert_node(parent, end, before);
            }
            Self::Live(effect) => effect.mount(parent, before),
            Self::Each(effect) => effect.mount(parent, before),
            Self::Template(built) => built.mount(parent, before),
            Self::Foreign(_, state) => state.mount(parent, before),
        }
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match self {
            Self::Nothing(comment) => before(comment, child),
            Self::Text(text, _) => before(text, child),
            Self::Many(states, end) => match states.first() {
                Some(first) => first.insert_before_this(child),
                None => before(end, child),
            },
            Self::Live(effect) => effect.insert_before_this(child),
            Self::Each(effect) => effect.insert_before_this(child),
            Self::Template(built) => built.insert_before_this(child),
            Self::Foreign(_, state) => state.insert_before_this(child),
        }
    }

    fn elements(&self) -> Vec<Element> {
        match self {
            Self::Nothing(_) | Self::Text(..) => Vec::new(),
            Self::Many(states, _) => states.iter().flat_map(Self::elements).collect(),
            Self::Live(effect) => effect.elements(),
            Self::Each(effect) => effect.elements(),
            Self::Template(built) => built.elements(),
            Self::Foreign(_, state) => state.elements(),
        }
    }
}

/// Puts `child` before a node. Whether that is in the page.
pub fn before(node: &Node, child: &mut dyn Mountable) -> bool {
    use leptos::tachys::renderer::CastFrom;
    let Some(parent) = Rndr::get_parent(node).and_then(Element::cast_from) else {
        return false;
    };
    child.mount(&parent, Some(node));
    true
}
