//! `[log]` and `[audit]`.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

use super::folder;
use super::report::Wrong;
use super::repository;
use super::secret;
use super::section::Section;
use super::settings::{Log, LogFormat};
use crate::audit::forward::Destination;
use crate::audit::reviewers::Reviewers;
use crate::audit::signing::SigningKey;
use crate::audit::{AuditSettings, Checkpoints, Durability, Hold, Keeping, OnFailure, PatientIdentifiers};
use crate::files::{self, full};
use crate::notation::hex;

pub(super) fn log(root: &Section<'_>) -> Log {
    let mut log = Log { level: "info".into(), format: LogFormat::Text };
    let Some(section) = root.table("log") else { return log };
    if let Some(level) = section.parsed("level", level) {
        log.level = level.value;
    }
    if let Some(format) = section.choice("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]) {
        log.format = format;
    }
    log
}

/// A level, or a filter of them, as `[log] level` is written.
///
/// # Errors
/// What is wrong with it, and what to write.
pub fn log_level(text: &str) -> Result<String, String> {
    level(text).map_err(|wrong| format!("{}; {}", wrong.problem, wrong.remedy))
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

/// `[audit]`, with where records are sent besides.
pub(super) struct Records {
    pub settings: AuditSettings,
    pub destinations: Vec<Destination>,
    /// Another one where anything is changed that counts from the next start on.
    pub fingerprint: String,
}

/// `None` only after a problem was reported.
pub(super) fn audit(root: &Section<'_>) -> Option<Records> {
    let mut settings = AuditSettings::new("audit");
    let Some(section) = root.table("audit") else {
        folder::risks(root.report, &root.place_of("audit"), &settings.directory);
        return Some(Records { settings, destinations: Vec::new(), fingerprint: String::new() });
    };
    if let Some(directory) = section.path("directory") {
        settings.directory = directory.value;
    }
    folder::risks(root.report, &section.place_of("directory"), &settings.directory);
    settings.on_failure = on_failure(&section);
    let patient_identifiers = patient_identifiers(&section);
    let durability = [("every-second", Durability::EverySecond), ("every-record", Durability::EveryRecord)];
    settings.durability = section.choice("durability", &durability).unwrap_or(Durability::EverySecond);
    settings.checkpoints = checkpoints(&section);
    settings.keeping = keeping(&section);
    let destinations = repository::destinations(&section);
    let fingerprint = fingerprint(&section);
    let settings = AuditSettings { patient_identifiers: patient_identifiers?, ..settings };
    Some(Records { settings, destinations, fingerprint })
}

/// A digest of all that is read at the start only, the secrets in their files included.
fn fingerprint(section: &Section<'_>) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(section.written(&["repository", "fhir"]).as_bytes());
    for key in ["secret-file", "signing-key"] {
        let secret =
            section.text(key).map(|path| files::read(path.as_ref(), secret::LONGEST).unwrap_or_default());
        context.update(&Zeroizing::new(secret.unwrap_or_default()));
    }
    hex::encode(context.finish().as_ref())
}

fn on_failure(section: &Section<'_>) -> OnFailure {
    let choices = [("block", OnFailure::Block), ("allow", OnFailure::Allow)];
    let chosen = section.choice("on-failure", &choices).unwrap_or(OnFailure::Block);
    if chosen == OnFailure::Allow {
        let place = section.place_of("on-failure");
        section.report.risk(
            &place,
            "lets associations go unrecorded",
            "write \"block\" to refuse them instead",
        );
    }
    chosen
}

const MAKE_KEY: &str = "make one with: dimsegate audit key";

fn checkpoints(section: &Section<'_>) -> Option<Checkpoints> {
    let records = section.count("checkpoint-records", 1..=1_000_000).unwrap_or(1000);
    let interval = section.duration("checkpoint-interval", Duration::from_secs(60));
    let Some(path) = section.path("signing-key") else {
        if !section.has("signing-key") {
            let problem =
                "is missing: whoever can write the records can write them anew, and nobody can tell";
            let remedy = format!("{MAKE_KEY} conf/audit-signing.key");
            section.report.risk(&section.place_of("signing-key"), problem, remedy);
        }
        return None;
    };
    section.report.reads(&path.value);
    match secret::read_owned(&path.value, MAKE_KEY).and_then(|text| {
        let (whole, written) = (full(&path.value), path.value.display());
        SigningKey::from_pem(&text)
            .map_err(|error| Wrong::new(format!("{whole} {error}"), format!("{MAKE_KEY} {written}")))
    }) {
        Ok(key) => Some(Checkpoints { key: Arc::new(key), records: u64::from(records), interval }),
        Err(wrong) => {
            section.report.wrong(&path.place, wrong);
            None
        }
    }
}

/// Six years, which 45 CFR 164.316(b)(2)(i) (HIPAA) asks of documentation; audit trails are commonly counted in.
const SHORTEST_RETENTION: u32 = 2190;

fn keeping(section: &Section<'_>) -> Keeping {
    let compress = section.flag("compress").unwrap_or(false);
    let recipients = section.strings_or_none("encrypt-to").unwrap_or_default();
    let keys: Vec<&str> = recipients.iter().map(|recipient| recipient.value).collect();
    let reviewers = match Reviewers::new(&keys) {
        Ok(reviewers) => reviewers,
        Err((at, error)) => {
            let place = recipients.get(at).map(|recipient| recipient.place.clone());
            let place = place.unwrap_or_else(|| section.place_of("encrypt-to"));
            let remedy = "write what age-keygen or dimsegate audit identity printed";
            section.report.error(&place, error.to_string(), remedy);
            None
        }
    };
    let retention_days = section.count("retention-days", 1..=36_500);
    if let Some(days) = retention_days.filter(|days| *days < SHORTEST_RETENTION) {
        let problem = format!("deletes records after {days} days; HIPAA asks for six years");
        let remedy = format!("write {SHORTEST_RETENTION} or more, or leave it out to keep them");
        section.report.risk(&section.place_of("retention-days"), problem, remedy);
    }
    Keeping { compress, reviewers, retention_days, hold: Hold::default() }
}

/// `None` only after a problem was reported.
pub(super) fn patient_identifiers(section: &Section<'_>) -> Option<PatientIdentifiers> {
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
            section.require(&[("secret-file", remedy)]);
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
