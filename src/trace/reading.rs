//! PDUs, and the fragments in them, in one direction of a leg (PS3.8 §9.3, Annex E), read from bytes as they come or go. It holds
//! no more than one command set or A-ASSOCIATE of bounded length, and of data sets nothing.

use std::time::{Duration, Instant};
use zeroize::Zeroizing;

use crate::wire::pdu::{HEADER, PduHeader, PduType};

/// The longest body of an A-ASSOCIATE, and the longest command set, that is shown, in bytes.
const LONGEST: usize = 64 << 10;

/// Length of a PDV, ID of its context, message control header.
const PDV_HEADER: usize = 6;

/// What came to its end.
#[derive(Debug)]
pub(super) enum Found {
    /// A PDU that is no P-DATA-TF. `None`: its body is too long to be shown.
    Pdu {
        pdu: PduType,
        body: Option<Zeroizing<Vec<u8>>>,
    },
    /// A command set. `None`: it is too long to be shown.
    Command {
        part: Part,
        bytes: Option<Zeroizing<Vec<u8>>>,
    },
    DataSet {
        part: Part,
    },
    /// What follows is not read, and why.
    Unreadable {
        why: String,
    },
}

/// A command set or data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub context: u8,
    pub fragments: u32,
    /// Of the fragments, without their headers.
    pub bytes: u64,
    /// Its last fragment was there.
    pub whole: bool,
}

/// When something began, and how long it was waited for in the midst of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub began: Instant,
    pub waited: Duration,
    /// Of its PDUs, with their headers where it is no command set or data set.
    pub bytes: u64,
}

enum State {
    Header,
    Body {
        pdu: PduType,
        left: usize,
    },
    PdvHeader {
        left_in_pdu: usize,
    },
    Fragment {
        is_last: bool,
        left: usize,
        left_in_pdu: usize,
    },
    /// Nobody knows where the next PDU begins.
    Lost,
}

/// A direction of a leg, being read.
pub(super) struct Reading {
    state: State,
    header: [u8; HEADER],
    have: usize,
    /// Of what is under way, as much as may be shown.
    kept: Zeroizing<Vec<u8>>,
    is_too_long: bool,
    part: Option<(Part, bool)>,
    began: Option<Instant>,
    waited: Duration,
    bytes: u64,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            state: State::Header,
            header: [0; HEADER],
            have: 0,
            kept: Zeroizing::default(),
            is_too_long: false,
            part: None,
            began: None,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }
}

impl Reading {
    /// Whether something is under way.
    pub(super) fn is_inside(&self) -> bool {
        self.began.is_some()
    }

    /// In the midst of what is under way, it was waited for so long.
    pub(super) fn waited(&mut self, more: Duration) {
        if self.is_inside() {
            self.waited = self.waited.saturating_add(more);
        }
    }

    /// Takes bytes; `found` gets what comes to its end with them.
    pub(super) fn take(&mut self, mut bytes: &[u8], now: Instant, found: &mut impl FnMut(Found, Span)) {
        while !bytes.is_empty() && !matches!(self.state, State::Lost) {
            self.began.get_or_insert(now);
            let used = match &mut self.state {
                State::Header => self.header(bytes, HEADER),
                State::PdvHeader { .. } => self.header(bytes, PDV_HEADER),
                State::Body { left, .. } | State::Fragment { left, .. } => {
                    let used = bytes.len().min(*left);
                    *left -= used;
                    self.keep(bytes.get(..used).unwrap_or_default());
                    used
                }
                State::Lost => return,
            };
            bytes = bytes.get(used..).unwrap_or_default();
            self.go_on(found);
        }
    }

    /// What is under way, once no more of it comes.
    pub(super) fn end(&mut self, found: &mut impl FnMut(Found, Span)) {
        if let Some((part, is_command)) = self.part.take() {
            self.part_ends(part, is_command, found);
        } else if self.is_inside() && !matches!(self.state, State::Lost) {
            let why = format!("the stream ended after {} bytes of a PDU", self.bytes);
            self.lose(why, found);
        }
    }

    /// Takes bytes of a header; how many.
    fn header(&mut self, bytes: &[u8], length: usize) -> usize {
        let room = self.header.get_mut(self.have..length).unwrap_or_default();
        let used = room.len().min(bytes.len());
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.have += used;
        self.bytes += used as u64;
        used
    }

    /// Counts bytes, and keeps those that may be shown.
    fn keep(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if let Some((part, is_command)) = &mut self.part {
            part.bytes += bytes.len() as u64;
            if !*is_command {
                return;
            }
        }
        self.is_too_long |= self.kept.len() + bytes.len() > LONGEST;
        if !self.is_too_long {
            self.kept.extend_from_slice(bytes);
        }
    }

    /// Goes on to the next state where this one is through.
    fn go_on(&mut self, found: &mut impl FnMut(Found, Span)) {
        match self.state {
            State::Header if self.have == HEADER => self.pdu_begins(found),
            State::PdvHeader { left_in_pdu } if self.have == PDV_HEADER => {
                self.fragment_begins(left_in_pdu, found);
            }
            State::Body { pdu, left: 0 } => {
                let body = self.taken();
                self.found(Found::Pdu { pdu, body }, found);
                self.state = State::Header;
            }
            State::Fragment { is_last, left: 0, left_in_pdu } => {
                if let Some((part, is_command)) = self.part.take_if(|_| is_last) {
                    self.part_ends(Part { whole: true, ..part }, is_command, found);
                }
                self.state = if left_in_pdu == 0 { State::Header } else { State::PdvHeader { left_in_pdu } };
            }
            _ => {}
        }
    }

    fn pdu_begins(&mut self, found: &mut impl FnMut(Found, Span)) {
        self.have = 0;
        match PduHeader::read(self.header) {
            Ok(PduHeader { pdu_type: PduType::PData, length }) => {
                self.state = match usize::try_from(length).unwrap_or(usize::MAX) {
                    0 => State::Header,
                    left_in_pdu => State::PdvHeader { left_in_pdu },
                };
            }
            Ok(PduHeader { pdu_type, length }) => {
                let left = usize::try_from(length).unwrap_or(usize::MAX);
                // What is left of a message before it is not coming any more.
                if let Some((part, is_command)) = self.part.take() {
                    self.part_ends(part, is_command, found);
                }
                self.state = State::Body { pdu: pdu_type, left };
                if left == 0 {
                    self.go_on(found);
                }
            }
            Err(malformed) => self.lose(malformed.to_string(), found),
        }
    }

    fn fragment_begins(&mut self, left_in_pdu: usize, found: &mut impl FnMut(Found, Span)) {
        self.have = 0;
        let [a, b, c, d, context, control] = self.header;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let left = length.checked_sub(2).filter(|_| length.saturating_add(4) <= left_in_pdu);
        let Some(left) = left else {
            let why = format!("a PDV of {length} bytes in a PDU with {left_in_pdu} bytes left");
            return self.lose(why, found);
        };
        let (is_command, is_last) = (control & 1 != 0, control & 2 != 0);
        let is_of_another =
            |(part, of_command): &mut (Part, bool)| part.context != context || *of_command != is_command;
        if let Some((part, of_command)) = self.part.take_if(is_of_another) {
            self.part_ends(part, of_command, found);
        }
        let (part, _) = self.part.get_or_insert((Part { context, ..Part::default() }, is_command));
        part.fragments = part.fragments.saturating_add(1);
        self.state = State::Fragment { is_last, left, left_in_pdu: left_in_pdu - 4 - length };
        if left == 0 {
            self.go_on(found);
        }
    }

    fn part_ends(&mut self, part: Part, is_command: bool, found: &mut impl FnMut(Found, Span)) {
        let bytes = self.taken();
        let what = if is_command { Found::Command { part, bytes } } else { Found::DataSet { part } };
        self.bytes = part.bytes;
        self.found(what, found);
    }

    fn lose(&mut self, why: String, found: &mut impl FnMut(Found, Span)) {
        self.found(Found::Unreadable { why }, found);
        self.state = State::Lost;
        self.taken();
    }

    /// What was kept.
    fn taken(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let kept = std::mem::take(&mut self.kept);
        (!std::mem::take(&mut self.is_too_long)).then_some(kept)
    }

    fn found(&mut self, what: Found, found: &mut impl FnMut(Found, Span)) {
        let Some(began) = self.began.take() else { return };
        let (waited, bytes) = (std::mem::take(&mut self.waited), std::mem::take(&mut self.bytes));
        found(what, Span { began, waited, bytes });
    }
}
