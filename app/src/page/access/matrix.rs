//! People and roles by experiments and models: all of it in one table, of which the parts come that are looked at.

mod act;
mod grid;
mod html;
mod paint;
mod tiles;

use crate::prelude::*;

use super::{
    about_default, choice, kinds,
    load::{Asked, Loaded, ask},
    needs_script, search,
};
use crate::{
    api::flowdeck::access::Matrix,
    page::{admin::AdminTabs, review::Review},
    part::{
        crumbs::{Crumb, Crumbs},
        face::Empty,
        icon,
        number::count,
        time::Time,
        title::Title,
    },
    route::Route,
    state::{address::Address, query::Query},
};

/// What the address filters by, as the server calls it too.
const FILTERS: [&str; 4] = ["subjects", "rows", "kind", "columns"];

pub fn permissions() -> AnyView {
    let address = Address::here();
    let query = address.query();
    let filter = Memo::new(move |_| {
        query.with(|query| {
            FILTERS
                .into_iter()
                .fold(Query::default(), |filter, key| filter.with(key, query.get(key).unwrap_or_default()))
        })
    });
    let found = ask(Memo::new(move |_| Asked::Matrix(grid::part(filter.get(), (0, 0)))));
    let changed = RwSignal::new(0u32);
    let review = Review::new(move || changed.update(|times| *times += 1));
    let table = found.view("who has what", move |loaded| {
        Ok(match loaded? {
            Loaded::Matrix(first) => known(filter.get_untracked(), first, review, changed),
            _ => AnyView::Nothing,
        })
    });
    let subjects = vec![("", "People and roles"), ("people", "People"), ("roles", "Roles")];
    view! {
        <Title text="Permissions"/>
        <Crumbs way=vec![Crumb::link("Admin", Route::Admin.href()), Crumb::here("Permissions")]/>
        <div class="page access fixed">
            <div class="title">
                <h1>"Permissions"</h1>
                <span class="facts">"who has what"</span>
                <div class="actions"><a class="button" href=Route::Why.href()>"Why may somebody…?"</a></div>
            </div>
            <AdminTabs here=Route::Permissions/>
            <form class="toolbar" role="search" method="get">
                {choice(address, "subjects", "Rows", subjects, &[])}
                {search(address, "rows", "Name of a person or role", &[])}
                {choice(address, "kind", "Columns", kinds(Some("Experiments and models")), &[])}
                {search(address, "columns", "Name of an experiment or model", &[])}
                <button class="button without-script" type="submit">"Show"</button>
            </form>
            {needs_script()}
            {table}
            {review.dialog()}
        </div>
    }
    .into_any()
}

fn known(filter: Query, first: Matrix, review: Review, changed: RwSignal<u32>) -> AnyView {
    if first.rows_total == 0 || first.columns_total == 0 {
        let (title, about) = if first.rows_total == 0 {
            ("Nobody of this name", "No person and no role has it in their name.")
        } else {
            ("No experiment or model of this name", "Or there is none at all yet.")
        };
        return view! { <Empty title=title icon=icon::Search><p>{about}</p></Empty> }.into_any();
    }
    let says = format!("{} × {}", count(first.rows_total), count(first.columns_total));
    let (default, known, read_at) = (first.default, first.default_known, first.read_at);
    view! {
        <div class="lead line matrix-says"><span class="muted">{says}" · as of "<Time at=read_at/>" · Read, Use, Edit, Manage, Deny; coloured where granted on the very thing"</span>{about_default(default, known)}</div>
        {grid::grid(filter, first, review, changed)}
    }
    .into_any()
}
