//! What is risky in a TLS configuration that works: the warnings of `check`.

use super::facts::{self, Facts};
use super::private_key::Protection;
use super::trust::Listed;
use super::unfit::{REMEDY, Unfit};
use super::{ClientAuthentication, ClientSettings, EndKind, Role, ServerSettings, material};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

/// Something in a `tls` table that works and should be different, such as a certificate that ends soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key of the `tls` table.
    pub key: &'static str,
    /// The file that the risk lies in, as it was opened.
    pub file: PathBuf,
    /// What is the matter and what to do, without the file's name.
    pub message: String,
}

/// The risks of a listener. Files that cannot be used are left to [`server`](super::server).
pub fn inspect_server(settings: &ServerSettings, now: OffsetDateTime) -> Vec<Finding> {
    let mut found = Findings { now, list: Vec::new() };
    found.own_chain(&settings.certificate_chain, Role::Server);
    found.names(&settings.certificate_chain);
    found.private_key(&settings.private_key, settings.private_key_passphrase_file.as_deref());
    if settings.client_authentication == ClientAuthentication::Off {
        found.unused_lists(&settings.revocation_lists);
        return found.list;
    }
    let listed = listed("client-ca", &settings.client_ca);
    found.trusted("client-ca", &listed, Role::Client);
    found.revocation_lists(&listed, &settings.revocation_lists);
    found.no_lists(&listed, &settings.revocation_lists);
    found.list
}

/// The risks of an upstream. Files that cannot be used are left to [`client`](super::client).
pub fn inspect_client(settings: &ClientSettings, now: OffsetDateTime) -> Vec<Finding> {
    let mut found = Findings { now, list: Vec::new() };
    let listed = listed("ca", &settings.ca);
    found.trusted("ca", &listed, Role::Server);
    found.revocation_lists(&listed, &settings.revocation_lists);
    if let (Some(chain), Some(key)) = (&settings.certificate_chain, &settings.private_key) {
        found.own_chain(chain, Role::Client);
        found.private_key(key, settings.private_key_passphrase_file.as_deref());
    }
    found.list
}

struct Findings {
    now: OffsetDateTime,
    list: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, key: &'static str, file: &Path, message: String) {
        self.list.push(Finding { key, file: file.to_owned(), message });
    }

    fn own_chain(&mut self, file: &Path, role: Role) {
        const KEY: &str = "certificate-chain";
        let chain = all_facts(KEY, file);
        for facts in &chain {
            self.concerns(KEY, file, facts);
        }
        if let Some(why) = chain.first().and_then(Unfit::beyond_concerns) {
            self.add(KEY, file, format!("the certificate {why}; peers refuse it. {REMEDY}"));
        }
        if chain.first().is_some_and(|own| !role.allows(own)) {
            self.add(
                KEY,
                file,
                format!(
                    "the certificate's extended key usage does not allow {} to show it; peers will refuse it",
                    role.name()
                ),
            );
        }
    }

    fn names(&mut self, file: &Path) {
        const KEY: &str = "certificate-chain";
        let named = |facts: &Facts| {
            facts.certificate.san.iter().any(|n| n.starts_with("dns:") || n.starts_with("ip:"))
        };
        if all_facts(KEY, file).first().is_some_and(|own| !named(own)) {
            self.add(KEY, file, "the certificate has no DNS or IP alternative name; peers that check the server's name will refuse it".into());
        }
    }

    /// Of each certificate that is trusted, what it is of no use for.
    fn trusted(&mut self, key: &'static str, trusted: &[Listed], role: Role) {
        for listed in trusted {
            let (file, facts) = (listed.file.as_path(), &listed.facts);
            self.dates(key, file, facts);
            let (signs, itself) = (listed.is_authority(), listed.stands_for_itself(role));
            let subject = &facts.certificate.subject;
            let message = match Unfit::to_show(facts) {
                Some(why) if !signs => {
                    format!("the certificate of {subject} {why}; it is not trusted. {REMEDY}")
                }
                Some(why) if listed.would_stand(role) => {
                    format!(
                        "the certificate of {subject} {why}; whoever shows it itself is refused. {REMEDY}"
                    )
                }
                None if !signs && !itself => format!(
                    "{subject} is not a CA certificate, and its key usage does not allow {} to show it; it is of no use here",
                    role.name()
                ),
                _ => continue,
            };
            self.add(key, file, message);
        }
    }

    fn concerns(&mut self, key: &'static str, file: &Path, facts: &Facts) {
        for concern in facts.concerns(self.now) {
            self.add(key, file, format!("the certificate of {} {concern}", facts.certificate.subject));
        }
    }

    fn dates(&mut self, key: &'static str, file: &Path, facts: &Facts) {
        for concern in facts.concerns_of_dates(self.now) {
            self.add(
                key,
                file,
                format!(
                    "the certificate of {} {concern}; outside its dates nothing is trusted because of it",
                    facts.certificate.subject
                ),
            );
        }
    }

    fn private_key(&mut self, file: &Path, passphrase: Option<&Path>) {
        for (key, file) in [("private-key", Some(file)), ("private-key-passphrase-file", passphrase)] {
            let Some(file) = file else { continue };
            let mode = std::fs::metadata(file).map(|metadata| metadata.permissions().mode()).unwrap_or(0);
            if mode & 0o007 != 0 {
                self.add(key, file, "every account of this machine can get at it; chmod o-rwx".into());
            }
        }
        let Some(passphrase) = passphrase else { return };
        if material::read("private-key", file).is_ok_and(|pem| Protection::of(&pem) == Protection::Plain) {
            self.add(
                "private-key-passphrase-file",
                passphrase,
                "the private key is not encrypted, so this is not used".into(),
            );
        }
    }

    fn revocation_lists(&mut self, trusted: &[Listed], files: &[PathBuf]) {
        const KEY: &str = "revocation-lists";
        let mut covered = Vec::new();
        for file in files {
            let lists = material::revocation_lists(std::slice::from_ref(file), &mut Vec::new());
            for list in lists.unwrap_or_default() {
                let Ok((_, parsed)) = CertificateRevocationList::from_der(&list) else { continue };
                self.list_dates(file, &parsed);
                covered.push(parsed.issuer().as_raw().to_vec());
            }
        }
        if files.is_empty() {
            return;
        }
        for authority in authorities(trusted) {
            if !subject(authority).is_some_and(|subject| covered.contains(&subject)) {
                let shown = &authority.facts.certificate.subject;
                self.add(
                    KEY,
                    &authority.file,
                    format!(
                        "no revocation list is by {shown}; every certificate that it signed will be refused"
                    ),
                );
            }
        }
    }

    /// A listener that lets in whom a CA signed, and cannot shut out whom that CA has revoked.
    fn no_lists(&mut self, trusted: &[Listed], files: &[PathBuf]) {
        let signing = || authorities(trusted).map(|authority| authority.facts.certificate.subject.as_str());
        if let Some(first) = authorities(trusted).next().filter(|_| files.is_empty()) {
            self.add(
                "revocation-lists",
                &first.file,
                format!(
                    "no revocation list is named, so that a certificate by {} which was revoked is let in until it ends; \
                     name the CA's list, as in revocation-lists = [\"certs/ca.crl.pem\"]",
                    signing().collect::<Vec<_>>().join(" or ")
                ),
            );
        }
    }

    fn list_dates(&mut self, file: &Path, list: &CertificateRevocationList<'_>) {
        let next = list.next_update().map(|next| next.to_datetime());
        let ending = next.and_then(|next| facts::ending(next, self.now, EndKind::RevocationList.notice()));
        if let Some(ending) = ending {
            let issuer = crate::identity::printable(&list.issuer().to_string(), 200);
            self.add(
                "revocation-lists",
                file,
                format!(
                    "the list by {issuer} {ending}; past its end every certificate of that CA is refused"
                ),
            );
        }
    }

    fn unused_lists(&mut self, files: &[PathBuf]) {
        for file in files {
            self.add(
                "revocation-lists",
                file,
                "client certificates are not asked for, so this is not used".into(),
            );
        }
    }
}

fn all_facts(key: &'static str, file: &Path) -> Vec<Facts> {
    let certificates = material::certificates(key, file, &mut Vec::new()).unwrap_or_default();
    certificates.iter().filter_map(|der| Facts::of(der).ok()).collect()
}

/// The certificates that are trusted, as far as they can be read.
fn listed(key: &'static str, files: &[PathBuf]) -> Vec<Listed> {
    Listed::of_all(key, files, &mut Vec::new()).unwrap_or_default()
}

fn authorities(trusted: &[Listed]) -> impl Iterator<Item = &Listed> {
    trusted.iter().filter(|listed| listed.is_authority())
}

/// The subject of a certificate, as bytes to compare.
fn subject(listed: &Listed) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(&listed.der).ok()?;
    Some(parsed.subject().as_raw().to_vec())
}
