//! What goes with the records: the configuration without its secrets, and the public parts of what it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use crate::audit::export::{Beside, Configuration, NotRead, UsedCertificate};
use crate::config;
use crate::files;
use crate::notation::hex;

/// Larger than any configuration, certificate or list.
const LONGEST: u64 = 64 << 20;
/// PEM blocks (RFC 7468) that everybody may see.
const PUBLIC: [&str; 4] = ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL", "PUBLIC KEY"];

/// Of a configuration, whatever is wrong with it; of a tenant, its own part of one in which nothing is.
pub(super) fn of(path: &Path, tenant: Option<&str>) -> Beside {
    let mut beside = Beside::default();
    if let Some(bytes) = tenant.is_none().then(|| read(path, &mut beside)).flatten() {
        configuration(path, &bytes, sha256(&bytes), &mut beside);
    }
    let files: BTreeSet<PathBuf> = match config::load_of(path, tenant) {
        Ok(config::Loaded { settings, .. }) => {
            if tenant.is_some() {
                configuration(path, settings.text().as_bytes(), settings.file_digest.clone(), &mut beside);
            }
            settings.files.into_iter().map(|one| one.file).collect()
        }
        Err(problems) => {
            let reason = format!("its certificates and lists: it has problems: {problems}");
            beside.not_read.push(NotRead { file: path.display().to_string(), reason });
            return beside;
        }
    };
    for (number, file) in files.iter().enumerate() {
        if let Some(bytes) = read(file, &mut beside) {
            certificate(number + 1, file, &bytes, &mut beside);
        }
    }
    beside
}

fn read(path: &Path, beside: &mut Beside) -> Option<Vec<u8>> {
    match files::read(path, LONGEST) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            beside.not_read.push(NotRead { file: path.display().to_string(), reason: error.to_string() });
            None
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn configuration(path: &Path, bytes: &[u8], file_sha256: String, beside: &mut Beside) {
    let shown = std::str::from_utf8(bytes).ok().and_then(config::shown_text);
    let file = path.display().to_string();
    let Some(config::Shown { text, hidden }) = shown else {
        let reason = "is no TOML, so that nobody can say what in it is a secret".to_owned();
        beside.not_read.push(NotRead { file, reason });
        return;
    };
    let member = "configuration/dimsegate.toml".to_owned();
    beside.members.push((member.clone(), text.into_bytes()));
    beside.configuration = Some(Configuration { file, file_sha256, was_in_force: false, member, hidden });
}

fn certificate(number: usize, path: &Path, bytes: &[u8], beside: &mut Beside) {
    let public = public_parts(bytes);
    let public = if is_der(bytes) { bytes.to_vec() } else { public.into_bytes() };
    let file = path.display().to_string();
    if public.is_empty() {
        let reason = "holds no certificate and no revocation list".to_owned();
        beside.not_read.push(NotRead { file, reason });
        return;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    // The number keeps apart what has one name in several folders.
    let member = format!("certificates/{number}-{}", name.chars().map(plain).collect::<String>());
    beside.members.push((member.clone(), public));
    beside.certificates.push(UsedCertificate { file, file_sha256: sha256(bytes), member });
}

/// Whether it is one revocation list or one certificate, and nothing else.
fn is_der(bytes: &[u8]) -> bool {
    let list = CertificateRevocationList::from_der(bytes).is_ok_and(|(rest, _)| rest.is_empty());
    list || X509Certificate::from_der(bytes).is_ok_and(|(rest, _)| rest.is_empty())
}

/// The PEM blocks that everybody may see, and nothing between them: a key may stand beside its certificate.
fn public_parts(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (mut out, mut open) = (String::new(), None);
    for line in text.lines().map(str::trim_end) {
        if let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) {
            open = PUBLIC.contains(&label).then(|| format!("{line}\n"));
            continue;
        }
        let Some(block) = &mut open else { continue };
        block.push_str(line);
        block.push('\n');
        if line.starts_with("-----END ") {
            out.push_str(block);
            open = None;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{certificate, public_parts};
    use crate::audit::export::Beside;
    use rcgen::{CertificateParams, KeyPair};
    use std::path::Path;

    #[test]
    fn a_certificate_in_der_is_there_as_it_is_and_a_key_is_not() {
        let key = KeyPair::generate().unwrap();
        let der = CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let exported = |bytes: &[u8]| {
            let mut beside = Beside::default();
            certificate(1, Path::new("a/b c.der"), bytes, &mut beside);
            (beside.members, beside.not_read.len())
        };
        let expected = vec![("certificates/1-b_c.der".to_owned(), der.der().to_vec())];
        assert_eq!(exported(der.der()), (expected, 0));
        let more = [der.der(), &key.serialize_der()[..]].concat();
        for bytes in [&more[..], &key.serialize_der(), key.serialize_pem().as_bytes()] {
            assert_eq!(exported(bytes), (Vec::new(), 1));
        }
    }

    #[test]
    fn of_a_file_with_a_key_only_the_certificates_are_public() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let (certificate, list) = (block("CERTIFICATE"), block("X509 CRL"));
        let keys: String =
            ["PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY"].map(block).concat();
        let text = format!("Bag Attributes: s3cret\n{certificate}{keys}\npassphrase: s3cret\n{list}");
        assert_eq!(public_parts(text.as_bytes()), format!("{certificate}{list}"));
        assert_eq!(public_parts(keys.as_bytes()), "");
        assert_eq!(public_parts(certificate.replace('\n', "\r\n").as_bytes()), certificate);
        // One that does not end is none.
        assert_eq!(public_parts(b"-----BEGIN CERTIFICATE-----\nAAAA"), "");
    }
}
