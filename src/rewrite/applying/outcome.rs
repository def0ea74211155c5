//! What applying an action comes to.

use super::super::error::RewriteProblem;

/// What is done with an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) enum Plan {
    Keep,
    Remove,
    Empty,
    /// [`edit`](super::edit) decides, by the old value where that says something.
    Edit {
        reads: bool,
    },
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) enum Edit {
    Same,
    /// The new value, not padded, is in the buffer.
    New,
    /// The element is to be removed.
    Gone,
}

/// Why an action cannot be done.
#[derive(Clone, Copy, Debug)]
pub(in crate::rewrite) enum Cannot {
    /// It does not suit the VR.
    Unsuited,
    /// A fact is missing.
    Lacks(RewriteProblem),
}
