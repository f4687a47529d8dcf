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
                <summary><code><b>{self.method}</b>" "{address.to_owned()}{self.path}</code>" "<span class="muted">{says(&self.summary)}</span></summary>
                {fields("Parameters", self.parameters)}
                {fields("Body", self.body)}
                {fields("Answer", self.answer)}
            </details>
        }
        .into_any()
    }
}

/// What is told after the method and the path; between backquotes is code.
fn says(summary: &str) -> Vec<AnyView> {
    let parts = summary.split('`').skip(2).enumerate();
    let parts = parts.map(|(number, part)| match number {
        0 => view! { {part.trim_start_matches([' ', ':', '→']).to_owned()} },
        number if number % 2 == 1 => view! { <code>{part.to_owned()}</code> },
        _ => view! { {part.to_owned()} },
    });
    parts.collect_view()
}

fn fields(title: &'static str, fields: Vec<(String, String)>) -> Option<AnyView> {
    if fields.is_empty() {
        return None;
    }
    let rows = fields
        .into_iter()
        .map(|(name, description)| view! { <dt><code>{name}</code></dt><dd>{description}</dd> });
    Some(view! { <h3>{title}</h3><dl>{rows.collect_view()}</dl> }.into_any())
}
