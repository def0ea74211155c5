//! The trail itself: who read it, what was done to its files, what a run found of it, and the clock that dates it.

use super::codes;
use super::message::{Action, Message, Network, Object, Outcome, Participant};
use super::process::event;
use crate::audit::record::{AuditLogUsed, FileClosed, Record, RecordsDeleted, Span, TrailContinued};
use crate::vocabulary::Notice;

/// Audit Log Used (A.5.3.2): the person, and the process with which he read.
pub(super) fn used(used: &AuditLogUsed, record: &Record, proxy: &Participant) -> Message {
    let network = used.host.as_deref().map(Network::of);
    let user = if used.user.is_empty() { "unknown" } else { &used.user };
    let reader = Participant {
        user: user.into(),
        requestor: true,
        network: network.clone(),
        ..Participant::default()
    };
    let with = Some(&used.command).filter(|command| !command.is_empty()).map(|command| Participant {
        user: used.process_id.to_string(),
        name: Some(format!("dimsegate audit {command}")),
        network,
        ..Participant::default()
    });
    let object =
        log(&used.file).with("Command", said(&used.command)).with("Arguments", said(&used.arguments));
    Message {
        action: Action::Read,
        objects: vec![object],
        ..event(record, codes::AUDIT_LOG_USED, None, vec![reader, with.unwrap_or_else(|| proxy.clone())])
    }
}

/// A file of the trail was closed by the proxy. ITI-20 has Audit Log Used for whatever modifies the log.
pub(super) fn closed(closed: &FileClosed, record: &Record, proxy: &Participant) -> Message {
    let object = lines(log(&closed.file), Some(&closed.lines)).with("SHA256", said(&closed.sha256));
    kept("closed; its lines are what they were".into(), object, record, proxy)
}

/// A file of the trail was deleted by the proxy.
pub(super) fn deleted(deleted: &RecordsDeleted, record: &Record, proxy: &Participant) -> Message {
    let reason = said(&deleted.reason).map(|reason| format!("deleted: {reason}"));
    let object = lines(log(&deleted.file), deleted.lines.as_ref());
    kept(reason.unwrap_or_else(|| "deleted".into()), object, record, proxy)
}

fn kept(what: String, object: Object, record: &Record, proxy: &Participant) -> Message {
    Message {
        action: Action::Read,
        outcome_description: Some(what),
        objects: vec![object],
        ..event(record, codes::AUDIT_LOG_USED, None, vec![proxy.clone()])
    }
}

fn lines(object: Object, lines: Option<&Span>) -> Object {
    object
        .with("First", lines.map(|lines| lines.first.to_string()))
        .with("Last", lines.map(|lines| lines.last.to_string()))
        .with("Head", lines.map(|lines| lines.head.to_string()))
}

/// A run goes on from the trail that it found: Audit Recording Started, by what the head says of it and by what nobody had
/// signed (A.5.3.11).
pub(super) fn continued(found: &TrailContinued, record: &Record, proxy: &Participant) -> Message {
    let (wrong, crash) = (found.is_wrong(), found.after_crash());
    let outcome = match (wrong, found.unsigned > 0 || crash) {
        (true, _) => Outcome::SeriousFailure,
        (false, true) => Outcome::MinorFailure,
        (false, false) => Outcome::Success,
    };
    let explanation = record.explanation().unwrap_or("a run goes on from the trail that it found");
    let crash = if crash { "; the run before ended without a word" } else { "" };
    let changed = if wrong { format!("{}: ", Notice::TrailChanged.label()) } else { String::new() };
    let told = format!("{changed}{explanation}{crash}");
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let object = log("")
        .with("Alert Description", Some(told.clone()))
        .with("Last", number(found.last))
        .with("SignedUpTo", number(found.signed_up_to))
        .with("Unsigned", Some(found.unsigned.to_string()));
    Message {
        outcome,
        outcome_description: Some(told),
        objects: vec![object],
        ..event(record, codes::SECURITY_ALERT, Some(codes::AUDIT_RECORDING_STARTED), vec![proxy.clone()])
    }
}

/// The machine's clock was set (A.5.3.11): times before and behind this record are not of one clock.
pub(super) fn clock(record: &Record, proxy: &Participant) -> Message {
    let told = record.explanation().unwrap_or("the clock was set");
    let node = proxy.network.as_ref().map_or("localhost", |network| network.parts().1);
    let object = Object::resource(node, codes::NODE_ID, "clock").with("Alert Description", Some(told));
    Message {
        outcome: Outcome::MinorFailure,
        outcome_description: Some(told.into()),
        objects: vec![object],
        ..event(record, codes::SECURITY_ALERT, Some(codes::SECURITY_CONFIGURATION), vec![proxy.clone()])
    }
}

/// The trail, or a file of it.
fn log(file: &str) -> Object {
    let uri = if file.is_empty() { "urn:dimsegate:audit" } else { file };
    Object::resource(uri, codes::URI, "Security Audit Log")
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
