//! Filling a fresh Flowdeck with data worth looking at, through its own address.
//!
//! A process of its own, because the server takes the place of `cargo xtask run`; it ends when the server does.

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::process::parent_id,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::{file, folders::Folders};

#[derive(clap::Args)]
pub struct Options {
    #[arg(long)]
    url: String,
    #[arg(long)]
    data_dir: PathBuf,
}

/// Starts the filling beside the server that this process is about to become; it is done once for a data folder.
pub fn start_when_ready(url: &str, data_dir: &Path) -> anyhow::Result<()> {
    if marker(data_dir).exists() {
        return Ok(());
    }
    let xtask = env::current_exe().context("where is this program?")?;
    let mut demo = Command::new(xtask);
    demo.arg("demo").arg("--url").arg(url).arg("--data-dir").arg(data_dir);
    demo.spawn().context("cannot start the demonstration")?;
    Ok(())
}

pub fn run(folders: &Folders, options: &Options) -> anyhow::Result<()> {
    let server = parent_id();
    while !is_ready(&options.url) {
        sleep(Duration::from_millis(500));
        if parent_id() != server {
            return Ok(());
        }
    }
    let mlflow = options.data_dir.join("mlflow");
    let password = mlflow.join("admin-password");
    if !password.is_file() {
        bail!("--demo fills the MLflow that Flowdeck runs itself, and this one is somebody else's");
    }
    let python = env::var_os("FLOWDECK_MLFLOW_PYTHON").map_or_else(|| mlflow.join("venv/bin/python"), PathBuf::from);
    let mut script = Command::new(python);
    script.arg(folders.root.join("xtask/src/demo.py"));
    script
        .args(["--url", &options.url, "--user", "admin", "--password-file"])
        .arg(password);
    let mut script = script.spawn().context("cannot start the demonstration's Python")?;
    loop {
        if let Some(status) = script.try_wait()? {
            if !status.success() {
                bail!("the demonstration data is not complete ({status}); the next `cargo xtask run --demo` tries again");
            }
            return file::write(&marker(&options.data_dir), "");
        }
        if parent_id() != server {
            script.kill()?;
            script.wait()?;
            return Ok(());
        }
        sleep(Duration::from_millis(500));
    }
}

fn marker(data_dir: &Path) -> PathBuf {
    data_dir.join("demo-is-complete")
}

/// Whether the server says that it and the MLflow behind it answer.
fn is_ready(url: &str) -> bool {
    let (host, base) = split(url);
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        // In one write, so that it arrives as one.
        let question = format!("GET {base}/health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes())?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

/// Host and base path of a plain http address.
fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash))
}

#[cfg(test)]
mod tests {
    use super::{is_ready, split};
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    #[test]
    fn an_address_has_a_host_and_perhaps_a_base() {
        assert_eq!(split("http://127.0.0.1:5050"), ("127.0.0.1:5050", ""));
        assert_eq!(split("http://[::1]:1/a/b"), ("[::1]:1", "/a/b"));
    }

    #[test]
    fn ready_means_200() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/base", listener.local_addr().unwrap());
        let answers = thread::spawn(move || {
            for status in ["503 Service Unavailable", "200 OK"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut question = [0; 512];
                let length = stream.read(&mut question).unwrap();
                assert!(question[..length].starts_with(b"GET /base/health/ready HTTP/1.1\r\n"));
                // In one piece: the other side hangs up once it has seen the status.
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert!(!is_ready(&url));
        assert!(is_ready(&url));
        answers.join().unwrap();
        assert!(!is_ready(&url));
    }
}
