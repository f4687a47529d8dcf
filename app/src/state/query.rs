//! The part of an address behind the `?`. Each value is decoded once: leptos_router's own map decodes twice (and differently on the two sides), which spoils `LIKE '%20%'`.

use percent_encoding::percent_decode_str;

use crate::route::escape;

/// Names and values, in their order; a name may come several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

// === impl Query ===

impl Query {
    pub fn parse(raw: &str) -> Self {
        let raw = raw.strip_prefix('?').unwrap_or(raw);
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    /// The last value of `name`, unless it is empty.
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).last().filter(|value| !value.is_empty())
    }

    /// Every value of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |pair| pair.0 == name).map(|pair| pair.1.as_str())
    }

    /// Puts `value` in the place of whatever `name` had; `""` takes it away.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|pair| pair.0 != name);
        if !value.is_empty() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With `changes` made: `None` and `""` take a key away, a key that is named twice gets both values. The others stay, in their order.
    #[must_use]
    pub fn changed(&self, changes: &[(&str, Option<&str>)]) -> Self {
        let kept = self
            .pairs()
            .filter(|(name, value)| !value.is_empty() && !changes.iter().any(|(changed, _)| changed == name));
        let new = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        let new = new.filter(|(_, value)| !value.is_empty());
        Self(kept.chain(new).map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Every pair, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `""`, or `?` and the pairs.
    pub fn href(&self) -> String {
        let mut href = String::new();
        for (name, value) in &self.0 {
            href.push(if href.is_empty() { '?' } else { '&' });
            href.push_str(&escape(name));
            href.push('=');
            href.push_str(&escape(value));
        }
        href
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// A list as one value: the parts are joined by commas; a comma or `%` within a part is written as `%2C` or `%25`.
pub fn join<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts
        .map(|part| part.replace('%', "%25").replace(',', "%2C"))
        .collect::<Vec<_>>()
        .join(",")
}

/// The opposite of [`join`]; `""` is one empty part.
pub fn split(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|part| part.replace("%2C", ",").replace("%25", "%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_once() {
        let query = Query::parse("?q=params.a%20LIKE%20%27%2520%25%27&x=1+2&x=&y");
        assert_eq!(query.get("q"), Some("params.a LIKE '%20%'"));
        assert_eq!(query.all("x").collect::<Vec<_>>(), ["1 2", ""]);
        assert_eq!(query.get("x"), None);
        assert_eq!(query.get("y"), None);
        assert_eq!(Query::parse("a=%FF").get("a"), Some("\u{FFFD}"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let query = Query::default()
            .with("q", "a & b = '%41+ü'")
            .with("n", "1")
            .with("n", "2")
            .with("gone", "");
        assert_eq!(query.href(), "?q=a%20%26%20b%20%3D%20%27%2541%2B%C3%BC%27&n=2");
        assert_eq!(Query::parse(&query.href()), query);
        assert_eq!(Query::default().href(), "");
    }

    #[test]
    fn changes_keep_the_rest_and_its_order() {
        let query = Query::parse("a=1&b=2&c=3");
        let changed = |changes: &[(&str, Option<&str>)]| query.changed(changes).href();
        assert_eq!(changed(&[("b", None), ("d", Some("ü &"))]), "?a=1&c=3&d=%C3%BC%20%26");
        assert_eq!(changed(&[("a", None), ("b", None), ("c", Some(""))]), "");
        assert_eq!(changed(&[("a", Some("7")), ("a", Some("8"))]), "?b=2&c=3&a=7&a=8");
    }

    #[test]
    fn lists_keep_commas() {
        let parts = ["m:a,b", "p:100%", "%2C", ""];
        assert_eq!(split(&join(parts.into_iter())).collect::<Vec<_>>(), parts);
    }
}
