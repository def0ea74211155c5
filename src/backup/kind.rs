//! What there is to back up.

use serde::{Deserialize, Serialize};

/// What a member is. A later version may have more; a backup with one that is not known here is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The file that says everything else.
    Configuration,
    /// A certificate or a revocation list that it names.
    Certificate,
    /// A key, a secret or anything else that it names.
    Key,
    /// People of `[users] file`.
    Users,
    /// Of the state directory: blocks, tokens that were used, keys that were fetched, patients that were seen.
    State,
    /// A database of what pseudonyms stand for.
    Crosswalk,
    /// The last record of a trail that was signed and on the disk.
    TrailHead,
    /// How far a trail was sent to a repository.
    Cursor,
}

impl Kind {
    /// Whether it means something beside the trail that it was taken from only.
    pub fn is_of_the_trail(self) -> bool {
        matches!(self, Self::TrailHead | Self::Cursor)
    }
}
