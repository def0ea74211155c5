//! From command sets and data sets to P-DATA-TF PDUs of a length that the peer takes (PS3.8 §9.3.5, Annex D and E).
//!
//! The packer copies no data set bytes: it writes a plan of spans over the buffers in which the bytes already lie, with
//! the twelve bytes of PDU and PDV header between them, for one vectored write. Every PDU of a plan is whole, so between
//! two writes an A-ABORT can always be sent.
//!
//! Up to two bytes of a data set stay behind until more follow or it ends. They keep fragments even, and they make sure
//! that the last fragment, which only the end of a data set can bring, is never empty.

use std::ops::Range;

use super::deframer::Kind;
use super::pdu::PduType;

/// PDU header, PDV length, context ID and message control header.
const OVERHEAD: usize = 12;

/// Where a peer says that its length is unlimited, PDUs are still kept this short.
const LONGEST: usize = 16 << 20;

/// The buffer in which a span lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Bytes as they were read.
    Input,
    /// Bytes that a rewrite made.
    Made,
    /// The packer's own: headers, commands, bytes that stayed behind.
    Scratch,
}

/// A stretch of one of the buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which buffer the range counts in.
    pub source: Source,
    /// Byte offsets in that buffer, the end excluded.
    pub range: Range<usize>,
}

/// The writing side of one leg.
#[derive(Clone, Debug)]
pub struct Packer {
    longest_fragment: usize,
    plan: Vec<Span>,
    scratch: Vec<u8>,
    behind: Behind,
    command_alone: bool,
    /// Spans of the plan that are of whole messages.
    whole: usize,
}

/// A packer's plan, and the buffers that its spans lie in.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'m> {
    /// Holds the plan, and the scratch that some of its spans lie in.
    pub packer: &'m Packer,
    /// What [`Source::Input`] means: the bytes as the other end sent them.
    pub input: &'m [u8],
    /// What [`Source::Made`] means: the bytes that a rewrite put in the place of some.
    pub made: &'m [u8],
}

impl<'m> Outgoing<'m> {
    /// The bytes of a span of the plan. `None`: it lies outside of its buffer.
    pub fn bytes(&self, span: &Span) -> Option<&'m [u8]> {
        self.packer.bytes(span, self.input, self.made)
    }
}

/// The bytes of a data set that stayed behind.
#[derive(Clone, Copy, Debug, Default)]
struct Behind {
    bytes: [u8; 2],
    count: usize,
}

impl Behind {
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.count).unwrap_or_default()
    }

    fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if let Some(slot) = self.bytes.get_mut(self.count) {
                *slot = byte;
                self.count += 1;
            }
        }
    }
}

impl Packer {
    /// The shortest maximum length that a message can sensibly be sent with.
    pub const SHORTEST_MAXIMUM_LENGTH: u32 = 128;

    /// Whether a peer that said this in its item 51H, or nothing, can be sent a message.
    pub fn can_serve(maximum_length: Option<u32>) -> bool {
        !(1..Self::SHORTEST_MAXIMUM_LENGTH).contains(&maximum_length.unwrap_or(0))
    }

    /// `maximum_length` is what the peer said in its item 51H, in bytes of a P-DATA-TF's body; 0 is unlimited.
    pub fn new(maximum_length: u32) -> Self {
        let body = match usize::try_from(maximum_length.max(Self::SHORTEST_MAXIMUM_LENGTH)) {
            Ok(body) if maximum_length != 0 => body.min(LONGEST),
            _ => LONGEST,
        };
        Self {
            longest_fragment: (body - 6) & !1,
            plan: Vec::new(),
            scratch: Vec::new(),
            behind: Behind::default(),
            command_alone: false,
            whole: 0,
        }
    }

    /// Adds a whole command set, which is copied: it is short, and it may outlive the buffer that it came in.
    pub fn command(&mut self, context_id: u8, command: &[u8]) {
        self.command_alone = self.plan.is_empty();
        let start = self.scratch.len();
        self.scratch.extend_from_slice(command);
        let whole = Span { source: Source::Scratch, range: start..self.scratch.len() };
        self.fragments(context_id, Kind::Command, std::iter::once(whole), command.len(), true);
    }

    /// Adds a piece of a data set; `input` and `made` are the buffers that the spans lie in. With `last` it ends. `None`: a
    /// span lies outside of its buffer.
    pub fn data_set(
        &mut self,
        context_id: u8,
        spans: &[Span],
        input: &[u8],
        made: &[u8],
        last: bool,
    ) -> Option<()> {
        if !spans.iter().all(|span| lies_in(span, input, made)) {
            return None;
        }
        let total = self.behind.count + spans.iter().map(|span| span.range.len()).sum::<usize>();
        let stay = if last { 0 } else { total.min(2 - total % 2) };
        let at = self.scratch.len();
        self.scratch.extend_from_slice(self.behind.as_slice());
        let before = Span { source: Source::Scratch, range: at..self.scratch.len() };
        self.behind = self.tail(std::iter::once(&before).chain(spans), total - stay, input, made)?;
        if total > stay || last {
            self.command_alone = false;
            let all = std::iter::once(before).chain(spans.iter().cloned());
            self.fragments(context_id, Kind::DataSet, all, total - stay, last);
        }
        Some(())
    }

    /// Adds the bytes of a short PDU of another kind: a release, an abort.
    pub fn pdu(&mut self, bytes: &[u8]) {
        self.command_alone = false;
        let start = self.scratch.len();
        self.scratch.extend_from_slice(bytes);
        self.plan.push(Span { source: Source::Scratch, range: start..self.scratch.len() });
    }

    /// Forgets what stayed behind of a data set that will not go on.
    pub fn forget(&mut self) {
        self.behind = Behind::default();
    }

    /// Every message of the plan is whole now.
    pub fn is_whole(&mut self) {
        self.whole = self.plan.len();
    }

    /// Takes out what came behind the last whole message.
    pub fn keep_whole(&mut self) {
        self.plan.truncate(self.whole);
        self.command_alone = false;
    }

    /// What has to be written, in order.
    pub fn plan(&self) -> &[Span] {
        &self.plan
    }

    /// Whether the plan is one command set and nothing else.
    pub fn has_a_command_alone(&self) -> bool {
        self.command_alone
    }

    /// The bytes of a span of the plan. `None`: it lies outside of its buffer.
    pub fn bytes<'a>(&'a self, span: &Span, input: &'a [u8], made: &'a [u8]) -> Option<&'a [u8]> {
        let buffer = match span.source {
            Source::Input => input,
            Source::Made => made,
            Source::Scratch => &self.scratch,
        };
        buffer.get(span.range.clone())
    }

    /// Begins a new plan, once the old one is written.
    pub fn clear(&mut self) {
        self.plan.clear();
        self.scratch.clear();
        (self.command_alone, self.whole) = (false, 0);
    }

    /// Gives memory back between two messages, but for what a short one needs.
    pub fn shrink(&mut self) {
        self.plan.shrink_to(16);
        self.scratch.shrink_to(512);
    }

    fn tail<'s>(
        &self,
        spans: impl Iterator<Item = &'s Span>,
        mut skip: usize,
        input: &[u8],
        made: &[u8],
    ) -> Option<Behind> {
        let mut behind = Behind::default();
        for span in spans {
            let length = span.range.len();
            if skip < length {
                behind.push(self.bytes(span, input, made)?.get(skip..)?);
            }
            skip = skip.saturating_sub(length);
        }
        Some(behind)
    }

    /// Cuts `length` bytes of the spans into fragments, each in a PDU of its own.
    fn fragments(
        &mut self,
        context_id: u8,
        kind: Kind,
        mut spans: impl Iterator<Item = Span>,
        length: usize,
        last: bool,
    ) {
        let mut current = spans.next();
        let mut left = length;
        loop {
            let fragment = left.min(self.longest_fragment);
            left -= fragment;
            self.header(context_id, kind, fragment, last && left == 0);
            let mut missing = fragment;
            while let Some(span) = current.take() {
                let cut = span.range.len().min(missing);
                let (start, end) = (span.range.start, span.range.end);
                missing -= cut;
                if cut > 0 {
                    self.plan.push(Span { source: span.source, range: start..start + cut });
                }
                current = if start + cut < end {
                    Some(Span { source: span.source, range: start + cut..end })
                } else {
                    spans.next()
                };
                if missing == 0 {
                    break;
                }
            }
            if left == 0 {
                return;
            }
        }
    }

    fn header(&mut self, context_id: u8, kind: Kind, fragment: usize, last: bool) {
        // The fragment is at most LONGEST, so neither length can be cut.
        let [pdv, pdu] = [fragment + 2, fragment + 6].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let control = u8::from(kind == Kind::Command) | u8::from(last) << 1;
        let start = self.scratch.len();
        self.scratch.extend_from_slice(&[PduType::PData as u8, 0]);
        self.scratch.extend_from_slice(&pdu.to_be_bytes());
        self.scratch.extend_from_slice(&pdv.to_be_bytes());
        self.scratch.extend_from_slice(&[context_id, control]);
        debug_assert_eq!(self.scratch.len() - start, OVERHEAD);
        self.plan.push(Span { source: Source::Scratch, range: start..self.scratch.len() });
    }
}

fn lies_in(span: &Span, input: &[u8], made: &[u8]) -> bool {
    let length = match span.source {
        Source::Input => input.len(),
        Source::Made => made.len(),
        Source::Scratch => 0,
    };
    span.range.start <= span.range.end && span.range.end <= length
}

#[cfg(test)]
mod tests {
    use super::super::{Deframer, Event, Kind};
    use super::{Packer, Source, Span};
    use proptest::prelude::*;

    fn written(packer: &mut Packer, input: &[u8]) -> Vec<u8> {
        let bytes =
            packer.plan().iter().flat_map(|span| packer.bytes(span, input, &[]).unwrap().to_vec()).collect();
        packer.clear();
        bytes
    }

    /// Every PDU with its fragment: body length, kind, last, bytes.
    fn pdus(mut bytes: &[u8]) -> Vec<(usize, bool, bool, Vec<u8>)> {
        let mut all = Vec::new();
        while !bytes.is_empty() {
            let body = u32::from_be_bytes(bytes[2..6].try_into().unwrap()) as usize;
            let pdv = u32::from_be_bytes(bytes[6..10].try_into().unwrap()) as usize;
            assert_eq!((bytes[0], bytes[10], body), (4, 9, pdv + 4));
            all.push((body, bytes[11] & 1 == 1, bytes[11] & 2 == 2, bytes[12..6 + body].to_vec()));
            bytes = &bytes[6 + body..];
        }
        all
    }

    proptest! {
        #[test]
        fn pieces_become_even_fragments_within_the_maximum_and_only_the_end_is_last(
            pieces in prop::collection::vec(0usize..700, 1..12),
            maximum in prop_oneof![Just(0u32), 128u32..2000],
        ) {
            let whole: Vec<u8> = (0..pieces.iter().sum()).map(|i: usize| (i * 31) as u8).collect();
            let mut packer = Packer::new(maximum);
            let (mut bytes, mut at) = (Vec::new(), 0);
            for (index, piece) in pieces.iter().enumerate() {
                let span = Span { source: Source::Input, range: at..at + piece };
                packer.data_set(9, &[span], &whole, &[], index + 1 == pieces.len()).unwrap();
                bytes.extend(written(&mut packer, &whole));
                at += piece;
            }
            let pdus = pdus(&bytes);
            let (end, before) = pdus.split_last().unwrap();
            prop_assert!(end.2 && (!end.3.is_empty() || whole.is_empty()));
            for (body, command, last, fragment) in before {
                prop_assert!(!last && !command && fragment.len() % 2 == 0 && !fragment.is_empty());
                prop_assert!(maximum == 0 || *body <= maximum as usize);
            }
            prop_assert!(maximum == 0 || end.0 <= maximum as usize);
            prop_assert_eq!(pdus.into_iter().flat_map(|p| p.3).collect::<Vec<_>>(), whole);
        }
    }

    #[test]
    fn a_command_and_its_data_set_go_in_one_plan_and_read_back() {
        let mut packer = Packer::new(4096);
        packer.command(9, b"command!");
        packer.data_set(9, &[Span { source: Source::Input, range: 0..3 }], b"abc", &[], true).unwrap();
        let bytes = written(&mut packer, b"abc");
        let mut deframer = Deframer::new(4096);
        let (used, first) = deframer.next(&bytes).unwrap();
        let (_, second) = deframer.next(&bytes[used..]).unwrap();
        let read = [first, second].map(|event| match event {
            Some(Event::Fragment(f)) => (f.kind, f.bytes.to_vec(), f.last),
            other => panic!("{other:?}"),
        });
        assert_eq!(
            read,
            [(Kind::Command, b"command!".to_vec(), true), (Kind::DataSet, b"abc".to_vec(), true)]
        );
    }

    #[test]
    fn zero_is_unlimited_and_not_the_smaller_of_two() {
        let mut packer = Packer::new(0);
        let input = vec![0; 300_000];
        packer
            .data_set(9, &[Span { source: Source::Input, range: 0..input.len() }], &input, &[], true)
            .unwrap();
        assert_eq!(pdus(&written(&mut packer, &input)).len(), 1);
    }

    #[test]
    fn what_lies_outside_of_its_buffer_is_not_packed() {
        let span = |source, range| Span { source, range };
        for outside in [
            span(Source::Input, 2..4),
            span(Source::Made, 0..1),
            span(Source::Input, 5..5),
            span(Source::Scratch, 0..1),
        ] {
            let mut packer = Packer::new(0);
            assert_eq!(packer.data_set(9, &[outside], b"abc", &[], true), None);
            assert!(packer.plan().is_empty());
        }
        let packer = Packer::new(0);
        assert_eq!(packer.bytes(&span(Source::Input, 2..4), b"abc", &[]), None);
    }
}
