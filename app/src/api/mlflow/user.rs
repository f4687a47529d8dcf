//! Users, as MLflow knows them.

use serde::{Deserialize, Serialize};

use crate::{
    api::{Client, Result},
    route::escape,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: i64,
    pub username: String,
    pub is_admin: bool,
}

/// # Errors
/// 404 where there is none of that name; 403 where it is neither oneself nor is one an administrator.
pub async fn get(client: &Client, name: &str) -> Result<User> {
    #[derive(Deserialize)]
    struct Answer {
        user: User,
    }
    let path = format!("/api/2.0/mlflow/users/get?username={}", escape(name));
    Ok(client.get::<Answer>(&path).await?.user)
}

#[cfg(test)]
mod tests {
    use super::User;

    #[test]
    fn a_user_as_mlflow_gives_it() {
        let user: User = serde_json::from_str(r#"{"id":2,"is_admin":false,"username":"alice"}"#).unwrap();
        assert!(user.username == "alice" && !user.is_admin);
    }
}
