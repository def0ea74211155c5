//! Who has to wait after wrong attempts: a user at an address. Nobody can lock somebody out from elsewhere.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use time::{Duration, OffsetDateTime};

use crate::policy::limits::of_one_site;

/// Wrong attempts without a delay; from the one after them on, each is followed by one: 1 s, 2 s, 4 s …
const FREE: u32 = 4;
const LONGEST: Duration = Duration::HOUR;
/// When wrong attempts are forgotten.
const MEMORY: Duration = Duration::DAY;
/// Users at addresses that are remembered.
const MOST: usize = 4096;
/// Attempts under way: of all, and of one address.
const OPEN: usize = 64;
const OPEN_OF_ADDRESS: usize = 8;

/// A user's name, hashed so that each takes the same room, at an address.
type Who = ([u8; 32], IpAddr);

#[derive(Default)]
pub(super) struct Lockout {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    failures: HashMap<Who, Failures>,
    /// Attempts under way, by address.
    open: HashMap<IpAddr, usize>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    until: OffsetDateTime,
    last: OffsetDateTime,
    /// Attempts under way, which may become failures.
    open: u32,
}

impl Failures {
    /// Until when nobody may try. A clock that was put back keeps nobody out for longer than the longest delay.
    fn locked(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        Some(self.until).filter(|until| *until > now && *until - now <= LONGEST)
    }
}

/// Why an attempt may not be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotNow {
    Locked { until: OffsetDateTime },
    Busy,
}

/// An attempt under way. One that is let go without a word counts as nothing.
pub(super) struct Turn {
    lockout: Arc<Lockout>,
    who: Who,
}

impl Lockout {
    /// Whether a user may try at an address now.
    pub(super) fn begin(
        self: &Arc<Self>,
        name: &str,
        address: IpAddr,
        now: OffsetDateTime,
    ) -> Result<Turn, NotNow> {
        let who = (hashed(name), of_one_site(address));
        let mut table = self.table();
        let known = table.failures.get(&who).copied().filter(|known| known.last + MEMORY > now);
        let of_who = known.map_or(0, |known| known.open);
        if let Some(until) = known.and_then(|known| known.locked(now)) {
            return Err(NotNow::Locked { until });
        }
        let failed = known.map_or(0, |known| known.count);
        let of_address = table.open.get(&who.1).copied().unwrap_or_default();
        let all: usize = table.open.values().sum();
        // What is under way may all turn out wrong: never more of it than is free of delay.
        if of_who >= (FREE + 1).saturating_sub(failed).max(1) || of_address >= OPEN_OF_ADDRESS || all >= OPEN
        {
            return Err(NotNow::Busy);
        }
        table.make_room(&who, now);
        let entry =
            table.failures.entry(who).or_insert(Failures { count: 0, until: now, last: now, open: 0 });
        if known.is_none() {
            *entry = Failures { count: 0, until: now, last: now, open: 0 };
        }
        entry.open += 1;
        *table.open.entry(who.1).or_default() += 1;
        Ok(Turn { lockout: self.clone(), who })
    }

    /// Whether the next attempt of a user at an address has to wait.
    pub(super) fn is_locked(&self, name: &str, address: IpAddr, now: OffsetDateTime) -> bool {
        let who = (hashed(name), of_one_site(address));
        self.table().failures.get(&who).is_some_and(|known| known.locked(now).is_some())
    }

    /// Everybody who has to wait now: by what stands for each name, where, and until when.
    pub(super) fn locked(&self, now: OffsetDateTime) -> HashMap<[u8; 32], Vec<(IpAddr, OffsetDateTime)>> {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for ((name, address), failures) in &self.table().failures {
            if let Some(until) = failures.locked(now) {
                all.entry(*name).or_default().push((*address, until));
            }
        }
        all
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table().failures.len()
    }
}

impl Table {
    /// What is over goes first, then whoever failed least; nobody who is under way.
    fn make_room(&mut self, who: &Who, now: OffsetDateTime) {
        if self.failures.len() < MOST || self.failures.contains_key(who) {
            return;
        }
        self.failures.retain(|_, known| known.open > 0 || known.last + MEMORY > now);
        if self.failures.len() < MOST {
            return;
        }
        let idle = self.failures.iter().filter(|(_, known)| known.open == 0);
        if let Some(who) = idle.min_by_key(|(_, known)| (known.count, known.last)).map(|(who, _)| *who) {
            self.failures.remove(&who);
        }
    }
}

impl Turn {
    pub(super) fn failed(self, now: OffsetDateTime) {
        if let Some(entry) = self.lockout.table().failures.get_mut(&self.who) {
            entry.count = entry.count.saturating_add(1);
            entry.last = now;
            entry.until = now + delay(entry.count);
        }
    }

    pub(super) fn succeeded(self) {
        if let Some(entry) = self.lockout.table().failures.get_mut(&self.who) {
            entry.count = 0;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut table = self.lockout.table();
        if let Some(entry) = table.failures.get_mut(&self.who) {
            entry.open = entry.open.saturating_sub(1);
            if entry.open == 0 && entry.count == 0 {
                table.failures.remove(&self.who);
            }
        }
        if let Some(open) = table.open.get_mut(&self.who.1) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                table.open.remove(&self.who.1);
            }
        }
    }
}

fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(doublings) => Duration::seconds(1 << doublings.min(20)).min(LONGEST),
    }
}

/// What stands for a name.
pub(super) fn hashed(name: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}
