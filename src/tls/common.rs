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
use super::refusal::Own;
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
struct Trusts {
    /// Whom a chain can be for that comes here.
    here: Vec<Numbered>,
    /// Whom a chain can be for only where it is asked for them by name. It is not for another then.
    elsewhere: Vec<Numbered>,
}

type Numbered = (usize, Arc<ClientTrust>);

/// Of these listeners, with any number for each. All show the certificate of the first; without one nobody is let in. Whom a chain
/// is for that only `others` vouch for is not told here.
///
/// # Errors
/// [`TlsError::Setup`].
pub fn common<'s>(
    profile: Profile,
    servers: impl Iterator<Item = (usize, &'s Server)>,
    others: impl Iterator<Item = (usize, &'s Server)>,
) -> Result<Common, TlsError> {
    let servers: Vec<(usize, &Server)> = servers.collect();
    let trust = |(number, server): (usize, &Server)| Some((number, server.trust.clone()?));
    let here = servers.iter().copied().filter_map(trust).collect();
    let trusts = Arc::new(Trusts { here, elsewhere: others.filter_map(trust).collect() });
    let first = servers.first().map(|(_, server)| &server.config);
    let resolver: Arc<dyn ResolvesServerCert> = match first {
        Some(config) => config.cert_resolver.clone(),
        None => Arc::new(in_place::NotingName(Arc::new(Nothing))),
    };
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions(profile))
        .map_err(TlsError::Setup)?;
    let builder = match trusts.here.is_empty() {
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

    /// Whether a chain is for another listener than that of this number, too, which the client asked for by name.
    pub fn is_of_another(&self, number: usize, chain: &[CertificateDer<'_>], now: UnixTime) -> bool {
        let Trusts { here, elsewhere } = &*self.trusts;
        let mut others = here.iter().chain(elsewhere).filter(|(other, _)| *other != number);
        others.any(|(_, trust)| trust.judge_anew(chain, now).is_ok())
    }
}

impl Trusts {
    /// Asks all, also behind the one that says yes.
    fn owner(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<usize, Error> {
        let mut owners = Vec::new();
        let mut refused = None;
        for (number, trust) in &self.here {
            match trust.judge_anew(chain, now) {
                Ok(()) => owners.push(*number),
                Err(error) if refused.is_none() && may_be_told(&error) => refused = Some(error),
                Err(_) => {}
            }
        }
        let elsewhere = self.elsewhere.iter().filter(|(_, trust)| trust.judge_anew(chain, now).is_ok());
        owners.extend(elsewhere.map(|(number, _)| *number));
        let is_here = |owner: &usize| self.here.iter().any(|(number, _)| number == owner);
        match owners.as_slice() {
            [owner] if is_here(owner) => Ok(*owner),
            // Of CAs that vouch for each other nobody can say whose certificate it is.
            [_, ..] => Err(CertificateError::UnknownIssuer.into()),
            [] => Err(refused.unwrap_or_else(|| CertificateError::UnknownIssuer.into())),
        }
    }

    fn any(&self) -> Result<&Arc<ClientTrust>, Error> {
        let first = self.here.first().map(|(_, trust)| trust);
        first.ok_or_else(|| Error::General("nobody is trusted".into()))
    }
}

/// Whether a client may hear it: it is said of certificates of every CA alike, or only behind a signature that a listed CA has made.
/// What would be said of a certificate by the name of its CA alone would tell which names are listed.
fn may_be_told(error: &Error) -> bool {
    use CertificateError as E;
    let Error::InvalidCertificate(error) = error else { return false };
    match Own::of(error) {
        Some(own) => matches!(own, Own::AuthorityEnded { .. } | Own::Unfit(_)),
        None => matches!(
            error,
            E::Expired
                | E::ExpiredContext { .. }
                | E::NotValidYet
                | E::NotValidYetContext { .. }
                | E::Revoked
                | E::UnknownRevocationStatus
                | E::ExpiredRevocationList
                | E::ExpiredRevocationListContext { .. }
                | E::InvalidPurpose
                | E::InvalidPurposeContext { .. }
        ),
    }
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
