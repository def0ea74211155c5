//! Whether what is said of a damaged line helps whoever damaged it.

use super::{Damage, without_comment};

/// What is wrong with what is said, if anything is.
pub(super) fn judged(
    line: &str,
    number: usize,
    (damage, edited): (Damage, &str),
    errors: &[String],
) -> Option<String> {
    let only_removes =
        |error: &&String| error.ends_with(", remove it") || error.ends_with(", remove the key");
    if let Some(false_remedy) = errors.iter().find(only_removes) {
        return Some(format!("tells to remove what is right: {false_remedy}"));
    }
    // What was called so is called something else now, wherever it is meant.
    let renamed = line.starts_with("name = ") && errors.iter().all(|error| error.contains(" is called \""));
    // What a table has to have is missed at its header, and what a name or another key is missed by, there.
    let legal = edited == "options = []" || edited.starts_with("  { version = 1");
    let elsewhere =
        renamed || legal || matches!(damage, Damage::Deleted | Damage::Header) || is_not_toml(errors);
    let here = |error: &String| {
        (number..=number + usize::from(damage == Damage::Doubled))
            .any(|line| error.starts_with(&format!("{line}:")))
    };
    if !elsewhere && !errors.iter().all(here) {
        return Some("tells of another line".into());
    }
    if errors.len() > 1 && !renamed {
        return Some(format!("tells of {} problems", errors.len()));
    }
    let bare = without_comment(line).trim_end();
    match damage {
        Damage::Misspelt if errors.is_empty() => (!is_free(bare, edited)).then(|| "says nothing".into()),
        Damage::Misspelt => errors.iter().find(|error| !mends(bare, edited, error)).map(lacking),
        // Where the table before is of the same kind, it has all the keys twice.
        Damage::Deleted | Damage::Header if bare.starts_with('[') => {
            let told = errors.first().is_some_and(|error| error.contains(bare) || error.contains(AGAIN));
            (!told).then(|| format!("does not tell to write {bare}"))
        }
        Damage::Deleted | Damage::OtherType if !is_not_toml(errors) && !renamed => {
            errors.iter().find(|error| !error.contains(key_of(bare))).map(lacking)
        }
        _ => None,
    }
}

const AGAIN: &str = "is not TOML: duplicate key, remove one of the two, or write the header above it";

/// What is told then is about a place, and about no key.
fn is_not_toml(errors: &[String]) -> bool {
    errors.iter().any(|error| error.contains("is not TOML"))
}

/// What a line of its own gives a value, as problems name it: one of several in the singular.
fn key_of(bare: &str) -> &str {
    let key = bare.split_once(" = ").map(|(key, _)| key).filter(|key| !key.starts_with(' '));
    key.unwrap_or_default().trim_end_matches('s')
}

fn lacking(error: &String) -> String {
    format!("has no remedy: {error}")
}

/// Whether an error has what was there before the line was changed, other than in what it says is wrong.
fn mends(bare: &str, edited: &str, error: &str) -> bool {
    let same = bare.bytes().zip(edited.bytes()).take_while(|(one, other)| one == other).count();
    let (word, wrong) = (word_at(bare, same), word_at(edited, same));
    let is_value = bare.find(" = ").is_some_and(|end| same > end);
    // Nobody knows which number, time or network was meant, or which file.
    let is_any =
        is_value && (word.starts_with(|c: char| c.is_ascii_digit()) || error.contains(" cannot be read"));
    error.contains(&format!("\"{word}\""))
        || error.replace(wrong, "").contains(word)
        || (is_any && error.contains(wrong))
}

fn word_at(line: &str, at: usize) -> &str {
    let of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let start = line[..at].rfind(|c| !of_word(c)).map_or(0, |before| before + 1);
    let end = line[at..].find(|c| !of_word(c)).map_or(line.len(), |length| at + length);
    &line[start..end]
}

/// Keys whose values are any text, as long as nothing refers to it: what things, hosts, files and claims are called.
const FREE: [&str; 35] = [
    "address",
    "addresses",
    "app-name",
    "audience",
    "called-ae-title",
    "called-ae-titles",
    "calling-ae-title",
    "calling-ae-titles",
    "calling-ae-titles-claim",
    "consent-scope",
    "directory",
    "enterprise-site-id",
    "file",
    "host-name",
    "identifiers",
    "issuer",
    "message-id",
    "move-destinations",
    "name",
    "name-claim",
    "required-claims",
    "roles-claim",
    "server-name",
    "source-id",
    "state-directory",
    "system",
    "tenant",
    "id",
    "reference",
    "purpose",
    "contact",
    "token-roles",
    "token-users",
    "unix-groups",
    "unix-users",
];

/// Whether only the value of such a key was changed.
fn is_free(bare: &str, edited: &str) -> bool {
    let key = |line: &str| line.split_once(" = ").map(|(key, _)| key.to_owned());
    key(bare) == key(edited) && key(bare).is_some_and(|key| FREE.contains(&key.as_str()))
}
