//! Where everything lies: the one place that knows about `target/` and the cache that outlives a clone.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The folders that every step uses.
pub struct Folders {
    /// The clone.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// The browser's files, as `dist` makes them.
    pub site: PathBuf,
    /// Programs installed by cargo; the programs themselves are in its `bin`.
    pub tools: PathBuf,
    /// Debian's sources of the Rust standard library, where rustup has no WebAssembly target to give.
    pub rust_src: PathBuf,
    /// The virtual environment of MLflow and pytest that all tests share.
    pub venv: PathBuf,
    /// npm's packages, which have to lie beside their `package.json`.
    pub end2end: PathBuf,
    /// npm's download cache, where it is not npm's own.
    pub npm_cache: Option<PathBuf>,
}

// === impl Folders ===

impl Folders {
    pub fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map(|folder| root.join(folder));
        Self::new(root, target, cache())
    }

    /// `cache` is where a CI machine keeps what is slow to make, because it starts from a clean clone each time.
    fn new(root: PathBuf, target: Option<PathBuf>, cache: Option<PathBuf>) -> Self {
        let target = target.unwrap_or_else(|| cache.as_ref().unwrap_or(&root).join("target"));
        let kept = cache.as_ref().unwrap_or(&target);
        Self {
            site: target.join("site"),
            tools: kept.join("tools"),
            rust_src: kept.join("rust-src"),
            venv: kept.join("mlflow-venv"),
            end2end: root.join("end2end"),
            npm_cache: cache.as_ref().map(|cache| cache.join("npm")),
            root,
            target,
        }
    }

    /// Where commands look for programs: ours, then everybody's.
    pub fn path(&self) -> Vec<PathBuf> {
        let mut path = vec![self.tools.join("bin"), self.end2end.join("node_modules/.bin")];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        path
    }

    /// A command in the clone's root, which finds our tools first.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        if let Ok(path) = env::join_paths(self.path()) {
            command.env("PATH", path);
        }
        command
    }

    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// The server's program of a cargo profile's folder, `debug` or `release`.
    pub fn server(&self, profile: &str) -> PathBuf {
        self.target.join(profile).join("flowdeck")
    }
}

fn cache() -> Option<PathBuf> {
    env::var_os("CI")?;
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    Some(env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home)?.join("flowdeck"))
}

#[cfg(test)]
mod tests {
    use super::Folders;

    #[test]
    fn without_a_cache_everything_is_below_target() {
        let folders = Folders::new("/clone".into(), None, None);
        assert_eq!(folders.tools, "/clone/target/tools".as_ref() as &std::path::Path);
        assert_eq!(folders.site, "/clone/target/site".as_ref() as &std::path::Path);
        assert!(folders.npm_cache.is_none());
    }

    #[test]
    fn a_cache_outlives_the_clone() {
        let folders = Folders::new("/clone".into(), None, Some("/cache".into()));
        assert_eq!(folders.tools, "/cache/tools".as_ref() as &std::path::Path);
        assert_eq!(folders.target, "/cache/target".as_ref() as &std::path::Path);
        assert_eq!(folders.end2end, "/clone/end2end".as_ref() as &std::path::Path);
    }
}
