//! Status codes and what they say about an operation (PS3.7 Annex C).

use std::fmt;

/// Status (0000,0900) of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

/// The class of a status (PS3.7 §C.1 to §C.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// More responses follow.
    Pending,
    /// Done, as it was asked for.
    Success,
    /// Done, with something to say; a cancelled operation counts here.
    Warning,
    /// Not done, or not understood; every status that the others do not have counts here.
    Failure,
}

impl Status {
    /// Done; of a C-FIND, C-MOVE or C-GET, also that no more responses come.
    pub const SUCCESS: Self = Self(0x0000);
    /// Warning of a repository query: matching reached the response limit.
    pub const LIMIT_REACHED: Self = Self(0xB001);
    /// Refused: Not Authorized.
    pub const NOT_AUTHORIZED: Self = Self(0x0124);
    /// Unrecognized Operation.
    pub const UNRECOGNIZED_OPERATION: Self = Self(0x0211);
    /// Mistyped Argument.
    pub const MISTYPED_ARGUMENT: Self = Self(0x0212);
    /// Duplicate Invocation.
    pub const DUPLICATE_INVOCATION: Self = Self(0x0210);
    /// Processing Failure.
    pub const PROCESSING_FAILURE: Self = Self(0x0110);
    /// Failure of a C-STORE (PS3.4 B.2.3): it cannot be understood.
    pub const CANNOT_UNDERSTAND: Self = Self(0xC000);
    /// Refused: Out of Resources, of a C-STORE (PS3.4 B.2.3).
    pub const OUT_OF_RESOURCES: Self = Self(0xA700);
    /// No Such SOP Instance.
    pub const NO_SUCH_INSTANCE: Self = Self(0x0112);
    /// Invalid Object Instance: the UID violates the construction rules.
    pub const INVALID_INSTANCE: Self = Self(0x0117);

    /// The class that this status belongs to.
    pub fn outcome(self) -> Outcome {
        match self.0 {
            0x0000 => Outcome::Success,
            0xFF00 | 0xFF01 => Outcome::Pending,
            0x0001 | 0x0107 | 0x0116 | 0xFE00 | 0xB000..=0xBFFF => Outcome::Warning,
            _ => Outcome::Failure,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04X}", self.0)
    }
}
