//! What TLS would prove of the requestor, by the code that handshakes use.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::files::full;
use crate::relay::Proven;

/// The certificates of a PEM file, at least one.
pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |error: &dyn std::fmt::Display| format!("{}: holds no certificate in PEM: {error}", full(path));
    let found = CertificateDer::pem_file_iter(path).map_err(|error| bad(&error))?;
    let chain = found.collect::<Result<Vec<_>, _>>().map_err(|error| bad(&error))?;
    if chain.is_empty() { Err(bad(&"it has no BEGIN CERTIFICATE line")) } else { Ok(chain) }
}

pub(super) fn proof(shown: Option<&Proven>, given: bool) -> String {
    match shown {
        Some(Proven { certificate, authorities }) => {
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

#[cfg(test)]
mod tests {
    use super::{CertificateDer, Proven, proof};
    use crate::identity::Certificate;

    #[test]
    fn who_vouches_is_named_and_so_is_that_nobody_does() {
        let certificate = || Certificate::from_der_or_fingerprint(&CertificateDer::from(vec![1, 2, 3]));
        let subject = certificate().subject;
        let told = |by: &[Certificate]| {
            let authorities = by.iter().cloned().map(Into::into).collect();
            proof(Some(&Proven { certificate: certificate(), authorities }), true)
        };
        let pinned = format!("{subject}, trusted by a pin of its key, its names vouched for by nobody");
        assert_eq!(told(&[]), pinned);
        assert_eq!(told(&[certificate()]), format!("{subject}, vouched for by {subject}"));
    }
}
