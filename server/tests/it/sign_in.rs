//! Signing in and out, sessions, the account's forms.

use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use crate::app::{TestApp, cookie};

fn location(answer: &reqwest::Response) -> &str {
    answer.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn the_form_signs_in_and_leads_on() {
    let app = TestApp::with(&["--base-path", "/services/mlflow"]).await;
    let user = app.basic().await;
    let page = app.anonymous().get("/experiments/1?q=a").await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(location(&page), "/services/mlflow/login?next=%2Fexperiments%2F1%3Fq%3Da");

    let form = app
        .anonymous()
        .get("/login?next=%2Fexperiments%2F1%3Fq%3Da")
        .await
        .text()
        .await
        .unwrap();
    assert!(form.contains(r#"action="/services/mlflow/login""#), "{form}");
    assert!(form.contains(r#"value="/experiments/1?q=a""#), "{form}");

    let fields = [
        ("name", user.user.as_str()),
        ("password", &user.password),
        ("next", "/experiments/1?q=a"),
    ];
    let answer = app.anonymous().form("/login", &fields).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(location(&answer), "/services/mlflow/experiments/1?q=a");
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/services/mlflow;"),
        "{set}"
    );
}

#[tokio::test]
async fn next_never_leads_to_another_site() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", "/%09/evil.example\t"] {
        let answer = app
            .anonymous()
            .form("/login", &[("name", &user.user), ("password", &user.password), ("next", next)])
            .await;
        assert_eq!(location(&answer), "/experiments", "{next}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_the_name_kept() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let answer = app
        .anonymous()
        .form("/login", &[("name", &user.user), ("password", "not it")])
        .await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(answer.headers().get("set-cookie").is_none());
    assert!(answer.headers().get("www-authenticate").is_none());
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("do not match") && page.contains(&format!(r#"value="{}""#, user.user)),
        "{page}"
    );
    assert!(!page.contains("not it"));
}

#[tokio::test]
async fn a_name_longer_than_any_is_refused_and_not_repeated() {
    let app = TestApp::start().await;
    let long = "n".repeat(256);
    let answer = app.anonymous().form("/login", &[("name", long.as_str()), ("password", "")]).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let page = answer.text().await.unwrap();
    assert!(page.contains("too long") && !page.contains(&long));
}

#[tokio::test]
async fn guesses_are_slowed() {
    let app = TestApp::start().await;
    let user = app.basic().await;
    let mut last = StatusCode::OK;
    for _ in 0..8 {
        last = app
            .anonymous()
            .form("/login", &[("name", &user.user), ("password", "guess")])
            .await
            .status();
        if last == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let answer = app
        .anonymous()
        .form("/login", &[("name", &user.user), ("password", &user.password)])
        .await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn a_stopped_mlflow_has_its_own_sentence() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = TestApp::before(Url::parse(&format!("http://{closed}")).unwrap(), &[]).await;
    let answer = app
        .anonymous()
        .form("/login", &[("name", "alice"), ("password", "whatever it is")])
        .await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let page = answer.text().await.unwrap();
    assert!(page.contains("MLflow") && !page.contains("do not match"), "{page}");
}

#[tokio::test]
async fn the_ticket_changes_at_sign_in_and_ends_at_sign_out() {
    let app = TestApp::start().await;
    let first = app.session().await;
    let again = first.form("/login", &[("name", &first.user), ("password", &first.password)]).await;
    let new = cookie(&again).unwrap();
    let letters = |cookie: &str| cookie.split_once('=').unwrap().1.len();
    assert_eq!((letters(first.cookie()), letters(&new)), (22, 22), "128 bits in base64");
    let old = first.get("/api/flowdeck/v1/session").await;
    assert_eq!(old.status(), StatusCode::UNAUTHORIZED, "the ticket from before is worth nothing");

    let call = |cookie: String| {
        app.anonymous()
            .request("GET", "/api/flowdeck/v1/session")
            .header("cookie", cookie)
            .send()
    };
    assert_eq!(call(new.clone()).await.unwrap().status(), StatusCode::OK);
    let out = app
        .anonymous()
        .request("POST", "/logout")
        .header("cookie", &new)
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .unwrap();
    assert_eq!(location(&out), "/login?why=out");
    let cookies: Vec<_> = out
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert!(cookies[0].contains("=; HttpOnly; SameSite=Lax; Path=/; Max-Age=60"), "{cookies:?}");
    assert!(cookies[1].contains("Max-Age=0"), "{cookies:?}");
    assert_eq!(call(new).await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_database_holds_no_ticket_and_no_password() {
    let app = TestApp::start().await;
    let user = app.session().await;
    assert_eq!(user.get("/api/flowdeck/v1/session").await.status(), StatusCode::OK);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(app.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.extend(std::fs::read(path).unwrap());
        }
    }
    let holds = |needle: &[u8]| files.windows(needle.len()).any(|window| window == needle);
    assert!(holds(user.user.as_bytes()), "the search finds what is there");
    assert!(!holds(user.password.as_bytes()));
}

#[tokio::test]
async fn idle_and_old_sessions_are_over() {
    let app = TestApp::with(&["--session-idle", "300ms"]).await;
    let user = app.session().await;
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(user.get("/api/flowdeck/v1/session").await.status(), StatusCode::UNAUTHORIZED);
    let app = TestApp::with(&["--session-lifetime", "300ms"]).await;
    let user = app.session().await;
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(user.get("/api/flowdeck/v1/session").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let app = TestApp::start().await;
    let here = app.session().await;
    let there = app.sign_in(&here.user, &here.password).await;
    let list: Value = here.get("/api/flowdeck/v1/sessions").await.json().await.unwrap();
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    let id = other["id"].as_str().unwrap();
    for (password, error) in [("", "password"), ("not this one", "password")] {
        let answer = here.form("/account/sessions/end", &[("id", id), ("password", password)]).await;
        assert_eq!(location(&answer), format!("/account?error={error}"));
    }
    let answer = here.form("/account/sessions/end", &[("id", id)]).await;
    assert_eq!(location(&answer), "/account?error=password");
    assert_eq!(there.get("/api/flowdeck/v1/session").await.status(), StatusCode::OK);
    let answer = here
        .form("/account/sessions/end", &[("id", id), ("password", &here.password)])
        .await;
    assert_eq!(location(&answer), "/account?done=sessions");
    assert_eq!(there.get("/api/flowdeck/v1/session").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(here.get("/api/flowdeck/v1/session").await.status(), StatusCode::OK);

    let stranger = app.session().await;
    let own = sessions.iter().find(|session| session["current"] == true).unwrap();
    let fields = [("id", own["id"].as_str().unwrap()), ("password", &stranger.password)];
    let answer = stranger.form("/account/sessions/end", &fields).await;
    assert_eq!(location(&answer), "/account?error=gone");
    assert_eq!(here.get("/api/flowdeck/v1/session").await.status(), StatusCode::OK);
}

/// Whoever found a browser open has the session and not the password.
#[tokio::test]
async fn guesses_in_a_session_are_slowed_too() {
    let app = TestApp::start().await;
    let here = app.session().await;
    let guess = async |number: usize| match number % 2 {
        0 => {
            here.form("/account/sessions/end", &[("id", "others"), ("password", "a guess of mine")])
                .await
        }
        _ => {
            let new = "a new pass phrase";
            here.form(
                "/account/password",
                &[("current", "a guess of mine"), ("new", new), ("repeat", new)],
            )
            .await
        }
    };
    for number in 0..5 {
        let wrong = ["/account?error=password", "/account?error=current"][number % 2];
        assert_eq!(location(&guess(number).await), wrong);
    }
    for number in 5..7 {
        assert_eq!(location(&guess(number).await), "/account?error=wait");
    }
    // The right one has to wait as well, else waiting would tell.
    let fields = [("id", "others"), ("password", here.password.as_str())];
    assert_eq!(location(&here.form("/account/sessions/end", &fields).await), "/account?error=wait");
}

#[tokio::test]
async fn a_password_is_changed() {
    let app = TestApp::start().await;
    let here = app.session().await;
    let there = app.sign_in(&here.user, &here.password).await;
    let change = |current: &str, new: &str, repeat: &str| {
        let fields = [
            ("current", current.to_owned()),
            ("new", new.to_owned()),
            ("repeat", repeat.to_owned()),
        ];
        let caller = &here;
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            caller.form("/account/password", &fields).await
        }
    };
    let old = here.password.clone();
    assert_eq!(location(&change(&old, "short", "short").await), "/account?error=short");
    assert_eq!(
        location(&change(&old, "a new pass phrase", "another one here").await),
        "/account?error=repeat"
    );
    assert_eq!(
        location(&change("not the old one", "a new pass phrase", "a new pass phrase").await),
        "/account?error=current"
    );
    assert_eq!(here.get("/api/flowdeck/v1/session").await.status(), StatusCode::OK);

    let done = change(&old, "a new pass phrase", "a new pass phrase").await;
    assert_eq!(location(&done), "/account?done=password");
    let renewed = cookie(&done).expect("a new ticket");
    let call = app
        .anonymous()
        .request("GET", "/api/flowdeck/v1/session")
        .header("cookie", renewed)
        .send()
        .await
        .unwrap();
    assert_eq!(call.status(), StatusCode::OK, "the vault has the new password");
    assert_eq!(
        there.get("/api/flowdeck/v1/session").await.status(),
        StatusCode::UNAUTHORIZED,
        "other sessions have ended"
    );
    app.sign_in(&here.user, "a new pass phrase").await;
}

#[tokio::test]
async fn a_password_changed_elsewhere_ends_in_sign_in() {
    let app = TestApp::start().await;
    let user = app.session().await;
    let change = json!({ "username": user.user, "password": "changed by the owner" });
    let changed = app
        .admin()
        .request("PATCH", "/api/2.0/mlflow/users/update-password")
        .json(&change)
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    let stale = user.get("/ajax-api/2.0/mlflow/users/current").await;
    assert_eq!(stale.status(), StatusCode::UNAUTHORIZED);
    let page = user.get("/experiments").await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert!(location(&page).starts_with("/login?why=ended&next="), "{}", location(&page));

    // Somebody else may have been in the old session: the new password does not bring it back.
    let again = app.sign_in(&user.user, "changed by the owner").await;
    assert_eq!(again.get("/ajax-api/2.0/mlflow/users/current").await.status(), StatusCode::OK);
    let old = user.get("/ajax-api/2.0/mlflow/users/current").await;
    assert_eq!(old.status(), StatusCode::UNAUTHORIZED);
    // The same password again ends nobody's session.
    app.sign_in(&user.user, "changed by the owner").await;
    assert_eq!(again.get("/ajax-api/2.0/mlflow/users/current").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn behind_https_the_cookie_is_for_this_host_and_https_alone() {
    for (base, prefix, path, strict) in [
        ("/", "__Host-", "; Path=/", "max-age=31536000; includeSubDomains"),
        // The host is others' too.
        ("/mlflow", "__Secure-", "; Path=/mlflow", "max-age=31536000"),
    ] {
        let app = TestApp::with(&["--public-origin", "https://ml.example.org", "--base-path", base]).await;
        let user = app.basic().await;
        let fields = [("name", user.user.as_str()), ("password", user.password.as_str())];
        let answer = app.anonymous().form("/login", &fields).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with(prefix), "{cookie}");
        for attribute in ["; HttpOnly", "; Secure", "; SameSite=Lax", path] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert_eq!(answer.headers()["strict-transport-security"], strict);
        // Whoever comes without TLS is not led on: a program would send its secrets twice.
        let plain = app.anonymous().get("/api/2.0/mlflow/experiments/search").await;
        assert_eq!(plain.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn writes_from_another_site_are_refused() {
    let app = TestApp::start().await;
    let user = app.session().await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
    ] {
        let request = user.request_bare("POST", "/api/2.0/mlflow/experiments/create").header(name, value);
        let answer = request.json(&json!({ "name": "by a stranger" })).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}: {value}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error_code"], "PERMISSION_DENIED");
        let answer = user.request_bare("POST", "/logout").header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let answer = user.request_bare("POST", "/logout").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "neither header");
    assert_eq!(user.get("/api/flowdeck/v1/session").await.status(), StatusCode::OK);
}
