//! A number and the newest records behind it.

use std::collections::{BTreeMap, VecDeque};

use super::Shared;

/// So many records are kept with each figure.
pub const NEWEST: usize = 10;
/// So many labels are counted apart; a sender can invent any number of them.
const APART: usize = 500;
const OTHERS: &str = "(others)";

/// How many, and the newest of them.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// How many things happened: a record that stands for many counts as often.
    pub count: u64,
    /// Fewer than `count`, where some stand for many.
    pub records: u64,
    /// The last [`NEWEST`] records, the oldest first.
    pub newest: VecDeque<Shared>,
}

impl Bucket {
    /// Counts a record, which is newer than those before.
    pub fn add(&mut self, record: &Shared) {
        self.count = self.count.saturating_add(record.times());
        self.records += 1;
        if self.newest.len() == NEWEST {
            self.newest.pop_front();
        }
        self.newest.push_back(record.clone());
    }
}

/// Records counted by a label, each label in a [`Bucket`] of its own.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    buckets: BTreeMap<String, Bucket>,
}

impl Ranking {
    /// Counts a record under a label; under one for all others, where too many are told apart already.
    pub fn add(&mut self, label: &str, record: &Shared) {
        if let Some(bucket) = self.buckets.get_mut(label) {
            return bucket.add(record);
        }
        let label = if self.buckets.len() < APART { label } else { OTHERS };
        self.buckets.entry(label.to_owned()).or_default().add(record);
    }

    /// Every label with its bucket, the one with most records first; those with as many in the order of their labels.
    pub fn ranked(&self) -> Vec<(&str, &Bucket)> {
        let mut ranked: Vec<_> =
            self.buckets.iter().map(|(label, bucket)| (label.as_str(), bucket)).collect();
        ranked.sort_by_key(|(_, bucket)| std::cmp::Reverse(bucket.count));
        ranked
    }

    /// How many things happened, whatever their label.
    pub fn count(&self) -> u64 {
        self.buckets.values().map(|bucket| bucket.count).sum()
    }

    /// Whether no record had a label that is counted here.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }
}
