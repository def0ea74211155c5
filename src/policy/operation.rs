//! The DIMSE operations that a role permits (PS3.7 §9.1 and §10.1).

use std::fmt;

/// A DIMSE service. C-CANCEL is not one: it belongs to the request that it cancels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    CEcho,
    CStore,
    CFind,
    CMove,
    CGet,
    NCreate,
    NSet,
    NGet,
    NAction,
    NEventReport,
    NDelete,
}

/// Which leg a request came in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the association requestor towards the upstream.
    FromPeer,
    /// From the upstream towards the requestor: C-GET sub-operations, event reports.
    ToPeer,
}

/// A text that names no DIMSE operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a DIMSE operation")]
pub struct UnknownOperation;

impl Operation {
    /// Every operation, in the order of the standard.
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

    /// The standard's name, such as `C-STORE`.
    pub fn name(self) -> &'static str {
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
        Self::ALL.into_iter().find(|operation| operation.name() == text).ok_or(UnknownOperation)
    }
}

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn every_name_reads_back() {
        for operation in Operation::ALL {
            assert_eq!(operation.to_string().parse(), Ok(operation));
        }
        assert!("C-CANCEL".parse::<Operation>().is_err());
    }
}
