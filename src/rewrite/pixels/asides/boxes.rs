//! The boxes of a JP2 file (T.800 Annex I), which some writers put around the codestream though PS3.5 A.4.4 leaves them out.
//!
//! Signature, file type and header pass, since they say what the codestream's components are; others (XML, UUID) become zeros.

use super::super::super::error::RewriteProblem;
use super::Stretch;

const SIGNATURE: [u8; 4] = *b"jP  ";
const CODESTREAM: [u8; 4] = *b"jp2c";
const KEPT: [[u8; 4]; 3] = [SIGNATURE, *b"ftyp", *b"jp2h"];

/// See the [module](self).
#[derive(Clone, Copy, Debug)]
pub(super) struct Boxes {
    /// A box's header as it comes: LBox, TBox, and XLBox where LBox is 1.
    header: [u8; 16],
    size: usize,
    /// Of the contents, bytes that are still to come.
    left: u64,
    passes: bool,
    begun: bool,
    codestream: bool,
}

impl Boxes {
    /// Its first byte, a zero, has come.
    pub(super) fn new() -> Self {
        Self { header: [0; 16], size: 1, left: 0, passes: true, begun: false, codestream: false }
    }

    /// Whether the codestream comes next.
    pub(super) fn hold_codestream(&self) -> bool {
        self.codestream
    }

    /// Whether nothing but zeros has come: it may be what fills a fragment.
    pub(super) fn are_zeros(&self) -> bool {
        !self.begun && self.header.iter().all(|&byte| byte == 0)
    }

    pub(super) fn stretch(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        if self.left == 0 {
            let byte = bytes.first().copied().unwrap_or_default();
            self.header_byte(byte)?;
            return Ok(Stretch::keep(1));
        }
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        self.left -= length as u64;
        Ok(if self.passes { Stretch::keep(length) } else { Stretch::fill(length, 0) })
    }

    fn header_byte(&mut self, byte: u8) -> Result<(), RewriteProblem> {
        if let Some(place) = self.header.get_mut(self.size) {
            *place = byte;
        }
        self.size += 1;
        let [l0, l1, l2, l3, t0, t1, t2, t3, extended @ ..] = self.header;
        let (length, kind) = (u32::from_be_bytes([l0, l1, l2, l3]), [t0, t1, t2, t3]);
        let header: u64 = if length == 1 { 16 } else { 8 };
        if (self.size as u64) < header {
            return Ok(());
        }
        if self.are_zeros() {
            (self.left, self.passes) = (u64::MAX, false);
            return Ok(());
        }
        if !self.begun && kind != SIGNATURE {
            return Err(RewriteProblem::Undecodable);
        }
        self.left = match length {
            // To the end of the file.
            0 => u64::MAX,
            1 => u64::from_be_bytes(extended).checked_sub(header).ok_or(RewriteProblem::Undecodable)?,
            length => u64::from(length).checked_sub(header).ok_or(RewriteProblem::Undecodable)?,
        };
        (self.begun, self.size, self.header) = (true, 0, [0; 16]);
        (self.passes, self.codestream) = (KEPT.contains(&kind), kind == CODESTREAM);
        Ok(())
    }
}
