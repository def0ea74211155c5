//! A folder with the certificates and secrets of one site, under the names that the shipped configurations use.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::ServerName;
use tempfile::TempDir;

use crate::connection::{self, Target};
use crate::wait::PATIENCE;

/// The DNS name in the client's certificate.
pub const CLIENT_NAME: &str = "gw.site.example";

pub struct Site {
    folder: TempDir,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

impl Site {
    /// `certs/{ca,server,client,pacs-ca,pacs,stranger-ca,stranger}.pem` with keys, `conf/{audit,pseudonym}.key`.
    pub fn new() -> Self {
        let site = Self { folder: TempDir::new().expect("a temporary folder") };
        for name in ["certs", "conf"] {
            fs::create_dir(site.path(name)).expect("a new folder");
        }
        let ca = site.authority("ca");
        site.issue(&ca, "server", &["localhost", "127.0.0.1"]);
        site.issue(&ca, "client", &[CLIENT_NAME]);
        let pacs = site.authority("pacs-ca");
        site.issue(&pacs, "pacs", &["localhost", "127.0.0.1"]);
        let stranger = site.authority("stranger-ca");
        site.issue(&stranger, "stranger", &[CLIENT_NAME]);
        site.secret("conf/audit.key", 64);
        site.secret("conf/pseudonym.key", 64);
        site
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    /// Text of a path, for command lines.
    pub fn text(&self, relative: &str) -> String {
        self.path(relative).display().to_string()
    }

    /// TLS to `localhost` at `address`, with the certificate `certs/{identity}.pem` if one is named.
    pub fn tls(&self, address: SocketAddr, ca: &str, identity: Option<&str>) -> Target {
        let pair =
            |name: &str| (self.path(&format!("certs/{name}.pem")), self.path(&format!("certs/{name}.key")));
        let config = connection::client_config(&self.path(&format!("certs/{ca}.pem")), identity.map(pair));
        let name = ServerName::try_from("localhost").expect("a DNS name");
        Target { tls: Some((config.expect("a client configuration"), name)), address, patience: PATIENCE }
    }

    fn authority(&self, name: &str) -> Issuer {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, format!("{name} of a test"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = Issuer::self_signed(params, key()).expect("a certificate");
        fs::write(self.path(&format!("certs/{name}.pem")), issuer.pem()).expect("a file written");
        issuer
    }

    fn issue(&self, issuer: &Issuer, name: &str, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let mut params = CertificateParams::new(names).expect("DNS names and addresses");
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = key();
        let certificate = params.signed_by(&key, issuer).expect("a certificate");
        fs::write(self.path(&format!("certs/{name}.pem")), certificate.pem()).expect("a file written");
        self.write_secret(&format!("certs/{name}.key"), key.serialize_pem().as_bytes());
    }

    fn secret(&self, relative: &str, length: u8) {
        self.write_secret(relative, &(0..length).collect::<Vec<u8>>());
    }

    fn write_secret(&self, relative: &str, bytes: &[u8]) {
        let path = self.path(relative);
        fs::write(&path, bytes).expect("a file written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("permissions set");
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key")
}
