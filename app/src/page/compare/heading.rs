//! The heading of a run's column: its name, and what can be done with the column.

use crate::prelude::*;

use super::{bring::Known, view::Place};
use crate::{
    api::ApiError,
    part::{
        icon::{self, Icon},
        id,
        menu::Menu,
    },
    route::Route,
};

pub fn heading(known: &Known, id: &str, acting: StoredValue<Option<String>>, place: Place) -> AnyView {
    let view = place.view;
    let (name, short) = (known.name(id), id::shorten(id));
    let baseline = {
        let id = id.to_owned();
        Memo::new(move |_| view.read().baseline() == Some(id.as_str()))
    };
    let under = match known.run(id) {
        Ok(run) if run.is_deleted() => view! { <span class="danger">"Deleted"</span> }.into_any(),
        Ok(_) => view! { <span class="mono">{short}</span> }.into_any(),
        Err(error) => view! { <span class="danger wrap">{why(error)}</span> }.into_any(),
    };
    let title = match known.run(id) {
        Ok(run) => {
            let href = Route::Run {
                experiment: run.info.experiment_id.clone(),
                run: id.to_owned(),
            }
            .href();
            view! { <a class="name clip" dir="auto" href=href title=name.clone()>{name.clone()}</a> }.into_any()
        }
        Err(_) => view! { <span class="name clip mono" title=id.to_owned()>{name.clone()}</span> }.into_any(),
    };
    view! {
        <th scope="col" class="run" class:baseline=baseline>
            <div class="line">{title}<span class="spread"></span>{acts(id, &name, baseline, acting, place)}</div>
            <div class="under">{move || baseline.get().then(|| view! { <b class="accent">"Baseline"</b> })}{under}</div>
        </th>
    }
    .into_any()
}

/// Why there is no run.
pub fn why(error: Option<&ApiError>) -> String {
    match error.map(|error| error.status) {
        // MLflow does not tell those who may not see a run whether there is one.
        Some(403) => "You may not see this run, or there is none.".to_owned(),
        Some(400 | 404) => "There is no such run.".to_owned(),
        _ => format!(
            "It could not be loaded: {}.",
            error.map_or("no answer", |error| error.message.trim_end_matches('.'))
        ),
    }
}

fn acts(id: &str, name: &str, baseline: Memo<bool>, acting: StoredValue<Option<String>>, place: Place) -> AnyView {
    let menu = format!("of-{id}");
    let says = format!("Actions for {name}");
    let act = {
        let id = id.to_owned();
        move |_| acting.set_value(Some(id.clone()))
    };
    let link = {
        let id = id.to_owned();
        move |make: fn(super::View, &str) -> super::View| {
            let id = id.clone();
            place.link(move |view| make(view, &id))
        }
    };
    let against = {
        let id = id.to_owned();
        place.link(move |view| {
            let off = view.baseline() == Some(id.as_str());
            view.against((!off).then_some(id.as_str()))
        })
    };
    let is = |at: fn(&super::View, &str) -> bool| {
        let id = id.to_owned();
        Memo::new(move |_| at(&place.view.read(), &id))
    };
    let first = is(|view, id| view.shown().first().is_some_and(|first| first == id));
    let last = is(|view, id| view.shown().last().is_some_and(|last| last == id));
    let (left, right, away) = (
        link(|view, id| view.moved(id, true)),
        link(|view, id| view.moved(id, false)),
        link(|view, id| view.without(id)),
    );
    view! {
        <button type="button" class="button quiet small square" popovertarget=menu.clone() aria-label=says.clone() title="Actions" on:click=act><Icon icon=icon::More/></button>
        <Menu id=menu label=says>
            <a class="item" href=against data-noscroll="">{move || if baseline.get() { "Compare with no baseline" } else { "Make it the baseline" }}</a>
            <a class="item" href=left hidden=first data-noscroll="">"Move left"</a>
            <a class="item" href=right hidden=last data-noscroll="">"Move right"</a>
            <a class="item danger" href=away data-noscroll=""><Icon icon=icon::Close/>"Remove from the comparison"</a>
        </Menu>
    }
    .into_any()
}
