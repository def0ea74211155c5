//! A frame of RLE Lossless (PS3.5 Annex G): a header of 64 bytes, and up to 15 segments, each of which holds one byte of every
//! pixel. What is in none of them becomes zeros: unused offsets, what lies before a segment, what follows its last pixel.

use super::super::super::error::RewriteProblem;
use super::Stretch;

const HEADER: u32 = 64;
const MOST: u32 = 15;

/// What is due in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Control,
    /// Bytes as they are.
    Literal(u64),
    /// The byte that is repeated.
    Repeated,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub(super) struct Rle {
    /// Of a frame.
    pixels: u64,
    /// Whether a single frame lies in all fragments; otherwise each has one (PS3.5 A.4.2).
    is_one: bool,
    /// Bytes that have come of the frame.
    at: u32,
    /// The number of segments, and where each begins.
    header: [u32; 16],
    /// The segment under way, from 0, and pixels of it that are still to come.
    segment: usize,
    left: u64,
    due: Due,
}

impl Rle {
    pub(super) fn new(pixels: u64, is_one: bool) -> Self {
        Self { pixels, is_one, at: 0, header: [0; 16], segment: 0, left: 0, due: Due::Control }
    }

    /// Says that another fragment begins, which is another frame unless there is a single one.
    pub(super) fn fragment(&mut self) {
        if !self.is_one {
            *self = Self::new(self.pixels, false);
        }
    }

    pub(super) fn stretch(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        let byte = bytes.first().copied().unwrap_or_default();
        let stretch = if self.at < HEADER { self.header_byte(byte)? } else { self.data(bytes) };
        let length = u32::try_from(stretch.length).map_err(|_| RewriteProblem::Undecodable)?;
        self.at = self.at.checked_add(length).ok_or(RewriteProblem::Undecodable)?;
        Ok(stretch)
    }

    fn header_byte(&mut self, byte: u8) -> Result<Stretch, RewriteProblem> {
        let number = (self.at / 4) as usize;
        let unused = self.at >= 4 && number as u32 > self.count();
        let byte = if unused { 0 } else { byte };
        if let Some(word) = self.header.get_mut(number) {
            *word |= u32::from(byte) << (self.at % 4 * 8);
        }
        if self.at + 1 == HEADER && !self.is_sound() {
            return Err(RewriteProblem::Undecodable);
        }
        Ok(if unused { Stretch::fill(1, 0) } else { Stretch::keep(1) })
    }

    fn count(&self) -> u32 {
        self.header.first().copied().unwrap_or(0)
    }

    fn starts(&self) -> &[u32] {
        self.header.get(1..).and_then(|all| all.get(..self.count() as usize)).unwrap_or_default()
    }

    /// Whether segments follow the header and each other.
    fn is_sound(&self) -> bool {
        let starts = self.starts();
        (1..=MOST).contains(&self.count())
            && starts.first().is_some_and(|&first| first >= HEADER)
            && starts.is_sorted_by(|one, next| one < next)
    }

    fn data(&mut self, bytes: &[u8]) -> Stretch {
        let starts = self.starts();
        if starts.get(self.segment) == Some(&self.at) {
            (self.segment, self.left, self.due) = (self.segment + 1, self.pixels, Due::Control);
        }
        // Of the segment under way, or of what lies before the next one.
        let next = self.starts().get(self.segment).map_or(u32::MAX, |&next| next - self.at);
        let here = bytes.get(..usize::try_from(next).unwrap_or(usize::MAX)).unwrap_or(bytes);
        if self.left == 0 && self.due != Due::Repeated {
            return Stretch::fill(here.len(), 0);
        }
        self.packed(here)
    }

    fn packed(&mut self, here: &[u8]) -> Stretch {
        let control = here.first().copied().unwrap_or_default();
        let (due, length) = match self.due {
            Due::Control => (self.ordered(control), 1),
            Due::Literal(count) => {
                // What goes on behind the last pixel is of none.
                let length = usize::try_from(count.min(self.left)).unwrap_or(usize::MAX).min(here.len());
                let left = count - length as u64;
                (if left == 0 { Due::Control } else { Due::Literal(left) }, length)
            }
            Due::Repeated => (Due::Control, 1),
        };
        if let Due::Literal(_) = self.due {
            self.left = self.left.saturating_sub(length as u64);
        }
        self.due = due;
        Stretch::keep(length)
    }

    /// What a control byte orders; a repetition counts as soon as it is ordered.
    fn ordered(&mut self, control: u8) -> Due {
        match control {
            0..=127 => Due::Literal(u64::from(control) + 1),
            128 => Due::Control,
            _ => {
                self.left = self.left.saturating_sub(257 - u64::from(control));
                Due::Repeated
            }
        }
    }
}
