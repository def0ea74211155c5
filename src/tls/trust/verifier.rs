//! [`Trust`] as rustls asks it.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::borrow::Cow;

use super::Trust;

/// A verifier of rustls, of either end.
pub trait Verifies: std::fmt::Debug {
    /// What it is asked besides the chain.
    type Asked<'a>;

    /// What is asked, as bytes that no other question has.
    fn parts<'a>(asked: &'a Self::Asked<'_>) -> Vec<Cow<'a, [u8]>>;

    fn verify(
        &self,
        asked: &Self::Asked<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error>;
}

impl Verifies for dyn ClientCertVerifier {
    type Asked<'a> = ();

    fn parts<'a>((): &'a ()) -> Vec<Cow<'a, [u8]>> {
        Vec::new()
    }

    fn verify(&self, (): &(), chain: &[CertificateDer<'_>], now: UnixTime) -> Result<(), Error> {
        let (own, others) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        self.verify_client_cert(own, others, now).map(drop)
    }
}

/// The name that the upstream's certificate has to carry, and a stapled OCSP response.
pub(crate) type Named<'a> = (&'a ServerName<'a>, &'a [u8]);

impl Verifies for dyn ServerCertVerifier {
    type Asked<'a> = Named<'a>;

    fn parts<'a>((name, stapled): &'a Named<'_>) -> Vec<Cow<'a, [u8]>> {
        vec![name.to_str().into_owned().into_bytes().into(), (*stapled).into()]
    }

    fn verify(
        &self,
        (name, stapled): &Named<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let (own, others) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        self.verify_server_cert(own, others, name, stapled, now).map(drop)
    }
}

fn chain<'a>(own: &CertificateDer<'a>, others: &[CertificateDer<'a>]) -> Vec<CertificateDer<'a>> {
    std::iter::once(own).chain(others).cloned().collect()
}

impl ClientCertVerifier for Trust<dyn ClientCertVerifier> {
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.authorities(&(), &chain(end_entity, intermediates), now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls12_signature(message, certificate, signature, &self.algorithms);
        self.note_signature(certificate, verified)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls13_signature(message, certificate, signature, &self.algorithms);
        self.note_signature(certificate, verified)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Trust<dyn ServerCertVerifier> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.authorities(&(server_name, ocsp_response), &chain(end_entity, intermediates), now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls12_signature(message, certificate, signature, &self.algorithms);
        self.note_signature(certificate, verified)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls13_signature(message, certificate, signature, &self.algorithms);
        self.note_signature(certificate, verified)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
