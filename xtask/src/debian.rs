//! Debian's package manager: installing what is missing, unpacking what is only tried, and which mirror this machine uses.

use std::{fs, path::Path, process::Command};

use anyhow::bail;

use crate::{
    file,
    process::{doing, find, output, run, succeeds},
    stamp,
};

/// Installs a package where that is possible without asking anybody; the error says what to install by hand.
pub fn install(package: &str, how_long: &str) -> anyhow::Result<()> {
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if find("apt-get").is_none() || !is_root {
        bail!("install {package} with this system's package manager, then try again");
    }
    doing(&format!("installing Debian's {package}"), how_long);
    let install = || {
        let mut command = Command::new("apt-get");
        command
            .args(["install", "-qq", "-y", "--no-install-recommends", package])
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    if !succeeds(&mut install()) {
        run(Command::new("apt-get").args(["update", "-qq"]))?;
        run(&mut install())?;
    }
    Ok(())
}

/// Unpacks packages below `folder`, where that has not been done: for programs that are to be started by us alone, and not as a
/// service of this machine.
pub fn unpack(packages: &[&str], folder: &Path) -> anyhow::Result<()> {
    let marker = folder.join(".packages");
    let wanted = packages.join(" ");
    if stamp::is(&marker, &wanted) {
        return Ok(());
    }
    if find("apt-get").is_none() || find("dpkg-deb").is_none() {
        bail!("this is no Debian, whose packages are needed: {wanted}");
    }
    doing(&format!("fetching Debian's {wanted}"), "seconds, once");
    let download = folder.join("download");
    file::fresh_folder(folder)?;
    file::make_folder(&download)?;
    // Root's apt would otherwise write as another user, who may not write here.
    let get = || {
        let mut apt = Command::new("apt-get");
        apt.args(["download", "-qq", "-o", "APT::Sandbox::User=root"]).args(packages);
        apt.current_dir(&download);
        apt
    };
    if !succeeds(&mut get()) {
        run(Command::new("apt-get").args(["update", "-qq"]))?;
        run(&mut get())?;
    }
    for archive in file::entries(&download)? {
        run(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(folder))?;
    }
    file::remove_folder(&download)?;
    file::write(&marker, wanted)
}

/// The address of the Debian mirror that this machine's own apt uses.
pub fn mirror() -> anyhow::Result<Option<String>> {
    let mut files = vec!["/etc/apt/sources.list".into()];
    files.extend(file::entries(Path::new("/etc/apt/sources.list.d")).unwrap_or_default());
    for path in files {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let found = match path.extension().and_then(|name| name.to_str()) {
            Some("list") => from_lines(&text),
            Some("sources") => from_stanzas(&text),
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The old format: `deb [options] address suite component…`.
fn from_lines(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let line = line.split('#').next()?.trim().strip_prefix("deb ")?.trim();
        let line = if line.starts_with('[') { line.split_once(']')?.1 } else { line };
        let mut words = line.split_whitespace();
        let address = words.next()?;
        let _suite = words.next()?;
        is_debian(address, words).then(|| address.to_owned())
    })
}

/// The deb822 format: stanzas of `Key: values`, a line that begins with a space continues the one before.
fn from_stanzas(text: &str) -> Option<String> {
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    let text = text.replace("\n ", " ").replace("\n\t", " ");
    text.split("\n\n").find_map(|stanza| {
        let value = |key: &str| {
            let mut fields = stanza.lines().filter_map(|line| line.split_once(':'));
            fields
                .find(|(name, _)| name.trim().eq_ignore_ascii_case(key))
                .map_or("", |(_, value)| value.trim())
        };
        if value("Enabled").eq_ignore_ascii_case("no") || !value("Types").split_whitespace().any(|kind| kind == "deb") {
            return None;
        }
        let mut addresses = value("URIs").split_whitespace();
        addresses
            .find(|address| is_debian(address, value("Components").split_whitespace()))
            .map(str::to_owned)
    })
}

/// Other people's repositories also end in `/debian`, but call their components otherwise.
fn is_debian<'a>(address: &str, mut components: impl Iterator<Item = &'a str>) -> bool {
    address.trim_end_matches('/').ends_with("/debian") && components.any(|component| component == "main")
}

#[cfg(test)]
mod tests {
    use super::{from_lines, from_stanzas};

    #[test]
    fn the_old_format_is_read() {
        let text = "# deb http://old.example/debian x main\n\
                    deb-src http://src.example/debian x main\n\
                    deb http://security.example/debian-security x main\n\
                    deb https://docker.example/linux/debian x stable\n\
                    deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # ours\n";
        assert_eq!(from_lines(text).as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(from_lines("\n"), None);
    }

    #[test]
    fn stanzas_are_read() {
        let text = "Types: deb\nURIs: https://node.example/node\nSuites: x\nComponents: main\n\n\
                    Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nComponents: main\n\n\
                    Types: deb deb-src\n# URIs: http://comment.example/debian\nURIs: http://mirror.example/debian/\nSuites: bookworm\n bookworm-updates\nComponents:\n main\n";
        assert_eq!(from_stanzas(text).as_deref(), Some("http://mirror.example/debian/"));
    }
}
