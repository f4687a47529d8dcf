//! Which lines and columns of a large table can be seen.

use std::ops::Range;

/// What the table's frame shows of it, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    pub top: f64,
    pub left: f64,
    pub width: f64,
    /// Without the heading.
    pub height: f64,
    /// Of one line.
    pub line: f64,
}

/// Where each column that is not pinned begins, and the last one ends; from the first of them on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edges(Vec<u32>);

/// So many lines are drawn above and below, and the window moves by as many.
const LINES: usize = 3;
/// The same for columns.
const COLUMNS: usize = 2;

// === impl Edges ===

impl Edges {
    pub fn new(widths: impl Iterator<Item = u32>) -> Self {
        let mut edges = vec![0];
        let mut end = 0;
        for width in widths {
            end += width;
            edges.push(end);
        }
        Self(edges)
    }

    pub fn count(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Where column `at` begins.
    pub fn begin(&self, at: usize) -> u32 {
        self.0.get(at).or(self.0.last()).copied().unwrap_or_default()
    }

    pub fn end(&self) -> u32 {
        self.0.last().copied().unwrap_or_default()
    }
}

// === impl Frame ===

impl Frame {
    /// Of `lines` lines those that are drawn: what can be seen, and a few around it.
    pub fn lines(&self, lines: usize) -> Range<usize> {
        let first = (self.top / self.line) as usize / LINES * LINES;
        let shown = (self.height / self.line) as usize + 1;
        let begin = first.saturating_sub(LINES).min(lines);
        begin..(first + shown + 2 * LINES).min(lines)
    }

    /// The same of the columns that are not pinned; `pinned`: the width of those that are.
    pub fn columns(&self, edges: &Edges, pinned: u32) -> Range<usize> {
        let room = (self.width - f64::from(pinned)).max(0.0);
        let at = |x: f64| edges.0.partition_point(|edge| f64::from(*edge) <= x).saturating_sub(1);
        let first = at(self.left) / COLUMNS * COLUMNS;
        let last = at(self.left + room);
        first.saturating_sub(COLUMNS).min(edges.count())..(last + 1 + COLUMNS).next_multiple_of(COLUMNS).min(edges.count())
    }

    /// How many lines can be seen whole.
    pub fn page(&self) -> usize {
        ((self.height / self.line) as usize).max(1)
    }

    /// How far to scroll down, so that `line` is seen.
    pub fn reveal_line(&self, line: usize) -> f64 {
        reveal(self.top, self.height, line as f64 * self.line, self.line)
    }

    /// How far to scroll to the side, so that a column that is not pinned is seen.
    pub fn reveal_column(&self, column: usize, edges: &Edges, pinned: u32) -> f64 {
        let begin = edges.begin(column);
        let width = edges.begin(column + 1) - begin;
        reveal(self.left, self.width - f64::from(pinned), f64::from(begin), f64::from(width))
    }
}

/// The least move of a view of `size` at `from` that shows what begins at `begin`.
fn reveal(from: f64, size: f64, begin: f64, length: f64) -> f64 {
    if begin < from || length > size {
        begin
    } else if begin + length > from + size {
        begin + length - size
    } else {
        from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(top: f64, left: f64) -> Frame {
        Frame {
            top,
            left,
            width: 1000.0,
            height: 600.0,
            line: 28.0,
        }
    }

    #[test]
    fn all_that_is_seen_is_drawn_and_little_else() {
        let edges = Edges::new((0..12_000).map(|index| 100 + index % 3));
        for step in 0..2000 {
            let (top, left) = (f64::from(step) * 37.0, f64::from(step) * 590.0);
            let (lines, columns) = (frame(top, left).lines(5000), frame(top, left).columns(&edges, 300));
            let first_line = (top / 28.0) as usize;
            let last_line = (((top + 600.0) / 28.0) as usize).min(4999);
            assert!(lines.start <= first_line && lines.end > last_line, "{lines:?} at {top}");
            assert!(lines.len() <= 22 + 3 * LINES);
            let (begin, end) = (f64::from(edges.begin(columns.start)), f64::from(edges.begin(columns.end)));
            assert!(
                begin <= left && (end >= left + 700.0 || columns.end == 12_000),
                "{columns:?} at {left}"
            );
            assert!(columns.len() <= 8 + 4 * COLUMNS);
        }
    }

    #[test]
    fn little_is_drawn_whole() {
        let edges = Edges::new([100, 50].into_iter());
        let frame = |top| frame(top, 0.0);
        assert_eq!((frame(0.0).lines(3), frame(0.0).columns(&edges, 300)), (0..3, 0..2));
        assert_eq!(
            (frame(0.0).lines(0), frame(0.0).columns(&Edges::new([].into_iter()), 300)),
            (0..0, 0..0)
        );
        // Scrolled further than there is anything since the runs became fewer.
        assert!(frame(9999.0).lines(3).is_empty());
    }

    #[test]
    fn one_scrolls_no_further_than_needed() {
        let frame = frame(280.0, 0.0);
        assert_eq!(frame.reveal_line(10), 280.0);
        assert_eq!(frame.reveal_line(9), 252.0);
        assert_eq!(frame.reveal_line(31), 296.0);
        assert_eq!(frame.page(), 21);
        let edges = Edges::new([400, 400].into_iter());
        assert_eq!(
            (frame.reveal_column(0, &edges, 300), frame.reveal_column(1, &edges, 300)),
            (0.0, 100.0)
        );
    }
}
