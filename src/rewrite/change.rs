//! What a transform changed, one by one, for those who ask.

use crate::dataset::{PathStep, Tag, Vr};

/// No more changes than this are kept of one data set.
const MOST: usize = 10_000;
const SHOWN: usize = 64;

/// A change that a rule made to one element, for those who ask what would become of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The sequences around it, from the outside.
    pub path: Vec<PathStep>,
    /// The element that was changed, added or removed.
    pub tag: Tag,
    /// As it came, from the dictionary in implicit VR; of an element that was added, as it goes on.
    pub vr: Vr,
    /// The rule that decided, counted from 0.
    pub rule: usize,
    /// As it came; `Absent` where it was added.
    pub before: Content,
    /// As it goes on; `Absent` where it was removed.
    pub after: Content,
}

/// What an element held. These are patients' data: for a terminal, never for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The element is not there.
    Absent,
    /// The first 64 bytes, without padding, and whether that was all.
    Value {
        /// Bytes as they are encoded, in whatever character set.
        start: Vec<u8>,
        /// Whether there are no more bytes than these.
        whole: bool,
    },
    /// A value that was not looked at: its length, `None` where undefined.
    Bulk {
        /// In bytes.
        length: Option<u32>,
    },
    /// Items, whose elements are changes of their own where they changed.
    Sequence,
}

impl Content {
    pub(super) fn value(value: &[u8]) -> Self {
        let value = crate::dataset::trim(value);
        let start = value.get(..SHOWN).unwrap_or(value);
        Self::Value { start: start.to_vec(), whole: start.len() == value.len() }
    }
}

/// Collects changes, and counts those it has no room for.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) changes: Vec<Change>,
    pub(super) more: u64,
}

impl Recorder {
    pub(super) fn record(&mut self, change: impl FnOnce() -> Change) {
        if self.changes.len() < MOST {
            self.changes.push(change())
        } else {
            self.more = self.more.saturating_add(1)
        }
    }
}
