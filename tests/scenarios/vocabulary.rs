//! Every word that records may say is made somewhere, and said the same by all who say it.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::PathBuf;

use dimsegate::vocabulary::{
    Cause, Ended, HandshakeFault, HeadFound, Notice, Reason, Tolerance, Word, reasons,
};

use crate::layers::{code_of, source_folder, sources, text_of};

#[test]
fn each_word_is_made_somewhere_outside_of_the_vocabulary() {
    let code = without_patterns(&code_outside_of(&["vocabulary"]));
    let every = [
        names("Reason", Reason::ALL),
        names("Cause", Cause::ALL),
        names("Notice", Notice::ALL),
        names("Ended", Ended::ALL),
        names("HandshakeFault", HandshakeFault::ALL),
        names("HeadFound", HeadFound::ALL),
        names("Tolerance", Tolerance::ALL),
    ];
    let of_faults = text_of(&source_folder().join("vocabulary/handshake.rs"));
    let (_, behind) = of_faults.split_once("fn reason(self)").expect("the reasons of handshakes");
    let of_handshakes = without_patterns(behind.split("\n    }\n").next().unwrap_or_default());
    let made = |name: &String| names_it(&code, name) || names_it(&of_handshakes, name);
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

/// What runs of all rooms but these: without comments and tests.
fn code_outside_of(rooms: &[&str]) -> String {
    let is_outside = |file: &PathBuf| !rooms.iter().any(|room| file.starts_with(source_folder().join(room)));
    let files = sources().into_iter().filter(is_outside);
    files.map(|file| code_of(&text_of(&file)) + "\n").collect()
}

/// What is left where nothing is matched or compared: a word that stands only there is looked for, and never made. As rustfmt
/// writes it, a pattern stands on the line of its `=>`, its further alternatives and its condition each on a line of their own.
fn without_patterns(code: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in code.lines() {
        let Some((pattern, behind)) = line.split_once("=>") else {
            kept.push(line);
            continue;
        };
        let mut first = pattern;
        while first.trim_start().starts_with(['|']) || first.trim_start().starts_with("if ") {
            first = kept.pop().unwrap_or_default();
        }
        kept.push(behind);
    }
    without_comparisons(&without_bindings(&without_matches(&kept.join("\n"))))
}

/// Without the whole of each `matches!(…)`.
fn without_matches(code: &str) -> String {
    let mut pieces = code.split("matches!(");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let mut depth = 1;
        let end = piece.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        kept.push_str(end.map_or("", |end| &piece[end..]));
    }
    kept
}

/// Without what stands between a `let` and its `=`.
fn without_bindings(code: &str) -> String {
    let mut pieces = code.split("let ");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str(piece.split_once(" = ").map_or(piece, |(_, behind)| behind));
    }
    kept
}

/// Without what anything is compared with.
fn without_comparisons(code: &str) -> String {
    let mut pieces = code.split("== ").flat_map(|piece| piece.split("!= "));
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str(piece.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_:".contains(c)));
    }
    kept
}

#[test]
fn a_word_that_is_only_looked_for_is_not_made() {
    let code = "match word {\n    A::One => A::Two,\n    A::Three\n    | A::Four\n        if let A::Five = A::Six => {}\n}\n\
        let is = matches!(f(x), A::Seven | A::Eight) || word == A::Nine || word != A::Ten;\nlet word = A::Eleven;\n";
    let left = without_patterns(code);
    let made = |name: &&str| names_it(&left, &format!("A::{name}"));
    let every = ["One", "Two", "Three", "Four", "Five", "Seven", "Eight", "Nine", "Ten", "Eleven"];
    assert_eq!(every.into_iter().filter(made).collect::<Vec<_>>(), ["Two", "Eleven"]);
}
