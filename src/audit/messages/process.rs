//! The proxy itself: start, stop and configuration.

use super::codes::{self, Code};
use super::message::{Action, Message, Object, Outcome, Participant};
use super::record::Record;

/// Application Start (A.5.3.1), then Network Entry (A.5.3.9).
pub(super) fn started(record: &Record, proxy: &Participant) -> Vec<Message> {
    vec![activity(record, proxy, codes::APPLICATION_START), entry(record, proxy, codes::ATTACH)]
}

/// The same in the other order.
pub(super) fn stopped(record: &Record, proxy: &Participant) -> Vec<Message> {
    vec![entry(record, proxy, codes::DETACH), activity(record, proxy, codes::APPLICATION_STOP)]
}

fn activity(record: &Record, proxy: &Participant, kind: Code) -> Message {
    let application = Participant { role: Some(codes::APPLICATION), ..proxy.clone() };
    event(record, codes::APPLICATION_ACTIVITY, Some(kind), vec![application])
}

fn entry(record: &Record, proxy: &Participant, kind: Code) -> Message {
    event(record, codes::NETWORK_ENTRY, Some(kind), vec![proxy.clone()])
}

/// A configuration in force, or refused (A.5.3.11).
pub(super) fn configured(record: &Record, proxy: &Participant, outcome: Outcome) -> Message {
    let description = match outcome {
        Outcome::Success => "configuration in force",
        _ => "configuration refused; the one before stays in force",
    };
    let file = record.file.as_deref().unwrap_or("configuration");
    let object = Object::resource(file, codes::URI, "configuration")
        .with("Alert Description", Some(description))
        .with("ConfigurationSHA256", record.configuration.as_deref());
    Message {
        outcome,
        outcome_description: Some(description.into()),
        objects: vec![object],
        ..event(record, codes::SECURITY_ALERT, Some(codes::SECURITY_CONFIGURATION), vec![proxy.clone()])
    }
}

/// A message without objects that says that something was done, at the time of its record.
pub(super) fn event(
    record: &Record,
    event: Code,
    kind: Option<Code>,
    participants: Vec<Participant>,
) -> Message {
    Message {
        time: record.time(),
        sequence: record.sequence,
        event,
        kind,
        action: Action::Execute,
        outcome: Outcome::Success,
        outcome_description: None,
        participants,
        objects: Vec::new(),
    }
}
