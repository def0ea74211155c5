//! `certificates = ["dns:…", "sha256:…"]`: which certificates go with a peer.

use super::{Certificate, printable};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::notation::hex;

/// One certificate, or one name in certificates, that a peer is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CertificateBinding {
    /// A DNS alternative name, exact but for case. A wildcard name in a certificate is matched by nothing.
    Dns(String),
    /// A URI alternative name, exact.
    Uri(String),
    /// An IP address alternative name.
    Ip(IpAddr),
    /// An e-mail alternative name: exact, with the domain in any case.
    Email(String),
    /// The only common name of the subject, exact.
    CommonName(String),
    /// SHA-256 of the certificate in DER.
    Fingerprint([u8; 32]),
    /// SHA-256 of the subject public key info in DER.
    KeyFingerprint([u8; 32]),
}

impl CertificateBinding {
    /// Whether it is of the key, which may be in a certificate with any name.
    pub fn is_of_key(&self) -> bool {
        matches!(self, Self::KeyFingerprint(_))
    }

    /// Whether it says something only of who has the key, and needs nobody who vouches for names.
    pub fn needs_no_names(&self) -> bool {
        matches!(self, Self::Fingerprint(_) | Self::KeyFingerprint(_))
    }
}

/// Why a text is not a certificate binding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// No prefix, or one that is not known.
    #[error(
        "\"{0}\" is not a certificate binding; expected dns:, uri:, ip:, email:, cn:, sha256: or spki-sha256: and a value"
    )]
    Kind(String),
    /// Nothing after the colon, or a value too long or with characters that can never match.
    #[error("\"{0}\" has no value that a certificate could carry")]
    Value(String),
    /// `*` in a DNS name.
    #[error("\"{0}\": a binding names one host, wildcards are not matched; list each name")]
    Wildcard(String),
    /// Not an address after `ip:`.
    #[error("\"{0}\": expected an IPv4 or IPv6 address after ip:")]
    Address(String),
    /// Not 32 bytes of hexadecimal digits.
    #[error("\"{0}\": expected 64 hexadecimal digits, with or without colons")]
    Digest(String),
}

impl FromStr for CertificateBinding {
    type Err = BindingError;

    fn from_str(text: &str) -> Result<Self, BindingError> {
        let shown = || printable(text, 120);
        let (kind, value) = text.split_once(':').ok_or_else(|| BindingError::Kind(shown()))?;
        let ascii = || match value {
            "" => Err(BindingError::Value(shown())),
            _ if value.len() > 500 || !value.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') => {
                Err(BindingError::Value(shown()))
            }
            _ => Ok(value.to_owned()),
        };
        match kind {
            "dns" if value.contains('*') => Err(BindingError::Wildcard(shown())),
            "dns" => Ok(Self::Dns(ascii()?.to_ascii_lowercase())),
            "uri" => Ok(Self::Uri(ascii()?)),
            "email" => Ok(Self::Email(lower_domain(&ascii()?))),
            "ip" => value.parse().map(Self::Ip).map_err(|_| BindingError::Address(shown())),
            "cn" if value.is_empty() || value.len() > 250 => Err(BindingError::Value(shown())),
            "cn" => Ok(Self::CommonName(value.to_owned())),
            "sha256" => digest(value).map(Self::Fingerprint).ok_or_else(|| BindingError::Digest(shown())),
            "spki-sha256" => {
                digest(value).map(Self::KeyFingerprint).ok_or_else(|| BindingError::Digest(shown()))
            }
            _ => Err(BindingError::Kind(shown())),
        }
    }
}

impl CertificateBinding {
    /// The binding to a certificate itself; `None` where its fingerprint is none.
    pub fn to(certificate: &Certificate) -> Option<Self> {
        digest(&certificate.fingerprint).map(Self::Fingerprint)
    }

    /// Whether any CA could give out a certificate that this matches: it names no certificate and no key.
    pub fn is_a_name(&self) -> bool {
        !matches!(self, Self::Fingerprint(_) | Self::KeyFingerprint(_))
    }

    /// All bindings that match a certificate, each as [`canonical`](Self::canonical) has it.
    pub fn all_of(certificate: &Certificate) -> Vec<Self> {
        let named = |name: &String| {
            let (kind, value) = name.split_once(':')?;
            match kind {
                "dns" => Some(Self::Dns(value.to_ascii_lowercase())),
                "uri" => Some(Self::Uri(value.to_owned())),
                "email" => Some(Self::Email(lower_domain(value))),
                "ip" => value.parse().ok().map(Self::Ip),
                _ => None,
            }
        };
        let names = certificate.san.iter().filter_map(named);
        let common = certificate.common_name.clone().map(Self::CommonName);
        let whole = digest(&certificate.fingerprint).map(Self::Fingerprint);
        let key = digest(&certificate.key_fingerprint).map(Self::KeyFingerprint);
        names.chain(common).chain(whole).chain(key).collect()
    }

    /// The bindings to a certificate that need nobody who vouches for names: of itself, and of its key.
    pub fn without_names(certificate: &Certificate) -> impl Iterator<Item = Self> {
        let whole = digest(&certificate.fingerprint).map(Self::Fingerprint);
        let key = digest(&certificate.key_fingerprint).map(Self::KeyFingerprint);
        whole.into_iter().chain(key)
    }

    /// The one spelling of all that match the same certificates.
    pub fn canonical(&self) -> Self {
        match self {
            Self::Dns(name) => Self::Dns(name.to_ascii_lowercase()),
            Self::Email(name) => Self::Email(lower_domain(name)),
            Self::CommonName(name) => Self::CommonName(printable(name, usize::MAX)),
            other => other.clone(),
        }
    }

    /// Whether the certificate is, or carries, what this binding names.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        let san = |prefix: &str, same: &dyn Fn(&str) -> bool| {
            certificate.san.iter().any(|name| name.strip_prefix(prefix).is_some_and(same))
        };
        match self {
            Self::Dns(wanted) => san("dns:", &|name| name.eq_ignore_ascii_case(wanted)),
            Self::Uri(wanted) => san("uri:", &|name| name == wanted),
            Self::Email(wanted) => san("email:", &|name| lower_domain(name) == *wanted),
            Self::Ip(wanted) => san("ip:", &|name| name.parse() == Ok(*wanted)),
            Self::CommonName(wanted) => {
                certificate.common_name.as_deref() == Some(&printable(wanted, usize::MAX))
            }
            Self::Fingerprint(wanted) => digest(&certificate.fingerprint) == Some(*wanted),
            Self::KeyFingerprint(wanted) => digest(&certificate.key_fingerprint) == Some(*wanted),
        }
    }
}

impl fmt::Display for CertificateBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, bytes) = match self {
            Self::Dns(name) => return write!(f, "dns:{name}"),
            Self::Uri(name) => return write!(f, "uri:{name}"),
            Self::Email(name) => return write!(f, "email:{name}"),
            Self::Ip(address) => return write!(f, "ip:{address}"),
            Self::CommonName(name) => return write!(f, "cn:{}", printable(name, 500)),
            Self::Fingerprint(bytes) => ("sha256", bytes),
            Self::KeyFingerprint(bytes) => ("spki-sha256", bytes),
        };
        write!(f, "{kind}:{}", hex::encode(bytes))
    }
}

fn lower_domain(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_ascii_lowercase()),
        None => address.to_owned(),
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let digits = text.bytes().filter(|&byte| byte != b':').map(|byte| byte.to_ascii_lowercase());
    hex::decode(&digits.collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::{BindingError, CertificateBinding};
    use crate::identity::Certificate;

    fn certificate() -> Certificate {
        Certificate {
            subject: "CN=gw".into(),
            san: [
                "dns:GW.Lyon.example",
                "dns:*.paris.example",
                "ip:2001:db8::1",
                "uri:urn:a",
                "email:It@Lyon.Example",
            ]
            .map(String::from)
            .into(),
            fingerprint: "ab".repeat(32),
            key_fingerprint: "cd".repeat(32),
            serial: "01".into(),
            issuer: "CN=ca".into(),
            not_after: time::OffsetDateTime::UNIX_EPOCH,
            common_name: Some("H\\\\x".into()),
        }
    }

    /// By either way to find that out.
    fn matches(binding: &str) -> bool {
        let binding = binding.parse::<CertificateBinding>().unwrap();
        let matches = binding.matches(&certificate());
        let listed = CertificateBinding::all_of(&certificate()).contains(&binding.canonical());
        assert_eq!(matches, listed, "{binding}");
        matches
    }

    #[test]
    fn each_kind_matches_what_it_names() {
        let colons = vec!["AB"; 32].join(":");
        for yes in [
            "dns:gw.lyon.EXAMPLE",
            "ip:2001:DB8:0::1",
            "uri:urn:a",
            "email:It@lyon.example",
            "cn:H\\x",
            &format!("sha256:{colons}"),
            &format!("spki-sha256:{}", "cd".repeat(32)),
        ] {
            assert!(matches(yes), "{yes}");
        }
    }

    #[test]
    fn nothing_else_matches() {
        for no in [
            "dns:lyon.example",
            "dns:a.paris.example",
            "dns:gw.lyon.example.",
            "uri:URN:a",
            "email:it@lyon.example",
            "cn:gw",
            "cn:H\\\\x",
            "ip:10.0.0.1",
            &format!("sha256:{}", "cd".repeat(32)),
            &format!("spki-sha256:{}", "ab".repeat(32)),
        ] {
            assert!(!matches(no), "{no}");
        }
        let mut unreadable = certificate();
        unreadable.key_fingerprint.clear();
        let zeros: CertificateBinding = format!("spki-sha256:{}", "00".repeat(32)).parse().unwrap();
        assert!(!zeros.matches(&unreadable));
    }

    #[test]
    fn the_text_of_a_binding_reads_back() {
        for text in ["dns:gw.x", "uri:urn:a:b", "ip:10.0.0.5", "email:a@b.c", "cn:Lyon CT", "spki-sha256:"] {
            let text =
                if text.ends_with("256:") { format!("{text}{}", "0f".repeat(32)) } else { text.into() };
            assert_eq!(text.parse::<CertificateBinding>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        let error = |text: &str| text.parse::<CertificateBinding>().unwrap_err();
        assert!(matches!(error("gw.x"), BindingError::Kind(_)));
        assert!(matches!(error("DNS:gw.x"), BindingError::Kind(_)));
        assert!(matches!(error("dns:*.x"), BindingError::Wildcard(_)));
        assert!(matches!(error("dns:"), BindingError::Value(_)));
        assert!(matches!(error("dns:a b"), BindingError::Value(_)));
        assert!(matches!(error("ip:10.0.0"), BindingError::Address(_)));
        for bad in
            [String::new(), "ab".repeat(31), "ab".repeat(33), format!("{}a", "ab".repeat(31)), "g".repeat(64)]
        {
            assert!(matches!(error(&format!("sha256:{bad}")), BindingError::Digest(_)), "{bad}");
        }
    }
}
