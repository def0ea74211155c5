//! Records of what was done through the administration interface.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

/// Somebody did something through the administration interface, or read there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Administration {
    /// Name of who logged in, of the account, of who the certificate is of, or of whom the token proves; `unknown` where nothing says
    /// who it is.
    pub user: String,
    /// Of the process at the other end of the socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<u32>,
    /// Process id of the same, where the socket tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_id: Option<u32>,
    /// SHA-256 of the certificate that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Absent: over the Unix socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The port there; absent over the Unix socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `viewer`, `operator`, `administrator`; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Cow<'static, str>>,
    /// `read`, or what was to be done, such as `reload`.
    pub action: Cow<'static, str>,
    /// What it was about, such as `/api/v1/associations`.
    pub resource: String,
    /// Whether it was done.
    pub outcome: AdministrationOutcome,
    /// Of a login or a token that proved nobody, why: `user-identity-wrong`, `user-locked-out`, as of an association that is rejected
    /// for it; `user-not-allowed` of a user without a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'static, str>>,
    /// Why it was not done, or what was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// How many the record stands for, where they were gathered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl AdministrationOutcome {
    /// As records have it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Refused => "refused",
        }
    }
}

/// Whether an order or question of an administrator was carried out, and if not, whose fault that was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdministrationOutcome {
    /// It was done, or read.
    #[default]
    Success,
    /// It was allowed, and could not be done.
    Failure,
    /// Whoever asked may not.
    Refused,
}
