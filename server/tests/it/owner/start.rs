//! Before anybody has asked, users and roles are read with what an owner who is still signed in has left, and with nobody else's.

use super::V1;
use crate::{
    app::{Mlflow, TestApp},
    counted::Counted,
};

const USERS: &str = "/mlflow/users/list";

/// Another start of this Flowdeck, before an MLflow that counts.
async fn again(app: &TestApp) -> (TestApp, Counted) {
    let mlflow = Counted::start().await;
    let again = app.again_before(mlflow.url.clone()).await;
    again.state.index.begin(&again.state).await.unwrap();
    (again, mlflow)
}

#[tokio::test]
async fn at_start_an_owner_who_is_signed_in_is_enough() {
    let app = TestApp::start().await;
    let admin = app.sign_in("admin", &Mlflow::shared().admin_password).await;
    // Whoever was here last is asked about first, and is no owner.
    let ada = app.session().await;
    assert_eq!(ada.get("/account").await.status(), 200);

    let (again, mlflow) = again(&app).await;
    assert_eq!(mlflow.take(USERS), 1);
    let cookie = admin.cookie().to_owned();
    let users = again.anonymous().request("GET", &format!("{V1}/users?q={}", ada.user));
    let answer = users.header("cookie", cookie).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains(&ada.user));
    assert_eq!(mlflow.take(USERS), 0, "they were read already");
}

#[tokio::test]
async fn at_start_nothing_is_read_with_what_others_left() {
    let app = TestApp::start().await;
    let ada = app.session().await;
    assert_eq!(ada.get("/account").await.status(), 200);
    // An owner who has signed out has left nothing.
    let admin = app.sign_in("admin", &Mlflow::shared().admin_password).await;
    assert_eq!(admin.form("/logout", &[]).await.status(), 303);

    let (again, mlflow) = again(&app).await;
    assert_eq!(mlflow.take(USERS), 0);
    assert!(again.state.index.last().is_none());
}
