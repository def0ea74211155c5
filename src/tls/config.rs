//! rustls configurations as BCP 195 (RFC 9325) and PS3.15 B.12 want them.

use super::end::End;
use super::facts::Facts;
use super::in_place::{self, NotingName};
use super::material::FileDigest;
use super::trust::{ClientTrust, Listed, Sources, Trust};
use super::unfit::{REMEDY, Unfit};
use super::{
    ClientAuthentication, ClientSettings, Profile, Role, ServerSettings, TlsError, material, private_key,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A listener's TLS, ready to be used.
#[derive(Clone, Debug)]
pub struct Server {
    /// What each handshake with a requestor uses; never changed, a reload makes another.
    pub config: Arc<ServerConfig>,
    /// What it makes of requestors' certificates; `None` where it asks for none.
    pub trust: Option<Arc<ClientTrust>>,
    /// Every file that it is made from but those of its key.
    pub files: Vec<FileDigest>,
    /// Of everything in them.
    pub ends: Vec<End>,
}

/// An upstream's TLS, ready to be used.
#[derive(Clone, Debug)]
pub struct Client {
    /// What each handshake with the upstream uses; never changed, a reload makes another.
    pub config: Arc<ClientConfig>,
    /// Every file that it is made from but those of its key.
    pub files: Vec<FileDigest>,
    /// Of everything in them.
    pub ends: Vec<End>,
}

/// Builds a listener's TLS.
///
/// # Errors
/// [`TlsError`] for the first file that cannot be used.
pub fn server(settings: &ServerSettings) -> Result<Server, TlsError> {
    let (provider, mut files) = (provider(), Vec::new());
    let chain = own_chain(&settings.certificate_chain, &mut files)?;
    let key = private_key::load(&settings.private_key, settings.private_key_passphrase_file.as_deref())?;
    let trust = client_trust(settings, &provider, &mut files)?.map(Arc::new);
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(settings.profile))
        .map_err(TlsError::Setup)?;
    let builder = match trust.clone() {
        Some(trust) => builder.with_client_cert_verifier(trust),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| own_certificate(error, &settings.certificate_chain, &settings.private_key))?;
    // A resumed session skips the checks of the certificate, revocation with them; associations live long, and gain
    // little from resumption.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.cert_resolver = Arc::new(NotingName(config.cert_resolver));
    let ends = material::ends(&files);
    Ok(Server { config: Arc::new(config), trust, files, ends })
}

/// Builds an upstream's TLS. The server name is checked here too, so that `check` finds a bad one; see [`server_name`].
///
/// # Errors
/// [`TlsError`] for the first file or value that cannot be used.
pub fn client(settings: &ClientSettings) -> Result<Client, TlsError> {
    let (provider, mut files) = (provider(), Vec::new());
    server_name(settings)?;
    let trust = server_trust(settings, &provider, &mut files)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(settings.profile))
        .map_err(TlsError::Setup)?
        // What is dangerous is a verifier of one's own; this asks rustls's, and what it adds is in `trust`.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust));
    let mut config = match own_pair(settings, &mut files)? {
        Some((chain, key, files)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| own_certificate(error, files.0, files.1))?,
        None => builder.with_no_client_auth(),
    };
    // As for a listener: a resumed session would skip the checks of the upstream's certificate.
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    let ends = material::ends(&files);
    Ok(Client { config: Arc::new(config), files, ends })
}

/// The name that an upstream's certificate has to carry.
///
/// # Errors
/// [`TlsError::BadServerName`] for what is neither a DNS name nor an IP address.
pub fn server_name(settings: &ClientSettings) -> Result<ServerName<'static>, TlsError> {
    let name = settings.server_name.as_str();
    ServerName::try_from(name)
        .map(|name| name.to_owned())
        .map_err(|_| TlsError::BadServerName { name: crate::identity::printable(name, 120) })
}

/// aws-lc-rs, with the hybrid post-quantum group first.
pub(super) fn provider() -> Arc<CryptoProvider> {
    let kx_groups =
        vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    Arc::new(CryptoProvider { kx_groups, cipher_suites: in_place::cipher_suites(), ..default_provider() })
}

pub(super) fn versions(profile: Profile) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];
    match profile {
        Profile::Bcp195 => &BOTH,
        Profile::Tls13 => BOTH.get(..1).unwrap_or_default(),
    }
}

fn client_trust(
    settings: &ServerSettings,
    provider: &Arc<CryptoProvider>,
    files: &mut Vec<FileDigest>,
) -> Result<Option<ClientTrust>, TlsError> {
    if settings.client_authentication == ClientAuthentication::Off {
        return Ok(None);
    }
    if settings.client_ca.is_empty() && settings.pins.is_empty() {
        return Err(TlsError::ClientCaMissing);
    }
    let listed = listed("client-ca", &settings.client_ca, Role::Client, settings.pins.is_empty(), files)?;
    let lists = material::revocation_lists(&settings.revocation_lists, files)?;
    let sources = Sources {
        listed: &listed,
        pins: &settings.pins,
        lists: &lists,
        role: Role::Client,
        mandatory: settings.client_authentication == ClientAuthentication::Required,
        provider,
    };
    let trust = Trust::new(&sources, |signing| {
        let roots = roots("client-ca", signing)?;
        let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
        if !lists.is_empty() {
            // Not the default: an expired list would count as a good one.
            verifier = verifier.with_crls(lists.clone()).enforce_revocation_expiration();
        }
        verifier.build().map_err(|error| verifier_error(error, &settings.revocation_lists))
    });
    trust.map(Some)
}

fn server_trust(
    settings: &ClientSettings,
    provider: &Arc<CryptoProvider>,
    files: &mut Vec<FileDigest>,
) -> Result<Trust<dyn ServerCertVerifier>, TlsError> {
    if settings.ca.is_empty() && settings.pins.is_empty() {
        return Err(TlsError::CaMissing);
    }
    let listed = listed("ca", &settings.ca, Role::Server, settings.pins.is_empty(), files)?;
    let lists = material::revocation_lists(&settings.revocation_lists, files)?;
    let (pins, role) = (&settings.pins, Role::Server);
    let sources = Sources { listed: &listed, pins, lists: &lists, role, mandatory: true, provider };
    Trust::new(&sources, |signing| {
        let roots = roots("ca", signing)?;
        let mut verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
        if !lists.is_empty() {
            verifier = verifier.with_crls(lists.clone()).enforce_revocation_expiration();
        }
        let verifier: Arc<dyn ServerCertVerifier> =
            verifier.build().map_err(|error| verifier_error(error, &settings.revocation_lists))?;
        Ok(verifier)
    })
}

/// The certificates to trust, none where no file is named. `alone`: nothing else is trusted, so that one at least has to be
/// good for something.
fn listed(
    key: &'static str,
    named: &[PathBuf],
    role: Role,
    alone: bool,
    files: &mut Vec<FileDigest>,
) -> Result<Vec<Listed>, TlsError> {
    let listed = Listed::of_all(key, named, files)?;
    let useful = |one: &Listed| one.is_authority() || one.stands_for_itself(role);
    match listed.first() {
        Some(first) if alone && !listed.iter().any(useful) => Err(TlsError::NothingToTrust {
            key,
            file: first.file.clone(),
            subject: first.facts.certificate.subject.clone(),
            why: first.uselessness(role),
        }),
        _ => Ok(listed),
    }
}

/// CA certificates as the only roots to trust.
fn roots(key: &'static str, signing: &[&Listed]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for listed in signing {
        roots.add(listed.der.clone()).map_err(|error| listed.unusable(key, &error))?;
    }
    Ok(Arc::new(roots))
}

/// The chain that is shown. One that no peer could verify is refused before rustls refuses it in fewer words.
fn own_chain(file: &Path, files: &mut Vec<FileDigest>) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    const KEY: &str = "certificate-chain";
    let chain = material::certificates(KEY, file, files)?;
    let facts = chain.first().and_then(|own| Facts::of(own).ok());
    match facts.as_ref().and_then(Unfit::to_show) {
        Some(why @ Unfit::Version(_)) => Err(TlsError::BadCertificate {
            key: KEY,
            file: file.to_owned(),
            number: 1,
            detail: format!("it {why}; {REMEDY}"),
        }),
        _ => Ok(chain),
    }
}

type OwnPair<'a> = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, (&'a Path, &'a Path));

/// The certificate that the upstream is shown, with its key and the files of both.
fn own_pair<'s>(
    settings: &'s ClientSettings,
    files: &mut Vec<FileDigest>,
) -> Result<Option<OwnPair<'s>>, TlsError> {
    match (settings.certificate_chain.as_deref(), settings.private_key.as_deref()) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(TlsError::PrivateKeyMissing),
        (None, Some(_)) => Err(TlsError::CertificateMissing),
        (Some(chain), Some(key)) => {
            let certificates = own_chain(chain, files)?;
            let loaded = private_key::load(key, settings.private_key_passphrase_file.as_deref())?;
            Ok(Some((certificates, loaded, (chain, key))))
        }
    }
}

fn own_certificate(error: rustls::Error, chain: &Path, key: &Path) -> TlsError {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::KeyMismatch { private_key: key.to_owned(), chain: chain.to_owned() }
        }
        rustls::Error::InvalidCertificate(error) => TlsError::BadCertificate {
            key: "certificate-chain",
            file: chain.to_owned(),
            number: 1,
            detail: error.to_string(),
        },
        error => TlsError::BadPrivateKey { file: key.to_owned(), detail: error.to_string() },
    }
}

fn verifier_error(error: VerifierBuilderError, lists: &[PathBuf]) -> TlsError {
    match error {
        VerifierBuilderError::InvalidCrl(error) => TlsError::BadRevocationList {
            file: lists.first().cloned().unwrap_or_default(),
            number: 1,
            detail: format!("this file or one after it: {error:?}"),
        },
        error => TlsError::Setup(rustls::Error::General(error.to_string())),
    }
}
