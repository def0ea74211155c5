//! Operations that are a message each: queries, and the N-services (A.5.3.6, A.5.3.10, A.5.3.15).

use super::association::Ends;
use super::codes;
use super::message::{Action, Description, Message, Object, Outcome, Participant};
use super::process::event;
use super::record::Record;
use crate::vocabulary::Cause;

/// How an operation ended: refused or failed by dimsegate, or by the status of its last response (PS3.7 Annex C).
pub(super) fn outcome(record: &Record) -> Outcome {
    // A query that nothing can match is answered so.
    if record.reason.as_deref().is_some_and(|label| label != Cause::UnknownPseudonym.label()) {
        return Outcome::MinorFailure;
    }
    let status = record.status.as_deref().and_then(|status| status.strip_prefix("0x"));
    match status.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
        // Success, attribute warnings, cancelled, pending, and warnings.
        Some(0x0000 | 0x0001 | 0x0107 | 0x0116 | 0xfe00 | 0xff00 | 0xff01 | 0xb000..=0xbfff) => {
            Outcome::Success
        }
        _ => Outcome::SeriousFailure,
    }
}

pub(super) fn ended(record: &Record) -> Option<String> {
    match (outcome(record), &record.reason, &record.status) {
        (Outcome::Success, ..) => None,
        (_, Some(reason), _) if is_refusal(reason) => Some(format!("refused: {reason}")),
        (_, Some(reason), _) => Some(format!("failed: {reason}")),
        (_, None, Some(status)) => Some(format!("status {status}")),
        (_, None, None) => Some("no response".into()),
    }
}

/// What other versions record is taken for a refusal.
fn is_refusal(reason: &str) -> bool {
    Cause::of(reason).is_none_or(Cause::is_refusal)
}

/// C-FIND, C-MOVE or C-GET. Where the identifier stays out of the records, it is no part of the message either.
pub(super) fn query(record: &Record, ends: &Ends, proxy: &Participant) -> Message {
    let to_peer = record.direction.as_deref() == Some("to-peer");
    let name = format!("{} (identifier not recorded)", record.operation.as_deref().unwrap_or("query"));
    let query = record.query.as_ref();
    let base64 =
        |text: &&String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let mut participants = ends.transfer(to_peer, proxy.clone());
    participants.extend(record.move_destination.as_ref().map(|title| Participant {
        user: title.clone(),
        ae_titles: vec![title.clone()],
        name: Some("C-MOVE destination".into()),
        ..Participant::default()
    }));
    let object = Object::sop_class(record.sop_class.as_deref(), &name)
        .with("TransferSyntax", query.map(|query| query.transfer_syntax.clone()))
        .with("Keys", query.filter(|query| !query.keys.is_empty()).map(|query| query.keys.join(" ")))
        .with("MoreKeys", query.filter(|query| query.more_keys).map(|_| "true".to_owned()))
        .with("CutFrom", query.and_then(|query| query.cut_from).map(|length| length.to_string()))
        .with("Association", record.association.clone())
        .with("Sequence", Some(record.sequence.to_string()));
    let identifier = query.and_then(|query| query.identifier.as_ref()).filter(base64).cloned();
    let object = Object { query: identifier, ..object };
    Message {
        outcome: outcome(record),
        outcome_description: ended(record).map(|ended| record.counted(&ended)),
        objects: vec![object],
        ..event(record, codes::QUERY, None, participants)
    }
}

/// The services of Modality Performed Procedure Step (PS3.4 F.7 to F.9).
const MPPS: [&str; 3] = ["1.2.840.10008.3.1.2.3.3", "1.2.840.10008.3.1.2.3.4", "1.2.840.10008.3.1.2.3.5"];

/// An N-service that reads or changes something; `None` for event reports, which are news of it.
pub(super) fn normalized(record: &Record, ends: &Ends, proxy: &Participant) -> Option<Message> {
    let action = match record.operation.as_deref()? {
        "N-CREATE" => Action::Create,
        "N-SET" | "N-ACTION" => Action::Update,
        "N-DELETE" => Action::Delete,
        "N-GET" => Action::Read,
        _ => return None,
    };
    let sop_class = record.sop_class.as_deref();
    let mpps = sop_class.is_some_and(|class| MPPS.contains(&class));
    let instance = record.sop_instance.clone();
    let description = Description {
        mpps: instance.clone().filter(|_| mpps),
        sop_classes: sop_class.map(|class| (class.to_owned(), 1)).into_iter().collect(),
        anonymized: None,
    };
    let name = record.operation.as_deref().unwrap_or_default();
    let object = match record.study.as_deref() {
        Some(study) => Object::study(Some(study), name),
        None => Object::sop_class(sop_class, name),
    };
    let object = Object { description: Some(description), ..object }
        .with("SOPInstance", instance)
        .with("Association", record.association.clone())
        .with("Sequence", Some(record.sequence.to_string()));
    Some(Message {
        action,
        outcome: outcome(record),
        outcome_description: ended(record).map(|ended| record.counted(&ended)),
        objects: vec![object, Object::patient(record.patient.as_deref())],
        ..event(
            record,
            if mpps { codes::PROCEDURE_RECORD } else { codes::INSTANCES_ACCESSED },
            None,
            vec![ends.requestor(None), ends.proxy(proxy.clone())],
        )
    })
}

/// An operation that dimsegate refused or failed, as an alert.
pub(super) fn refused(record: &Record, ends: &Ends, proxy: &Participant) -> Message {
    let requestor = Participant { requestor: false, ..ends.requestor(None) };
    let node = requestor.user.clone();
    let operation = record.operation.as_deref().unwrap_or("operation");
    let why = record.counted(&format!("{operation} {}", ended(record).unwrap_or_default()));
    let object = Object::resource(&node, codes::NODE_ID, &node)
        .with("Alert Description", Some(why.clone()))
        .with("SOPClass", record.sop_class.clone())
        .with("Association", record.association.clone());
    Message {
        outcome: Outcome::MinorFailure,
        outcome_description: Some(why),
        objects: vec![object],
        ..event(
            record,
            codes::SECURITY_ALERT,
            Some(codes::ACCESS_CONTROL_DECISION),
            vec![ends.proxy(proxy.clone()), requestor],
        )
    }
}
