//! A heading and a row of the runs table.

use crate::prelude::*;

use super::{
    column::Column,
    table::{Cell, Row},
    view::Place,
};
use crate::{
    api::mlflow::run,
    part::{
        duration::Duration,
        icon::{self, Icon},
        id::Id,
        number::Number,
        status::{Phase, Status},
        time::Time,
    },
    route::Route,
};

/// How MLflow's word is shown.
pub fn phase(status: run::Status) -> Phase {
    match status {
        run::Status::Running => Phase::Running,
        run::Status::Scheduled => Phase::Waiting,
        run::Status::Finished => Phase::Finished,
        run::Status::Failed => Phase::Failed,
        run::Status::Killed => Phase::Stopped,
        run::Status::Unknown => Phase::Unknown,
    }
}

pub fn heading(column: Column, place: Place) -> AnyView {
    let class = match column {
        Column::Name => "pinned",
        _ if column.is_number() => "number",
        _ => "",
    };
    let label = column.label().to_owned();
    let hint = format!("{label}. {}", column.sort_hint());
    let label = view! { <bdi class="clip">{label}</bdi>{column.family().map(|family| view! { <span class="family">{family}</span> })} };
    if column.mlflow().is_none() {
        return view! { <th scope="col" class=class title=hint>{label}</th> }.into_any();
    }
    let sorted = {
        let column = column.clone();
        Memo::new(move |_| place.view.read().sorted_by(&column))
    };
    let href = place.link(move |view| view.clicked(&column, false));
    let order = move || sorted.get().map(|descending| if descending { "descending" } else { "ascending" });
    let arrow = move || {
        sorted
            .get()
            .map(|descending| view! { <Icon icon=if descending { icon::ArrowDown } else { icon::ArrowUp }/> })
    };
    view! { <th scope="col" class=class aria-sort=order><a href=href title=hint data-noscroll="">{label}{arrow}</a></th> }.into_any()
}

pub fn row(run: Row, columns: &[Column]) -> AnyView {
    let href = Route::Run {
        experiment: run.experiment.clone(),
        run: run.id.clone(),
    }
    .href();
    let cells = columns
        .iter()
        .zip(&run.cells)
        .map(|(column, cell)| self::cell(&run, column, cell))
        .collect_view();
    let parent = run.parent.map(|(id, name)| {
        let href = Route::Run {
            experiment: run.experiment.clone(),
            run: id.clone(),
        }
        .href();
        let says = format!("Belongs to {}", name.as_deref().unwrap_or(&id));
        view! { <a class="parent" href=href title=says.clone() aria-label=says>"↳"</a> }
    });
    let depth = match run.depth {
        0 => "pinned",
        1 => "pinned depth-1",
        2 => "pinned depth-2",
        _ => "pinned depth-3",
    };
    view! {
        <tr>
            <th scope="row" class=depth>
                <div class="line">
                    {(run.depth > 0).then(|| view! { <span class="parent" title="Belongs to the run above" aria-hidden="true">"↳"</span> })}
                    {parent}
                    <a class="name clip" dir="auto" href=href title=run.name.clone()>{run.name.clone()}</a>
                </div>
            </th>
            {cells}
        </tr>
    }
    .into_any()
}

fn cell(run: &Row, column: &Column, cell: &Cell) -> AnyView {
    let (class, body) = match (column, cell) {
        (Column::Status, _) => ("", view! { <Status phase=phase(run.status)/> }.into_any()),
        (Column::Start, _) => ("", run.start.map(|at| view! { <Time at=at/> }).into_any()),
        (Column::End, _) => ("", run.end.map(|at| view! { <Time at=at/> }).into_any()),
        (Column::Duration, _) => ("number", duration(run)),
        (Column::Id, _) => ("", view! { <Id id=run.id.clone()/> }.into_any()),
        (_, Cell::Number(value)) if value.is_nan() => ("number danger", view! { <Number value=*value/> }.into_any()),
        (_, Cell::Number(value)) => ("number", view! { <Number value=*value/> }.into_any()),
        (Column::Param(_) | Column::Commit, Cell::Text(text)) => {
            ("mono text", view! { <bdi title=text.clone()>{text.clone()}</bdi> }.into_any())
        }
        (_, Cell::Text(text)) => ("text", view! { <bdi title=text.clone()>{text.clone()}</bdi> }.into_any()),
        (_, Cell::None) => (if column.is_number() { "none number" } else { "none" }, ().into_any()),
    };
    view! { <td class=class data-label=column.label().to_owned()>{body}</td> }.into_any()
}

fn duration(run: &Row) -> AnyView {
    match (run.start, run.end, run.status) {
        (Some(start), Some(end), _) => view! { <Duration start=start end=Some(end)/> }.into_any(),
        (Some(start), None, run::Status::Running) => view! { <Duration start=start end=None/> }.into_any(),
        _ => ().into_any(),
    }
}
