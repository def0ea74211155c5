//! Both directions of one association, without socket, clock or lock.
//!
//! ```text
//!   requestor                                                                    upstream
//!       |                                  Machine                                  ^
//!       |      +--------------------------------------------------------------+     |
//!       +----> | Half: inbox -> deframer -> State -> spans -> Outlet (packer) | ----+
//!              |                              |  ^                            |
//!              |                          Question, record  Books: ledger,    |
//!              |                              v  |          progress, release |
//!       +----- | Outlet (packer) <- spans <- State <- deframer <- inbox :Half | <---+
//!       v      +--------------------------------------------------------------+     |
//! ```
//!
//! Whoever drives it ([`drive`](super::drive) over two legs; a simulation in the tests) asks each half for what it
//! [wants](Want) next, does that, and says so. So a data set goes through: bytes are read into the inbox and stay there; the
//! deframer says where fragments lie; a [`State`](state::State) decides what becomes of them; spans over the inbox, with the
//! headers of new PDUs between them, are what is written.
//!
//! | file | holds |
//! | --- | --- |
//! | `half`, `want` | one direction, and what it wants of whoever drives it |
//! | `state` | the picture of all states; each has a file with its name |
//! | `desk`, `outlet` | what is under way in a direction: buffers, effects, the turn at the side that it writes to |
//! | `request`, `response`, `admitted`, `crossing` | what becomes of a command set |
//! | `passage`, `as_it_came`, `compared`, `examined`, `queried`, `rewritten`, `stepping`, `swallowed` | what becomes of a data set |
//! | `scoped`, `granted` | what becomes of it where the peer may see some studies only |
//! | `consented` | what becomes of it where patients have to consent |
//! | `books`: `exchange`, `answer`, `tally`, `progress`, `release` | what both directions know: open operations, counts, movement, who releases |
//! | `terms` | what was agreed at the beginning |
//! | `deadlines`, `ended` | which deadline has passed, and how an association ends |
//! | `played` | the machine without a driver, for `tests/fuzz` |
//!
//! # Why
//!
//! - **Why a machine.** Time, kernel buffers and other tasks decide in which order bytes come and when they can go. Without
//!   them, all of these orders can be tried in a moment, and each one again: see `tests`.
//! - **Why states that consume.** A state has what is known in it and nothing else, so that it cannot be asked what it is
//!   not: a data set that nobody rewrites has no transform that could fail, one that is swallowed has no way out.
//! - **Why a half wants one thing at a time.** It relays one message at a time, and a fragment is not looked at before what
//!   came of the one before it is under way. That bounds what an association holds, and slows down who sends too fast.
//! - **Why effects lie on the desk** and are no states of their own: a record, a write and an answer change nothing of what a
//!   state decides; they only have to be done before the next event.

mod admitted;
mod answer;
mod as_it_came;
mod books;
mod command_set;
mod compared;
mod consented;
mod crossing;
mod deadlines;
mod desk;
mod ended;
mod examined;
mod exchange;
mod granted;
mod half;
mod outlet;
mod passage;
pub mod played;
mod progress;
mod queried;
mod release;
mod request;
mod response;
mod rewritten;
mod scoped;
mod state;
mod stepping;
mod swallowed;
mod tally;
mod terms;
#[cfg(test)]
mod tests;
mod want;

use std::time::Instant;

use time::Date;

use books::Begun;
pub(super) use books::{Books, Entry};
pub(super) use deadlines::Deadlines;
pub(super) use ended::{Ended, Expired, Side};
pub(super) use tally::Tally;
pub(super) use terms::{AcceptedContext, Consented, Consents, IsWithin, Remembers, Terms, Waiting, sender};
pub(super) use want::{Below, Count, Learned, LookUp, LookedUp, Question, Want, Whom};

use deadlines::Windows;
use exchange::Exchange;
use half::{Half, Shared};
use outlet::Outlet;
use state::Break;

use super::live::{Current, Lane, Waits};
use crate::audit::OperationCounts;
use crate::buffer::Inbox;
use crate::dimse::Operation;
use crate::policy::Direction;
use crate::wire::Outgoing;

/// An association from its A-ASSOCIATE-AC to its end.
pub(super) struct Machine {
    shared: Shared,
    from_peer: Half,
    to_peer: Half,
    deadlines: Deadlines,
    windows: Windows,
}

impl Machine {
    /// An association that begins with `answer`, its A-ASSOCIATE-AC. `takes` are the maximum lengths that the upstream and
    /// the requestor said they take; it begins at that time, on that day.
    pub(super) fn new(
        terms: Terms,
        takes: [u32; 2],
        deadlines: Deadlines,
        answer: &[u8],
        (began, today): (Instant, Date),
    ) -> Self {
        let ([upstream, requestor], offered) = (takes, terms.offered);
        let (to_upstream, to_requestor) = (Outlet::new(upstream), Outlet::new(requestor));
        let books = Books::new(began, today);
        let (has_handed_over, is_closing) = (false, false);
        let mut shared = Shared { terms, books, to_upstream, to_requestor, has_handed_over, is_closing };
        let mut to_peer = Half::new(Direction::ToPeer, offered);
        to_peer.begin_with(&mut shared, answer);
        let from_peer = Half::new(Direction::FromPeer, offered);
        let windows = Windows::default();
        Self { shared, from_peer, to_peer, deadlines, windows }
    }

    fn half(&mut self, direction: Direction) -> (&mut Half, &mut Shared) {
        match direction {
            Direction::FromPeer => (&mut self.from_peer, &mut self.shared),
            Direction::ToPeer => (&mut self.to_peer, &mut self.shared),
        }
    }

    /// What happens from now on until the next call happens at this time, on this day.
    pub(super) fn woken(&mut self, now: Instant, today: Date) {
        self.shared.books.progress.woken(now);
        self.shared.books.today = today;
    }

    /// What has to be done before this half can go on. Asked again before that is done, it says the same.
    pub(super) fn next(&mut self, direction: Direction) -> Want {
        let (half, shared) = self.half(direction);
        half.next(shared)
    }

    /// Where bytes of this direction are read into.
    pub(super) fn inbox(&mut self, direction: Direction) -> &mut Inbox {
        &mut self.half(direction).0.desk.inbox
    }

    /// So many bytes were read into the [inbox](Self::inbox) of this half, in answer to [`Want::Read`].
    pub(super) fn read(&mut self, direction: Direction, count: usize) {
        let (half, shared) = self.half(direction);
        half.read(shared, count);
    }

    /// No more come, and why.
    pub(super) fn stream_ended(&mut self, direction: Direction, detail: String) {
        let (half, shared) = self.half(direction);
        half.stream_ended(shared, detail);
    }

    /// What a half wants to be written.
    pub(super) fn outgoing(&self, direction: Direction) -> Outgoing<'_> {
        match direction {
            Direction::FromPeer => self.from_peer.outgoing(&self.shared.to_upstream.packer),
            Direction::ToPeer => self.to_peer.outgoing(&self.shared.to_requestor.packer),
        }
    }

    /// Some of it is, so that a deadline counts from now.
    pub(super) fn moved(&mut self, direction: Direction) {
        self.shared.books.progress.moved(direction);
    }

    /// All that [`Want::Write`] asked for has been written.
    pub(super) fn written(&mut self, direction: Direction) {
        let (half, shared) = self.half(direction);
        half.written(shared);
    }

    /// It cannot be, and why.
    pub(super) fn not_written(&mut self, direction: Direction, detail: String) {
        let (half, shared) = self.half(direction);
        half.not_written(shared, detail);
    }

    /// A half waits for dimsegate itself, which is no stall of either side.
    pub(super) fn held_up(&mut self, direction: Direction) {
        self.shared.books.progress.held_up(direction);
    }

    /// A record is kept, or a question answered.
    pub(super) fn learns(&mut self, direction: Direction, learned: Learned) {
        let (half, shared) = self.half(direction);
        half.learns(shared, learned);
    }

    /// Whoever drives a half cannot do what it wants, though it should.
    pub(super) fn defect(&mut self, direction: Direction, detail: &'static str) {
        let (half, shared) = self.half(direction);
        half.stop(shared, Break::inside(Ended::Defect { detail }));
    }

    /// Breaks a promise: a span of what the requestor is to hear lies outside of its buffer.
    #[cfg(test)]
    pub(super) fn reach_outside(&mut self) {
        let span = crate::wire::Span { source: crate::wire::Source::Made, range: 0..4 };
        self.shared.to_requestor.packer.data_set(1, &[span], &[], &[0; 4], true).unwrap();
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.shared.terms
    }

    /// Whether a turn was handed over since this was asked last, so that the half that waited for it can go on.
    pub(super) fn has_handed_over(&mut self) -> bool {
        std::mem::take(&mut self.shared.has_handed_over)
    }

    /// Whether to [look at the deadlines](Self::look) now, since one may have come nearer than the last look said.
    pub(super) fn has_to_look(&mut self) -> bool {
        self.shared.books.progress.has_to_look()
    }

    /// When to look at the deadlines again.
    ///
    /// # Errors
    /// The one that has passed. `moved` are the bytes read and written so far, those on their way to the upstream first.
    pub(super) fn look(&mut self, moved: [u64; 2]) -> Result<Instant, Expired> {
        let outlook = self.shared.books.outlook(moved);
        self.shared.books.progress.look(self.deadlines, &outlook, &mut self.windows)
    }

    /// Whether a message is under way in this direction, or a part of a PDU with which one could begin.
    pub(super) fn is_inside(&self, direction: Direction) -> bool {
        match direction {
            Direction::FromPeer => self.from_peer.is_inside(&self.shared),
            Direction::ToPeer => self.to_peer.is_inside(&self.shared),
        }
    }

    /// What a direction is at, for whoever looks from outside.
    pub(super) fn lane(&self, direction: Direction, waits: Waits) -> Lane {
        let Books { ledger, progress, .. } = &self.shared.books;
        let (first, open, awaits_answer) = ledger.outstanding(direction);
        let current =
            first.map(|Exchange { operation, message_id, .. }| (*operation, *message_id)).map(Current::from);
        Lane {
            waits,
            is_inside: self.is_inside(direction),
            current,
            open: u16::try_from(open).unwrap_or(u16::MAX),
            awaits_answer,
            moved: progress.moved_at(direction),
        }
    }

    /// Operations that are over, where there are more than when this was asked last.
    pub(super) fn counted(&mut self) -> Option<impl Iterator<Item = (Operation, OperationCounts)>> {
        self.shared.books.tally.news()
    }

    /// No message begins from now on, in neither direction, also none that has come already and waits to be looked at. Whoever
    /// drives the machine ends the association once none is [under way](Self::is_inside).
    pub(super) fn begin_no_more(&mut self) {
        self.shared.is_closing = true;
    }

    /// The proxy stops: what is under way goes on to its end, what begins from now on does not count as that.
    pub(super) fn drain(&mut self) {
        let (from_peer, to_peer) = (self.from_peer.has_begun(), self.to_peer.has_begun());
        self.shared.books.draining = Some(Begun { from_peer, to_peer });
    }

    /// Whether the proxy stops and nothing keeps this association: no message is under way, no answer is waited for, and
    /// neither side has asked for the release, which then goes its own way.
    pub(super) fn may_end(&self) -> bool {
        let Books { ledger, progress, draining, .. } = &self.shared.books;
        draining.is_some() && progress.is_quiet() && ledger.is_at_rest() && !progress.is_releasing()
    }

    /// Whether a side has begun an operation that is not taken any more, which it has to learn.
    pub(super) fn leaves_untaken(&self, side: Side) -> bool {
        match side {
            Side::Requestor => self.shared.books.untaken.from_peer,
            Side::Upstream => self.shared.books.untaken.to_peer,
        }
    }

    /// Whether a side has had its abort.
    pub(super) fn is_condemned(&self, side: Side) -> bool {
        match side {
            Side::Upstream => self.shared.to_upstream.is_condemned,
            Side::Requestor => self.shared.to_requestor.is_condemned,
        }
    }

    /// What is left of it when it is over, and the records that are still to be kept: of what is over, and of what was never
    /// answered.
    pub(super) fn end(self) -> (Terms, Books, Vec<Entry>) {
        let Shared { terms, mut books, .. } = self.shared;
        let mut entries = self.from_peer.desk.records;
        entries.extend(self.to_peer.desk.records);
        entries.extend(books.unanswered(&terms));
        (terms, books, entries)
    }
}
