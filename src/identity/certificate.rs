//! What an X.509 certificate says, as bounded and escaped text (RFC 5280).

use super::printable;
use aws_lc_rs::digest::{SHA256, digest};
use std::net::IpAddr;
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

use crate::notation::hex;

/// Longest text kept of one name, in bytes after escaping.
const NAME_LIMIT: usize = 512;
/// Most alternative names, and most attributes of a distinguished name, that are kept; what follows is not matched.
const NAMES_LIMIT: usize = 64;

/// The facts of one certificate. Everything that its owner chose is escaped and bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Such as `C=FR, O=Lyon, CN=gw.lyon.example`, in the order of the certificate.
    pub subject: String,
    /// `dns:…`, `ip:…`, `uri:…`, `email:…`; names of other kinds are left out.
    pub san: Vec<String>,
    /// SHA-256 of the DER, 64 hexadecimal digits.
    pub fingerprint: String,
    /// SHA-256 of the DER of the subject public key info, 64 hexadecimal digits. Survives a renewal with the same key.
    pub key_fingerprint: String,
    /// Hexadecimal digits without separators.
    pub serial: String,
    /// The distinguished name of whoever signed it (RFC 4514).
    pub issuer: String,
    /// The last moment at which it is valid (RFC 5280 §4.1.2.5).
    pub not_after: OffsetDateTime,
    /// The common name of the subject, where it has exactly one.
    pub common_name: Option<String>,
}

/// Why bytes are not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not DER, or not the structure of RFC 5280 §4.1.
    #[error("not an X.509 certificate in DER: {0}")]
    Malformed(String),
    /// Bytes follow the certificate.
    #[error("{0} bytes follow the certificate")]
    Trailing(usize),
}

impl Certificate {
    /// The facts of a certificate in DER. Checks neither signature nor dates.
    ///
    /// # Errors
    /// [`CertificateError`] for anything that is not exactly one certificate with readable extensions.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let malformed =
            |error: &dyn std::fmt::Display| CertificateError::Malformed(printable(&error.to_string(), 200));
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| malformed(&error))?;
        if !rest.is_empty() {
            return Err(CertificateError::Trailing(rest.len()));
        }
        let alternative = parsed.subject_alternative_name().map_err(|error| malformed(&error))?;
        let names = alternative.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
        Ok(Self {
            subject: distinguished_name(parsed.subject()),
            san: names.iter().filter_map(alternative_name).take(NAMES_LIMIT).collect(),
            fingerprint: hex::encode(digest(&SHA256, der).as_ref()),
            key_fingerprint: hex::encode(digest(&SHA256, parsed.public_key().raw).as_ref()),
            serial: bounded_hex(parsed.raw_serial()),
            issuer: distinguished_name(parsed.issuer()),
            not_after: parsed.validity().not_after.to_datetime(),
            common_name: common_name(parsed.subject()),
        })
    }

    /// The facts of a certificate, or of one that this reader cannot read although the TLS library could: then only the
    /// fingerprint is known, and only a binding to that fingerprint matches.
    pub fn from_der_or_fingerprint(der: &[u8]) -> Self {
        Self::from_der(der).unwrap_or_else(|error| Self {
            subject: format!("(unreadable: {error})"),
            san: Vec::new(),
            fingerprint: hex::encode(digest(&SHA256, der).as_ref()),
            key_fingerprint: String::new(),
            serial: String::new(),
            issuer: String::new(),
            not_after: OffsetDateTime::UNIX_EPOCH,
            common_name: None,
        })
    }
}

/// A distinguished name as `C=FR, O=…`, escaped, bounded in the number and the length of its attributes.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let registry = x509_parser::objects::oid_registry();
    let attributes = name.iter_attributes().take(NAMES_LIMIT).map(|attribute| {
        let oid = attribute.attr_type();
        let kind = match x509_parser::objects::oid2abbrev(oid, registry) {
            Ok(short) => short.to_owned(),
            Err(_) => printable(&oid.to_id_string(), 64),
        };
        match attribute.as_str() {
            Ok(text) => format!("{kind}={}", printable(text, NAME_LIMIT).replace(',', "\\,")),
            Err(_) => format!("{kind}=#{}", bounded_hex(attribute.as_slice())),
        }
    });
    let joined = attributes.collect::<Vec<_>>().join(", ");
    match joined.char_indices().map(|(at, _)| at).find(|&at| at >= NAME_LIMIT) {
        Some(end) => format!("{}…", joined.get(..end).unwrap_or_default()),
        None => joined,
    }
}

/// Two common names would let a certificate answer to either, so only a single one counts.
fn common_name(subject: &X509Name<'_>) -> Option<String> {
    let mut names = subject.iter_common_name();
    let only = names.next().filter(|_| names.next().is_none())?;
    only.as_str().ok().map(|text| printable(text, NAME_LIMIT))
}

fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
    let escaped = |text: &str| printable(text, NAME_LIMIT);
    match name {
        GeneralName::DNSName(text) => Some(format!("dns:{}", escaped(text))),
        GeneralName::URI(text) => Some(format!("uri:{}", escaped(text))),
        GeneralName::RFC822Name(text) => Some(format!("email:{}", escaped(text))),
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| format!("ip:{ip}")),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn bounded_hex(bytes: &[u8]) -> String {
    hex::encode(bytes.get(..64).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::{Certificate, CertificateError};
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    fn der(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["gw.lyon.example".into(), "10.0.0.5".into()]).unwrap();
        params.distinguished_name.remove(DnType::CommonName);
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn facts_are_those_that_were_signed() {
        let bytes = der(|params| {
            params.subject_alt_names.push(SanType::URI("urn:site:lyon".try_into().unwrap()));
            params.subject_alt_names.push(SanType::Rfc822Name("it@lyon.example".try_into().unwrap()));
            params.distinguished_name.push(DnType::OrganizationName, "Hôpital");
            params.distinguished_name.push(DnType::CommonName, "gw");
            params.serial_number = Some(vec![0x12, 0xab].into());
            params.not_after = time::macros::datetime!(2031-02-03 04:05:06 UTC);
        });
        let read = Certificate::from_der(&bytes).unwrap();
        assert_eq!(read.subject, "O=Hôpital, CN=gw");
        assert_eq!(read.issuer, read.subject);
        assert_eq!(read.common_name.as_deref(), Some("gw"));
        assert_eq!(
            read.san,
            ["dns:gw.lyon.example", "ip:10.0.0.5", "uri:urn:site:lyon", "email:it@lyon.example"]
        );
        assert_eq!(read.serial, "12ab");
        assert_eq!(read.not_after, time::macros::datetime!(2031-02-03 04:05:06 UTC));
        assert_eq!(read.fingerprint.len(), 64);
        assert_ne!(read.fingerprint, read.key_fingerprint);
    }

    #[test]
    fn a_name_cannot_forge_a_line_or_grow_without_bound() {
        let bytes =
            der(|params| params.distinguished_name.push(DnType::CommonName, "gw\r\n{\"event\":1}\u{202e}"));
        assert_eq!(Certificate::from_der(&bytes).unwrap().subject, "CN=gw\\u{d}\\u{a}{\"event\":1}\\u{202e}");
        let comma = der(|params| params.distinguished_name.push(DnType::CommonName, "a, O=b"));
        assert_eq!(Certificate::from_der(&comma).unwrap().subject, "CN=a\\, O=b");

        let long = der(|params| {
            params.distinguished_name.push(DnType::CommonName, "x".repeat(5000));
            let names = (0..500).map(|n| SanType::DnsName(format!("{n}.example").try_into().unwrap()));
            params.subject_alt_names = names.collect();
        });
        let read = Certificate::from_der(&long).unwrap();
        assert_eq!(read.san.len(), 64);
        assert!(read.subject.len() < 520 && read.subject.ends_with('…'), "{}", read.subject);
    }

    #[test]
    fn what_is_not_one_certificate_is_refused_but_still_has_a_fingerprint() {
        let mut bytes = der(|_| ());
        bytes.push(0);
        assert_eq!(Certificate::from_der(&bytes), Err(CertificateError::Trailing(1)));
        assert!(matches!(Certificate::from_der(b"\x30\x80"), Err(CertificateError::Malformed(_))));
        let fallback = Certificate::from_der_or_fingerprint(b"abc");
        assert_eq!(fallback.fingerprint, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(
            fallback.san.is_empty() && fallback.key_fingerprint.is_empty() && fallback.common_name.is_none()
        );
    }

    proptest! {
        #[test]
        fn mangled_certificates_never_panic(cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), keep in any::<prop::sample::Index>()) {
            let mut bytes = der(|params| params.distinguished_name.push(DnType::CommonName, "gw"));
            for (at, value) in cuts {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            let read = Certificate::from_der_or_fingerprint(&bytes);
            prop_assert!(read.subject.len() < 1024 && !read.subject.chars().any(super::super::deceptive));
            let cut = keep.index(bytes.len());
            prop_assert!(Certificate::from_der(&bytes[..cut]).is_err());
        }
    }
}
