//! How far an open association has come. The one task that drives it writes these numbers each time that it waits, with plain
//! stores; whoever reads them may see one a moment older than another, and nothing worse.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::rate::Rate;
use crate::audit::OperationCounts;
use crate::dimse::Operation;
use crate::policy::Direction;

/// How far an association has come.
pub(crate) struct Course {
    since: Instant,
    /// Read from the requestor, written to it, read from the upstream, written to it.
    bytes: [AtomicU64; 4],
    /// From the peer, and to it.
    lanes: [Packed; 2],
    /// Operations that are over, each kind by its outcome.
    counts: [OfOutcome; Operation::ALL.len()],
    rate: Rate,
}

type OfOutcome = [AtomicU64; 4];

/// A [`Lane`] in words of 64 bits.
#[derive(Default)]
struct Packed {
    state: AtomicU64,
    /// Milliseconds since the association was asked for.
    moved: AtomicU64,
}

/// What one direction is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    pub waits: Waits,
    /// A message, or a part of a PDU, is under way.
    pub is_inside: bool,
    /// Of the requests that go this way, the one with the lowest message ID that is open.
    pub current: Option<Current>,
    /// Requests that go this way and are open.
    pub open: u16,
    /// One of them has gone on and is not answered.
    pub awaits_answer: bool,
    /// When bytes last moved.
    pub moved: Instant,
}

/// An operation that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub operation: Operation,
    pub message_id: u16,
}

impl From<(Operation, u16)> for Current {
    fn from((operation, message_id): (Operation, u16)) -> Self {
        Self { operation, message_id }
    }
}

/// What a direction waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Waits {
    #[default]
    Nothing,
    /// Bytes of whoever sends in this direction.
    Bytes,
    /// That the upstream takes what is written to it.
    RoomAtUpstream,
    /// That the requestor does.
    RoomAtRequestor,
    /// The other direction.
    OtherDirection,
    /// dimsegate: a rate, the crosswalk, a decoder, the records.
    Dimsegate,
}

impl Waits {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Bytes,
        Self::RoomAtUpstream,
        Self::RoomAtRequestor,
        Self::OtherDirection,
        Self::Dimsegate,
    ];
}

/// On whom an association waits at this moment, in words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The side of the requestor, and what of it.
    Requestor(&'static str),
    Upstream(&'static str),
    Dimsegate,
}

/// Operations of one kind that are over.
type OfKind = (Operation, OperationCounts);

impl Course {
    pub(super) fn new(since: Instant) -> Self {
        Self {
            since,
            bytes: Default::default(),
            lanes: Default::default(),
            counts: std::array::from_fn(|_| OfOutcome::default()),
            rate: Rate::new(since),
        }
    }

    /// Read from the requestor, written to it, read from the upstream, written to it.
    pub(crate) fn set_bytes(&self, bytes: [u64; 4]) {
        for (place, count) in self.bytes.iter().zip(bytes) {
            place.store(count, Relaxed);
        }
    }

    pub(crate) fn bytes(&self) -> [u64; 4] {
        self.bytes.each_ref().map(|count| count.load(Relaxed))
    }

    /// Bytes a second from the requestor and to it, since somebody looked last, and that at least a second ago.
    pub(crate) fn rate(&self) -> u64 {
        let [from_requestor, to_requestor, ..] = self.bytes();
        self.rate.look(from_requestor.saturating_add(to_requestor), Instant::now())
    }

    pub(crate) fn set_lane(&self, direction: Direction, lane: &Lane) {
        let moved = u64::try_from(lane.moved.saturating_duration_since(self.since).as_millis());
        let place = self.packed(direction);
        place.state.store(lane.packed(), Relaxed);
        place.moved.store(moved.unwrap_or(u64::MAX), Relaxed);
    }

    pub(crate) fn lane(&self, direction: Direction) -> Lane {
        let place = self.packed(direction);
        let moved = Duration::from_millis(place.moved.load(Relaxed));
        let moved = self.since.checked_add(moved).unwrap_or(self.since);
        Lane::of(place.state.load(Relaxed), moved)
    }

    fn packed(&self, direction: Direction) -> &Packed {
        let [from_peer, to_peer] = &self.lanes;
        if direction == Direction::FromPeer { from_peer } else { to_peer }
    }

    /// Operations of this kind that are over.
    pub(crate) fn set_counts(&self, operation: Operation, counts: OperationCounts) {
        let OperationCounts { success, warning, failure, refused } = counts;
        let Some(places) = self.counts.get(operation as usize) else { return };
        for (place, count) in places.iter().zip([success, warning, failure, refused]) {
            place.store(count, Relaxed);
        }
    }

    /// Of each kind that there was one of.
    pub(crate) fn counts(&self) -> Vec<OfKind> {
        let of_kind = |(operation, places): (Operation, &OfOutcome)| {
            let [success, warning, failure, refused] = places.each_ref().map(|count| count.load(Relaxed));
            (operation, OperationCounts { success, warning, failure, refused })
        };
        let all = Operation::ALL.into_iter().zip(&self.counts).map(of_kind);
        all.filter(|(_, counts)| *counts != OperationCounts::default()).collect()
    }

    /// How many operations are over.
    pub(super) fn over(&self) -> u64 {
        let all = self.counts.iter().flatten();
        all.fold(0, |sum, count| sum.wrapping_add(count.load(Relaxed)))
    }

    /// Who is waited for, and what of them.
    pub(crate) fn waits_for(&self) -> Wanted {
        let [from_peer, to_peer] = [self.lane(Direction::FromPeer), self.lane(Direction::ToPeer)];
        let any = |waits: Waits| from_peer.waits == waits || to_peer.waits == waits;
        if any(Waits::Dimsegate) {
            Wanted::Dimsegate
        } else if any(Waits::RoomAtUpstream) {
            Wanted::Upstream("that it takes what is sent to it")
        } else if any(Waits::RoomAtRequestor) {
            Wanted::Requestor("that it takes what is sent to it")
        } else if from_peer.is_inside {
            Wanted::Requestor("the rest of a message")
        } else if to_peer.is_inside {
            Wanted::Upstream("the rest of a message")
        } else if from_peer.awaits_answer {
            Wanted::Upstream("an answer")
        } else if to_peer.awaits_answer {
            Wanted::Requestor("an answer")
        } else {
            Wanted::Requestor("its next request, or the release")
        }
    }
}

impl Lane {
    /// From the lowest bit: 8 of what it waits for, 8 of the operation (from 1 on), 16 of the message ID, 16 of the number of
    /// open requests, one each of the two truths.
    fn packed(&self) -> u64 {
        let current = self.current.map_or(0, |Current { operation, message_id }| {
            (operation as u64 + 1) << 8 | u64::from(message_id) << 16
        });
        self.waits as u64
            | current
            | u64::from(self.open) << 32
            | u64::from(self.is_inside) << 48
            | u64::from(self.awaits_answer) << 49
    }

    fn of(packed: u64, moved: Instant) -> Self {
        let [waits, operation, low, high, open_low, open_high, truths, _] = packed.to_le_bytes();
        let operation = usize::from(operation).checked_sub(1).and_then(|index| Operation::ALL.get(index));
        let message_id = u16::from_le_bytes([low, high]);
        Self {
            waits: Waits::ALL.get(usize::from(waits)).copied().unwrap_or_default(),
            is_inside: truths & 1 != 0,
            current: operation.map(|operation| Current { operation: *operation, message_id }),
            open: u16::from_le_bytes([open_low, open_high]),
            awaits_answer: truths & 2 != 0,
            moved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Course, Current, Lane, Waits, Wanted};
    use crate::audit::OperationCounts;
    use crate::dimse::Operation;
    use crate::policy::Direction::{FromPeer, ToPeer};
    use std::time::{Duration, Instant};

    fn idle(moved: Instant) -> Lane {
        Lane { waits: Waits::Bytes, is_inside: false, current: None, open: 0, awaits_answer: false, moved }
    }

    #[test]
    fn what_is_written_is_read() {
        let since = Instant::now();
        let course = Course::new(since);
        let moved = since + Duration::from_millis(1234);
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index);
            for waits in Waits::ALL {
                let current = Some(Current { operation, message_id: 65_535 - index as u16 });
                let lane = Lane { waits, current, open: 1024, is_inside: index % 2 == 0, ..idle(moved) };
                course.set_lane(ToPeer, &lane);
                assert_eq!(course.lane(ToPeer), lane);
            }
        }
        assert_eq!(course.lane(FromPeer).current, None);
        course.set_bytes([1, 2, 3, u64::MAX]);
        assert_eq!(course.bytes(), [1, 2, 3, u64::MAX]);
        let counts = OperationCounts { success: 7, warning: 1, failure: 2, refused: 3 };
        course.set_counts(Operation::CGet, counts);
        assert_eq!(course.counts(), [(Operation::CGet, counts)]);
    }

    #[test]
    fn who_is_waited_for_is_told_from_both_directions() {
        let since = Instant::now();
        let course = Course::new(since);
        let lanes = |from: Lane, to: Lane| {
            course.set_lane(FromPeer, &from);
            course.set_lane(ToPeer, &to);
            course.waits_for()
        };
        let idle = idle(since);
        assert_eq!(lanes(idle, idle), Wanted::Requestor("its next request, or the release"));
        let inside = Lane { is_inside: true, ..idle };
        assert_eq!(lanes(inside, idle), Wanted::Requestor("the rest of a message"));
        assert_eq!(lanes(idle, inside), Wanted::Upstream("the rest of a message"));
        let asked = Lane { awaits_answer: true, open: 1, ..idle };
        assert_eq!(lanes(asked, idle), Wanted::Upstream("an answer"));
        assert_eq!(lanes(idle, asked), Wanted::Requestor("an answer"));
        let full = Lane { waits: Waits::RoomAtUpstream, ..inside };
        assert_eq!(lanes(full, idle), Wanted::Upstream("that it takes what is sent to it"));
        let held = Lane { waits: Waits::Dimsegate, ..inside };
        assert_eq!(lanes(held, idle), Wanted::Dimsegate);
    }
}
