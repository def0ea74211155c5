//! What a listener's or an upstream's TLS is made from: paths and choices, before any file is read.

use std::path::PathBuf;

use crate::identity::CertificateBinding;

/// How a listener speaks TLS: the section `[listener.tls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// PEM, the server's certificate first.
    pub certificate_chain: PathBuf,
    /// PEM: PKCS#8 (plain or encrypted), PKCS#1 or SEC1.
    pub private_key: PathBuf,
    /// Holds the passphrase of an encrypted key, one line.
    pub private_key_passphrase_file: Option<PathBuf>,
    /// Whether a requestor is asked for a certificate, and has to show one.
    pub client_authentication: ClientAuthentication,
    /// PEM, CA certificates and certificates that are trusted themselves, those of all files together; this or `pins` is
    /// needed unless client authentication is off.
    pub client_ca: Vec<PathBuf>,
    /// Certificates and keys that are trusted whoever signed them.
    pub pins: Vec<CertificateBinding>,
    /// PEM or DER CRLs. Where any is given, revocation is checked, and an expired list refuses.
    pub revocation_lists: Vec<PathBuf>,
    /// The TLS versions that a requestor may choose from.
    pub profile: Profile,
}

/// How an upstream is spoken to: the section `[upstream.tls]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientSettings {
    /// PEM, the only CA certificates trusted for this upstream, and certificates that are trusted themselves, those of all
    /// files together; this or `pins` is needed.
    pub ca: Vec<PathBuf>,
    /// Certificates and keys that are trusted whoever signed them, and whatever names are in them.
    pub pins: Vec<CertificateBinding>,
    /// DNS name or IP address that the upstream's certificate has to carry, where it is trusted because of who signed it.
    pub server_name: String,
    /// With `private_key`: the certificate that dimsegate shows the upstream.
    pub certificate_chain: Option<PathBuf>,
    /// PEM, the key of the first certificate in `certificate_chain`; both are there, or neither.
    pub private_key: Option<PathBuf>,
    /// Holds the passphrase of an encrypted key, one line.
    pub private_key_passphrase_file: Option<PathBuf>,
    /// PEM or DER CRLs. Where any is given, revocation is checked, and an expired list refuses.
    pub revocation_lists: Vec<PathBuf>,
    /// The TLS versions that the upstream may choose from.
    pub profile: Profile,
}

/// Whether a requestor has to show a certificate (PS3.15 B.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// Without one, or with one that is not trusted, the handshake ends with an alert.
    Required,
    /// None is shown and the handshake goes on; one that is shown has to be good.
    Optional,
    /// None is asked for: what a requestor is, is known by its address and AE title alone.
    Off,
}

/// Which versions and cipher suites of TLS are offered and taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// TLS 1.2 and 1.3 as BCP 195 (RFC 9325) has them (PS3.15 B.12).
    Bcp195,
    /// TLS 1.3 only.
    Tls13,
}
