//! Two texts beside each other, line by line: what is the same is folded away, on narrow screens one stands below the other.

use std::ops::Range;

use crate::prelude::*;
use imara_diff::{Algorithm, Diff, InternedInput};

use super::number::count;

/// Of longer texts nothing is drawn but that they are too long.
pub const LINES: usize = 10_000;
/// So many of the same lines are shown around what differs.
const AROUND: usize = 3;

/// A stretch of both texts, by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub left: Range<usize>,
    pub right: Range<usize>,
    pub same: bool,
}

/// `left`, `right`: what the texts are called. The texts differ, and have no more than [`LINES`].
#[component]
pub fn LineDiff(left: String, right: String, left_text: String, right_text: String) -> impl IntoView {
    let (a, b): (Vec<&str>, Vec<&str>) = (left_text.lines().collect(), right_text.lines().collect());
    let stretches = stretches(&a, &b);
    let (gone, new) = changed(&stretches);
    let says = format!("{} removed, {} added", lines(gone), lines(new));
    let parts = stretches.into_iter().map(|stretch| part(&a, &b, stretch)).collect_view();
    view! {
        <div class="diff" role="group" aria-label="Line by line">
            <div class="stretch names"><b class="clip" dir="auto" title=left.clone()>"− "{left.clone()}</b><b class="clip" dir="auto" title=right.clone()>"+ "{right.clone()}</b></div>
            {parts}
        </div>
        <p class="body faint" role="status">{says}</p>
    }
}

fn lines(many: usize) -> String {
    format!("{} line{}", count(many), if many == 1 { "" } else { "s" })
}

fn part(a: &[&str], b: &[&str], stretch: Stretch) -> AnyView {
    let of = |stretch: &Stretch| {
        let side = |lines: &[&str], range: &Range<usize>, class: &'static str, mark: &'static str| {
            let line = |at: usize| view! { <li value=at + 1><span class="sign">{mark}</span><code>{lines[at].to_owned()}</code></li> };
            view! { <ol class=class>{range.clone().map(line).collect_view()}</ol> }
        };
        let (gone, new, marks) = match stretch.same {
            true => ("left", "right", [" ", " "]),
            false => ("left gone", "right new", ["−", "+"]),
        };
        let class = if stretch.same { "stretch same" } else { "stretch" };
        view! { <div class=class>{side(a, &stretch.left, gone, marks[0])}{side(b, &stretch.right, new, marks[1])}</div> }
    };
    match fold(&stretch, a.len()) {
        None => of(&stretch).into_any(),
        Some([before, between, after]) => {
            let says = format!("{} the same", lines(between.left.len()));
            view! {
                {of(&before)}
                <details><summary class="muted">{says}</summary>{of(&between)}</details>
                {of(&after)}
            }
            .into_any()
        }
    }
}

/// A long stretch of the same lines: what stays beside the change before it, what is folded, what stays beside the change after it.
fn fold(stretch: &Stretch, all: usize) -> Option<[Stretch; 3]> {
    let Range { start, end } = stretch.left.clone();
    let before = if start == 0 { 0 } else { AROUND };
    let after = if end == all { 0 } else { AROUND };
    // A fold takes a line itself.
    if !stretch.same || end - start <= before + after + 1 {
        return None;
    }
    let cut = |from: usize, to: usize| Stretch {
        left: start + from..start + to,
        right: stretch.right.start + from..stretch.right.start + to,
        same: true,
    };
    let many = end - start;
    Some([cut(0, before), cut(before, many - after), cut(many - after, many)])
}

/// How two texts come from each other.
pub fn stretches(a: &[&str], b: &[&str]) -> Vec<Stretch> {
    let mut input = InternedInput::default();
    input.update_before(a.iter().copied());
    input.update_after(b.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    let mut stretches = Vec::new();
    let (mut left, mut right) = (0, 0);
    let same = |left: Range<usize>, right: Range<usize>, stretches: &mut Vec<Stretch>| {
        if !left.is_empty() {
            stretches.push(Stretch { left, right, same: true });
        }
    };
    for hunk in diff.hunks() {
        let at = |range: &Range<u32>| range.start as usize..range.end as usize;
        let (before, after) = (at(&hunk.before), at(&hunk.after));
        same(left..before.start, right..after.start, &mut stretches);
        (left, right) = (before.end, after.end);
        stretches.push(Stretch {
            left: before,
            right: after,
            same: false,
        });
    }
    same(left..a.len(), right..b.len(), &mut stretches);
    stretches
}

/// Lines that only the left text has, and only the right one.
fn changed(stretches: &[Stretch]) -> (usize, usize) {
    let changed = stretches.iter().filter(|stretch| !stretch.same);
    changed.fold((0, 0), |(gone, new), stretch| {
        (gone + stretch.left.len(), new + stretch.right.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(a: &str, b: &str) -> Vec<(String, String, bool)> {
        let (a, b): (Vec<&str>, Vec<&str>) = (a.split_whitespace().collect(), b.split_whitespace().collect());
        let text = |lines: &[&str]| lines.join(" ");
        stretches(&a, &b)
            .into_iter()
            .map(|stretch| (text(&a[stretch.left.clone()]), text(&b[stretch.right.clone()]), stretch.same))
            .collect()
    }

    #[test]
    fn what_differs_stands_between_what_is_the_same() {
        let part = |a: &str, b: &str, same| (a.to_owned(), b.to_owned(), same);
        assert_eq!(
            of("1 2 3 4", "1 x y 3"),
            [
                part("1", "1", true),
                part("2", "x y", false),
                part("3", "3", true),
                part("4", "", false)
            ]
        );
        assert_eq!(of("1 2", "1 2"), [part("1 2", "1 2", true)]);
        assert_eq!(of("", "1"), [part("", "1", false)]);
        assert!(of("", "").is_empty());
    }

    #[test]
    fn either_text_can_be_put_together_again() {
        let mut seed = 7_u32;
        let mut word = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ["a", "b", "c", "d"][(seed >> 28) as usize % 4]
        };
        for many in 0..60 {
            let a: Vec<&str> = (0..many).map(|_| word()).collect();
            let b: Vec<&str> = (0..60 - many).map(|_| word()).collect();
            let stretches = stretches(&a, &b);
            let left: Vec<&str> = stretches.iter().flat_map(|stretch| &a[stretch.left.clone()]).copied().collect();
            let right: Vec<&str> = stretches.iter().flat_map(|stretch| &b[stretch.right.clone()]).copied().collect();
            assert_eq!((left, right), (a.clone(), b.clone()));
            for stretch in stretches.iter().filter(|stretch| stretch.same) {
                assert_eq!(a[stretch.left.clone()], b[stretch.right.clone()]);
            }
        }
    }

    #[test]
    fn long_stretches_are_folded_but_for_what_is_near_a_change() {
        let stretch = |left: Range<usize>| Stretch {
            right: left.start + 10..left.end + 10,
            left,
            same: true,
        };
        let folded = fold(&stretch(5..25), 30).unwrap();
        assert_eq!(folded, [stretch(5..8), stretch(8..22), stretch(22..25)]);
        // Nothing is before the beginning, nor after the end.
        assert_eq!(fold(&stretch(0..20), 30).unwrap()[0].left, 0..0);
        assert_eq!(fold(&stretch(5..30), 30).unwrap()[2].left, 30..30);
        assert_eq!(fold(&stretch(5..12), 30), None);
    }
}
