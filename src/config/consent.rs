//! `[[consent]]`: what knows whether patients have consented, and which peers ask it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::names::{NAME, Names};
use super::report::{Place, Wrong};
use super::section::Section;
use super::settings::{ClientTls, ConsentServer, ConsentSettings, ConsentSource};
use super::{tls, url};
use crate::consent::List;
use crate::files;
use crate::policy::{ConsentWanted, Operation, Peer, Role};
use crate::tls::FileDigest;

const EXAMPLE: &str = "https://fhir.hospital.example/r4";
const DEADLINE: Duration = Duration::from_secs(3);
/// A requestor waits no longer for the answer to an object.
const LONGEST_DEADLINE: Duration = Duration::from_secs(20);
const CACHE_FOR: Duration = Duration::from_secs(60);
/// So long a withdrawal may be unknown.
const LONGEST_CACHE: Duration = Duration::from_secs(3600);
/// Characters of a scope, an issuer and a system.
const LONGEST: usize = 255;
const OF_SERVERS: [&str; 5] = ["url", "system", "deadline", "cache-for", "tls"];

/// Which source a table has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Element,
    Fhir,
}

/// Every one without a problem; the others are reported.
pub(super) struct Consents {
    pub names: Names,
    pub compiled: BTreeMap<Arc<str>, Arc<ConsentSettings>>,
}

impl Consents {
    pub(super) fn read(root: &Section<'_>) -> Self {
        let mut consents = Self { names: Names::of("consent", root), compiled: BTreeMap::new() };
        for section in root.tables("consent") {
            let name = consents.names.define(&section);
            let settings = consent(&section).map(Arc::new);
            consents.compiled.extend(name.zip(settings));
        }
        consents
    }
}

fn consent(section: &Section<'_>) -> Option<ConsentSettings> {
    section.require(&[NAME, ("source", "write \"file\", \"element\" or \"fhir\"")]);
    let kinds = [("file", Kind::File), ("element", Kind::Element), ("fhir", Kind::Fhir)];
    let kind = section.choice("source", &kinds);
    let passes_unknown = section.choice("unknown", &[("refuse", false), ("pass", true)]).unwrap_or(false);
    if passes_unknown {
        let problem = "lets everybody's data go on of whom nothing is known";
        section.report.risk(
            &section.place_of("unknown"),
            problem,
            "write \"refuse\", unless patients only object here",
        );
    }
    let issuer = text(section, "issuer").unwrap_or_default();
    let source = match kind? {
        Kind::File => {
            section.refuse(&OF_SERVERS, "goes with source = \"fhir\" only", "remove it");
            ConsentSource::File(list(section, &issuer)?)
        }
        Kind::Element => {
            section.refuse(&OF_SERVERS, "goes with source = \"fhir\" only", "remove it");
            section.refuse(&["file"], "goes with source = \"file\" only", "remove it");
            section.refuse(&["issuer"], "is of no use: an object speaks of its own patient", "remove it");
            ConsentSource::Element
        }
        Kind::Fhir => {
            section.refuse(&["file"], "goes with source = \"file\" only", "remove it");
            ConsentSource::Fhir(Arc::new(server(section)?))
        }
    };
    Some(ConsentSettings { source, passes_unknown, issuer, line: section.line() })
}

fn list(section: &Section<'_>, issuer: &str) -> Option<Arc<List>> {
    if !section.has("file") {
        section.missing("file", "name the CSV file that lists patients");
    }
    let path = section.path("file")?;
    section.report.reads(&path.value);
    match List::open(&path.value, issuer) {
        Ok(list) => {
            let digest = FileDigest { file: path.value, sha256: list.sha256.clone() };
            section.report.uses(&section.place, &[digest], &[]);
            Some(Arc::new(list))
        }
        Err(error) => {
            let problem = format!("{}: {error}", files::full(&path.value));
            section.report.error(&path.place, problem, error.remedy);
            None
        }
    }
}

/// `None` only after a problem was reported.
fn server(section: &Section<'_>) -> Option<ConsentServer> {
    section.require(&[
        ("url", "write the base of the server, as in \"https://fhir.hospital.example/r4\""),
        ("system", "write the system of its identifiers, as in \"urn:oid:1.2.3\""),
    ]);
    let url = section.parsed("url", secure);
    let system = text(section, "system");
    let deadline = section.duration("deadline", DEADLINE);
    if deadline > LONGEST_DEADLINE {
        let place = section.place_of("deadline");
        section.report.error(&place, "is longer than 20 seconds", "write a shorter time, as in \"3s\"");
    }
    let cache_for = section.duration_or_zero("cache-for", CACHE_FOR);
    if cache_for > LONGEST_CACHE {
        let place = section.place_of("cache-for");
        section.report.error(
            &place,
            "is longer than an hour, for which a withdrawal could be unknown",
            "write a shorter time, as in \"1m\"",
        );
    }
    let Some(table) = section.table("tls") else {
        if !section.has("tls") && !section.report.lacks("[consent.tls]") {
            section.missing("tls", "write its tls table with ca, such as /etc/ssl/certs/ca-certificates.crt");
        }
        return None;
    };
    let url = url?.value;
    let ClientTls { settings, built } = tls::client(&table, std::slice::from_ref(&url.address))?;
    let server_name = crate::tls::server_name(&settings).ok()?;
    let path = format!("{}/", url.path.trim_end_matches('/'));
    let system = system?;
    let fingerprint = format!("{} {path} {system} {settings:?} {:?}", url.authority, built.files);
    Some(ConsentServer {
        address: url.address,
        authority: url.authority,
        path,
        system,
        tls: built.config,
        server_name,
        deadline,
        cache_for,
        fingerprint,
    })
}

fn secure(text: &str) -> Result<url::Url, Wrong> {
    let wrong = |problem: &str| {
        Err(Wrong::new(format!("{:?} {problem}", url::origin(text)), format!("write it as \"{EXAMPLE}\"")))
    };
    match url::parse(text, EXAMPLE) {
        Ok(url) if !url.secure => wrong("is not an https URL"),
        Ok(url) if url.path.contains('?') => wrong("has a query"),
        parsed => parsed,
    }
}

/// A text that is compared: without blanks around it.
pub(super) fn text(section: &Section<'_>, key: &'static str) -> Option<Box<str>> {
    let read = |text: &str| {
        let is_fit = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= LONGEST
            && !text.chars().any(char::is_control);
        let wrong = || {
            Wrong::new(
                "is empty, too long, or has blanks around it",
                format!("write 1 to {LONGEST} characters"),
            )
        };
        is_fit.then(|| text.into()).ok_or_else(wrong)
    };
    section.parsed(key, read).map(|text| text.value)
}

/// `consent` and `consent-scope` of a peer.
pub(super) fn wanted(section: &Section<'_>, consents: &Consents) -> Option<Arc<ConsentWanted>> {
    // What an agreement says of consent stands here, where the header of the agreement is missing.
    if section.report.lacks("[[agreement]]") {
        return None;
    }
    let source = consents.names.refer(section, "consent");
    let scope = text(section, "consent-scope").map(Arc::from);
    if section.has("consent-scope") && !section.has("consent") {
        let place = section.place_of("consent-scope");
        section.report.error(
            &place,
            "says what for, and nobody is asked",
            "write consent = \"…\" beside it, or remove it",
        );
    }
    Some(Arc::new(ConsentWanted { source: source?.value, scope }))
}

/// Reports a consent of a peer whose upstream has pseudonyms, where it may do more than bring objects: what that says is of nobody whom a
/// source knows.
pub(super) fn refuse_pseudonyms(section: &Section<'_>, role: Option<&Role>) {
    let brings = |operation: &Operation| matches!(operation, Operation::CStore | Operation::CEcho);
    if role.is_some_and(|role| !role.operations.iter().all(brings)) {
        let problem = "cannot be asked: with two-way and rewrite-direction = \"from-peer\" the upstream has pseudonyms, of which no source \
                       knows whose they are";
        section.refuse(&["consent"], problem, "give it a role with C-STORE and C-ECHO alone, or remove it");
    }
}

/// What may surprise of a peer with a source.
pub(super) fn risks(root: &Section<'_>, place: &Place, peer: &Peer, consents: &Consents) {
    let Some(wanted) = &peer.consent else { return };
    let refused = super::scope::cannot_be_judged(&peer.role);
    if !refused.is_empty() {
        let problem = format!(
            "asks for consent, and by {} nobody can tell whose data it shows: refused to it, though its role allows it",
            refused.join(", ")
        );
        root.report.risk(
            place,
            problem,
            "give it a role that does not allow that, or add a second [[peer]] for it",
        );
    }
    let source = consents.compiled.get(&wanted.source);
    let is_in_objects = |settings: &&Arc<ConsentSettings>| matches!(settings.source, ConsentSource::Element);
    if let Some(settings) = source.filter(is_in_objects) {
        let asks = [Operation::CFind, Operation::CMove];
        let listed: Vec<&str> =
            asks.iter().filter(|one| peer.role.operations.contains(one)).map(|one| one.name()).collect();
        if !listed.is_empty() {
            let becomes = if settings.passes_unknown { "goes on unjudged" } else { "is refused" };
            let problem = format!(
                "finds consent in objects alone, and its role allows {}, which brings none: it {becomes}",
                listed.join(", ")
            );
            root.report.risk(
                place,
                problem,
                "write a [[consent]] with another source, or give it a role without that",
            );
        }
    }
}
