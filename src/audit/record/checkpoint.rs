//! The record that signs those before it.

use serde::{Deserialize, Serialize};

/// Everything before this line, as the chain holds it together, is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checkpoint {
    /// Records since the checkpoint before.
    pub records: u64,
    /// Whether it is the last one of a run that ended in good order.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
    /// [`KeyId`](crate::audit::signing::KeyId) of the key that signed.
    pub key: String,
    /// Ed25519 (RFC 8032) over the line up to here, in hexadecimal. Empty until it is made.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signature: String,
}
