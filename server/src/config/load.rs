//! Reading the settings: command line, environment, TOML file; and telling where each came from.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::{ArgMatches, Args as _, Command, FromArgMatches as _, parser::ValueSource};

use super::Config;

const PREFIX: &str = "FLOWDECK_";
/// Set for the browser tests and `cargo xtask`, never read by the server.
const FOREIGN: &[&str] = &["FLOWDECK_CHROMIUM"];

/// What was asked of the program, and the settings to do it with.
pub struct Loaded {
    pub config: Config,
    /// The subcommand's name and its own matches.
    pub command: Option<(String, ArgMatches)>,
    /// One line a setting: name, value, where it comes from; secrets hidden.
    pub report: String,
}

/// Reads the settings, or ends the program with clap's own message (`--help`, a bad value).
///
/// # Errors
/// A configuration file that cannot be read, and a key or variable that is not a setting, by name.
pub fn load(command: Command, arguments: impl Iterator<Item = OsString>, environment: &[String]) -> anyhow::Result<Loaded> {
    let mut command = Config::augment_args(command).arg(
        clap::Arg::new("config")
            .long("config")
            .env("FLOWDECK_CONFIG")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("A TOML file with any of these settings, spelled like base_path"),
    );
    let arguments: Vec<OsString> = arguments.collect();
    let known: Vec<String> = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();

    for name in environment.iter().filter_map(|name| name.strip_prefix(PREFIX)) {
        if !known.contains(&name.to_lowercase()) && !FOREIGN.contains(&format!("{PREFIX}{name}").as_str()) {
            bail!("{PREFIX}{name} is not a setting; `flowdeck --help` lists them");
        }
    }

    let first = command.clone().get_matches_from(&arguments);
    let file = first.get_one::<PathBuf>("config").cloned();
    let values = file.as_ref().map(read).transpose()?.unwrap_or_default();
    for (key, value) in values {
        if !known.contains(&key) || key == "config" {
            let file = file.as_deref().unwrap_or_else(|| "".as_ref()).display();
            bail!("{file}: `{key}` is not a setting; `flowdeck --help` lists them");
        }
        command = command.mut_arg(&key, |argument| argument.default_values(value.clone()));
    }

    let in_file = file.as_ref().map(read).transpose()?.unwrap_or_default();
    let matches = command.clone().get_matches_from(&arguments);
    let config = Config::from_arg_matches(&matches).context("reading the settings")?;
    let report = report(&command, &matches, &in_file);
    let command = matches.subcommand().map(|(name, matches)| (name.to_owned(), matches.clone()));
    Ok(Loaded { config, command, report })
}

fn read(file: &PathBuf) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the configuration file {}", file.display()))?;
    let table: toml::Table = text.parse().with_context(|| format!("{} is not TOML", file.display()))?;
    let spell = |value: toml::Value| match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(table
        .into_iter()
        .map(|(key, value)| match value {
            toml::Value::Array(items) => (key, items.into_iter().map(spell).collect()),
            other => (key, vec![spell(other)]),
        })
        .collect())
}

fn report(command: &Command, matches: &ArgMatches, in_file: &BTreeMap<String, Vec<String>>) -> String {
    let mut lines = String::new();
    for argument in command
        .get_arguments()
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
    {
        let id = argument.get_id().as_str();
        let source = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => format!("--{}", argument.get_long().unwrap_or(id)),
            Some(ValueSource::EnvVariable) => format!("{PREFIX}{}", id.to_uppercase()),
            Some(_) if in_file.contains_key(id) => "configuration file".to_owned(),
            _ => "default".to_owned(),
        };
        let value = match matches.get_raw(id) {
            None => "(not set)".to_owned(),
            Some(_) if argument.is_hide_env_values_set() => "(hidden)".to_owned(),
            Some(values) => values.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(","),
        };
        lines.push_str(&format!("{id} = {value}  ({source})\n"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::load;

    fn command() -> clap::Command {
        clap::Command::new("flowdeck")
    }

    fn arguments(words: &[&str]) -> std::vec::IntoIter<std::ffi::OsString> {
        let mut all = vec!["flowdeck".into()];
        all.extend(words.iter().map(std::ffi::OsString::from));
        all.into_iter()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file = file("base_path = \"/from-file\"\nsession_idle = \"1h\"\ntrusted_proxies = [\"10.0.0.0/8\", \"::1/128\"]\n");
        let path = file.path().to_str().unwrap();
        let loaded = load(command(), arguments(&["--config", path, "--base-path", "/typed"]), &[]).unwrap();
        assert_eq!(loaded.config.listen.base_path.as_str(), "/typed");
        assert_eq!(loaded.config.session.session_idle.as_secs(), 3600);
        assert_eq!(loaded.config.listen.trusted_proxies.len(), 2);
        assert!(loaded.report.contains("base_path = /typed  (--base-path)"), "{}", loaded.report);
        assert!(
            loaded.report.contains("session_idle = 1h  (configuration file)"),
            "{}",
            loaded.report
        );
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let file = file("bse_path = \"/x\"\n");
        let error = load(command(), arguments(&["--config", file.path().to_str().unwrap()]), &[])
            .err()
            .unwrap();
        assert!(error.to_string().contains("`bse_path` is not a setting"), "{error}");
        let error = load(command(), arguments(&[]), &["FLOWDECK_BSE_PATH".into()]).err().unwrap();
        assert!(error.to_string().contains("FLOWDECK_BSE_PATH is not a setting"), "{error}");
    }

    #[test]
    fn secrets_are_not_reported() {
        let file = file("secret_key = \"c2VjcmV0\"\n");
        let loaded = load(command(), arguments(&["--config", file.path().to_str().unwrap()]), &[]).unwrap();
        assert!(
            loaded.report.contains("secret_key = (hidden)  (configuration file)"),
            "{}",
            loaded.report
        );
        assert!(!format!("{:?}", loaded.config).contains("c2VjcmV0"));
    }
}
