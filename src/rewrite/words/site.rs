//! The words of a site's own file: one or more a line, `#` begins a comment.

use std::collections::HashSet;

use super::fold::LONGEST;
use super::shipped::spellings;

/// Words of one site.
const MOST: usize = 50_000;
/// A word with more digits could be a number of somebody.
const MOST_DIGITS: usize = 4;

/// What is wrong with a line of a list, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordProblem {
    /// Counted from 1.
    pub line: usize,
    /// What was read.
    pub problem: String,
    /// What to do.
    pub remedy: &'static str,
}

/// Adds the words of a file. Each line with something wrong is a problem of its own.
pub(super) fn read(bytes: &[u8], words: &mut HashSet<Box<[u8]>>) -> Vec<WordProblem> {
    let mut problems = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let problem = match std::str::from_utf8(line) {
            Ok(line) => read_line(line, words),
            Err(_) => Some(("is not UTF-8".to_owned(), "save the file as UTF-8")),
        };
        if let Some((problem, remedy)) = problem {
            problems.push(WordProblem { line: index + 1, problem, remedy });
        }
        if words.len() > MOST {
            let problem = format!("holds the word after the first {MOST}");
            problems.push(WordProblem { line: index + 1, problem, remedy: "list fewer words" });
            break;
        }
    }
    problems
}

fn read_line(line: &str, words: &mut HashSet<Box<[u8]>>) -> Option<(String, &'static str)> {
    let line = line.trim_start_matches('\u{FEFF}').split('#').next().unwrap_or_default();
    for word in line.split_whitespace() {
        if let Some((problem, remedy)) = wrong(word) {
            return Some((format!("{word:.60?} {problem}"), remedy));
        }
        spellings(word, |folded| {
            words.insert(folded.into());
        });
    }
    None
}

fn wrong(word: &str) -> Option<(&'static str, &'static str)> {
    let of_word = |c: char| {
        c.is_alphanumeric() || matches!(c, '-' | '/' | '\'') || ('\u{300}'..='\u{36F}').contains(&c)
    };
    if word.len() >= LONGEST {
        return Some(("is longer than 47 bytes", "list its parts"));
    }
    if !word.chars().all(of_word) {
        return Some((
            "holds a character that is no letter and no digit",
            "list what stands on each side of it",
        ));
    }
    if !word.chars().any(char::is_alphabetic) {
        return Some(("holds no letter", "leave it out: numbers stay by their form, not by a list"));
    }
    if word.chars().filter(char::is_ascii_digit).count() > MOST_DIGITS {
        return Some(("holds more than 4 digits", "leave it out: it could be the number of somebody"));
    }
    if word.chars().count() == 1 {
        return Some(("is one letter", "leave it out: it could be an initial of somebody"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{MOST, read};
    use std::collections::HashSet;

    fn problems(bytes: &[u8]) -> Vec<String> {
        let found = read(bytes, &mut HashSet::new());
        found.iter().map(|problem| format!("{}: {}", problem.line, problem.problem)).collect()
    }

    #[test]
    fn each_bad_line_is_told_by_its_number() {
        let mut words = HashSet::new();
        let file = "\u{FEFF}# ours\nrachis  scanner # two\r\nŒdème crochet-2\nSchädel\n";
        assert_eq!(read(file.as_bytes(), &mut words), []);
        let folded = ["rachis", "scanner", "oedeme", "crochet-2", "schadel", "schaedel"];
        assert_eq!(words, folded.iter().map(|word| word.as_bytes().into()).collect());
        assert_eq!(
            problems(b"rachis\nT2*\n\xE9paule\n4711\nX\nAB12345\n"),
            [
                "2: \"T2*\" holds a character that is no letter and no digit",
                "3: is not UTF-8",
                "4: \"4711\" holds no letter",
                "5: \"X\" is one letter",
                "6: \"AB12345\" holds more than 4 digits",
            ]
        );
        assert!(problems(&b"a".repeat(48))[0].contains("is longer than 47 bytes"));
    }

    #[test]
    fn no_file_takes_more_than_its_room() {
        let letters =
            |n: usize| -> String { n.to_string().bytes().map(|digit| char::from(digit + 49)).collect() };
        let many: String = (1000..1000 + 2 * MOST).map(|n| format!("{}\n", letters(n))).collect();
        let mut words = HashSet::new();
        assert_eq!(read(many.as_bytes(), &mut words).len(), 1);
        assert_eq!(words.len(), MOST + 1);
    }
}
