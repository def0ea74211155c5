//! When something last moved, so that every deadline counts from the last progress. Times are nanoseconds after the
//! association began; what the time is, whoever drives the machine says.

use std::time::{Duration, Instant};

use crate::policy::Direction;

/// The movements of both directions of an association.
pub(crate) struct Progress {
    began: Instant,
    /// When the driver last woke up. What happens until it waits again happens then: one look at the clock is enough for
    /// deadlines of seconds.
    now: u64,
    pub(super) to_upstream: Movement,
    pub(super) to_requestor: Movement,
    /// When the first release was asked for.
    pub(super) release: Option<u64>,
    /// Nobody has looked at the deadlines yet, or not since there is one of the release.
    has_to_look: bool,
}

/// The movements of one direction.
#[derive(Default)]
pub(super) struct Movement {
    pub last: u64,
    /// A message is under way: some of it has come, or is still to be written.
    pub under_way: bool,
    /// Since when.
    pub since: u64,
    /// It waits for dimsegate, which slows it down or writes something to the disk first.
    pub held_up: bool,
}

impl Progress {
    pub(crate) fn new(began: Instant) -> Self {
        let (to_upstream, to_requestor) = (Movement::default(), Movement::default());
        Self { began, now: 0, to_upstream, to_requestor, release: None, has_to_look: true }
    }

    /// All that happens until the next call happened at this time: the clock is read once for each wake-up.
    pub(crate) fn woken(&mut self, now: Instant) {
        self.now = nanos(now.saturating_duration_since(self.began));
    }

    /// When the driver last woke up.
    pub(crate) fn now(&self) -> Instant {
        self.at(self.now)
    }

    pub(super) fn elapsed(&self) -> u64 {
        self.now
    }

    pub(super) fn at(&self, elapsed: u64) -> Instant {
        self.began + Duration::from_nanos(elapsed)
    }

    fn movement(&mut self, direction: Direction) -> &mut Movement {
        match direction {
            Direction::FromPeer => &mut self.to_upstream,
            Direction::ToPeer => &mut self.to_requestor,
        }
    }

    /// Bytes moved in this direction.
    pub(crate) fn moved(&mut self, direction: Direction) {
        let now = self.now;
        self.movement(direction).last = now;
    }

    /// Whether a message, or any part of a PDU, is under way in this direction; bytes moved too.
    pub(crate) fn under_way(&mut self, direction: Direction, under_way: bool) {
        let now = self.now;
        let movement = self.movement(direction);
        if under_way && !movement.under_way {
            movement.since = now;
        }
        (movement.under_way, movement.last) = (under_way, now);
    }

    /// Whether no message, nor any part of a PDU, is under way in either direction.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.to_upstream.under_way && !self.to_requestor.under_way
    }

    /// When something last moved in this direction.
    pub(super) fn moved_at(&self, direction: Direction) -> Instant {
        let movement = match direction {
            Direction::FromPeer => &self.to_upstream,
            Direction::ToPeer => &self.to_requestor,
        };
        self.at(movement.last)
    }

    /// This direction waits for dimsegate itself, which is no stall of either side.
    pub(crate) fn held_up(&mut self, direction: Direction) {
        let now = self.now;
        let movement = self.movement(direction);
        (movement.held_up, movement.last) = (true, now);
    }

    /// Whether a release was asked for.
    pub(crate) fn is_releasing(&self) -> bool {
        self.release.is_some()
    }

    /// Whether a deadline may have come nearer since this was asked last.
    pub(crate) fn has_to_look(&mut self) -> bool {
        std::mem::take(&mut self.has_to_look)
    }

    /// A release was asked for.
    pub(crate) fn release(&mut self) {
        self.has_to_look |= self.release.is_none();
        self.release.get_or_insert(self.now);
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
