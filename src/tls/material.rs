//! Certificates and revocation lists, from files.

use super::end::{End, EndKind};
use super::error::TlsError;
use super::facts::Facts;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use std::io::Read;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{CertificateRevocationList, FromDer};
use zeroize::Zeroizing;

use crate::notation::hex;

/// No chain, key or list of a sane CA comes near this.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// The bytes of a file, wiped when dropped because it may hold a key.
pub(super) fn read(key: &'static str, file: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let unreadable = |source| TlsError::unreadable(key, file, source);
    let mut opened = crate::files::open(file).map_err(unreadable)?;
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

/// A file that was read, by what was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigest {
    /// The file, as it was opened.
    pub file: PathBuf,
    /// Of its bytes, 64 hexadecimal digits.
    pub sha256: String,
}

/// The ends of the certificates and lists in files that could be used.
pub(super) fn ends(files: &[FileDigest]) -> Vec<End> {
    let mut ends = Vec::new();
    for FileDigest { file, .. } in files {
        let end = |what, at, kind| End { file: file.clone(), what, at, kind };
        for der in certificates("file", file, &mut Vec::new()).unwrap_or_default() {
            let Ok(facts) = Facts::of(&der) else { continue };
            let what = format!("the certificate of {}", facts.certificate.subject);
            ends.push(end(what, facts.certificate.not_after, EndKind::Certificate));
        }
        for list in revocation_lists_of(file, &mut Vec::new()).unwrap_or_default() {
            let Ok((_, parsed)) = CertificateRevocationList::from_der(&list) else { continue };
            let Some(at) = parsed.next_update() else { continue };
            let issuer = crate::identity::printable(&parsed.issuer().to_string(), 200);
            ends.push(end(format!("the list by {issuer}"), at.to_datetime(), EndKind::RevocationList));
        }
    }
    ends
}

/// As [`read`], of a file that holds no secret.
fn read_public(
    key: &'static str,
    file: &Path,
    seen: &mut Vec<FileDigest>,
) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let bytes = read(key, file)?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    let sha256 = hex::encode(digest.as_ref());
    seen.push(FileDigest { file: file.to_owned(), sha256 });
    Ok(bytes)
}

/// The certificates of a PEM file in its order, at least one. The file is added to those that were `seen`.
pub(super) fn certificates(
    key: &'static str,
    file: &Path,
    seen: &mut Vec<FileDigest>,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read_public(key, file, seen)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| bad_pem(key, file, &error))?;
    if found.is_empty() {
        let der = bytes.first() == Some(&0x30);
        return Err(TlsError::NoCertificate { key, file: file.to_owned(), der });
    }
    Ok(found)
}

/// The revocation lists of PEM or DER files; every file holds at least one that can be read.
pub(super) fn revocation_lists(
    files: &[PathBuf],
    seen: &mut Vec<FileDigest>,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let mut lists = Vec::new();
    for file in files {
        let found = revocation_lists_of(file, seen)?;
        for (index, list) in found.iter().enumerate() {
            check_revocation_list(file, index + 1, list)?;
        }
        lists.extend(found);
    }
    Ok(lists)
}

fn revocation_lists_of(
    file: &Path,
    seen: &mut Vec<FileDigest>,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    const KEY: &str = "revocation-lists";
    let bytes = read_public(KEY, file, seen)?;
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
