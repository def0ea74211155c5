//! Says in the trail who reads it.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::audit::used::{LONGEST_ARGUMENTS, Note, leave, leave_for_the_first_run};

/// Leaves a note for the process that writes the records. Where that cannot be done, the person who reads is told, and
/// may read all the same: whoever can read the files can do so without this command.
pub(in crate::cli) fn note(command: &str, folder: &Path) {
    if !folder.is_dir() {
        return;
    }
    let arguments = arguments(std::env::args_os().skip_while(|argument| argument != command).skip(1));
    leave_in(folder, &note_of(command, arguments), "reading these records");
}

/// Says in the trail that a command was run which reads more than records, and with which result.
pub(in crate::cli) fn note_that(command: &str, folder: &Path, arguments: String) {
    leave_in(folder, &note_of(command, arguments), command);
}

fn leave_in(folder: &Path, note: &Note, what: &str) {
    if !folder.is_dir() {
        return;
    }
    if let Err(error) = leave(folder, note) {
        let _ = writeln!(
            std::io::stderr().lock(),
            "dimsegate: {what} is not recorded: {}/used: {error}",
            folder.display()
        );
    }
}

/// As [`note_that`], in a trail that is still to begin.
///
/// # Errors
/// The folder cannot be made or written to.
pub(in crate::cli) fn begin(command: &str, folder: &Path, arguments: String) -> std::io::Result<()> {
    leave_for_the_first_run(folder, &note_of(command, arguments))
}

fn note_of(command: &str, arguments: String) -> Note {
    Note {
        command: command.to_owned(),
        arguments,
        host: fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned()),
        process_id: std::process::id(),
    }
}

/// As they were given, but for a patient and, with a configuration, UIDs that may be a patient's: records may name these by a
/// keyed hash only, or not at all.
fn arguments(given: impl Iterator<Item = OsString>) -> String {
    let given: Vec<OsString> = given.collect();
    let is_config = |argument: &OsString| {
        let argument = argument.to_string_lossy();
        argument == "-c" || argument.split('=').next() == Some("--config")
    };
    let names: &[&str] = if given.iter().any(is_config) {
        &["--patient", "--sop-instance", "--study"]
    } else {
        &["--patient"]
    };
    let mut text = String::new();
    let mut hidden = false;
    for argument in given {
        let argument = argument.to_string_lossy();
        let shown = match argument.split_once('=') {
            _ if std::mem::take(&mut hidden) => "(not recorded)",
            Some((name, _)) if names.contains(&name) => &format!("{name}=(not recorded)"),
            _ => &argument,
        };
        hidden = names.contains(&argument.as_ref());
        if text.len().saturating_add(shown.len()) > LONGEST_ARGUMENTS {
            text.push_str(" …");
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(shown);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::arguments;

    fn noted(given: &[&str]) -> String {
        arguments(given.iter().map(Into::into))
    }

    #[test]
    fn arguments_are_noted_but_for_the_patient() {
        let given = ["audit", "--patient", "P1", "--peer", "lyon", "--patient=P2", "--study", "1.2"];
        let expected = "audit --patient (not recorded) --peer lyon --patient=(not recorded) --study 1.2";
        let original = "audit --study (not recorded) --sop-instance=(not recorded) -c f";
        assert_eq!(noted(&["audit", "--study", "1.2", "--sop-instance=1.3", "-c", "f"]), original);
        assert_eq!(noted(&given), expected);
        let long = noted(&["--peer", &"x".repeat(5000), "--study"]);
        assert_eq!(long, "--peer …");
    }
}
