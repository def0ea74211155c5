//! A handshake of which it is not known before its end whose it is: several listeners at one address, each with whom it trusts.
//!
//! Nothing of it tells one of them from another. The client is shown the certificate that all of them have, and no names of CAs to
//! choose by; every listener's trust is asked about each chain, whichever of them it is for, and none by what it remembers. The
//! client is told what is wrong by the one that knows its CA, where there is one: that is then its own.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};
use std::sync::Arc;

use super::config::{Server, provider, versions};
use super::trust::ClientTrust;
use super::{Profile, TlsError, in_place, refusal};

/// What such a handshake uses, and what it tells.
#[derive(Clone, Debug)]
pub struct Common {
    /// For the handshake.
    pub config: Arc<ServerConfig>,
    trusts: Arc<Trusts>,
}

/// Each with the number that its listener has for whoever asks.
#[derive(Debug)]
struct Trusts(Vec<(usize, Arc<ClientTrust>)>);

/// Of these listeners, with any number for each. All show the certificate of the first; without one nobody is let in.
///
/// # Errors
/// [`TlsError::Setup`].
pub fn common<'s>(
    profile: Profile,
    servers: impl Iterator<Item = (usize, &'s Server)>,
) -> Result<Common, TlsError> {
    let servers: Vec<(usize, &Server)> = servers.collect();
    let trusts = servers.iter().filter_map(|(number, server)| Some((*number, server.trust.clone()?)));
    let trusts = Arc::new(Trusts(trusts.collect()));
    let first = servers.first().map(|(_, server)| &server.config);
    let resolver: Arc<dyn ResolvesServerCert> = match first {
        Some(config) => config.cert_resolver.clone(),
        None => Arc::new(in_place::NotingName(Arc::new(Nothing))),
    };
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions(profile))
        .map_err(TlsError::Setup)?;
    let builder = match trusts.0.is_empty() {
        true => builder.with_no_client_auth(),
        false => builder.with_client_cert_verifier(trusts.clone()),
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(Common { config: Arc::new(config), trusts })
}

impl Common {
    /// The number of the listener that a chain is for, the client's own certificate first. `None` where it is for none, or for
    /// more than one.
    pub fn owner(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Option<usize> {
        self.trusts.owner(chain, now).ok()
    }
}

impl Trusts {
    /// Asks all, also behind the one that says yes.
    fn owner(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<usize, Error> {
        let mut owners = Vec::new();
        let mut refused = None;
        for (number, trust) in &self.0 {
            match trust.judge_anew(chain, now) {
                Ok(()) => owners.push(*number),
                Err(error) if refused.is_none() && !is_of_a_stranger(&error) => refused = Some(error),
                Err(_) => {}
            }
        }
        match owners.as_slice() {
            [owner] => Ok(*owner),
            // Of CAs that vouch for each other nobody can say whose certificate it is.
            [_, ..] => Err(CertificateError::UnknownIssuer.into()),
            [] => Err(refused.unwrap_or_else(|| CertificateError::UnknownIssuer.into())),
        }
    }

    fn any(&self) -> Result<&Arc<ClientTrust>, Error> {
        let first = self.0.first().map(|(_, trust)| trust);
        first.ok_or_else(|| Error::General("nobody is trusted".into()))
    }
}

fn is_of_a_stranger(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

impl ClientCertVerifier for Trusts {
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<CertificateDer<'_>> =
            std::iter::once(end_entity).chain(intermediates).cloned().collect();
        match self.owner(&chain, now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(error) => {
                refusal::note(end_entity);
                Err(error)
            }
        }
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.any()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.any()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.any().map(|trust| trust.supported_verify_schemes()).unwrap_or_default()
    }
}

/// Shows no certificate, so that the handshake fails.
#[derive(Debug)]
struct Nothing;

impl ResolvesServerCert for Nothing {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
