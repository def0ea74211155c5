//! User Authentication (A.5.3.14): who proved to be whom.
//!
//! Two things identify a user: a user identity (PS3.7 D.3.3.7) that was proven, and a client certificate that the peer of an
//! association is bound to or that its CA signed. A name that is only claimed identifies nobody.

use super::association::identity;
use super::codes;
use super::message::{Message, Network, Outcome, Participant};
use super::process::{event, why};
use crate::audit::record::Record;
use crate::vocabulary::Reason;

/// An association was opened with a certificate or by a proven user; `None` for one without.
pub(super) fn succeeded(record: &Record, proxy: &Participant) -> Option<Message> {
    let certificate = record.tls().is_some_and(|tls| tls.fingerprint.is_some());
    let user = record.proven_user().map(str::to_owned).or_else(|| identity(record.tls()));
    (certificate || record.proven_user().is_some()).then(|| login(record, user, proxy))
}

/// Who it was claimed to be is known only where the record says so.
pub(super) fn failed(record: &Record, proxy: &Participant) -> Message {
    let claimed = record.user().map(str::to_owned).or_else(|| identity(record.tls()));
    // Whoever is locked out is not looked at any more.
    let outcome = match record.reason() == Some(Reason::UserLockedOut.label()) {
        true => Outcome::SeriousFailure,
        false => Outcome::MinorFailure,
    };
    Message { outcome, outcome_description: why(record), ..login(record, claimed, proxy) }
}

fn login(record: &Record, user: Option<String>, proxy: &Participant) -> Message {
    let address = record.address().map_or_else(|| "unknown".into(), |address| address.to_string());
    let user = Participant {
        user: user.unwrap_or_else(|| address.clone()),
        ae_titles: record.calling_ae_title().map(str::to_owned).into_iter().collect(),
        requestor: true,
        network: Some(Network::of(&address)),
        ..Participant::default()
    };
    event(record, codes::USER_AUTHENTICATION, Some(codes::LOGIN), vec![user, proxy.clone()])
}
