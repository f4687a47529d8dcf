//! `/api/flowdeck/v1` as an OpenAPI document, made from the handlers, and as a page to read.

use std::{collections::BTreeMap, sync::LazyLock};

use app::page::reference::{Operation, Reference, Section};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder,
        path::Operation as Documented,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
        server::Server,
    },
};

use crate::{account, admin, audit, error::Failure, extreme, health, kept, key, live, page, state, view};

const BELOW: &str = "/api/flowdeck/v1";
const TITLE: &str = "REST API · Flowdeck";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Flowdeck",
        description = "Flowdeck's own REST API. MLflow's lies beside it, below /api/2.0 and /api/3.0. Times are milliseconds since 1970."
    ),
    paths(
        account::session,
        account::sessions,
        admin::user::list,
        admin::user::life::create,
        admin::user::get,
        admin::user::belongings,
        admin::user::life::delete,
        admin::user::life::reset,
        admin::user::life::deactivate,
        admin::user::life::reactivate,
        admin::user::sessions,
        admin::user::end_sessions,
        admin::user::end_session,
        admin::invite::look,
        admin::invite::redeem,
        admin::role::list,
        admin::role::get,
        admin::group::list,
        admin::group::get,
        admin::access::of,
        admin::access::matrix,
        admin::access::own,
        admin::import::export,
        admin::import::import,
        admin::explain::show,
        admin::change::rest::preview,
        admin::change::rest::apply,
        admin::change::rest::list,
        admin::change::rest::get,
        admin::change::rest::undo,
        admin::change::rest::resume,
        admin::rule::rest::list,
        admin::rule::rest::create,
        admin::rule::rest::get,
        admin::rule::rest::change,
        admin::rule::rest::delete,
        admin::rule::rest::keep_now,
        admin::overview::show,
        admin::setting::list,
        admin::setting::change,
        key::rest::list,
        key::rest::create,
        key::rest::get,
        key::rest::change,
        key::rest::revoke,
        key::rest::revoke_all,
        key::rest::rotate,
        admin::service::list,
        admin::service::create,
        admin::service::delete,
        audit::rest::rows,
        audit::rest::own,
        audit::rest::export,
        view::rest::list,
        view::rest::create,
        view::rest::change,
        view::rest::delete,
        extreme::rest::extremes,
        kept::rest::copy,
        kept::rest::page,
        live::rest::live,
        health::history::show,
    ),
    components(schemas(Failure)),
    modifiers(&Common)
)]
struct Document;

/// What all operations share.
struct Common;

static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(Document::openapi);

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("fd_…").build();
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        components.add_security_scheme("password", SecurityScheme::Http(basic));
        components.add_security_scheme("key-header", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))));
        let ways = ["key", "password", "key-header"];
        let ways = ways.map(|way| utoipa::openapi::security::SecurityRequirement::new(way, Vec::<String>::new()));
        document.security = Some(ways.to_vec());
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
                let failure = ResponseBuilder::new()
                    .description("Refused, or failed")
                    .content("application/json", content)
                    .build();
                operation.responses.responses.insert("default".into(), RefOr::T(failure));
            }
        }
    }
}

/// `GET /api/flowdeck/v1/openapi.json`
pub async fn json(State(state): State<state::State>) -> Response {
    let mut document = DOCUMENT.clone();
    document.servers = Some(vec![Server::new(state.config.listen.base_path.join(BELOW))]);
    Json(document).into_response()
}

/// `GET /api/flowdeck/v1/docs`
pub async fn page(State(state): State<state::State>) -> Response {
    let address = state.config.listen.base_path.join(BELOW);
    page::plain(&state, StatusCode::OK, TITLE, move |_| {
        Reference {
            address,
            sections: sections(),
        }
        .view()
    })
}

/// The operations by subject, in the order in which they are documented.
fn sections() -> Vec<Section> {
    let mut sections: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for (path, item) in &DOCUMENT.paths.paths {
        let operations = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            let subject = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            sections.entry(subject).or_default().push(described(method, path, operation));
        }
    }
    sections
        .into_iter()
        .map(|(subject, operations)| Section { subject, operations })
        .collect()
}

fn described(method: &'static str, path: &str, operation: &Documented) -> Operation {
    let schemas = |content: Option<Value>| content.map(|content| names(&content)).unwrap_or_default();
    let value = serde_json::to_value(operation).unwrap_or_default();
    Operation {
        method,
        path: path.to_owned(),
        summary: operation.summary.clone().unwrap_or_default(),
        parameters: parameters(&value["parameters"]),
        body: schemas(value.get("requestBody").cloned()),
        answer: schemas(
            value["responses"]
                .as_object()
                .and_then(|answers| answers.iter().find(|(code, _)| code.starts_with('2')))
                .map(|(_, answer)| answer.clone()),
        ),
    }
}

/// Name and description of each parameter.
fn parameters(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|parameter| (text(&parameter["name"]), text(&parameter["description"])))
        .collect()
}

/// The fields of the object that some content refers to: name and description.
fn names(content: &Value) -> Vec<(String, String)> {
    let Some(name) = reference(content) else { return Vec::new() };
    let schemas = DOCUMENT.components.as_ref().map(|components| &components.schemas);
    let schema = schemas
        .and_then(|schemas| schemas.get(&name))
        .and_then(|schema| serde_json::to_value(schema).ok());
    let mut fields = Vec::new();
    gather(&schema.unwrap_or_default(), &mut fields);
    fields
}

fn gather(schema: &Value, fields: &mut Vec<(String, String)>) {
    for part in schema["allOf"].as_array().into_iter().flatten() {
        match reference(part) {
            Some(name) => fields.extend(names(&serde_json::json!({ "$ref": format!("#/components/schemas/{name}") }))),
            None => gather(part, fields),
        }
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        fields.push((name.clone(), field["description"].as_str().unwrap_or_default().to_owned()));
    }
}

fn reference(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => match fields.get("$ref") {
            Some(Value::String(way)) => way.rsplit('/').next().map(str::to_owned),
            _ => fields.values().find_map(reference),
        },
        Value::Array(items) => items.iter().find_map(reference),
        _ => None,
    }
}
