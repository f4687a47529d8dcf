//! What a person pastes to get from a new key to a first run.

use crate::api::flowdeck::key::{Key, Scope};

/// Where it is pasted into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Shell,
    Python,
    Notebook,
}

/// The three pastes; the third is missing where the key may do nothing that shows quickly.
pub struct Pastes {
    pub install: &'static str,
    pub connect: String,
    pub first: Option<String>,
    /// Whether the third one logs, rather than reads.
    pub logs: bool,
}

// === impl Place ===

impl Place {
    pub const ALL: [(Self, &'static str); 3] = [(Self::Shell, "Shell"), (Self::Python, "Python"), (Self::Notebook, "Notebook")];

    /// `address` is this Flowdeck's, without a slash at the end.
    pub fn pastes(self, address: &str, secret: &str, key: &Key) -> Pastes {
        let connect = match self {
            Self::Shell => format!("export MLFLOW_TRACKING_URI={address}\nexport MLFLOW_TRACKING_TOKEN={secret}"),
            Self::Python => {
                format!("import os, mlflow\nos.environ[\"MLFLOW_TRACKING_TOKEN\"] = \"{secret}\"\nmlflow.set_tracking_uri(\"{address}\")")
            }
            Self::Notebook => format!("%env MLFLOW_TRACKING_URI={address}\n%env MLFLOW_TRACKING_TOKEN={secret}"),
        };
        let code = code(key);
        let first = code.as_ref().map(|lines| match self {
            Self::Shell => format!("python -c \"import mlflow; {}\"", lines.join("; ")),
            Self::Python => lines.join("\n"),
            Self::Notebook => format!("import mlflow\n{}", lines.join("\n")),
        });
        Pastes {
            install: if self == Self::Notebook {
                "%pip install mlflow"
            } else {
                "pip install mlflow"
            },
            connect,
            first,
            logs: code.is_some() && may_write(key),
        }
    }
}

fn may_write(key: &Key) -> bool {
    key.scopes.contains(&Scope::Write)
}

/// A first thing to do with the key; single quotes alone, so that a shell takes it in double ones.
fn code(key: &Key) -> Option<Vec<String>> {
    // Narrowed to models or to kinds of calls, it may be refused whatever is tried first.
    if !key.models.is_empty() || !key.families.is_empty() {
        return None;
    }
    let id = key.experiments.first().map(|id| plain(id));
    Some(match (may_write(key), id) {
        (true, Some(id)) => vec![
            format!("mlflow.set_experiment(experiment_id='{id}')"),
            "mlflow.log_metric('loss', 0.42)".into(),
        ],
        // A name of one's own: an experiment of that name may be somebody else's already.
        (true, None) => vec![
            format!("mlflow.set_experiment('{}/first-steps')", plain(&key.user)),
            "mlflow.log_metric('loss', 0.42)".into(),
        ],
        (false, Some(id)) => vec![format!("print(mlflow.get_experiment('{id}').name)")],
        (false, None) => vec!["print([e.name for e in mlflow.search_experiments(max_results=5)])".into()],
    })
}

/// Without anything that ends a quotation in Python or means something to a shell.
fn plain(text: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || "-_.@+".contains(letter) {
            letter
        } else {
            '-'
        }
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::flowdeck::key::State;

    fn key(scopes: &[Scope], experiments: &[&str]) -> Key {
        Key {
            id: "k".into(),
            name: "laptop".into(),
            user: "o'neill $(x)".into(),
            start: "fd_Ab3d".into(),
            scopes: scopes.to_vec(),
            families: Vec::new(),
            experiments: experiments.iter().map(|id| (*id).to_owned()).collect(),
            models: Vec::new(),
            allowed_networks: Vec::new(),
            rate_per_second: None,
            burst: None,
            shadow: false,
            state: State::Active,
            created_at: 0,
            created_by: String::new(),
            expires_at: None,
            previous_until: None,
            last_used_at: None,
            last_used_address: None,
            would_refuse: 0,
        }
    }

    #[test]
    fn what_is_pasted_into_a_shell_means_nothing_else() {
        let pastes = Place::Shell.pastes("https://ml.example/base", "fd_x", &key(&[Scope::Read, Scope::Write], &[]));
        assert_eq!(
            pastes.connect,
            "export MLFLOW_TRACKING_URI=https://ml.example/base\nexport MLFLOW_TRACKING_TOKEN=fd_x"
        );
        assert_eq!(
            pastes.first.as_deref(),
            Some("python -c \"import mlflow; mlflow.set_experiment('o-neill---x-/first-steps'); mlflow.log_metric('loss', 0.42)\"")
        );
    }

    #[test]
    fn the_first_thing_is_one_that_the_key_may() {
        let first = |key: &Key| Place::Python.pastes("u", "s", key).first;
        let both = [Scope::Read, Scope::Write];
        assert!(first(&key(&both, &["7"])).is_some_and(|code| code.starts_with("mlflow.set_experiment(experiment_id='7')")));
        assert!(first(&key(&[Scope::Read], &["7"])).is_some_and(|code| code.contains("get_experiment('7')")));
        assert!(first(&key(&[Scope::Read], &[])).is_some_and(|code| code.contains("search_experiments")));
        let narrowed = Key {
            families: vec!["metrics".into()],
            ..key(&both, &[])
        };
        assert_eq!(first(&narrowed), None);
    }
}
