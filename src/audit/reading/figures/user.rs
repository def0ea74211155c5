//! What a user did by associations.

use super::{Bucket, Shared};

/// Associations whose requestor named a user (PS3.7 D.3.3.7).
#[derive(Debug, Default)]
pub struct OfUser {
    /// Of which opened ones prove that it was this user: by a passcode or a token, and not by the name alone.
    pub proven: u64,
    /// Opened ones.
    pub opened: u64,
    /// Refused ones, whatever for; somebody else may have named this user.
    pub refused: u64,
    /// The records of both.
    pub bucket: Bucket,
}

impl OfUser {
    pub(super) fn opened(&mut self, record: &Shared) {
        self.opened = self.opened.saturating_add(1);
        self.proven += u64::from(record.proven_user().is_some());
        self.bucket.add(record);
    }

    pub(super) fn refused(&mut self, record: &Shared) {
        self.refused = self.refused.saturating_add(record.times());
        self.bucket.add(record);
    }
}
