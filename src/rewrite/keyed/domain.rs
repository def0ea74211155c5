//! What MACs are made for, each apart from the others.

/// What a MAC is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) enum Domain {
    /// A UID of the patients' side.
    Uid,
    /// A UID of the pseudonyms' side.
    OwnUid,
    /// A UID that names no instance.
    OtherUid,
    Pseudonym,
    Patient,
    Days,
}

impl Domain {
    /// What stands before a value, so that a MAC for one use says nothing of another.
    pub(super) fn prefix(self) -> &'static [u8] {
        match self {
            Self::Uid => b"uid\0",
            Self::OwnUid => b"own-uid\0",
            Self::OtherUid => b"other-uid\0",
            Self::Pseudonym => b"pseudonym\0",
            Self::Patient => b"patient\0",
            Self::Days => b"days\0",
        }
    }
}
