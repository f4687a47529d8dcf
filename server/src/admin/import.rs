//! `/api/flowdeck/v1/access/export` and `import`: direct grants as `user,resource_type,resource,permission`. For owners. Reading a file changes
//! nothing: what it asks for comes back as edits.

use std::collections::{HashMap, HashSet};

use app::api::flowdeck::{
    access::{Import, ImportFault},
    change::Edit,
    grant::{Kind, Level, Subject, Target},
};
use axum::{
    Extension, Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{change::target, world::World};
use crate::{
    audit::{Note, export::cell},
    caller,
    error::Result,
    extract,
    principal::Principal,
    state,
};

const HEAD: [&str; 4] = ["user", "resource_type", "resource", "permission"];
/// Faults that are told.
const MOST_FAULTS: usize = 200;
/// Letters of one, which may have a whole file in it.
const LONGEST_FAULT: usize = 300;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportFile {
    /// The whole file. `resource` is an experiment's id or name, a model's name, or `*`; an empty `permission` takes the grant away.
    csv: String,
}

/// `GET /api/flowdeck/v1/access/export` → all direct grants as a CSV file
#[utoipa::path(get, path = "/access/export", tag = "Access", responses((status = 200, content_type = "text/csv", body = String)))]
pub async fn export(State(state): State<state::State>, Extension(principal): Extension<Principal>) -> Result<Response> {
    caller::owner(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"grants.csv\""),
    ];
    Ok((headers, written(&world)).into_response())
}

fn written(world: &World) -> String {
    let mut text = HEAD.join(",") + "\r\n";
    for (user, held) in &world.users {
        for (on, entry) in &held.grants {
            let resource = world.things.name(on).filter(|_| on.kind == Kind::Experiment);
            // A name of digits would be read as an id.
            let resource = resource.filter(|name| !is_id(name)).unwrap_or(&on.id);
            for (number, word) in [user, on.kind.name(), resource, entry.level.name()].into_iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                cell(word, &mut text);
            }
            text.push_str("\r\n");
        }
    }
    text
}

/// `POST /api/flowdeck/v1/access/import` → what a CSV file of grants asks for, as edits; nothing is changed
#[utoipa::path(post, path = "/access/import", tag = "Access", request_body = ImportFile, responses((status = 200, body = Import)))]
pub async fn import(
    State(state): State<state::State>,
    Extension(principal): Extension<Principal>,
    Extension(note): Extension<Note>,
    extract::Json(file): extract::Json<ImportFile>,
) -> Result<Json<Import>> {
    note.changes(false);
    caller::owner(&state, &principal).await?;
    let world = state.index.world(&state, &principal).await?;
    let read = tokio::task::spawn_blocking(move || read(&world, &file.csv));
    Ok(Json(read.await.map_err(anyhow::Error::from)?))
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read(world: &World, text: &str) -> Import {
    let by_name: HashMap<&str, &Target> = world
        .things
        .all
        .iter()
        .filter(|(on, _)| on.kind == Kind::Experiment)
        .map(|(on, (name, _))| (name.as_str(), on))
        .collect();
    let mut import = Import::default();
    let mut seen = HashSet::new();
    let (lines, unclosed) = lines(text.trim_start_matches('\u{feff}'));
    for (line, fields) in lines {
        if fields == HEAD || fields.iter().all(|field| field.is_empty()) {
            continue;
        }
        let fields: Vec<&str> = fields.iter().map(|field| plain(field)).collect();
        match edit(world, &by_name, &fields) {
            Ok(Edit::Grant { to, on, .. }) if !seen.insert((to.clone(), on.clone())) => {
                fault(&mut import, line, "this user and resource stand in an earlier line".to_owned());
            }
            Ok(edit) if edit.is_empty() => import.unchanged += 1,
            Ok(edit) => import.edits.push(edit),
            Err(message) => fault(&mut import, line, message),
        }
    }
    if let Some(line) = unclosed {
        fault(&mut import, line, "the quote that begins here is not closed".to_owned());
    }
    import
}

fn fault(import: &mut Import, line: usize, message: String) {
    import.faulty += 1;
    if import.faults.len() < MOST_FAULTS {
        let message = match message.char_indices().nth(LONGEST_FAULT) {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message,
        };
        import.faults.push(ImportFault { line, message });
    }
}

/// What a spreadsheet would have taken for a formula has a quote before it.
fn plain(field: &str) -> &str {
    match field.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => field,
    }
}

fn edit(world: &World, by_name: &HashMap<&str, &Target>, fields: &[&str]) -> Result<Edit, String> {
    let &[user, kind, resource, permission] = fields else {
        let fields = match fields.len() {
            1 => "1 field".to_owned(),
            many => format!("{many} fields"),
        };
        return Err(format!(
            "{fields} instead of 4 with commas between them: user,resource_type,resource,permission"
        ));
    };
    // People write spaces after commas; names may have some of their own.
    let (kind, permission) = (kind.trim(), permission.trim());
    let user = if world.users.contains_key(user) { user } else { user.trim() };
    let resource = if by_name.contains_key(resource) {
        resource
    } else {
        resource.trim()
    };
    let held = world.users.get(user).ok_or_else(|| format!("there is no user {user}"))?;
    let kind = Kind::named(kind).ok_or_else(|| format!("{kind} is no resource type of MLflow's"))?;
    let on = match by_name.get(resource) {
        Some(on) if kind == Kind::Experiment && !is_id(resource) => (*on).clone(),
        None if kind == Kind::Experiment && !is_id(resource) && resource != Target::ALL => {
            return Err(format!("there is no experiment {resource}"));
        }
        _ => Target::new(kind, resource),
    };
    target(&on)?;
    let will = match permission.to_uppercase().as_str() {
        "" | "NONE" => None,
        name => {
            Some(Level::named(name).ok_or_else(|| format!("{permission} is no permission: READ, USE, EDIT, MANAGE, DENY, or nothing"))?)
        }
    };
    if kind == Kind::Workspace {
        return Err("MLflow takes grants on the workspace for roles only".into());
    }
    Ok(Edit::Grant {
        was: held.grants.get(&on).map(|entry| entry.level),
        to: Subject::User(user.to_owned()),
        on,
        will,
    })
}

/// The lines of a CSV file (RFC 4180), each with the number of the line that it begins in; and where one begins whose quote has no end.
fn lines(text: &str) -> (Vec<(usize, Vec<String>)>, Option<usize>) {
    let (mut lines, mut fields, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begin, mut quoted) = (1, 1, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                fields.push(std::mem::take(&mut field));
                lines.push((begin, std::mem::take(&mut fields)));
                line += 1;
                begin = line;
            }
            '\r' if !quoted => {}
            letter => {
                line += usize::from(letter == '\n');
                field.push(letter);
            }
        }
    }
    if quoted {
        return (lines, Some(begin));
    }
    if !field.is_empty() || !fields.is_empty() {
        fields.push(field);
        lines.push((begin, fields));
    }
    (lines, None)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use app::api::flowdeck::{
        change::Edit,
        grant::{Kind, Level, Subject, Target},
    };

    use super::{LONGEST_FAULT, MOST_FAULTS, lines, read, written};
    use crate::admin::world::{Things, World, tests::grant, tests::world};

    #[test]
    fn a_line_has_fields_and_a_number() {
        let (found, unclosed) = lines("a,b\r\n\"c,\"\"d\",\"e\nf\"\ng,");
        let texts: Vec<(usize, Vec<&str>)> = found
            .iter()
            .map(|(line, fields)| (*line, fields.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(texts, [(1, vec!["a", "b"]), (2, vec!["c,\"d", "e\nf"]), (4, vec!["g", ""])]);
        assert_eq!(unclosed, None);
        assert!(lines("").0.is_empty());
        let (found, unclosed) = lines("a,b\nc,\"d\ne,f\n");
        assert_eq!((found.len(), unclosed), (1, Some(2)));
    }

    fn named() -> World {
        let mut world = world(None);
        let all = [("7", "team/x"), ("8", "9")].map(|(id, name)| (Target::new(Kind::Experiment, id), (name.to_owned(), None)));
        world.things = Arc::new(Things {
            all: BTreeMap::from(all),
            read_at: 0,
        });
        world
    }

    #[test]
    fn what_is_written_asks_for_nothing_when_it_is_read() {
        let mut world = named();
        for (id, level) in [("7", Level::Edit), ("8", Level::Deny), ("*", Level::Read)] {
            let on = Target::new(Kind::Experiment, id);
            world.make(&grant(Subject::User("ada".into()), &on, None, Some(level)), None);
        }
        let file = written(&world);
        assert!(
            file.contains("ada,experiment,team/x,EDIT\r\n") && file.contains("ada,experiment,8,DENY"),
            "{file}"
        );
        let again = read(&world, &file);
        assert!(
            again.edits.is_empty() && again.faults.is_empty() && again.unchanged == 3,
            "{again:?}"
        );
    }

    #[test]
    fn each_fault_is_told_with_its_line() {
        let world = named();
        let file = "user,resource_type,resource,permission\nada,experiment,team/x,edit\nada,experiment,7,READ\nbob,experiment,7,\n\
                    eve,experiment,7,READ\nada,planet,x,READ\nada,experiment,gone,READ\nada,run,5,READ\nada,experiment,8,OWN\nada,x";
        let import = read(&world, file);
        let on = Target::new(Kind::Experiment, "7");
        let wanted: [Edit; 1] = [grant(Subject::User("ada".into()), &on, None, Some(Level::Edit))];
        assert_eq!(import.edits, wanted);
        assert_eq!(import.unchanged, 1);
        let lines: Vec<usize> = import.faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [3, 5, 6, 7, 8, 9, 10], "{:?}", import.faults);
        let many = format!("{},experiment,7,READ\n", "eve".repeat(1000)).repeat(MOST_FAULTS + 5);
        let import = read(&world, &many);
        assert_eq!((import.faulty, import.faults.len()), (MOST_FAULTS + 5, MOST_FAULTS));
        assert!(import.faults[0].message.chars().count() <= LONGEST_FAULT + 1);
    }

    #[test]
    fn spaces_after_commas_are_none_of_a_name() {
        let world = named();
        let import = read(&world, "ada, experiment, team/x, edit\nada ,experiment, 8 ,READ");
        assert_eq!((import.edits.len(), import.faulty), (2, 0), "{:?}", import.faults);
        let import = read(&world, "ada;experiment;7;READ\nada,experiment,\"7,READ");
        let told: Vec<&str> = import.faults.iter().map(|fault| fault.message.as_str()).collect();
        assert!(
            told[0].starts_with("1 field instead of 4") && told[1].contains("not closed"),
            "{told:?}"
        );
    }
}
