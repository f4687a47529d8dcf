//! Folders: what stands before each `/` in the names of experiments. A `/` at the beginning or the end, or right behind another, is a part of a name.

/// The path of a folder and the name that it is shown under.
pub struct Folder<'a> {
    pub name: &'a str,
    pub path: &'a str,
}

/// The folders around the experiment called `name`, outermost first, and its own name within the last of them.
pub fn around(name: &str) -> (Vec<Folder<'_>>, &str) {
    let mut folders = Vec::new();
    let mut rest = name;
    while let Some((first, behind)) = split(rest) {
        let end = name.len() - behind.len() - 1;
        folders.push(Folder {
            name: first,
            path: &name[..end],
        });
        rest = behind;
    }
    (folders, rest)
}

/// The folders that lead to the folder at `path`, itself the last one.
pub fn way(path: &str) -> Vec<Folder<'_>> {
    let (mut folders, last) = around(path);
    if !last.is_empty() {
        folders.push(Folder { name: last, path });
    }
    folders
}

/// What stands behind `folder` in `name`; all of it where `folder` is empty.
pub fn below<'a>(folder: &str, name: &'a str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(name);
    }
    name.strip_prefix(folder)?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

/// The first folder of a name and what stands behind it.
pub fn split(name: &str) -> Option<(&str, &str)> {
    let start = name.len() - name.trim_start_matches('/').len();
    let at = start + name[start..].find('/')?;
    let rest = &name[at + 1..];
    (at > 0 && !rest.trim_matches('/').is_empty()).then(|| (&name[..at], rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> (Vec<(String, String)>, &str) {
        let (folders, last) = around(name);
        (
            folders
                .iter()
                .map(|folder| (folder.name.to_owned(), folder.path.to_owned()))
                .collect(),
            last,
        )
    }

    #[test]
    fn slashes_make_folders() {
        let two = vec![
            ("vision".to_owned(), "vision".to_owned()),
            ("resnet".to_owned(), "vision/resnet".to_owned()),
        ];
        assert_eq!(parts("vision/resnet/sweep"), (two, "sweep"));
        assert_eq!(parts("plain"), (vec![], "plain"));
    }

    #[test]
    fn odd_slashes_belong_to_names() {
        assert_eq!(parts("/Users/me"), (vec![("/Users".into(), "/Users".into())], "me"));
        assert_eq!(parts("a/"), (vec![], "a/"));
        assert_eq!(parts("/"), (vec![], "/"));
        assert_eq!(parts("a//b"), (vec![("a".into(), "a".into())], "/b"));
        assert_eq!(parts("ü/😀"), (vec![("ü".into(), "ü".into())], "😀"));
    }

    #[test]
    fn every_experiment_is_below_its_folders() {
        for name in ["a/b/c", "/Users/me/x", "a//b/c", "x", "//", "a/b/"] {
            let (folders, last) = around(name);
            for folder in &folders {
                assert!(below(folder.path, name).is_some(), "{name}");
            }
            let deepest = folders.last().map_or("", |folder| folder.path);
            assert_eq!(below(deepest, name), Some(last), "{name}");
        }
    }
}
