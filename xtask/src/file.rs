//! Files and folders: walking, copying, putting in place in one step.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Never ours to read: what others made, or what is kept for running.
const FOREIGN: &[&str] = &["target", "node_modules", "flowdeck-data", "__pycache__", "test-results"];

/// Every file below `folder` (or the file itself), in a fixed order, without hidden ones and without what others made.
pub fn walk(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let mut found = Vec::new();
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || FOREIGN.contains(&name.as_ref()) {
            continue;
        }
        if path.is_dir() {
            found.extend(walk(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// What lies directly in a folder, in a fixed order.
pub fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    Ok(paths)
}

pub fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in walk(from)? {
        let copy = to.join(file.strip_prefix(from)?);
        make_folder(copy.parent().unwrap_or(to))?;
        fs::copy(&file, &copy).with_context(|| format!("cannot copy {} to {}", file.display(), copy.display()))?;
    }
    Ok(())
}

pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Removes a folder with all in it; that there is none is fine.
pub fn remove_folder(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Makes an empty folder.
pub fn fresh_folder(folder: &Path) -> anyhow::Result<()> {
    remove_folder(folder)?;
    make_folder(folder)
}

/// Puts a finished folder in the place of an older one.
pub fn replace_folder(new: &Path, old: &Path) -> anyhow::Result<()> {
    remove_folder(old)?;
    fs::rename(new, old).with_context(|| format!("cannot move {} to {}", new.display(), old.display()))
}

pub fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

pub fn write(file: &Path, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// Waits until nobody else holds this file, and holds it until the result is dropped.
pub fn lock(file: &Path) -> anyhow::Result<fs::File> {
    let lock = fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", file.display()))?;
    Ok(lock)
}

/// Lets everybody start the program in the file.
pub fn make_executable(file: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).with_context(|| format!("cannot change {}", file.display()))
}
