//! What TLS would prove of the requestor, by the code that handshakes use.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};

use crate::config::ListenerSettings;
use crate::files::full;
use crate::identity::Certificate;
use crate::policy::Refusal;
use crate::tls::{Authorities, ClientAuthentication, HandshakeFailure};
use crate::vocabulary::Reason;

/// The certificates of a PEM file, at least one.
pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |error: &dyn std::fmt::Display| format!("{}: holds no certificate in PEM: {error}", full(path));
    let found = CertificateDer::pem_file_iter(path).map_err(|error| bad(&error))?;
    let chain = found.collect::<Result<Vec<_>, _>>().map_err(|error| bad(&error))?;
    if chain.is_empty() { Err(bad(&"it has no BEGIN CERTIFICATE line")) } else { Ok(chain) }
}

/// What TLS would prove of a requestor.
pub(super) struct Shown {
    pub(super) certificate: Certificate,
    pub(super) authorities: Authorities,
}

/// How a connection ends that comes to no A-ASSOCIATE-RJ.
pub(super) enum Ending {
    Closed,
    Alert(String),
}

pub(super) fn proof(shown: Option<&Shown>, given: bool) -> String {
    match shown {
        Some(Shown { certificate, authorities }) => {
            let vouching: Vec<&str> = authorities.iter().map(|one| one.subject.as_str()).collect();
            match vouching.as_slice() {
                // A pin of a key alone says nothing of names.
                [] => format!(
                    "{}, trusted by a pin of its key, its names vouched for by nobody",
                    certificate.subject
                ),
                some => format!("{}, vouched for by {}", certificate.subject, some.join(", ")),
            }
        }
        None if given => "not looked at: this listener asks for none".into(),
        None => "none".into(),
    }
}

/// What the listener would make of the chain, by the code that its handshakes use.
pub(super) fn shown(
    listener: &ListenerSettings,
    chain: Option<&[CertificateDer<'_>]>,
) -> Result<Option<Shown>, (Refusal, Ending)> {
    let Some(tls) = &listener.tls else { return Ok(None) };
    match (&tls.built.trust, chain) {
        (None, _) => Ok(None),
        (Some(_), None) if tls.settings.client_authentication == ClientAuthentication::Optional => Ok(None),
        (Some(_), None) => Err(nothing_shown(listener)),
        (Some(trust), Some(chain)) => match trust.judge(chain, UnixTime::now()) {
            Ok(authorities) => Ok(chain
                .first()
                .map(|own| Shown { certificate: Certificate::from_der_or_fingerprint(own), authorities })),
            Err(failure) => Err(not_trusted(listener, *failure)),
        },
    }
}

fn nothing_shown(listener: &ListenerSettings) -> (Refusal, Ending) {
    let refusal = Refusal {
        reason: Reason::CertificateMissing,
        nearest: None,
        detail: format!("listener \"{}\" requires a client certificate", listener.name),
        remedy: "give the certificate that the requestor shows with --certificate".into(),
    };
    (refusal, Ending::Alert("certificate_required".into()))
}

fn not_trusted(listener: &ListenerSettings, failure: HandshakeFailure) -> (Refusal, Ending) {
    let HandshakeFailure { label, detail, alert, .. } = failure;
    let remedy = format!(
        "let the requestor show another certificate, or see client-ca, pins and revocation-lists of listener \"{}\"",
        listener.name
    );
    let refusal = Refusal { reason: Reason::of_handshake(label), nearest: None, detail, remedy };
    (refusal, Ending::Alert(alert.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{Certificate, CertificateDer, Shown, proof};

    #[test]
    fn who_vouches_is_named_and_so_is_that_nobody_does() {
        let certificate = || Certificate::from_der_or_fingerprint(&CertificateDer::from(vec![1, 2, 3]));
        let subject = certificate().subject;
        let told = |by: &[Certificate]| {
            let authorities = by.iter().cloned().map(Into::into).collect();
            proof(Some(&Shown { certificate: certificate(), authorities }), true)
        };
        let pinned = format!("{subject}, trusted by a pin of its key, its names vouched for by nobody");
        assert_eq!(told(&[]), pinned);
        assert_eq!(told(&[certificate()]), format!("{subject}, vouched for by {subject}"));
    }
}
