//! Every word that records may say is made somewhere, and said the same by all who say it.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use dimsegate::vocabulary::{
    Cause, Ended, HandshakeFault, HeadFound, Notice, Reason, Tolerance, Word, reasons,
};

#[test]
fn each_word_is_made_somewhere_outside_of_the_vocabulary() {
    let code = code_outside_of(&["vocabulary"]);
    let every = [
        names("Reason", Reason::ALL),
        names("Cause", Cause::ALL),
        names("Notice", Notice::ALL),
        names("Ended", Ended::ALL),
        names("HandshakeFault", HandshakeFault::ALL),
        names("HeadFound", HeadFound::ALL),
        names("Tolerance", Tolerance::ALL),
    ];
    let of_faults =
        fs::read_to_string(source_folder().join("vocabulary/handshake.rs")).expect("the file of handshakes");
    let (_, behind) = of_faults.split_once("fn reason(self)").expect("the reasons of handshakes");
    let of_handshakes = behind.split("\n    }\n").next().unwrap_or_default();
    let made = |name: &String| names_it(&code, name) || names_it(of_handshakes, name);
    let missing: BTreeSet<String> = every.concat().into_iter().filter(|name| !made(name)).collect();
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn no_label_is_written_out_where_a_word_could_be_named() {
    let code = code_outside_of(&["vocabulary", "config"]);
    let words = reasons().chain(Tolerance::WORDS).chain(HandshakeFault::WORDS);
    let labels = words.map(|word: &Word| word.label).filter(|label| label.contains('-'));
    // Keys of the configuration are called as what they limit.
    let written: Vec<&str> = labels.filter(|label| code.contains(&format!("\"{label}\""))).collect();
    assert_eq!(written, Vec::<&str>::new());
}

fn names<T: Debug>(name: &str, all: &[T]) -> Vec<String> {
    let variant = |one: &T| format!("{one:?}").split(' ').next().unwrap_or_default().to_owned();
    all.iter().map(|one| format!("{name}::{}", variant(one))).collect()
}

/// Whether the code has this path, and not only one that begins so.
fn names_it(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        !code[at + path.len()..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
    })
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// What runs of all rooms but these: without comments and tests.
fn code_outside_of(rooms: &[&str]) -> String {
    let mut code = String::new();
    let mut folders = vec![source_folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of src/").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && !rooms.iter().any(|room| name == *room) && name != "tests" {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && name != "tests.rs" {
                code.push_str(&without_tests(&fs::read_to_string(&path).expect("a source file")));
            }
        }
    }
    code
}

fn without_tests(text: &str) -> String {
    let lines = text.lines().take_while(|line| *line != "#[cfg(test)]");
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |code, line| code + line + "\n")
}
