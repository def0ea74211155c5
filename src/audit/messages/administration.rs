//! What was done through the administration interface (A.5.3.11): by whom, to what, and how it turned out; and who logged in
//! there (A.5.3.14).

use super::codes;
use super::message::{Action, Message, Network, Object, Outcome, Participant};
use super::process::event;
use super::record::Record;

/// A change, or an attempt at one, is an alert about the security configuration; a reader is told as one who executed
/// nothing.
pub(super) fn done(record: &Record, proxy: &Participant) -> Message {
    let action = record.action.as_deref().unwrap_or("administration");
    let resource = record.resource.as_deref().unwrap_or("urn:dimsegate:administration");
    let authentication = match action {
        "login" => Some(codes::LOGIN),
        "logout" => Some(codes::LOGOUT),
        _ => None,
    };
    let (outcome, said) = match record.outcome.as_deref() {
        Some("refused") if authentication.is_some() => (Outcome::MinorFailure, "refused"),
        Some("refused") => (Outcome::SeriousFailure, "refused"),
        Some("failure") => (Outcome::MinorFailure, "failed"),
        _ => (Outcome::Success, "done"),
    };
    let role = record.role.as_deref().unwrap_or("nobody that is known");
    let why = record.explanation.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let description = record.counted(&format!("{action} by {role} {said}{why}"));
    let user = Participant {
        user: record.user().unwrap_or("unknown").to_owned(),
        requestor: true,
        network: record.address.as_deref().map(Network::of),
        ..Participant::default()
    };
    if let Some(what) = authentication {
        return Message {
            outcome,
            outcome_description: Some(description),
            ..event(record, codes::USER_AUTHENTICATION, Some(what), vec![user, proxy.clone()])
        };
    }
    let object = Object::resource(resource, codes::URI, "administration interface")
        .with("Alert Description", Some(description.clone()))
        .with("CertificateSHA256", record.fingerprint.clone());
    Message {
        action: if action == "read" { Action::Read } else { Action::Execute },
        outcome,
        outcome_description: Some(description),
        objects: vec![object],
        ..event(record, codes::SECURITY_ALERT, Some(codes::SECURITY_CONFIGURATION), vec![user, proxy.clone()])
    }
}
