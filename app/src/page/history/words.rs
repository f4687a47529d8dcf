//! What a call does, in plain words.

/// Ends of routes, for calls of any method.
const ANY: [(&str, &str); 43] = [
    ("/experiments/create", "created the experiment"),
    ("/experiments/update", "renamed the experiment"),
    ("/experiments/delete", "deleted the experiment"),
    ("/experiments/restore", "restored the experiment"),
    ("/experiments/set-experiment-tag", "set a tag of the experiment"),
    ("/experiments/delete-experiment-tag", "removed a tag of the experiment"),
    ("/runs/create", "started a run"),
    ("/runs/update", "changed the status or the name"),
    ("/runs/delete", "deleted the run"),
    ("/runs/restore", "restored the run"),
    ("/runs/log-metric", "logged a metric"),
    ("/runs/log-parameter", "logged a param"),
    ("/runs/log-batch", "logged metrics, params and tags"),
    ("/runs/log-inputs", "logged a dataset"),
    ("/runs/log-model", "logged a model"),
    ("/runs/outputs", "logged what came out"),
    ("/runs/set-tag", "set a tag"),
    ("/runs/delete-tag", "removed a tag"),
    ("/mlflow/logged-models", "logged a model"),
    ("/artifacts/presigned-upload-url", "uploaded an artifact"),
    ("/mpu/create/{*artifact_path}", "began to upload a large artifact"),
    ("/mpu/complete/{*artifact_path}", "uploaded a large artifact"),
    ("/permissions/grant", "gave somebody a permission"),
    ("/permissions/revoke", "took a permission away"),
    ("/users/create", "made a user"),
    ("/users/delete", "deleted a user"),
    ("/users/update-password", "changed a password"),
    ("/users/update-admin", "made somebody an administrator, or no longer one"),
    ("/logout", "signed out"),
    ("/account/password", "changed the password"),
    ("/account/sessions/end", "ended sessions"),
    ("/keys/{id}/rotate", "rotated an API key"),
    ("/v1/users/{name}/reset", "reset a user's password"),
    ("/v1/users/{name}/deactivate", "deactivated a user"),
    ("/v1/users/{name}/reactivate", "reactivated a user"),
    ("/v1/users/{name}/sessions", "ended a user's sessions"),
    ("/v1/users/{name}/sessions/{id}", "ended a session of a user"),
    ("/v1/invites/redeem", "set a password by a link"),
    ("/v1/changes", "changed who may do what"),
    ("/v1/changes/{id}/undo", "took a change back"),
    ("/v1/changes/{id}/resume", "went on with a change"),
    ("/v1/rules/{id}/keep", "brought MLflow in step with a rule"),
    ("/v1/settings/{name}", "changed a setting"),
];

/// Ends of routes whose method tells what they do.
const ONE: [(&str, &str, &str); 15] = [
    ("POST", "/login", "signed in"),
    ("POST", "/v1/keys", "made an API key"),
    ("DELETE", "/v1/keys", "revoked all API keys of a user"),
    ("PATCH", "/keys/{id}", "changed an API key"),
    ("DELETE", "/keys/{id}", "revoked an API key"),
    ("POST", "/service-accounts", "made a service account"),
    ("DELETE", "/service-accounts/{name}", "deleted a service account"),
    ("POST", "/v1/users", "made a user"),
    ("DELETE", "/v1/users/{name}", "deleted a user"),
    ("POST", "/v1/rules", "made a rule over names"),
    ("PATCH", "/v1/rules/{id}", "changed a rule over names"),
    ("DELETE", "/v1/rules/{id}", "deleted a rule over names"),
    ("POST", "/v1/views", "made a view"),
    ("PATCH", "/v1/views/{id}", "changed a view"),
    ("DELETE", "/v1/views/{id}", "deleted a view"),
];

/// Else the call itself.
pub fn words(method: &str, route: &str) -> String {
    // Of our own routes some are looked at, too.
    let any = ANY
        .iter()
        .find(|(end, _)| method != "GET" && route.ends_with(end))
        .map(|(_, words)| *words);
    let one = || {
        let this = |known: &&(&str, &str, &str)| known.0 == method && route.ends_with(known.1);
        ONE.iter().find(this).map(|(_, _, words)| *words)
    };
    match (any.or_else(one), method) {
        (Some(words), _) => words.to_owned(),
        (None, "PUT") if route.contains("/mlflow-artifacts/") => "uploaded an artifact".to_owned(),
        (None, "DELETE") if route.contains("/mlflow-artifacts/") => "deleted artifacts".to_owned(),
        (None, method) => format!("{method} {route}"),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn calls_are_told_in_words_where_there_are_some() {
        for (method, route, told) in [
            ("POST", "/2.0/mlflow/runs/log-metric", "logged a metric"),
            ("DELETE", "/api/flowdeck/v1/keys/{id}", "revoked an API key"),
            ("DELETE", "/api/flowdeck/v1/keys", "revoked all API keys of a user"),
            ("PUT", "/2.0/mlflow-artifacts/artifacts/{*artifact_path}", "uploaded an artifact"),
            ("POST", "/api/flowdeck/v1/changes", "changed who may do what"),
            ("GET", "/api/flowdeck/v1/changes", "GET /api/flowdeck/v1/changes"),
            ("DELETE", "/api/flowdeck/v1/users/{name}", "deleted a user"),
            ("GET", "/api/flowdeck/v1/keys", "GET /api/flowdeck/v1/keys"),
        ] {
            assert_eq!(words(method, route), told);
        }
    }
}
