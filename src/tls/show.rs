//! `certs show`: certificates, revocation lists and keys of a file, for people.

use super::facts::{self, Facts};
use super::unfit::Unfit;
use super::{TlsError, material};
use crate::identity::printable;
use crate::notation::hex;
use std::fmt::Write;
use std::path::Path;
use time::{Duration, OffsetDateTime};
use x509_parser::pem::Pem;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

/// What a PEM or DER file holds, as text of several lines. Never shows a key.
///
/// # Errors
/// [`TlsError`] for a file that cannot be read, or holds nothing that is known.
pub fn describe(file: &Path, now: OffsetDateTime) -> Result<String, TlsError> {
    let bytes = material::read("file", file)?;
    let bad =
        |detail: &str| TlsError::BadPem { key: "file", file: file.to_owned(), detail: detail.to_owned() };
    let mut parts = Vec::new();
    if bytes.first() == Some(&0x30) {
        parts.push(der(&bytes, now).ok_or_else(|| bad("nor is it a certificate or revocation list in DER"))?);
    }
    for section in Pem::iter_from_buffer(&bytes) {
        match section {
            Ok(section) => parts.push(pem(section, now)),
            // Keys in the legacy encryption have headers, which are no base64.
            Err(_) if contains(&bytes, b"Proc-Type: 4,ENCRYPTED") => {
                parts.push(
                    "private key, encrypted in the legacy way of OpenSSL (cannot be used)\n".to_owned(),
                );
                break;
            }
            Err(error) => return Err(bad(&printable(&error.to_string(), 100))),
        }
    }
    match parts.is_empty() {
        true => Err(bad("it has no BEGIN line")),
        false => Ok(parts.join("\n")),
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn der(bytes: &[u8], now: OffsetDateTime) -> Option<String> {
    let certificate = Facts::of(bytes).ok().map(|facts| certificate(&facts, now));
    certificate.or_else(|| revocation_list(bytes, now))
}

fn pem(section: Pem, now: OffsetDateTime) -> String {
    // Wiped, in case it is a key.
    let contents = zeroize::Zeroizing::new(section.contents);
    match section.label.as_str() {
        "CERTIFICATE" => match Facts::of(&contents) {
            Ok(facts) => certificate(&facts, now),
            Err(error) => format!("certificate that cannot be read: {error}\n"),
        },
        "X509 CRL" => revocation_list(&contents, now)
            .unwrap_or_else(|| "revocation list that cannot be read\n".to_owned()),
        "ENCRYPTED PRIVATE KEY" => "private key, encrypted\n".to_owned(),
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => "private key, not encrypted\n".to_owned(),
        other => format!("{}, not shown\n", printable(other, 60)),
    }
}

fn certificate(facts: &Facts, now: OffsetDateTime) -> String {
    let Facts { certificate, .. } = facts;
    let kind = if facts.ca { "CA certificate" } else { "certificate" };
    let mut text = format!("{kind}\n");
    line(&mut text, "subject", &certificate.subject);
    let issuer = if facts.self_issued { "itself" } else { certificate.issuer.as_str() };
    line(&mut text, "issuer", issuer);
    for name in &certificate.san {
        line(&mut text, "name", name);
    }
    let left = certificate.not_after - now;
    let left = if left.is_negative() { "over".to_owned() } else { format!("{} left", facts::days(left)) };
    let validity =
        format!("{} to {} ({left})", facts::day(facts.not_before), facts::day(certificate.not_after));
    line(&mut text, "valid", &validity);
    line(&mut text, "key", &facts.key);
    line(&mut text, "signature", &facts.signature);
    line(&mut text, "usage", usage(facts));
    line(&mut text, "serial", &certificate.serial);
    line(&mut text, "binding", &format!("sha256:{}", certificate.fingerprint));
    line(
        &mut text,
        "binding",
        &format!("spki-sha256:{} (the key; survives renewal)", certificate.key_fingerprint),
    );
    for concern in facts.concerns(now) {
        line(&mut text, "WARNING", &format!("it {concern}"));
    }
    if let Some(why) = Unfit::beyond_concerns(facts).filter(|_| !facts.ca || facts.proves) {
        line(&mut text, "WARNING", &format!("whoever shows it is refused: it {why}"));
    }
    text
}

fn usage(facts: &Facts) -> &'static str {
    match (facts.ca, facts.server, facts.client) {
        (true, ..) => "signs certificates",
        (_, true, true) => "server and client",
        (_, true, false) => "server",
        (_, false, true) => "client",
        _ => "neither TLS server nor TLS client",
    }
}

fn revocation_list(der: &[u8], now: OffsetDateTime) -> Option<String> {
    let (_, list) = CertificateRevocationList::from_der(der).ok()?;
    let mut text = "revocation list\n".to_owned();
    line(&mut text, "issuer", &printable(&list.issuer().to_string(), 500));
    let next = list.next_update().map(|next| next.to_datetime());
    let until = next.map_or("no end".to_owned(), facts::day);
    line(&mut text, "valid", &format!("{} to {until}", facts::day(list.last_update().to_datetime())));
    if let Some(number) = list.crl_number() {
        line(&mut text, "number", &printable(&number.to_string(), 60));
    }
    let mut revoked = 0_usize;
    for one in list.iter_revoked_certificates() {
        revoked += 1;
        if revoked <= 100 {
            let serial = one.raw_serial();
            let serial = hex::encode(serial.get(..32).unwrap_or(serial));
            line(
                &mut text,
                "revoked",
                &format!("{serial} on {}", facts::day(one.revocation_date.to_datetime())),
            );
        }
    }
    match revoked {
        0 => line(&mut text, "revoked", "none"),
        101.. => line(&mut text, "revoked", &format!("… {revoked} in all")),
        _ => (),
    }
    if let Some(ending) = next.and_then(|next| facts::ending(next, now, Duration::days(7))) {
        line(
            &mut text,
            "WARNING",
            &format!("it {ending}; past its end every certificate of that CA is refused"),
        );
    }
    Some(text)
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {name:<10} {value}");
}
