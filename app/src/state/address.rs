//! The query of the page's address, where everything that changes what is on screen lives.
//!
//! The router's own map of the query decodes every value twice (`%25` would come out wrong, and differently on the two sides),
//! so this reads the raw text.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use percent_encoding::percent_decode_str;

use crate::route::escape;

/// The address of this page: read its query, make links that change a part of it, go there.
#[derive(Clone, Copy)]
pub struct Address {
    path: Memo<String>,
    query: Memo<Vec<(String, String)>>,
    navigate: StoredValue<Navigate>,
}

type Navigate = Box<dyn Fn(&str, NavigateOptions) + Send + Sync>;

// === impl Address ===

impl Address {
    /// Call it while a component is set up.
    pub fn here() -> Self {
        let location = use_location();
        let navigate = use_navigate();
        let search = location.search;
        Self {
            path: location.pathname,
            query: Memo::new(move |_| search.with(|text| parse(text))),
            navigate: StoredValue::new(Box::new(move |to, options| navigate(to, options))),
        }
    }

    /// The value of `key`, followed; empty counts as none.
    pub fn get(&self, key: &str) -> Option<String> {
        self.query.with(|query| find(query, key))
    }

    /// [`Address::get`], not followed: for handlers and for first values.
    pub fn get_untracked(&self, key: &str) -> Option<String> {
        self.query.with_untracked(|query| find(query, key))
    }

    /// All values of `key`, followed.
    pub fn all(&self, key: &str) -> Vec<String> {
        self.query.with(|query| {
            query
                .iter()
                .filter(|(name, value)| name == key && !value.is_empty())
                .map(|(_, value)| value.clone())
                .collect()
        })
    }

    /// The value of `key`, followed on its own: changes of other keys do not reach who reads it.
    pub fn memo(&self, key: &'static str) -> Memo<Option<String>> {
        let query = self.query;
        Memo::new(move |_| query.with(|query| find(query, key)))
    }

    /// The path, base included, followed.
    pub fn path(&self) -> String {
        self.path.get()
    }

    /// The address with `changes` made to its query, followed. `None` and `""` take a key away; a key named twice gets both values.
    pub fn with(&self, changes: &[(&str, Option<&str>)]) -> String {
        format!("{}{}", self.path.get(), self.query.with(|query| change(query, changes)))
    }

    /// [`Address::with`], not followed: for handlers.
    pub fn with_untracked(&self, changes: &[(&str, Option<&str>)]) -> String {
        format!(
            "{}{}",
            self.path.get_untracked(),
            self.query.with_untracked(|query| change(query, changes))
        )
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

fn find(query: &[(String, String)], key: &str) -> Option<String> {
    query
        .iter()
        .find(|(name, value)| name == key && !value.is_empty())
        .map(|(_, value)| value.clone())
}

/// Reads `a=b&c=d`, with or without `?` before it, as HTML forms and browsers write it.
fn parse(search: &str) -> Vec<(String, String)> {
    let pairs = search.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn change(query: &[(String, String)], changes: &[(&str, Option<&str>)]) -> String {
    let kept = query.iter().filter(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
    let kept = kept.map(|(key, value)| (key.as_str(), value.as_str()));
    let new = changes.iter().filter_map(|(key, value)| Some((*key, (*value)?)));
    let mut text = String::new();
    for (key, value) in kept.chain(new).filter(|(_, value)| !value.is_empty()) {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(&escape(key));
        text.push('=');
        text.push_str(&escape(value));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{change, parse};

    #[test]
    fn a_query_is_decoded_once() {
        let query = parse("?filter=params.a+LIKE+%27%25ab%25%27&x=a%2Bb&empty=&flag");
        assert_eq!(query[0], ("filter".into(), "params.a LIKE '%ab%'".into()));
        assert_eq!(query[1].1, "a+b");
    }

    #[test]
    fn changes_keep_the_rest_and_its_order() {
        let query = parse("a=1&b=2&c=3");
        assert_eq!(change(&query, &[("b", None), ("d", Some("ü &"))]), "?a=1&c=3&d=%C3%BC%20%26");
        assert_eq!(change(&query, &[("a", None), ("b", None), ("c", Some(""))]), "");
        assert_eq!(change(&query, &[("a", Some("7")), ("a", Some("8"))]), "?b=2&c=3&a=7&a=8");
    }
}
