//! Notes in Markdown, as safe HTML: HTML in them is shown as text, links lead to http, https and mailto alone, pictures from elsewhere become links.

use crate::prelude::*;
use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

#[component]
pub fn Markdown(#[prop(into)] text: String) -> impl IntoView {
    view! { <div class="markdown" dir="auto" inner_html=html(&text)></div> }
}

/// The HTML of a note. Every character of the note is escaped here; only names that stand in this file become tags and attributes.
pub fn html(text: &str) -> String {
    let mut writer = Writer {
        html: String::with_capacity(text.len() * 3 / 2),
        cells: Vec::new(),
        cell: 0,
        head: false,
        picture: 0,
    };
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for event in Parser::new_ext(text, options) {
        writer.event(event);
    }
    writer.html
}

struct Writer {
    html: String,
    /// The alignments of the present table, the column that is being written, and whether it is in the head.
    cells: Vec<Alignment>,
    cell: usize,
    head: bool,
    /// How many pictures are open: their text is the description.
    picture: usize,
}

// === impl Writer ===

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.html.push_str("<code>");
                self.text(&text);
                self.html.push_str("</code>");
            }
            Event::Html(text) | Event::InlineHtml(text) => {
                self.html.push_str("<span class=\"raw\">");
                self.text(&text);
                self.html.push_str("</span>");
            }
            Event::FootnoteReference(name) => self.text(&name),
            Event::SoftBreak => self.html.push('\n'),
            Event::HardBreak => self.html.push_str("<br>"),
            Event::Rule => self.html.push_str("<hr>"),
            Event::TaskListMarker(done) => {
                let checked = if done {
                    " checked aria-label=\"done\""
                } else {
                    " aria-label=\"to do\""
                };
                self.html.push_str("<input type=\"checkbox\" disabled");
                self.html.push_str(checked);
                self.html.push('>');
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.html.push_str("<p>"),
            Tag::Heading { level, .. } => self.open(heading(level)),
            Tag::BlockQuote(_) => self.html.push_str("<blockquote>"),
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => self.html.push_str("<pre tabindex=\"0\"><code>"),
            Tag::List(Some(first)) => self.html.push_str(&format!("<ol start=\"{first}\">")),
            Tag::List(None) => self.html.push_str("<ul>"),
            Tag::Item => self.html.push_str("<li>"),
            Tag::Table(alignments) => {
                self.cells = alignments;
                self.html.push_str("<div class=\"table\"><table>");
            }
            Tag::TableHead => {
                self.head = true;
                self.cell = 0;
                self.html.push_str("<thead><tr>");
            }
            Tag::TableRow => {
                self.cell = 0;
                self.html.push_str("<tr>");
            }
            Tag::TableCell => {
                let number = matches!(self.cells.get(self.cell), Some(Alignment::Right));
                self.html.push_str(if self.head { "<th" } else { "<td" });
                self.html.push_str(if number { " class=\"number\">" } else { ">" });
                self.cell += 1;
            }
            Tag::Emphasis => self.html.push_str("<em>"),
            Tag::Strong => self.html.push_str("<strong>"),
            Tag::Strikethrough => self.html.push_str("<del>"),
            Tag::Link { dest_url, .. } => self.link(&dest_url),
            Tag::Image { dest_url, .. } => {
                self.picture += 1;
                self.link(&dest_url);
                self.html.push_str("picture: ");
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.html.push_str("</p>"),
            TagEnd::Heading(level) => self.close(heading(level)),
            TagEnd::BlockQuote(_) => self.html.push_str("</blockquote>"),
            TagEnd::CodeBlock => self.html.push_str("</code></pre>"),
            TagEnd::List(true) => self.html.push_str("</ol>"),
            TagEnd::List(false) => self.html.push_str("</ul>"),
            TagEnd::Item => self.html.push_str("</li>"),
            TagEnd::Table => self.html.push_str("</tbody></table></div>"),
            TagEnd::TableHead => {
                self.head = false;
                self.html.push_str("</tr></thead><tbody>");
            }
            TagEnd::TableRow => self.html.push_str("</tr>"),
            TagEnd::TableCell => self.html.push_str(if self.head { "</th>" } else { "</td>" }),
            TagEnd::Emphasis => self.html.push_str("</em>"),
            TagEnd::Strong => self.html.push_str("</strong>"),
            TagEnd::Strikethrough => self.html.push_str("</del>"),
            TagEnd::Link => self.html.push_str("</a>"),
            TagEnd::Image => {
                self.picture -= 1;
                self.html.push_str("</a>");
            }
            _ => {}
        }
    }

    fn open(&mut self, name: &str) {
        self.html.push('<');
        self.html.push_str(name);
        self.html.push('>');
    }

    fn close(&mut self, name: &str) {
        self.html.push_str("</");
        self.html.push_str(name);
        self.html.push('>');
    }

    fn link(&mut self, target: &str) {
        self.html.push_str("<a");
        if allowed(target) {
            self.html
                .push_str(" rel=\"noopener noreferrer nofollow external\" target=\"_blank\" href=\"");
            self.text(target);
            self.html.push('"');
        }
        self.html.push('>');
    }

    fn text(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '"' => self.html.push_str("&quot;"),
                '\'' => self.html.push_str("&#39;"),
                _ => self.html.push(letter),
            }
        }
    }
}

/// A note's `#` comes below the page's own heading.
fn heading(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "h2",
        HeadingLevel::H2 => "h3",
        HeadingLevel::H3 => "h4",
        HeadingLevel::H4 => "h5",
        HeadingLevel::H5 | HeadingLevel::H6 => "h6",
    }
}

fn allowed(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "mailto"))
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn html_in_a_note_is_text() {
        let text = html("<script>alert(1)</script>\n\na <img src=x onerror=alert(1)> b");
        assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
        assert!(text.contains("&lt;script&gt;"));
    }

    #[test]
    fn links_lead_to_the_web_alone() {
        for target in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "/account",
            "//elsewhere",
            "vbscript:x",
            "file:///etc",
        ] {
            let text = html(&format!("[a](<{target}>)"));
            assert!(!text.contains("href"), "{target}: {text}");
        }
        let text = html("[a](https://example.org/?a=1&b=\"2\")");
        assert!(
            text.contains("href=\"https://example.org/?a=1&amp;b=&quot;2&quot;\"") || !text.contains("href"),
            "{text}"
        );
        assert!(html("![cat](https://example.org/cat.png)").contains("picture: cat</a>"));
        assert!(!html("![cat](https://example.org/cat.png)").contains("<img"));
    }

    #[test]
    fn the_usual_forms_are_drawn() {
        let text = html("# Title\n\n- [x] one\n- two\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```rust\nlet a = \"<b>\";\n```\n");
        assert!(text.starts_with("<h2>Title</h2>"));
        assert!(text.contains("<td class=\"number\">2</td>") && text.contains("&lt;b&gt;"), "{text}");
    }
}
