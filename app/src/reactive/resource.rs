//! What is asked for, and comes.

use std::{any::Any, convert::Infallible, future::Future, marker::PhantomData, pin::Pin, sync::Arc};

use futures::{FutureExt as _, future::Map};
use leptos::{
    prelude::AsyncDerivedFuture,
    server::codee::{Decoder, Encoder},
};
use serde::{Serialize, de::DeserializeOwned};

use super::kept::Kept;
use crate::api::{self, ApiError, json};

/// Asked for anew whenever its question is another one. What the server got for a page goes to the browser with it.
pub struct Resource<T>(leptos::prelude::Resource<Came, Codec>, PhantomData<fn() -> T>);

/// What came.
#[derive(Clone)]
pub enum Came {
    Here {
        value: Arc<dyn Any + Send + Sync>,
        /// On the server.
        write: Option<fn(&dyn Any) -> String>,
    },
    /// The server got it, and wrote it into the page.
    Written(Arc<str>),
}

type Later = Pin<Box<dyn Future<Output = Came> + Send>>;

pub struct Codec;

// === impl Resource ===

impl<T> Clone for Resource<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Resource<T> {}

impl<T> Resource<api::Result<T>>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    /// `ask` gets what `question` gives.
    pub fn new<Q, F>(question: impl Fn() -> Q + Send + Sync + 'static, ask: impl Fn(Q) -> F + Send + Sync + 'static) -> Self
    where
        Q: PartialEq + Clone + Send + Sync + 'static,
        F: Future<Output = api::Result<T>> + Send + 'static,
    {
        let question = move || Kept::new(question());
        let ask = move |question: Kept| -> Later { Box::pin(ask(question.value::<Q>().clone()).map(Came::new)) };
        Self(boxed(Box::new(question), Box::new(ask)), PhantomData)
    }

    pub fn refetch(&self) {
        self.0.refetch();
    }
}

fn boxed(
    question: Box<dyn Fn() -> Kept + Send + Sync>,
    ask: Box<dyn Fn(Kept) -> Later + Send + Sync>,
) -> leptos::prelude::Resource<Came, Codec> {
    leptos::prelude::Resource::new_with_options(question, ask, false)
}

impl<T> IntoFuture for Resource<api::Result<T>>
where
    T: DeserializeOwned + Clone + 'static,
{
    type Output = api::Result<T>;
    type IntoFuture = Map<AsyncDerivedFuture<Came>, fn(Came) -> api::Result<T>>;

    fn into_future(self) -> Self::IntoFuture {
        self.0.into_future().map(Came::read)
    }
}

// === impl Came ===

impl Came {
    fn new<T>(value: api::Result<T>) -> Self
    where
        T: Serialize + Send + Sync + 'static,
    {
        Self::Here {
            value: Arc::new(value),
            write: if cfg!(feature = "ssr") { Some(write::<T>) } else { None },
        }
    }

    fn read<T>(self) -> api::Result<T>
    where
        T: DeserializeOwned + Clone + 'static,
    {
        match self {
            Self::Here { value, .. } => (*value)
                .downcast_ref::<api::Result<T>>()
                .expect("a handle knows the type of its value")
                .clone(),
            Self::Written(text) => json::from_str(&text).unwrap_or_else(|error| Err(ApiError::unreadable(&error))),
        }
    }
}

fn write<T: Serialize + 'static>(value: &dyn Any) -> String {
    let value = value.downcast_ref::<api::Result<T>>();
    value.and_then(|value| serde_json::to_string(value).ok()).unwrap_or_default()
}

// === impl Codec ===

impl Encoder<Came> for Codec {
    type Error = Infallible;
    type Encoded = String;

    fn encode(came: &Came) -> Result<String, Infallible> {
        Ok(match came {
            Came::Here { value, write: Some(write) } => write(&**value),
            Came::Here { write: None, .. } => String::new(),
            Came::Written(text) => text.to_string(),
        })
    }
}

impl Decoder<Came> for Codec {
    type Error = Infallible;
    type Encoded = str;

    fn decode(text: &str) -> Result<Came, Infallible> {
        Ok(Came::Written(text.into()))
    }
}
