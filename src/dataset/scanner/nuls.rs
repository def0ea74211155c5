//! NULs behind the last element, which some writers leave there.

use super::{Event, Scanner};
use crate::dataset::header::Head;
use crate::dataset::{ScanError, ScanProblem, Tag};

/// What becomes of NULs behind the last element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trailing {
    Refused,
    Tolerated,
    /// Nothing else may come any more.
    Begun,
}

impl Scanner {
    /// Passes over NULs behind the last element.
    pub fn tolerating_nuls(mut self) -> Self {
        self.trailing = Trailing::Tolerated;
        self
    }

    /// Whether NULs were passed over.
    pub fn has_nuls(&self) -> bool {
        self.trailing == Trailing::Begun || self.holds_nuls()
    }

    pub(super) fn begins_nuls(&self, head: &Head) -> bool {
        self.trailing == Trailing::Tolerated
            && self.frames.is_empty()
            && self.root.count > 0
            && head.is_nuls(self.root.syntax)
    }

    pub(super) fn nuls(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Event>, ScanError> {
        let rest = input.get(*at..).unwrap_or_default();
        let nuls = rest.iter().position(|&byte| byte != 0);
        self.position = self.position.saturating_add(nuls.unwrap_or(rest.len()) as u64);
        *at = input.len();
        if nuls.is_some() { Err(self.error(Tag(0, 0), ScanProblem::ForbiddenGroup)) } else { Ok(None) }
    }

    /// Whether the input ended in fewer NULs than a header is long.
    pub(super) fn holds_nuls(&self) -> bool {
        self.trailing == Trailing::Tolerated
            && self.frames.is_empty()
            && (self.rest, self.spent) == (0, 0)
            && self.carried > 0
            && self.held().iter().all(|&byte| byte == 0)
    }
}
