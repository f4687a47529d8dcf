//! What MLflow's grants are made of: to whom, on what, how much.

use serde::{Deserialize, Serialize};

/// How much a grant gives. `DENY` wins over every other grant at the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Level {
    Read,
    Use,
    Edit,
    Manage,
    Deny,
}

/// What a grant can be about. The first eight have ids or names, or `*` for all; the rest have only `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Kind {
    Experiment,
    RegisteredModel,
    Prompt,
    Scorer,
    GatewaySecret,
    GatewayEndpoint,
    GatewayModelDefinition,
    McpServer,
    Run,
    Trace,
    Assessment,
    LoggedModel,
    ReviewQueue,
    RegisteredModelVersion,
    PromptVersion,
    ScorerVersion,
    McpServerVersion,
    Workspace,
}

/// One thing, or all of its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Target {
    pub kind: Kind,
    /// An experiment's id, a model's or prompt's name, or `*` for all.
    pub id: String,
}

/// To whom a grant goes: `{"user":"ada"}` directly, or `{"role":"team-a"}` to all who have a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Subject {
    User(String),
    Role(String),
}

/// One grant of somebody whose page this is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Grant {
    pub on: Target,
    /// What people call it; `None` where MLflow has nothing of that id any more, or it is `*`.
    pub name: Option<String>,
    pub level: Level,
}

// === impl Level ===

impl Level {
    pub const ALL: [Self; 5] = [Self::Read, Self::Use, Self::Edit, Self::Manage, Self::Deny];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Use => "USE",
            Self::Edit => "EDIT",
            Self::Manage => "MANAGE",
            Self::Deny => "DENY",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// How much one can do: nothing with `DENY`, all with `MANAGE`.
    pub fn rank(self) -> u8 {
        match self {
            Self::Deny => 0,
            Self::Read => 1,
            Self::Use => 2,
            Self::Edit => 3,
            Self::Manage => 4,
        }
    }

    /// What one may do with it.
    pub fn means(self) -> &'static str {
        match self {
            Self::Read => "look at it",
            Self::Use => "look at it and call it",
            Self::Edit => "look at it, call it and change it",
            Self::Manage => "all of that, delete it, and say who else may",
            Self::Deny => "nothing, whatever else was granted",
        }
    }
}

// === impl Kind ===

impl Kind {
    pub const ALL: [Self; 18] = [
        Self::Experiment,
        Self::RegisteredModel,
        Self::Prompt,
        Self::Scorer,
        Self::GatewaySecret,
        Self::GatewayEndpoint,
        Self::GatewayModelDefinition,
        Self::McpServer,
        Self::Run,
        Self::Trace,
        Self::Assessment,
        Self::LoggedModel,
        Self::ReviewQueue,
        Self::RegisteredModelVersion,
        Self::PromptVersion,
        Self::ScorerVersion,
        Self::McpServerVersion,
        Self::Workspace,
    ];

    /// As MLflow spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::RegisteredModel => "registered_model",
            Self::Prompt => "prompt",
            Self::Scorer => "scorer",
            Self::GatewaySecret => "gateway_secret",
            Self::GatewayEndpoint => "gateway_endpoint",
            Self::GatewayModelDefinition => "gateway_model_definition",
            Self::McpServer => "mcp_server",
            Self::Run => "run",
            Self::Trace => "trace",
            Self::Assessment => "assessment",
            Self::LoggedModel => "logged_model",
            Self::ReviewQueue => "review_queue",
            Self::RegisteredModelVersion => "registered_model_version",
            Self::PromptVersion => "prompt_version",
            Self::ScorerVersion => "scorer_version",
            Self::McpServerVersion => "mcp_server_version",
            Self::Workspace => "workspace",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a grant can be about one of them, and not only about all.
    pub fn has_ids(self) -> bool {
        self <= Self::McpServer
    }

    /// The levels that MLflow takes for it.
    pub fn levels(self) -> &'static [Level] {
        match self {
            Self::Workspace => &[Level::Use, Level::Manage],
            _ => &Level::ALL,
        }
    }
}

// === impl Target ===

impl Target {
    pub const ALL: &'static str = "*";

    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }

    pub fn is_all(&self) -> bool {
        self.id == Self::ALL
    }
}

// === impl Subject ===

impl Subject {
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Role(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Level, Subject, Target};

    #[test]
    fn names_are_mlflows() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.name());
        }
        assert!(Kind::McpServer.has_ids() && !Kind::Run.has_ids());
        let target = Target::new(Kind::Experiment, "7");
        assert_eq!(serde_json::to_string(&target).unwrap(), r#"{"kind":"experiment","id":"7"}"#);
        assert_eq!(serde_json::to_string(&Subject::Role("a".into())).unwrap(), r#"{"role":"a"}"#);
    }
}
