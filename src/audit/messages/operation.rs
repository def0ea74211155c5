//! Operations that are a message each: queries, and the N-services (A.5.3.6, A.5.3.10, A.5.3.15).

use super::association::Ends;
use super::codes;
use super::message::{Action, Description, Message, Object, Outcome, Participant, clear};
use super::process::{counted, event};
use crate::audit::record::{Direction, Operation, Query, Record};
use crate::vocabulary::Cause;

/// How an operation ended: refused or failed by dimsegate, or by the status of its last response (PS3.7 Annex C).
pub(super) fn outcome(operation: &Operation) -> Outcome {
    // A query that nothing can match is answered so.
    if operation.reason.as_deref().is_some_and(|label| label != Cause::UnknownPseudonym.label()) {
        return Outcome::MinorFailure;
    }
    match operation.status {
        // Success, attribute warnings, cancelled, pending, and warnings.
        Some(0x0000 | 0x0001 | 0x0107 | 0x0116 | 0xfe00 | 0xff00 | 0xff01 | 0xb000..=0xbfff) => {
            Outcome::Success
        }
        _ => Outcome::SeriousFailure,
    }
}

pub(super) fn ended(operation: &Operation) -> Option<String> {
    match (outcome(operation), &operation.reason, operation.status_text()) {
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

/// As the record shows the patient.
pub(super) fn patient(operation: &Operation) -> Option<&str> {
    operation.patient.as_ref()?.rendered()
}

/// C-FIND, C-MOVE or C-GET. Where the identifier stays out of the records, it is no part of the message either.
pub(super) fn query(operation: &Operation, record: &Record, ends: &Ends, proxy: &Participant) -> Message {
    let to_peer = operation.direction == Direction::ToPeer;
    let name = format!("{} (identifier not recorded)", operation.operation);
    let query = operation.query.as_deref();
    let base64 =
        |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let mut participants = ends.transfer(to_peer, proxy.clone());
    participants.extend(operation.move_destination.as_ref().map(|title| Participant {
        user: title.clone(),
        ae_titles: vec![title.clone()],
        name: Some("C-MOVE destination".into()),
        ..Participant::default()
    }));
    let object = Object::sop_class(operation.sop_class.as_deref(), &name)
        .with("TransferSyntax", query.map(|query| query.transfer_syntax.to_string()))
        .with("Keys", query.filter(|query| !query.keys.is_empty()).map(|query| query.keys.join(" ")))
        .with("MoreKeys", query.filter(|query| query.more_keys).map(|_| "true".to_owned()))
        .with("CutFrom", query.and_then(|query| query.cut_from).map(|length| length.to_string()))
        .with("Association", record.association())
        .with("Sequence", Some(record.sequence.to_string()));
    let identifier = query.and_then(Query::identifier).filter(base64).map(str::to_owned);
    let object = Object { query: identifier, ..object };
    Message {
        outcome: outcome(operation),
        outcome_description: ended(operation).map(|ended| counted(record, &ended)),
        objects: vec![object],
        ..event(record, codes::QUERY, None, participants)
    }
}

/// The services of Modality Performed Procedure Step (PS3.4 F.7 to F.9).
const MPPS: [&str; 3] = ["1.2.840.10008.3.1.2.3.3", "1.2.840.10008.3.1.2.3.4", "1.2.840.10008.3.1.2.3.5"];

/// An N-service that reads or changes something; `None` for event reports, which are news of it.
pub(super) fn normalized(
    operation: &Operation,
    record: &Record,
    ends: &Ends,
    proxy: &Participant,
) -> Option<Message> {
    let name = operation.operation.as_ref();
    let action = match name {
        "N-CREATE" => Action::Create,
        "N-SET" | "N-ACTION" => Action::Update,
        "N-DELETE" => Action::Delete,
        "N-GET" => Action::Read,
        _ => return None,
    };
    let sop_class = operation.sop_class.as_deref();
    let mpps = sop_class.is_some_and(|class| MPPS.contains(&class));
    let instance = operation.sop_instance.clone();
    let description = Description {
        mpps: clear(instance.as_deref()).filter(|_| mpps).map(str::to_owned),
        sop_classes: sop_class.map(|class| (class.to_owned(), 1)).into_iter().collect(),
        anonymized: None,
    };
    let object = match operation.study.as_deref() {
        Some(study) => Object::study(Some(study), name),
        None => Object::sop_class(sop_class, name),
    };
    let object = Object { description: Some(description), ..object }
        .with("SOPInstance", instance)
        .with("Association", record.association())
        .with("Sequence", Some(record.sequence.to_string()));
    Some(Message {
        action,
        outcome: outcome(operation),
        outcome_description: ended(operation).map(|ended| counted(record, &ended)),
        objects: vec![object, Object::patient(patient(operation))],
        ..event(
            record,
            if mpps { codes::PROCEDURE_RECORD } else { codes::INSTANCES_ACCESSED },
            None,
            vec![ends.requestor(None), ends.proxy(proxy.clone())],
        )
    })
}

/// An operation that dimsegate refused or failed, as an alert.
pub(super) fn refused(operation: &Operation, record: &Record, ends: &Ends, proxy: &Participant) -> Message {
    let requestor = Participant { requestor: false, ..ends.requestor(None) };
    let node = requestor.user.clone();
    let why = format!("{} {}", operation.operation, ended(operation).unwrap_or_default());
    let why = counted(record, &why);
    let object = Object::resource(&node, codes::NODE_ID, &node)
        .with("Alert Description", Some(why.clone()))
        .with("SOPClass", operation.sop_class.clone())
        .with("Association", record.association());
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
