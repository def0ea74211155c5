//! One half of a relay: read, deframe, judge, rewrite, pack, write, in one direction.
//!
//! There is no queue between reading and writing, so a slow reader slows the writer. The two halves of an association
//! live in one task; a message holds the packer of the leg that it goes to from its first byte to its last.
//!
//! Lock order: a half gives its own packer back before it takes that of the other direction, for a refusal of its own.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::MutexGuard;

use super::association::{Association, sender};
use super::ended::Ended;
use super::phase::Phase;
use crate::buffer::Inbox;
use crate::policy::Direction;
use crate::rewrite::Output;
use crate::wire::{AbortReason, Deframer, Event, Fragment, Malformed, Packer, Span, pdu};

/// How often a half that waits for a rate or for the other direction says that it still lives: well within the shortest
/// sensible deadline.
const PACE_TICK: Duration = Duration::from_millis(100);

/// Spans that an idle half keeps room for.
const SPANS_KEPT: usize = 16;

/// What became of the unread bytes.
enum Step {
    Taken,
    MoreToRead,
}

/// One direction of an association.
pub(crate) struct Half<'a> {
    pub(super) association: &'a Association,
    pub(super) direction: Direction,
    pub(super) inbox: Inbox,
    pub(super) deframer: Deframer,
    pub(super) phase: Phase,
    /// What the transform put out, and where: spans over the inbox and over `output.made`.
    pub(super) output: Output,
    pub(super) spans: Vec<Span>,
    pub(super) writer: Option<MutexGuard<'a, Packer>>,
}

impl<'a> Half<'a> {
    pub fn new(association: &'a Association, direction: Direction) -> Self {
        Self {
            association,
            direction,
            inbox: Inbox::default(),
            deframer: Deframer::new(association.offered),
            phase: Phase::Idle,
            output: Output::default(),
            spans: Vec::new(),
            writer: None,
        }
    }

    /// Relays until the association ends.
    pub async fn run(&mut self) -> Ended {
        loop {
            if let Err(ended) = self.turn().await {
                // A half that has yet to end a message keeps the other from answering the sender of the bad object.
                if self.association.from(self.direction).is_condemned() && self.phase.is_idle() {
                    self.writer = None;
                    std::future::pending::<()>().await;
                }
                return ended;
            }
        }
    }

    /// One read and everything that it leads to.
    async fn turn(&mut self) -> Result<(), Ended> {
        if self.phase.is_idle() {
            self.rest();
        }
        let unfinished = !self.phase.is_idle() || self.deframer.is_inside_pdu();
        let from = self.association.from(self.direction);
        let count = match from.fill(&mut self.inbox, unfinished).await {
            Ok(0) => return Err(self.end_of_stream("it was closed without a release").await),
            Err(error) => return Err(self.end_of_stream(&error.to_string()).await),
            Ok(count) => count,
        };
        self.work(count).await
    }

    /// Relays what this many bytes completed. A half that waits for its next read holds room for all that this awaits, so
    /// what is rare is boxed where it is awaited, and what is large does not live across a wait.
    async fn work(&mut self, count: usize) -> Result<(), Ended> {
        self.association.progress.moved(self.association.movement(self.direction));
        self.paced(self.association.pace.bytes(count)).await;
        let ended = loop {
            match self.step().await {
                Ok(Step::Taken) => {}
                Ok(Step::MoreToRead) => break None,
                Err(ended) => break Some(ended),
            }
        };
        // Messages that came whole before an abort or a broken PDU go on, as they do if they come in another read.
        match ended {
            None => self.flush().await,
            Some(ended) => {
                // Not where a write was what failed.
                let to = self.association.to(self.direction);
                if self.phase.is_idle() && to.is_between_pdus() {
                    let _ = Box::pin(self.flush()).await;
                }
                Err(ended)
            }
        }
    }

    /// Takes one event out of the inbox.
    async fn step(&mut self) -> Result<Step, Ended> {
        let (used, event) =
            self.deframer.next(self.inbox.unread()).map_err(|malformed| self.protocol(malformed))?;
        let end = self.inbox.position() + used;
        let Some(event) = event else {
            self.inbox.consume(used);
            return Ok(if self.inbox.next_piece() { Step::Taken } else { Step::MoreToRead });
        };
        match event {
            Event::Fragment(Fragment { context_id, kind, bytes, last }) => {
                // A fragment borrows the inbox; its bytes are the last ones used.
                let range = end - bytes.len()..end;
                self.inbox.consume(used);
                if !self.passes_on(context_id, kind, &range, last) {
                    self.fragment(context_id, kind, range, last).await?;
                }
            }
            Event::ReleaseRq => {
                self.inbox.consume(used);
                Box::pin(self.release_asked()).await?;
            }
            Event::ReleaseRp => {
                self.inbox.consume(used);
                Box::pin(self.release_answered()).await?;
            }
            Event::Abort(abort) => return Err(Ended::Aborted { by: sender(self.direction), abort }),
        }
        Ok(Step::Taken)
    }

    async fn release_asked(&mut self) -> Result<(), Ended> {
        if !self.phase.is_idle() {
            let what = "an A-RELEASE-RQ inside a message";
            return Err(self.protocol(Malformed::new(AbortReason::UnexpectedPdu, what)));
        }
        self.association.release.ask(sender(self.direction)).map_err(|malformed| self.protocol(malformed))?;
        self.association.progress.release();
        self.pass_on(&pdu::RELEASE_RQ).await
    }

    async fn release_answered(&mut self) -> Result<(), Ended> {
        let complete = self.association.release.answer(sender(self.direction));
        let complete = complete.map_err(|malformed| self.protocol(malformed))?;
        self.pass_on(&pdu::RELEASE_RP).await?;
        match complete {
            Some(by) => Err(Ended::Released { by }),
            None => Ok(()),
        }
    }

    /// Gives back what an idle leg does not need.
    fn rest(&mut self) {
        self.inbox.rest();
        if self.output.made.capacity() > 0 && self.inbox.unread().is_empty() {
            self.output = Output::default();
        }
        // A read may hold thousands of fragments.
        self.output.pieces.shrink_to(SPANS_KEPT);
        self.spans.shrink_to(SPANS_KEPT);
    }

    /// Waits for a rate, or for a message of the other direction, which has a deadline of its own. Neither is a stall.
    pub(super) async fn paced<T>(&self, wait: impl Future<Output = T>) -> T {
        let mut wait = pin!(wait);
        // Mostly nothing has to wait, and then no timer is needed.
        match poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await {
            Poll::Ready(done) => done,
            Poll::Pending => Box::pin(self.ticking(wait)).await,
        }
    }

    async fn ticking<T>(&self, mut wait: Pin<&mut impl Future<Output = T>>) -> T {
        loop {
            if let Ok(done) = tokio::time::timeout(PACE_TICK, &mut wait).await {
                return done;
            }
            self.association.progress.held_up(self.association.movement(self.direction));
        }
    }

    pub(super) fn protocol(&self, malformed: Malformed) -> Ended {
        Ended::Protocol { side: sender(self.direction), malformed }
    }

    /// The stream ended. Where that was to be expected, the other direction tells how it ends.
    async fn end_of_stream(&self, detail: &str) -> Ended {
        let side = sender(self.direction);
        if self.phase.is_idle() && self.association.release.was_asked_by(side) {
            std::future::pending::<()>().await;
        }
        Ended::Lost { side, detail: detail.to_owned() }
    }
}

impl Drop for Half<'_> {
    fn drop(&mut self) {
        // Whoever waits for the peer to close reads on.
        self.association.from(self.direction).take_back(&mut self.inbox);
    }
}

#[cfg(test)]
mod tests {
    use super::Half;

    /// Bytes of the future that a function returns.
    fn size<'a, F>(_: impl Fn(&'a mut Half<'a>, usize) -> F) -> usize {
        size_of::<F>()
    }

    /// An association that waits holds room for the work of both halves, for hours perhaps. What makes it larger belongs in
    /// a box where it is awaited, if it is rare, or into a function that does not wait.
    #[test]
    fn the_work_of_a_read_is_small() {
        let bytes = size(Half::work);
        assert!(bytes <= 640, "{bytes} bytes");
    }
}
