//! Records of the process: that it began and ends, and which configuration is in force.

use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::net::SocketAddr;

/// The record of the start: the process accepts associations from now on, with this version and configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Started {
    /// Version of dimsegate.
    pub version: String,
    /// Process id of the system.
    pub process_id: u32,
    /// Digest of the configuration in force.
    pub configuration: String,
    /// Those that take connections, with the addresses that they are bound to.
    pub listeners: Vec<StartedListener>,
    /// Whether the last line of an earlier run was torn by a crash; it stands closed off in its file. The sink sets it.
    pub recovered: bool,
}

/// A listener in the record of the start: its name, and the address that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StartedListener {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is bound; the port is the system's where the configuration leaves it to that.
    pub address: SocketAddr,
}

/// A configuration is in force, at start or after a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ConfigurationLoaded {
    /// Path of the configuration.
    pub file: String,
    /// Digest of all that is in force: the file, and the certificates and lists that it names.
    pub configuration: String,
    /// Digest of the configuration that it takes the place of.
    #[serde(rename = "previous-configuration", skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// SHA-256 of the file alone.
    pub file_sha256: String,
    /// The certificates and revocation lists that it names; the first 200 are written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<UsedFile>,
    /// After a reload: the files of all of these that are not what they were, or new, or gone; the first 200 are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
    /// What was changed since the start and counts from the next start on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits_for_restart: Vec<Cow<'static, str>>,
    /// How many risks `check` names in it.
    pub warnings: usize,
    /// Who had it read again.
    #[serde(flatten)]
    pub by: Option<ReloadedBy>,
    /// What is not as it was before, by the names of keys and of what they belong to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed_keys: Vec<String>,
}

/// Who sent SIGHUP, or asked for it through the administration interface; the proxy itself, where it saw that files have
/// changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ReloadedBy {
    /// Name of the account, where it has one here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Absent: it did not come from a process of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<u32>,
    /// The process that sent the signal or asked; absent as `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_id: Option<u32>,
    /// Absent: by a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<Cow<'static, str>>,
    /// The files that the proxy saw to have changed; the first 200 are written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watched_files: Vec<String>,
}

/// A file, by what was in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UsedFile {
    /// Its path, as the configuration has it.
    pub file: String,
    /// SHA-256 of what was read, in hexadecimal.
    pub sha256: String,
}

/// A reload failed; what was in force stays in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ConfigurationRefused {
    /// Path of the configuration.
    pub file: String,
    /// Digest of the configuration that stays in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// How many problems there are, those that are not written included.
    pub errors: usize,
    /// One `file:line:column: key: …` each; the first 20 are written.
    #[serde(serialize_with = "first_twenty")]
    pub problems: Vec<String>,
    /// Who had it read again.
    #[serde(flatten)]
    pub by: Option<ReloadedBy>,
}

/// The process ends in good order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Stopped {
    /// Such as `SIGTERM`; why it could not start, where it did not.
    pub reason: Cow<'static, str>,
    /// Associations that were aborted because the grace period ended.
    pub aborted: u64,
    /// Connections of load balancers and monitors that only looked whether the proxy is there; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_checks: Option<u64>,
    /// How long the process ran.
    pub duration_ms: u64,
}

fn first_twenty<S: Serializer>(problems: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(problems.iter().take(20))
}
