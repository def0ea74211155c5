//! What TLS proved, and what it would prove of a requestor, by the code that handshakes use.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use time::OffsetDateTime;

use crate::audit;
use crate::config::ListenerSettings;
use crate::identity::Certificate;
use crate::policy::Refusal;
use crate::tls::{Authorities, ClientAuthentication, HandshakeFailure, Session};
use crate::vocabulary::Reason;

/// What TLS would prove of a requestor.
pub(crate) struct Proven {
    pub(crate) certificate: Certificate,
    pub(crate) authorities: Authorities,
}

/// How a connection ends that comes to no A-ASSOCIATE-RJ.
pub(crate) enum Ending {
    Closed,
    Alert(String),
}

/// What TLS proved about the other side.
pub(super) fn proven(session: &Session) -> audit::Tls {
    let (cipher, group) = (session.cipher.clone(), session.group.clone().map(Into::into));
    let authority = session.authorities.first().map(|authority| audit::Authority::from(&**authority));
    audit::Tls { authority, ..audit::Tls::new(session.version, cipher, group, session.certificate.as_ref()) }
}

/// What the listener would make of the chain at a time, by the code that its handshakes use.
pub(crate) fn proven_by(
    listener: &ListenerSettings,
    chain: Option<&[CertificateDer<'_>]>,
    at: OffsetDateTime,
) -> Result<Option<Proven>, (Refusal, Ending)> {
    let Some(tls) = &listener.tls else { return Ok(None) };
    match (&tls.built.trust, chain) {
        (None, _) => Ok(None),
        (Some(_), None) if tls.settings.client_authentication == ClientAuthentication::Optional => Ok(None),
        (Some(_), None) => Err(nothing_shown(listener)),
        (Some(trust), Some(chain)) => match trust.judge(chain, unix(at)) {
            Ok(authorities) => Ok(chain
                .first()
                .map(|own| Proven { certificate: Certificate::from_der_or_fingerprint(own), authorities })),
            Err(failure) => Err(not_trusted(listener, *failure)),
        },
    }
}

/// A time before 1970 is before every certificate.
fn unix(at: OffsetDateTime) -> UnixTime {
    let since = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(since))
}

fn nothing_shown(listener: &ListenerSettings) -> (Refusal, Ending) {
    let refusal = Refusal {
        reason: Reason::CertificateMissing,
        nearest: None,
        stated: None,
        detail: format!("listener \"{}\" requires a client certificate", listener.name),
        remedy: "give the certificate that the requestor shows with --certificate".into(),
    };
    (refusal, Ending::Alert("certificate_required".into()))
}

fn not_trusted(listener: &ListenerSettings, failure: HandshakeFailure) -> (Refusal, Ending) {
    let HandshakeFailure { fault, detail, alert, .. } = failure;
    let remedy = format!(
        "let the requestor show another certificate, or see client-ca, pins and revocation-lists of listener \"{}\"",
        listener.name
    );
    let refusal = Refusal { reason: fault.reason(), nearest: None, stated: None, detail, remedy };
    (refusal, Ending::Alert(alert.unwrap_or_default()))
}
