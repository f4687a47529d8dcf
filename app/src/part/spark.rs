//! Small line charts over time: drawn on the server too, read by pointer, by arrow keys and by screen readers.

use crate::prelude::*;
use leptos::{ev, html};

use super::{clock::Clock, dynamic::dynamic, number::short, time::utc};

/// One line: its name, and a value for each moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub name: &'static str,
    pub values: Vec<Option<f64>>,
}

/// What a chart shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Ms since 1970, in even steps.
    pub times: Vec<i64>,
    pub lines: Vec<Line>,
    /// Moments marked as bad; empty: none.
    pub bad: Vec<bool>,
}

/// The drawing's own units; the style stretches it.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 80.0;

/// `title` names the chart; `unit` stands behind each value; `bad` says what marked moments are.
#[component]
pub fn Spark(
    title: &'static str,
    unit: &'static str,
    #[prop(into)] series: Signal<Series>,
    #[prop(optional)] bad: &'static str,
    /// Each moment is a day.
    #[prop(optional)]
    days: bool,
) -> impl IntoView {
    let clock = Clock::expect();
    let at = RwSignal::new(None::<usize>);
    let plot = NodeRef::<html::Div>::new();
    let top = Memo::new(move |_| series.with(|series| ceiling(series.highest())));
    let count = Memo::new(move |_| series.read().times.len());
    let moved = move |event: ev::PointerEvent| {
        if let Some(plot) = plot.get_untracked() {
            let share = f64::from(event.offset_x()) / f64::from(plot.client_width().max(1));
            at.set(nearest(share, count.get_untracked()));
        }
    };
    let keys = move |event: ev::KeyboardEvent| {
        let last = count.get_untracked().saturating_sub(1);
        let now = at.get_untracked().unwrap_or(last).min(last);
        let next = match event.key().as_str() {
            "ArrowLeft" => now.saturating_sub(1),
            "ArrowRight" => (now + 1).min(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        at.set(Some(next));
    };
    let from = if days { 5 } else { 11 };
    let moment = move |at: i64| clock.exact(at).chars().skip(from).take(5).collect::<String>();
    let shapes = move || {
        let top = top.get();
        series.with(|series| {
            let bad = bars(&series.bad);
            let bad = (!bad.is_empty()).then(|| view! { <path class="bad" d=bad/> });
            let lines = series
                .lines
                .iter()
                .enumerate()
                .map(|(index, line)| view! { <path class=format!("series-{}", index + 1) d=path(&line.values, top)/> });
            view! { {bad}{lines.collect_view()} }
        })
    };
    let cursor = move || {
        let x = at.get()? as f64 * WIDTH / count.get().saturating_sub(1).max(1) as f64;
        Some(view! { <path class="cursor" d=format!("M{x:.1} 0V{HEIGHT}")/> })
    };
    let index = move |series: &Series| at.get().unwrap_or(usize::MAX).min(series.times.len().saturating_sub(1));
    let said = move || {
        at.get()
            .is_some()
            .then(|| series.with(|series| series.words_at(index(series), unit, bad)))
    };
    // The values at the cursor, or the last ones.
    let legend = move || {
        series.with(|series| {
            let index = index(series);
            let values = series.lines.iter().enumerate().map(|(number, line)| {
                let value = line.values.get(index).copied().flatten();
                let text = value.map_or_else(|| "–".to_owned(), |value| format!("{}{unit}", short(value)));
                view! { <span class=format!("key series-{}", number + 1)>{line.name}" "<b>{text}</b></span> }
            });
            let time = series.times.get(index).map(|at| moment(*at));
            let mark = series
                .bad
                .get(index)
                .copied()
                .unwrap_or_default()
                .then(|| view! { <span class="danger">{bad}</span> });
            view! { <span class="muted">{time}</span>{values.collect_view()}{mark} }
        })
    };
    let ends = move || {
        series.with(|series| {
            let end = |at: Option<&i64>| at.map(|at| moment(*at));
            view! { <span>{end(series.times.first())}</span><span>{end(series.times.last())}</span> }
        })
    };
    view! {
        <figure class="spark">
            <figcaption><b>{title}</b></figcaption>
            <div class="legend">{dynamic(legend)}</div>
            <span class="unseen" role="status">{dynamic(said)}</span>
            <div class="plot" node_ref=plot tabindex="0" role="img" aria-label=move || series.with(|series| series.words(title, unit, bad))
                on:pointermove=moved on:pointerleave=move |_| at.set(None) on:keydown=keys on:blur=move |_| at.set(None)>
                <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">{dynamic(shapes)}{dynamic(cursor)}</svg>
                <span class="top">{move || format!("{}{unit}", short(top.get()))}</span>
            </div>
            <div class="ends">{dynamic(ends)}</div>
        </figure>
    }
}

// === impl Series ===

impl Series {
    fn highest(&self) -> f64 {
        let values = self.lines.iter().flat_map(|line| line.values.iter().flatten());
        values.copied().fold(0.0, f64::max)
    }

    /// One moment in words.
    fn words_at(&self, index: usize, unit: &str, bad: &str) -> String {
        let mut words = self.times.get(index).map(|at| utc(*at)).unwrap_or_default();
        for line in &self.lines {
            let value = line.values.get(index).copied().flatten();
            let value = value.map_or_else(|| "unknown".to_owned(), |value| format!("{}{unit}", short(value)));
            words.push_str(&format!(", {} {value}", line.name));
        }
        if self.bad.get(index).copied().unwrap_or_default() {
            words.push_str(&format!(", {bad}"));
        }
        words
    }

    /// The chart in words, for those who do not see it.
    fn words(&self, title: &str, unit: &str, bad: &str) -> String {
        let mut words = format!("{title}.");
        for line in &self.lines {
            let known = line.values.iter().flatten().copied();
            let (last, highest) = (
                known.clone().next_back(),
                known.fold(None, |most: Option<f64>, value| Some(most.map_or(value, |most| most.max(value)))),
            );
            match (last, highest) {
                (Some(last), Some(highest)) => words.push_str(&format!(
                    " {}: last {}{unit}, highest {}{unit}.",
                    line.name,
                    short(last),
                    short(highest)
                )),
                _ => words.push_str(&format!(" {}: nothing known.", line.name)),
            }
        }
        let marked = self.bad.iter().filter(|bad| **bad).count();
        if marked > 0 {
            words.push_str(&format!(" {bad} at {marked} of {} moments.", self.bad.len()));
        }
        words + " Arrow keys read the values."
    }
}

/// The next round number, 1, 2 or 5 times a power of ten, so that the scale can be read.
fn ceiling(highest: f64) -> f64 {
    if highest <= 0.0 || !highest.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(highest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let step = steps.into_iter().find(|step| highest <= step * power * (1.0 + 1e-9));
    step.unwrap_or(10.0) * power
}

/// Lines between neighbours that are known; one that stands alone is a short dash.
fn path(values: &[Option<f64>], top: f64) -> String {
    let mut path = String::new();
    let step = WIDTH / values.len().saturating_sub(1).max(1) as f64;
    let known = |index: usize| values.get(index).copied().flatten();
    for (index, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        let (x, y) = (index as f64 * step, HEIGHT - value / top * HEIGHT);
        let begins = index == 0 || known(index - 1).is_none();
        path.push_str(&format!("{}{x:.1} {y:.1}", if begins { 'M' } else { 'L' }));
        if begins && known(index + 1).is_none() {
            path.push_str("h1");
        }
    }
    path
}

/// A bar of full height for each stretch of marked moments.
fn bars(bad: &[bool]) -> String {
    let mut path = String::new();
    let step = WIDTH / bad.len().saturating_sub(1).max(1) as f64;
    for (index, _) in bad.iter().enumerate().filter(|(_, bad)| **bad) {
        let (from, to) = ((index as f64 - 0.5).max(0.0) * step, (index as f64 + 0.5) * step);
        path.push_str(&format!("M{from:.1} 0H{to:.1}V{HEIGHT}H{from:.1}z"));
    }
    path
}

/// The index that is at `share` of the width.
fn nearest(share: f64, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    Some(((share.clamp(0.0, 1.0) * last as f64).round() as usize).min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        let all = [0.0, 0.3, 1.0, 4.2, 50.0, 51.0, 999.0].map(ceiling);
        assert_eq!(all, [1.0, 0.5, 1.0, 5.0, 50.0, 100.0, 1000.0]);
        assert_eq!(ceiling(f64::INFINITY), 1.0);
    }

    #[test]
    fn lines_break_where_nothing_is_known() {
        let values = [Some(0.0), Some(5.0), None, Some(10.0)];
        assert_eq!(path(&values, 10.0), "M0.0 80.0L100.0 40.0M300.0 0.0h1");
        assert_eq!(path(&[], 10.0), "");
        assert_eq!(bars(&[false, true, false]), "M75.0 0H225.0V80z".replace("V80z", "V80H75.0z"));
    }

    #[test]
    fn the_pointer_finds_the_nearest_moment() {
        assert_eq!(
            [-1.0, 0.4, 0.6, 2.0].map(|share| nearest(share, 3)),
            [Some(0), Some(1), Some(1), Some(2)]
        );
        assert_eq!(nearest(0.5, 0), None);
    }

    #[test]
    fn a_chart_has_words() {
        let series = Series {
            times: vec![0, 1],
            lines: vec![Line {
                name: "p95",
                values: vec![Some(3.0), Some(2.0)],
            }],
            bad: vec![true, false],
        };
        assert_eq!(
            series.words("Latency", " ms", "MLflow was down"),
            "Latency. p95: last 2 ms, highest 3 ms. MLflow was down at 1 of 2 moments. Arrow keys read the values."
        );
    }
}
