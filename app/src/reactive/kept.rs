//! A value of any type.

use std::{any::Any, sync::Arc};

/// A value that can be compared with another one.
#[derive(Clone)]
pub struct Kept(Arc<dyn Same>);

trait Same: Any + Send + Sync {
    fn is_same(&self, other: &dyn Same) -> bool;
}

impl<T: PartialEq + Send + Sync + 'static> Same for T {
    fn is_same(&self, other: &dyn Same) -> bool {
        (other as &dyn Any).downcast_ref::<T>().is_some_and(|other| self == other)
    }
}

// === impl Kept ===

impl Kept {
    pub fn new<T: PartialEq + Send + Sync + 'static>(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// The value. What is not of this type was kept under another handle, which cannot be.
    pub fn value<T: 'static>(&self) -> &T {
        (&*self.0 as &dyn Any).downcast_ref().expect("a handle knows the type of its value")
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(&*other.0)
    }
}
