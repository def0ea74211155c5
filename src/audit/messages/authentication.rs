//! User Authentication (A.5.3.14): who proved to be whom.
//!
//! Two things identify a user: a client certificate that the peer of an association is bound to or that its CA signed,
//! and a user identity (PS3.7 D.3.3.7). The second is not judged, so only the first succeeds.

use super::association::identity;
use super::codes;
use super::message::{Message, Network, Outcome, Participant};
use super::process::event;
use super::record::Record;

/// An association was opened with a certificate; `None` for one without.
pub(super) fn succeeded(record: &Record, proxy: &Participant) -> Option<Message> {
    let certificate = record.tls.as_ref().is_some_and(|tls| tls.fingerprint.is_some());
    certificate.then(|| login(record, proxy))
}

/// Who it was claimed to be is known only where the record says so.
pub(super) fn failed(record: &Record, proxy: &Participant) -> Message {
    Message { outcome: Outcome::MinorFailure, outcome_description: record.why(), ..login(record, proxy) }
}

fn login(record: &Record, proxy: &Participant) -> Message {
    let address = record.address.clone().unwrap_or_else(|| "unknown".into());
    let claimed = record.user().map(str::to_owned).or_else(|| identity(record.tls.as_ref()));
    let user = Participant {
        user: claimed.unwrap_or_else(|| address.clone()),
        ae_titles: record.calling_ae_title.iter().cloned().collect(),
        requestor: true,
        network: Some(Network::of(&address)),
        ..Participant::default()
    };
    event(record, codes::USER_AUTHENTICATION, Some(codes::LOGIN), vec![user, proxy.clone()])
}
