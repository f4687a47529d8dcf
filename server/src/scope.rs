//! What an API key is made for: scopes narrow what MLflow allows its user, and widen nothing.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::ToSchema;

/// What a route needs of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking.
    Read,
    /// Changing what is there, and what costs money.
    Write,
    /// Changing who may do what, or how the server is set up.
    Admin,
}

/// A set of scopes: none contains another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

// === impl Scope ===

impl Scope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

// === impl Scopes ===

impl Scopes {
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & 1 << scope as u8 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u8))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let find = |name: &String| {
            let scope = Scope::ALL.into_iter().find(|scope| scope.name() == name);
            scope.ok_or_else(|| D::Error::custom("a scope is `read`, `write` or `admin`"))
        };
        names.iter().map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, Scopes};

    #[test]
    fn a_set_is_a_list_of_names() {
        let scopes: Scopes = serde_json::from_str(r#"["write", "read", "read"]"#).unwrap();
        assert_eq!(serde_json::to_string(&scopes).unwrap(), r#"["read","write"]"#);
        assert!(scopes.contains(Scope::Read) && scopes.contains(Scope::Write) && !scopes.contains(Scope::Admin));
        assert!(
            serde_json::from_str::<Scopes>(r#"["root"]"#)
                .unwrap_err()
                .to_string()
                .contains("a scope is")
        );
    }

    #[test]
    fn a_narrower_set_is_within_a_wider_one() {
        let (read, both) = (Scopes::from_iter([Scope::Read]), Scopes::from_iter([Scope::Read, Scope::Write]));
        assert!(read.is_within(both) && !both.is_within(read) && Scopes::default().is_within(read));
    }
}
