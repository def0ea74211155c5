//! Certificates and revocation lists that end soon.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use time::{Date, Duration, OffsetDateTime};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::report::{Located, Report};
use crate::identity::Certificate;

const SOON: Duration = Duration::days(30);
/// Every file that TLS accepts is smaller.
const MAX_FILE: u64 = 16 << 20;

/// Warns about whatever in a PEM file (or a CRL in DER) ends within 30 days. Files that cannot be read are the
/// business of those who build TLS from them.
pub(super) fn risks(report: &Report<'_>, path: &Located<PathBuf>) {
    let mut bytes = Vec::new();
    let read = File::open(&path.value).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes));
    if read.is_err() {
        return;
    }
    let now = OffsetDateTime::now_utc();
    let shown = path.value.display();
    for (what, ends) in certificates(&bytes).chain(revocation_lists(&bytes)) {
        let Some(date) = ends.checked_sub(SOON).filter(|warn_from| *warn_from <= now).map(|_| ends.date())
        else {
            continue;
        };
        let verb = if ends <= now { "ended" } else { "ends" };
        report.risk(&path.place, format!("{what} in {shown} {verb} on {}", iso(date)), "renew it");
    }
}

fn certificates(bytes: &[u8]) -> impl Iterator<Item = (String, OffsetDateTime)> {
    let certificates = CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok);
    let read = certificates.filter_map(|der| Certificate::from_der(&der).ok());
    read.map(|certificate| (format!("certificate {}", certificate.subject), certificate.not_after))
}

fn revocation_lists(bytes: &[u8]) -> impl Iterator<Item = (String, OffsetDateTime)> {
    let pem = CertificateRevocationListDer::pem_slice_iter(bytes).filter_map(Result::ok);
    let raw = bytes
        .first()
        .filter(|byte| **byte == 0x30)
        .map(|_| CertificateRevocationListDer::from(bytes.to_vec()));
    raw.into_iter().chain(pem).filter_map(|der| {
        let (_, list) = CertificateRevocationList::from_der(&der).ok()?;
        Some(("revocation list".to_owned(), list.next_update()?.to_datetime()))
    })
}

fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}
