//! The fuzz targets of tests/fuzz over their seeds, with the compiler that builds the proxy: each as it is, and changed in a
//! few places that are the same in every run. What a fuzzer left on this machine is no part of it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::peers_folder;
use crate::scratch::Scratch;

#[path = "../fuzz/associate.rs"]
mod associate;
#[path = "../fuzz/command.rs"]
mod command;
#[path = "../fuzz/configuration.rs"]
mod configuration;
#[path = "../fuzz/decision.rs"]
mod decision;
#[path = "../fuzz/deframer.rs"]
mod deframer;
#[path = "../fuzz/machine.rs"]
mod machine;
#[path = "../fuzz/small.rs"]
mod small;
#[path = "../fuzz/token.rs"]
mod token;
#[path = "../fuzz/transform.rs"]
mod transform;

/// How often a file is changed.
const CHANGES: u64 = 24;
/// Larger files take the time of many small ones, and are read by other scenarios.
const LARGEST: usize = 4096;

#[test]
fn requests_and_answers_of_the_corpus_are_read_as_one_thing() {
    run("associate", associate::check);
}

#[test]
fn command_sets_of_the_corpus_have_one_reading_or_none() {
    run("command", command::check);
}

#[test]
fn configurations_of_the_corpus_are_settings_or_problems_that_point_to_a_place() {
    let folder = Scratch::new();
    run("configuration", |input| configuration::check(input, folder.path()));
}

#[test]
fn nobody_of_the_corpus_gets_in_whom_no_peer_describes() {
    run("decision", decision::check);
}

#[test]
fn streams_of_the_corpus_hold_the_same_messages_in_any_chunking() {
    run("deframer", deframer::check);
}

#[test]
fn associations_of_the_corpus_come_to_the_same_in_any_chunking() {
    let went_on = Cell::new(0);
    run("machine", |input| went_on.set(went_on.get() + machine::check(input)));
    assert!(went_on.get() > 100, "too little goes on for the test to mean anything: {}", went_on.get());
}

#[test]
fn small_data_sets_of_the_corpus_are_what_any_reader_reads() {
    run("small", small::check);
}

#[test]
fn tokens_of_the_corpus_prove_nobody_whom_their_issuer_has_not_signed() {
    run("token", token::check);
}

#[test]
fn data_sets_of_the_corpus_are_the_same_in_any_chunking() {
    run("transform", transform::check);
}

/// A target over its seeds.
fn run(target: &str, check: impl Fn(&[u8])) {
    let corpus = seeds();
    let seeds = files(&corpus.path().join(target));
    assert!(!seeds.is_empty(), "no seed for {target}");
    for path in seeds {
        let bytes = fs::read(&path).expect("a file of the corpus");
        // Shown where the next line panics.
        eprintln!("{}", path.display());
        check(&bytes);
        for change in (0..CHANGES).filter(|_| bytes.len() <= LARGEST) {
            let changed = changed(&bytes, change);
            eprintln!("{}, change {change}", path.display());
            check(&changed);
        }
    }
}

/// As the committed script makes them, of what is committed and of the objects of the Python packages that tests/run pins.
fn seeds() -> Scratch {
    let folder = Scratch::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds.py");
    let made =
        Command::new("python3").arg(script).args([folder.path(), &peers_folder().join("venv")]).output();
    let made = made.unwrap_or_else(|error| panic!("python3: {error}; tests/run installs it"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// Up to four bytes of other values, and every third time an end that comes too early.
fn changed(bytes: &[u8], change: u64) -> Vec<u8> {
    let mut numbers = Numbers(change.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut changed = bytes.to_vec();
    if change.is_multiple_of(3) {
        changed.truncate(numbers.below(bytes.len() + 1));
    }
    for _ in 0..=change % 4 {
        if !changed.is_empty() {
            let at = numbers.below(changed.len());
            changed[at] = [0, 1, 0x7F, 0x80, 0xFF, numbers.below(256) as u8][numbers.below(6)];
        }
    }
    changed
}

/// Marsaglia's xorshift: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
