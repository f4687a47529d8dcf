//! Registered models: their names.

use serde::Deserialize;

use crate::{
    api::{Client, Result},
    route::escape,
};

/// Names that hold `text`, in their order; at most `most`.
///
/// # Errors
/// MLflow's.
pub async fn names(client: &Client, text: &str, most: usize) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Model {
        name: String,
    }
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        registered_models: Vec<Model>,
    }
    let filter = match text.replace('\'', "") {
        none if none.is_empty() => String::new(),
        text => format!("&filter={}", escape(&format!("name ILIKE '%{text}%'"))),
    };
    let answer: Answer = client
        .get(&format!("/ajax-api/2.0/mlflow/registered-models/search?max_results={most}{filter}"))
        .await?;
    Ok(answer.registered_models.into_iter().map(|model| model.name).collect())
}
