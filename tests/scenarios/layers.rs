//! The arrows between the rooms of src/ point down only, as the table in the crate's documentation says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may name. A room that is not here is a room without a place.
const MAY_USE: [(&str, &[&str]); 18] = [
    ("vocabulary", &[]),
    ("buffer", &[]),
    ("files", &[]),
    ("wire", &[]),
    ("age", &[]),
    ("dimse", &["vocabulary", "wire"]),
    ("dataset", &["vocabulary", "wire"]),
    ("rewrite", &["dataset", "wire"]),
    ("crosswalk", &["files", "dataset", "rewrite"]),
    ("identity", &["wire"]),
    ("policy", &["vocabulary", "wire", "identity", "dimse"]),
    ("audit", &["vocabulary", "age", "files", "wire", "identity", "policy", "dimse"]),
    ("tls", &["files", "buffer", "identity"]),
    ("upper", &["buffer", "wire", "dimse", "tls"]),
    (
        "config",
        &[
            "vocabulary",
            "files",
            "wire",
            "dimse",
            "dataset",
            "rewrite",
            "identity",
            "policy",
            "audit",
            "tls",
            "crosswalk",
        ],
    ),
    (
        "relay",
        &[
            "vocabulary",
            "files",
            "buffer",
            "wire",
            "dimse",
            "dataset",
            "rewrite",
            "identity",
            "policy",
            "audit",
            "tls",
            "upper",
            "config",
            "crosswalk",
        ],
    ),
    ("daemon", &["vocabulary", "audit", "tls", "config", "crosswalk", "relay"]),
    (
        "cli",
        &[
            "vocabulary",
            "files",
            "wire",
            "dimse",
            "dataset",
            "rewrite",
            "identity",
            "policy",
            "audit",
            "tls",
            "upper",
            "config",
            "relay",
            "daemon",
            "crosswalk",
        ],
    ),
];

#[test]
fn every_room_uses_only_what_lies_below_it() {
    let mut upward = Vec::new();
    let mut seen = BTreeSet::new();
    for file in sources(&source_folder()) {
        let room = room_of(&file);
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        let allowed = MAY_USE.iter().find(|(name, _)| *name == room);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{} is in no room of the table", file.display()));
        let code = code_of(&fs::read_to_string(&file).expect("a source file"));
        let used = rooms_named_by(&code).into_iter().filter(|used| *used != room);
        let found = used.filter(|used| !allowed.contains(&used.as_str()));
        upward.extend(found.map(|used| format!("{}: {room} uses {used}", file.display())));
        seen.insert(room);
    }
    assert_eq!(upward, Vec::<String>::new());
    assert_eq!(
        seen,
        MAY_USE.iter().map(|(room, _)| room.to_string()).collect(),
        "rooms found and rooms listed"
    );
}

#[test]
fn one_file_knows_the_interface_of_rustls_that_its_next_release_replaces() {
    let knows = |file: &PathBuf| {
        let code = code_of(&fs::read_to_string(file).expect("a source file"));
        ["rustls::unbuffered", "UnbufferedServer", "UnbufferedClient"].iter().any(|name| code.contains(name))
    };
    let files = sources(&source_folder()).into_iter().filter(knows);
    let names = files.map(|file| file.file_name().expect("a name").to_owned()).collect::<Vec<_>>();
    assert_eq!(names, ["unbuffered.rs"]);
}

#[test]
fn paths_are_read_however_they_are_written() {
    let code = "use crate::relay::drive;\nuse crate::{config::{Settings, crate_name}, tls};\nfn f() { crate::cli::main() }";
    assert_eq!(rooms_named_by(code), ["cli", "config", "relay", "tls"].map(String::from).into());
    let tested = "use crate::wire::Uid;\n// crate::relay in a comment\n/// [`crate::cli`]\n#[cfg(test)]\nmod tests {\n    use crate::config;\n}\n";
    assert_eq!(rooms_named_by(&code_of(tested)), ["wire"].map(String::from).into());
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The first folder, or the file itself, below src/.
fn room_of(file: &Path) -> String {
    let below = file.strip_prefix(source_folder()).expect("a file of src/");
    let first = below.iter().next().expect("a name").to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of src/").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    found
}

/// Without comments, and up to the tests at the end of the file: they may look at other rooms.
fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.take_while(|line| !line.contains("#[cfg(test)]")).collect::<Vec<_>>().join("\n")
}

/// First segments after `crate::`, in braces too.
fn rooms_named_by(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => rooms.extend(top_level(group)),
            None => {
                rooms.insert(first_segment(rest));
            }
        }
    }
    rooms
}

/// The first segment of each path of a `{…}` group, nested groups passed over.
fn top_level(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(first_segment(&group[start..at]));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|segment| !segment.is_empty());
    found
}

fn first_segment(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
