//! One leg of an association: what came and what went, and who was waited for.
//!
//! A gap on a leg ends with a byte of somebody, and until then that one was waited for: for the next request of the requestor, for
//! the answer of the upstream. What dimsegate sends follows from what it received, so what it takes is counted from the last byte
//! that came, on either leg.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::command;
use super::negotiation::Associate;
use super::reading::{Found, Part, Reading, Span};
use super::seen::{self, Micros, Node, Way, What};
use super::witness::Witness;
use zeroize::Zeroizing;

use crate::wire::pdu::{Abort, PduType, Rejection};

/// A leg of an association that somebody traces.
pub(crate) struct Leg {
    witness: Arc<Witness>,
    /// The other end.
    other: Node,
    received: Direction,
    sent: Direction,
    /// When the last of it ended that was seen.
    last: Option<Instant>,
    closed_by: Node,
}

/// What came, or what went.
#[derive(Default)]
struct Direction {
    reading: Reading,
    bytes: u64,
    /// Since when there is nothing to be read, or no room to write.
    waits: Option<Instant>,
    /// Before what comes next began.
    waited_before: Duration,
}

impl Direction {
    fn waits(&mut self) {
        self.waits.get_or_insert_with(Instant::now);
    }

    fn waits_no_more(&mut self, now: Instant) {
        let Some(since) = self.waits.take() else { return };
        let waited = now.saturating_duration_since(since);
        if self.reading.is_inside() {
            self.reading.waited(waited);
        } else {
            self.waited_before += waited;
        }
    }
}

impl Leg {
    /// The leg to this node.
    pub(crate) fn new(witness: Arc<Witness>, other: Node) -> Box<Self> {
        let (received, sent) = (Direction::default(), Direction::default());
        Box::new(Self { witness, other, received, sent, last: None, closed_by: Node::Dimsegate })
    }

    /// Whether nobody sees it, or not any more.
    pub(crate) fn is_over(&self) -> bool {
        self.witness.is_over()
    }

    /// There is nothing to be read now.
    pub(crate) fn read_waits(&mut self) {
        self.received.waits();
    }

    /// There is no room to write now.
    pub(crate) fn write_waits(&mut self) {
        self.sent.waits();
    }

    /// These bytes came; none at all is the end of the stream.
    pub(crate) fn received<'b>(&mut self, count: usize, pieces: impl Iterator<Item = &'b [u8]>) {
        let now = Instant::now();
        if count == 0 {
            self.closed_by = self.other;
            return self.stream_ended(now);
        }
        self.witness.heard(now);
        self.received.bytes += count as u64;
        self.received.waits_no_more(now);
        let Self { received, witness, other, last, .. } = self;
        let mut telling = Telling { witness, leg: *other, from: *other, last, now };
        for piece in pieces {
            let Direction { reading, waited_before, .. } = &mut *received;
            reading.take(piece, now, &mut |found, span| telling.tell(found, span, waited_before));
        }
    }

    /// The first `count` bytes of these went.
    pub(crate) fn sent(&mut self, slices: &[IoSlice<'_>], mut count: usize) {
        let now = Instant::now();
        self.sent.bytes += count as u64;
        self.sent.waits_no_more(now);
        let Self { sent, witness, other, last, .. } = self;
        let mut telling = Telling { witness, leg: *other, from: Node::Dimsegate, last, now };
        for slice in slices {
            let piece = slice.get(..count.min(slice.len())).unwrap_or_default();
            count -= piece.len();
            let Direction { reading, waited_before, .. } = &mut *sent;
            reading.take(piece, now, &mut |found, span| telling.tell(found, span, waited_before));
        }
    }

    /// What is under way will not be whole.
    fn stream_ended(&mut self, now: Instant) {
        let Self { received, sent, witness, other, last, .. } = self;
        for (direction, from) in [(received, *other), (sent, Node::Dimsegate)] {
            let Direction { reading, waited_before, .. } = direction;
            let mut telling = Telling { witness, leg: *other, from, last, now };
            reading.end(&mut |found, span| telling.tell(found, span, waited_before));
        }
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        if !self.is_over() {
            self.stream_ended(Instant::now());
            let (leg, by) = (self.other, self.closed_by);
            let (received, sent) = (self.received.bytes, self.sent.bytes);
            self.witness.tell(What::Closed { leg, by, received, sent });
        }
    }
}

/// Tells what was found.
struct Telling<'a> {
    witness: &'a Witness,
    leg: Node,
    from: Node,
    last: &'a mut Option<Instant>,
    now: Instant,
}

impl Telling<'_> {
    fn tell(&mut self, found: Found, span: Span, waited_before: &mut Duration) {
        let way = self.way(span, std::mem::take(waited_before));
        let length = usize::try_from(way.bytes).unwrap_or(usize::MAX);
        let (what, length) = match found {
            Found::Command { part, bytes } => (command_set(way, part, bytes), length),
            Found::DataSet { part } => (What::DataSet { way, part: part.seen() }, 0),
            Found::Pdu { pdu: pdu @ (PduType::AssociateRq | PduType::AssociateAc), body } => {
                let said = match body {
                    Some(body) => Associate::of(pdu, &body),
                    None => Associate::unread("it is too long to be shown".into()).with_pdu(pdu),
                };
                (What::Associate { way, said: Box::new(said) }, length)
            }
            Found::Pdu { pdu, body } => {
                (What::Pdu { way, text: short(pdu, body.as_ref().map(|body| body.as_slice())) }, 0)
            }
            Found::Unreadable { why } => (What::Pdu { way, text: format!("not read any more: {why}") }, 0),
        };
        self.witness.tell_of(what, length);
    }

    /// Where it went, and who was waited for meanwhile.
    fn way(&mut self, span: Span, before: Duration) -> Way {
        let gap = self.last.replace(self.now).map(|last| span.began.saturating_duration_since(last));
        let took = self.now.saturating_duration_since(span.began);
        let is_ours = self.from == Node::Dimsegate;
        let waited = span.waited.saturating_add(before);
        let held = is_ours.then(|| self.witness.since_heard(self.now));
        match held {
            Some(held) => {
                self.witness.waited(Node::Dimsegate, held.saturating_sub(waited));
                self.witness.waited(self.leg, waited);
            }
            None => self.witness.waited(self.leg, gap.unwrap_or_default().saturating_add(span.waited)),
        }
        Way {
            leg: self.leg,
            from: self.from,
            bytes: span.bytes,
            gap_us: gap.map(Micros),
            took_us: Micros(took),
            waited_us: Micros(if is_ours { waited } else { span.waited }),
            held_us: held.map(Micros),
        }
    }
}

impl Part {
    fn seen(self) -> seen::Part {
        let Self { context, fragments, whole, .. } = self;
        seen::Part { context, fragments, whole }
    }
}

fn command_set(way: Way, part: Part, bytes: Option<Zeroizing<Vec<u8>>>) -> What {
    let (message, elements) = match bytes {
        Some(bytes) => command::read(&bytes),
        None => ("a command set that is too long to be shown".into(), Vec::new()),
    };
    What::Command { way, part: part.seen(), message, elements }
}

/// A PDU with a body of four bytes, in words.
fn short(pdu: PduType, body: Option<&[u8]>) -> String {
    match (pdu, body.and_then(|body| <[u8; 4]>::try_from(body).ok())) {
        (PduType::AssociateRj, Some(body)) => Rejection::from_body(body).to_string(),
        (PduType::Abort, Some(body)) => Abort::from_body(body).to_string(),
        _ => pdu.to_string(),
    }
}
