//! The data folder: owned by one Flowdeck at a time, readable by its owner only.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};

/// The open data folder. While this lives, no other Flowdeck can open the same folder.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Closed, and with it unlocked, when Flowdeck ends, however it ends.
    _lock: File,
}

/// Makes the folder where it is missing, and takes it for this process.
///
/// # Errors
/// In one sentence: it cannot be made, or another Flowdeck has it.
pub fn open(path: &Path) -> anyhow::Result<DataDir> {
    let shown = path.display();
    make_folder(path).with_context(|| format!("cannot make the data folder {shown}"))?;
    let path = path.canonicalize().with_context(|| format!("cannot use the data folder {shown}"))?;
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.join("lock"))
        .with_context(|| format!("cannot write in the data folder {shown}"))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            lock.read_to_string(&mut holder).ok();
            bail!(
                "the data folder {shown} is in use by another Flowdeck (process {}): stop that one, or choose another folder with --data-dir",
                holder.trim()
            );
        }
        Err(error) => return Err(error).with_context(|| format!("the data folder {shown} cannot be locked")),
    }
    lock.set_len(0)?;
    writeln!(lock, "{}", std::process::id())?;
    Ok(DataDir { path, _lock: lock })
}

// === impl DataDir ===

impl DataDir {
    /// Absolute, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The trimmed text of the secret file `name` (which may lie in a subfolder); where it is missing, `make` says what is in it.
    /// Only its owner can read it, and it is there whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be read, or made.
    pub fn secret_file(&self, name: &str, make: impl FnOnce() -> String) -> anyhow::Result<String> {
        let file = self.path.join(name);
        let text = match fs::read_to_string(&file) {
            Ok(text) => {
                close_to_others(&file)?;
                text
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = make();
                create_whole(&file, &text).with_context(|| format!("cannot make {}", file.display()))?;
                text
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
        };
        let text = text.trim();
        if text.is_empty() {
            bail!(
                "{} is empty; put it back from a backup, or delete it to have a new one made",
                file.display()
            );
        }
        Ok(text.to_owned())
    }
}

/// A folder that only its owner can enter; one that is there already stays as it is.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn create_whole(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let mut draft = file.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut writer = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    // A draft that a crash left behind keeps the mode it was made with.
    writer.set_permissions(Permissions::from_mode(0o600))?;
    writeln!(writer, "{text}")?;
    writer.sync_all()?;
    fs::rename(&draft, file)?;
    File::open(folder)?.sync_all()
}

fn close_to_others(file: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(file)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!("{} could be read by others than its owner; closing it", file.display());
        fs::set_permissions(file, Permissions::from_mode(0o600)).with_context(|| format!("cannot close {} to others", file.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::open;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_second_flowdeck_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/data");
        let first = open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        let error = open(&path).unwrap_err().to_string();
        assert!(
            error.contains(&format!("in use by another Flowdeck (process {})", std::process::id())),
            "{error}"
        );
        drop(first);
        open(&path).unwrap();
    }

    #[test]
    fn a_secret_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = open(folder.path()).unwrap();
        fs::create_dir(data.path().join("sub")).unwrap();
        fs::write(data.path().join("sub/key.new"), "half a dra").unwrap();
        assert_eq!(data.secret_file("sub/key", || "one".into()).unwrap(), "one");
        assert_eq!(data.secret_file("sub/key", || "two".into()).unwrap(), "one");
        let file = data.path().join("sub/key");
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(data.secret_file("sub/key", || "three".into()).unwrap(), "one");
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn an_empty_secret_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let data = open(folder.path()).unwrap();
        fs::write(data.path().join("key"), "\n").unwrap();
        assert!(
            data.secret_file("key", || "new".into())
                .unwrap_err()
                .to_string()
                .contains("is empty")
        );
    }
}
