//! The records: whether there are any, whether they hold, and what watches them.

use super::some;
use crate::audit::forward::{Kind, Transport};
use crate::audit::{OnFailure, PatientIdentifiers};
use crate::evidence::facts::Facts;
use crate::evidence::finding::{Finding, Query, found, missing};
use crate::vocabulary::Notice;

/// Six years, 45 CFR 164.316(b)(2)(i), leap days counted.
const SIX_YEARS: u32 = 2192;

pub(in crate::evidence) fn audit_enabled(facts: &Facts<'_>) -> Finding {
    let recorded = &facts.recorded;
    if recorded.records == 0 {
        return missing("the period has no record", "let the proxy run, or choose another period");
    }
    let lost = recorded.alerts_of(Notice::RecordsLost.label());
    if lost > 0 {
        return missing(
            format!("alerts of the period that records were lost: {lost}"),
            "look at the disk of the records",
        );
    }
    if facts.settings.audit.on_failure == OnFailure::Allow {
        return missing("associations may go on unrecorded", "write on-failure = \"block\" in [audit]");
    }
    found(
        format!("the period has records: {}; without room for records nobody is let in", recorded.records),
        vec![facts.place("audit.directory"), facts.place("audit.on-failure")],
        Query::Search(Vec::new()),
    )
}

pub(in crate::evidence) fn audit_chain_verifies(facts: &Facts<'_>) -> Finding {
    let trail = facts.trail;
    let is_signed = facts.settings.audit.checkpoints.is_some() && trail.signed_up_to.is_some();
    if trail.breaks > 0 || trail.unsigned > 0 || trail.unread > 0 {
        return missing(
            format!(
                "the trail does not verify: places where it is broken {}, stretches not signed in their time {}, files not read {}",
                trail.breaks, trail.unsigned, trail.unread
            ),
            "dimsegate audit verify says where; give identities for encrypted days",
        );
    }
    match trail.signed_up_to.filter(|_| is_signed) {
        Some(up_to) => found(
            format!("the chain of records holds, signed up to record {up_to}"),
            vec![facts.place("audit.signing-key")],
            Query::Verify,
        ),
        None => missing(
            "the records are not signed: whoever can write the files can write them anew",
            "make a key with dimsegate audit key, and write signing-key in [audit]",
        ),
    }
}

pub(in crate::evidence) fn audit_forwarding_ok(facts: &Facts<'_>) -> Finding {
    let destinations = &facts.settings.forwarding;
    let lossy = |kind: &Kind| matches!(kind, Kind::Syslog(syslog) if syslog.transport == Transport::Udp);
    let weak: Vec<String> =
        destinations.iter().filter(|one| lossy(&one.kind)).map(|one| one.name.to_string()).collect();
    let behind = facts.recorded.alerts_of(Notice::RepositoryBehind.label());
    let remedy = "write an [[audit.repository]] with transport = \"tls\" or an [[audit.fhir]], and look at dimsegate status";
    if destinations.is_empty() {
        return missing("records are sent nowhere", remedy);
    }
    if !weak.is_empty() {
        return missing(format!("records go over UDP, without any receipt, to: {}", some(&weak)), remedy);
    }
    if behind > 0 {
        return missing(format!("alerts of the period that a repository was behind: {behind}"), remedy);
    }
    found(
        "records are sent to repositories, and none was told to be behind in the period",
        places(facts),
        Query::Search(vec![
            ("event", "security-alert".into()),
            ("reason", Notice::RepositoryBehind.label().into()),
        ]),
    )
}

fn places(facts: &Facts<'_>) -> Vec<crate::evidence::finding::Place> {
    let place = |one: &crate::audit::forward::Destination| {
        let table = if matches!(one.kind, Kind::Fhir(_)) { "fhir" } else { "repository" };
        facts.place(format!("audit.{table} \"{}\"", one.name))
    };
    facts.settings.forwarding.iter().map(place).collect()
}

pub(in crate::evidence) fn audit_schema_valid(facts: &Facts<'_>) -> Finding {
    match facts.settings.forwarding.iter().any(|one| matches!(one.kind, Kind::Syslog(_))) {
        true => found(
            "records go out as audit messages of PS3.15 A.5, which the tests of this program hold against its schema",
            places(facts),
            Query::Check,
        ),
        false => missing("no audit messages of PS3.15 A.5 are sent", "write an [[audit.repository]]"),
    }
}

/// Commands by which somebody looks at what happened. A report on controls and a verification look at the trail, for nobody in
/// particular.
const READING: [&str; 4] = ["report", "search", "show", "review"];

pub(in crate::evidence) fn audit_review_export(facts: &Facts<'_>) -> Finding {
    let readings: u64 = READING.iter().filter_map(|command| facts.recorded.readings.get(*command)).sum();
    match readings {
        0 => missing(
            "nobody read the records in the period, as far as they tell",
            "read them on the machine of the proxy: dimsegate audit report; who did so becomes a record",
        ),
        times => found(
            format!("the records were read in the period, times: {times}; each reading is a record"),
            Vec::new(),
            Query::events("audit-log-used"),
        ),
    }
}

pub(in crate::evidence) fn config_hash_logged(facts: &Facts<'_>) -> Finding {
    let digest = &facts.settings.digest;
    if !facts.recorded.configurations.contains(digest) {
        return missing(
            "no record of the period names the digest of this configuration",
            "choose a period in which the proxy ran with it, and give the file as the proxy is given it",
        );
    }
    found(
        format!(
            "records name the configuration by its SHA-256; {} loaded in the period",
            facts.recorded.of("configuration-loaded")
        ),
        Vec::new(),
        Query::Configurations,
    )
}

pub(in crate::evidence) fn retention_days_ge_2192(facts: &Facts<'_>) -> Finding {
    let place = vec![facts.place("audit.retention-days")];
    match facts.settings.audit.keeping.retention_days {
        Some(days) if days < SIX_YEARS => missing(
            format!("records are deleted after {days} days, before six years with their leap days are over"),
            format!("write retention-days = {SIX_YEARS} or more, or leave it out"),
        ),
        Some(days) => found(format!("records are kept for {days} days"), place, Query::Check),
        None => found("records are never deleted", place, Query::Check),
    }
}

pub(in crate::evidence) fn metrics_enabled(facts: &Facts<'_>) -> Finding {
    let settings = facts.settings;
    let served = settings.metrics.is_some() || settings.admin.is_some();
    if !served || settings.notifications.is_empty() {
        return missing(
            "there are no metrics, or nobody is told of what needs a look",
            "write [metrics] or [admin], and a [[notify]]",
        );
    }
    let key = if settings.metrics.is_some() { "metrics.listen" } else { "admin.listen" };
    let told = settings.notifications.iter().map(|target| facts.place(format!("notify \"{}\"", target.name)));
    found(
        "metrics are served, and somebody is told of what needs a look",
        std::iter::once(facts.place(key)).chain(told).collect(),
        Query::events("security-alert"),
    )
}

pub(in crate::evidence) fn clock_sync(_: &Facts<'_>) -> Finding {
    Finding::NotByProxy(
        "the proxy asks no time server; it records when the clock of its machine is set (clock-stepped). The time service of the machine shows how far it is off",
    )
}

pub(in crate::evidence) fn spool_disabled_or_encrypted(facts: &Facts<'_>) -> Finding {
    let audit = &facts.settings.audit;
    if matches!(audit.patient_identifiers, PatientIdentifiers::Clear) && audit.keeping.reviewers.is_none() {
        return missing(
            "records hold patients' identifiers, and are kept in clear",
            "write patient-identifiers = \"keyed-hash\" or \"none\", or encrypt-to, in [audit]",
        );
    }
    let crosswalks = facts.settings.crosswalks.keys();
    let crosswalks = crosswalks.map(|name| facts.place(format!("crosswalk \"{name}\".key-file")));
    found(
        "no object is stored; what pseudonyms stand for is encrypted, and records hold no identifiers in clear for long",
        std::iter::once(facts.place("audit.patient-identifiers")).chain(crosswalks).collect(),
        Query::Check,
    )
}
