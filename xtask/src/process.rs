//! Running other programs, with errors that name the program and what it wanted.

use std::{
    env,
    io::{ErrorKind, Read, Write},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, bail};

/// Says what a step does and about how long it takes, before it starts.
pub fn doing(what: &str, how_long: &str) {
    eprintln!("→ {what} ({how_long})");
}

/// Runs a program on this terminal.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if !status.success() {
        bail!("`{}` failed ({status})", spell(command));
    }
    Ok(())
}

/// Runs a program silently and gives its output; what it said goes into the error.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({}): {}",
            spell(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program can be run and ends well; it says nothing.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a program on this terminal and also gives its exit code and all that it wrote.
pub fn tee(command: &mut Command) -> anyhow::Result<(Option<i32>, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let errors = child.stderr.take().map(|pipe| thread::spawn(move || copy(pipe, std::io::stderr())));
    let mut text = child.stdout.take().map(|pipe| copy(pipe, std::io::stdout())).unwrap_or_default();
    if let Some(Ok(errors)) = errors.map(thread::JoinHandle::join) {
        text.push_str(&errors);
    }
    let status = child.wait().with_context(|| format!("waiting for `{}`", spell(command)))?;
    Ok((status.code(), text))
}

fn copy(mut from: impl Read, mut to: impl Write) -> String {
    let mut all = Vec::new();
    let mut part = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut part) {
        all.extend_from_slice(&part[..length]);
        // A closed terminal is no reason to lose the totals.
        let _ = to.write_all(&part[..length]).and_then(|()| to.flush());
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Where a program is, if `PATH` has it.
pub fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn cannot_start(command: &Command, error: &std::io::Error) -> anyhow::Error {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!("`{program}` is not installed"),
        _ => anyhow::anyhow!("`{program}` cannot be started: {error}"),
    }
}

fn spell(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
