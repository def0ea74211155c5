//! What was transferred of one study on one association, told once (A.5.3.3, A.5.3.7).

use super::association::Ends;
use super::codes;
use super::message::{Action, Description, Message, Object, Outcome, Participant};
use super::operation;
use super::process::{event, time_of};
use crate::audit::record::{Direction, Operation, Record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// SOP classes and statuses of one message; a message is told before it names more.
const MOST_DISTINCT: usize = 64;

/// Instances of one study, patient, direction and outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Transfer {
    key: Key,
    /// How many of each SOP class; without a class, under the empty text.
    sop_classes: BTreeMap<String, u64>,
    /// How many ended in which way, where they failed.
    failures: BTreeMap<String, u64>,
    first_sequence: u64,
    last_sequence: u64,
    /// Unix time of the first.
    began: i64,
}

/// What one message can be about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    to_peer: bool,
    study: Option<String>,
    patient: Option<String>,
    outcome: Outcome,
    /// The study as it was sent on, where its instances got new UIDs.
    rewritten: Option<Option<String>>,
}

impl Key {
    pub(super) fn of(record: &Operation) -> Self {
        let new_uids = record.new_study.is_some() || record.new_sop_instance.is_some();
        Self {
            to_peer: to_peer(record),
            study: record.study.clone(),
            patient: operation::patient(record).map(str::to_owned),
            outcome: operation::outcome(record),
            rewritten: new_uids.then(|| record.new_study.clone().or_else(|| record.study.clone())),
        }
    }
}

impl Transfer {
    pub(super) fn new(operation: &Operation, record: &Record) -> Self {
        Self {
            key: Key::of(operation),
            sop_classes: BTreeMap::new(),
            failures: BTreeMap::new(),
            first_sequence: record.sequence,
            last_sequence: record.sequence,
            began: time_of(record).unix_timestamp(),
        }
    }

    pub(super) fn takes(&self, key: &Key) -> bool {
        self.key == *key && self.sop_classes.len().max(self.failures.len()) < MOST_DISTINCT
    }

    pub(super) fn add(&mut self, operation: &Operation, record: &Record) {
        let class = operation.sop_class.clone().unwrap_or_default();
        *self.sop_classes.entry(class).or_default() += record.times();
        if let Some(failure) = operation::ended(operation) {
            *self.failures.entry(failure).or_default() += record.times();
        }
        self.last_sequence = record.sequence;
    }

    pub(super) fn age(&self, now: i64) -> i64 {
        now.saturating_sub(self.began)
    }

    /// One message; two where instances got new UIDs, so that what identifies the patient before is not in the message
    /// of what went out.
    pub(super) fn messages(
        &self,
        association: &str,
        ends: &Ends,
        proxy: &Participant,
        at: &Record,
    ) -> Vec<Message> {
        let participants = ends.transfer(self.key.to_peer, proxy.clone());
        let message = |objects: [Object; 2]| Message {
            action: Action::Create,
            outcome: self.key.outcome,
            outcome_description: self.failures(),
            objects: objects.into(),
            ..event(at, codes::INSTANCES_TRANSFERRED, None, participants.clone())
        };
        let study = self.key.study.as_deref();
        let patient = Object::patient(self.key.patient.as_deref());
        match &self.key.rewritten {
            None => vec![message([self.study(study, "study transferred", association, None), patient])],
            Some(sent) => vec![
                message([self.study(study, "study as it came", association, Some(false)), patient]),
                message([
                    self.study(
                        sent.as_deref(),
                        "study sent on after de-identification",
                        association,
                        Some(true),
                    ),
                    Object::patient(None),
                ]),
            ],
        }
    }

    fn study(&self, uid: Option<&str>, name: &str, association: &str, anonymized: Option<bool>) -> Object {
        let sop_classes = self.sop_classes.iter().map(|(class, count)| (class.clone(), *count)).collect();
        let object = Object::study(uid, name)
            .with("Association", Some(association))
            .with("Sequence", Some(format!("{}-{}", self.first_sequence, self.last_sequence)));
        Object {
            life_cycle: anonymized.filter(|done| *done).map(|_| DE_IDENTIFICATION),
            description: Some(Description { mpps: None, sop_classes, anonymized }),
            ..object
        }
    }

    fn failures(&self) -> Option<String> {
        let shown: Vec<String> =
            self.failures.iter().map(|(failure, count)| format!("{count} {failure}")).collect();
        (!shown.is_empty()).then(|| shown.join(", "))
    }
}

/// ParticipantObjectDataLifeCycle.
const DE_IDENTIFICATION: u8 = 7;

/// Begin Transferring, dated to when the first instance of the study began to arrive.
pub(super) fn begun(operation: &Operation, record: &Record, ends: &Ends, proxy: &Participant) -> Message {
    let took = i64::try_from(operation.duration_ms).unwrap_or(i64::MAX).min(86_400_000);
    let object = Object::study(operation.study.as_deref(), "study being transferred")
        .with("Association", record.association())
        .with("Sequence", Some(record.sequence.to_string()));
    let message =
        event(record, codes::BEGIN_TRANSFERRING, None, ends.transfer(to_peer(operation), proxy.clone()));
    Message {
        time: message.time - time::Duration::milliseconds(took),
        objects: vec![object, Object::patient(operation::patient(operation))],
        ..message
    }
}

fn to_peer(operation: &Operation) -> bool {
    operation.direction == Direction::ToPeer
}
