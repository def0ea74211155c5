//! What breaks the standard behind a header that was put right, or needed not to be, and has one reading that needs nothing but
//! what is at hand: a VR that is none, and a delimiter that ends what has ended. Read as [`mend`](crate::dataset::Mending)
//! reads it in front, so where it stands decides nothing.

use super::{Frame, Holds, ITEM_END, SEQUENCE_END, Scanner};
use crate::dataset::header::{Head, Header, ITEM, encoded};
use crate::dataset::tolerated::{Tolerated, unknown_vr};
use crate::dataset::{Syntax, Vr};

#[derive(Default)]
pub(super) struct Tolerating {
    is_asked: bool,
    tolerated: Tolerated,
    /// The header that was read last is written with another VR.
    respelled: bool,
    /// Where something of defined length ended last, and the delimiter that may stand behind it.
    ended: Option<(u64, u32)>,
}

impl Tolerating {
    #[inline(always)]
    pub(super) fn has_respelled(&self) -> bool {
        self.respelled
    }

    #[inline(always)]
    pub(super) fn ends_at(&mut self, holds: Holds, end: u64) {
        let delimiter = if holds == Holds::Items { SEQUENCE_END } else { ITEM_END };
        self.ended = Some((end, delimiter));
    }

    pub(super) fn sequence_ends_at(&mut self, end: u64) {
        self.ended = Some((end, SEQUENCE_END));
    }
}

impl Scanner {
    /// Reads what has one reading though it breaks the standard: `??` and blanks for a VR, a delimiter at the end of what has
    /// a defined length or behind it, NULs behind the last element. The bytes of such a header are as it should have been; the
    /// delimiter is no event.
    pub fn tolerating(self) -> Self {
        let mut scanner = self.tolerating_nuls();
        scanner.tolerating.is_asked = true;
        scanner
    }

    /// All that has been read so far though the standard does not allow it.
    pub fn tolerated(&self) -> Tolerated {
        Tolerated { nuls: self.has_nuls(), ..self.tolerating.tolerated }
    }

    /// The header that `bytes` begin with, with a VR where that which is written is none, and may be.
    #[inline]
    pub(super) fn spelled(&mut self, syntax: Syntax, is_element: bool, head: Head, bytes: &[u8]) -> Head {
        if is_element && head.vr.is_none() && head.number >> 16 != ITEM >> 16 && self.tolerating.is_asked {
            return Head { vr: self.vr_for(syntax, &head, bytes), ..head };
        }
        head
    }

    #[cold]
    fn vr_for(&mut self, syntax: Syntax, head: &Head, bytes: &[u8]) -> Option<Vr> {
        let vr = bytes.get(4..6).and_then(|written| unknown_vr(written, head.tag(), syntax));
        self.tolerating.respelled = vr.is_some();
        vr
    }

    /// The header's bytes, as they should have been, are those of the event. `spent` says how many they were in the carry.
    #[cold]
    pub(super) fn respell(&mut self, header: &Header) {
        self.tolerating.respelled = false;
        self.tolerating.tolerated.vr = true;
        // The VR alone is another: the length fits.
        let Some((head, size)) = encoded(header.tag, header.vr, header.syntax, header.length.unwrap_or(0))
        else {
            return;
        };
        let (from, behind) = (self.spent, self.carried.saturating_sub(self.spent));
        self.carry.copy_within(from..from + behind, size);
        if let (Some(to), Some(head)) = (self.carry.get_mut(..size), head.get(..size)) {
            to.copy_from_slice(head);
        }
        (self.spent, self.carried) = (size, size + behind);
    }

    /// Whether it is a delimiter that means nothing: one at the end of what has a length, or behind it. Notes it.
    #[cold]
    pub(super) fn passes_over(&mut self, frame: &Frame, head: &Head, after: u64) -> bool {
        let is_delimiter = matches!(head.number, ITEM_END | SEQUENCE_END) && head.length == 0;
        if !is_delimiter || !self.tolerating.is_asked {
            return false;
        }
        let (is_at_its_end, is_top) = (frame.end == Some(after), self.frames.is_empty());
        let is_behind = |ended: u32| self.tolerating.ended == Some((self.position, ended));
        let passes = match (frame.holds, head.number) {
            (Holds::Elements, ITEM_END) => is_at_its_end || is_top && is_behind(SEQUENCE_END),
            (Holds::Elements, _) => is_behind(SEQUENCE_END),
            (Holds::Items, SEQUENCE_END) => is_at_its_end,
            (Holds::Items, _) => is_behind(ITEM_END),
            (Holds::Fragments | Holds::Nothing, _) => false,
        };
        self.tolerating.tolerated.delimiter |= passes;
        passes
    }
}
