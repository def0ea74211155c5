//! What was done through the administration interface (A.5.3.11): by whom, to what, and how it turned out; and who logged in
//! there (A.5.3.14).

use super::codes;
use super::message::{Action, Message, Network, Object, Outcome, Participant};
use super::process::{counted, event};
use crate::audit::record::{Administration, AdministrationOutcome, Record};

/// A change, or an attempt at one, is an alert about the security configuration; a reader is told as one who executed
/// nothing.
pub(super) fn done(done: &Administration, record: &Record, proxy: &Participant) -> Message {
    let named = |text: &'_ str, else_named: &'static str| {
        if text.is_empty() { else_named.to_owned() } else { text.to_owned() }
    };
    let action = &*named(&done.action, "administration");
    let resource = named(&done.resource, "urn:dimsegate:administration");
    let authentication = match action {
        "login" => Some(codes::LOGIN),
        "logout" => Some(codes::LOGOUT),
        _ => None,
    };
    let (outcome, said) = match done.outcome {
        AdministrationOutcome::Refused if authentication.is_some() => (Outcome::MinorFailure, "refused"),
        AdministrationOutcome::Refused => (Outcome::SeriousFailure, "refused"),
        AdministrationOutcome::Failure => (Outcome::MinorFailure, "failed"),
        AdministrationOutcome::Success => (Outcome::Success, "done"),
    };
    let role = done.role.as_deref().unwrap_or("nobody that is known");
    let why = record.explanation().map(|why| format!(": {why}")).unwrap_or_default();
    let description = counted(record, &format!("{action} by {role} {said}{why}"));
    let user = Participant {
        user: named(&done.user, "unknown"),
        requestor: true,
        network: done.address.map(|address| Network::of(&address.to_string())),
        ..Participant::default()
    };
    if let Some(what) = authentication {
        return Message {
            outcome,
            outcome_description: Some(description),
            ..event(record, codes::USER_AUTHENTICATION, Some(what), vec![user, proxy.clone()])
        };
    }
    let object = Object::resource(&resource, codes::URI, "administration interface")
        .with("Alert Description", Some(description.clone()))
        .with("CertificateSHA256", done.fingerprint.clone());
    Message {
        action: if action == "read" { Action::Read } else { Action::Execute },
        outcome,
        outcome_description: Some(description),
        objects: vec![object],
        ..event(record, codes::SECURITY_ALERT, Some(codes::SECURITY_CONFIGURATION), vec![user, proxy.clone()])
    }
}
