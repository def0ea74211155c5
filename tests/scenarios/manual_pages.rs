//! `dimsegate man` and `dimsegate completions`, read by what reads them on a real machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::scratch::Scratch;

const DIMSEGATE: &str = env!("CARGO_BIN_EXE_dimsegate");

#[test]
fn every_command_has_a_manual_page_that_groff_reads_without_a_warning() {
    let folder = Scratch::new();
    output(Command::new(DIMSEGATE).arg("man").arg("--to").arg(folder.path()));
    let mut expected = BTreeMap::new();
    pages(&[], &mut expected);
    let written: BTreeSet<String> = fs::read_dir(folder.path())
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().into_string().expect("a name"))
        .collect();
    assert_eq!(written, expected.into_keys().collect());
    assert!(written.contains("dimsegate.1") && written.contains("dimsegate-audit-search.1"));
    for page in &written {
        let (text, complaints) = output(groff(&folder.path().join(page)));
        assert_eq!(complaints, "", "{page}");
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES"] {
            assert!(text.contains(section), "{page} without {section}:\n{text}");
        }
        let below =
            text.lines().skip_while(|line| *line != "SUBCOMMANDS").take_while(|line| *line != "EXAMPLES");
        for named in below.filter_map(|line| line.trim().strip_suffix("(1)")) {
            assert!(written.contains(&format!("{named}.1")), "{page} names {named}(1):\n{text}");
        }
    }
}

#[test]
fn the_commands_of_examples_stand_in_a_page_as_they_do_in_the_help() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    output(Command::new(DIMSEGATE).arg("man").arg("--to").arg(folder.path()));
    let mut commands = BTreeMap::new();
    pages(&[], &mut commands);
    let mut several = 0;
    for (name, words) in &commands {
        let (help, _) = output(Command::new(DIMSEGATE).args(words).arg("-h").env("COLUMNS", "72"));
        let (page, _) = output(groff(&folder.path().join(name)));
        for command in examples(&help) {
            let indented = command.lines().map(|line| format!("       {line}\n")).collect::<String>();
            assert!(page.contains(&indented), "{name} without\n{command}\n{page}");
            several += usize::from(command.lines().count() > 1);
        }
    }
    assert!(several > 2, "{several}");
}

/// The commands of a help text, each with the lines that it goes on in; those of a list with what they mean excepted.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| !line.starts_with("Example") && *line != "Begin with:");
    let mut commands: Vec<String> = Vec::new();
    for line in lines.filter(|line| line.starts_with("  ") && !line.trim().contains("  ")) {
        match commands.last_mut().filter(|last| last.ends_with(" \\")) {
            Some(last) => *last = format!("{last}\n{line}"),
            None => commands.push(line.to_owned()),
        }
    }
    commands.retain(|command| command.starts_with("  dimsegate "));
    commands
}

#[test]
fn one_page_is_printed_and_none_of_a_command_that_is_not_there() {
    let folder = Scratch::new();
    let (page, _) = output(Command::new(DIMSEGATE).args(["man", "audit", "search"]));
    let file = folder.path().join("page");
    fs::write(&file, page).expect("a file");
    let (text, _) = output(groff(&file));
    assert!(text.contains("dimsegate-audit-search") && text.contains("--outcome"), "{text}");
    let refused = Command::new(DIMSEGATE).args(["man", "audit", "seek"]).output().expect("a process");
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(64), 0));
}

#[test]
fn bash_completes_commands_options_and_values() {
    let folder = Scratch::new();
    let script = completions("bash", folder.path());
    output(Command::new("bash").arg("-n").arg(&script));
    assert_eq!(completed(&script, &["dimsegate", "exp"]), ["explain"]);
    assert_eq!(completed(&script, &["dimsegate", "audit", "ver"]), ["verify"]);
    assert_eq!(completed(&script, &["dimsegate", "check", "--conf"]), ["--config"]);
    assert_eq!(completed(&script, &["dimsegate", "completions", "z"]), ["zsh"]);
}

#[test]
fn zsh_and_fish_read_their_scripts() {
    let folder = Scratch::new();
    output(Command::new("zsh").arg("-n").arg(completions("zsh", folder.path())));
    let script = completions("fish", folder.path());
    output(Command::new("fish").env("HOME", folder.path()).arg("--no-execute").arg(&script));
    let mut fish = Command::new("fish");
    fish.env("HOME", folder.path()).arg("--no-config").arg("-c");
    fish.arg(format!("source {}; complete --do-complete 'dimsegate expl'", script.display()));
    let (found, _) = output(&mut fish);
    assert!(found.starts_with("explain"), "{found}");
}

/// The names of the pages of a command and of all below it, as `--help` lists them, with what is written to call it.
fn pages(path: &[String], names: &mut BTreeMap<String, Vec<String>>) {
    let words: Vec<&str> = ["dimsegate"].into_iter().chain(path.iter().map(String::as_str)).collect();
    names.insert(format!("{}.1", words.join("-")), path.to_vec());
    let (help, _) = output(Command::new(DIMSEGATE).args(path).arg("-h"));
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    for command in listed.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' ')) {
        let name = command.split(' ').next().expect("a name").to_owned();
        if name != "help" {
            pages(&[path, &[name]].concat(), names);
        }
    }
}

fn groff(page: &Path) -> Command {
    let mut groff = Command::new("groff");
    groff.args(["-man", "-ww", "-Tutf8", "-P-cbou", "-Kutf8"]).arg(page);
    groff
}

fn completions(shell: &str, folder: &Path) -> std::path::PathBuf {
    let (script, _) = output(Command::new(DIMSEGATE).args(["completions", shell]));
    let file = folder.join(format!("dimsegate.{shell}"));
    fs::write(&file, script).expect("a file");
    file
}

/// What bash offers for the last of these words, as Readline asks for it.
fn completed(script: &Path, words: &[&str]) -> Vec<String> {
    let last = words.len() - 1;
    let ask = r#"source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        function=$(complete -p dimsegate | sed 's/.*-F \([^ ]*\) .*/\1/')
        "$function" dimsegate "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", ask, "bash"]).arg(script).args(words);
    let (found, _) = output(&mut bash);
    assert!(!words[last].is_empty());
    found.lines().map(str::to_owned).collect()
}

/// Standard output and error of a command that must succeed.
fn output(mut command: impl std::borrow::BorrowMut<Command>) -> (String, String) {
    let command: &mut Command = command.borrow_mut();
    let name = command.get_program().display().to_string();
    let output = command.output().unwrap_or_else(|error| panic!("{name}: {error}; tests/run installs it"));
    let [text, complaints] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).expect("UTF-8"));
    assert!(output.status.success(), "{name}: {complaints}");
    (text, complaints)
}
