//! Patients of a list as hashes with a key, sorted.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::said::{Found, Said, Who};

/// Of an identifier and an issuer: two hashes of 64 bits, in parts that need no padding.
type Hash = [u32; 4];

/// A line of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: Hash,
    purpose: u16,
    /// Whether consent is withdrawn, and not granted.
    is_withdrawn: bool,
    line: u32,
    /// The last day on which it counts, as a Julian day number.
    until: i32,
}

/// Of hashes, by their first 16 bits.
const BUCKETS: usize = 1 << 16;
/// All purposes.
const ANY: u16 = 0;
/// Purposes that one list may name.
const MOST_PURPOSES: usize = 1000;
/// Of an entry that counts for ever.
pub(super) const FOR_EVER: i32 = i32::MAX;

/// Lines of a list, by the hash of whom they are of.
#[derive(Debug)]
pub(super) struct Table {
    /// Made for this table, and kept nowhere else.
    keys: [RandomState; 2],
    entries: Vec<Entry>,
    /// Where the entries begin whose hash begins with each 16 bits: a search then looks at a few that lie together.
    starts: Vec<u32>,
    purposes: HashMap<Box<str>, u16>,
}

/// What a line says.
pub(super) struct Line<'l> {
    pub identifier: &'l str,
    pub issuer: &'l str,
    pub is_withdrawn: bool,
    /// Empty: all purposes.
    pub purpose: &'l str,
    pub until: i32,
    pub number: u32,
}

impl Table {
    pub(super) fn new() -> Self {
        let keys = [RandomState::new(), RandomState::new()];
        Self { keys, entries: Vec::new(), starts: Vec::new(), purposes: HashMap::new() }
    }

    /// Takes a line.
    ///
    /// # Errors
    /// What is too much.
    pub(super) fn add(&mut self, line: &Line<'_>) -> Result<(), &'static str> {
        let purpose = match (line.purpose, self.purposes.get(line.purpose), self.purposes.len()) {
            ("", ..) => ANY,
            (_, Some(known), _) => *known,
            (.., MOST_PURPOSES..) => return Err("names one purpose more than the 1000 that a list may name"),
            (new, None, count) => {
                let number = u16::try_from(count + 1).unwrap_or(u16::MAX);
                self.purposes.insert(new.into(), number);
                number
            }
        };
        let hash = self.hash(line.identifier, line.issuer);
        let Line { is_withdrawn, until, number, .. } = *line;
        self.entries.push(Entry { hash, purpose, is_withdrawn, line: number, until });
        Ok(())
    }

    /// Sorts it; nobody finds anything before.
    ///
    /// # Errors
    /// Two lines about the same patient and purpose, the earlier one first.
    pub(super) fn sort(&mut self) -> Result<(), [u32; 2]> {
        self.entries.shrink_to_fit();
        self.entries.sort_unstable_by_key(|entry| (entry.hash, entry.purpose, entry.line));
        self.starts = self.begins();
        let is_same = |pair: &&[Entry]| match pair {
            [one, other] => (one.hash, one.purpose) == (other.hash, other.purpose),
            _ => false,
        };
        let twice = self.entries.windows(2).filter(is_same).filter_map(|pair| match pair {
            [one, other] => Some([one.line, other.line]),
            _ => None,
        });
        // The first in the file, as everybody reads it.
        twice.min_by_key(|[_, second]| *second).map_or(Ok(()), Err)
    }

    /// What the list says of a patient on a day, for a purpose or for none that is known.
    pub(super) fn said(&self, whom: &Who, asked: Option<&str>, today: i32) -> Said {
        let mut found = Found::default();
        // One that no line names is no purpose of the list, and not that of all.
        let asked_number = asked.map(|asked| self.purposes.get(asked).copied().unwrap_or(u16::MAX));
        let known = asked_number.map(|_| "asked");
        let names = |purpose: u16| match purpose {
            ANY => None,
            own if Some(own) == asked_number => Some("asked"),
            _ => Some("other"),
        };
        for entry in self.of(&whom.identifier, &whom.issuer).iter().filter(|entry| entry.until >= today) {
            match entry.is_withdrawn {
                true => found.withdraw(names(entry.purpose), known),
                false => found.grant(names(entry.purpose), known),
            }
        }
        if !whom.issuer.is_empty() {
            let of_any = self.of(&whom.identifier, "").iter();
            let withdrawn = of_any.filter(|entry| entry.until >= today && entry.is_withdrawn);
            withdrawn.for_each(|entry| found.withdraw(names(entry.purpose), known));
        }
        found.said()
    }

    fn of(&self, identifier: &str, issuer: &str) -> &[Entry] {
        let hash = self.hash(identifier, issuer);
        let [beginning, ..] = hash;
        let bucket = (beginning >> 16) as usize;
        let start = |bucket: usize| self.starts.get(bucket).map_or(0, |start| *start as usize);
        let entries = self.entries.get(start(bucket)..start(bucket + 1)).unwrap_or_default();
        let first = entries.partition_point(|entry| entry.hash < hash);
        let from = entries.get(first..).unwrap_or_default();
        let count = from.iter().take_while(|entry| entry.hash == hash).count();
        from.get(..count).unwrap_or_default()
    }

    /// Of the entries, which are sorted; with where they end.
    fn begins(&self) -> Vec<u32> {
        let mut starts = vec![0_u32; BUCKETS + 1];
        for entry in &self.entries {
            let [beginning, ..] = entry.hash;
            if let Some(behind) = starts.get_mut((beginning >> 16) as usize + 1) {
                *behind += 1;
            }
        }
        let mut all = 0;
        for start in &mut starts {
            all += *start;
            *start = all;
        }
        starts
    }

    fn hash(&self, identifier: &str, issuer: &str) -> Hash {
        let [first, second] = self.keys.each_ref().map(|key| key.hash_one((identifier, issuer)));
        let half = |hash: u64| (hash >> 32) as u32;
        [half(first), first as u32, half(second), second as u32]
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes that its entries take up in memory.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.starts.capacity() * size_of::<u32>()
    }
}
