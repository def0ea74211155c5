//! `[audit]`, compiled.

use super::hold::Hold;
use super::record::patient::PatientIdentifiers;
use super::reviewers::Reviewers;
use super::signing::SigningKey;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The section `[audit]`, compiled: where records go, what they say of patients, and how long they stay.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// Whose trail it is: in each of its records; `None`: in none.
    pub tenant: Option<Arc<str>>,
    /// Where the files of the trail are.
    pub directory: PathBuf,
    /// What becomes of associations while records cannot be written.
    pub on_failure: OnFailure,
    /// How Patient IDs are recorded.
    pub patient_identifiers: PatientIdentifiers,
    /// When a record counts as kept.
    pub durability: Durability,
    /// Absent: records are chained, and not signed.
    pub checkpoints: Option<Checkpoints>,
    /// What becomes of the files of earlier days.
    pub keeping: Keeping,
}

impl AuditSettings {
    /// What a configuration without `[audit]` means, in a directory of its own.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            tenant: None,
            directory: directory.into(),
            on_failure: OnFailure::Block,
            patient_identifiers: PatientIdentifiers::None,
            durability: Durability::EverySecond,
            checkpoints: None,
            keeping: Keeping::default(),
        }
    }
}

/// What happens while records cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// No new associations, and nothing is lost: those who record wait for room.
    Block,
    /// Associations go on; records that find no room are counted and lost.
    Allow,
}

/// When the disk is asked to keep what was written (fdatasync(2)). What is gathered ([`Gathering`](super::Gathering)) is not
/// written before it is told, and a refusal waits for nothing: both are lost with the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// After each write, which takes all records that came since the one before. With [`OnFailure::Block`] whoever
    /// records goes on only when the disk has kept the record.
    EveryRecord,
    /// Within about a second. Nobody waits.
    EverySecond,
}

/// With which key checkpoints are signed, and after how many records or how much time.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    /// The key, which is read once, at start.
    pub key: Arc<SigningKey>,
    /// At the latest after so many records.
    pub records: u64,
    /// At the latest after so long, where there is anything to sign.
    pub interval: Duration,
}

/// What becomes of the files of earlier days.
#[derive(Clone, Debug, Default)]
pub struct Keeping {
    /// Whether they are compressed, with Zstandard (RFC 8878).
    pub compress: bool,
    /// Absent: closed files are not encrypted.
    pub reviewers: Option<Reviewers>,
    /// Absent: files are kept for ever.
    pub retention_days: Option<u32>,
    /// For whom the rest of a day is kept before it is closed or deleted.
    pub hold: Hold,
}
