//! What lists of people and roles share: heads that sort, pages, and how old it is.

use crate::prelude::*;

use super::desk::Desk;
use crate::{
    page::filter::Turned,
    part::{
        dynamic::dynamic,
        icon::{self, Icon},
        number::count,
        time::Time,
    },
    state::{address::Address, query::Query},
};

/// Lines on a page.
pub const PAGE: usize = 50;

/// Another search begins on the first page.
pub const FIRST: Turned = &[("offset", None)];

/// What the address asks of a list.
pub fn asked(query: &Query, filters: &[&str]) -> Query {
    let mut asked = Query::default();
    for name in filters.iter().chain(&["offset"]) {
        asked = asked.with(name, query.get(name).unwrap_or_default().trim());
    }
    asked
}

/// The head of a column that sorts by it; numbers begin with the largest.
pub fn head(address: Address, key: &'static str, label: &'static str, number: bool) -> AnyView {
    // Whether it goes up, where it sorts by this column.
    let up = Memo::new(move |_| {
        let sort = address.get("sort").unwrap_or_else(|| "name".into());
        match sort.strip_prefix('-') {
            Some(by) => (by == key).then_some(false),
            None => (sort == key).then_some(true),
        }
    });
    let href = move || {
        let down = up.get().unwrap_or(number);
        let next = if down { format!("-{key}") } else { key.to_owned() };
        address.with(&[
            ("sort", Some(&next).filter(|next| *next != "name").map(String::as_str)),
            ("offset", None),
        ])
    };
    let sorted = move || up.get().map(|up| if up { "ascending" } else { "descending" });
    let arrow = move || {
        up.get()
            .map(|up| view! { <Icon icon=if up { icon::ArrowUp } else { icon::ArrowDown }/> })
    };
    view! { <th scope="col" class:number=number aria-sort=sorted><a href=href data-noscroll="">{label}{dynamic(arrow)}</a></th> }
}

/// How many there are, how old that is, and the other pages.
pub fn pages(desk: Desk, shown: usize, total: usize, read_at: i64, what: &'static str) -> AnyView {
    let address = desk.address;
    let offset = address
        .get_untracked("offset")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0_usize);
    let what = if total == 1 { what.trim_end_matches('s') } else { what };
    let says = match shown {
        _ if shown == total => format!("{} {what}", count(total)),
        0 => format!("none of {} {what}", count(total)),
        _ => format!("{} to {} of {} {what}", count(offset + 1), count(offset + shown), count(total)),
    };
    let to = move |offset: usize, label: &'static str| {
        let href = move || address.with(&[("offset", (offset > 0).then(|| offset.to_string()).as_deref())]);
        view! { <a class="button small" href=href>{label}</a> }
    };
    let before = (offset > 0).then(|| to(offset.saturating_sub(PAGE), "Previous"));
    let after = (offset + shown < total).then(|| to(offset + PAGE, "Next"));
    view! {
        <nav class="statusbar" aria-label="Pages">
            <span>{says}</span>{before}{after}
            <span class="spread line">"as of "<Time at=read_at/>
                <button type="button" class="button quiet small needs-script" title="MLflow is asked again" on:click=move |_| desk.anew()><Icon icon=icon::Retry/>"Read anew"</button></span>
        </nav>
    }
}

#[cfg(test)]
mod tests {
    use super::asked;
    use crate::state::query::Query;

    #[test]
    fn only_what_the_list_knows_is_asked() {
        let query = Query::parse("?q=%20ada%20&tab=x&offset=50&sort=-keys");
        assert_eq!(asked(&query, &["q", "sort"]).href(), "?q=ada&sort=-keys&offset=50");
    }
}
