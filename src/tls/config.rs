//! rustls configurations as BCP 195 (RFC 9325) and PS3.15 B.12 want them.

use super::in_place::{self, NotingName};
use super::verifier::Remembering;
use super::{ClientAuthentication, ClientSettings, Profile, ServerSettings, TlsError, material, private_key};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A listener's TLS.
///
/// # Errors
/// [`TlsError`] for the first file that cannot be used.
pub fn server_config(settings: &ServerSettings) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let chain = material::certificates("certificate-chain", &settings.certificate_chain)?;
    let key = private_key::load(&settings.private_key, settings.private_key_passphrase_file.as_deref())?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions(settings.profile))
        .map_err(TlsError::Setup)?;
    let builder = match client_verifier(settings, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
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
    Ok(Arc::new(config))
}

/// An upstream's TLS. The server name is checked here too, so that `check` finds a bad one; see [`server_name`].
///
/// # Errors
/// [`TlsError`] for the first file or value that cannot be used.
pub fn client_config(settings: &ClientSettings) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    server_name(settings)?;
    let roots = Arc::new(material::roots("ca", &settings.ca)?);
    let lists = material::revocation_lists(&settings.revocation_lists)?;
    let mut verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
    if !lists.is_empty() {
        verifier = verifier.with_crls(lists.clone()).enforce_revocation_expiration();
    }
    let verifier: Arc<dyn ServerCertVerifier> =
        verifier.build().map_err(|error| verifier_error(error, &settings.revocation_lists))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(settings.profile))
        .map_err(TlsError::Setup)?
        // What is dangerous is a verifier of one's own; this asks rustls's.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Remembering::new(verifier, &lists)));
    let mut config = match own_pair(settings)? {
        Some((chain, key, files)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| own_certificate(error, files.0, files.1))?,
        None => builder.with_no_client_auth(),
    };
    // As for a listener: a resumed session would skip the checks of the upstream's certificate.
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(Arc::new(config))
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

fn versions(profile: Profile) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];
    match profile {
        Profile::Bcp195 => &BOTH,
        Profile::Tls13 => BOTH.get(..1).unwrap_or_default(),
    }
}

fn client_verifier(
    settings: &ServerSettings,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    if settings.client_authentication == ClientAuthentication::Off {
        return Ok(None);
    }
    let file = settings.client_ca.as_deref().ok_or(TlsError::ClientCaMissing)?;
    let roots = Arc::new(material::roots("client-ca", file)?);
    let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
    if settings.client_authentication == ClientAuthentication::Optional {
        verifier = verifier.allow_unauthenticated();
    }
    let lists = material::revocation_lists(&settings.revocation_lists)?;
    if !lists.is_empty() {
        // Not the default: an expired list would count as a good one.
        verifier = verifier.with_crls(lists.clone()).enforce_revocation_expiration();
    }
    let verifier = verifier.build().map_err(|error| verifier_error(error, &settings.revocation_lists))?;
    Ok(Some(Arc::new(Remembering::new(verifier, &lists))))
}

type OwnPair<'a> = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, (&'a Path, &'a Path));

/// The certificate that the upstream is shown, with its key and the files of both.
fn own_pair(settings: &ClientSettings) -> Result<Option<OwnPair<'_>>, TlsError> {
    match (settings.certificate_chain.as_deref(), settings.private_key.as_deref()) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(TlsError::PrivateKeyMissing),
        (None, Some(_)) => Err(TlsError::CertificateMissing),
        (Some(chain), Some(key)) => {
            let certificates = material::certificates("certificate-chain", chain)?;
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
