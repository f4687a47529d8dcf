//! What is worked out from what else is kept, and told only when it is another value.

use std::{marker::PhantomData, ops::Deref};

use leptos::prelude::{Get as _, GetUntracked as _, Signal, Track as _};

use super::kept::Kept;

pub struct Memo<T>(leptos::prelude::Memo<Kept>, PhantomData<fn() -> T>);

/// The value of a memo at the time when it was read.
pub struct Read<T>(Kept, PhantomData<fn() -> T>);

// === impl Memo ===

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Memo<T> {}

impl<T: PartialEq + Send + Sync + 'static> Memo<T> {
    /// `make` gets what it gave the last time.
    pub fn new(make: impl Fn(Option<&T>) -> T + Send + Sync + 'static) -> Self {
        Self(boxed(Box::new(move |before| Kept::new(make(before.map(Kept::value))))), PhantomData)
    }
}

impl<T: 'static> Memo<T> {
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.0.get().value::<T>().clone()
    }

    pub fn get_untracked(&self) -> T
    where
        T: Clone,
    {
        self.0.get_untracked().value::<T>().clone()
    }

    /// `None` where its page is no longer there.
    pub fn try_get_untracked(&self) -> Option<T>
    where
        T: Clone,
    {
        self.0.try_get_untracked().map(|kept| kept.value::<T>().clone())
    }

    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(self.0.get().value())
    }

    pub fn with_untracked<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(self.0.get_untracked().value())
    }

    pub fn read(&self) -> Read<T> {
        Read(self.0.get(), PhantomData)
    }

    pub fn read_untracked(&self) -> Read<T> {
        Read(self.0.get_untracked(), PhantomData)
    }

    pub fn track(&self) {
        self.0.track();
    }
}

type Make = dyn Fn(Option<&Kept>) -> Kept + Send + Sync;

fn boxed(make: Box<Make>) -> leptos::prelude::Memo<Kept> {
    leptos::prelude::Memo::new(make)
}

impl<T: Clone + Send + Sync + 'static> From<Memo<T>> for Signal<T> {
    fn from(memo: Memo<T>) -> Self {
        Self::derive(move || memo.get())
    }
}

// === impl Read ===

impl<T: 'static> Deref for Read<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.value()
    }
}
