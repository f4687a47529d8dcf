//! Drawing a view, and changing one that is in the page.

use leptos::{
    reactive::effect::RenderEffect,
    tachys::{
        html::attribute::{Attribute, any_attribute::AnyAttribute},
        hydration::Cursor,
        renderer::Rndr,
        ssr::StreamBuilder,
        view::{Mountable, Position, PositionState, Render, RenderHtml, add_attr::AddAnyAttr},
    },
};

use super::{
    AnyView, each,
    life::Life,
    state::State,
    template::{change_text, found_text, text_state},
};

impl Render for AnyView {
    type State = State;

    fn build(self) -> State {
        match self {
            Self::Nothing => State::Nothing(Rndr::create_placeholder()),
            Self::Text(text) => text_state(text),
            Self::Many(views) => State::Many(views.into_iter().map(Self::build).collect(), Rndr::create_placeholder()),
            Self::Live(draw) => State::Live(live(draw, None)),
            Self::Each(parent, items) => State::Each(each::live(parent, items, None)),
            Self::Template(template) => State::Template(template.build()),
            Self::Foreign(site, view) => State::Foreign(site, view.build()),
        }
    }

    fn rebuild(self, state: &mut State) {
        let other = match (self, &mut *state) {
            (Self::Nothing, State::Nothing(_)) => return,
            (Self::Text(text), State::Text(node, before)) => return change_text(node, before, text),
            (Self::Many(views), State::Many(states, end)) => {
                let mut views = views.into_iter();
                let mut kept = 0;
                for (state, view) in states.iter_mut().zip(&mut views) {
                    view.rebuild(state);
                    kept += 1;
                }
                states.drain(kept..).for_each(|mut gone| gone.unmount());
                states.extend(views.map(|view| {
                    let mut new = view.build();
                    Rndr::mount_before(&mut new, end);
                    new
                }));
                return;
            }
            (Self::Template(template), State::Template(built)) => match built.refill(template) {
                Ok(()) => return,
                Err(template) => Self::Template(template),
            },
            (Self::Foreign(site, view), State::Foreign(before, state)) if site == *before => return view.rebuild(state),
            (view, _) => view,
        };
        let mut new = other.build();
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}

/// `place`: where the page has what it draws first.
fn live(mut draw: Box<dyn FnMut() -> AnyView + Send>, place: Option<(Cursor, PositionState)>) -> RenderEffect<State> {
    let life = Life::here();
    RenderEffect::new(move |before: Option<State>| {
        let before = match before {
            Some(state) if life.is_over() => return state,
            before => before,
        };
        let view = draw();
        match (before, &place) {
            (Some(mut state), _) => {
                view.rebuild(&mut state);
                state
            }
            (None, Some((cursor, position))) => view.hydrate::<true>(cursor, position),
            (None, None) => view.build(),
        }
    })
}

impl AddAnyAttr for AnyView {
    type Output<New: Attribute> = <leptos::prelude::AnyView as AddAnyAttr>::Output<New>;

    fn add_any_attr<New: Attribute>(self, attribute: New) -> Self::Output<New> {
        leptos::prelude::IntoAny::into_any(self).add_any_attr(attribute)
    }
}

impl RenderHtml for AnyView {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {
        #[cfg(feature = "ssr")]
        super::write::ask(self);
    }

    async fn resolve(self) -> Self {
        #[cfg(feature = "ssr")]
        {
            super::write::resolved(self).await
        }
        #[cfg(not(feature = "ssr"))]
        self
    }

    fn to_html_with_buf(self, out: &mut String, position: &mut Position, escape: bool, mark: bool, extra: Vec<AnyAttribute>) {
        #[cfg(feature = "ssr")]
        super::write::write(self, out, position, escape, mark, extra);
        #[cfg(not(feature = "ssr"))]
        let _ = (out, position, escape, mark, extra);
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        out: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark: bool,
        extra: Vec<AnyAttribute>,
    ) {
        #[cfg(feature = "ssr")]
        super::write::write(self, &mut super::write::Stream::<OUT_OF_ORDER>(out), position, escape, mark, extra);
        #[cfg(not(feature = "ssr"))]
        let _ = (out, position, escape, mark, extra);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> State {
        match self {
            Self::Nothing => State::Nothing(cursor.next_placeholder(position)),
            Self::Text(text) => State::Text(found_text(cursor, position), text),
            Self::Many(views) => {
                let states = views.into_iter().map(|view| view.hydrate::<true>(cursor, position)).collect();
                State::Many(states, cursor.next_placeholder(position))
            }
            Self::Live(draw) => State::Live(live(draw, Some((cursor.clone(), position.clone())))),
            Self::Each(parent, items) => State::Each(each::live(parent, items, Some((cursor.clone(), position.clone())))),
            Self::Template(template) => State::Template(template.hydrate(cursor, position)),
            Self::Foreign(site, view) => State::Foreign(site, view.hydrate::<true>(cursor, position)),
        }
    }

    fn into_owned(self) -> Self {
        self
    }
}
