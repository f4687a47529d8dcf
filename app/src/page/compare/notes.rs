//! The notes of the runs beside each other.

use std::sync::Arc;

use crate::prelude::*;

use super::{bring::Known, heading::why, view::Place};
use crate::{
    api::mlflow::run::tag,
    part::{dynamic::dynamic, markdown::Markdown},
    route::Route,
};

pub fn notes(known: Arc<Known>, place: Place) -> AnyView {
    let ids = Memo::new(move |_| place.view.read().shown().to_vec());
    let cards = move || ids.read().iter().map(|id| card(&known, id)).collect_view();
    view! { <div class="notes" tabindex="0" role="region" aria-label="Notes">{dynamic(cards)}</div> }.into_any()
}

fn card(known: &Known, id: &str) -> AnyView {
    let name = known.name(id);
    let says = format!("Note of {name}");
    let (title, body) = match known.run(id) {
        Ok(run) => {
            let href = Route::Run {
                experiment: run.info.experiment_id.clone(),
                run: id.to_owned(),
            }
            .href();
            let body = match run.tag(tag::NOTE).filter(|note| !note.trim().is_empty()) {
                Some(note) => view! { <Markdown text=note.to_owned()/> }.into_any(),
                None => view! { <p class="muted">"No note."</p> }.into_any(),
            };
            (
                view! { <a class="name clip" dir="auto" href=href title=name.clone()>{name.clone()}</a> }.into_any(),
                body,
            )
        }
        Err(error) => (
            view! { <span class="clip mono">{name}</span> }.into_any(),
            view! { <p class="muted">{why(error)}</p> }.into_any(),
        ),
    };
    view! { <section class="card" aria-label=says><header><h2 class="clip">{title}</h2></header><div class="body">{body}</div></section> }
        .into_any()
}
