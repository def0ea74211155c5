//! `--san`: the alternative names of a certificate.

use crate::identity::printable;
use rcgen::SanType;
use rustls::pki_types::DnsName;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// One subject alternative name (RFC 5280 §4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectName {
    /// A host, in lower case, without a wildcard or a dot at its end.
    Dns(String),
    /// An address of either family.
    Ip(IpAddr),
    /// Printable ASCII, at most 255 bytes, with a colon in it.
    Uri(String),
    /// An rfc822Name: printable ASCII, at most 255 bytes, with an @ in it.
    Email(String),
}

/// Why a text is not a name for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no name for a certificate; expected dns:HOST, ip:ADDRESS, uri:URI or email:ADDRESS, or just a host or an address, without wildcards"
)]
pub struct SubjectNameError(String);

impl FromStr for SubjectName {
    type Err = SubjectNameError;

    fn from_str(text: &str) -> Result<Self, SubjectNameError> {
        let bad = || SubjectNameError(printable(text, 120));
        let visible = |value: &str| value.len() <= 255 && value.bytes().all(|byte| byte.is_ascii_graphic());
        let dns = |value: &str| match DnsName::try_from(value) {
            Ok(_) if !value.ends_with('.') => Ok(Self::Dns(value.to_ascii_lowercase())),
            _ => Err(bad()),
        };
        let known = text.split_once(':').filter(|(kind, _)| ["dns", "ip", "uri", "email"].contains(kind));
        match known {
            Some(("dns", value)) => dns(value),
            Some(("ip", value)) => value.parse().map(Self::Ip).map_err(|_| bad()),
            Some(("uri", value)) if visible(value) && value.contains(':') => Ok(Self::Uri(value.to_owned())),
            Some(("email", value)) if visible(value) && value.contains('@') => {
                Ok(Self::Email(value.to_owned()))
            }
            Some(_) => Err(bad()),
            None => text.parse().map(Self::Ip).or_else(|_| dns(text)),
        }
    }
}

impl SubjectName {
    pub(super) fn to_san(&self) -> Result<SanType, rcgen::Error> {
        Ok(match self {
            Self::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
            Self::Ip(address) => SanType::IpAddress(*address),
            Self::Uri(uri) => SanType::URI(uri.as_str().try_into()?),
            Self::Email(address) => SanType::Rfc822Name(address.as_str().try_into()?),
        })
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Ip(address) => write!(f, "ip:{address}"),
            Self::Uri(uri) => write!(f, "uri:{uri}"),
            Self::Email(address) => write!(f, "email:{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SubjectName;

    #[test]
    fn names_with_and_without_their_kind() {
        for (text, shown) in [
            ("GW.Lyon.example", "dns:gw.lyon.example"),
            ("dns:localhost", "dns:localhost"),
            ("127.0.0.1", "ip:127.0.0.1"),
            ("::1", "ip:::1"),
            ("ip:2001:db8::5", "ip:2001:db8::5"),
            ("uri:urn:site:lyon", "uri:urn:site:lyon"),
            ("email:it@lyon.example", "email:it@lyon.example"),
        ] {
            assert_eq!(text.parse::<SubjectName>().unwrap().to_string(), shown);
        }
        for bad in
            ["", "*.lyon.example", "dns:a b", "ip:localhost", "uri:", "email:it", "a\n", "dns:a.", "ip:"]
        {
            assert!(bad.parse::<SubjectName>().is_err(), "{bad:?}");
        }
    }
}
