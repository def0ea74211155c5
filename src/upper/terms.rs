//! What dimsegate offers at its end of an association, and how long it waits for what.

use std::time::Duration;

use crate::wire::associate::UserInformation;
use crate::wire::{Malformed, Uid};

/// Of dimsegate, where it speaks for itself (PS3.7 D.3.3.2).
pub const IMPLEMENTATION_CLASS_UID: &str = "2.25.306219733018373408243868563437294853425";

/// Of dimsegate, where it speaks for itself: at most 16 characters (PS3.7 D.3.3.2.3).
pub const IMPLEMENTATION_VERSION_NAME: &str = "DIMSEGATE";

/// How long each wait may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// For both PDUs of the A-ASSOCIATE exchange together.
    pub associate: Duration,
    /// For the first byte of a message.
    pub answer: Duration,
    /// For some bytes of a message that has begun, in either direction, and for as many as `min_bytes_per_second` asks for
    /// in each stretch of this length.
    pub progress: Duration,
    /// For the answer to an A-RELEASE-RQ, and then for the peer to close.
    pub release: Duration,
}

/// What one end of an association is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long this end waits for what.
    pub deadlines: Deadlines,
    /// The longest P-DATA-TF that the peer may send, in bytes of its body; not 0.
    pub max_pdu_length: u32,
    /// The longest A-ASSOCIATE PDU that is read, in bytes of its body.
    pub max_associate_length: usize,
    /// The longest command set that is read, in bytes.
    pub max_command_length: usize,
    /// Bytes a second that a message under way has to move, over each `progress`; at least one byte has to.
    pub min_bytes_per_second: u32,
}

impl Default for Terms {
    /// The defaults of `[limits]`, but for an answer: one minute.
    fn default() -> Self {
        let deadlines = Deadlines {
            associate: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            progress: Duration::from_secs(60),
            release: Duration::from_secs(5),
        };
        Self {
            deadlines,
            max_pdu_length: 131_072,
            max_associate_length: 1 << 20,
            max_command_length: 65_536,
            min_bytes_per_second: 100,
        }
    }
}

/// `user` with what dimsegate says of itself.
///
/// # Errors
/// None: the constant is a UID.
pub(super) fn said_of_itself(
    mut user: UserInformation,
    max_pdu_length: u32,
) -> Result<UserInformation, Malformed> {
    let class = Uid::from_bytes(IMPLEMENTATION_CLASS_UID.as_bytes());
    user.maximum_length = Some(max_pdu_length);
    user.implementation_class_uid = Some(class.map_err(|error| Malformed::invalid(error.to_string()))?);
    user.implementation_version_name.get_or_insert_with(|| IMPLEMENTATION_VERSION_NAME.into());
    Ok(user)
}
