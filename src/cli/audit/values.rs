//! Values of conditions, held against what records can say: one that no record can have is an error, not an empty answer.

use std::fmt::Write;

use crate::audit::EVENTS;
use crate::audit::reading::{Pattern, Wanted};
use crate::config::nearest;
use crate::dimse::Operation;
use crate::vocabulary::{Ended, HeadFound, Tolerance, Word, of_tolerated, reasons};

/// What `--tls` knows.
const VERSIONS: [&str; 3] = ["plain", "1.2", "1.3"];
/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// What a record of this version can say, whether one does or not.
pub(super) fn always(what: &str) -> Box<dyn Iterator<Item = &'static str>> {
    match what {
        "event" => Box::new(EVENTS.into_iter()),
        "reason" => Box::new(reasons().chain(Ended::WORDS).chain(HeadFound::WORDS).map(|word| word.label)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Of an operation; `c-store` is C-STORE.
pub(super) fn operation(text: &str) -> Result<Pattern, String> {
    let text = text.to_ascii_uppercase();
    pattern("operation", &text, &Operation::ALL.map(|operation| operation.name()))
}

/// Of a version of TLS.
pub(super) fn tls(text: &str) -> Result<Pattern, String> {
    pattern("version of TLS", text.strip_prefix("TLS ").unwrap_or(text), &VERSIONS)
}

/// Of an outcome, or of how an association ended.
pub(super) fn outcome(text: &str) -> Result<Wanted, String> {
    if let Some(ended) = text.strip_prefix("ended=") {
        known("ending", ended, &labels(Ended::WORDS))?;
    }
    let outcomes = ["success", "warning", "failure", "refused", "ended=released"];
    text.parse::<Wanted>().map_err(|error| match nearest(text, outcomes) {
        Some(near) => format!("\"{text}\" is no outcome; the nearest is \"{near}\""),
        None => error.to_string(),
    })
}

/// Of a status, as `0xA700`, `A700` or with wildcards.
pub(super) fn status(text: &str) -> Result<Pattern, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits = digits.to_ascii_uppercase();
    let wild = digits.contains(['*', '?']);
    let hexadecimal = digits.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '*' | '?'));
    if !hexadecimal || digits.is_empty() || digits.len() > 4 || (digits.len() < 4 && !wild) {
        return Err(format!(
            "\"{text}\" is no status; write four hexadecimal digits as in 0xA700, or 0xA7??"
        ));
    }
    Ok(read(&format!("0x{digits}")))
}

/// Of what was tolerated; of a response, as of its request.
pub(super) fn tolerated(text: &str) -> Result<Pattern, String> {
    if of_tolerated(text).is_some() {
        return Ok(read(text));
    }
    let known: Vec<&str> = [&labels(Tolerance::WORDS)[..], &["command-element-00080058"]].concat();
    let of_response = text.strip_prefix("response-").unwrap_or(text);
    pattern("tolerated label", of_response, &known).map(|_| read(text))
}

fn labels(words: &[Word]) -> Vec<&'static str> {
    words.iter().map(|word| word.label).collect()
}

/// Of a UID.
pub(super) fn uid(text: &str) -> Result<Pattern, String> {
    let legal = |c: char| c.is_ascii_digit() || matches!(c, '.' | '*' | '?');
    match text.chars().find(|c| !legal(*c)) {
        Some(odd) => Err(format!("\"{text}\" is no UID: {odd:?} is neither a digit nor a dot")),
        None if text.len() > 64 => Err(format!("\"{text}\" is longer than a UID, which has 64 characters")),
        None => Ok(read(text)),
    }
}

/// Of a certificate: its SHA-256 as records have it (lower case, without the `sha256:` of the configuration or the colons
/// of other tools), or its subject or one of its names.
pub(super) fn certificate(text: &str) -> Result<Pattern, String> {
    let plain = text.to_ascii_lowercase();
    let digits = plain.strip_prefix("sha256:").unwrap_or(&plain).replace(':', "");
    let hexadecimal = digits.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '*' | '?'));
    let looks = hexadecimal && (digits.len() > 8 || plain.starts_with("sha256:"));
    if looks && !digits.contains(['*', '?']) && digits.len() != DIGITS {
        let count = digits.len();
        return Err(format!("has {count} hexadecimal digits; a SHA-256 has {DIGITS}: write * for the rest"));
    }
    Ok(read(if looks { &digits } else { text }))
}

fn pattern(what: &str, text: &str, all: &[&str]) -> Result<Pattern, String> {
    let pattern = read(text);
    let wild = text.contains(['*', '?']);
    if wild && all.iter().any(|known| pattern.matches(known)) {
        return Ok(pattern);
    }
    known(what, text, all).map(|()| pattern)
}

fn known(what: &str, text: &str, all: &[&str]) -> Result<(), String> {
    if all.contains(&text) { Ok(()) } else { Err(unknown(what, text, all)) }
}

/// Says that nothing is called so, and what may be meant.
pub(super) fn unknown(what: &str, text: &str, all: &[&str]) -> String {
    let mut said = format!("no record has the {what} \"{text}\"");
    // Writing to a string cannot fail.
    let _ = match nearest(text, all.iter().copied()).or_else(|| containing(text, all)) {
        Some(near) => write!(said, "; the nearest is \"{near}\""),
        None if all.len() <= 20 => write!(said, "; there are {}", all.join(", ")),
        None => write!(said, "; there are {}, …", all.get(..20).unwrap_or_default().join(", ")),
    };
    said
}

/// The shortest that holds the text, or that the text holds.
fn containing<'a>(text: &str, all: &[&'a str]) -> Option<&'a str> {
    let related = all.iter().filter(|one| !text.is_empty() && (one.contains(text) || text.contains(**one)));
    related.min_by_key(|one| one.len()).copied()
}

fn read(text: &str) -> Pattern {
    text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_record_can_say_is_an_error_with_the_nearest_that_one_can() {
        let nearest = |said: Result<Pattern, String>| said.err().unwrap_or_default();
        let of = |what: &str, text: &str| unknown(what, text, &always(what).collect::<Vec<_>>());
        assert!(of("event", "association-reject").contains("nearest is \"association-rejected\""));
        assert!(of("event", "opened").contains("nearest is \"association-opened\""));
        assert!(of("reason", "calling-ae-title").contains("nearest is \"calling-ae-title-"));
        assert!(of("reason", "certificate-revokd").contains("nearest is \"certificate-revoked\""));
        assert!(of("reason", "other-kay").contains("nearest is \"other-key\""));
        assert!(nearest(operation("C-STOR")).contains("nearest is \"C-STORE\""));
        assert!(nearest(tls("1.1")).contains("nearest is \"1."));
        assert!(outcome("refuse").unwrap_err().contains("nearest is \"refused\""));
        assert!(outcome("ended=time").unwrap_err().contains("nearest is \"timeout\""));
        for wrong in ["0xA7", "success", "", "0xA7000"] {
            assert!(nearest(status(wrong)).contains("four hexadecimal digits"), "{wrong}");
        }
        assert!(nearest(uid("1.2.x")).contains("'x'"));
        assert!(nearest(certificate("aa11bb22cc33")).contains("12 hexadecimal digits"));
    }

    #[test]
    fn what_a_record_can_say_is_found_as_people_write_it() {
        assert_eq!(operation("c-store"), operation("C-STORE"));
        assert!(operation("C-*").unwrap().matches("C-FIND") && operation("X-*").is_err());
        assert_eq!(status("a700"), status("0xA700"));
        assert!(status("0xA7*").unwrap().matches("0xA7FF"));
        let digits = "ab".repeat(32);
        assert_eq!(certificate(&format!("SHA256:{}", digits.to_uppercase())), certificate(&digits));
        assert!(certificate("CN=Lyon gateway").unwrap().matches("CN=Lyon gateway"));
    }
}
