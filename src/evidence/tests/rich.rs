//! A configuration in which every check that can find something does.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
};
use time::{Duration, OffsetDateTime};

use crate::audit::signing::SigningKey;
use crate::config::{self, Settings};
use crate::evidence::{Facts, Recorded, Trail, keys_beside, loose_keys};
use crate::scratch::Scratch;

const TEXT: &str = r#"
[admin]
listen = "unix:HOME/admin.sock"
state-directory = "HOME/state"
[audit]
directory = "HOME/records"
on-failure = "block"
patient-identifiers = "none"
signing-key = "HOME/keys/signing.key"
retention-days = 3000
[[audit.repository]]
name = "arr"
address = "arr.example:6514"
transport = "tls"
[audit.repository.tls]
ca = "HOME/certs/ca.pem"
[[notify]]
name = "on-call"
url = "http://127.0.0.1:9/hook"
when = ["refusals"]
[policy]
country = "FR"
blocked-countries = ["CN", "HK", "MO", "CU", "IR", "KP", "RU", "VE"]
[[agreement]]
id = "geneva-2026"
parties = ["geneva"]
country = "CH"
mechanism = "scc"
reference = "contract 7"
purpose = "second opinion"
from = "2020-01-01"
until = "2099-12-31"
[[agreement]]
id = "york-2026"
parties = ["york"]
country = "GB"
mechanism = "derogation"
reference = "consent of each patient"
purpose = "treatment there"
from = "2020-01-01"
until = "2099-12-31"
[[agreement]]
id = "group-2026"
parties = ["oslo"]
country = "NO"
mechanism = "bcr"
reference = "rules of the group"
purpose = "second opinion"
from = "2020-01-01"
until = "2099-12-31"
[limits]
idle-timeout = "5m"
[users]
file = "HOME/keys/users.toml"
[metrics]
listen = "127.0.0.1:9108"
[[listener]]
name = "remote"
address = "0.0.0.0:2762"
upstream = "pacs"
user-identity = "require"
[listener.tls]
certificate-chain = "HOME/certs/server.pem"
private-key = "HOME/keys/server.key"
client-authentication = "required"
client-ca = "HOME/certs/ca.pem"
revocation-lists = ["HOME/certs/ca.crl.pem"]
[[upstream]]
name = "pacs"
addresses = ["pacs.example:2762"]
health = { echo = "30s" }
[upstream.tls]
ca = "HOME/certs/ca.pem"
[[role]]
name = "r"
operations = ["C-STORE"]
sop-classes = ["storage"]
require = ["certificate", "passcode"]
[[crosswalk]]
name = "x"
file = "HOME/crosswalk/x"
key-file = "HOME/keys/crosswalk.key"
[[rewrite]]
name = "cross"
profile = "basic"
burned-in = "refuse"
secret-file = "HOME/keys/one.key"
crosswalk = "x"
[[rewrite]]
name = "bare"
secret-file = "HOME/keys/two.key"
rules = [{ tag = "PatientID", action = "replace", value = "{pseudonym}" }]
[[peer]]
name = "lyon"
networks = ["203.0.113.0/24"]
calling-ae-titles = ["LYON"]
certificates = ["dns:gw.lyon.example"]
role = "r"
rewrite = "cross"
[[peer]]
name = "geneva"
country = "CH"
networks = ["198.51.100.0/24"]
calling-ae-titles = ["GENEVA"]
certificates = ["dns:gw.geneva.example"]
role = "r"
rewrite = "cross"
[[peer]]
name = "york"
country = "GB"
networks = ["192.0.2.0/24"]
calling-ae-titles = ["YORK"]
certificates = ["dns:gw.york.example"]
role = "r"
rewrite = "cross"
[[peer]]
name = "oslo"
country = "NO"
networks = ["192.0.2.128/25"]
calling-ae-titles = ["OSLO"]
certificates = ["dns:gw.oslo.example"]
role = "r"
rewrite = "cross"
"#;

/// Texts to replace, and what by.
pub(crate) type Changes = [(&'static str, &'static str)];

/// A folder with all that the configuration names.
pub(crate) struct Home(Scratch);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(Scratch::new());
        for folder in ["certs", "keys", "crosswalk"] {
            fs::create_dir(home.path().join(folder)).unwrap();
        }
        home.certificates(Duration::days(365), Duration::days(60));
        for (name, byte) in [("one", 0), ("two", 7), ("crosswalk", 1)] {
            let secret: Vec<u8> =
                (0..48_u8).map(|at| at.wrapping_mul(37).wrapping_add(byte * 29 + 11)).collect();
            home.secret(&format!("{name}.key"), &secret);
        }
        home.secret("users.toml", b"");
        home.secret("signing.key", SigningKey::generate().unwrap().1.as_bytes());
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn secret(&self, name: &str, content: &[u8]) {
        let path = self.path().join("keys").join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    /// For so long: what the listener shows, and the list of its CA.
    pub(crate) fn certificates(&self, certificate: Duration, list: Duration) {
        let now = OffsetDateTime::now_utc();
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.not_after = now + Duration::days(3650);
        let authority = ca.self_signed(&ca_key).unwrap().pem();
        let issuer = Issuer::from_params(&ca, &ca_key);
        let mut server = CertificateParams::new(vec!["gate.example".to_owned()]).unwrap();
        server.not_after = now + certificate;
        let revoked = CertificateRevocationListParams {
            this_update: now - Duration::days(1),
            next_update: now + list,
            crl_number: 1_u64.into(),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let write = |name: &str, text: String| fs::write(self.path().join("certs").join(name), text).unwrap();
        write("ca.pem", authority);
        write("ca.crl.pem", revoked.signed_by(&issuer).unwrap().pem().unwrap());
        write("server.pem", server.signed_by(&key, &issuer).unwrap().pem());
        self.secret("server.key", key.serialize_pem().as_bytes());
    }

    /// The configuration with these changes. Each has to be one.
    pub(crate) fn settings(&self, changes: &Changes) -> Settings {
        let text = changes.iter().fold(TEXT.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let file = self.path().join("dimsegate.toml");
        fs::write(&file, text.replace("HOME", self.path().to_str().unwrap())).unwrap();
        config::load(&file).unwrap_or_else(|problems| panic!("{problems}")).settings
    }
}

/// As if the proxy had run with these settings, and somebody had reviewed access.
pub(crate) fn facts(settings: &Settings) -> Facts<'_> {
    let mut recorded = Recorded { records: 10, ..Recorded::default() };
    recorded.configurations.insert(settings.digest.clone());
    recorded.readings.insert("review".to_owned(), 1);
    recorded.rewrites.insert("cross".to_owned());
    Facts {
        settings,
        places: settings.places(),
        recorded,
        trail: Trail { signed_up_to: Some(9), ..Trail::default() },
        loose_keys: loose_keys(settings),
        keys_beside: keys_beside(settings),
        now: OffsetDateTime::now_utc(),
    }
}
