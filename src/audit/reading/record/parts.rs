//! What stands inside a record: TLS, certificates, the upstream leg, amounts.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::super::Text;

/// What TLS proved.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Tls<'a> {
    #[serde(borrow)]
    pub version: Text<'a>,
    #[serde(borrow)]
    pub cipher: Text<'a>,
    #[serde(borrow)]
    pub group: Option<Text<'a>>,
    #[serde(borrow)]
    pub subject: Option<Text<'a>>,
    #[serde(borrow)]
    pub san: Vec<Text<'a>>,
    #[serde(borrow)]
    pub fingerprint: Option<Text<'a>>,
    /// As the certificate names it.
    #[serde(borrow)]
    pub issuer: Option<Text<'a>>,
    #[serde(borrow)]
    pub serial: Option<Text<'a>>,
    /// When the certificate ends (RFC 3339), where that is recorded.
    #[serde(borrow)]
    pub not_after: Option<Text<'a>>,
    /// Who vouches for it.
    #[serde(borrow)]
    pub authority: Option<Authority<'a>>,
}

/// A CA certificate that the configuration trusts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Authority<'a> {
    #[serde(borrow)]
    pub subject: Text<'a>,
}

/// A certificate that was shown and refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Certificate<'a> {
    #[serde(borrow)]
    pub subject: Text<'a>,
    #[serde(borrow)]
    pub issuer: Text<'a>,
    #[serde(borrow)]
    pub fingerprint: Text<'a>,
    #[serde(borrow)]
    pub not_after: Option<Text<'a>>,
}

/// The upstream leg.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Upstream<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub address: Text<'a>,
    /// What it showed.
    #[serde(borrow)]
    pub tls: Option<Tls<'a>>,
}

/// Where a message could not be rewritten, and why.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Fault<'a> {
    /// Its path by tags.
    #[serde(borrow)]
    pub element: Option<Text<'a>>,
    /// Bytes of the data set before it.
    pub offset: Option<u64>,
    #[serde(borrow)]
    pub problem: Text<'a>,
    #[serde(borrow)]
    pub expected: Option<Text<'a>>,
}

/// How the operations of one kind ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub success: u64,
    pub warning: u64,
    pub failure: u64,
    pub refused: u64,
}

/// Of an association, both ways; of an operation, all under `in`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    pub r#in: u64,
    pub out: u64,
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amounts;

        impl<'de> Visitor<'de> for Amounts {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or one for each direction")
            }

            fn visit_u64<E: Error>(self, bytes: u64) -> Result<Bytes, E> {
                Ok(Bytes { r#in: bytes, out: 0 })
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Bytes, M::Error> {
                let mut bytes = Bytes::default();
                while let Some(direction) = map.next_key::<Text<'de>>()? {
                    match direction.as_str() {
                        "in" => bytes.r#in = map.next_value()?,
                        "out" => bytes.out = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(bytes)
            }
        }

        deserializer.deserialize_any(Amounts)
    }
}
