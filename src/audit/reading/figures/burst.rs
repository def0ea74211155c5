//! Many refusals of one address in a short time.

use std::collections::{HashMap, VecDeque};

use time::{Duration, OffsetDateTime};

use super::{Bucket, Shared};

/// So many refusals are a burst,
pub const BURST: u64 = 10;
/// where they came within this time.
pub const WITHIN: Duration = Duration::minutes(5);
/// Addresses watched at once.
const ADDRESSES: usize = 10_000;

/// Refusals that came close together.
#[derive(Debug)]
pub(super) struct Burst {
    pub address: String,
    pub first: OffsetDateTime,
    pub last: OffsetDateTime,
    pub bucket: Bucket,
}

#[derive(Debug, Default)]
pub(super) struct Bursts {
    recent: HashMap<String, VecDeque<(OffsetDateTime, Shared)>>,
    running: HashMap<String, Burst>,
    over: Vec<Burst>,
}

impl Bursts {
    pub(super) fn refused(&mut self, address: &str, at: OffsetDateTime, record: &Shared) {
        if let Some(burst) = self.running.get_mut(address) {
            if at - burst.last <= WITHIN {
                burst.last = at;
                return burst.bucket.add(record);
            }
            self.over.extend(self.running.remove(address));
        }
        if self.recent.len() >= ADDRESSES {
            self.recent.retain(|_, refusals| refusals.back().is_some_and(|(last, _)| at - *last <= WITHIN));
        }
        let refusals = self.recent.entry(address.to_owned()).or_default();
        refusals.push_back((at, record.clone()));
        while refusals.front().is_some_and(|(first, _)| at - *first > WITHIN) {
            refusals.pop_front();
        }
        let count = refusals.iter().map(|(_, record)| record.times()).fold(0, u64::saturating_add);
        if count >= BURST {
            self.begin(address, at);
        }
    }

    fn begin(&mut self, address: &str, at: OffsetDateTime) {
        let refusals = self.recent.remove(address).unwrap_or_default();
        let first = refusals.front().map_or(at, |(first, _)| *first);
        let mut bucket = Bucket::default();
        refusals.iter().for_each(|(_, record)| bucket.add(record));
        self.running
            .insert(address.to_owned(), Burst { address: address.to_owned(), first, last: at, bucket });
    }

    /// Ends the reading: every burst that was seen, those that still ran too, in the order in which they began.
    pub(super) fn ended(mut self) -> Vec<Burst> {
        self.over.extend(self.running.into_values());
        self.over.sort_by(|a, b| (a.first, &a.address).cmp(&(b.first, &b.address)));
        self.over
    }
}
