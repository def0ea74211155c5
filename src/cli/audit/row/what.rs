//! What a record tells, by its event.

use crate::audit::record::{
    Administration, AssociationClosed, AssociationOpened, AuditLogUsed, ConfigurationLoaded,
    ConfigurationRefused, Event, Operation, Record, ReloadedBy, Requestor, Span, Stopped, TrailContinued,
};
use crate::cli::words::{amount, counted, duration};
use crate::policy::sop_class::keyword;
use crate::vocabulary::of_tolerated;

/// In one line, and never empty: an event that is not known here says its reason and explanation, or its name.
pub(super) fn of(record: &Record) -> String {
    let told = match &record.event {
        Event::Operation(done) => operation(done),
        Event::AssociationOpened(told) => opened(told),
        Event::AssociationClosed(told) => closed(told),
        Event::ConfigurationLoaded(told) => loaded(told),
        Event::ConfigurationRefused(told) => not_loaded(told),
        Event::AuditLogUsed(told) => used(told),
        Event::Administration(told) => administered(told),
        Event::TrailContinued(told) => continued(told),
        Event::FileClosed(told) => file(&told.file, Some(&told.lines), None),
        Event::RecordsDeleted(told) => file(&told.file, told.lines.as_ref(), Some(&told.reason)),
        Event::Checkpoint(told) => {
            vec![Some(format!("signs {}, and all before", counted(told.records, "more record")))]
        }
        Event::Stopped(told) => stopped(told),
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
        .refused_certificate()
        .map(|one| format!("certificate {} of {}, SHA-256 {}", one.subject, one.issuer, one.fingerprint));
    let version = match &record.event {
        Event::Started(started) if !started.version.is_empty() => {
            Some(format!("version {}", started.version))
        }
        _ => None,
    };
    let named = record.requestor().and_then(user);
    let parts = [version, named, own(record.reason()), own(record.explanation()), certificate];
    match joined(parts, ": ") {
        told if told.is_empty() => record.event.name().to_owned(),
        told => told,
    }
}

/// The user that a requestor names: a proof makes it one.
fn user(requestor: &Requestor) -> Option<String> {
    let identified = requestor.identified.as_ref()?;
    Some(match &*identified.user_identity {
        "proven" => format!("user {}", identified.user),
        _ => format!("claims to be user {}", identified.user),
    })
}

fn opened(opened: &AssociationOpened) -> Vec<Option<String>> {
    let upstream = own(Some(&opened.upstream.name)).filter(|name| !name.is_empty());
    vec![
        user(&opened.requestor),
        upstream.map(|name| format!("upstream {name}")),
        Some(opened.requestor.tls.as_ref().map_or("plain TCP".into(), |tls| format!("TLS {}", tls.version))),
        opened.rewrite.as_ref().map(|name| format!("rewrite {name}")),
    ]
}

fn closed(closed: &AssociationClosed) -> Vec<Option<String>> {
    let counts = closed.operations.iter().map(|(name, counts)| {
        Some(format!("{} {name}", counts.success + counts.warning + counts.failure + counts.refused))
    });
    let ended = match closed.ended.label() {
        "" => "ended",
        ended => ended,
    };
    [own(Some(ended)), own(closed.reason.as_deref())]
        .into_iter()
        .chain(counts)
        .chain([
            Some(format!("{} in, {} out", amount(closed.bytes.r#in), amount(closed.bytes.out))),
            Some(duration(Some(closed.duration_ms))),
        ])
        .collect()
}

/// Who had it read again.
fn by(by: Option<&ReloadedBy>) -> Option<String> {
    by?.user.as_ref().map(|user| format!("by {user}"))
}

fn loaded(loaded: &ConfigurationLoaded) -> Vec<Option<String>> {
    let of = [own(Some(&loaded.file)), own(Some(&loaded.configuration)), by(loaded.by.as_ref())];
    vec![Some(joined(of, " "))]
}

fn not_loaded(refused: &ConfigurationRefused) -> Vec<Option<String>> {
    let first = refused.problems.first().map(|problem| format!("the first: {problem}"));
    let of = [own(Some(&refused.file)), by(refused.by.as_ref())];
    vec![Some(joined(of, " ")), Some(counted(refused.errors, "error")), first]
}

fn used(used: &AuditLogUsed) -> Vec<Option<String>> {
    let host = used.host.as_deref().unwrap_or("?");
    vec![Some(format!("{} on {host}: {} {}", said(&used.user), said(&used.command), used.arguments))]
}

/// Who did what through the administration interface.
fn administered(done: &Administration) -> Vec<Option<String>> {
    let role = done.role.as_deref().map(|role| format!(" as {role}")).unwrap_or_default();
    let what = format!("{}{role}: {} {}", said(&done.user), said(&done.action), done.resource);
    vec![Some(what), own(Some(done.outcome.label())), own(done.explanation.as_deref())]
}

fn said(text: &str) -> &str {
    if text.is_empty() { "?" } else { text }
}

/// What a run found when it began.
fn continued(found: &TrailContinued) -> Vec<Option<String>> {
    let last = found.last.map(|last| format!("found up to record {last}"));
    let crash = found.after_crash().then(|| "the run before ended without a word, as in a crash".to_owned());
    vec![own(Some(&found.explanation)), last, crash]
}

/// A file that was closed or deleted.
fn file(name: &str, lines: Option<&Span>, reason: Option<&str>) -> Vec<Option<String>> {
    let records = lines.map(|lines| format!("records {} to {}", lines.first, lines.last));
    vec![own(Some(name)), records, own(reason)]
}

fn stopped(stopped: &Stopped) -> Vec<Option<String>> {
    let aborted = Some(stopped.aborted).filter(|aborted| *aborted > 0);
    vec![
        own(Some(&stopped.reason)),
        aborted.map(|count| format!("{} aborted", counted(count, "association"))),
        Some(format!("after {}", duration(Some(stopped.duration_ms)))),
    ]
}

fn operation(record: &Operation) -> Vec<Option<String>> {
    let class = record.sop_class.as_deref().map(|uid| keyword(uid).unwrap_or(uid));
    let done = joined(
        [
            own(Some(&record.operation)),
            record.status_text(),
            own(record.reason.as_deref()),
            own(class),
            own(record.sop_instance.as_deref()),
            record.study.as_deref().map(|study| format!("of study {study}")),
            record.withheld.map(|count| format!("{} withheld", counted(count, "answer"))),
            record.rewritten.map(|count| format!("{} rewritten", counted(count, "element"))),
            Some(record.bytes).filter(|bytes| *bytes > 0).map(amount),
            Some(duration(Some(record.duration_ms))),
        ],
        " ",
    );
    vec![Some(done), fault(record).map(|fault| format!("fault: {fault}")), tolerated(record)]
}

/// Where a message could not be rewritten, and why.
fn fault(record: &Operation) -> Option<String> {
    let fault = record.fault.as_ref()?;
    let place = match (&fault.element, fault.offset) {
        (Some(element), _) => Some(element.to_string()),
        (None, offset) => offset.map(|offset| format!("behind byte {offset} of the data set")),
    };
    let expected = fault.expected.as_ref().map(|expected| format!("expected: {expected}"));
    Some(joined([place, own(Some(&fault.problem)), expected], ", "))
}

fn tolerated(record: &Operation) -> Option<String> {
    let words = |label: &str| of_tolerated(label).unwrap_or_else(|| label.to_owned());
    let all: Vec<String> = record.tolerated.iter().map(|label| words(label)).collect();
    (!all.is_empty()).then(|| format!("tolerated: {}", all.join("; ")))
}
