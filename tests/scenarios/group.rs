//! Process groups: what a program started ends with it, before the folder goes that all of them write into.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::process::kill;
use crate::wait::PATIENCE;

/// Kills a group and waits until none of it runs. What does not end keeps its folder, which fails the scenario.
pub fn end(group: u32) {
    let over = Instant::now() + PATIENCE;
    while runs(group) && Instant::now() < over {
        kill("KILL", &format!("-{group}"));
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Whether a process of the group does anything still.
fn runs(group: u32) -> bool {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|process| belongs(&process, group).is_some_and(|ended| !ended))
}

/// Whether a process of that group has ended, by its folder in proc(5); `None` of others.
fn belongs(process: &Path, group: u32) -> Option<bool> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // Behind the name, which may hold anything: state, parent, group.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let (state, of) = (fields.next()?, fields.nth(1)?);
    // The first thread can be over before the others are.
    let threads = || fs::read_dir(process.join("task")).into_iter().flatten().count();
    (of.parse() == Ok(group)).then(|| matches!(state, "Z" | "X") && threads() < 2)
}

#[test]
fn what_a_program_left_running_ends_with_it() {
    let scratch = crate::scratch::Scratch::new();
    let mut command = std::process::Command::new("sh");
    // It writes as fast as it can, and holds none of the pipes that its parent is read by.
    let script =
        "(while :; do echo > $(mktemp -p .); done) <&- >&- 2>&- & until [ \"$(ls -A)\" ]; do :; done";
    command.current_dir(scratch.path()).args(["-c", script]);
    assert!(crate::process::output(command).status.success());
    let files = || fs::read_dir(scratch.path()).expect("the folder").count();
    let ended = files();
    assert!(ended > 0);
    crate::wait::beyond(Duration::from_millis(50));
    assert_eq!(files(), ended);
}
