//! `[listener.tls]` and `[upstream.tls]`: files named, read, and built into what a handshake needs.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::addresses;
use super::report::{Located, Place, Wrong, values};
use super::section::Section;
use super::settings::{ClientTls, ServerTls};
use crate::files::{self, full};
use crate::identity::CertificateBinding;
use crate::tls::{
    self, ClientAuthentication, ClientSettings, Finding, Profile, ServerSettings, TlsError, inspect_client,
    inspect_server,
};

const PROFILES: [(&str, Profile); 2] = [("bcp195", Profile::Bcp195), ("tls13", Profile::Tls13)];

/// `None` only after a problem was reported.
pub(super) fn server(section: &Section<'_>) -> Option<ServerTls> {
    let before = section.report.errors();
    let files = Files::of(section);
    section.require(&[("certificate-chain", "name a PEM file"), ("private-key", "name a PEM file")]);
    let client_authentication = client_authentication(section);
    let client_ca = section.path_or_paths("client-ca");
    let pins = pins(section);
    let trusted = section.has("client-ca") || section.has("pins");
    let asks =
        client_authentication != ClientAuthentication::Off && section.is_sound("client-authentication");
    if !trusted && asks {
        let remedy = "name a PEM file with the CA that signs clients (or with their own certificates), or write \
                      client-authentication = \"off\"";
        section.missing("client-ca", remedy);
    }
    let profile = section.choice("profile", &PROFILES).unwrap_or(Profile::Bcp195);
    let files = files.with(&client_ca);
    files.check(section);
    let settings = || {
        Some(ServerSettings {
            certificate_chain: files.chain.clone()?,
            private_key: files.key.clone()?,
            private_key_passphrase_file: files.passphrase.clone(),
            client_authentication,
            client_ca: values(client_ca),
            pins,
            revocation_lists: files.revocation_lists.clone(),
            profile,
        })
    };
    let is_sound = section.report.errors() == before;
    settings().filter(|_| is_sound).and_then(|settings| {
        let built = files.built(section, tls::server(&settings))?;
        section.report.uses(&section.place, &built.files, &built.ends);
        files.risks(section, inspect_server(&settings, OffsetDateTime::now_utc()));
        Some(ServerTls { settings, built })
    })
}

fn client_authentication(section: &Section<'_>) -> ClientAuthentication {
    use ClientAuthentication::{Off, Optional, Required};
    let choices = [("required", Required), ("optional", Optional), ("off", Off)];
    let chosen = section.choice("client-authentication", &choices).unwrap_or(Required);
    let place = section.place_of("client-authentication");
    match chosen {
        Required => {}
        Optional => section.report.risk(
            &place,
            "lets requestors in that show no certificate",
            "write \"required\", or bind every peer of this listener to certificates",
        ),
        Off => section.report.risk(&place, "asks no requestor for a certificate", "write \"required\""),
    }
    chosen
}

/// `None` only after a problem was reported.
pub(super) fn client(section: &Section<'_>, upstream: &[String]) -> Option<ClientTls> {
    let before = section.report.errors();
    let files = Files::of(section);
    if !section.has("ca") && !section.has("pins") {
        let remedy = "name a PEM file with the CA that signed the upstream's certificate, or with that certificate itself";
        section.missing("ca", remedy);
    }
    for (key, other) in [("certificate-chain", "private-key"), ("private-key", "certificate-chain")] {
        if section.has(key) && !section.has(other) {
            section.missing(other, &format!("name the PEM file that goes with {key}"));
        }
    }
    let ca = section.path_or_paths("ca");
    let pins = pins(section);
    let server_name = server_name(section, upstream);
    let profile = section.choice("profile", &PROFILES).unwrap_or(Profile::Bcp195);
    let files = files.with(&ca);
    files.check(section);
    let settings = || {
        Some(ClientSettings {
            ca: values(ca),
            pins,
            server_name: server_name?,
            certificate_chain: files.chain.clone(),
            private_key: files.key.clone(),
            private_key_passphrase_file: files.passphrase.clone(),
            revocation_lists: files.revocation_lists.clone(),
            profile,
        })
    };
    let is_sound = section.report.errors() == before;
    settings().filter(|_| is_sound).and_then(|settings| {
        let built = files.built(section, tls::client(&settings))?;
        section.report.uses(&section.place, &built.files, &built.ends);
        files.risks(section, inspect_client(&settings, OffsetDateTime::now_utc()));
        Some(ClientTls { settings, built })
    })
}

/// `pins`: certificates and keys, not names, which anybody could have a certificate of its own making with.
fn pins(section: &Section<'_>) -> Vec<CertificateBinding> {
    let pin = |text: &str| match text.parse::<CertificateBinding>() {
        Ok(pin @ (CertificateBinding::KeyFingerprint(_) | CertificateBinding::Fingerprint(_))) => Ok(pin),
        Ok(_) => Err(Wrong::new(
            format!("{text:?} names no key"),
            "write \"spki-sha256:…\" or \"sha256:…\" as dimsegate certs show prints it",
        )),
        Err(error) => Err(Wrong::new(error.to_string(), "")),
    };
    section.list("pins", pin).map(values).unwrap_or_default()
}

/// Absent: the one host of the upstream's addresses.
fn server_name(section: &Section<'_>, upstream: &[String]) -> Option<String> {
    if let Some(name) = section.string("server-name") {
        return Some(name.value.to_owned());
    }
    let mut hosts: Vec<&str> = upstream.iter().map(|address| addresses::host(address)).collect();
    hosts.dedup();
    if let [host] = hosts.as_slice() {
        return Some((*host).to_owned());
    }
    // Without addresses nothing is known of their hosts.
    if !section.has("server-name") && !hosts.is_empty() {
        section.missing("server-name", "write the DNS name or IP address in the upstream's certificate");
    }
    None
}

/// The files that a table names.
struct Files {
    chain: Option<PathBuf>,
    key: Option<PathBuf>,
    passphrase: Option<PathBuf>,
    revocation_lists: Vec<PathBuf>,
    /// Where each of them is named.
    all: Vec<Located<PathBuf>>,
}

impl Files {
    fn of(section: &Section<'_>) -> Self {
        let chain = section.path("certificate-chain");
        let key = section.path("private-key");
        let passphrase = section.path("private-key-passphrase-file");
        let lists = section.paths("revocation-lists");
        section.report.uses_keys(key.iter().chain(&passphrase).map(|path| &path.value));
        let value = |path: &Option<Located<PathBuf>>| path.as_ref().map(|path| path.value.clone());
        Self {
            chain: value(&chain),
            key: value(&key),
            passphrase: value(&passphrase),
            revocation_lists: lists.iter().map(|path| path.value.clone()).collect(),
            all: [chain, key, passphrase].into_iter().flatten().chain(lists).collect(),
        }
    }

    /// With those of whom to trust, which each side names by its own key.
    fn with(mut self, trusted: &[Located<PathBuf>]) -> Self {
        self.all.extend_from_slice(trusted);
        self
    }

    /// Where the key names the file, one of several perhaps; the place of the key otherwise.
    fn place_of(&self, section: &Section<'_>, key: &str, file: Option<&Path>) -> Place {
        let of_key = section.place_of(key);
        let named = |path: &&Located<PathBuf>| {
            path.place.key.starts_with(&of_key.key) && file.is_some_and(|file| path.value == file)
        };
        self.all.iter().find(named).map_or(of_key.clone(), |path| path.place.clone())
    }

    /// Reports each file that cannot be read.
    fn check(&self, section: &Section<'_>) {
        for path in &self.all {
            section.report.reads(&path.value);
            if let Err(error) = files::open(&path.value) {
                let problem = format!("{} cannot be read: {error}", full(&path.value));
                section.report.error(
                    &path.place,
                    problem,
                    "name a file that exists and that this user may read",
                );
            }
        }
    }

    /// What works and is risky all the same: certificates about to end, weak keys, lists that nobody checks.
    fn risks(&self, section: &Section<'_>, findings: Vec<Finding>) {
        for Finding { key, file, message } in findings {
            let place = self.place_of(section, key, Some(&file));
            section.report.risk(&place, format!("{}: {message}", file.display()), "");
        }
    }

    fn built<T>(&self, section: &Section<'_>, built: Result<T, TlsError>) -> Option<T> {
        built
            .map_err(|error| {
                let place = self.place_of(section, error.key(), error.file());
                section.report.error(&place, error.to_string(), "");
            })
            .ok()
    }
}
