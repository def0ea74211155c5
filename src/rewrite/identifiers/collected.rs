//! Identifiers as the header of a data set has them.

use super::super::character_set::CharacterSet;
use crate::dataset::{Tag, trim};

/// Bytes of identifiers that are collected of one data set, with what says of which attribute and in which character set.
const ROOM: usize = 16 << 10;
/// Longest value that is one.
const LONGEST: usize = 4 << 10;

/// Values of [`SOURCES`](super::SOURCES), each once, in the order in which they came.
#[derive(Debug, Default)]
pub(in crate::rewrite) struct Collected {
    /// For each: tag, length and bytes of its character set's name, length and bytes of the value.
    entries: Vec<u8>,
    is_full: bool,
}

/// One of them.
pub(super) struct Entry<'a> {
    pub(super) tag: Tag,
    pub(super) set: &'a [u8],
    pub(super) value: &'a [u8],
}

impl Collected {
    /// Adds a value, unless it is there.
    pub(in crate::rewrite) fn add(&mut self, tag: Tag, set: &CharacterSet, value: &[u8]) {
        let (value, set) = (trim(value), set.name());
        let is_known = |entry: Entry<'_>| (entry.tag, entry.set, entry.value) == (tag, set, value);
        if value.is_empty() || self.is_full || self.entries().any(is_known) {
            return;
        }
        let needs = value.len().saturating_add(set.len()).saturating_add(8);
        if value.len() > LONGEST || set.len() > LONGEST || self.entries.len().saturating_add(needs) > ROOM {
            self.is_full = true;
            return;
        }
        let [g0, g1] = tag.0.to_le_bytes();
        let [e0, e1] = tag.1.to_le_bytes();
        self.entries.extend([g0, g1, e0, e1]);
        for part in [set, value] {
            // Neither is longer than `LONGEST`.
            self.entries.extend((part.len() as u16).to_le_bytes());
            self.entries.extend_from_slice(part);
        }
    }

    /// Whether there was more than there is room for.
    pub(in crate::rewrite) fn is_full(&self) -> bool {
        self.is_full
    }

    /// All of it as bytes, which are the same where all of it is.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.entries
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut rest = self.entries.as_slice();
        std::iter::from_fn(move || {
            let ([g0, g1, e0, e1], behind) = rest.split_first_chunk()?;
            let tag = Tag(u16::from_le_bytes([*g0, *g1]), u16::from_le_bytes([*e0, *e1]));
            let (set, behind) = part(behind)?;
            let (value, behind) = part(behind)?;
            rest = behind;
            Some(Entry { tag, set, value })
        })
    }
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, behind) = bytes.split_first_chunk()?;
    behind.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}
