//! `[log]` and `[audit]`.

use std::path::PathBuf;

use tracing_subscriber::EnvFilter;

use super::report::Wrong;
use super::repository;
use super::secret;
use super::section::Section;
use super::settings::{Audit, Log, LogFormat};
use crate::audit::{OnFailure, PatientIdentifiers};

pub(super) fn log(root: &Section<'_>) -> Log {
    let mut log = Log { level: "info".into(), format: LogFormat::Text };
    let Some(section) = root.table("log") else { return log };
    if let Some(level) = section.parsed("level", level) {
        log.level = level.value;
    }
    if let Some(format) = section.choice("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]) {
        log.format = format;
    }
    section.finish();
    log
}

fn level(text: &str) -> Result<String, Wrong> {
    let word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic());
    let known = ["error", "warn", "info", "debug", "trace", "off"].contains(&text);
    if (word && !known) || EnvFilter::try_new(text).is_err() || text.is_empty() {
        let remedy = "write error, warn, info, debug, trace, or a tracing filter such as \"info,dimsegate::relay=debug\"";
        return Err(Wrong::new(format!("{text:?} is not a level"), remedy));
    }
    Ok(text.to_owned())
}

#[derive(Clone, Copy)]
enum Identifiers {
    None,
    KeyedHash,
    Clear,
}

/// `None` only after a problem was reported.
pub(super) fn audit(root: &Section<'_>) -> Option<Audit> {
    let Some(section) = root.table("audit") else {
        let directory = PathBuf::from("audit");
        let patient_identifiers = PatientIdentifiers::None;
        let destinations = Vec::new();
        return Some(Audit { directory, on_failure: OnFailure::Block, patient_identifiers, destinations });
    };
    let directory = section.path("directory").map_or_else(|| "audit".into(), |path| path.value);
    let on_failure =
        section.choice("on-failure", &[("block", OnFailure::Block), ("allow", OnFailure::Allow)]);
    let on_failure = on_failure.unwrap_or(OnFailure::Block);
    if on_failure == OnFailure::Allow {
        let place = section.place_of("on-failure");
        section.report.risk(
            &place,
            "lets associations go unrecorded",
            "write \"block\" to refuse them instead",
        );
    }
    let patient_identifiers = patient_identifiers(&section);
    let destinations = repository::destinations(&section);
    section.finish();
    Some(Audit { directory, on_failure, patient_identifiers: patient_identifiers?, destinations })
}

fn patient_identifiers(section: &Section<'_>) -> Option<PatientIdentifiers> {
    let choices =
        [("none", Identifiers::None), ("keyed-hash", Identifiers::KeyedHash), ("clear", Identifiers::Clear)];
    let secret = section.path("secret-file");
    let default = if secret.is_some() { Identifiers::KeyedHash } else { Identifiers::None };
    let place = section.place_of("patient-identifiers");
    let chosen = section.choice("patient-identifiers", &choices).unwrap_or(default);
    match (chosen, secret) {
        (Identifiers::KeyedHash, Some(path)) => {
            secret::key(section.report, &path).map(|key| PatientIdentifiers::KeyedHash(Box::new(key)))
        }
        (Identifiers::KeyedHash, None) => {
            let remedy = "name a file with at least 32 random bytes, or write patient-identifiers = \"none\"";
            section.missing("secret-file", remedy);
            None
        }
        (other, secret) => {
            if let Some(path) = secret {
                section.report.risk(
                    &path.place,
                    "is not used",
                    "write patient-identifiers = \"keyed-hash\", or remove it",
                );
            }
            if matches!(other, Identifiers::None) {
                return Some(PatientIdentifiers::None);
            }
            section.report.risk(
                &place,
                "writes patients' identifiers into the records",
                "write \"keyed-hash\" or \"none\"",
            );
            Some(PatientIdentifiers::Clear)
        }
    }
}
