//! What a line says, as far as readers ask for it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Text;
use crate::dimse::{self, Status};

/// A line that is no record; holds what the JSON reader says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotARecord(pub String);

/// One record. What an event has not is `None`; what a reader does not know is passed over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Record<'a> {
    #[serde(borrow)]
    pub time: Text<'a>,
    #[serde(borrow)]
    pub event: Text<'a>,
    pub sequence: u64,
    #[serde(borrow)]
    pub association: Option<Text<'a>>,
    #[serde(borrow)]
    pub listener: Option<Text<'a>>,
    #[serde(borrow)]
    pub peer: Option<Text<'a>>,
    #[serde(borrow)]
    pub address: Option<Text<'a>>,
    pub port: Option<u16>,
    #[serde(borrow)]
    pub tls: Option<Tls<'a>>,
    #[serde(borrow)]
    pub calling_ae_title: Option<Text<'a>>,
    #[serde(borrow)]
    pub called_ae_title: Option<Text<'a>>,
    #[serde(borrow)]
    pub upstream: Option<Upstream<'a>>,
    /// Of `connection-refused`: what the listener speaks.
    #[serde(borrow)]
    pub transport: Option<Text<'a>>,
    /// What was shown and refused.
    #[serde(borrow)]
    pub certificate: Option<Certificate<'a>>,
    /// Of an association: the rewrite that applies, or what it did.
    pub rewrite: Option<Value>,
    /// Of an operation: elements that were rewritten.
    pub rewritten: Option<u64>,
    #[serde(borrow)]
    pub direction: Option<Text<'a>>,
    #[serde(borrow)]
    pub operation: Option<Text<'a>>,
    #[serde(borrow)]
    pub operations: BTreeMap<Text<'a>, Counts>,
    #[serde(borrow)]
    pub sop_class: Option<Text<'a>>,
    #[serde(borrow)]
    pub sop_instance: Option<Text<'a>>,
    #[serde(borrow)]
    pub new_sop_instance: Option<Text<'a>>,
    #[serde(borrow)]
    pub study: Option<Text<'a>>,
    #[serde(borrow)]
    pub new_study: Option<Text<'a>>,
    #[serde(borrow)]
    pub patient: Option<Text<'a>>,
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
    pub bytes: Option<Bytes>,
    pub duration_ms: Option<u64>,
    #[serde(borrow)]
    pub ended: Option<Text<'a>>,
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub explanation: Option<Text<'a>>,
    #[serde(borrow)]
    pub configuration: Option<Text<'a>>,
    #[serde(borrow)]
    pub previous_configuration: Option<Text<'a>>,
    #[serde(borrow)]
    pub file: Option<Text<'a>>,
    #[serde(borrow)]
    pub version: Option<Text<'a>>,
    pub records: Option<u64>,
    /// How many refusals it stands for, where they were gathered.
    pub count: Option<u64>,
    /// Who read the records, with what.
    #[serde(borrow)]
    pub user: Option<Text<'a>>,
    #[serde(borrow)]
    pub host: Option<Text<'a>>,
    #[serde(borrow)]
    pub command: Option<Text<'a>>,
    #[serde(borrow)]
    pub arguments: Option<Text<'a>>,
}

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

/// How what a record tells of turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Success,
    Warning,
    Failure,
    /// By dimsegate's policy.
    Refused,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Success, Self::Warning, Self::Failure, Self::Refused];

    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failure => "failure",
            Self::Refused => "refused",
        }
    }
}

/// Operations that dimsegate failed without a rule against them.
const FAILED: [&str; 2] = ["rewrite-failed", "never-answered"];

impl<'a> Record<'a> {
    /// Reads a line. An event with fields of a shape that is not known here keeps its time, name and sequence.
    ///
    /// # Errors
    /// [`NotARecord`] for what is no JSON object with a time and an event.
    pub fn read(line: &'a [u8]) -> Result<Self, NotARecord> {
        let record = match serde_json::from_slice::<Self>(line) {
            Ok(record) => record,
            Err(error) => head(line).ok_or_else(|| NotARecord(error.to_string()))?,
        };
        if record.time.is_empty() || record.event.is_empty() {
            return Err(NotARecord("an object without time or event".into()));
        }
        Ok(record)
    }

    /// When, where `time` is one.
    pub fn at(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.time, &Rfc3339).ok().map(|at| at.to_offset(time::UtcOffset::UTC))
    }

    pub fn ip(&self) -> Option<IpAddr> {
        self.address.as_deref().and_then(|text| text.parse().ok())
    }

    /// How it turned out; `None` for events that cannot fail.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.event.as_str() {
            "operation" => Some(self.operation_outcome()),
            "association-closed" if self.ended.as_deref() == Some("released") => Some(Outcome::Success),
            "association-closed" if self.ended.as_deref() == Some("policy") => Some(Outcome::Refused),
            "association-closed" | "configuration-refused" => Some(Outcome::Failure),
            "association-opened" | "configuration-loaded" => Some(Outcome::Success),
            "association-rejected" | "connection-refused" => Some(Outcome::Refused),
            _ => None,
        }
    }

    fn operation_outcome(&self) -> Outcome {
        match self.reason.as_deref() {
            Some(reason) if FAILED.contains(&reason) => return Outcome::Failure,
            Some(_) => return Outcome::Refused,
            None => {}
        }
        let status = self.status.as_deref().and_then(|text| text.strip_prefix("0x"));
        match status
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .map(|code| Status(code).outcome())
        {
            Some(dimse::Outcome::Success | dimse::Outcome::Pending) => Outcome::Success,
            Some(dimse::Outcome::Warning) => Outcome::Warning,
            Some(dimse::Outcome::Failure) | None => Outcome::Failure,
        }
    }

    /// How many times what it tells of happened.
    pub fn times(&self) -> u64 {
        self.count.unwrap_or(1).max(1)
    }

    /// The part of a reason before its explanation: its label.
    pub fn label(&self) -> Option<&str> {
        self.reason.as_deref().map(|reason| reason.split_once(": ").map_or(reason, |(label, _)| label))
    }

    /// How it came: the version of TLS, or `plain`. `None` where TLS was not established, or nothing came.
    pub fn came_over(&self) -> Option<&str> {
        let plain = match &*self.event {
            "connection-refused" => self.transport.as_deref() == Some("plain"),
            event => event.starts_with("association-") && self.address.is_some(),
        };
        self.tls.as_ref().map(|tls| tls.version.as_str()).or(plain.then_some("plain"))
    }

    /// Subject, issuer and SHA-256 of the certificate that was shown, accepted or not.
    pub fn shown(&self) -> Option<(&str, Option<&str>, &str)> {
        let accepted = self.tls.as_ref().and_then(|tls| {
            Some((
                tls.subject.as_deref()?,
                tls.issuer.as_deref(),
                tls.fingerprint.as_deref().unwrap_or_default(),
            ))
        });
        let refused =
            || self.certificate.as_ref().map(|one| (&*one.subject, Some(&*one.issuer), &*one.fingerprint));
        accepted.or_else(refused)
    }

    /// Name of the rewrite of its association.
    pub fn rewrite_name(&self) -> Option<&str> {
        let rewrite = self.rewrite.as_ref()?;
        rewrite.as_str().or_else(|| rewrite.get("name").and_then(Value::as_str))
    }

    /// The same, free of the line.
    pub fn into_owned(self) -> Record<'static> {
        let own = |text: Option<Text<'a>>| text.map(Text::into_owned);
        Record {
            time: self.time.into_owned(),
            event: self.event.into_owned(),
            sequence: self.sequence,
            association: own(self.association),
            listener: own(self.listener),
            peer: own(self.peer),
            address: own(self.address),
            port: self.port,
            tls: self.tls.map(Tls::into_owned),
            calling_ae_title: own(self.calling_ae_title),
            called_ae_title: own(self.called_ae_title),
            upstream: self.upstream.map(|upstream| Upstream {
                name: upstream.name.into_owned(),
                address: upstream.address.into_owned(),
                tls: upstream.tls.map(Tls::into_owned),
            }),
            transport: own(self.transport),
            certificate: self.certificate.map(|certificate| Certificate {
                subject: certificate.subject.into_owned(),
                issuer: certificate.issuer.into_owned(),
                fingerprint: certificate.fingerprint.into_owned(),
                not_after: own(certificate.not_after),
            }),
            rewrite: self.rewrite,
            rewritten: self.rewritten,
            direction: own(self.direction),
            operation: own(self.operation),
            operations: self
                .operations
                .into_iter()
                .map(|(name, counts)| (name.into_owned(), counts))
                .collect(),
            sop_class: own(self.sop_class),
            sop_instance: own(self.sop_instance),
            new_sop_instance: own(self.new_sop_instance),
            study: own(self.study),
            new_study: own(self.new_study),
            patient: own(self.patient),
            status: own(self.status),
            bytes: self.bytes,
            duration_ms: self.duration_ms,
            ended: own(self.ended),
            reason: own(self.reason),
            explanation: own(self.explanation),
            configuration: own(self.configuration),
            previous_configuration: own(self.previous_configuration),
            file: own(self.file),
            version: own(self.version),
            records: self.records,
            count: self.count,
            user: own(self.user),
            host: own(self.host),
            command: own(self.command),
            arguments: own(self.arguments),
        }
    }
}

impl Tls<'_> {
    fn into_owned(self) -> Tls<'static> {
        Tls {
            version: self.version.into_owned(),
            cipher: self.cipher.into_owned(),
            group: self.group.map(Text::into_owned),
            subject: self.subject.map(Text::into_owned),
            san: self.san.into_iter().map(Text::into_owned).collect(),
            fingerprint: self.fingerprint.map(Text::into_owned),
            issuer: self.issuer.map(Text::into_owned),
            serial: self.serial.map(Text::into_owned),
            authority: self.authority.map(|authority| Authority { subject: authority.subject.into_owned() }),
            not_after: self.not_after.map(Text::into_owned),
        }
    }
}

fn head(line: &[u8]) -> Option<Record<'static>> {
    let Value::Object(fields) = serde_json::from_slice(line).ok()? else { return None };
    let text =
        |name: &str| fields.get(name).and_then(Value::as_str).map(|text| Text(Cow::Owned(text.to_owned())));
    Some(Record {
        time: text("time")?,
        event: text("event")?,
        sequence: fields.get("sequence").and_then(Value::as_u64).unwrap_or(0),
        association: text("association"),
        reason: text("reason"),
        explanation: text("explanation"),
        ..Record::default()
    })
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
