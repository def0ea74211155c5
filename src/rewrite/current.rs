//! The element under way.

use std::ops::Range;

use super::applying::Plan;
use super::identifiers::Reach;
use super::levels::Source;
use crate::dataset::{Header, Syntax, Tag, Vr};

/// What is being done with the element's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Pass,
    Skip,
    /// It is kept, without the identifiers in it.
    Clean(Reach),
    /// Its pixels are masked.
    Blank,
    /// Its pixels are decoded and masked.
    Decode,
    /// It is a fragment: what stands beside the image is overwritten.
    Aside,
    /// Pixels pass; so many bytes before the end, what follows the last one is overwritten.
    Trim(u32),
    /// The value is needed before anything is sent.
    Read,
    /// The same, and it goes on as it came where it is legal.
    Fit,
    /// It is too long for that, and its bytes are looked at on the way.
    Watch,
}

/// The element whose value is under way, and what is being done with it.
pub(super) struct Current {
    pub(super) header: Header,
    pub(super) doing: Doing,
    /// The rule for it and what that comes to, where its value has no say in that.
    pub(super) planned: Option<(usize, Plan)>,
    /// What came of its value in earlier pushes.
    pub(super) value: Vec<u8>,
    /// Where its header is, while that is still in the input.
    at: Option<Range<usize>>,
    head: [u8; 12],
    size: usize,
}

impl Current {
    pub(super) fn new(syntax: Syntax) -> Self {
        let header = Header { tag: Tag(0, 0), vr: Vr::UN, length: None, syntax };
        Self {
            header,
            doing: Doing::Skip,
            planned: None,
            value: Vec::new(),
            at: None,
            head: [0; 12],
            size: 0,
        }
    }

    /// Takes an element whose header was just read, with nothing yet of its value.
    pub(super) fn begin(&mut self, header: Header, head: Source<'_>) {
        self.at = match head {
            Source::Input(range) => Some(range),
            Source::Made(bytes) => {
                self.keep(bytes);
                None
            }
        };
        self.header = header;
        self.value.clear();
    }

    /// Says that `input` is about to go, in which the header may stand. Its bytes are kept, since it may still have to be
    /// sent as it came.
    pub(super) fn leave_input(&mut self, input: &[u8]) {
        if let Some(range) = self.at.take() {
            self.keep(input.get(range).unwrap_or_default());
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.size = bytes.len().min(12);
        if let (Some(to), Some(from)) = (self.head.get_mut(..self.size), bytes.get(..self.size)) {
            to.copy_from_slice(from);
        }
    }

    /// The header's bytes as they came (8 or 12): a range of this push's input where it lies there, otherwise the copy.
    pub(super) fn head(&self) -> Source<'_> {
        let kept = self.head.get(..self.size).unwrap_or_default();
        self.at.clone().map_or(Source::Made(kept), Source::Input)
    }
}
