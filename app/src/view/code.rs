//! Reads the text of a template, as `view!` writes it.

/// One step of drawing a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Open {
        name: &'static str,
        svg: bool,
    },
    Close,
    Text(&'static str),
    /// An attribute that is the same for all.
    Attribute {
        name: &'static str,
        value: &'static str,
    },
    /// A view in the next hole.
    Child,
    /// What the next hole does to the element that was opened last.
    Hole(Kind, &'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Attribute,
    Property,
    Class,
    Style,
    Html,
    Event,
    Reference,
}

/// The steps of a template.
#[derive(Clone)]
pub struct Steps(&'static str);

// === impl Steps ===

impl Steps {
    pub fn of(code: &'static str) -> Self {
        Self(code)
    }

    /// What stands before the next mark.
    fn words(&mut self) -> &'static str {
        let end = self.0.bytes().position(is_mark).unwrap_or(self.0.len());
        let (words, rest) = self.0.split_at(end);
        self.0 = rest;
        words
    }

    fn mark(&mut self) -> Option<u8> {
        let mark = *self.0.as_bytes().first()?;
        self.0 = &self.0[1..];
        Some(mark)
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let mark = self.mark()?;
        let words = self.words();
        Some(match mark {
            1 => Step::Open { name: words, svg: false },
            2 => Step::Open { name: words, svg: true },
            3 => Step::Close,
            4 => Step::Text(words),
            5 => {
                self.mark();
                Step::Attribute {
                    name: words,
                    value: self.words(),
                }
            }
            7 => Step::Child,
            0xe => Step::Hole(Kind::Attribute, words),
            0xf => Step::Hole(Kind::Property, words),
            0x10 => Step::Hole(Kind::Class, words),
            0x11 => Step::Hole(Kind::Style, words),
            0x12 => Step::Hole(Kind::Html, words),
            0x13 => Step::Hole(Kind::Event, words),
            _ => Step::Hole(Kind::Reference, words),
        })
    }
}

/// Tabs and ends of lines are text.
fn is_mark(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')
}
