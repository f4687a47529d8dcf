//! Values of attributes, classes, styles and properties.

use std::{borrow::Cow, sync::Arc};

use leptos::{
    prelude::{ArcSignal, Get, MaybeProp, Oco, ReadSignal, RwSignal, Signal},
    text_prop::TextProp,
};

use crate::reactive::Memo;

/// What an attribute says.
pub enum Value {
    /// The attribute is not there; a property is false.
    Nothing,
    /// The attribute is there; a property is true.
    Flag,
    Text(Cow<'static, str>),
    /// Changes with what it reads.
    Live(Box<dyn FnMut() -> Value + Send>),
}

/// What can stand behind the `=` of an attribute.
pub trait IntoValue {
    fn into_value(self) -> Value;
}

// === impl Value ===

impl Value {
    /// What it says now.
    pub fn now(self) -> Value {
        match self {
            Self::Live(mut read) => read().now(),
            value => value,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Flag => Some(""),
            Self::Nothing | Self::Live(_) => None,
        }
    }

    /// Values that change are never the same.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) | (Self::Flag, Self::Flag) => true,
            (Self::Text(one), Self::Text(other)) => one == other,
            _ => false,
        }
    }
}

fn live(read: Box<dyn FnMut() -> Value + Send>) -> Value {
    Value::Live(read)
}

// === impl IntoValue ===

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        if self { Value::Flag } else { Value::Nothing }
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::Text(Cow::Owned(self.to_owned()))
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::Text(Cow::Owned(self))
    }
}

impl IntoValue for &String {
    fn into_value(self) -> Value {
        self.as_str().into_value()
    }
}

impl IntoValue for Cow<'static, str> {
    fn into_value(self) -> Value {
        Value::Text(self)
    }
}

impl IntoValue for Oco<'static, str> {
    fn into_value(self) -> Value {
        self.as_str().into_value()
    }
}

impl IntoValue for Arc<str> {
    fn into_value(self) -> Value {
        (*self).into_value()
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Nothing, T::into_value)
    }
}

impl<F, T> IntoValue for F
where
    F: FnMut() -> T + Send + 'static,
    T: IntoValue,
{
    fn into_value(mut self) -> Value {
        live(Box::new(move || self().into_value()))
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl IntoValue for $number {
            fn into_value(self) -> Value {
                Value::Text(Cow::Owned(self.to_string()))
            }
        })*
    };
}

numbers!(u8 u16 u32 u64 usize i32 i64 f64);

macro_rules! signals {
    ($($signal:ident)*) => {
        $(impl<T> IntoValue for $signal<T>
        where
            T: IntoValue + Clone + Send + Sync + 'static,
        {
            fn into_value(self) -> Value {
                live(Box::new(move || self.get().into_value()))
            }
        })*
    };
}

signals!(RwSignal ReadSignal Memo Signal ArcSignal MaybeProp);

impl IntoValue for TextProp {
    fn into_value(self) -> Value {
        live(Box::new(move || self.get().into_value()))
    }
}
