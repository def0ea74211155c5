//! Every line of every shipped file, damaged in many ways: one slip of the pen is one problem, told where it is, with a
//! remedy that mends it.

mod verdict;

use std::sync::Mutex;

use super::examples::EXAMPLES;
use super::material::Material;
use verdict::judged;

/// Values of every type, of which each key takes one or two.
const VALUES: [&str; 7] = ["1", "\"q\"", "true", "[]", "[1]", "{ a = 1 }", "[\"q\"]"];

/// How a line was damaged.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Misspelt,
    OtherType,
    Deleted,
    Doubled,
    Header,
}

/// The shipped files, and the reference with the tables that it only shows in comments; with the lines to damage.
fn files() -> Vec<(&'static str, String, Vec<usize>)> {
    let whole = |(name, text): &(&'static str, &str)| {
        (*name, (*text).to_owned(), (0..text.lines().count()).collect::<Vec<_>>())
    };
    let mut files: Vec<_> = EXAMPLES.iter().map(whole).collect();
    let (_, reference) = EXAMPLES[0];
    let shown: Vec<String> = reference.lines().map(shown_in_comment).collect();
    let changed =
        reference.lines().zip(&shown).enumerate().filter(|(_, (line, shown))| *line != shown.trim_end());
    let changed = changed.map(|(index, _)| index).collect();
    files.push(("dimsegate with repositories", shown.concat(), changed));
    files
}

/// A line of a table that is shown in a comment, as it is written where it counts.
fn shown_in_comment(line: &str) -> String {
    let bare = line.strip_prefix("# ").unwrap_or_default();
    let header = bare.starts_with('[');
    let key = bare
        .split_once(" = ")
        .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
    let left_out = ["passphrase", "…\"]", "pins", "in place of url"].iter().any(|word| bare.contains(word));
    let line = if (header || key) && !left_out { bare } else { line };
    let there = [
        ("certs/arr-ca.pem", "certs/pacs-ca.pem"),
        ("certs/fhir-ca.pem", "certs/pacs-ca.pem"),
        ("/etc/ssl/certs/ca-certificates.crt", "certs/pacs-ca.pem"),
        ("certs/admins-ca.pem", "certs/ca.pem"),
        ("conf/hook.key", "conf/audit.key"),
    ];
    let there = there.iter().fold(line.to_owned(), |line, (shown, there)| line.replace(shown, there));
    format!("{}\n", there.replace("sequenceId=\"…\"", "sequenceId"))
}

/// The damaged forms of a line. A line that begins a value which goes on is not given another type.
fn damaged(line: &str) -> Vec<(Damage, String)> {
    let bare = without_comment(line).trim_end();
    if bare.is_empty() {
        return Vec::new();
    }
    let mut all = vec![(Damage::Deleted, String::new()), (Damage::Doubled, format!("{bare}\n{bare}"))];
    if bare.starts_with('[') && bare.ends_with(']') {
        all.push((Damage::Misspelt, bare.replacen(']', "x]", 1)));
        all.push((Damage::Misspelt, format!("{}{}", &bare[..bare.len() / 2], &bare[bare.len() / 2 + 1..])));
        let single = bare.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
        all.push((Damage::Header, single.map_or_else(|| format!("[{bare}]"), |name| format!("[{name}]"))));
    } else if let Some((key, value)) = bare.split_once(" = ").filter(|_| !bare.starts_with([' ', '{'])) {
        all.push((Damage::Misspelt, format!("{key}x = {value}")));
        let (first, rest) = key.split_at(key.len() / 2);
        all.push((Damage::Misspelt, format!("{first}{} = {value}", &rest[1..])));
        all.push((Damage::Misspelt, bare.replacen(" = \"", " = \"q", 1).replacen("[\"", "[\"q", 1)));
        if !value.ends_with('[') {
            all.extend(VALUES.map(|value| (Damage::OtherType, format!("{key} = {value}"))));
        }
    } else if bare.trim_start().starts_with("{ ") {
        for (at, _) in bare.match_indices(" = ") {
            let (before, after) = bare.split_at(at);
            all.push((Damage::Misspelt, format!("{before}x{after}")));
            for value in ["1", "true", "[]"] {
                let end = after[3..].find(", ").or_else(|| after[3..].find(" }"));
                if let Some(end) = end.filter(|_| !after[3..].starts_with('[')) {
                    all.push((Damage::OtherType, format!("{before} = {value}{}", &after[3 + end..])));
                }
            }
        }
    }
    all.retain(|(_, edited)| edited != bare);
    all
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let end = line.find(|c| {
        quoted ^= c == '"';
        c == '#' && !quoted
    });
    &line[..end.unwrap_or(line.len())]
}

#[test]
fn one_slip_of_the_pen_is_one_problem_at_its_line_with_a_true_remedy() {
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for (name, text, chosen) in files() {
            let found = &found;
            scope.spawn(move || {
                let material = Material::new();
                assert_eq!(material.errors(&text), Vec::<String>::new(), "{name}");
                let lines: Vec<&str> = text.lines().collect();
                for index in chosen {
                    let line = lines[index];
                    for (damage, edited) in damaged(line) {
                        let mut broken = lines.clone();
                        broken[index] = &edited;
                        let errors = material.errors(&broken.join("\n"));
                        if let Some(why) = judged(line, index + 1, (damage, &edited), &errors) {
                            found.lock().unwrap().push(format!(
                                "{name}:{}: {damage:?} {edited:?} {why}: {errors:#?}",
                                index + 1
                            ));
                        }
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} times:\n{}", found.len(), found.join("\n"));
}
