//! The secrets of a `[[rewrite]]`: one, or several by version.

use std::collections::BTreeSet;
use std::path::PathBuf;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::report::{Located, Place};
use super::secret;
use super::section::Section;

const NEWEST: u32 = 999_999;
/// Different bytes in a secret; 64 random hexadecimal digits have more.
const FEWEST_BYTES: usize = 9;

/// The secrets of one rule set: with which pseudonyms are made, and others by their versions, with which they were or
/// will be made.
#[derive(Default)]
pub(super) struct Secrets {
    /// With what pseudonyms are made.
    pub current: Option<hmac::Key>,
    pub version: Option<u32>,
    /// What pseudonyms were, or will be, made with.
    pub others: Vec<(u32, hmac::Key)>,
}

/// Whether a section names a secret, readable or not.
pub(super) fn are_named(section: &Section<'_>) -> bool {
    section.has("secret-file") || section.has("secrets")
}

pub(super) fn secrets(section: &Section<'_>) -> Secrets {
    let single = section.path("secret-file");
    let listed = section.inline_tables("secrets").iter().map(listed).collect::<Vec<_>>();
    let chosen = section.count("current-secret", 1..=NEWEST);
    if let Some(path) = single {
        if section.has("secrets") {
            let remedy = "list the file in secrets, with its version; it was version 1";
            section.report.error(&path.place, "stands beside secrets", remedy);
        }
        if section.has("current-secret") {
            let place = section.place_of("current-secret");
            section.report.error(&place, "is for secrets only", "remove it");
        }
        let secret = secret::bytes(section.report, &path);
        warn_of_weak(section, &path.place, secret.as_deref());
        let current = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, &secret));
        return Secrets { current, ..Secrets::default() };
    }
    versions(section, listed, chosen)
}

struct Listed {
    place: Place,
    version: Option<u32>,
    secret: Option<Zeroizing<Vec<u8>>>,
}

fn listed(section: &Section<'_>) -> Listed {
    let whole = "write { version = 1, file = \"…\" }";
    section.require(&[("version", whole), ("file", whole)]);
    let file: Option<Located<PathBuf>> = section.path("file");
    let place = file.as_ref().map_or(section.place.clone(), |file| file.place.clone());
    let secret = file.and_then(|file| secret::bytes(section.report, &file));
    warn_of_weak(section, &place, secret.as_deref());
    Listed { place: section.place.clone(), version: section.count("version", 1..=NEWEST), secret }
}

/// Whoever guesses the secret makes every pseudonym from what it was made of.
fn warn_of_weak(section: &Section<'_>, place: &Place, secret: Option<&Vec<u8>>) {
    if let Some(why) = secret.and_then(|secret| weakness(secret)) {
        let remedy = "make one with: (umask 077; openssl rand -base64 48 > FILE); pseudonyms change with it";
        section.report.risk(place, format!("holds a secret that can be guessed: {why}"), remedy);
    }
}

/// What makes a secret plainly weak, whatever its length.
fn weakness(secret: &[u8]) -> Option<&'static str> {
    let different = secret.iter().collect::<BTreeSet<_>>().len();
    let repeats =
        |period: usize| secret.iter().zip(secret.iter().skip(period)).all(|(one, next)| one == next);
    let steps = secret.windows(2).map(|two| match two {
        [one, next] => next.wrapping_sub(*one),
        _ => 0,
    });
    match different {
        1 => Some("one byte, again and again"),
        _ if (2..=secret.len() / 2).any(repeats) => Some("the same bytes, again and again"),
        _ if steps.collect::<BTreeSet<_>>().len() == 1 => Some("bytes that are counted up or down"),
        2..FEWEST_BYTES => Some("of few different bytes"),
        _ => None,
    }
}

fn versions(section: &Section<'_>, listed: Vec<Listed>, chosen: Option<u32>) -> Secrets {
    for (index, later) in listed.iter().enumerate() {
        let mut earlier = listed.iter().take(index);
        if let Some(twin) = earlier.find(|earlier| {
            later.version.is_some() && earlier.version == later.version
                || later.secret.is_some() && earlier.secret == later.secret
        }) {
            let what = if twin.version == later.version { "has the version" } else { "is the secret" };
            let problem = format!("{what} of {}", twin.place.key);
            section.report.error(&later.place, problem, "give each version a secret of its own");
        }
    }
    if section.has("secrets") && listed.is_empty() && section.is_sound("secrets") {
        let place = section.place_of("secrets");
        section.report.error(&place, "lists no secret", "write [{ version = 1, file = \"…\" }]");
    }
    let known: Vec<u32> = listed.iter().filter_map(|listed| listed.version).collect();
    let place = section.place_of("current-secret");
    let current = match (chosen, known.as_slice()) {
        (None, [only]) => Some(*only),
        (None, []) => None,
        (None, _) => {
            let remedy = "write current-secret = …, the version to make pseudonyms with";
            if section.is_sound("current-secret") {
                section.report.error(&place, "is missing where there are several secrets", remedy);
            }
            None
        }
        (Some(chosen), known) if known.contains(&chosen) => Some(chosen),
        // Which versions there are is not known.
        (Some(_), _) if !section.is_sound("secrets") => None,
        (Some(_), _) => {
            section.report.error(&place, "is not the version of any of secrets", "name one of them");
            None
        }
    };
    let newest = known.iter().max();
    if let (Some(current), Some(newest)) =
        (current, newest.filter(|newest| current.is_some_and(|current| current < **newest)))
    {
        let problem =
            format!("makes pseudonyms with version {current} of the secret, though there is {newest}");
        section.report.risk(
            &place,
            problem,
            format!("write current-secret = {newest} when it is to be used"),
        );
    }
    let mut secrets = Secrets { version: current, ..Secrets::default() };
    for Listed { version, secret, .. } in listed {
        let key = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, &secret));
        match (version, key) {
            (version, key) if version == current => secrets.current = key,
            (Some(version), Some(key)) => secrets.others.push((version, key)),
            _ => {}
        }
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::weakness;

    #[test]
    fn a_secret_is_weak_that_nobody_drew() {
        let weak: [&[u8]; 6] = [
            &[b'k'; 48],
            &b"0123456789abcdef".repeat(2),
            b"secret-secret-secret-secret-secret-",
            &(0..48).collect::<Vec<u8>>(),
            &(0..48).rev().collect::<Vec<u8>>(),
            b"00000000000000000000000000000000000000000000001234567",
        ];
        for secret in weak {
            assert!(weakness(secret).is_some(), "{}", secret.escape_ascii());
        }
        let drawn: [&[u8]; 2] = [
            b"qv3m0qk2N9w1mT7dJ2kz8bXr5yPqLc4sA6uFhGjEoViZxRtB",
            b"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ];
        for secret in drawn {
            assert_eq!(weakness(secret), None);
        }
    }
}
