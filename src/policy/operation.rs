//! The DIMSE operations that a role permits (PS3.7 §9.1 and §10.1), and the way that they go.

pub use crate::dimse::{Operation, UnknownOperation};

/// Which leg a request came in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the association requestor towards the upstream.
    FromPeer,
    /// From the upstream towards the requestor: C-GET sub-operations, event reports.
    ToPeer,
}
