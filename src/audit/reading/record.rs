//! What a line says, as far as readers ask for it.

mod kinds;
mod outcome;
mod owned;
mod parts;

pub use outcome::Outcome;
pub use parts::{Authority, Bytes, Certificate, Counts, Fault, Tls, Upstream};

use kinds::Ended;
use outcome::TRAIL_CONTINUED;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Text;

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
    ended: Option<Ended<'a>>,
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
    /// Of an operation: why its message could not be rewritten.
    #[serde(borrow)]
    pub fault: Option<Fault<'a>>,
    /// Of an operation: labels of what the standard does not allow, and that was read all the same.
    #[serde(borrow)]
    pub tolerated: Vec<Text<'a>>,
    /// Of a configuration that was refused: its errors, and the first of them.
    pub errors: Option<u64>,
    #[serde(borrow)]
    pub problems: Vec<Text<'a>>,
    /// Of `stopped`: associations that were broken off.
    pub aborted: Option<u64>,
    /// Numbers of the first and the last record of a file, or of the last one that a run found.
    pub first: Option<u64>,
    #[serde(deserialize_with = "kinds::number")]
    pub last: Option<u64>,
    /// Of `trail-continued`: what the head says (a label), and how many records nobody had signed.
    #[serde(borrow)]
    pub head: Option<Text<'a>>,
    pub unsigned: Option<u64>,
    /// Of `clock-stepped`: how far the clock was set, back where negative, and whether records follow it.
    pub seconds: Option<i64>,
    pub followed: Option<bool>,
    /// Of `administration`: what was done, to what, as what, and how it turned out.
    #[serde(borrow)]
    pub action: Option<Text<'a>>,
    #[serde(borrow)]
    pub resource: Option<Text<'a>>,
    #[serde(borrow)]
    pub role: Option<Text<'a>>,
    #[serde(borrow, rename = "outcome")]
    pub turned_out: Option<Text<'a>>,
    /// Who read the records, with what; of an association, the user that it names.
    #[serde(borrow)]
    pub user: Option<Text<'a>>,
    #[serde(borrow)]
    pub host: Option<Text<'a>>,
    #[serde(borrow)]
    pub command: Option<Text<'a>>,
    #[serde(borrow)]
    pub arguments: Option<Text<'a>>,
}

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

    /// How many times what it tells of happened.
    pub fn times(&self) -> u64 {
        self.count.unwrap_or(1).max(1)
    }

    /// How an association ended, by its label.
    pub fn ended(&self) -> Option<&str> {
        match &self.ended {
            Some(Ended::How(how)) => Some(how),
            _ => None,
        }
    }

    /// The part of a reason before its explanation: its label. Of a run that began, what the head said.
    pub fn label(&self) -> Option<&str> {
        if &*self.event == TRAIL_CONTINUED {
            return self.head.as_deref();
        }
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
