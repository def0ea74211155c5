//! Identifiers as the header of a data set has them.

use std::collections::HashSet;

use super::super::character_set::CharacterSet;
use crate::dataset::{Tag, trim};

/// Bytes of identifiers that are collected of one data set, with what says of which attribute and in which character set.
const ROOM: usize = 16 << 10;
/// Longest value that is one.
const LONGEST: usize = 4 << 10;
/// Values that are looked at of one data set, those that came before too.
const MOST: usize = 64 << 10;

/// Entries that are looked through one by one, as nearly every header has. It takes less than a table of them.
const FEW: usize = 16;

/// Values of [`SOURCES`](super::SOURCES), each once, in the order in which they came.
#[derive(Debug, Default)]
pub(in crate::rewrite) struct Collected {
    /// For each: tag, length and bytes of its character set's name, length and bytes of the value.
    entries: Vec<u8>,
    count: usize,
    /// Each of them by itself, where there are more than [`FEW`]: there may be very many values, of which each has to be known or
    /// not at once.
    known: HashSet<Box<[u8]>>,
    looked_at: usize,
    is_full: bool,
}

/// A value that was collected: the attribute that it stood in, and its character set.
pub(super) struct Entry<'a> {
    pub(super) tag: Tag,
    pub(super) set: &'a [u8],
    pub(super) value: &'a [u8],
}

impl Collected {
    /// Adds a value, unless it is there.
    pub(in crate::rewrite) fn add(&mut self, tag: Tag, set: &CharacterSet, value: &[u8]) {
        let (value, set) = (trim(value), set.name());
        if value.is_empty() || self.is_full {
            return;
        }
        self.looked_at = self.looked_at.saturating_add(1);
        if self.looked_at > MOST || value.len() > LONGEST || set.len() > LONGEST {
            self.is_full = true;
            return;
        }
        let begin = self.entries.len();
        append(tag, set, value, &mut self.entries);
        if self.is_known(begin) {
            self.entries.truncate(begin);
        } else if self.entries.len() > ROOM {
            self.entries.truncate(begin);
            self.is_full = true;
        } else {
            self.count = self.count.saturating_add(1);
        }
    }

    /// Whether the entry that begins here is the same as one before it.
    fn is_known(&mut self, begin: usize) -> bool {
        let (before, entry) = self.entries.split_at(begin);
        if self.count < FEW {
            return each(before).any(|one| one == entry);
        }
        if self.known.is_empty() {
            self.known.extend(each(before).map(Box::from));
        }
        !self.known.insert(entry.into())
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
        each(&self.entries).filter_map(|entry| Some(taken(entry)?.0))
    }
}

/// Neither part is longer than [`LONGEST`].
fn append(tag: Tag, set: &[u8], value: &[u8], entries: &mut Vec<u8>) {
    entries.extend(tag.0.to_le_bytes());
    entries.extend(tag.1.to_le_bytes());
    for part in [set, value] {
        entries.extend((part.len() as u16).to_le_bytes());
        entries.extend_from_slice(part);
    }
}

/// The bytes of each entry.
fn each(mut entries: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (_, behind) = taken(entries)?;
        let (entry, behind) = entries.split_at_checked(entries.len().saturating_sub(behind.len()))?;
        entries = behind;
        Some(entry)
    })
}

/// The first entry, and what stands behind it.
fn taken(entries: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let ([g0, g1, e0, e1], behind) = entries.split_first_chunk()?;
    let tag = Tag(u16::from_le_bytes([*g0, *g1]), u16::from_le_bytes([*e0, *e1]));
    let (set, behind) = part(behind)?;
    let (value, behind) = part(behind)?;
    Some((Entry { tag, set, value }, behind))
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, behind) = bytes.split_first_chunk()?;
    behind.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each repetition used to be compared with every entry.
    #[test]
    fn what_is_repeated_is_known_at_once_and_not_looked_at_without_end() {
        let (name, set) = (Tag(0x40, 0xA123), CharacterSet::DEFAULT);
        let mut collected = Collected::default();
        let names: Vec<String> = (0..1250).map(|number| format!("{number:03x}")).collect();
        names.iter().for_each(|one| collected.add(name, &set, one.as_bytes()));
        (names.len()..MOST).for_each(|_| collected.add(name, &set, b"001 "));
        assert!(!collected.is_full() && collected.entries().count() == names.len());
        assert_eq!((collected.count, collected.known.len()), (names.len(), names.len()));
        collected.add(name, &set, b"  ");
        assert!(!collected.is_full(), "what is empty does not count");
        collected.add(name, &set, b"001");
        assert!(collected.is_full());
    }
}
