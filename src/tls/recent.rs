//! What certificates say, remembered: peers come again and again with the same one.

use crate::identity::{Certificate, CertificateError};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most certificates that are remembered; the oldest one goes first.
const CERTIFICATES: usize = 32;
/// A longer one is read every time.
const LONGEST: usize = 4 * 1024;

static READ: Mutex<VecDeque<(Box<[u8]>, Certificate)>> = Mutex::new(VecDeque::new());

/// [`Certificate::from_der`], which depends on nothing but those bytes.
///
/// # Errors
/// [`CertificateError`] as there.
pub(super) fn facts(der: &[u8]) -> Result<Certificate, CertificateError> {
    let lock = || READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, certificate)) = lock().iter().find(|(read, _)| **read == *der) {
        return Ok(certificate.clone());
    }
    let certificate = Certificate::from_der(der)?;
    if der.len() <= LONGEST {
        let mut read = lock();
        if read.len() >= CERTIFICATES {
            read.pop_front();
        }
        read.push_back((der.into(), certificate.clone()));
    }
    Ok(certificate)
}

#[cfg(test)]
mod tests {
    use super::{CERTIFICATES, READ, facts};
    use crate::identity::Certificate;
    use crate::tls::authority::{Authority, Request};
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn each_certificate_says_what_it_says_the_first_time_and_again() {
        let authority = Authority::new("CA").unwrap();
        let made: Vec<_> = (0..=CERTIFICATES)
            .map(|number| {
                let issued = authority.issue(&Request::new(&format!("{number:04}"), vec![])).unwrap();
                CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap()
            })
            .collect();
        for der in made.iter().chain(&made).chain(&made) {
            assert_eq!(facts(der), Certificate::from_der(der));
        }
        assert!(READ.lock().unwrap().len() <= CERTIFICATES);
        assert_eq!(facts(b"none"), Certificate::from_der(b"none"));
    }
}
