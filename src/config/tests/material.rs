//! A directory with every file that the examples name.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
};
use time::{Duration, OffsetDateTime};

use crate::audit::signing::SigningKey;
use crate::config::Diagnostics;
use crate::config::Loaded;
use crate::config::load::compile;
use crate::scratch::Scratch;

/// A secret as somebody would draw it.
const DRAWN: &[u8; 48] = b"qv3m0qk2N9w1mT7dJ2kz8bXr5yPqLc4sA6uFhGjEoViZxRtB";
/// A whole configuration around what a test is about.
pub(super) const GOOD: &str = r#"
[[listener]]
name = "l"
address = "127.0.0.1:11112"
upstream = "u"
[[upstream]]
name = "u"
addresses = ["10.0.0.5:104"]
[[role]]
name = "r"
operations = ["C-STORE"]
sop-classes = ["storage"]
[[peer]]
name = "p"
networks = ["10.0.0.0/8"]
calling-ae-titles = ["A*"]
role = "r"
"#;

/// Of RFC 7517, A.1.
const KEY_SET: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1",
"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

/// A revocation list that says nothing of anybody, for twenty days.
fn empty_list(issuer: &Issuer<'_, &KeyPair>) -> String {
    let list = CertificateRevocationListParams {
        this_update: OffsetDateTime::now_utc(),
        next_update: OffsetDateTime::now_utc() + Duration::days(20),
        crl_number: 1_u64.into(),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(issuer).unwrap().pem().unwrap()
}

/// Certificates and secrets under the names of the examples.
pub(super) struct Material {
    directory: Scratch,
}

impl Material {
    /// One for all that a test asks of it, gone with the test's thread.
    pub(super) fn shared() -> Rc<Self> {
        thread_local!(static SHARED: Rc<Material> = Rc::new(Material::new()));
        SHARED.with(Rc::clone)
    }

    pub(super) fn new() -> Self {
        let material = Self { directory: Scratch::new() };
        std::fs::create_dir(material.path("certs")).unwrap();
        std::fs::create_dir(material.path("conf")).unwrap();
        for (certificate, key) in
            [("server", "server"), ("client", "client"), ("ca", "ca"), ("pacs-ca", "pacs-ca")]
        {
            material.certificate(certificate, key, Duration::days(365));
        }
        for secret in ["conf/audit.key", "conf/users.key"] {
            material.secret(secret, &[b'k'; 48], 0o600);
        }
        material.secret("conf/words-fr.txt", "scanner\n".as_bytes(), 0o644);
        material.secret("conf/pseudonym.key", DRAWN, 0o600);
        material.secret("conf/crosswalk.key", DRAWN, 0o600);
        let other: Vec<u8> = DRAWN.iter().rev().copied().collect();
        material.secret("conf/pseudonym-2.key", &other, 0o600);
        material.secret("conf/users.toml", b"", 0o600);
        material.secret("conf/consents.csv", b"identifier,decision\n4711,granted\n", 0o644);
        material.secret("conf/login.jwks", KEY_SET.as_bytes(), 0o644);
        let (_, key) = SigningKey::generate().unwrap();
        material.secret("conf/audit-signing.key", key.as_bytes(), 0o600);
        material
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn certificate(&self, certificate: &str, key: &str, left: Duration) {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = OffsetDateTime::now_utc() + left;
        if certificate.ends_with("ca") {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let pem = params.self_signed(&pair).unwrap().pem();
        std::fs::write(self.path(&format!("certs/{certificate}.pem")), pem).unwrap();
        if certificate.ends_with("ca") {
            let list = format!("certs/{certificate}.crl.pem");
            std::fs::write(self.path(&list), empty_list(&Issuer::from_params(&params, &pair))).unwrap();
        }
        self.secret(&format!("certs/{key}.key"), pair.serialize_pem().as_bytes(), 0o600);
    }

    pub(super) fn secret(&self, name: &str, bytes: &[u8], mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(self.path(name), bytes).unwrap();
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(mode)).unwrap();
    }

    /// The text with its files found here instead of in the working directory.
    pub(super) fn here(&self, text: &str) -> String {
        let root = self.directory.path().display();
        text.replace("\"certs/", &format!("\"{root}/certs/")).replace("\"conf/", &format!("\"{root}/conf/"))
    }

    pub(super) fn compile(&self, text: &str) -> Result<Loaded, Diagnostics> {
        compile(Path::new("test.toml"), &self.here(text))
    }

    /// `line:column: key: problem, remedy` of every error.
    pub(super) fn errors(&self, text: &str) -> Vec<String> {
        let errors = self.compile(text).err().map(|found| found.errors).unwrap_or_default();
        errors.iter().map(|error| error.to_string().trim_start_matches("test.toml:").to_owned()).collect()
    }

    /// As [`Material::errors`], of every risk of a file without errors.
    pub(super) fn risks(&self, text: &str) -> Vec<String> {
        let loaded = self.compile(text).unwrap();
        loaded
            .warnings
            .iter()
            .map(|risk| risk.to_string().trim_start_matches("test.toml:").to_owned())
            .collect()
    }
}

/// What is wrong with a file.
pub(super) fn errors(text: &str) -> Vec<String> {
    Material::shared().errors(text)
}

/// Errors of [`GOOD`] with one line replaced.
pub(super) fn errors_with(line: &str, edited: &str) -> Vec<String> {
    assert!(GOOD.contains(&format!("\n{line}\n")), "{line}");
    errors(&GOOD.replace(&format!("\n{line}\n"), &format!("\n{edited}\n")))
}
