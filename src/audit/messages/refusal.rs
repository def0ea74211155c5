//! What was refused, and other things that a person should look at (A.5.3.11, A.5.3.12).

use super::association::Ends;
use super::authentication;
use super::codes::{self, Code};
use super::message::{Message, Object, Outcome, Participant};
use super::process::{event, why};
use crate::audit::record::{Event, Record};
use crate::vocabulary::{self, Alert};

/// The message of `connection-refused`, `association-rejected`, `security-alert`, or of an association that the policy or
/// a broken protocol ended. `None` where nobody's access was decided: the upstream was away, or the requestor left.
pub(super) fn refused(record: &Record, proxy: &Participant) -> Option<Message> {
    let label = label(record.reason().unwrap_or_default());
    let alerted = vocabulary::of_reason(label).map_or(Alert::AccessControl, |word| word.alert);
    if alerted == Alert::Login {
        // Its alert says nothing more.
        return (!matches!(record.event, Event::SecurityAlert(_)))
            .then(|| authentication::failed(record, proxy));
    }
    let (kind, outcome) = coded(alerted)?;
    Some(alert(record, proxy, kind, outcome))
}

/// `label` or `label: text`.
fn label(reason: &str) -> &str {
    reason.split_once(':').map_or(reason, |(label, _)| label).trim()
}

/// The code of a kind of alert, and how much of a failure it is.
fn coded(alert: Alert) -> Option<(Code, Outcome)> {
    let (kind, outcome) = match alert {
        Alert::No | Alert::Login => return None,
        Alert::NodeAuthentication => (codes::NODE_AUTHENTICATION, Outcome::MinorFailure),
        Alert::UpstreamAuthentication => (codes::NODE_AUTHENTICATION, Outcome::SeriousFailure),
        Alert::RestrictedFunction => (codes::USE_OF_RESTRICTED_FUNCTION, Outcome::MinorFailure),
        Alert::AccessControl => (codes::ACCESS_CONTROL_DECISION, Outcome::MinorFailure),
        Alert::RecordingStopped => (codes::AUDIT_RECORDING_STOPPED, Outcome::SeriousFailure),
        Alert::RecordingLate => (codes::AUDIT_RECORDING_STOPPED, Outcome::MinorFailure),
    };
    Some((kind, outcome))
}

/// In place of an address, where there were more of them than are told apart.
const ANYBODY: &str = "any";

/// The alert, with the node that gave rise to it as a performer and as the subject.
fn alert(record: &Record, proxy: &Participant, kind: Code, outcome: Outcome) -> Message {
    let ends = Ends::of(record);
    let address = record.address().map(|address| address.to_string());
    let address = address.or(record.count().map(|_| ANYBODY.to_owned()));
    let reporter = match &ends {
        Some(ends) if record.called_ae_title().is_some() => ends.proxy(proxy.clone()),
        _ => proxy.clone(),
    };
    let performer = ends.map(|ends| Participant { requestor: false, ..ends.requestor(None) });
    Message {
        outcome,
        outcome_description: why(record),
        participants: [Some(reporter), performer].into_iter().flatten().collect(),
        objects: address.map(|address| subject(record, &address)).into_iter().collect(),
        ..event(record, codes::SECURITY_ALERT, Some(kind), Vec::new())
    }
}

fn subject(record: &Record, address: &str) -> Object {
    let tls = record.tls();
    let subject = tls.and_then(|tls| tls.subject.clone());
    let title = || record.calling_ae_title().map(str::to_owned);
    let name = subject.or_else(title).unwrap_or_else(|| address.to_owned());
    let why = why(record).unwrap_or_else(|| "refused".into());
    Object::resource(address, codes::NODE_ID, &name)
        .with("Alert Description", Some(why))
        .with("CertificateSHA256", tls.and_then(|tls| tls.fingerprint.clone()))
        .with("Count", record.count().map(|count| count.to_string()))
        .with("Association", record.association())
}
