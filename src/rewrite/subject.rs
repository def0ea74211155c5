//! What a data set is to its message.

use std::sync::Arc;

use crate::dataset::Tag;
use crate::wire::Uid;

/// Which attributes are left out of a data set, at every depth.
pub type LeftOut = Arc<dyn Fn(Tag) -> bool + Send + Sync>;

/// What a data set is to its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The composite instance of a C-STORE.
    Object(Expected),
    /// The identifier of a C-FIND, C-MOVE or C-GET: what to look for.
    Keys,
    /// An answer to a query, or what an N-service says. Nothing is added to it, and what depends on a patient is emptied
    /// where it does not say on whom.
    Attributes,
}

/// What the command of a C-STORE says of its data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// (0000,0002); (0008,0016) has to be the same where it is present.
    pub sop_class_uid: Uid,
    /// (0000,1000); (0008,0018) has to be present and the same.
    pub sop_instance_uid: Uid,
}
