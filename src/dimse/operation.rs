//! The eleven DIMSE services that have a request and a response (PS3.7 §9 and §10).

use std::fmt;

/// A DIMSE operation or notification (PS3.7 §9 and §10), whichever side asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Asks whether the other side is there, and answers (PS3.7 §9.1.5).
    CEcho,
    /// Gives the other side an instance to store (PS3.7 §9.1.1).
    CStore,
    /// Asks which patients, studies and so on match (PS3.7 §9.1.2).
    CFind,
    /// Has instances sent to a third node, over another association (PS3.7 §9.1.4).
    CMove,
    /// Has instances sent by C-STOREs over the same association (PS3.7 §9.1.3).
    CGet,
    /// Makes an instance that is managed, such as a procedure step (PS3.7 §10.1.5).
    NCreate,
    /// Changes attributes of such an instance (PS3.7 §10.1.3).
    NSet,
    /// Reads attributes of such an instance (PS3.7 §10.1.2).
    NGet,
    /// Asks for something to be done, such as a storage commitment (PS3.7 §10.1.4).
    NAction,
    /// Tells of something that happened; the SCP sends it (PS3.7 §10.1.1).
    NEventReport,
    /// Makes such an instance go (PS3.7 §10.1.6).
    NDelete,
}

/// The bit that makes the command field of a request the one of its response.
pub(super) const RESPONSE: u16 = 0x8000;

/// A name that is none of the operations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is none of the operations C-ECHO C-STORE C-FIND C-MOVE C-GET N-CREATE N-SET N-GET N-ACTION N-EVENT-REPORT N-DELETE"
)]
pub struct UnknownOperation(String);

impl Operation {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::CEcho,
        Self::CStore,
        Self::CFind,
        Self::CMove,
        Self::CGet,
        Self::NCreate,
        Self::NSet,
        Self::NGet,
        Self::NAction,
        Self::NEventReport,
        Self::NDelete,
    ];

    /// Whether a response to it may have a data set: those of others never do (PS3.7 Tables 9.3-2, 9.3-13 and 10.3-12).
    pub const fn may_answer_with_data_set(self) -> bool {
        !matches!(self, Self::CStore | Self::CEcho | Self::NDelete)
    }

    /// The command field of its request (PS3.7 Table E.1-1).
    pub const fn request_field(self) -> u16 {
        match self {
            Self::CStore => 0x0001,
            Self::CGet => 0x0010,
            Self::CFind => 0x0020,
            Self::CMove => 0x0021,
            Self::CEcho => 0x0030,
            Self::NEventReport => 0x0100,
            Self::NGet => 0x0110,
            Self::NSet => 0x0120,
            Self::NAction => 0x0130,
            Self::NCreate => 0x0140,
            Self::NDelete => 0x0150,
        }
    }

    /// The operation whose request has this command field.
    pub fn of_request_field(field: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.request_field() == field)
    }

    /// The name that the standard, the configuration and the records use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CEcho => "C-ECHO",
            Self::CStore => "C-STORE",
            Self::CFind => "C-FIND",
            Self::CMove => "C-MOVE",
            Self::CGet => "C-GET",
            Self::NCreate => "N-CREATE",
            Self::NSet => "N-SET",
            Self::NGet => "N-GET",
            Self::NAction => "N-ACTION",
            Self::NEventReport => "N-EVENT-REPORT",
            Self::NDelete => "N-DELETE",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        let found = Self::ALL.into_iter().find(|operation| operation.name() == text);
        found.ok_or_else(|| UnknownOperation(text.to_owned()))
    }
}
