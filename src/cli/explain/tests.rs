//! What is printed, and whether it is a success.

use std::path::Path;

use clap::Parser;

use super::{Args, Shown, explain};
use crate::config;
use crate::daemon::blocks_in;
use crate::scratch::Scratch;

const TEXT: &str = r#"
[[listener]]
name = "l"
address = "127.0.0.1:11112"
upstream = "u"
[[upstream]]
name = "u"
addresses = ["10.0.0.5:104"]
called-ae-title = "PACS"
[[role]]
name = "r"
operations = ["C-STORE"]
sop-classes = ["storage"]
[[peer]]
name = "p"
networks = ["10.0.0.0/8"]
calling-ae-titles = ["CT*"]
role = "r"
"#;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// The text without its configuration's path, and whether it is allowed.
fn explained(line: &str) -> (String, bool) {
    explained_with(line, Scratch::new().path())
}

/// With what is kept in a folder.
fn explained_with(line: &str, state: &Path) -> (String, bool) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TEXT).unwrap();
    let path = file.path().display().to_string();
    let words = format!("explain -c {path} --listener l {line}");
    let args = Line::try_parse_from(words.split(' ')).unwrap().args;
    let settings = config::load(file.path()).unwrap().settings;
    let (text, allowed) =
        explain(&settings, &settings.listeners[0], &args, &Shown::default(), &blocks_in(state));
    (text.replace(&path, "FILE"), allowed)
}

#[test]
fn what_is_allowed_is_told_with_its_lines() {
    let (text, allowed) =
        explained("--from 10.1.2.3 --calling CT1 --called X --operation c-store --sop-class CTImageStorage");
    assert!(allowed);
    assert!(
        text.starts_with("allowed: peer \"p\" (FILE:14)\n  role       \"r\" (FILE:10): C-STORE\n"),
        "{text}"
    );
    assert!(text.contains("  called     X, upstream PACS\n"), "{text}");
    assert!(text.ends_with("  operation  C-STORE is allowed\n"), "{text}");
}

#[test]
fn what_is_refused_is_told_as_the_requestor_sees_it() {
    let (text, allowed) = explained("--from 10.1.2.3 --calling MR1 --called X");
    assert!(!allowed && text.contains("nearest    peer \"p\" (FILE:14), calling-ae-titles\n"), "{text}");
    assert!(text.contains("\n  stated     calling-ae-titles (FILE:17)\n"), "{text}");
    assert!(
        text.contains("A-ASSOCIATE-RJ 1/1/3: rejected-permanent, calling-AE-title-not-recognized"),
        "{text}"
    );
    let (text, allowed) = explained("--from 11.1.2.3 --calling CT1 --called X");
    assert!(!allowed && text.ends_with("requestor  the connection closed, before TLS\n"), "{text}");
    assert!(text.contains("\n  stated     networks (FILE:16)\n"), "of the only peer: {text}");
}

#[test]
fn an_operation_or_a_context_that_is_refused_is_no_success() {
    let (text, allowed) = explained("--from 10.1.2.3 --calling CT1 --called X --operation C-FIND");
    assert!(
        !allowed && text.ends_with("C-FIND is refused, status 0x0124: operation not allowed for this peer\n"),
        "{text}"
    );
    let (text, allowed) = explained("--from 10.1.2.3 --calling CT1 --called X --sop-class Verification");
    assert!(!allowed && text.contains("result 1 (user-rejection): sop-class-not-allowed"), "{text}");
}

#[test]
fn whoever_is_blocked_is_refused_with_what_takes_it_back_and_a_file_that_cannot_be_read_is_said() {
    let home = Scratch::new();
    let asked = "--from 10.1.2.3 --calling CT1 --called X";
    for (of, ending) in [
        ("ae-title:CT1", "A-ASSOCIATE-RJ 1/1/1: "),
        ("peer:p", "A-ASSOCIATE-RJ 1/1/1: "),
        ("address:10.1.0.0/16", "the connection closed, before TLS\n"),
    ] {
        let row =
            format!(r#"{{"id":7,"of":"{of}","why":"stolen","by":"anna","since":"2026-11-30T00:00:00Z"}}"#);
        let text = format!(r#"{{"next":8,"blocks":[{row}]}}"#);
        std::fs::write(home.path().join("blocks.json"), &text).unwrap();
        let (text, allowed) = explained_with(asked, home.path());
        assert!(!allowed && text.starts_with("refused: "), "{text}");
        let why = format!("block 7: {of} is blocked until it is taken back by anna: stolen\n");
        assert!(text.contains(&why) && text.contains("  to change  dimsegate unblock 7\n"), "{text}");
        assert!(text.contains(&format!("  requestor  {ending}")), "{text}");
    }
    std::fs::write(home.path().join("blocks.json"), "{").unwrap();
    let (text, allowed) = explained_with(asked, home.path());
    assert!(
        allowed && text.contains("\n  not known  the blocks in ") && text.contains("blocks.json: EOF"),
        "{text}"
    );
}
