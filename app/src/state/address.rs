//! The page's address, where everything that changes what is on screen lives.

use crate::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

use super::query::Query;

/// The address of this page: read its query, make links that change a part of it, go there.
#[derive(Clone, Copy)]
pub struct Address {
    path: Signal<String>,
    query: Memo<Query>,
    navigate: StoredValue<Navigate>,
}

type Navigate = Box<dyn Fn(&str, NavigateOptions) + Send + Sync>;

/// All that is on screen, as an address says it.
pub trait Screen: Clone + PartialEq + Send + Sync + 'static {
    fn read(query: &Query) -> Self;

    fn query(&self) -> Query;
}

/// A page's address, and what it says.
pub struct Place<S: Screen> {
    pub view: Memo<S>,
    /// Without the query.
    path: StoredValue<String>,
    address: Address,
}

// === impl Address ===

impl Address {
    /// Call it while a component is set up.
    pub fn here() -> Self {
        let location = use_location();
        let navigate = use_navigate();
        let search = location.search;
        Self {
            path: location.pathname.into(),
            query: Memo::new(move |_| Query::parse(&search.read())),
            navigate: StoredValue::new(Box::new(move |to, options| navigate(to, options))),
        }
    }

    /// The whole query.
    pub fn query(&self) -> Memo<Query> {
        self.query
    }

    /// The value of `key`, followed; empty counts as none.
    pub fn get(&self, key: &str) -> Option<String> {
        self.query.with(|query| query.get(key).map(str::to_owned))
    }

    /// [`Address::get`], not followed: for handlers and for first values.
    pub fn get_untracked(&self, key: &str) -> Option<String> {
        self.query.with_untracked(|query| query.get(key).map(str::to_owned))
    }

    /// All values of `key`, followed.
    pub fn all(&self, key: &str) -> Vec<String> {
        let kept = |value: &&str| !value.is_empty();
        self.query.with(|query| query.all(key).filter(kept).map(str::to_owned).collect())
    }

    /// The value of `key`, followed on its own: changes of other keys do not reach who reads it.
    pub fn memo(&self, key: &'static str) -> Memo<Option<String>> {
        let query = self.query;
        Memo::new(move |_| query.with(|query| query.get(key).map(str::to_owned)))
    }

    /// The path, base included, followed.
    pub fn path(&self) -> String {
        self.path.get()
    }

    /// The address with `changes` made to its query, followed. `None` and `""` take a key away; a key named twice gets both values.
    pub fn with(&self, changes: &[(&str, Option<&str>)]) -> String {
        self.path.get() + &self.query.with(|query| query.changed(changes).href())
    }

    /// [`Address::with`], not followed: for handlers.
    pub fn with_untracked(&self, changes: &[(&str, Option<&str>)]) -> String {
        self.path.get_untracked() + &self.query.with_untracked(|query| query.changed(changes).href())
    }

    /// Goes to the address with `changes` made, as a new entry of the history.
    pub fn go(&self, changes: &[(&str, Option<&str>)]) {
        self.go_to(&self.with_untracked(changes), false);
    }

    /// Goes to the address with `changes` made, in place of the present entry of the history: for what changes with every key stroke.
    pub fn replace(&self, changes: &[(&str, Option<&str>)]) {
        self.go_to(&self.with_untracked(changes), true);
    }

    /// Goes to a full path (base included) without scrolling.
    pub fn go_to(&self, full: &str, replace: bool) {
        let options = NavigateOptions {
            resolve: false,
            replace,
            scroll: false,
            ..NavigateOptions::default()
        };
        self.navigate.with_value(|navigate| navigate(full, options));
    }
}

// === impl Place ===

impl<S: Screen> Clone for Place<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Screen> Copy for Place<S> {}

impl<S: Screen> Place<S> {
    /// `path`: of this page, base included. Call it while a component is set up.
    pub fn here(path: String) -> Self {
        let address = Address::here();
        let query = address.query();
        Self {
            view: Memo::new(move |_| S::read(&query.read())),
            path: StoredValue::new(path),
            address,
        }
    }

    /// What is on screen now, not followed.
    pub fn now(&self) -> S {
        self.view.get_untracked()
    }

    /// The address without its query.
    pub fn path(&self) -> String {
        self.path.get_value()
    }

    /// The address of `view`.
    pub fn href(&self, view: &S) -> String {
        self.path.get_value() + &view.query().href()
    }

    /// The address of what `make` makes of what is on screen, followed.
    pub fn link(self, make: impl Fn(S) -> S) -> impl Fn() -> String {
        move || self.href(&make(self.view.get()))
    }

    pub fn go(&self, view: &S) {
        self.address.go_to(&self.href(view), false);
    }

    /// Goes to a full address, base included.
    pub fn follow(&self, href: &str) {
        self.address.go_to(href, false);
    }

    /// Goes there without an entry in the history.
    pub fn replace(&self, view: &S) {
        self.address.go_to(&self.href(view), true);
    }
}
