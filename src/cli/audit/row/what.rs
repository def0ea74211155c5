//! What a record tells, by its event.

use crate::audit::reading::Record;
use crate::cli::words::{amount, counted, duration};
use crate::policy::sop_class::keyword;
use crate::vocabulary::of_tolerated;

/// In one line, and never empty: an event that is not known here says its reason and explanation, or its name.
pub(super) fn of(record: &Record) -> String {
    let told = match &*record.event {
        "operation" => operation(record),
        "association-opened" => opened(record),
        "association-closed" => closed(record),
        "configuration-loaded" => loaded(record),
        "configuration-refused" => not_loaded(record),
        "audit-log-used" => used(record),
        "administration" => administered(record),
        "trail-continued" => continued(record),
        "file-closed" | "records-deleted" => file(record),
        "checkpoint" => vec![
            record.records.map(|count| format!("signs {}, and all before", counted(count, "more record"))),
        ],
        "stopped" => stopped(record),
        _ => vec![],
    };
    match joined(told, ", ") {
        told if told.is_empty() => reason(record),
        told => told,
    }
}

/// What there is of these parts.
fn joined(parts: impl IntoIterator<Item = Option<String>>, between: &str) -> String {
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

fn own(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

/// Version, reason, explanation and certificate.
fn reason(record: &Record) -> String {
    let certificate = record
        .certificate
        .as_ref()
        .map(|one| format!("certificate {} of {}, SHA-256 {}", one.subject, one.issuer, one.fingerprint));
    let version = record.version.as_deref().map(|version| format!("version {version}"));
    let parts = [version, own(record.reason.as_deref()), own(record.explanation.as_deref()), certificate];
    match joined(parts, ": ") {
        told if told.is_empty() => record.event.to_string(),
        told => told,
    }
}

fn opened(record: &Record) -> Vec<Option<String>> {
    vec![
        record.upstream.as_ref().map(|upstream| format!("upstream {}", upstream.name)),
        Some(record.tls.as_ref().map_or("plain TCP".into(), |tls| format!("TLS {}", tls.version))),
        record.rewrite_name().map(|name| format!("rewrite {name}")),
    ]
}

fn closed(record: &Record) -> Vec<Option<String>> {
    let counts = record.operations.iter().map(|(name, counts)| {
        Some(format!("{} {name}", counts.success + counts.warning + counts.failure + counts.refused))
    });
    let bytes = record.bytes.unwrap_or_default();
    [own(Some(record.ended().unwrap_or("ended"))), own(record.reason.as_deref())]
        .into_iter()
        .chain(counts)
        .chain([
            Some(format!("{} in, {} out", amount(bytes.r#in), amount(bytes.out))),
            Some(duration(record.duration_ms)),
        ])
        .collect()
}

fn loaded(record: &Record) -> Vec<Option<String>> {
    let by = record.user.as_deref().map(|user| format!("by {user}"));
    vec![Some(joined([own(record.file.as_deref()), own(record.configuration.as_deref()), by], " "))]
}

fn not_loaded(record: &Record) -> Vec<Option<String>> {
    let by = record.user.as_deref().map(|user| format!("by {user}"));
    let errors = record.errors.map(|count| counted(count, "error"));
    let first = record.problems.first().map(|problem| format!("the first: {problem}"));
    vec![Some(joined([own(record.file.as_deref()), by], " ")), errors, first]
}

fn used(record: &Record) -> Vec<Option<String>> {
    let said = |text: Option<&str>| text.unwrap_or("?").to_owned();
    let (user, host) = (said(record.user.as_deref()), said(record.host.as_deref()));
    let command = said(record.command.as_deref());
    vec![Some(format!("{user} on {host}: {command} {}", record.arguments.as_deref().unwrap_or_default()))]
}

/// Who did what through the administration interface.
fn administered(record: &Record) -> Vec<Option<String>> {
    let said = |text: Option<&str>| text.unwrap_or("?").to_owned();
    let (user, action) = (said(record.user.as_deref()), said(record.action.as_deref()));
    let role = record.role.as_deref().map(|role| format!(" as {role}")).unwrap_or_default();
    let what = format!("{user}{role}: {action} {}", record.resource.as_deref().unwrap_or_default());
    vec![Some(what), own(record.turned_out.as_deref()), own(record.explanation.as_deref())]
}

/// What a run found when it began.
fn continued(record: &Record) -> Vec<Option<String>> {
    let last = record.last.map(|last| format!("found up to record {last}"));
    let crash = record.after_crash().then(|| "the run before ended without a word, as in a crash".to_owned());
    vec![own(record.explanation.as_deref()), last, crash]
}

/// A file that was closed or deleted.
fn file(record: &Record) -> Vec<Option<String>> {
    let span = record.first.zip(record.last);
    let records = span.map(|(first, last)| format!("records {first} to {last}"));
    vec![own(record.file.as_deref()), records, own(record.reason.as_deref())]
}

fn stopped(record: &Record) -> Vec<Option<String>> {
    let aborted = record.aborted.filter(|aborted| *aborted > 0);
    vec![
        own(record.reason.as_deref()),
        aborted.map(|count| format!("{} aborted", counted(count, "association"))),
        Some(format!("after {}", duration(record.duration_ms))).filter(|_| record.duration_ms.is_some()),
    ]
}

fn operation(record: &Record) -> Vec<Option<String>> {
    let class = record.sop_class.as_deref().map(|uid| keyword(uid).unwrap_or(uid));
    let done = joined(
        [
            own(record.operation.as_deref()),
            own(record.status.as_deref()),
            own(record.reason.as_deref()),
            own(class),
            own(record.sop_instance.as_deref()),
            record.study.as_deref().map(|study| format!("of study {study}")),
            record.rewritten.map(|count| format!("{} rewritten", counted(count, "element"))),
            record.bytes.map(|bytes| bytes.r#in).filter(|bytes| *bytes > 0).map(amount),
            Some(duration(record.duration_ms)),
        ],
        " ",
    );
    vec![Some(done), fault(record).map(|fault| format!("fault: {fault}")), tolerated(record)]
}

/// Where a message could not be rewritten, and why.
fn fault(record: &Record) -> Option<String> {
    let fault = record.fault.as_ref()?;
    let place = match (&fault.element, fault.offset) {
        (Some(element), _) => Some(element.to_string()),
        (None, offset) => offset.map(|offset| format!("behind byte {offset} of the data set")),
    };
    let expected = fault.expected.as_ref().map(|expected| format!("expected: {expected}"));
    Some(joined([place, own(Some(&fault.problem)), expected], ", "))
}

fn tolerated(record: &Record) -> Option<String> {
    let words = |label: &str| of_tolerated(label).unwrap_or_else(|| label.to_owned());
    let all: Vec<String> = record.tolerated.iter().map(|label| words(label)).collect();
    (!all.is_empty()).then(|| format!("tolerated: {}", all.join("; ")))
}
