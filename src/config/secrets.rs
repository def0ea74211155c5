//! The secrets of a `[[rewrite]]`: one, or several by version.

use std::path::PathBuf;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::report::{Located, Place};
use super::secret;
use super::section::Section;

const NEWEST: u32 = 999_999;

/// What was found.
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
        return Secrets { current: secret::key(section.report, &path), ..Secrets::default() };
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
    Listed {
        place: section.place.clone(),
        version: section.count("version", 1..=NEWEST),
        secret: file.and_then(|file| secret::bytes(section.report, &file)),
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
