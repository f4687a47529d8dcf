//! The table: a row a key, a column a run; keys and names stay in sight.

use std::sync::Arc;

use crate::prelude::*;

use super::{
    best::{Better, best},
    bring::Known,
    heading::heading,
    rows::{Difference, Row, Section, Value, sections},
    toolbar::toolbar,
    view::{Place, View},
};
use crate::{
    browser,
    page::experiment::phase,
    part::{
        duration::Duration,
        dynamic::dynamic,
        face::Empty,
        icon::{self, Icon},
        id::Id,
        number::{Number, count},
        status::Status,
        time::Time,
    },
    route::Route,
};

/// More than so many cells of a section would make the page slow: the filter finds what is beyond.
const CELLS: usize = 5000;
/// A section has at least so many rows.
const ROWS: usize = 50;
/// Longer values are folded.
const LONG: usize = 80;

pub fn table(known: Arc<Known>, place: Place) -> AnyView {
    let view = place.view;
    let ids = Memo::new(move |_| view.read().shown().to_vec());
    let all = {
        let known = known.clone();
        Memo::new(move |_| Arc::new(sections(&known, &ids.read())))
    };
    let wanted = Memo::new(move |_| {
        let view = view.read();
        (view.typed.trim().to_lowercase(), view.differing)
    });
    let found = Memo::new(move |_| {
        let (typed, differing) = &*wanted.read();
        let shown = |row: &&Row| row.matches(typed) && (!differing || row.differs());
        let places = |section: &Section| {
            let rows = section.rows.iter().enumerate();
            rows.filter(|(_, row)| shown(row)).map(|(at, _)| at).collect::<Vec<_>>()
        };
        all.read().iter().map(places).collect::<Vec<_>>()
    });
    let keys = Memo::new(move |_| {
        let all = all.read().iter().map(|section| section.rows.len()).sum::<usize>();
        (found.read().iter().map(Vec::len).sum::<usize>(), all)
    });
    let acting = keep_focus(place);
    let head = {
        let known = known.clone();
        move || ids.read().iter().map(|id| heading(&known, id, acting, place)).collect_view()
    };
    let bodies = move || {
        let many = ids.read().len();
        (0..all.read().len()).map(|at| section(at, many, all, found, place)).collect_view()
    };
    let nothing = move || {
        (keys.get().0 == 0).then(|| {
            let href = place.href(&View {
                typed: String::new(),
                differing: false,
                ..place.now()
            });
            let (title, why) = match wanted.get() {
                (typed, true) if typed.is_empty() => ("The runs do not differ", "They have the same facts, metrics, params and tags."),
                _ => ("No key matches", "Other words, or also what the runs have in common, may."),
            };
            view! { <Empty title=title icon=icon::Search><p>{why}</p><p class="actions"><a class="button" href=href data-noscroll="">"Show all keys"</a></p></Empty> }
        })
    };
    view! {
        {toolbar(known, place, keys)}
        <div class="grid-scroll" tabindex="0" role="region" aria-label="Table of runs">
            <table class="grid compared">
                <caption class="unseen">"Runs side by side"</caption>
                <thead><tr><th scope="col" class="key"><span class="faint">"Key"</span></th>{dynamic(head)}</tr></thead>
                {dynamic(bodies)}
            </table>
            {dynamic(nothing)}
        </div>
    }
    .into_any()
}

/// The focus goes along with a column that is moved, and to the last one where it is gone. The result: whose menu was opened.
fn keep_focus(place: Place) -> StoredValue<Option<String>> {
    let acting = StoredValue::new(None::<String>);
    Effect::new(move |before: Option<()>| {
        let shown = place.view.with(|view| view.shown().to_vec());
        let acted = acting.try_update_value(Option::take).flatten();
        if let Some(acted) = acted.filter(|_| before.is_some()) {
            let there = shown.contains(&acted);
            let id = Some(acted).filter(|_| there).or(shown.last().cloned()).unwrap_or_default();
            request_animation_frame(move || {
                browser::focus(&format!("[popovertarget=\"of-{}\"]", plain(&id)));
            });
        }
    });
    acting
}

/// Nothing in it ends what it is quoted in.
fn plain(id: &str) -> String {
    id.chars().filter(|letter| !matches!(letter, '"' | '\\' | '\n')).collect()
}

fn section(at: usize, many: usize, all: Memo<Arc<Vec<Section>>>, found: Memo<Vec<Vec<usize>>>, place: Place) -> AnyView {
    let view = place.view;
    let Some((name, title)) = all.with_untracked(|all| all.get(at).map(|section| (section.name, section.title))) else {
        return ().into_any();
    };
    let found = Memo::new(move |_| found.read().get(at).cloned().unwrap_or_default());
    let closed = Memo::new(move |_| view.read().closed.iter().any(|closed| closed == name));
    // By its place: a run that was moved takes it along.
    let baseline = Memo::new(move |_| {
        let view = view.read();
        view.baseline()
            .and_then(|baseline| view.shown().iter().position(|id| id == baseline))
    });
    let of = move || all.with(|all| all.get(at).map_or(0, |section| section.rows.len()));
    let says = move || match (found.read().len(), of()) {
        (shown, all) if shown == all => count(all),
        (shown, all) => format!("{} of {}", count(shown), count(all)),
    };
    let most = (CELLS / many.max(1)).max(ROWS);
    let rows = move || {
        let baseline = baseline.get();
        let found = found.read();
        let all = all.read();
        let Some(section) = all.get(at) else { return ().into_any() };
        let rows = found.iter().take(most).filter_map(|at| section.rows.get(*at));
        let rows = rows.map(|row| self::row(row, baseline, name == "metrics")).collect_view();
        let more = (found.len() > most).then(|| {
            let says = format!("The first {} of {}; the filter finds the others.", count(most), count(found.len()));
            view! { <tr class="more"><td colspan=many + 1><span class="faint">{says}</span></td></tr> }
        });
        view! { {rows}{more} }.into_any()
    };
    let any = Memo::new(move |_| !found.read().is_empty());
    let body = move || {
        any.get().then(|| {
            let href = place.link(move |view| view.turned(name));
            view! {
                <tbody data-section=name>
                    <tr class="section"><th scope="rowgroup" colspan=many + 1>
                        <a href=href data-noscroll="" aria-expanded=move || if closed.get() { "false" } else { "true" }>
                            {dynamic(move || view! { <Icon icon=if closed.get() { icon::ChevronRight } else { icon::ChevronDown }/> })}
                            {title}" "<span class="faint">{says}</span>
                        </a>
                    </th></tr>
                    {dynamic(move || (!closed.get()).then(rows))}
                </tbody>
            }
        })
    };
    dynamic(body)
}

fn row(row: &Row, baseline: Option<usize>, metric: bool) -> AnyView {
    let best = metric
        .then(|| best(&row.key, row.values.iter().filter_map(Value::number)))
        .flatten();
    let cells = row.values.iter().enumerate().map(|(at, value)| {
        let before = baseline
            .filter(|baseline| *baseline != at)
            .and_then(|baseline| row.values.get(baseline));
        let best = best.filter(|(_, best)| value.number() == Some(*best));
        cell(
            value,
            before.and_then(|before| value.from(before)),
            baseline == Some(at),
            best.map(|(better, _)| better),
        )
    });
    view! { <tr><th scope="row" class="key"><bdi>{row.key.clone()}</bdi></th>{cells.collect_view()}</tr> }.into_any()
}

fn cell(value: &Value, difference: Option<Difference>, is_baseline: bool, best: Option<Better>) -> AnyView {
    let mut class = match value {
        Value::Missing => "none",
        Value::Unknown => "gone",
        Value::Number(..) | Value::Span(..) => "number",
        _ => "",
    }
    .to_owned();
    if difference == Some(Difference::Same) {
        class.push_str(" same");
    }
    if best.is_some() {
        class.push_str(" top");
    }
    if matches!(value, Value::Number(number, _) if number.is_nan()) {
        class.push_str(" danger");
    }
    if is_baseline {
        class.push_str(" baseline");
    }
    let beside = match difference {
        Some(Difference::Same) if value.number().is_some() => {
            Some(view! { <span class="beside" title="The same as the baseline">"="</span> })
        }
        Some(Difference::By(part, exact)) => Some(view! { <span class="beside" title=format!("{exact} from the baseline")>{part}</span> }),
        _ => None,
    };
    let best = best.map(|better| {
        let says = match better {
            Better::Lower => "Best: the lowest of these runs",
            Better::Higher => "Best: the highest of these runs",
        };
        view! { <span class="best" title=says><Icon icon=icon::Check/><span class="unseen">"best"</span></span> }
    });
    view! { <td class=class>{body(value)}{best}{beside}</td> }.into_any()
}

fn body(value: &Value) -> AnyView {
    match value {
        Value::Missing => view! { <span class="faint" title="This run has none">"–"</span> }.into_any(),
        Value::Unknown => ().into_any(),
        Value::Status(status) => view! { <Status phase=phase(*status)/> }.into_any(),
        Value::Moment(at) => view! { <Time at=*at/> }.into_any(),
        Value::Span(start, end) => view! { <Duration start=*start end=*end/> }.into_any(),
        Value::Number(number, None) => view! { <Number value=*number/> }.into_any(),
        Value::Number(_, Some(text)) => view! { <span class="mono">{text.clone()}</span> }.into_any(),
        Value::Id(id) => view! { <Id id=id.clone()/> }.into_any(),
        Value::Experiment { id, name } => {
            let href = Route::Experiment { id: id.clone() }.href();
            view! { <a dir="auto" href=href>{name.clone()}</a> }.into_any()
        }
        Value::Text(text) if text.is_empty() => view! { <span class="faint">"empty"</span> }.into_any(),
        Value::Text(text) => match text.char_indices().nth(LONG) {
            Some((at, _)) => view! {
                <details class="long"><summary><bdi class="clip">{text[..at].to_owned()}"…"</bdi></summary><bdi class="whole">{text.clone()}</bdi></details>
            }
            .into_any(),
            None => view! { <bdi>{text.clone()}</bdi> }.into_any(),
        },
    }
}
