//! From the bytes of an established association to fragments (PS3.8 §9.3.5 and Annex E).
//!
//! The deframer owns no bytes: it looks at the unread part of one buffer, says how much of it is used up, and lends the
//! fragment out of it. Nothing waits for a whole PDU, or for a whole PDV.
//!
//! A P-DATA-TF of two PDVs of which the second has not arrived whole, and the state between any two parts of it:
//!
//! ```text
//!               PDU header          PDV header                        PDV header          what has come
//!            +-------+--------+---------------------+-------------+---------------------+---------------+
//!   input    | 04 00 | length | length  id  control |  fragment   | length  id  control |  fragment     |  ...
//!            +-------+--------+---------------------+-------------+---------------------+---------------+
//!   bytes    |   2   |   4    |   4      1     1    |  length - 2 |   4      1     1    |  cut here     |
//!   state  Header            Pdv                 Fragment        Pdv                 Fragment        Fragment
//!                             |<------------ left_in_pdu, from the length of the PDU ------------------ ...
//!                                                   |<----------->|  left_in_pdv
//! ```
//!
//! A header is used up once all of it is there; a fragment is lent as far as it has come, and a cut one is never `last`.
//! Behind the last PDV the state is `Header` again.
//!
//! Invariants, which `tests/fuzz/deframer.rs` and the property tests hold against any input:
//! - what is consumed is never more than what was given, and a call that consumes nothing returns no event;
//! - `left_in_pdv` and `left_in_pdu` never exceed the limit that was checked when the PDU header was read;
//! - a fragment is `last` only when the bytes that end its PDV are in it and the PDV carries the last-fragment bit.

use super::pdu::{Abort, HEADER, PduHeader, PduType};
use super::{AbortReason, Malformed};

/// A PDV that has not arrived whole is cut only where at least this many bytes of it are there, so that a peer with
/// tiny segments does not become a stream of tiny PDUs for the other.
const SMALLEST_CUT: usize = 1024;

/// How much over the length we offered a P-DATA-TF may be: some devices count the PDU header in.
const TOLERANCE: u32 = 1024;

/// What a PDV carries (PS3.8 Annex E.2, bit 0 of the message control header).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bit clear: a piece of a data set.
    DataSet,
    /// Bit set: a piece of a command set.
    Command,
}

/// A piece of a command set or data set, borrowed from the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The presentation context that the PDV names, whether or not one of this number was accepted.
    pub context_id: u8,
    /// Command set or data set, as the PDV's header says.
    pub kind: Kind,
    /// May be empty, for an empty PDV; a PDV that comes in pieces gives several fragments.
    pub bytes: &'a [u8],
    /// The command set or data set ends with these bytes.
    pub last: bool,
}

/// What a PDU, or a piece of a P-DATA-TF, means. A-ASSOCIATE PDUs have no place on an established association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A piece of a message, out of a P-DATA-TF.
    Fragment(Fragment<'a>),
    /// The peer asks to release the association.
    ReleaseRq,
    /// The peer agrees to a release that this side asked for.
    ReleaseRp,
    /// The peer ends the association at once.
    Abort(Abort),
}

/// The reading side of one leg after its association is established.
#[derive(Clone, Debug)]
pub struct Deframer {
    limit: u32,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Header,
    Pdv { left_in_pdu: u32 },
    Fragment { pdv: Pdv, left_in_pdv: u32, left_in_pdu: u32 },
}

#[derive(Clone, Copy, Debug)]
struct Pdv {
    context_id: u8,
    kind: Kind,
    last: bool,
}

/// How many bytes a step used, and what they meant.
type Step<'a> = (usize, Option<Event<'a>>);

impl Deframer {
    /// `offered` is the maximum length that this peer was told, in bytes; it is not zero.
    pub fn new(offered: u32) -> Self {
        Self { limit: offered.saturating_add(TOLERANCE), state: State::Header }
    }

    /// Whether the bytes so far end inside a PDU.
    pub fn is_inside_pdu(&self) -> bool {
        !matches!(self.state, State::Header)
    }

    /// Whether the header of a PDV was read, and not all of the PDV.
    pub fn is_inside_pdv(&self) -> bool {
        matches!(self.state, State::Fragment { .. })
    }

    /// Looks at the unread bytes. `None` with zero bytes used means that more have to be read first.
    ///
    /// # Errors
    /// [`Malformed`] with the abort reason for a PDU that does not belong here or lengths that contradict each other.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Result<Step<'a>, Malformed> {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let (step, event) = match self.state {
                State::Header => self.header(rest)?,
                State::Pdv { left_in_pdu } => self.pdv(rest, left_in_pdu)?,
                State::Fragment { pdv, left_in_pdv, left_in_pdu } => {
                    self.fragment(rest, pdv, left_in_pdv, left_in_pdu)
                }
            };
            used += step;
            if event.is_some() || step == 0 {
                return Ok((used, event));
            }
        }
    }

    fn header<'a>(&mut self, input: &'a [u8]) -> Result<Step<'a>, Malformed> {
        let Some((header, rest)) = input.split_first_chunk::<HEADER>() else { return Ok((0, None)) };
        let header = PduHeader::read(*header)?;
        let event = match header.pdu_type {
            PduType::PData => return self.begin_data(header.length),
            PduType::AssociateRq | PduType::AssociateAc | PduType::AssociateRj => {
                let detail = format!("{} on an established association", header.pdu_type);
                return Err(Malformed::new(AbortReason::UnexpectedPdu, detail));
            }
            short => {
                let Some((body, _)) = rest.split_first_chunk::<4>() else { return Ok((0, None)) };
                match short {
                    PduType::ReleaseRq => Event::ReleaseRq,
                    PduType::ReleaseRp => Event::ReleaseRp,
                    _ => Event::Abort(Abort::from_body(*body)),
                }
            }
        };
        Ok((HEADER + 4, Some(event)))
    }

    fn begin_data<'a>(&mut self, length: u32) -> Result<Step<'a>, Malformed> {
        if length < 6 {
            return Err(Malformed::invalid(format!("P-DATA-TF of {length} bytes holds no PDV (at least 6)")));
        }
        if length > self.limit {
            let offered = self.limit - TOLERANCE;
            return Err(Malformed::invalid(format!(
                "P-DATA-TF of {length} bytes where at most {offered} were offered"
            )));
        }
        self.state = State::Pdv { left_in_pdu: length };
        Ok((HEADER, None))
    }

    fn pdv<'a>(&mut self, input: &'a [u8], left_in_pdu: u32) -> Result<Step<'a>, Malformed> {
        if left_in_pdu == 0 {
            self.state = State::Header;
            return self.header(input);
        }
        if left_in_pdu < 6 {
            return Err(Malformed::invalid(format!("{left_in_pdu} stray bytes end a P-DATA-TF")));
        }
        let Some((&[a, b, c, d, context_id, control], _)) = input.split_first_chunk::<6>() else {
            return Ok((0, None));
        };
        let length = u32::from_be_bytes([a, b, c, d]);
        let after_length = left_in_pdu - 4;
        if length < 2 || length > after_length {
            let what =
                format!("PDV of {length} bytes in a P-DATA-TF that has {after_length} left (at least 2)");
            return Err(Malformed::invalid(what));
        }
        let kind = if control & 1 == 1 { Kind::Command } else { Kind::DataSet };
        let pdv = Pdv { context_id, kind, last: control & 2 == 2 };
        self.state = State::Fragment { pdv, left_in_pdv: length - 2, left_in_pdu: after_length - length };
        if length == 2 {
            let (_, event) = self.fragment(&[], pdv, 0, after_length - length);
            return Ok((6, event));
        }
        Ok((6, None))
    }

    fn fragment<'a>(&mut self, input: &'a [u8], pdv: Pdv, left_in_pdv: u32, left_in_pdu: u32) -> Step<'a> {
        let whole = usize::try_from(left_in_pdv).unwrap_or(usize::MAX);
        let (bytes, ends) = match input.get(..whole) {
            Some(bytes) => (bytes, true),
            None if input.len() < SMALLEST_CUT => return (0, None),
            // Fragments are even (PS3.8 Annex E.2), so a PDV is cut at an even place.
            None => (input.get(..input.len() & !1).unwrap_or_default(), false),
        };
        let taken = u32::try_from(bytes.len()).unwrap_or(left_in_pdv);
        self.state = match ends {
            true if left_in_pdu == 0 => State::Header,
            true => State::Pdv { left_in_pdu },
            false => State::Fragment { pdv, left_in_pdv: left_in_pdv - taken, left_in_pdu },
        };
        let fragment = Fragment { context_id: pdv.context_id, kind: pdv.kind, bytes, last: ends && pdv.last };
        (bytes.len(), Some(Event::Fragment(fragment)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Deframer, Event, Kind};
    use proptest::prelude::*;

    fn pdv(context: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = u32::try_from(bytes.len() + 2).unwrap().to_be_bytes().to_vec();
        out.extend_from_slice(&[context, control]);
        out.extend_from_slice(bytes);
        out
    }

    fn pdu(pdvs: &[Vec<u8>]) -> Vec<u8> {
        let body = pdvs.concat();
        let mut out = vec![4, 0];
        out.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
        out.extend_from_slice(&body);
        out
    }

    /// Context ID, kind, bytes, and whether its last fragment has come.
    type Message = (u8, Kind, Vec<u8>, bool);

    /// Feeds bytes in the given pieces and writes down what came out, fragments of one PDV put together.
    fn read_in_pieces(bytes: &[u8], sizes: &[usize]) -> Result<Vec<Message>, super::Malformed> {
        let mut deframer = Deframer::new(1 << 20);
        let (mut got, mut start, mut end) = (Vec::<Message>::new(), 0, 0);
        let mut sizes = sizes.iter().copied().cycle();
        let mut open = false;
        while end < bytes.len() {
            end = (end + sizes.next().unwrap().max(1)).min(bytes.len());
            loop {
                let (used, event) = deframer.next(&bytes[start..end])?;
                assert!(used <= end - start);
                start += used;
                match event {
                    Some(Event::Fragment(f)) => {
                        match got.last_mut() {
                            Some(whole) if open => whole.2.extend_from_slice(f.bytes),
                            _ => got.push((f.context_id, f.kind, f.bytes.to_vec(), false)),
                        }
                        got.last_mut().unwrap().3 = f.last;
                        open = !f.last;
                    }
                    Some(other) => panic!("{other:?}"),
                    None => break,
                }
            }
        }
        Ok(got)
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_messages(
            lengths in prop::collection::vec(0usize..5000, 1..6),
            sizes in prop::collection::vec(1usize..3000, 1..8),
        ) {
            let payloads: Vec<Vec<u8>> = lengths.iter().map(|n| (0..*n).map(|i| (i * 7) as u8).collect()).collect();
            let bytes: Vec<u8> = payloads.iter().flat_map(|p| pdu(&[pdv(1, 3, b"cmd!"), pdv(1, 2, p)])).collect();
            let got = read_in_pieces(&bytes, &sizes).unwrap();
            let expected: Vec<_> = payloads.into_iter()
                .flat_map(|p| [(1, Kind::Command, b"cmd!".to_vec(), true), (1, Kind::DataSet, p, true)]).collect();
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn garbage_never_panics_or_consumes_what_is_not_there(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut deframer = Deframer::new(16384);
            let mut start = 0;
            while let Ok((used, event)) = deframer.next(&bytes[start..]) {
                start += used;
                prop_assert!(start <= bytes.len());
                if event.is_none() { break }
            }
        }
    }

    #[test]
    fn a_cut_off_pdv_is_never_last() {
        let whole = pdu(&[pdv(1, 2, &[7; 4000])]);
        let mut deframer = Deframer::new(16384);
        let (used, event) = deframer.next(&whole[..3011]).unwrap();
        let Some(Event::Fragment(fragment)) = event else { panic!("{event:?}") };
        assert_eq!((used, fragment.bytes.len(), fragment.last), (3010, 2998, false));
        assert!(deframer.is_inside_pdu());
    }

    #[test]
    fn lengths_that_contradict_each_other_abort_with_reason_6() {
        let cases: [&[u8]; 6] = [
            &[4, 0, 0, 0, 0, 0],
            &[4, 0, 0, 0, 0, 5],
            &[4, 0, 0xff, 0xff, 0xff, 0xff],
            &[4, 0, 0, 0, 0, 8, 0, 0, 0, 1, 1, 3],
            &[4, 0, 0, 0, 0, 8, 0, 0, 0, 5, 1, 3],
            &[5, 0, 0, 0, 0, 5],
        ];
        for bytes in cases {
            let error = Deframer::new(16384).next(bytes).unwrap_err();
            assert_eq!(error.reason, super::AbortReason::InvalidParameterValue, "{error}");
        }
    }

    #[test]
    fn unknown_and_unexpected_pdus_have_their_own_reasons() {
        let unknown = Deframer::new(16384).next(b"GET / HTTP").unwrap_err();
        assert_eq!(unknown.reason, super::AbortReason::UnrecognizedPdu);
        let unexpected = Deframer::new(16384).next(&[1, 0, 0, 0, 0, 200]).unwrap_err();
        assert_eq!(unexpected.reason, super::AbortReason::UnexpectedPdu);
    }

    #[test]
    fn an_empty_pdv_is_a_fragment_without_bytes() {
        let bytes = pdu(&[pdv(3, 0, b""), pdv(3, 2, b"ab")]);
        let got = read_in_pieces(&bytes, &[100]).unwrap();
        assert_eq!(got, [(3, Kind::DataSet, b"ab".to_vec(), true)]);
    }
}
