//! What can be a view.

use std::{borrow::Cow, sync::Arc};

use leptos::{
    children::ViewFn,
    prelude::{ArcSignal, Get, Oco, ReadSignal, RenderHtml, RwSignal, Signal, Suspend, View},
};

use super::AnyView;
use crate::reactive::Memo;

/// What can stand between tags.
pub trait IntoAny {
    fn into_any(self) -> AnyView;
}

impl IntoAny for AnyView {
    fn into_any(self) -> AnyView {
        self
    }
}

impl IntoAny for () {
    fn into_any(self) -> AnyView {
        AnyView::Nothing
    }
}

impl IntoAny for &str {
    fn into_any(self) -> AnyView {
        AnyView::Text(Cow::Owned(self.to_owned()))
    }
}

impl IntoAny for String {
    fn into_any(self) -> AnyView {
        AnyView::Text(Cow::Owned(self))
    }
}

impl IntoAny for Cow<'static, str> {
    fn into_any(self) -> AnyView {
        AnyView::Text(self)
    }
}

impl IntoAny for Oco<'static, str> {
    fn into_any(self) -> AnyView {
        self.as_str().into_any()
    }
}

impl IntoAny for Arc<str> {
    fn into_any(self) -> AnyView {
        (*self).into_any()
    }
}

impl IntoAny for char {
    fn into_any(self) -> AnyView {
        self.to_string().into_any()
    }
}

impl<T: IntoAny> IntoAny for Option<T> {
    fn into_any(self) -> AnyView {
        self.map_or(AnyView::Nothing, T::into_any)
    }
}

impl<T: IntoAny> IntoAny for Vec<T> {
    fn into_any(self) -> AnyView {
        AnyView::Many(self.into_iter().map(T::into_any).collect())
    }
}

impl<T: IntoAny, const N: usize> IntoAny for [T; N] {
    fn into_any(self) -> AnyView {
        AnyView::Many(self.into_iter().map(T::into_any).collect())
    }
}

impl<A: IntoAny, B: IntoAny> IntoAny for (A, B) {
    fn into_any(self) -> AnyView {
        AnyView::Many(vec![self.0.into_any(), self.1.into_any()])
    }
}

impl<F, T> IntoAny for F
where
    F: FnMut() -> T + Send + 'static,
    T: IntoAny,
{
    fn into_any(mut self) -> AnyView {
        AnyView::Live(Box::new(move || self().into_any()))
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl IntoAny for $number {
            fn into_any(self) -> AnyView {
                self.to_string().into_any()
            }
        })*
    };
}

numbers!(u8 u16 u32 u64 usize i32 i64 f64);

macro_rules! signals {
    ($($signal:ident)*) => {
        $(impl<T> IntoAny for $signal<T>
        where
            T: IntoAny + Clone + Send + Sync + 'static,
        {
            fn into_any(self) -> AnyView {
                AnyView::Live(Box::new(move || self.get().into_any()))
            }
        })*
    };
}

signals!(RwSignal ReadSignal Memo Signal ArcSignal);

// Leptos's own.

impl IntoAny for leptos::prelude::AnyView {
    fn into_any(self) -> AnyView {
        AnyView::Foreign(0, self)
    }
}

impl IntoAny for ViewFn {
    fn into_any(self) -> AnyView {
        AnyView::Foreign(0, self.run())
    }
}

impl<T: RenderHtml + Send + 'static> IntoAny for Suspend<T> {
    fn into_any(self) -> AnyView {
        AnyView::Foreign(0, leptos::prelude::IntoAny::into_any(self))
    }
}

impl<T: IntoAny> IntoAny for View<T> {
    fn into_any(self) -> AnyView {
        self.into_inner().into_any()
    }
}
