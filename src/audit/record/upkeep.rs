//! Records about the files of the trail: that one was closed or deleted, and that somebody read them.

use crate::audit::line_hash::LineHash;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The file of an earlier day was compressed or encrypted; the lines in it are what they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileClosed {
    /// Its new name.
    pub file: String,
    /// The records in it, and the hash that the next file goes on from.
    #[serde(flatten)]
    pub lines: Span,
    /// SHA-256 of the file.
    #[serde(default)]
    pub sha256: String,
}

/// The file of an earlier day is deleted because `retention-days` are over. The record is on the disk before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecordsDeleted {
    /// Its name.
    pub file: String,
    /// Absent where the file could not be read.
    #[serde(flatten)]
    pub lines: Option<Span>,
    /// Why, in words; `retention-days` is the only reason there is.
    #[serde(default)]
    pub reason: Cow<'static, str>,
}

/// Somebody read the records with a command of dimsegate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AuditLogUsed {
    /// Name of the account, or its number where it has no name here.
    pub user: String,
    /// The account's number.
    pub user_id: u32,
    /// The machine on which the reader ran, as it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Of the reader, as it said.
    pub process_id: u32,
    /// The audit directory.
    pub file: String,
    /// `search`, `show`, `report`, `verify`.
    pub command: String,
    /// Its arguments, without what must not be recorded.
    pub arguments: String,
}

/// The lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Sequence number of the first record.
    pub first: u64,
    /// Sequence number of the last.
    pub last: u64,
    /// Of the last line: `previous` of the line after it.
    pub head: LineHash,
}
