//! Certificates and revocation lists, from files.

use super::TlsError;
use rustls::RootCertStore;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// No chain, key or list of a sane CA comes near this.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// The bytes of a file, wiped when dropped because it may hold a key.
pub(super) fn read(key: &'static str, file: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let unreadable = |source| TlsError::unreadable(key, file, source);
    let mut opened = File::open(file).map_err(unreadable)?;
    // Room for the whole file at once: a vector that grows would leave copies of a key behind.
    let expected = opened.metadata().map_err(unreadable)?.len().min(FILE_LIMIT);
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(usize::try_from(expected).unwrap_or(0).saturating_add(1)));
    opened.by_ref().take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(TlsError::TooLarge { key, file: file.to_owned(), limit: FILE_LIMIT });
    }
    Ok(bytes)
}

/// The certificates of a PEM file in its order, at least one.
pub(super) fn certificates(key: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(key, file)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| bad_pem(key, file, &error))?;
    if found.is_empty() {
        let der = bytes.first() == Some(&0x30);
        return Err(TlsError::NoCertificate { key, file: file.to_owned(), der });
    }
    Ok(found)
}

/// The certificates of a PEM file as the only roots to trust.
pub(super) fn roots(key: &'static str, file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates(key, file)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| TlsError::BadCertificate {
            key,
            file: file.to_owned(),
            number: index + 1,
            detail: error.to_string(),
        })?;
    }
    Ok(roots)
}

/// The revocation lists of PEM or DER files; every file holds at least one that can be read.
pub(super) fn revocation_lists(
    files: &[PathBuf],
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let mut lists = Vec::new();
    for file in files {
        let found = revocation_lists_of(file)?;
        for (index, list) in found.iter().enumerate() {
            check_revocation_list(file, index + 1, list)?;
        }
        lists.extend(found);
    }
    Ok(lists)
}

fn revocation_lists_of(file: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    const KEY: &str = "revocation-lists";
    let bytes = read(KEY, file)?;
    let found = CertificateRevocationListDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| bad_pem(KEY, file, &error))?;
    match bytes.first() {
        _ if !found.is_empty() => Ok(found),
        Some(0x30) => Ok(vec![CertificateRevocationListDer::from(bytes.to_vec())]),
        _ => Err(TlsError::NoRevocationList { file: file.to_owned() }),
    }
}

/// The verifier would name no file, so each list is read once on its own.
fn check_revocation_list(file: &Path, number: usize, list: &[u8]) -> Result<(), TlsError> {
    use x509_parser::prelude::{CertificateRevocationList, FromDer};
    let bad = |detail: String| TlsError::BadRevocationList { file: file.to_owned(), number, detail };
    match CertificateRevocationList::from_der(list) {
        Ok((_, parsed)) if parsed.next_update().is_none() => {
            Err(bad("it does not say when the next one comes".into()))
        }
        Ok(([], _)) => Ok(()),
        Ok((rest, _)) => Err(bad(format!("{} bytes follow it", rest.len()))),
        Err(error) => Err(bad(error.to_string())),
    }
}

pub(super) fn bad_pem(key: &'static str, file: &Path, error: &PemError) -> TlsError {
    let detail = match error {
        PemError::MissingSectionEnd { .. } => "a section has no END line; is the file cut off?".to_owned(),
        PemError::IllegalSectionStart { .. } => "a BEGIN line is malformed".to_owned(),
        PemError::Base64Decode(_) => "a section is not base64".to_owned(),
        other => other.to_string(),
    };
    TlsError::BadPem { key, file: file.to_owned(), detail }
}
