//! Named views of the runs page: what stands in its address, under a name.

use serde::{Deserialize, Serialize};

use crate::{
    api::{Client, Method, Result},
    route::escape,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub id: String,
    pub owner: String,
    pub name: String,
    /// The query of the address, without its `?`.
    pub state: String,
    /// `None`: offered everywhere.
    pub place: Option<Offered>,
    pub shared: bool,
    pub default_for: Option<Opens>,
    pub version: u64,
}

/// Where a view is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offered {
    /// In the one of this id.
    Experiment(String),
    /// In every experiment whose name begins with it and a `/`.
    Folder(String),
}

/// For whom the page opens with a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Opens {
    Owner,
    /// For all who have no default of their own.
    Everyone,
}

/// What a view is made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wish {
    pub name: String,
    pub state: String,
    pub place: Option<Offered>,
    pub shared: bool,
    pub default_for: Option<Opens>,
}

/// The views that one may open in an experiment, and the id of the one that it opens with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Offers {
    pub views: Vec<Saved>,
    pub default: Option<String>,
}

const VIEWS: &str = "/api/flowdeck/v1/views";

// === impl Saved ===

impl Saved {
    /// What makes it again.
    pub fn wish(&self) -> Wish {
        Wish {
            name: self.name.clone(),
            state: self.state.clone(),
            place: self.place.clone(),
            shared: self.shared,
            default_for: self.default_for,
        }
    }
}

/// `experiment`: its id, or `all` for the page of all runs.
///
/// # Errors
/// 404 where one may not see the experiment.
pub async fn list(client: &Client, experiment: &str) -> Result<Offers> {
    client.get(&format!("{VIEWS}?experiment={}", escape(experiment))).await
}

/// # Errors
/// 400 with a sentence about what cannot be, 403 for a default that is not one's to set.
pub async fn create(client: &Client, wish: &Wish) -> Result<Saved> {
    client.send(Method::Post, VIEWS, wish).await
}

/// Gives it another name, state and so on.
///
/// # Errors
/// As [`create`]; 409 where somebody else has changed it since `saved` was read.
pub async fn change(client: &Client, saved: &Saved, wish: &Wish) -> Result<Saved> {
    #[derive(Serialize)]
    struct Change<'a> {
        #[serde(flatten)]
        wish: &'a Wish,
        version: u64,
    }
    let change = Change {
        wish,
        version: saved.version,
    };
    client.send(Method::Patch, &format!("{VIEWS}/{}", escape(&saved.id)), &change).await
}

/// # Errors
/// 404 where it is not one's own, or gone.
pub async fn delete(client: &Client, id: &str) -> Result<()> {
    client
        .text(Method::Delete, &format!("{VIEWS}/{}", escape(id)), None)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_as_the_server_gives_them() {
        let text = r#"{"views":[{"id":"9f","owner":"ada","name":"Best","state":"q=a&sort=-m%3Aloss","place":{"folder":"team-a"},"shared":true,
            "default_for":"everyone","created_at":1,"updated_at":2,"version":3},{"id":"a0","owner":"bob","name":"Mine","state":"","place":null,
            "shared":false,"default_for":null,"created_at":1,"updated_at":2,"version":1}],"default":"9f"}"#;
        let offers: Offers = serde_json::from_str(text).unwrap();
        assert_eq!(offers.views[0].place, Some(Offered::Folder("team-a".into())));
        assert_eq!(
            (offers.views[0].default_for, offers.views[1].default_for),
            (Some(Opens::Everyone), None)
        );
        let wish = serde_json::to_value(offers.views[0].wish()).unwrap();
        assert_eq!(wish["place"]["folder"], "team-a");
        assert_eq!(wish["default_for"], "everyone");
    }
}
