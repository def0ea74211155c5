//! A folder with the certificates and secrets of one site, under the names that the shipped configurations use.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::ServerName;

use crate::connection::{self, Target};
use crate::process::Finished;
use crate::scratch::Scratch;
use crate::wait::PATIENCE;

/// The DNS name in the client's certificate.
pub const CLIENT_NAME: &str = "gw.site.example";

pub struct Site {
    folder: Scratch,
    /// Signs more, where more are wanted.
    ca: Option<Issuer>,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

impl Site {
    /// `certs/{ca,server,client,expired,revoked,pacs-ca,pacs,stranger-ca,stranger}.pem` with keys,
    /// `certs/{ca,ended}.crl` (the second past its date; the first also as `ca.crl.pem`), `conf/{audit,pseudonym,crosswalk,audit-signing}.key`.
    pub fn new() -> Self {
        let mut site = Self { folder: Scratch::new(), ca: None };
        for name in ["certs", "conf"] {
            fs::create_dir(site.path(name)).expect("a new folder");
        }
        let ca = site.authority("ca");
        site.issue(&ca, "server", &["localhost", "127.0.0.1"]);
        site.issue(&ca, "client", &[CLIENT_NAME]);
        site.issue_until(&ca, "expired", &[CLIENT_NAME], 2021);
        site.issue(&ca, "revoked", &[CLIENT_NAME]);
        site.revocation_list(&ca, "ca", 2099, &["revoked"]);
        fs::copy(site.path("certs/ca.crl"), site.path("certs/ca.crl.pem")).expect("a copy");
        site.revocation_list(&ca, "ended", 2021, &["revoked"]);
        let pacs = site.authority("pacs-ca");
        site.issue(&pacs, "pacs", &["localhost", "127.0.0.1"]);
        let stranger = site.authority("stranger-ca");
        site.issue(&stranger, "stranger", &[CLIENT_NAME]);
        site.secret("conf/audit.key", 64);
        site.secret("conf/pseudonym.key", 64);
        site.secret("conf/crosswalk.key", 48);
        site.secret("conf/pseudonym-2.key", 65);
        fs::write(site.path("conf/words-fr.txt"), "scanner\n").expect("a list of words");
        let signing = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        site.write_secret("conf/audit-signing.key", signing.serialize_pem().as_bytes());
        site.ca = Some(ca);
        site
    }

    /// `certs/client-1.pem` and so on, with keys, each of another client: their names.
    #[allow(dead_code, reason = "the benchmark uses it")]
    pub fn clients(&self, count: usize) -> Vec<String> {
        let ca = self.ca.as_ref().expect("the authority");
        let names: Vec<String> = (1..=count).map(|number| format!("client-{number}")).collect();
        names.iter().for_each(|name| self.issue(ca, name, &[&format!("{name}.site.example")]));
        names
    }

    /// `certs/NAME-ca.pem`, and `certs/NAME.pem` with its key: a client of that CA.
    #[allow(dead_code, reason = "the benchmark has none")]
    pub fn organisation(&self, name: &str) {
        let authority = self.authority(&format!("{name}-ca"));
        self.issue(&authority, name, &[&format!("gw.{name}.example")]);
    }

    /// The same, with a CA that is called as that of `of` and has another kind of key.
    #[allow(dead_code, reason = "the benchmark has none")]
    pub fn impostor(&self, name: &str, of: &str) {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        let authority =
            Issuer::self_signed(authority_params(&format!("{of}-ca")), key).expect("a certificate");
        self.issue(&authority, name, &[&format!("gw.{of}.example")]);
    }

    /// [`organisation`](Self::organisation) for both, where the CA of the first is also signed by that of the second. That
    /// certificate is `certs/ONE-crossed-ca.pem`, and `certs/ONE-crossed.pem` the client's with it.
    #[allow(dead_code, reason = "the benchmark has none")]
    pub fn organisations_of_one_root(&self, name: &str, by: &str) {
        let [own, other] = [name, by].map(|name| (self.authority(&format!("{name}-ca")), name));
        [&own, &other]
            .into_iter()
            .for_each(|(authority, name)| self.issue(authority, name, &[&format!("gw.{name}.example")]));
        let crossed = authority_params(&format!("{name}-ca")).signed_by(own.0.key(), &other.0);
        let crossed = crossed.expect("a certificate").pem();
        fs::write(self.path(&format!("certs/{name}-crossed-ca.pem")), &crossed).expect("a file written");
        let client = fs::read_to_string(self.path(&format!("certs/{name}.pem"))).expect("a certificate");
        fs::write(self.path(&format!("certs/{name}-crossed.pem")), client + &crossed)
            .expect("a file written");
        let key = |name: &str| self.path(&format!("certs/{name}.key"));
        fs::copy(key(name), key(&format!("{name}-crossed"))).expect("a copy");
    }

    /// `certs/NAME.pem` with its key, of the site's CA: a server by these names.
    #[allow(dead_code, reason = "the benchmark has none")]
    pub fn server(&self, name: &str, names: &[&str]) {
        self.issue(self.ca.as_ref().expect("the authority"), name, names);
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
        let issuer = Issuer::self_signed(authority_params(name), key()).expect("a certificate");
        fs::write(self.path(&format!("certs/{name}.pem")), issuer.pem()).expect("a file written");
        issuer
    }

    fn issue(&self, issuer: &Issuer, name: &str, names: &[&str]) {
        self.issue_until(issuer, name, names, 2099);
    }

    fn issue_until(&self, issuer: &Issuer, name: &str, names: &[&str], year: i32) {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let mut params = CertificateParams::new(names).expect("DNS names and addresses");
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(serial_of(name));
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = key();
        let certificate = params.signed_by(&key, issuer).expect("a certificate");
        fs::write(self.path(&format!("certs/{name}.pem")), certificate.pem()).expect("a file written");
        self.write_secret(&format!("certs/{name}.key"), key.serialize_pem().as_bytes());
    }

    /// Writes `certs/NAME.crl` of the CA anew, which revokes these of its certificates. It is there whole, or as it was.
    #[allow(dead_code, reason = "the benchmark has none")]
    pub fn list_of_revoked(&self, name: &str, revoked: &[&str]) {
        self.revocation_list(self.ca.as_ref().expect("the authority"), "next", 2099, revoked);
        fs::rename(self.path("certs/next.crl"), self.path(&format!("certs/{name}.crl"))).expect("its name");
    }

    fn revocation_list(&self, issuer: &Issuer, name: &str, until: i32, revoked_of: &[&str]) {
        let revoked = |name: &&str| RevokedCertParams {
            serial_number: serial_of(name),
            revocation_time: date_time_ymd(2020, 6, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let revoked_certs = revoked_of.iter().map(revoked).collect();
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 6, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let pem = list.signed_by(issuer).and_then(|list| list.pem()).expect("a revocation list");
        fs::write(self.path(&format!("certs/{name}.crl")), pem).expect("a file written");
    }

    fn secret(&self, relative: &str, length: u8) {
        // Printable, each byte once in a round, and not counted up: what check takes for drawn.
        let byte = |index: u8| (u16::from(index) * 37 % 94) as u8 + b'!';
        self.write_secret(relative, &(0..length).map(byte).collect::<Vec<u8>>());
    }

    fn write_secret(&self, relative: &str, bytes: &[u8]) {
        let path = self.path(relative);
        fs::write(&path, bytes).expect("a file written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("permissions set");
    }
}

/// openssl(1) in `certs`.
pub fn openssl(site: &Site, line: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(site.path("certs")).args(line.split(' '));
    Finished::run(command).expect_success();
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, format!("{name} of a test"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Certificates of one authority differ in their names, so their serial numbers come from them.
fn serial_of(name: &str) -> SerialNumber {
    SerialNumber::from([&[1], name.as_bytes()].concat())
}

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key")
}
