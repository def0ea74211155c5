//! The proxy itself: start, stop and configuration.

use super::codes::{self, Code};
use super::message::{Action, Message, Object, Outcome, Participant};
use crate::audit::record::{Event, Record};
use time::OffsetDateTime;

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
    let file = match &record.event {
        Event::ConfigurationLoaded(loaded) => &loaded.file,
        Event::ConfigurationRefused(refused) => &refused.file,
        _ => "",
    };
    let file = if file.is_empty() { "configuration" } else { file };
    let object = Object::resource(file, codes::URI, "configuration")
        .with("Alert Description", Some(description))
        .with("ConfigurationSHA256", record.configuration());
    Message {
        outcome,
        outcome_description: Some(description.into()),
        objects: vec![object],
        ..event(record, codes::SECURITY_ALERT, Some(codes::SECURITY_CONFIGURATION), vec![proxy.clone()])
    }
}

/// Whoever reads a trail passes over records without one.
pub(super) fn time_of(record: &Record) -> OffsetDateTime {
    record.at().unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// For people: the reason and its explanation.
pub(super) fn why(record: &Record) -> Option<String> {
    let why = match (record.reason(), record.explanation()) {
        (Some(reason), Some(explanation)) => Some(format!("{reason}: {explanation}")),
        (reason, explanation) => reason.or(explanation).map(str::to_owned),
    };
    why.map(|why| counted(record, &why))
}

/// With the number of refusals that it stands for, where they were gathered.
pub(super) fn counted(record: &Record, text: &str) -> String {
    record.count().map_or_else(|| text.to_owned(), |count| format!("{count} times: {text}"))
}

/// A message without objects that says that something was done, at the time of its record.
pub(super) fn event(
    record: &Record,
    event: Code,
    kind: Option<Code>,
    participants: Vec<Participant>,
) -> Message {
    Message {
        time: time_of(record),
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
