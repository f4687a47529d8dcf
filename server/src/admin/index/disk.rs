//! The world on disk, for the Flowdeck after this one: a large MLflow takes many seconds to tell it. Names and grants, no secrets; readable
//! by Flowdeck's own user only, as all that is in its folder.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use app::api::flowdeck::grant::{Level, Target};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Kept;
use crate::{
    admin::world::{Entry, Fallback, Grants, Role, Things, User, World},
    clock,
    state::State,
    vault::hex,
};

const NAME: &str = "people.json";
/// Of older ones nobody would believe anything; ms.
const OLDEST: i64 = 24 * 3_600_000;

/// Where it is.
pub struct Disk {
    file: PathBuf,
    /// Which MLflow it is about.
    mlflow: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    mlflow: String,
    took_ms: u64,
    read_at: i64,
    things_read_at: i64,
    default: Option<Option<Level>>,
    users: Vec<WrittenUser>,
    roles: Vec<WrittenRole>,
    things: Vec<(Target, String, Option<i64>)>,
}

#[derive(Serialize, Deserialize)]
struct WrittenUser {
    name: String,
    id: i64,
    admin: bool,
    grants: WrittenGrants,
    roles: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct WrittenRole {
    name: String,
    id: Option<i64>,
    description: String,
    grants: WrittenGrants,
}

type WrittenGrants = Vec<(Target, Level, Option<i64>)>;

// === impl Disk ===

impl Disk {
    pub fn of(state: &State) -> Self {
        let mlflow = state.config.mlflow.mlflow_url.as_ref().map(ToString::to_string).unwrap_or_default();
        Self {
            file: state.config.data.data_dir.join(NAME),
            // An address may hold a password.
            mlflow: hex(&Sha256::digest(mlflow)),
        }
    }

    /// Writes it beside; where that fails the next start takes longer.
    pub fn put(self, kept: &Kept) {
        let (world, took) = (kept.world.clone(), kept.took);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = self.write(&Written::of(&world, took, self.mlflow.clone())) {
                tracing::warn!("users and roles cannot be kept for the next start: {error}");
            }
        });
    }

    fn write(&self, written: &Written) -> std::io::Result<()> {
        let text = serde_json::to_vec(written)?;
        let beside = self.file.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, &self.file)
    }

    /// What is there, if it is about this MLflow and not too old.
    pub async fn get(self) -> Option<Kept> {
        let read = tokio::task::spawn_blocking(move || {
            let text = fs::read(&self.file).ok()?;
            let written: Written = serde_json::from_slice(&text).ok()?;
            (written.mlflow == self.mlflow && clock::now() - written.read_at < OLDEST).then(|| written.kept())
        });
        read.await.ok()?
    }
}

// === impl Written ===

impl Written {
    fn of(world: &World, took: Duration, mlflow: String) -> Self {
        let user = |(name, user): (&String, &Arc<User>)| WrittenUser {
            name: name.clone(),
            id: user.id,
            admin: user.admin,
            grants: write(&user.grants),
            roles: user.roles.iter().cloned().collect(),
        };
        let role = |(name, role): (&String, &Arc<Role>)| WrittenRole {
            name: name.clone(),
            id: role.id,
            description: role.description.clone(),
            grants: write(&role.grants),
        };
        let things = world.things.all.iter();
        Self {
            mlflow,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            read_at: world.read_at,
            things_read_at: world.things.read_at,
            default: match world.default {
                Fallback::Unknown => None,
                Fallback::Known(level) => Some(level),
            },
            users: world.users.iter().map(user).collect(),
            roles: world.roles.iter().map(role).collect(),
            things: things.map(|(on, (name, made_at))| (on.clone(), name.clone(), *made_at)).collect(),
        }
    }

    fn kept(self) -> Kept {
        let mut world = World {
            things: Arc::new(Things {
                all: self.things.into_iter().map(|(on, name, made_at)| (on, (name, made_at))).collect(),
                read_at: self.things_read_at,
            }),
            default: self.default.map_or(Fallback::Unknown, Fallback::Known),
            complete: true,
            read_at: self.read_at,
            ..World::default()
        };
        let mut roles = std::collections::BTreeMap::new();
        for role in self.roles {
            let known = Role {
                id: role.id,
                description: role.description,
                grants: read(role.grants),
                ..Role::default()
            };
            roles.insert(role.name, known);
        }
        for user in self.users {
            for role in &user.roles {
                if let Some(role) = roles.get_mut(role) {
                    role.members.insert(user.name.clone());
                }
            }
            let known = User {
                id: user.id,
                admin: user.admin,
                active: true,
                grants: read(user.grants),
                roles: user.roles.into_iter().collect(),
                ..User::default()
            };
            world.users.insert(user.name, Arc::new(known));
        }
        world.roles = roles.into_iter().map(|(name, role)| (name, Arc::new(role))).collect();
        Kept {
            world: Arc::new(world),
            at: Instant::now(),
            took: Duration::from_millis(self.took_ms),
            stale: true,
            restored: true,
        }
    }
}

fn write(grants: &Grants) -> WrittenGrants {
    grants.iter().map(|(on, entry)| (on.clone(), entry.level, entry.row)).collect()
}

fn read(grants: WrittenGrants) -> Grants {
    grants.into_iter().map(|(on, level, row)| (on, Entry { level, row })).collect()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt as _, time::Duration};

    use app::api::flowdeck::grant::{Kind, Level, Subject, Target};

    use super::{Disk, Written};
    use crate::{
        admin::world::tests::{grant, world},
        clock,
    };

    #[tokio::test]
    async fn what_was_read_is_there_after_a_start_with_its_age_and_for_its_own_mlflow_alone() {
        let folder = tempfile::tempdir().unwrap();
        let disk = |mlflow: &str| Disk {
            file: folder.path().join("people.json"),
            mlflow: mlflow.into(),
        };
        let mut before = world(Some(Level::Read));
        before.make(
            &grant(
                Subject::User("ada".into()),
                &Target::new(Kind::Experiment, "1"),
                None,
                Some(Level::Edit),
            ),
            Some(7),
        );
        before.read_at = clock::now() - 1000;
        let write = |mlflow: &str| {
            disk(mlflow)
                .write(&Written::of(&before, Duration::from_secs(9), mlflow.into()))
                .unwrap()
        };
        write("one");
        let mode = std::fs::metadata(folder.path().join("people.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let kept = disk("one").get().await.unwrap();
        assert_eq!((kept.world.read_at, kept.world.default), (before.read_at, before.default));
        assert_eq!(kept.world.users["ada"].grants, before.users["ada"].grants);
        assert_eq!(kept.world.users["ada"].roles, before.users["ada"].roles);
        assert!(kept.is_good() && kept.is_due() && kept.stale);
        assert!(disk("another").get().await.is_none());

        before.read_at -= 25 * 3_600_000;
        disk("one")
            .write(&Written::of(&before, Duration::from_secs(9), "one".into()))
            .unwrap();
        assert!(disk("one").get().await.is_none(), "it is too old");
        std::fs::write(folder.path().join("people.json"), "{").unwrap();
        assert!(disk("one").get().await.is_none());
    }
}
