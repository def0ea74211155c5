//! A CA in a directory: `ca.pem`, `ca.key`, `ca.crl.pem`, and `NAME.pem` with `NAME.key` for what it issued.

use super::{Authority, AuthorityError, Issued, Request, Revoked};
use crate::identity::printable;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};
use x509_parser::pem::Pem;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};
use zeroize::Zeroizing;

/// How long a revocation list counts.
const LIST_LIFE: Duration = Duration::days(30);

/// A CA that lives in files.
pub struct Directory {
    path: PathBuf,
    authority: Authority,
}

impl Directory {
    /// Makes the directory where it is missing, a CA in it, and its first, empty revocation list.
    ///
    /// # Errors
    /// [`AuthorityError::Exists`] where there is a CA already; else what writing gave.
    pub fn create(path: &Path, common_name: &str) -> Result<Self, AuthorityError> {
        fs::create_dir_all(path).map_err(|source| io_error("make", path, source))?;
        let authority = Authority::new(common_name)?;
        let directory = Self { path: path.to_owned(), authority };
        directory.refuse_existing(&["ca.pem", "ca.key", "ca.crl.pem"])?;
        write_new(&directory.file("ca.key"), directory.authority.private_key_pem().as_bytes(), 0o600)?;
        write_new(&directory.file("ca.pem"), directory.authority.certificate_pem().as_bytes(), 0o644)?;
        directory.write_list(&[], 1)?;
        Ok(directory)
    }

    /// The CA of a directory.
    ///
    /// # Errors
    /// [`AuthorityError::NoAuthority`] where there is none.
    pub fn open(path: &Path) -> Result<Self, AuthorityError> {
        let read = |name: &str| {
            let file = path.join(name);
            fs::read_to_string(&file).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => AuthorityError::NoAuthority { file, directory: path.to_owned() },
                _ => io_error("read", &file, source),
            })
        };
        let certificate = read("ca.pem")?;
        let key = Zeroizing::new(read("ca.key")?);
        let authority = Authority::from_pem(&certificate, &key).map_err(|error| AuthorityError::BadFile {
            file: path.join("ca.pem"),
            detail: format!("with ca.key it makes no CA ({error})"),
        })?;
        Ok(Self { path: path.to_owned(), authority })
    }

    /// The CA of this folder, which signs without its list or files being touched.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The path of a file in this directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Issues a certificate into `NAME.pem` and its key into `NAME.key`, which only its owner can read.
    ///
    /// # Errors
    /// [`AuthorityError::BadName`] and [`AuthorityError::Exists`], before anything is written.
    pub fn issue(&self, name: &str, request: &Request) -> Result<Issued, AuthorityError> {
        check_name(name)?;
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        self.refuse_existing(&[&certificate, &key])?;
        let issued = self.authority.issue(request)?;
        write_new(&self.file(&key), issued.private_key_pem.as_bytes(), 0o600)?;
        write_new(&self.file(&certificate), issued.certificate_pem.as_bytes(), 0o644)?;
        Ok(issued)
    }

    /// Puts the serial number of `NAME.pem` on the revocation list and signs the list anew.
    /// Gives false where it was on it already; the list is renewed all the same.
    ///
    /// # Errors
    /// [`AuthorityError::Foreign`] for a certificate of another CA.
    pub fn revoke(&self, name: &str) -> Result<bool, AuthorityError> {
        check_name(name)?;
        let serial = self.serial_of(&self.file(&format!("{name}.pem")))?;
        let (mut revoked, number) = self.read_list()?;
        let new = revoked.iter().all(|entry| entry.serial != serial);
        if new {
            revoked.push(Revoked { serial, at: OffsetDateTime::now_utc() });
        }
        self.write_list(&revoked, number)?;
        Ok(new)
    }

    /// Signs the revocation list anew, for another 30 days. Gives how many certificates are on it.
    ///
    /// # Errors
    /// [`AuthorityError::BadFile`] for a list that cannot be read.
    pub fn renew_list(&self) -> Result<usize, AuthorityError> {
        let (revoked, number) = self.read_list()?;
        self.write_list(&revoked, number)?;
        Ok(revoked.len())
    }

    fn refuse_existing(&self, names: &[&str]) -> Result<(), AuthorityError> {
        match names.iter().map(|name| self.file(name)).find(|file| file.symlink_metadata().is_ok()) {
            Some(file) => Err(AuthorityError::Exists { file }),
            None => Ok(()),
        }
    }

    fn serial_of(&self, file: &Path) -> Result<Vec<u8>, AuthorityError> {
        let bad = |detail: String| AuthorityError::BadFile { file: file.to_owned(), detail };
        let pem = fs::read(file).map_err(|source| io_error("read", file, source))?;
        let certificate = CertificateDer::from_pem_slice(&pem).map_err(|error| bad(error.to_string()))?;
        let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|error| bad(error.to_string()))?;
        let own = CertificateDer::from_pem_slice(self.authority.certificate_pem().as_bytes())
            .map_err(|error| bad(error.to_string()))?;
        let (_, own) = X509Certificate::from_der(&own).map_err(|error| bad(error.to_string()))?;
        if parsed.issuer().as_raw() != own.subject().as_raw() {
            return Err(AuthorityError::Foreign { file: file.to_owned(), directory: self.path.clone() });
        }
        Ok(parsed.raw_serial().to_vec())
    }

    /// What is on the list, and the number of the next one. A list that is missing is an empty one: renewing makes it.
    fn read_list(&self) -> Result<(Vec<Revoked>, u64), AuthorityError> {
        let file = self.file("ca.crl.pem");
        let bad = |detail: String| AuthorityError::BadFile { file: file.clone(), detail };
        let pem = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 1)),
            read => read.map_err(|source| io_error("read", &file, source))?,
        };
        let section = Pem::iter_from_buffer(&pem).next();
        let section = section.and_then(Result::ok).ok_or_else(|| bad("it is not PEM".to_owned()))?;
        let (_, list) =
            CertificateRevocationList::from_der(&section.contents).map_err(|error| bad(error.to_string()))?;
        let entries = list.iter_revoked_certificates();
        let revoked = entries.map(|entry| Revoked {
            serial: entry.raw_serial().to_vec(),
            at: entry.revocation_date.to_datetime(),
        });
        let number = list.crl_number().and_then(|number| number.try_into().ok()).unwrap_or(0_u64);
        Ok((revoked.collect(), number.saturating_add(1)))
    }

    fn write_list(&self, revoked: &[Revoked], number: u64) -> Result<(), AuthorityError> {
        let now = OffsetDateTime::now_utc();
        let pem = self.authority.revocation_list(revoked, number, now, now.saturating_add(LIST_LIFE))?;
        replace(&self.path, "ca.crl.pem", pem.as_bytes())
    }
}

fn check_name(name: &str) -> Result<(), AuthorityError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    match begins && name.len() <= 64 && name.bytes().all(legal) && name != "ca" {
        true => Ok(()),
        false => Err(AuthorityError::BadName(printable(name, 80))),
    }
}

fn write_new(file: &Path, bytes: &[u8], mode: u32) -> Result<(), AuthorityError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(bytes).and_then(|()| opened.sync_all()));
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => AuthorityError::Exists { file: file.to_owned() },
        _ => io_error("write", file, source),
    })
}

/// A reader sees the old file or the new one, never a half.
fn replace(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), AuthorityError> {
    let file = directory.join(name);
    let written = tempfile::NamedTempFile::new_in(directory).and_then(|mut new| {
        new.write_all(bytes)?;
        new.as_file().set_permissions(Permissions::from_mode(0o644))?;
        new.as_file().sync_all()?;
        new.persist(&file).map_err(|error| error.error)
    });
    written.map(drop).map_err(|source| io_error("write", &file, source))
}

fn io_error(doing: &'static str, file: &Path, source: io::Error) -> AuthorityError {
    AuthorityError::Io { doing, file: file.to_owned(), source }
}
