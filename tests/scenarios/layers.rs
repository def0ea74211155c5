//! The arrows between the rooms of src/ point down only, as the table in the crate's documentation says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

mod floors;
mod names;

/// Each room, and the rooms that it may name. A room that is not here is a room without a place.
const MAY_USE: &[(&str, &[&str])] = &[
    ("notation", &[]),
    ("vocabulary", &[]),
    ("buffer", &[]),
    ("files", &[]),
    ("wire", &[]),
    ("age", &[]),
    ("backup", &["notation", "files", "age"]),
    ("dimse", &["vocabulary", "wire"]),
    ("dataset", &["vocabulary", "buffer", "wire"]),
    ("rewrite", &["buffer", "dataset", "wire"]),
    ("crosswalk", &["files", "dataset", "rewrite"]),
    ("identity", &["notation", "wire"]),
    ("notify", &["notation", "vocabulary"]),
    ("policy", &["vocabulary", "wire", "identity", "dimse"]),
    ("users", &["notation", "files", "policy"]),
    ("tokens", &["notation", "files", "identity"]),
    ("patients", &["notation", "files"]),
    ("consent", &["notation", "files"]),
    ("audit", &["notation", "vocabulary", "age", "files", "wire", "identity", "policy", "dimse"]),
    ("tls", &["notation", "vocabulary", "files", "buffer", "identity"]),
    ("metrics", &["vocabulary", "dimse"]),
    ("http", &["identity", "policy"]),
    ("upper", &["buffer", "wire", "dimse", "tls"]),
    ("trace", &["wire", "dimse", "audit"]),
    (
        "config",
        &[
            "notation",
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
            "metrics",
            "notify",
            "crosswalk",
            "users",
            "tokens",
            "consent",
            "backup",
        ],
    ),
    ("evidence", &["vocabulary", "rewrite", "identity", "policy", "audit", "tls", "notify", "config"]),
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
            "trace",
            "config",
            "metrics",
            "crosswalk",
            "users",
            "tokens",
            "patients",
            "consent",
            "http",
        ],
    ),
    (
        "daemon",
        &[
            "vocabulary",
            "files",
            "policy",
            "notify",
            "audit",
            "tls",
            "tokens",
            "config",
            "crosswalk",
            "metrics",
            "http",
            "relay",
        ],
    ),
    (
        "admin",
        &[
            "notation",
            "vocabulary",
            "files",
            "wire",
            "dimse",
            "identity",
            "policy",
            "notify",
            "audit",
            "tls",
            "http",
            "users",
            "tokens",
            "trace",
            "config",
            "relay",
            "daemon",
        ],
    ),
    (
        "cli",
        &[
            "notation",
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
            "evidence",
            "relay",
            "daemon",
            "admin",
            "crosswalk",
            "users",
            "tokens",
            "backup",
        ],
    ),
];

#[test]
fn every_room_uses_only_what_lies_below_it() {
    let mut upward = Vec::new();
    let mut seen = BTreeSet::new();
    for file in sources() {
        let room = room_of(&file);
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        let allowed = MAY_USE.iter().find(|(name, _)| *name == room);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{} is in no room of the table", file.display()));
        let used = rooms_named_by(&code_of(&text_of(&file))).into_iter().filter(|used| *used != room);
        let found = used.filter(|used| !allowed.contains(&used.as_str()));
        upward.extend(found.map(|used| format!("{}: {room} uses {used}", file.display())));
        seen.insert(room);
    }
    assert_eq!(upward, Vec::<String>::new());
    assert_eq!(seen, rooms(), "rooms found and rooms listed");
}

#[test]
fn no_arrow_points_up_and_the_documentation_of_the_crate_has_every_room() {
    for (index, (room, below)) in MAY_USE.iter().enumerate() {
        let is_above = |used: &&str| MAY_USE[..index].iter().any(|(name, _)| name == used);
        assert!(below.iter().all(is_above), "{room} may use what comes after it");
    }
    let library = text_of(&source_folder().join("lib.rs"));
    let told = library.lines().filter_map(|line| line.strip_prefix("//! | [`")?.split_once("`]"));
    assert_eq!(told.map(|(room, _)| room.to_owned()).collect::<BTreeSet<_>>(), rooms());
    let declared = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    assert_eq!(declared.map(str::to_owned).collect::<BTreeSet<_>>(), rooms());
}

#[test]
fn one_file_knows_the_interface_of_rustls_that_its_next_release_replaces() {
    let knows = |file: &PathBuf| {
        let code = code_of(&fs::read_to_string(file).expect("a source file"));
        ["rustls::unbuffered", "UnbufferedServer", "UnbufferedClient"].iter().any(|name| code.contains(name))
    };
    let files = sources().into_iter().filter(knows);
    let names = files.map(|file| file.file_name().expect("a name").to_owned()).collect::<Vec<_>>();
    assert_eq!(names, ["unbuffered.rs"]);
}

#[test]
fn what_decides_frames_and_rewrites_looks_at_no_clock_and_opens_no_file() {
    let rooms = [
        "vocabulary",
        "buffer",
        "wire",
        "dimse",
        "dataset",
        "rewrite",
        "identity",
        "policy",
        "relay/machine",
    ];
    let waiting = [
        "now_utc",
        "Instant::now",
        "SystemTime::now",
        "std::fs",
        "File::",
        "thread::",
        "block_on",
        "block_in_place",
    ];
    assert_eq!(named_in(&rooms, &waiting), Vec::<String>::new());
}

/// A function without an argument that is handed in is a clock, whatever it is called.
#[test]
fn the_machine_waits_for_nothing_shares_nothing_and_is_told_what_time_it_is() {
    let room = source_folder().join("relay/machine");
    assert!(room.is_dir(), "it is looked at");
    let names =
        ["tokio", "Mutex", "RwLock", "Condvar", "Atomic", "async ", "now_local", ": fn()", "dyn Fn()"];
    assert_eq!(named_in(&["relay/machine"], &names), Vec::<String>::new());
}

/// Which of these names stand in the code of some rooms, and where.
fn named_in(rooms: &[&str], names: &[&str]) -> Vec<String> {
    // It is decoded by whoever has a thread for that, under a deadline of the decoder's own.
    let is_decoder = |file: &PathBuf| file.ends_with("rewrite/pixels/jpeg.rs");
    let files = sources().into_iter().filter(|file| !is_decoder(file));
    let inside = files.filter(|file| rooms.iter().any(|room| file.starts_with(source_folder().join(room))));
    let named = |(code, file): (String, PathBuf)| {
        let named = names.iter().filter(move |name| code.contains(**name));
        named.map(move |name| format!("{}: {name}", file.display())).collect::<Vec<_>>()
    };
    inside.map(|file| (code_of(&text_of(&file)), file)).flat_map(named).collect()
}

#[test]
fn paths_are_read_however_they_are_written() {
    let code = "use crate::relay::drive;\nuse crate::{config::{Settings, crate_name}, tls};\nfn f() { crate::cli::main() }";
    assert_eq!(rooms_named_by(code), ["cli", "config", "relay", "tls"].map(String::from).into());
    let tested = "use crate::wire::Uid;\n// crate::relay in a comment\n/// [`crate::cli`]\n#[cfg(test)]\nmod tests {\n    use crate::config;\n}\n";
    assert_eq!(rooms_named_by(&code_of(tested)), ["wire"].map(String::from).into());
}

#[test]
fn what_stands_behind_an_item_of_the_tests_is_read() {
    let some = "#[cfg(test)]\nuse crate::cli;\n#[cfg(test)]\nmod tests;\nuse crate::wire;\nimpl X {\n    #[cfg(test)]\n    #[rustfmt::skip]\n    fn a(\n        x: crate::audit::X,\n    ) -> crate::config::X {\n        b();\n    }\n\n    fn c() -> crate::tls::X {}\n}\n";
    assert_eq!(rooms_named_by(&code_of(some)), ["tls", "wire"].map(String::from).into());
    assert_eq!(test_modules(some), ["tests"]);
}

fn rooms() -> BTreeSet<String> {
    MAY_USE.iter().map(|(room, _)| room.to_string()).collect()
}

pub(crate) fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

pub(crate) fn text_of(file: &Path) -> String {
    fs::read_to_string(file).expect("a source file")
}

/// The first folder, or the file itself, below src/.
fn room_of(file: &Path) -> String {
    let below = file.strip_prefix(source_folder()).expect("a file of src/");
    let first = below.iter().next().expect("a name").to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

/// Every file of src/ but those of modules that are there for tests alone.
pub(crate) fn sources() -> Vec<PathBuf> {
    let all = within(&source_folder());
    let of_tests: Vec<PathBuf> = (all.iter())
        .flat_map(|file| test_modules(&text_of(file)).into_iter().map(|name| folder_of(file).join(name)))
        .collect();
    let is_code = |file: &PathBuf| {
        !of_tests.iter().any(|module| file.starts_with(module) || *file == module.with_extension("rs"))
    };
    all.into_iter().filter(is_code).collect()
}

fn within(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of src/").flatten().map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    files.chain(folders.iter().flat_map(|folder| within(folder))).collect()
}

/// Where the modules are that a file declares.
fn folder_of(file: &Path) -> PathBuf {
    match file.file_name().and_then(|name| name.to_str()) {
        Some("mod.rs" | "lib.rs" | "main.rs") => file.with_file_name(""),
        _ => file.with_extension(""),
    }
}

/// Names of the modules in files of their own that a file declares for its tests.
fn test_modules(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared =
        lines.windows(2).filter(|pair| pair[0] == TEST).filter_map(|pair| pair[1].strip_suffix(';'));
    let name = |line: &str| line.split_once("mod ").map(|(_, name)| name.to_owned());
    declared.filter(|line| !line.starts_with("use ")).filter_map(name).collect()
}

const TEST: &str = "#[cfg(test)]";

/// Without comments, and without what is there for tests alone: it may look at other rooms. An item ends, as rustfmt writes
/// it, with a line that is indented as its first one is and closes something, or with its first line.
pub(crate) fn code_of(text: &str) -> String {
    let mut lines = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim_end());
    let mut code = Vec::new();
    while let Some(line) = lines.next() {
        if line.trim_start() != TEST {
            code.push(line);
            continue;
        }
        let indent = &line[..line.len() - TEST.len()];
        let is_begun = |line: &&str| !line.trim_start().starts_with("#[");
        let first = lines.by_ref().find(is_begun).expect("an item behind its attribute");
        if !first.ends_with([';', '}', ',']) {
            let closes = |line: &str| {
                let rest = line.strip_prefix(indent);
                rest.is_some_and(|rest| rest.starts_with(['}', ')', ']']) && rest.ends_with(['}', ';', ',']))
            };
            lines.by_ref().find(|line| closes(line));
        }
    }
    code.join("\n")
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
