//! What every command says of itself fits the screen, and looks as if it was written for it.

use std::process::Command;

/// The help of a command and of all below it.
fn helps(command: &[String], columns: usize, all: &mut Vec<(String, String)>) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
    let output = program.args(command).arg("--help").env("COLUMNS", columns.to_string()).output();
    let text = String::from_utf8(output.expect("a command that starts").stdout).expect("UTF-8");
    for below in subcommands(&text) {
        helps(&[command, &[below]].concat(), columns, all);
    }
    all.push((command.join(" "), text));
}

/// Those that are listed, but for `help` itself.
fn subcommands(text: &str) -> Vec<String> {
    let listed =
        text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether `next` goes on with the paragraph of `line`, or with what it says of a term.
fn goes_on(line: &str, next: &str) -> bool {
    match (indentation(line), indentation(next)) {
        _ if line.is_empty() || next.is_empty() || line.ends_with(':') || line.ends_with('\\') => false,
        (0, 0) => true,
        (before, depth) => depth > 2 && (before == depth || before <= 2),
    }
}

#[test]
fn no_line_is_longer_than_the_screen_and_none_is_broken_before_it_is_full() {
    for columns in [80, 100] {
        let mut all = Vec::new();
        helps(&[], columns, &mut all);
        assert!(all.len() > 25, "{}", all.len());
        for (command, text) in all {
            for line in text.lines() {
                assert!(line.chars().count() <= columns, "{command}: {line}");
            }
            let behind =
                text.lines().skip_while(|line| !line.starts_with("Example") && *line != "Begin with:");
            let behind: Vec<&str> = behind.collect();
            assert!(!behind.is_empty(), "{command}");
            for pair in behind.windows(2).filter(|pair| goes_on(pair[0], pair[1])) {
                let word = pair[1].split_whitespace().next().expect("a word");
                let whole = pair[0].chars().count() + 1 + word.chars().count();
                assert!(whole > columns, "{command} at {columns}: {pair:#?}");
            }
        }
    }
}

#[test]
fn a_command_that_takes_several_lines_can_be_copied() {
    let mut all = Vec::new();
    helps(&[], 60, &mut all);
    let (_, text) = all.iter().find(|(command, _)| command == "explain").expect("a command");
    let example: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "Example:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    assert!(example.len() > 2, "{example:?}");
    let (last, before) = example.split_last().expect("lines");
    assert!(before.iter().all(|line| line.ends_with(" \\")) && !last.ends_with('\\'), "{example:?}");
}
