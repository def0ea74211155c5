//! What a state works with: the bytes that lie on the desk of its half, what has to be done before the half goes on, and the
//! terms, books and ways out of the association.

use std::ops::Range;

use super::answer::Answer;
use super::books::{Books, Entry};
use super::ended::{Ended, Side};
use super::exchange::Exchange;
use super::outlet::Outlet;
use super::terms::{Terms, opposite, sender};
use super::want::Question;
use crate::buffer::Inbox;
use crate::policy::Direction;
use crate::rewrite::{Output, Piece};
use crate::wire::{Malformed, Source, Span};

/// The desk of one half.
#[derive(Default)]
pub(super) struct Desk {
    pub inbox: Inbox,
    /// What a transform made. Together with the inbox, it is what `spans` lie over.
    pub output: Output,
    /// What of the current data set is to be packed, in order.
    pub spans: Vec<Span>,
    /// To be recorded before anything else is done.
    pub records: Vec<Entry>,
    /// Then what is packed is written,
    pub writes: bool,
    /// and the turn given back;
    pub gives_back: bool,
    /// then the sender of a request is answered.
    pub answer: Option<Box<Reply>>,
    /// At last this is asked, and nothing goes on until there is an answer.
    pub question: Option<Question>,
}

/// A response of dimsegate's own, or a C-CANCEL-RQ, that goes back where a message came from.
pub(super) struct Reply {
    pub context_id: u8,
    pub command: Vec<u8>,
}

/// Spans that an idle half keeps room for.
const SPANS_KEPT: usize = 16;

/// Bytes that are kept for what a transform makes next.
const MADE_KEPT: usize = 1 << 20;

impl Desk {
    /// Whether something has to be done before the next event.
    pub(super) fn has_to_wait(&self) -> bool {
        self.writes
            || self.gives_back
            || self.answer.is_some()
            || self.question.is_some()
            || !self.records.is_empty()
    }

    /// The bytes of a fragment where they lie in the inbox.
    pub(super) fn bytes(&self, range: Range<usize>) -> Result<&[u8], Ended> {
        self.inbox.all().get(range).ok_or(OUTSIDE)
    }

    /// The bytes of what is to be packed.
    pub(super) fn span(&self, Span { source, range }: &Span) -> Result<&[u8], Ended> {
        let lies_over = match source {
            Source::Input => self.inbox.all(),
            Source::Made | Source::Scratch => self.output.made.as_slice(),
        };
        lies_over.get(range.clone()).ok_or(OUTSIDE)
    }

    /// Bytes that go on as they came.
    pub(super) fn pass(&mut self, range: Range<usize>) {
        self.spans.push(Span { source: Source::Input, range });
    }

    /// Bytes of dimsegate's own that go on.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let start = self.output.made.len();
        self.output.made.extend_from_slice(bytes);
        self.spans.push(Span { source: Source::Made, range: start..self.output.made.len() });
    }

    /// What was to go on, which does not by itself.
    pub(super) fn take_back(&mut self) -> Result<Vec<u8>, Ended> {
        let mut bytes = Vec::new();
        for Span { source, range } in self.spans.drain(..) {
            let lies_over = match source {
                Source::Input => self.inbox.all(),
                Source::Made | Source::Scratch => self.output.made.as_slice(),
            };
            bytes.extend_from_slice(lies_over.get(range).ok_or(OUTSIDE)?);
        }
        Ok(bytes)
    }

    /// As [`take_pieces`](Self::take_pieces), where the input lay elsewhere than in the inbox.
    pub(super) fn take_pieces_of(&mut self, input: &[u8]) -> Result<(), Ended> {
        let Output { pieces, made, .. } = &mut self.output;
        for piece in pieces.drain(..) {
            let range = match piece {
                Piece::Made(range) => range,
                Piece::Input(range) => {
                    let start = made.len();
                    made.extend_from_slice(input.get(range).ok_or(OUTSIDE)?);
                    start..made.len()
                }
            };
            self.spans.push(Span { source: Source::Made, range });
        }
        Ok(())
    }

    /// Notes where the transform's latest output lies; `start` is where its input began in the inbox.
    pub(super) fn take_pieces(&mut self, start: usize) {
        let spans = self.output.pieces.drain(..).map(|piece| match piece {
            Piece::Input(range) => {
                Span { source: Source::Input, range: start + range.start..start + range.end }
            }
            Piece::Made(range) => Span { source: Source::Made, range },
        });
        self.spans.extend(spans);
    }

    /// The inbox will be filled again, so what has to wait moves out of it.
    pub(super) fn keep_spans(&mut self) -> Result<(), Ended> {
        let inbox = self.inbox.all();
        for span in self.spans.iter_mut().filter(|span| span.source == Source::Input) {
            let start = self.output.made.len();
            self.output.made.extend_from_slice(inbox.get(span.range.clone()).ok_or(OUTSIDE)?);
            *span = Span { source: Source::Made, range: start..self.output.made.len() };
        }
        Ok(())
    }

    /// What was packed is written.
    pub(super) fn written(&mut self) {
        if self.spans.is_empty() {
            self.output.clear();
        }
    }

    /// Gives back what is large, between two steps.
    pub(super) fn trim(&mut self) {
        if self.spans.is_empty() && self.output.made.capacity() > MADE_KEPT {
            self.output = Output::default();
        }
    }

    /// Gives back what an idle half does not need.
    pub(super) fn rest(&mut self) {
        self.inbox.rest();
        if self.output.made.capacity() > 0 && self.inbox.unread().is_empty() {
            self.output = Output::default();
        }
        // A read may hold thousands of fragments.
        self.output.pieces.shrink_to(SPANS_KEPT);
        self.spans.shrink_to(SPANS_KEPT);
    }
}

/// A promise of our own is broken.
pub(super) const OUTSIDE: Ended = Ended::Defect { detail: "a fragment lies outside of its buffer" };

/// What a state works with.
pub(super) struct Context<'m> {
    pub direction: Direction,
    pub terms: &'m Terms,
    pub books: &'m mut Books,
    /// The way out of this direction.
    pub outlet: &'m mut Outlet,
    pub desk: &'m mut Desk,
}

impl Context<'_> {
    /// The side that this half hears.
    pub(super) fn sender(&self) -> Side {
        sender(self.direction)
    }

    pub(super) fn protocol(&self, malformed: Malformed) -> Ended {
        Ended::Protocol { side: self.sender(), malformed }
    }

    /// Writes an operation of this direction down that is over.
    pub(super) fn record(&mut self, exchange: Exchange, answer: Answer) {
        let entry = self.books.record(self.terms, self.direction, exchange, answer);
        self.desk.records.push(entry);
    }

    /// The same of an operation that the other side asked for, once its data set has gone on.
    pub(super) fn over(&mut self, message_id: u16, answer: Answer) {
        let asked = opposite(self.direction);
        match self.answered(message_id) {
            Some(exchange) if !exchange.sent => exchange.early = Some(answer),
            _ => {
                if let Some(exchange) = self.books.ledger.close(asked, message_id) {
                    let entry = self.books.record(self.terms, asked, *exchange, answer);
                    self.desk.records.push(entry);
                }
            }
        }
    }

    /// A request of this direction that waits.
    pub(super) fn asked(&mut self, message_id: u16) -> Option<&mut Exchange> {
        self.books.ledger.find_mut(self.direction, message_id)
    }

    /// A request that messages of this direction answer.
    pub(super) fn answered(&mut self, message_id: u16) -> Option<&mut Exchange> {
        self.books.ledger.find_mut(opposite(self.direction), message_id)
    }

    /// Packs a command set for the side that this direction writes to, which is this direction's turn from here on.
    pub(super) fn send(&mut self, context_id: u8, command: &[u8]) {
        self.outlet.take_turn(self.direction);
        self.outlet.packer.command(context_id, command);
    }

    /// Packs a short PDU, which goes out at once.
    pub(super) fn send_pdu(&mut self, pdu: &[u8]) {
        self.outlet.take_turn(self.direction);
        self.outlet.packer.pdu(pdu);
        self.desk.writes = true;
    }

    /// Packs what has come of a data set; with `last` it ends.
    pub(super) fn pack(&mut self, context_id: u8, last: bool) -> Result<(), Ended> {
        if !self.desk.spans.is_empty() || last {
            let (input, made) = (self.desk.inbox.all(), self.desk.output.made.as_slice());
            self.outlet
                .packer
                .data_set(context_id, &self.desk.spans, input, made, last)
                .ok_or(Ended::Defect { detail: "a data set lies outside of its buffer" })?;
            self.desk.spans.clear();
        }
        Ok(())
    }

    /// Answers the sender of this direction's messages.
    pub(super) fn reply(&mut self, context_id: u8, command: Vec<u8>) {
        debug_assert!(self.desk.answer.is_none(), "two answers at once");
        self.desk.answer = Some(Box::new(Reply { context_id, command }));
    }

    /// Asks whoever drives the machine; the next state takes the answer.
    pub(super) fn ask(&mut self, question: Question) {
        debug_assert!(self.desk.question.is_none(), "two questions at once");
        self.desk.question = Some(question);
    }
}
