//! One line of the audit trail, read back.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What messages are made of. Fields that other versions add, and those that no message carries, are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Record {
    pub time: String,
    pub event: String,
    pub sequence: u64,
    pub association: Option<String>,
    pub peer: Option<String>,
    pub listener: Option<String>,
    pub address: Option<String>,
    pub tls: Option<Tls>,
    pub calling_ae_title: Option<String>,
    pub called_ae_title: Option<String>,
    pub upstream: Option<Upstream>,
    /// A name, or what a later version makes of it.
    pub user: serde_json::Value,
    /// `proven` or `claimed`, of the user that a requestor names.
    pub user_identity: Option<String>,
    pub operation: Option<String>,
    pub direction: Option<String>,
    pub sop_class: Option<String>,
    pub sop_instance: Option<String>,
    pub new_sop_instance: Option<String>,
    pub study: Option<String>,
    pub new_study: Option<String>,
    pub patient: Option<String>,
    pub query: Option<Query>,
    pub move_destination: Option<String>,
    pub status: Option<String>,
    pub duration_ms: u64,
    /// How an association ended, or whether a run did in good order.
    pub ended: serde_json::Value,
    pub reason: Option<String>,
    pub explanation: Option<String>,
    /// How many refusals it stands for, where they were gathered.
    pub count: Option<u64>,
    pub process_id: Option<u32>,
    pub version: Option<String>,
    pub file: Option<String>,
    pub configuration: Option<String>,
    /// Of `trail-continued`: what the head says, and the last record that was found. Of a file: its last hash and record.
    pub head: Option<String>,
    pub last: serde_json::Value,
    pub first: Option<u64>,
    /// Of `trail-continued`: up to where a checkpoint signs, and how many records stand behind that.
    pub signed_up_to: Option<u64>,
    pub unsigned: u64,
    /// Of a file that was closed.
    pub sha256: Option<String>,
    /// Of `administration`.
    pub action: Option<String>,
    pub resource: Option<String>,
    pub role: Option<String>,
    pub outcome: Option<String>,
    pub fingerprint: Option<String>,
    /// Of `audit-log-used`.
    pub host: Option<String>,
    pub command: Option<String>,
    pub arguments: Option<String>,
}

/// `query` of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Query {
    pub transfer_syntax: String,
    pub keys: Vec<String>,
    pub more_keys: bool,
    /// Its length, where the record has only its beginning.
    pub cut_from: Option<u64>,
    /// Base64, where records may name patients.
    pub identifier: Option<String>,
}

/// `tls` of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Tls {
    pub subject: Option<String>,
    pub san: Vec<String>,
    pub fingerprint: Option<String>,
}

/// `upstream` of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Upstream {
    pub name: String,
    pub address: String,
    pub called_ae_title: String,
    pub calling_ae_title: String,
}

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    #[error("is not a record: {0}")]
    Json(#[from] serde_json::Error),
    #[error("has no time that RFC 3339 knows")]
    Time,
}

impl Record {
    /// # Errors
    /// [`BadRecord`] for what is not JSON, or has no time.
    pub fn read(line: &[u8]) -> Result<Self, BadRecord> {
        let record: Self = serde_json::from_slice(line)?;
        OffsetDateTime::parse(&record.time, &Rfc3339).map_err(|_| BadRecord::Time)?;
        Ok(record)
    }

    pub fn time(&self) -> OffsetDateTime {
        OffsetDateTime::parse(&self.time, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// For people: the reason and its explanation.
    pub(super) fn why(&self) -> Option<String> {
        let known = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let why = match (known(&self.reason), known(&self.explanation)) {
            (Some(reason), Some(explanation)) => Some(format!("{reason}: {explanation}")),
            (reason, explanation) => reason.or(explanation),
        };
        why.map(|why| self.counted(&why))
    }

    /// With the number of refusals that it stands for, where they were gathered.
    pub(super) fn counted(&self, text: &str) -> String {
        self.count.map_or_else(|| text.to_owned(), |count| format!("{count} times: {text}"))
    }

    /// How many times what it tells of happened.
    pub(super) fn times(&self) -> u64 {
        self.count.unwrap_or(1).max(1)
    }

    /// How an association ended, by its label.
    pub(super) fn ended(&self) -> Option<&str> {
        self.ended.as_str()
    }

    /// The user of an association, where one is proven.
    pub(super) fn proven_user(&self) -> Option<&str> {
        self.user().filter(|_| self.user_identity.as_deref() == Some("proven"))
    }

    /// The user that identified himself, where the record names one.
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_str()
    }
}
