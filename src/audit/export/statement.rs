//! What an export says of itself.

use serde::{Deserialize, Serialize};

use crate::audit::LineHash;

/// `export.json`: which part of which trail this is, and what was in force meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Statement {
    /// When it was made (RFC 3339).
    pub made: String,
    /// The version of dimsegate that made it.
    pub version: String,
    /// The folder of the trail.
    pub trail: String,
    /// The begin of the period that was asked for (RFC 3339).
    pub from: String,
    /// Its end; records behind it are there up to the next checkpoint only.
    pub to: String,
    /// The first record that is there.
    pub first: Option<Told>,
    /// The last record that is there.
    pub last: Option<Told>,
    /// How many records are there.
    pub records: u64,
    /// SHA-256 of the last line.
    pub head: Option<LineHash>,
    /// The last record with a good signature of the key below.
    pub signed_up_to: Option<u64>,
    /// The key that signed `SHA256SUMS`, by its digest; absent: nobody did.
    pub key: Option<String>,
    /// What was wrong with the trail when it was exported; the lines are there as they stood.
    pub damage: Vec<String>,
    /// What could not be read, and is not there.
    pub not_read: Vec<NotRead>,
    /// The versions of dimsegate that ran in the period, oldest first.
    pub versions: Vec<Ran>,
    /// The configurations that were in force in it, as the trail tells, oldest first.
    pub configurations: Vec<InForce>,
    /// The configuration that is in the export.
    pub configuration: Option<Configuration>,
    /// The certificates and revocation lists that are in it.
    pub certificates: Vec<UsedCertificate>,
}

/// A record, by its number and its time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its number in the trail.
    pub sequence: u64,
    /// As it was written.
    pub time: String,
}

/// A file that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRead {
    /// Its path.
    pub file: String,
    /// Why not.
    pub reason: String,
}

/// A version that ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// When the process began.
    pub since: String,
    /// The version of dimsegate.
    pub version: String,
}

/// A configuration that was in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct InForce {
    /// Since when.
    pub since: String,
    /// The file.
    pub file: String,
    /// SHA-256 of the file.
    pub file_sha256: String,
    /// SHA-256 of the file and of the certificates and lists that it names.
    pub digest: String,
}

/// The configuration as it is in the export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Configuration {
    /// Where it was read.
    pub file: String,
    /// SHA-256 of the file as it was read, comments and all.
    pub file_sha256: String,
    /// Whether the trail names this file as in force in the period.
    pub was_in_force: bool,
    /// What it is called here; its comments are left out.
    pub member: String,
    /// Its keys whose values are not, or not wholly, shown.
    pub hidden: Vec<String>,
}

/// A certificate or a list as it is in the export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UsedCertificate {
    /// Where it was read.
    pub file: String,
    /// SHA-256 of the file as it was read.
    pub file_sha256: String,
    /// What it is called here: its public parts.
    pub member: String,
}
