//! MLflow in a virtual environment below the data folder.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};
use tokio::{process::Command, task::spawn_blocking};

use crate::{config, data, mlflow::VERSION};

/// The newest Python first, in the order in which MLflow is known to have wheels for it.
const PYTHONS: &[&str] = &["python3.13", "python3.12", "python3.11", "python3.10", "python3"];
/// Written last, so that an interrupted installation is seen as one.
const MARKER: &str = "flowdeck-installed";

/// A Python that can run MLflow: the configured one, or that of `<data>/mlflow/venv`, made where it is missing.
///
/// # Errors
/// In one sentence, naming what is missing.
pub async fn python(config: &config::Mlflow, data_dir: &Path) -> anyhow::Result<PathBuf> {
    if let Some(python) = &config.mlflow_python {
        return can_import_mlflow(python).await.map(|()| python.clone());
    }
    let venv = data_dir.join("mlflow/venv");
    install(&venv).await?;
    Ok(venv.join("bin/python"))
}

/// Makes the virtual environment `venv` with the pinned MLflow; does nothing where it is complete. May be interrupted and repeated.
///
/// # Errors
/// In one sentence, naming what is missing; where pip failed, with the end of its log.
pub async fn install(venv: &Path) -> anyhow::Result<()> {
    let venv = std::path::absolute(venv)?;
    let folder = venv.parent().context("a virtual environment cannot be the root folder")?;
    data::make_folder(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if is_complete(&venv) {
        return Ok(());
    }

    let lock = lock(&venv).await?;
    if is_complete(&venv) {
        return Ok(());
    }
    match fs::remove_dir_all(&venv) {
        Ok(()) => tracing::info!("removed the incomplete or outdated MLflow installation in {}", venv.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot remove {}", venv.display())),
    }

    let base = find_python().await?;
    tracing::info!(
        "installing MLflow {VERSION} into {} with {base}; this takes a minute or more",
        venv.display()
    );
    let log = venv.with_extension("log");
    File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let make = ["-m", "venv"].map(str::to_owned).into_iter().chain([venv.display().to_string()]);
    run(Path::new(&base), make, &lock, &log)
        .await
        .with_context(|| format!("{base} could not make a virtual environment"))?;
    let requirement = format!("mlflow[auth]=={VERSION}");
    let pip = [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        &requirement,
    ];
    run(&venv.join("bin/python"), pip.map(str::to_owned), &lock, &log)
        .await
        .with_context(|| format!("pip could not install {requirement}"))?;
    fs::write(venv.join(MARKER), VERSION).with_context(|| format!("cannot write in {}", venv.display()))?;
    tracing::info!("MLflow {VERSION} is installed");
    Ok(())
}

/// The base interpreter may have gone since, with an upgrade of the system: then `bin/python` leads nowhere.
fn is_complete(venv: &Path) -> bool {
    fs::read_to_string(venv.join(MARKER)).is_ok_and(|version| version == VERSION) && venv.join("bin/python").exists()
}

/// One installation at a time. Python and pip inherit the lock as their standard input, so one that outlives a killed Flowdeck still holds it.
async fn lock(venv: &Path) -> anyhow::Result<File> {
    let path = venv.with_extension("lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        return Ok(file);
    }
    tracing::info!(
        "another installation of MLflow into {} is under way; waiting for it",
        venv.display()
    );
    spawn_blocking(move || flock(&file, FlockOperation::LockExclusive).map(|()| file))
        .await?
        .with_context(|| format!("cannot lock {}", path.display()))
}

async fn find_python() -> anyhow::Result<&'static str> {
    let mut without_venv = None;
    for name in PYTHONS {
        let tell = "import sys; assert sys.version_info >= (3, 10)\ntry: import venv, ensurepip; print('venv')\nexcept ImportError: pass";
        match Command::new(name)
            .args(["-c", tell])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
        {
            Ok(output) if output.status.success() && output.stdout.starts_with(b"venv") => return Ok(name),
            Ok(output) if output.status.success() => without_venv = without_venv.or(Some(*name)),
            _ => {}
        }
    }
    match without_venv {
        Some(name) => {
            bail!("{name} has no venv module, which Flowdeck needs to install MLflow (Debian and Ubuntu: apt install {name}-venv)")
        }
        None => bail!(
            "no Python 3.10 or newer was found, which Flowdeck needs to run an MLflow of its own; install one, or set FLOWDECK_MLFLOW_URL to an MLflow that runs elsewhere"
        ),
    }
}

async fn can_import_mlflow(python: &Path) -> anyhow::Result<()> {
    let shown = python.display();
    let find = "import importlib.util as u, sys; sys.exit(not (u.find_spec('mlflow') and u.find_spec('flask_wtf')))";
    let status = Command::new(python)
        .args(["-c", find])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    let status = status.with_context(|| format!("cannot run {shown} (FLOWDECK_MLFLOW_PYTHON)"))?;
    if !status.success() {
        bail!(
            "{shown} (FLOWDECK_MLFLOW_PYTHON) has no MLflow with sign-in; install one with: {shown} -m pip install 'mlflow[auth]=={VERSION}'"
        );
    }
    Ok(())
}

async fn run(program: &Path, arguments: impl IntoIterator<Item = String>, lock: &File, log: &Path) -> anyhow::Result<()> {
    let output = OpenOptions::new().append(true).open(log)?;
    let mut command = Command::new(program);
    super::managed::without_settings(&mut command);
    let status = command
        .args(arguments)
        .stdin(lock.try_clone()?)
        .stdout(output.try_clone()?)
        .stderr(output)
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !status.success() {
        bail!("{} (all of its output is in {})", super::managed::last_lines(log, 5), log.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::{MARKER, is_complete, python};
    use crate::{config::Mlflow, mlflow::VERSION};

    #[test]
    fn only_a_finished_installation_of_this_version_counts() {
        let folder = tempfile::tempdir().unwrap();
        let venv = folder.path().join("venv");
        fs::create_dir_all(venv.join("bin")).unwrap();
        fs::write(venv.join("bin/python"), "").unwrap();
        assert!(!is_complete(&venv));
        fs::write(venv.join(MARKER), "3.16.0").unwrap();
        assert!(!is_complete(&venv));
        fs::write(venv.join(MARKER), VERSION).unwrap();
        assert!(is_complete(&venv));
        fs::remove_file(venv.join("bin/python")).unwrap();
        std::os::unix::fs::symlink("/nowhere/python3", venv.join("bin/python")).unwrap();
        assert!(!is_complete(&venv));
    }

    #[tokio::test]
    async fn a_configured_python_without_mlflow_is_named() {
        let config = |python: &str| Mlflow {
            mlflow_url: None,
            mlflow_python: Some(PathBuf::from(python)),
        };
        let error = python(&config("/nowhere/python"), "/nowhere".as_ref())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere/python"), "{error}");
        let error = python(&config("/bin/false"), "/nowhere".as_ref()).await.unwrap_err().to_string();
        assert!(error.contains("pip install 'mlflow[auth]==3.17.2'"), "{error}");
    }
}
