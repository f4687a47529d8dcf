//! Lists whose items stay in the page as long as their key does.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::Hash,
    sync::Arc,
};

use leptos::{
    prelude::Owner,
    reactive::effect::RenderEffect,
    tachys::{
        hydration::Cursor,
        renderer::{
            Rndr,
            types::{Element, Node, Placeholder},
        },
        view::{Mountable, PositionState, Render, RenderHtml},
    },
};

use super::{
    AnyView,
    life::Life,
    state::{State, before},
};

/// What is to be in the list now; each item with its key, and not drawn yet.
pub type Items = Vec<(Key, Box<dyn FnOnce() -> AnyView + Send>)>;

/// Keys of any kind, one as long as the list is.
type Key = u64;

/// A list in the page.
pub struct List {
    items: Vec<Item>,
    end: Placeholder,
}

struct Item {
    key: Key,
    state: State,
    /// What its view holds on to; gone with it.
    _owner: Owner,
}

/// `items`, each drawn once by `draw` and kept as long as there is one with its `key`.
pub fn each<T, K>(
    items: impl Fn() -> Vec<T> + Send + 'static,
    key: impl Fn(&T) -> K + Send + 'static,
    draw: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    T: Send + 'static,
    K: Eq + Hash + Send + 'static,
{
    // Whoever lists them, not whoever happens to draw the list later.
    let parent = Owner::current().unwrap_or_default();
    let draw = Arc::new(draw);
    let mut numbers = HashMap::<K, Key>::new();
    let mut last = 0;
    let items = move || {
        let known = std::mem::take(&mut numbers);
        let mut listed = Items::new();
        for item in items() {
            let Entry::Vacant(place) = numbers.entry(key(&item)) else {
                continue;
            };
            let number = known.get(place.key()).copied().unwrap_or_else(|| {
                last += 1;
                last
            });
            place.insert(number);
            let draw = draw.clone();
            listed.push((number, Box::new(move || draw(item))));
        }
        listed
    };
    AnyView::Each(parent, Box::new(items))
}

/// `place`: where the page has what it draws first.
pub fn live(parent: Owner, mut items: Box<dyn FnMut() -> Items + Send>, place: Option<(Cursor, PositionState)>) -> RenderEffect<List> {
    let life = Life::here();
    RenderEffect::new(move |before: Option<List>| {
        let before = match before {
            Some(list) if life.is_over() => return list,
            before => before,
        };
        let woken = place.as_ref().filter(|_| before.is_none());
        let (kept, end) = match before {
            Some(list) => (list.items, Some(list.end)),
            None => (Vec::new(), None),
        };
        let order: Vec<Key> = kept.iter().map(|item| item.key).collect();
        let mut kept: HashMap<Key, Item> = kept.into_iter().map(|item| (item.key, item)).collect();
        let new = |key: Key, draw: Box<dyn FnOnce() -> AnyView + Send>| {
            let owner = parent.with(Owner::new);
            let state = owner.with(|| match woken {
                Some((cursor, position)) => draw().hydrate::<true>(cursor, position),
                None => draw().build(),
            });
            Item { key, state, _owner: owner }
        };
        let items = items()
            .into_iter()
            .map(|(key, draw)| kept.remove(&key).unwrap_or_else(|| new(key, draw)))
            .collect();
        let Some(end) = end else {
            let end = match woken {
                Some((cursor, position)) => cursor.next_placeholder(position),
                None => Rndr::create_placeholder(),
            };
            return List { items, end };
        };
        let order = order.into_iter().filter(|key| !kept.contains_key(key)).collect();
        kept.into_values().for_each(|mut gone| gone.state.unmount());
        let mut list = List { items, end };
        list.arrange(order);
        list
    })
}

// === impl List ===

impl List {
    /// Puts each item before the next, from the last on; `order`: those that are in the page, as they stand there.
    fn arrange(&mut self, mut order: Vec<Key>) {
        let mut moved = HashSet::new();
        for at in (0..self.items.len()).rev() {
            while order.pop_if(|last| moved.contains(last)).is_some() {}
            let key = self.items[at].key;
            if order.pop_if(|last| *last == key).is_some() {
                continue;
            }
            moved.insert(key);
            let (items, after) = self.items.split_at_mut(at + 1);
            match after.first() {
                Some(next) => next.state.insert_before_this(&mut items[at].state),
                None => before(&self.end, &mut items[at].state),
            };
        }
    }
}

impl Mountable for List {
    fn unmount(&mut self) {
        self.items.iter_mut().for_each(|item| item.state.unmount());
        Rndr::remove(&self.end);
    }

    fn mount(&mut self, parent: &Element, before: Option<&Node>) {
        self.items.iter_mut().for_each(|item| item.state.mount(parent, before));
        Rndr::insert_node(parent, &self.end, before);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match self.items.first() {
            Some(first) => first.state.insert_before_this(child),
            None => before(&self.end, child),
        }
    }

    fn elements(&self) -> Vec<Element> {
        self.items.iter().flat_map(|item| item.state.elements()).collect()
    }
}
