//! What differs from what the log itself has seen before.
//!
//! The first [`LEARNING`] of a log teach what is usual and are never called unusual. After that an AE title, an address,
//! a certificate or a peer that comes for the first time is, and an hour of the day at which a peer that has been seen
//! on [`WEEK`] days and in [`FEWEST`] associations has never opened one, an hour on each side included.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use time::{Date, Duration, OffsetDateTime};

use super::burst::Bursts;
use super::{Bucket, Shared};
use crate::audit::record::Event;

/// What the first records of a trail teach is never called unusual, for this long.
pub const LEARNING: Duration = Duration::days(1);
/// Days on which a peer has come before its hours count as known.
pub const WEEK: usize = 5;
/// Associations of a peer before its hours count as known.
pub const FEWEST: u32 = 20;
/// Unusual things of one kind that are told.
const TOLD: usize = 40;
/// Values of one kind that are remembered.
const REMEMBERED: usize = 100_000;

/// What is unusual. Ordered by how much it matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Many refusals of one address, close together.
    Burst {
        /// Where they came from.
        address: String,
        /// From the first to the last.
        seconds: i64,
        /// When the first was.
        first: OffsetDateTime,
        /// When the last was.
        last: OffsetDateTime,
    },
    /// A calling AE title that was known from elsewhere.
    KnownTitleFromNewAddress {
        /// The AE title.
        title: String,
        /// Where it came from now.
        address: String,
        /// Where it came from at first.
        known: String,
    },
    /// A calling AE title that came with other certificates before.
    NewCertificateOfTitle {
        /// The AE title.
        title: String,
        /// SHA-256 of the certificate that it showed now.
        fingerprint: String,
    },
    /// A calling AE title that was never seen, from an address that was.
    NewTitleFromKnownAddress {
        /// The AE title.
        title: String,
        /// Where it came from.
        address: String,
    },
    /// A `[[peer]]` that had never opened an association.
    FirstPeer {
        /// Its name.
        peer: String,
    },
    /// An address that was never seen, with a title that was not either.
    NewAddress {
        /// Where it came from.
        address: String,
    },
    /// A peer at an hour at which it had never come.
    Hour {
        /// Its name.
        peer: String,
        /// The hour of the day (UTC), 0 to 23.
        hour: u8,
    },
}

/// Something unusual, with its records.
#[derive(Clone, Debug)]
pub struct Unusual {
    /// What is unusual.
    pub kind: Kind,
    /// Whether all of it was refused.
    pub refused: bool,
    /// The records that show it.
    pub bucket: Bucket,
}

#[derive(Debug, Default)]
struct Habit {
    hours: [u32; 24],
    days: BTreeSet<Date>,
    total: u32,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    began: Option<OffsetDateTime>,
    /// AE title to the first address it came from.
    titles: HashMap<String, String>,
    addresses: HashSet<String>,
    pairs: HashSet<(String, String)>,
    certificates: HashSet<(String, String)>,
    certified: HashSet<String>,
    habits: HashMap<String, Habit>,
    bursts: Bursts,
    /// What was told of an AE title at an address, so that the next one adds to it.
    told: HashMap<(String, String), Kind>,
    found: BTreeMap<Kind, Unusual>,
}

impl Lookout {
    pub(super) fn began(&self) -> Option<OffsetDateTime> {
        self.began
    }

    /// Every record, oldest first. Only those to be `reported` can be unusual.
    pub(super) fn see(&mut self, record: &Shared, reported: bool) {
        let Some(at) = record.at() else { return };
        let began = *self.began.get_or_insert(at);
        let learned = reported && at - began >= LEARNING;
        match &record.event {
            Event::AssociationOpened(_) => {
                self.arrival(record, learned, false);
                self.certificate(record, learned);
                self.hour(record, at, learned);
                self.remember(record);
            }
            Event::AssociationRejected(_) => {
                self.arrival(record, learned, true);
                self.refusal(record, at, reported);
            }
            Event::ConnectionRefused(_) => self.refusal(record, at, reported),
            _ => {}
        }
    }

    fn refusal(&mut self, record: &Shared, at: OffsetDateTime, reported: bool) {
        if let Some(address) = record.address().filter(|_| reported) {
            self.bursts.refused(&address.to_string(), at, record);
        }
    }

    fn arrival(&mut self, record: &Shared, learned: bool, refused: bool) {
        let (Some(title), Some(address)) = (record.calling_ae_title(), record.address()) else {
            return;
        };
        let pair = (title.to_owned(), address.to_string());
        if let Some(kind) = self.told.get(&pair).cloned() {
            return self.tell(kind, record, refused);
        }
        if !learned || self.pairs.contains(&pair) {
            return;
        }
        let (title, address) = pair.clone();
        let kind = match (self.titles.get(&title), self.addresses.contains(&address), record.peer()) {
            (Some(known), ..) => Kind::KnownTitleFromNewAddress { title, address, known: known.clone() },
            (None, true, _) => Kind::NewTitleFromKnownAddress { title, address },
            (None, false, Some(peer)) if !self.habits.contains_key(peer) => {
                Kind::FirstPeer { peer: peer.to_owned() }
            }
            (None, false, _) => Kind::NewAddress { address },
        };
        if self.told.len() < REMEMBERED {
            self.told.insert(pair, kind.clone());
        }
        self.tell(kind, record, refused);
    }

    fn certificate(&mut self, record: &Shared, learned: bool) {
        let fingerprint = record.tls().and_then(|tls| tls.fingerprint.as_deref());
        let (Some(title), Some(fingerprint)) = (record.calling_ae_title(), fingerprint) else {
            return;
        };
        let pair = (title.to_owned(), fingerprint.to_owned());
        let kind = Kind::NewCertificateOfTitle { title: pair.0.clone(), fingerprint: pair.1.clone() };
        let new = learned && self.certified.contains(title) && !self.certificates.contains(&pair);
        if new || self.found.contains_key(&kind) {
            self.tell(kind, record, false);
        }
    }

    fn hour(&mut self, record: &Shared, at: OffsetDateTime, learned: bool) {
        let Some(peer) = record.peer() else { return };
        let Some(habit) = self.habits.get(peer).filter(|_| learned) else { return };
        let hour = at.hour();
        let around = [hour + 23, hour, hour + 1].map(|hour| usize::from(hour % 24));
        let known = around.iter().filter_map(|hour| habit.hours.get(*hour)).any(|count| *count > 0);
        let kind = Kind::Hour { peer: peer.to_owned(), hour };
        let again = self.found.contains_key(&kind);
        if again || (!known && habit.days.len() >= WEEK && habit.total >= FEWEST) {
            self.tell(kind, record, false);
        }
    }

    /// The same thing again adds to what was told of it.
    fn tell(&mut self, kind: Kind, record: &Shared, refused: bool) {
        let alike = |told: &&Kind| std::mem::discriminant(*told) == std::mem::discriminant(&kind);
        if !self.found.contains_key(&kind) && self.found.keys().filter(alike).count() >= TOLD {
            return;
        }
        let told = self.found.entry(kind.clone()).or_insert(Unusual {
            kind,
            refused: true,
            bucket: Bucket::default(),
        });
        told.refused &= refused;
        told.bucket.add(record);
    }

    /// An association that was let in makes what it came with known.
    fn remember(&mut self, record: &Shared) {
        let address = record.address().map(|address| address.to_string()).unwrap_or_default();
        let title = record.calling_ae_title().unwrap_or_default().to_owned();
        if let (Some(peer), Some(at)) = (record.peer(), record.at()) {
            let habit = self.habits.entry(peer.to_owned()).or_default();
            habit.total = habit.total.saturating_add(1);
            habit.days.insert(at.date());
            if let Some(hour) = habit.hours.get_mut(usize::from(at.hour())) {
                *hour += 1;
            }
        }
        if self.pairs.len() >= REMEMBERED || self.certificates.len() >= REMEMBERED {
            return;
        }
        if let Some(fingerprint) = record.tls().and_then(|tls| tls.fingerprint.as_deref()) {
            self.certified.insert(title.clone());
            self.certificates.insert((title.clone(), fingerprint.to_owned()));
        }
        if self.pairs.insert((title.clone(), address.clone())) {
            self.addresses.insert(address.clone());
            self.titles.entry(title).or_insert(address);
        }
    }

    /// Ends the reading: all that is unusual, what matters most first.
    pub(super) fn unusual(self) -> Vec<Unusual> {
        let burst = |burst: super::burst::Burst| Unusual {
            kind: Kind::Burst {
                address: burst.address,
                seconds: (burst.last - burst.first).whole_seconds(),
                first: burst.first,
                last: burst.last,
            },
            refused: true,
            bucket: burst.bucket,
        };
        let bursts = self.bursts.ended().into_iter().map(burst).take(TOLD);
        bursts.chain(self.found.into_values()).collect()
    }
}
