//! Lower case: in the browser by JavaScript, which spares the module Unicode's tables.

#[cfg(feature = "hydrate")]
pub fn lower(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}

#[cfg(not(feature = "hydrate"))]
pub fn lower(text: &str) -> String {
    text.to_lowercase()
}
