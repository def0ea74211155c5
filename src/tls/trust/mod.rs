//! Whom a listener or an upstream's leg trusts: CAs, certificates that are listed themselves, keys that are pinned.
//!
//! A certificate is accepted for one of two reasons. Either rustls's verifier finds a path to a CA certificate that is listed,
//! and that CA certificate is within its own dates; which one it was is told, so that a peer can be bound to its issuer. Or
//! the certificate is listed itself, or its key is pinned: then nobody has to have signed it, and the upstream's name is not
//! looked for in it, for the configuration names that very key. Its dates, its usages and a revocation list by
//! its issuer hold in both cases, and that the peer has the key is proven by the signature over the handshake.
//!
//! `explain` asks [`ClientTrust::judge`], which is what the handshakes of `run` ask.

mod listed;
mod pinned;
mod verifier;

use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, DistinguishedName, Error};
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::facts::{self, Facts};
use super::handshake::HandshakeFailure;
use super::refusal::{self, Own};
use super::unfit::Unfit;
use super::verified::{Moment, VerifiedChains};
use super::{Role, TlsError, recent};
use crate::identity::{Certificate, CertificateBinding};
pub(crate) use listed::Listed;
use pinned::{List, Pinned};
pub(crate) use verifier::Verifies;

/// What a listener makes of the certificates that requestors show.
pub type ClientTrust = Trust<dyn ClientCertVerifier>;

/// The CA certificates that vouch for a certificate, as the configuration lists them; the certificate itself where it is
/// trusted for its key. At least one for what was accepted.
pub type Authorities = Arc<[Arc<Certificate>]>;

/// Whom one end of TLS trusts. Never changes: a reload makes another.
#[derive(Debug)]
pub struct Trust<V: ?Sized> {
    /// Trusts all CA certificates, and says best what is wrong. Absent where none is listed.
    together: Option<Arc<V>>,
    authorities: Vec<Authority<V>>,
    /// CA certificates that can never vouch for anything, with the DER of their subjects.
    unfit: Vec<(Vec<u8>, Own)>,
    pinned: Pinned,
    chains: VerifiedChains<Authorities>,
    algorithms: WebPkiSupportedAlgorithms,
    hints: Vec<DistinguishedName>,
    mandatory: bool,
}

/// A CA certificate, and the verifier that trusts no other.
#[derive(Debug)]
struct Authority<V: ?Sized> {
    certificate: Arc<Certificate>,
    der: CertificateDer<'static>,
    /// Seconds since 1970, both included.
    dates: (i64, i64),
    verifier: Arc<V>,
}

/// What trust is made of.
pub(super) struct Sources<'s> {
    pub listed: &'s [Listed],
    pub pins: &'s [CertificateBinding],
    pub lists: &'s [CertificateRevocationListDer<'static>],
    pub role: Role,
    /// Whether a peer has to show a certificate.
    pub mandatory: bool,
    pub provider: &'s Arc<CryptoProvider>,
}

impl<V: Verifies + ?Sized> Trust<V> {
    /// `build` makes a verifier that trusts these certificates as CAs.
    pub(super) fn new(
        sources: &Sources<'_>,
        build: impl Fn(&[&Listed]) -> Result<Arc<V>, TlsError>,
    ) -> Result<Self, TlsError> {
        let (signing, others): (Vec<_>, Vec<_>) = sources.listed.iter().partition(|one| one.is_authority());
        let authority = |listed: &&Listed| {
            Ok(Authority {
                certificate: Arc::new(listed.facts.certificate.clone()),
                der: listed.der.clone(),
                dates: dates(&listed.facts),
                verifier: build(&[*listed])?,
            })
        };
        let authorities = signing.iter().map(authority).collect::<Result<Vec<_>, TlsError>>()?;
        let together = match authorities.as_slice() {
            [] => None,
            [only] => Some(only.verifier.clone()),
            _ => Some(build(&signing)?),
        };
        let itself = sources.listed.iter().filter(|one| one.stands_for_itself(sources.role));
        let itself = itself.filter_map(|one| CertificateBinding::to(&one.facts.certificate));
        Ok(Self {
            together,
            authorities,
            unfit: others.iter().filter_map(|listed| unfit_authority(listed)).collect(),
            pinned: Pinned {
                role: sources.role,
                bindings: itself.chain(sources.pins.iter().cloned()).collect(),
                lists: sources.lists.iter().filter_map(List::of).collect(),
            },
            chains: VerifiedChains::new(sources.lists),
            algorithms: sources.provider.signature_verification_algorithms,
            hints: hints(sources),
            mandatory: sources.mandatory,
        })
    }

    /// Verifies a chain, the peer's own certificate first, unless it was verified a moment ago.
    fn authorities(
        &self,
        asked: &V::Asked<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Authorities, Error> {
        let certificates: Vec<_> = chain.iter().collect();
        let parts = V::parts(asked);
        let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
        let verified =
            self.chains.verify(&parts, &certificates, Moment::now(now), || self.vouched(asked, chain, now));
        if let (Err(_), Some(own)) = (&verified, chain.first()) {
            refusal::note(own);
        }
        verified
    }

    /// Who vouches for the chain, and the last second in which they certainly do, as far as that is theirs to say.
    fn vouched(
        &self,
        asked: &V::Asked<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(Authorities, u64), Error> {
        let own = chain.first().ok_or(Error::NoCertificatesPresented)?;
        // What this reader cannot read, that of rustls may: it is then trusted by no key.
        if let Ok(facts) = Facts::of(own) {
            if let Some(unfit) = Unfit::to_show(&facts) {
                return Err(Own::Unfit(unfit).into());
            }
            if self.pinned.holds(&facts) {
                self.pinned.check(own, &facts, now)?;
                if self.pinned.holds_key_alone(&facts) {
                    // For its names a CA may vouch, or nobody does.
                    return Ok(self.signed(asked, chain, now).unwrap_or_else(|_| ([].into(), u64::MAX)));
                }
                return Ok(([Arc::new(facts.certificate)].into(), u64::MAX));
            }
        }
        self.signed(asked, chain, now)
    }

    /// The CAs that vouch for the chain.
    fn signed(
        &self,
        asked: &V::Asked<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(Authorities, u64), Error> {
        let together = self.together.as_ref();
        let verified = together.map_or(Err(CertificateError::UnknownIssuer.into()), |together| {
            together.verify(asked, chain, now)
        });
        verified.map_err(|error| self.better(error, chain))?;
        self.current(asked, chain, now)
    }

    /// The CAs that vouch for a chain which is good but for their own dates.
    fn current(
        &self,
        asked: &V::Asked<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(Authorities, u64), Error> {
        let vouches = |one: &&Authority<V>| {
            self.authorities.len() == 1 || one.verifier.verify(asked, chain, now).is_ok()
        };
        let vouching: Vec<_> = self.authorities.iter().filter(vouches).collect();
        let (current, past): (Vec<_>, Vec<_>) = vouching.into_iter().partition(|one| one.is_current(now));
        if current.is_empty() {
            return Err(past
                .first()
                .map_or(CertificateError::UnknownIssuer.into(), |one| one.out_of_date(now)));
        }
        let until = current.iter().map(|one| one.dates.1).min().and_then(|end| u64::try_from(end).ok());
        let authorities = current.iter().map(|one| one.certificate.clone()).collect();
        Ok((authorities, until.unwrap_or(0)))
    }

    /// What is wrong, where the verifier only says that nothing is right: a CA that could not have vouched for anything.
    fn better(&self, error: Error, chain: &[CertificateDer<'_>]) -> Error {
        use CertificateError as E;
        let told = matches!(
            &error,
            Error::InvalidCertificate(
                E::Revoked
                    | E::ExpiredContext { .. }
                    | E::NotValidYetContext { .. }
                    | E::NotValidForNameContext { .. }
            )
        );
        if told {
            return error;
        }
        let own = chain.first().and_then(|own| Facts::of(own).ok()).filter(|own| own.ca);
        let named = chain.iter().find_map(|der| self.unfit_issuer(der));
        let between = || chain.iter().skip(1).find_map(unfit_between);
        match (named.or_else(between), own) {
            (Some(unfit), _) => unfit.into(),
            (None, Some(own)) if own.self_issued => CertificateError::UnknownIssuer.into(),
            (None, Some(_)) => Own::AuthorityShown.into(),
            (None, None) => error,
        }
    }

    fn unfit_issuer(&self, der: &CertificateDer<'_>) -> Option<Own> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let issuer = parsed.issuer().as_raw();
        self.unfit.iter().find(|(subject, _)| subject == issuer).map(|(_, why)| why.clone())
    }

    fn note_signature<T>(&self, own: &CertificateDer<'_>, verified: Result<T, Error>) -> Result<T, Error> {
        if verified.is_err() {
            refusal::note(own);
        }
        verified
    }
}

impl ClientTrust {
    /// What a handshake in which a requestor shows this chain, its own certificate first, would come to; that it has the key is
    /// the handshake's to prove.
    ///
    /// # Errors
    /// Why the listener would refuse it, as the handshake says it.
    pub fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Authorities, Box<HandshakeFailure>> {
        self.authorities(&(), chain, now).map_err(|error| {
            let error = std::io::Error::new(std::io::ErrorKind::InvalidData, refusal::carried(error));
            Box::new(super::handshake_failure(&error))
        })
    }
}

impl ClientTrust {
    /// As the handshake asks, but nothing that was verified before counts: how long it takes tells nothing.
    ///
    /// # Errors
    /// Why the listener would refuse it.
    pub(super) fn judge_anew(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<(), Error> {
        self.vouched(&(), chain, now).map(|_| ())
    }
}

impl<V: ?Sized> Trust<V> {
    /// The keys and certificates that are trusted whoever signed them.
    pub fn pinned(&self) -> &[CertificateBinding] {
        &self.pinned.bindings
    }

    /// The CA certificates that may vouch for others.
    pub fn signing(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.authorities.iter().map(|authority| &authority.certificate)
    }

    /// Whether a CA of this one is signed by a CA of the other, whose chains are then good for both.
    pub fn is_signed_by(&self, other: &Self) -> bool {
        let mut pairs =
            self.authorities.iter().flat_map(|own| other.authorities.iter().map(move |by| (own, by)));
        pairs.any(|(own, by)| own.is_signed_by(by, &self.algorithms))
    }
}

impl<V: ?Sized> Authority<V> {
    fn is_signed_by(&self, other: &Self, algorithms: &WebPkiSupportedAlgorithms) -> bool {
        let (Ok((_, own)), Ok((_, by))) =
            (X509Certificate::from_der(&self.der), X509Certificate::from_der(&other.der))
        else {
            return false;
        };
        let (message, signature) = (own.tbs_certificate.as_ref(), &*own.signature_value.data);
        let key = &*by.public_key().subject_public_key.data;
        own.issuer().as_raw() == by.subject().as_raw()
            && algorithms.all.iter().any(|one| one.verify_signature(key, message, signature).is_ok())
    }

    fn is_current(&self, now: UnixTime) -> bool {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        (self.dates.0..=self.dates.1).contains(&now)
    }

    fn out_of_date(&self, now: UnixTime) -> Error {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let at =
            |seconds| time::OffsetDateTime::from_unix_timestamp(seconds).map_or(String::new(), facts::day);
        let ended = match now > self.dates.1 {
            true => format!("ended on {}", at(self.dates.1)),
            false => format!("is not valid before {}", at(self.dates.0)),
        };
        Own::AuthorityEnded { authority: self.certificate.subject.clone(), ended }.into()
    }
}

fn dates(facts: &Facts) -> (i64, i64) {
    (facts.not_before.unix_timestamp(), facts.certificate.not_after.unix_timestamp())
}

/// A listed certificate that would be taken for a CA, were it fit to be one.
fn unfit_authority(listed: &Listed) -> Option<(Vec<u8>, Own)> {
    let why = Unfit::to_sign(&listed.facts)?;
    let (_, parsed) = X509Certificate::from_der(&listed.der).ok()?;
    let certificate = listed.facts.certificate.subject.clone();
    Some((parsed.subject().as_raw().to_vec(), Own::UnfitAuthority { certificate, why }))
}

/// A CA certificate that the peer showed. Nobody checks the signature of one that signed itself.
fn unfit_between(der: &CertificateDer<'_>) -> Option<Own> {
    let facts = Facts::of(der).ok()?;
    let why = if facts.self_issued { Unfit::to_sign(&facts) } else { Unfit::to_show(&facts) }?;
    Some(Own::UnfitAuthority { certificate: facts.certificate.subject, why })
}

/// The subjects that a requestor may choose its certificate by (RFC 8446 §4.2.4). With pins anything may be right.
fn hints(sources: &Sources<'_>) -> Vec<DistinguishedName> {
    let subject = |listed: &Listed| {
        let (_, parsed) = X509Certificate::from_der(&listed.der).ok()?;
        Some(DistinguishedName::from(parsed.subject().as_raw().to_vec()))
    };
    match sources.pins.is_empty() {
        true => sources.listed.iter().filter_map(subject).collect(),
        false => Vec::new(),
    }
}

/// The certificate of a session, as it says it.
pub(super) fn shown(der: &[u8]) -> Certificate {
    recent::facts(der).unwrap_or_else(|_| Certificate::from_der_or_fingerprint(der))
}
