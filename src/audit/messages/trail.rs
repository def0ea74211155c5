//! The trail itself: who read it, what was done to its files, what a run found of it, and the clock that dates it.

use super::codes;
use super::message::{Action, Message, Network, Object, Outcome, Participant};
use super::process::event;
use super::record::Record;
use crate::vocabulary::{HeadFound, Notice};

/// Audit Log Used (A.5.3.2): the person, and the process with which he read.
pub(super) fn used(record: &Record, proxy: &Participant) -> Message {
    let network = record.host.as_deref().map(Network::of);
    let user = record.user().unwrap_or("unknown").to_owned();
    let reader = Participant { user, requestor: true, network: network.clone(), ..Participant::default() };
    let with = record.command.as_deref().map(|command| Participant {
        user: record.process_id.map_or_else(|| command.to_owned(), |id| id.to_string()),
        name: Some(format!("dimsegate audit {command}")),
        network,
        ..Participant::default()
    });
    let object =
        log(record).with("Command", record.command.clone()).with("Arguments", record.arguments.clone());
    Message {
        action: Action::Read,
        outcome_description: record.why(),
        objects: vec![object],
        ..event(record, codes::AUDIT_LOG_USED, None, vec![reader, with.unwrap_or_else(|| proxy.clone())])
    }
}

/// A file of the trail was closed or deleted by the proxy. ITI-20 has Audit Log Used for whatever modifies the log.
pub(super) fn kept(record: &Record, proxy: &Participant) -> Message {
    let what = match record.event.as_str() {
        "records-deleted" => "deleted",
        _ => "closed; its lines are what they were",
    };
    let reason = record.reason.as_deref().map(|reason| format!("{what}: {reason}"));
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let object = log(record)
        .with("First", number(record.first))
        .with("Last", number(record.last.as_u64()))
        .with("Head", record.head.clone())
        .with("SHA256", record.sha256.clone());
    Message {
        action: Action::Read,
        outcome_description: Some(reason.unwrap_or_else(|| what.into())),
        objects: vec![object],
        ..event(record, codes::AUDIT_LOG_USED, None, vec![proxy.clone()])
    }
}

/// A run goes on from the trail that it found: Audit Recording Started, by what the head says of it and by what nobody had
/// signed (A.5.3.11).
pub(super) fn continued(record: &Record, proxy: &Participant) -> Message {
    let wrong =
        record.head.as_deref().is_some_and(|label| HeadFound::of(label).is_none_or(HeadFound::is_wrong));
    let crash = record.last.is_u64() && record.ended == serde_json::Value::Bool(false);
    let outcome = match (wrong, record.unsigned > 0 || crash) {
        (true, _) => Outcome::SeriousFailure,
        (false, true) => Outcome::MinorFailure,
        (false, false) => Outcome::Success,
    };
    let explanation = record.explanation.as_deref().unwrap_or("a run goes on from the trail that it found");
    let crash = if crash { "; the run before ended without a word" } else { "" };
    let changed = if wrong { format!("{}: ", Notice::TrailChanged.label()) } else { String::new() };
    let said = format!("{changed}{explanation}{crash}");
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let object = log(record)
        .with("Alert Description", Some(said.clone()))
        .with("Last", number(record.last.as_u64()))
        .with("SignedUpTo", number(record.signed_up_to))
        .with("Unsigned", Some(record.unsigned.to_string()));
    Message {
        outcome,
        outcome_description: Some(said),
        objects: vec![object],
        ..event(record, codes::SECURITY_ALERT, Some(codes::AUDIT_RECORDING_STARTED), vec![proxy.clone()])
    }
}

/// The machine's clock was set (A.5.3.11): times before and behind this record are not of one clock.
pub(super) fn clock(record: &Record, proxy: &Participant) -> Message {
    let said = record.explanation.as_deref().unwrap_or("the clock was set");
    let node = proxy.network.as_ref().map_or("localhost", |network| network.parts().1);
    let object = Object::resource(node, codes::NODE_ID, "clock").with("Alert Description", Some(said));
    Message {
        outcome: Outcome::MinorFailure,
        outcome_description: Some(said.into()),
        objects: vec![object],
        ..event(record, codes::SECURITY_ALERT, Some(codes::SECURITY_CONFIGURATION), vec![proxy.clone()])
    }
}

/// The trail, or the file of it that a record is about.
fn log(record: &Record) -> Object {
    let uri = record.file.as_deref().unwrap_or("urn:dimsegate:audit");
    Object::resource(uri, codes::URI, "Security Audit Log")
}
