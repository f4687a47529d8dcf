//! Flowdeck's REST API to read: drawn by the server alone, from its OpenAPI document.

use crate::prelude::*;

use crate::{Site, frame::mark};

#[derive(Clone, Debug)]
pub struct Reference {
    /// Where the API lives, base path included.
    pub address: String,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug)]
pub struct Section {
    pub subject: String,
    pub operations: Vec<Operation>,
}

/// Of parameters and fields: name and description.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: &'static str,
    pub path: String,
    pub summary: String,
    pub parameters: Vec<(String, String)>,
    pub body: Vec<(String, String)>,
    pub answer: Vec<(String, String)>,
}

// === impl Reference ===

impl Reference {
    pub fn view(self) -> AnyView {
        let site = Site::expect();
        let address = self.address.clone();
        let sections = self.sections.into_iter().map(move |section| {
            let operations = section
                .operations
                .into_iter()
                .map(|operation| operation.view(&address))
                .collect_view();
            view! { <section><h2>{section.subject}</h2>{operations}</section> }
        });
        view! {
            <main class="page stack reference">
                <div class="line"><a class="mark" href=site.href("/experiments") title="Flowdeck: experiments" aria-label="Flowdeck: experiments">{mark()}</a><h1>"REST API"</h1></div>
                <p>
                    "Show an API key as "<code>"Authorization: Bearer fd_…"</code>" or "<code>"X-API-Key: fd_…"</code>
                    ", or a user name and a password (HTTP Basic). Times are milliseconds since 1970. Refusals are "
                    <code>r#"{"error_code", "message"}"#</code>". The same as an "
                    <a href=format!("{}/openapi.json", self.address)>"OpenAPI document"</a>"; keys are made under "
                    <a href=site.href("/account/keys")>"API keys"</a>"."
                </p>
                {sections.collect_view()}
            </main>
        }
        .into_any()
    }
}

// === impl Operation ===

impl Operation {
    fn view(self, address: &str) -> AnyView {
        view! {
            <details>
                <summary><code><b>{self.method}</b>{format!(" {address}{}", self.path)}</code>" "<span class="muted">{says(brief(&self.summary))}</span></summary>
                {fields("Parameters", self.parameters)}
                {fields("Body", self.body)}
                {fields("Answer", self.answer)}
            </details>
        }
        .into_any()
    }
}

/// What is told after the method and the path.
fn brief(summary: &str) -> &str {
    let rest = summary.splitn(3, '`').nth(2).unwrap_or_default();
    rest.trim_start_matches([' ', ':', '→'])
}

/// Between backquotes is code.
fn says(text: &str) -> Vec<AnyView> {
    let part = |(number, part): (usize, &str)| match number % 2 {
        0 => view! { {part.to_owned()} },
        _ => view! { <code>{part.to_owned()}</code> },
    };
    text.split('`').enumerate().map(part).collect()
}

fn fields(title: &'static str, fields: Vec<(String, String)>) -> Option<AnyView> {
    if fields.is_empty() {
        return None;
    }
    let rows = fields
        .into_iter()
        .map(|(name, description)| view! { <dt><code>{name}</code></dt><dd>{says(&description)}</dd> });
    Some(view! { <h3>{title}</h3><dl>{rows.collect_view()}</dl> }.into_any())
}

#[cfg(test)]
mod tests {
    use super::brief;

    #[test]
    fn of_a_summary_what_is_not_said_already_is_left() {
        assert_eq!(brief("`GET /a` → 201 and `x`"), "201 and `x`");
        assert_eq!(brief("`DELETE /a?b=`: ends it"), "ends it");
        assert_eq!(brief("`GET /a`"), "");
    }
}
